#!/usr/bin/env bash
# A push makes a network; another changes only what it names; one without the service takes it away.
. "$(dirname "$0")/../lib/lab.sh"
need haproxy curl
lab_begin
lab_repo smallest
lab_start
ok "the first push converges" lab_converged

status=$(pleach status)
like "status names the VNFC" "$status" 'vnfc/hello\.vdu\.0'
is "the NF answers inside its VNF" "$(pleach exec hello -- curl -s --max-time 5 http://127.0.0.1/)" \
	"hello from $(pleach exec hello -- ip -4 -o addr show dev port | awk '{ sub("/.*", "", $4); print $4 }')"

pleach forward hello 0:80 >"$lab/forward" 2>&1 &
forward=$!
eventually 5 test -s "$lab/forward"
port=$(sed -nE 's/^127\.0\.0\.1:([0-9]+) .*/\1/p' "$lab/forward")
like "forward carries the port to the host" "$(curl -s --max-time 5 "http://127.0.0.1:$port/")" '^hello from 10\.'
kill "$forward"
wait "$forward" 2>/dev/null
is "Ctrl-C ends forward well" $? 0

# A command ends with the `pleach exec` that it was for, and what it started too.
sleeps() { pleach exec hello -- pgrep -x sleep >/dev/null; }
none_sleeps() { ! sleeps; }
for signal in TERM KILL; do
	pleach exec hello -- sh -c 'sleep 4711 & sleep 4711; true' >/dev/null 2>&1 &
	command=$!
	ok "exec: the command runs" eventually 5 sleeps
	kill -$signal "$command"
	wait "$command" 2>/dev/null
	ok "exec: ended with SIG$signal, and its command with it" eventually 5 none_sleeps
done

is "out of memory, the kernel would end a command or the NF before the VNF itself" \
	"$(pleach exec hello -- sh -c 'sleep 0.2; cat /proc/self/oom_score_adj "/proc/$(pidof -s haproxy)/oom_score_adj" /proc/1/oom_score_adj' |
		tr '\n' ' ')" '500 500 0 '

pid=$(pleach exec hello -- sh -c 'readlink /proc/1/ns/net')
before=$(grep -c COMPLETED "$lab/pleachd.log")
sed -i 's/hello from/good day from/' "$work/haproxy.cfg"
lab_push "Another greeting"
ok "a change converges" lab_converged
like "the new configuration answers" "$(pleach exec hello -- curl -s --max-time 5 http://127.0.0.1/)" '^good day from'
is "the VNF itself was not touched" "$(pleach exec hello -- sh -c 'readlink /proc/1/ns/net')" "$pid"
is "one operation was enough" "$(($(grep -c COMPLETED "$lab/pleachd.log") - before))" 1

ok "a second reconcile has nothing to do" pleach plan "$work"
ok "sync changes nothing" pleach sync
ok "and stays converged" lab_converged

git -C "$work" rm -q service.yaml
lab_push "No service any more"
commit=$(git -C "$work" rev-parse HEAD)
held() {
	pleach status | grep -q "pleach approve ${commit:0:12}"
}
ok "what takes away all that is on a site waits" eventually 10 held
ok "until it is approved" pleach approve "$commit"
ok "then the removal converges" lab_converged
unlike "nothing of the service is left" "$(pleach status)" 'vnfc/hello'
lab_done
