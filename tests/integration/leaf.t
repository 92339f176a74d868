#!/usr/bin/env bash
# The leaf in a real VNFC: it becomes another program without its network function noticing, rings when that one dies, and gives it none of
# its descriptors.
. "$(dirname "$0")/../lib/lab.sh"
need haproxy curl
lab_begin
lab_repo smallest
# Whatever is looked at now and then is looked at rarely: what is noticed soon, was told.
lab_start --poll 60s

door=$(echo "$lab"/run/*/*.sock | tr ' ' '\n' | grep '/1\.sock$')
leaf() {
	curl -s --max-time 10 --unix-socket "$door" "$@"
}
number() {
	sed -n "s/.*\"$1\": *\([0-9]*\).*/\1/p"
}
software() {
	leaf http://l/v1/status | python3 -c 'import json, sys; print(json.load(sys.stdin)["nf"]["pid"])'
}
first() {
	pleach exec hello -- readlink /proc/1/exe
}
answers() {
	pleach exec hello -- curl -s --max-time 5 http://127.0.0.1/ | grep -q '^hello from'
}
ok "converged" lab_converged 20s
ok "it answers" answers
pid=$(software)
is "the software's descriptors: none of the leaf's" \
	"$(pleach exec hello -- sh -c "readlink /proc/$pid/fd/* | grep -c -e memfd -e signalfd")" 0

program=$(command -v pleach-leaf)
is "a program is taken" "$(leaf -o /dev/null -w '%{http_code}' --data-binary @"$program" -H 'Content-Type: application/octet-stream' \
	http://l/v1/upgrade)" 200
like "the leaf is another program" "$(first)" 'memfd:pleach-leaf'
is "the software is the same process" "$(software)" "$pid"
ok "it answers as before" answers
is "what is no program is not taken" "$(leaf -o /dev/null -w '%{http_code}' -d hello http://l/v1/upgrade)" 400
like "its log is the same" "$(pleach logs hello)" 'started: haproxy'

pleach exec hello -- kill -9 "$pid" >/dev/null 2>&1
renewed() {
	[ "$(software)" != "$pid" ] && answers
}
ok "killed: it is started again" eventually 10 renewed
like "metrics of it" "$(leaf http://l/v1/metrics)" '"processes":[1-9]'
ok "killed: the controller, which was rung for, finds all well" lab_converged 10s
lab_done
