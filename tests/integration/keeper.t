#!/usr/bin/env bash
# A keeper bears that its folder is swept under it; and one that does not answer is seen.
. "$(dirname "$0")/../lib/lab.sh"
need haproxy curl
lab_begin
lab_repo smallest
lab_start
ok "converged" lab_converged
namespace=$(pleach exec hello -- readlink /proc/1/ns/net)
keeper=$(lab_keeper)

listed() { [ "$(lab_keeper)" = "$keeper" ]; }
same_vnf() { [ "$(timeout 20 pleach exec hello -- readlink /proc/1/ns/net 2>/dev/null)" = "$namespace" ]; }
changed_nf() {
	sed -i "1s/^/# $1\n/" "$work/haproxy.cfg"
	lab_push "$1" && lab_converged
}

# The names of the sockets only
find "$lab/run" -type s -delete
ok "sockets deleted: the site is listed again" eventually 5 listed
ok "… and its VNF is the same" same_vnf
ok "… its agent is reached, too" changed_nf sockets
is "… without another operation on the VNF" "$(pleach exec hello -- readlink /proc/1/ns/net)" "$namespace"
find "$lab/run" \( -type s -o -type l \) -delete
lab_stop
lab_start
ok "deleted again under a controller that starts: converged" lab_converged
ok "… with the same VNF" same_vnf
find "$lab/run" -name site.json -delete
ok "site.json is made again" eventually 5 test -s "$(dirname "$(find "$lab/run" -name keeper.log)")/site.json"

# All of it
rm -rf "$lab/run"
ok "folder deleted: the site is listed again" eventually 8 listed
ok "… with the same VNF" same_vnf
ok "… its agent is reached, too" changed_nf folder
rm -rf "$lab/run"
lab_stop
lab_start
ok "deleted again under a controller that starts: converged" lab_converged
ok "… with the same VNF" same_vnf
ok "… there is one keeper" listed

# All of it, and nobody who could make it again
lab_stop
guard=$(ps -o ppid= -p "$keeper" | tr -d ' ')
kill -STOP "$guard"
rm -rf "$lab/run"
pleachd --repo "$bare" --branch main --state "$lab/state" >>"$lab/pleachd.log" 2>&1 &
# shellcheck disable=SC2034 # lab_stop ends it
daemon=$!
ok "folder gone for good: the controller names the process" \
	eventually 15 grep -qE "the site's keeper runs, process $keeper" "$lab/pleachd.log"
kill -CONT "$guard"
eventually 8 listed
pleach sync >/dev/null
ok "made again after all: converged" lab_converged
ok "… with the same VNF" same_vnf

# One that does not answer
lab_stop
kill -STOP "$keeper"
said=$(pleach site list 2>&1)
is "a keeper that is stopped: list fails" $? 1
like "… but lists it" "$said" "^[^ ]+ .* local +$keeper +- +-"
like "… and says what to do" "$said" "owner .* process $keeper, does not answer"
like "… in JSON too" "$(pleach site list -o json)" "\"trouble\": \".*process $keeper"
like "exec names it" "$(pleach exec hello -- true 2>&1)" "process $keeper, does not answer"
like "clean names it" "$(pleach site clean --all --yes 2>&1)" "process $keeper, does not answer"
kill -CONT "$keeper"
ok "woken: the VNF is the same" same_vnf
lab_done
