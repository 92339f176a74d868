#!/usr/bin/env bash
# VNFs outlive the controller; a new one finds them again, with its database and without.
. "$(dirname "$0")/../lib/lab.sh"
need haproxy
lab_begin
lab_repo smallest
lab_start
ok "converged" lab_converged
namespace=$(pleach exec hello -- readlink /proc/1/ns/net)
address=$(pleach exec hello -- hostname -I)

is "a wrong key: an error in plain words" "$(pleach explain vnfc/hello.vdu.9 2>&1)" \
	'pleach: no object is called "vnfc/hello.vdu.9"; did you mean "vnfc/hello.vdu.0"?'
is "… with -o json too" "$(pleach explain -o json vnfc/hello.vdu.9 2>&1)" \
	'pleach: no object is called "vnfc/hello.vdu.9"; did you mean "vnfc/hello.vdu.0"?'
is "a log of what has none" "$(pleach logs link/hello.port 2>&1)" 'pleach: nothing of that kind belongs to "link/hello.port"'

is "a second controller on the same state folder is refused" \
	"$(pleachd --repo "$bare" --state "$lab/state" --listen "unix:$lab/other.sock" 2>&1 | grep -c 'pid')" 1
timeout 20 pleachd --repo "$bare" --state "$lab/other" >"$lab/other.log" 2>&1
is "another one for the same owner is refused" $? 1
unlike "… and ends cleanly" "$(cat "$lab/other.log")" 'Sanitizer'
like "… and names the one that acts" "$(cat "$lab/other.log")" "pleachd \(pid $daemon\) acts for owner"
like "apply beside it is refused, and names it" "$(pleach apply "$work" 2>&1)" "pid $daemon"

lab_stop
is "SIGTERM ends it well" "$lab_status" 0
is "the VNF lives on" "$(pleach exec hello -- readlink /proc/1/ns/net)" "$namespace"

lab_start
ok "started again: converged" lab_converged
is "… with the same VNF" "$(pleach exec hello -- readlink /proc/1/ns/net)" "$namespace"
lab_stop KILL
lab_start
ok "killed and started again: converged" lab_converged
is "… with the same VNF still" "$(pleach exec hello -- readlink /proc/1/ns/net)" "$namespace"

lab_stop
rm -rf "$lab/state"
mkdir "$lab/state"
lab_start
ok "with an empty database: converged" lab_converged
is "… with the same VNF still, again" "$(pleach exec hello -- readlink /proc/1/ns/net)" "$namespace"
is "… and the same address" "$(pleach exec hello -- hostname -I)" "$address"
unlike "… and no operation was needed" "$(tail -n 5 "$lab/pleachd.log")" 'create|replace'
lab_done
