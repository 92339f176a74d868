#!/usr/bin/env bash
# What falls ill is cured, within its limits: kill -9 of the NF's process, of its VNFC; what stays ill is recovered, then held and reported.
# And what the EMS tells of it: nf status, metrics, top, logs --follow, events.
. "$(dirname "$0")/../lib/lab.sh"
need haproxy curl
lab_begin
lab_repo smallest
cp "$work/web.yaml" "$lab/good.yaml"
lab_start --sample 1s
ok "converged" lab_converged

answers() {
	pleach exec hello -- curl -s --max-time 5 http://127.0.0.1/ | grep -q '^hello from'
}
told() {
	pleach events -n 1000 -o json | grep -q "\"kind\": *\"$1\""
}
incarnation() {
	pleach nf status hello -o json | sed -n 's/.*"incarnation": \([0-9]*\).*/\1/p' | head -n 1
}
# The process of the NF, inside: the first child of the leaf.
kill_nf() {
	pleach exec hello -- sh -c 'kill -9 $(cat /proc/1/task/1/children)' >/dev/null 2>&1
}

like "nf status tells state, EMS and how it is reached" "$(pleach nf status)" 'nf/hello\.vdu\.0 +started .*EMS leaf over unix'
like "nf status of one: configuration as desired" "$(pleach nf status hello)" 'configuration /.*: as desired'
quiet() {
	"$@" >/dev/null
}
ok "nf status exits with 0" quiet pleach nf status hello -o json
sampled() {
	pleach nf metrics hello -o json | grep -q '"rx_bits_per_s": [0-9]'
}
ok "it is measured" eventually 10 sampled
like "metrics as a table" "$(pleach nf metrics hello --since 1m)" '^ +time +cpu +memory'
like "top prints once, plain" "$(pleach top -n 1)" '^ +hello +started .* nf/hello\.vdu\.0'
is "top -o json: an object a line" "$(pleach top -n 2 -i 100ms -o json | grep -c '"report":"top"')" 2
like "sites tell what serves" "$(curl -s --unix-socket "$lab/state/pleachd.sock" -H 'Accept: application/json' http://localhost/v1/sites)" '"serves": 1'

pleach logs hello --follow >"$lab/followed" 2>&1 &
follower=$!
kill_nf
ok "kill -9 of the NF: it answers again" eventually 20 answers
is "in the same VNFC" "$(incarnation)" 1
ok "the log was followed" eventually 10 grep -q 'signal 9' "$lab/followed"
kill -INT $follower
wait $follower
is "Ctrl-C ends following well" $? 0

keeper_child=$(pleach exec hello -- readlink /proc/1/ns/pid)
pid=$(pleach status -o json | sed -n 's/.*"pid": \([0-9]*\).*/\1/p' | head -n 1)
[ -n "$pid" ] || pid=$(pgrep -f 'pleach-leaf --listen-fd' | while read -r p; do
	[ "$(readlink "/proc/$p/ns/pid" 2>/dev/null)" = "$keeper_child" ] && echo "$p" && break
done)
kill -9 "$pid"
second() {
	[ "$(incarnation)" = 2 ] && answers
}
ok "kill -9 of the VNFC: the next incarnation answers" eventually 30 second
ok "the cure is told" told cure

# An NF that serves for some seconds only, and may be cured twice an hour.
sed 's/command: \[.*\]/command: [ sh, -c, "timeout 3 haproxy -f \/etc\/haproxy.cfg -db \& exec sleep 1000" ], health_check: { type: tcp, port: 80, interval: 200 ms, failures: 2, grace: 5 s, max_per_hour: 2 }/' \
	"$lab/good.yaml" >"$work/web.yaml"
lab_push "Falls silent again and again"
held() {
	pleach nf status hello 2>/dev/null | grep -q 'which is its limit'
}
ok "past its limit it is held" eventually 60 held
ok "and that is told" told limit
ok "and why it fell ill" told fault
like "status says so" "$(pleach status)" 'Held.*which is its limit'
pleach nf status hello >/dev/null
is "nf status exits with 2" $? 2
like "drift tells it all the same" "$(pleach drift)" 'nf/hello.vdu.0'
failures=$(pleach nf status hello -o json | grep '"failures"')
lab_stop
pleachd --repo "$bare" --branch main --state "$lab/state" --sample 1s >>"$lab/pleachd.log" 2>&1 &
daemon=$!
ok "after a restart of pleachd it is still held" eventually 20 held
is "and nothing was counted twice" "$(pleach nf status hello -o json | grep '"failures"')" "$failures"
pleach sync hello >/dev/null
cured() {
	[ "$(pleach events -n 1000 -o json | grep -c '"kind": *"cure"')" -ge 4 ]
}
ok "sync lets it be cured again" eventually 20 cured

# A process that its EMS starts again and again counts too.
sed 's/command: \[.*\]/command: [ sh, -c, "echo up; sleep 2; echo boom >\&2; exit 4" ], health_check: { type: process, grace: 0 s, max_per_hour: 2 }/' \
	"$lab/good.yaml" >"$work/web.yaml"
lab_push "Ends again and again"
ok "one that ends again and again is held, too" eventually 60 held

cp "$lab/good.yaml" "$work/web.yaml"
lab_push "As it was"
ok "a commit heals it" lab_converged 30s
ok "it answers" eventually 10 answers

# Policies of access.
cat >"$work/access.yaml" <<-END
	tosca_definitions_version: tosca_simple_yaml_1_3
	imports: [ pleach_types.yaml ]
	topology_template:
	  policies:
	    - nobody_operates:
	        type: pleach.policies.Access
	        properties: { operators: [ "uid:4242" ], verbs: [ operate, logs ], objects: [ "hello.**" ] }
END
lab_push "Who may"
ok "converged with a policy" lab_converged
like "sync is refused, with who and why" "$(pleach sync 2>&1)" 'may not operate everything at once: policy "nobody_operates" \(access.yaml:5\)'
like "logs are refused" "$(pleach logs hello 2>&1)" 'may not read the logs of nf/hello.vdu.0'
ok "status is not" quiet pleach status
if [ "$(id -u)" -eq 0 ]; then
	chmod 755 "$lab" "$lab/state"
	like "whom it names may" "$(setpriv --reuid 4242 --clear-groups "$bin/pleach" sync hello 2>&1)" 'reconciling'
	like "and nothing else" "$(setpriv --reuid 4242 --clear-groups "$bin/pleach" status 2>&1)" 'uid 4242 may not observe'
fi
git -C "$work" rm -q access.yaml
lab_push "Everybody"
ok "without it everything is as before" lab_converged
like "sync goes again" "$(pleach sync)" 'reconciling'
lab_done
