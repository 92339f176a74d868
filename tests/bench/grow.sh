#!/usr/bin/env bash
# How Pleach grows on one host: so many VNFs from one commit, then one more, one killed, and all but one taken away.
#
#   tests/bench/grow.sh [N…]        10 100 1000 3000
#
#   PLEACH_BUILD   a Release build
#
# One JSON object per N. The latency of the controller's loop is the round trip of GET /v1/health, asked every 20 ms meanwhile.
[ $# -gt 0 ] || set -- 10 100 1000 3000
. "$(dirname "$0")/../lib/lab.sh"
need python3

# One instance, one port, no software of its own.
small_vnfd() {
	cat <<'END'
tosca_definitions_version: tosca_simple_yaml_1_3
imports: [ pleach_types.yaml ]
node_types:
  grow.nodes.Micro: { derived_from: tosca.nodes.nfv.VNF }
topology_template:
  substitution_mappings: { node_type: grow.nodes.Micro, requirements: { virtual_link: [ port, virtual_link ] } }
  node_templates:
    vnf:
      type: grow.nodes.Micro
      properties: { descriptor_id: 1c6bcb0f-6f5b-4f0e-8c55-0a1b7cf7a002, descriptor_version: '1.0', provider: me,
        product_name: micro, software_version: '1.0', vnfm_info: [ '0:pleach' ], flavour_id: simple, flavour_description: one }
    vdu:
      type: tosca.nodes.nfv.Vdu.Compute
      properties: { name: micro, description: small, vdu_profile: { min_number_of_instances: 1, max_number_of_instances: 1 } }
      capabilities:
        virtual_compute: { properties: { virtual_cpu: { num_virtual_cpu: 1 }, virtual_memory: { virtual_mem_size: 16 MiB } } }
    port:
      type: tosca.nodes.nfv.VduCp
      properties: { layer_protocols: [ ipv4 ] }
      requirements: [ virtual_binding: vdu ]
END
}

# services N: one service each, all of that VNFD.
services() {
	local i
	{
		printf 'tosca_definitions_version: tosca_simple_yaml_1_3\nimports: [ pleach_types.yaml ]\ntopology_template:\n  node_templates:\n'
		for ((i = 0; i < $1; i++)); do
			printf '    s%04d: { type: pleach.nodes.NetworkService, properties: { descriptor: /vnfd.yaml } }\n' "$i"
		done
	} >"$work/services.yaml"
}

# probe FILE: appends round trips, in ms, until it is told to stop.
probe() {
	exec python3 - "$lab/state/pleachd.sock" "$1" <<'END'
import socket, sys, time
with open(sys.argv[2], "w", buffering=1) as out:
    while True:
        began = time.monotonic()
        try:
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(60)
                s.connect(sys.argv[1])
                s.sendall(b"GET /v1/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                while s.recv(65536):
                    pass
            out.write("%.3f\n" % ((time.monotonic() - began) * 1000))
        except OSError as fault:
            print("grow.sh: probe:", fault, file=sys.stderr)
        time.sleep(0.02)
END
}

# percentile FILE P
percentile() {
	sort -n "$1" | awk -v p="$2" '{ v[NR] = $1 } END { i = int(NR * p / 100 + 0.5); print NR ? v[i < 1 ? 1 : i] : 0 }'
}
pss_kib() {
	local pid sum=0 part
	for pid; do
		part=$(awk '/^Pss:/ { print $2 }' "/proc/$pid/smaps_rollup" 2>/dev/null)
		sum=$((sum + ${part:-0}))
	done
	echo "$sum"
}
cpu_ms() { # that a process has taken so far
	awk -v tick="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); print int(($12 + $13) * 1000 / tick) }' "/proc/$1/stat"
}
fds() {
	find "/proc/$1/fd" -mindepth 1 2>/dev/null | wc -l
}

# timed COMMAND…: its time in ms, in $ms.
timed() {
	local began
	began=$(date +%s%N)
	"$@" || exit 1
	ms=$((($(date +%s%N) - began) / 1000000))
}
push_and_wait() {
	lab_push "$1" >/dev/null 2>&1 && lab_converged 1200s >&2
}
repaired() {
	pleach explain "$1" 2>/dev/null | grep -q repaired
}
kill_and_wait() {
	kill -9 "$1" && eventually 120 repaired "$2" && lab_converged 120s >&2
}

one_size() (
	n=$1
	lab_begin
	mkdir "$work"
	small_vnfd >"$work/vnfd.yaml"
	git init -q -b main "$work"
	git init -q --bare -b main "$bare"
	git -C "$work" remote add origin "$bare"
	services 1
	lab_push "One" >/dev/null 2>&1
	lab_start
	lab_converged >&2 || exit 1
	probe "$lab/latency" &
	prober=$!
	cpu=$(cpu_ms "$daemon")
	services "$n"
	timed push_and_wait "$n services"
	all_cpu=$(($(cpu_ms "$daemon") - cpu))
	all_ms=$ms all_p99=$(percentile "$lab/latency" 99)
	: >"$lab/latency"
	services $((n + 1))
	timed push_and_wait "One more"
	one_ms=$ms
	victim=vnfc/s0000.vdu.0
	pid=$(pleach explain "$victim" | sed -n 's/^ *pid: //p' | head -n 1)
	timed kill_and_wait "$pid" "$victim"
	heal_ms=$ms
	: >"$lab/latency"
	cpu=$(cpu_ms "$daemon") keeper_cpu=$(cpu_ms "$(lab_keeper)")
	sleep 10 # at rest: polls, and nothing to do
	rest_cpu=$((($(cpu_ms "$daemon") - cpu) / 10)) keeper_cpu=$((($(cpu_ms "$(lab_keeper)") - keeper_cpu) / 10))
	rest_p99=$(percentile "$lab/latency" 99)
	kill "$prober"
	keepers=$(lab_keepers)
	# shellcheck disable=SC2086 # pids
	printf '{"bench": "grow", "n": %d, "all_ms": %d, "one_more_ms": %d, "heal_ms": %d, "controller_cpu_ms": %d, "loop_p99_ms": %s, "loop_at_rest_p99_ms": %s, "controller_cpu_at_rest_ms_per_s": %d, "keeper_cpu_at_rest_ms_per_s": %d, "controller_pss_kib": %d, "controller_fds": %d, "keeper_pss_kib": %d, "keeper_fds": %d, ' \
		"$n" "$all_ms" "$one_ms" "$heal_ms" "$all_cpu" "$all_p99" "$rest_p99" "$rest_cpu" "$keeper_cpu" "$(pss_kib $daemon)" "$(fds "$daemon")" "$(pss_kib $keepers)" "$(fds "$(lab_keeper)")"
	services 1
	timed push_and_wait "All but one taken away"
	printf '"gone_ms": %d}\n' "$ms"
)

for n; do
	one_size "$n" || exit 1
done
