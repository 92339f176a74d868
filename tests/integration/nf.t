#!/usr/bin/env bash
# Software that cannot be started, ends, or ends again and again: status, explain and logs say so in its own words, and the next good
# commit heals it, in the same VNF.
. "$(dirname "$0")/../lib/lab.sh"
need haproxy curl
lab_begin
lab_repo smallest
cp "$work/web.yaml" "$lab/good.yaml"
lab_start
ok "converged" lab_converged
namespace=$(pleach exec hello -- readlink /proc/1/ns/net)

# runs COMMAND: a commit that gives the NF this command.
runs() {
	sed "s/command: \[.*\]/command: [ $1 ]/" "$lab/good.yaml" >"$work/web.yaml"
	lab_push "$1"
}
said() {
	pleach status | grep -qE "$1"
}
healed() {
	cp "$lab/good.yaml" "$work/web.yaml"
	lab_push "As it was"
	ok "$1: healed by a commit" lab_converged 30s
	like "$1: it answers" "$(pleach exec hello -- curl -s --max-time 5 http://127.0.0.1/)" '^hello from'
	is "$1: in the same VNF" "$(pleach exec hello -- readlink /proc/1/ns/net)" "$namespace"
}

runs 'no-such-program, --at-all'
ok "no such program: status says so" eventually 10 said 'nf/hello\.vdu\.0 +Failed .*no-such-program.*no such program'
like "no such program: explain says so" "$(pleach explain nf/hello.vdu.0)" 'cannot run "no-such-program"'
like "no such program: logs say so" "$(pleach logs hello)" 'cannot run "no-such-program"'
since=$(pleach status | head -n 1 | grep -oE 'failed since [^ ]+')
sleep 3
is "no such program: tried once" "$(grep -cE '^[^ ]+ warning (restart|change) nf/hello.vdu.0: FAILED' "$lab/pleachd.log")" 1
like "no such program: failed since that" "$(pleach status)" "$since"
is "no such program: one line of log says that it has not converged" "$(grep -c 'not converged: .*no-such-program' "$lab/pleachd.log")" 1
healed "no such program"

runs 'sh, -c, "echo my own words >\&2; exit 3"'
ok "ends at once: status gives its words" eventually 10 said 'nf/hello\.vdu\.0 +Failed .*exit status 3.*my own words'
like "ends at once: explain gives its words" "$(pleach explain hello)" 'my own words'
healed "ends at once"

runs 'sh, -c, "echo up; sleep 2; echo boom >\&2; exit 4"'
ok "ends again and again: seen without being asked" eventually 30 grep -q 'drift: nf/hello.vdu.0: state is failed.*boom' "$lab/pleachd.log"
like "ends again and again: logs" "$(pleach logs hello)" 'failed: exit status 4 .*boom'
healed "ends again and again"

sed 's/{ command:/{ desired_state: stopped, command:/' "$lab/good.yaml" >"$work/web.yaml"
lab_push "Stopped"
ok "stopped: converges" lab_converged
like "stopped: status says so" "$(pleach status)" 'nf/hello\.vdu\.0 +Ready +stopped'
is "stopped: nothing answers" "$(pleach exec hello -- curl -s --max-time 5 http://127.0.0.1/; echo $?)" 7
healed "stopped"
lab_done
