#!/usr/bin/env bash
# Unattended running: a commit every so often, now and then a VNF killed, and after each what pleachd, keeper and agents use.
#
#   tests/bench/soak.sh [--commits N] [--every SECONDS]     120 commits, one every 60 s
#
#   PLEACH_BUILD   a Release build
#
# One JSON object per commit, then one that compares the medians of the second and of the last quarter (in the first, caches fill): "flat"
# says that none grew by more than a tenth.
commits=120 every=60
while [ $# -gt 0 ]; do
	case $1 in
	--commits) commits=$2 && shift 2 ;;
	--every) every=$2 && shift 2 ;;
	*) sed -n 's/^# \{0,1\}//; 2,11p' "$0" >&2 && exit 64 ;;
	esac
done
. "$(dirname "$0")/../lib/lab.sh"
need haproxy nginx dnsmasq curl python3

service() {
	sed -e "s/^    hello:/    extra$1:/" "$root/examples/smallest/service.yaml" >"$work/services/extra$1.yaml"
}

# change N: the Nth commit's change; six kinds in turn.
change() {
	local web=$work/services/web.yaml
	case $(($1 % 6)) in
	0) sed -i "s/greeting: .*}/greeting: Hello number $1 }/" "$web" ;;
	1) sed -i 's/instantiation_level: quiet/instantiation_level: busy/' "$web" ;;
	2) service $(($1 % 5)) ;;
	3) sed -i 's/instantiation_level: busy/instantiation_level: quiet/' "$web" ;;
	4) sed -i "s/www.edge.lab,10.20.1.[0-9]*/www.edge.lab,10.20.1.$((1 + $1 % 200))/" "$work/services/names.yaml" ;;
	5) rm -f "$work"/services/extra*.yaml ;;
	esac
}

kill_one() {
	local leaf
	leaf=$(lab_leaves | shuf -n 1)
	[ -n "$leaf" ] && kill -9 "$leaf" 2>/dev/null
}

# Of these pids together: what is their own alone. (The share of libraries changes with whoever else runs on the machine.)
anonymous_kib() {
	local pid sum=0 part
	for pid; do
		part=$(awk '/^Anonymous:/ { print $2 }' "/proc/$pid/smaps_rollup" 2>/dev/null)
		sum=$((sum + ${part:-0}))
	done
	echo "$sum"
}
fds() {
	find "/proc/$1/fd" -mindepth 1 2>/dev/null | wc -l
}

measure() {
	local keepers leaves
	keepers=$(lab_keepers)
	leaves=$(lab_leaves)
	# shellcheck disable=SC2086 # lists of pids
	printf '{"bench": "soak", "commit": %d, "converge_ms": %d, "converged": %s, "controller_anonymous_kib": %d, "controller_fds": %d, "keeper_anonymous_kib": %d, "keeper_fds": %d, "leaf_anonymous_kib": %d, "leaves": %d, "store_kib": %d}\n' \
		"$1" "$2" "$3" "$(anonymous_kib $daemon)" "$(fds "$daemon")" "$(anonymous_kib $keepers)" "$(fds "$(lab_keeper)")" \
		$(($(anonymous_kib $leaves) / ($(wc -w <<<"$leaves") + 1))) "$(wc -w <<<"$leaves")" "$(du -sk "$lab/state" | cut -f 1)"
}

summary() {
	python3 - "$1" <<'END'
import json, statistics, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
quarter = max(len(rows) // 4, 1)
figures, flat = {}, True
for name in rows[0]:
    if name in ("bench", "commit", "converged", "leaves"):
        continue
    first, last = (statistics.median(row[name] for row in part) for part in (rows[quarter:2 * quarter] or rows, rows[-quarter:]))
    figures[name] = [first, last]
    if name != "store_kib":
        flat = flat and last <= first * 1.1 + 1
times = sorted(row["converge_ms"] for row in rows)
print(json.dumps({"bench": "soak", "commits": len(rows), "failed": sum(not row["converged"] for row in rows), "flat": flat,
                  "converge_p50_ms": times[len(times) // 2], "converge_p99_ms": times[len(times) * 99 // 100], "second_and_last_quarter": figures}))
END
}

lab_begin
lab_repo edge-lab
cp "$root/examples/smallest/"{web.yaml,haproxy.cfg} "$work/"
lab_start --log-level warning 2>/dev/null || lab_start
lab_converged || exit 1
rows=$(mktemp)
for ((n = 0; n < commits; n++)); do
	next=$(($(date +%s) + every))
	[ $((n % 5)) -ne 4 ] || kill_one
	change "$n"
	began=$(date +%s%N)
	lab_push "Change $n" >/dev/null 2>&1
	if lab_converged 120s >&2; then converged=true; else converged=false; fi
	measure "$n" $((($(date +%s%N) - began) / 1000000)) $converged | tee -a "$rows"
	left=$((next - $(date +%s)))
	[ $left -le 0 ] || sleep $left
done
summary "$rows"
rm -f "$rows"
