#!/usr/bin/env bash
# What is remembered: events of revisions, operations, drift, repairs and sites, asked for by key, kind and time, and followed as they come;
# what became of each commit, and what it changed; who asked for a field; all of it bounded, and over a restart.
. "$(dirname "$0")/../lib/lab.sh"
need curl
lab_begin
lab_repo smallest
sed -i '/^    haproxy:/,$d' "$work/web.yaml"
rm "$work/haproxy.cfg"
lab_push "A plain VNF"
first=$(git -C "$work" rev-parse HEAD)
lab_start
ok "converged" lab_converged

pleach events --follow >"$lab/follow" &
follower=$!
pleach events --follow -o json --kind drift,repaired >"$lab/follow.json" &
json_follower=$!
ok "following begins with what there is" eventually 10 grep -q 'revision converged' "$lab/follow"

events=$(pleach events)
like "a revision is seen" "$events" "revision seen  commit ${first:0:12}  A plain VNF \(tester"
like "what it begins with" "$events" "revision applying  commit ${first:0:12}  2 to create, 0 to change"
like "an operation begins" "$events" 'operation PROCESSING  vnfc/hello.vdu.0  create \(intent\)$'
like "and ends, with how long it took" "$events" 'operation COMPLETED  vnfc/hello.vdu.0  create \(intent\), in [0-9.]+ m?s$'
like "and has converged" "$events" "revision converged  commit ${first:0:12}  .*, in [0-9.]+ m?s$"
unlike "by key" "$(pleach events link/hello.port)" 'vnfc/'
like "a service is all that is in it" "$(pleach events hello)" 'vnfc/hello.vdu.0'
is "by number" "$(pleach events -n 2 | wc -l)" 2
is "the newest last" "$(pleach events -n 1)" "$(tail -n 1 <<<"$events")"
is "since" "$(pleach events --since 2099-01-01T00:00:00Z | wc -l)" 0
like "no such kind" "$(pleach events --kind drift,nonsense 2>&1)" '"nonsense" is no kind of event: revision, operation'
like "no such key" "$(pleach events nonsense 2>&1)" 'nonsense'

# --- a commit that changes something --------------------------------------------------------------------------------------------------
sed -i 's/virtual_mem_size: 64 MB/virtual_mem_size: 80 MB/' "$work/web.yaml"
lab_push "More memory"
second=$(git -C "$work" rev-parse HEAD)
ok "the second has converged" lab_converged
history=$(pleach history)
like "the newest first" "$(sed -n 2p <<<"$history")" "commit ${second:0:12}  converged since "
like "its summary and author's time" "$(sed -n 3p <<<"$history")" 'More memory \(tester, 20..-..-..T'
like "what it changed, and how long it took" "$(sed -n 4p <<<"$history")" '1 changed; first seen .*, converged [0-9.]+ m?s later'
like "the one before had converged, too" "$history" "commit ${first:0:12}  converged since"
like "and what it made" "$history" '2 created; first seen'
is "of a link only what made it" "$(pleach history link/hello.port | grep -c '^  commit')" 1
is "of the service both" "$(pleach history hello | grep -c '^  commit')" 2
is "by number" "$(pleach history -n 1 | grep -c '^  commit')" 1
explained=$(pleach explain vnfc/hello.vdu.0)
like "who asked for the new value" "$(sed -n "/by commit ${second:0:12} \"More memory/,/by commit/p" <<<"$explained")" 'mem_bytes: 80 MB   \(web.yaml:16\)'
like "who asked for the rest" "$(sed -n "/by commit ${first:0:12} \"A plain VNF/,\$p" <<<"$explained")" 'cp.port.link: link/hello.port'

# --- drift, and its repair -------------------------------------------------------------------------------------------------------------
kill -9 "$(lab_leaves)"
ok "repaired" eventually 20 sh -c 'pleach events --kind repaired | grep -q "repaired  vnfc/hello.vdu.0  replace"'
like "the end is told with its exit" "$(pleach events --kind ended)" 'ended  vnfc/hello.vdu.0  signal 9'
like "the drift too" "$(pleach events --kind drift)" 'drift  vnfc/hello.vdu.0  state is failed, should be running: signal 9 .*\(web.yaml:12\)'
ok "converged again" lab_converged
like "the repair counts with its commit" "$(pleach history -n 1)" '1 changed, 1 repaired;'

# --- what was followed -------------------------------------------------------------------------------------------------------------------
ok "who followed saw it come" eventually 10 grep -q 'repaired  vnfc/hello.vdu.0' "$lab/follow"
is "each event once" "$(sort "$lab/follow" | uniq -d | wc -l)" 0
kill -INT "$follower"
wait "$follower"
is "Ctrl-C ends it well" $? 0
ok "as JSON" eventually 10 grep -q '"kind":"repaired"' "$lab/follow.json"
unlike "only what was asked for" "$(cat "$lab/follow.json")" '"kind":"operation"'
lab_stop
wait "$json_follower"
is "the end of the controller ends it" $? 1

# --- restarted, and bounded ----------------------------------------------------------------------------------------------------------------
lab_start --keep-events 20 --keep-operations 20 --keep-revisions 3
ok "converged after a restart" lab_converged
like "it is remembered" "$(pleach history)" "commit ${first:0:12}  converged since"
is "the same commit is not seen again" "$(pleach events --kind revision | grep -c "seen  commit ${second:0:12}")" 1
for memory in 81 82 83 84 85 86; do
	sed -i "s/virtual_mem_size: .. MB/virtual_mem_size: $memory MB/" "$work/web.yaml"
	lab_push "Memory $memory"
	lab_converged >/dev/null
done
like "status knows the newest" "$(pleach status | head -n 1)" '"Memory 86 .*: converged since'
like "who is gone can be explained" "$(pleach explain vnfc/hello.vdu.0)" 'mem_bytes: 86 MB'
lab_stop
lab_start --keep-events 20 --keep-operations 20 --keep-revisions 3
lab_converged >/dev/null
# One kind of row is pruned with the first that is added after a start, and every 500.
ok "revisions are bounded" [ "$(pleach history -n 1000 | grep -c '^  commit')" -le 4 ]
pleach suspend hello --reason 'an event more' >/dev/null
ok "events are bounded" [ "$(pleach events -n 1000 | wc -l)" -le 21 ]
like "a bad bound is refused" "$(pleachd --repo "$bare" --keep-events -1 2>&1; echo $?)" 'take 1 to'
lab_done
