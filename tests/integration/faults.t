#!/usr/bin/env bash
# A faulty commit never ends a network: what runs is left as it is, status says which line is wrong, and the next good commit heals it.
. "$(dirname "$0")/../lib/lab.sh"
need haproxy
lab_begin
lab_repo smallest
cp -r "$work" "$lab/good"
lab_start
ok "the good commit converges" lab_converged
namespace=$(pleach exec hello -- readlink /proc/1/ns/net)

# seen: has the newest commit been taken up, and is it at rest?
seen() {
	pleach status | grep -q "commit $(git -C "$work" rev-parse --short=12 HEAD) .*: \(failed\|faulty\|converged\)"
}

# broken WHAT PATTERN: pushes the work tree as it is; nothing may end, and status must name the fault.
broken() {
	lab_push "$1"
	ok "$1: seen" eventually 10 seen
	is "$1: the VNF runs on, untouched" "$(pleach exec hello -- readlink /proc/1/ns/net)" "$namespace"
	pleach status >"$lab/status"
	is "$1: the exit status of status" $? 2
	like "$1: status names the fault" "$(cat "$lab/status")" "$2"
	timeout 5 pleach status --wait --timeout 30s >/dev/null
	is "$1: --wait does not wait for what never comes" $? 2
	like "$1: the VNF is counted" "$(cat "$lab/status")" 'vnf/hello +Held +1 of 1'
	lab_same_as_good
}

lab_same_as_good() {
	git -C "$work" rm -rq --cached . && rm -f "$work"/* && cp "$lab"/good/* "$work/"
	lab_push "As it was" || true
	ok "healed by the next commit" lab_converged 20s
}

sed -i 's,/web.yaml,/wbe.yaml,' "$work/service.yaml"
broken "a wrong name" 'service\.yaml:7:[0-9]+: there is no descriptor "/wbe\.yaml"'

echo '    - x: [' >>"$work/service.yaml"
broken "a syntax error" 'service\.yaml:8:[0-9]+: '

{ echo '<<<<<<< HEAD' && cat "$lab/good/service.yaml"; } >"$work/service.yaml"
broken "a conflict marker" 'service\.yaml:[0-9]+:[0-9]+: '

sed -i 's/NetworkService/NetworkServce/' "$work/service.yaml"
broken "a mistyped type" 'service\.yaml:6:[0-9]+: node type "pleach\.nodes\.NetworkServce" is not defined'

sed -i 's/host: vdu/host: vdv/' "$work/web.yaml"
broken "a fault in the VNFD, not what follows from it" 'web\.yaml:24:[0-9]+: there is no node "vdv".*1 more fault'

sed -i 's/ports\.port\./ports.prt./' "$work/haproxy.cfg"
broken "an unknown name in a template" 'haproxy\.cfg:6:[0-9]+: '

rm "$work"/*.yaml
broken "no descriptor at all" 'there is no descriptor here'

# The same beside a service that is well: it goes on living.
sed 's/^    hello:/    other:/' "$lab/good/service.yaml" >"$work/other.yaml"
echo '    - x: [' >>"$work/service.yaml"
lab_push "A syntax error beside a new service"
ok "the good file's service comes up" eventually 20 pleach exec other -- true
is "the faulty file's runs on" "$(pleach exec hello -- readlink /proc/1/ns/net)" "$namespace"
lab_same_as_good
lab_done
