#!/usr/bin/env bash
# pleachd killed at every single write of its journal, just before and just after it is on disk, while it makes a network and while it
# takes it away; started again it converges, nothing leaked and nothing made twice.
. "$(dirname "$0")/../lib/lab.sh"
need haproxy pgrep
preload=$build/tests/kill_at_sync.so
[ -e "$preload" ] || skip_all "kill_at_sync.so is not built"
exec 2> >(grep -v " Killed " >&2) # bash tells of each
lab_begin
lab_repo smallest
mv "$work/service.yaml" "$lab/service.yaml"
lab_push "No service yet"

# What takes away all that is on the site waits for that; of other commits, and of a controller that is gone, it is nothing.
allow() {
	pleach approve "$(git -C "$work" rev-parse HEAD)" >/dev/null 2>&1 || true
}

# run_killed VARIABLE N: pleachd with the preloaded killer, until it dies (0) or has converged (1).
run_killed() {
	env LD_PRELOAD="$preload" ASAN_OPTIONS="${ASAN_OPTIONS:-}:verify_asan_link_order=0" "$1=$2" \
		pleachd --repo "$bare" --state "$lab/state" >>"$lab/pleachd.log" 2>&1 &
	daemon=$!
	local until=$(($(date +%s) + 30))
	while kill -0 "$daemon" 2>/dev/null; do
		[ $phase = make ] || allow
		if pleach status >/dev/null 2>&1; then
			lab_stop
			return 1
		fi
		[ "$(date +%s)" -lt "$until" ] || { lab_log; lab_stop; return 1; }
		sleep 0.02
	done
	wait "$daemon" 2>/dev/null
	daemon=
	return 0
}

# sane COUNT: after a normal start: converged, so many VNFCs and leaves, and no second of anything.
sane() {
	lab_start
	[ "$1" = 1 ] || allow
	lab_converged && [ "$([ "$1" = 0 ] || lab_leaves | wc -l)" = "${1#0}" ] &&
		[ "$(pleach site list -o json | grep -c '"site":')" -le 1 ] &&
		pleach plan --path "" "$bare" --to main >"$lab/plan" 2>&1
	local result=$?
	[ $result -eq 0 ] || { cat "$lab/plan" 2>/dev/null | sed 's/^/# /'; lab_log; }
	lab_stop
	return $result
}

for variable in PLEACH_TEST_KILL_AT PLEACH_TEST_KILL_AFTER; do
	for phase in make remove; do
		n=1
		while [ $n -le 40 ]; do
			# Begin from the other state, converged.
			if [ $phase = make ]; then rm -f "$work/service.yaml"; else cp "$lab/service.yaml" "$work/"; fi
			lab_push "before $phase $n" || true
			lab_start
			[ $phase = remove ] || allow
			lab_converged || break
			lab_stop
			if [ $phase = make ]; then cp "$lab/service.yaml" "$work/"; else rm -f "$work/service.yaml"; fi
			lab_push "$phase $n"
			run_killed $variable $n || break
			ok "$phase, $variable=$n: converges, nothing leaked, nothing twice" sane "$([ $phase = make ] && echo 1 || echo 0)"
			n=$((n + 1))
		done
		ok "$phase: $((n - 1)) writes of the journal were tried ($variable)" test $n -gt 2 -a $n -le 40
	done
done
lab_done
