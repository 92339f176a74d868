#!/usr/bin/env bash
# pleachd killed in the middle of 200 VNFs, twice; started again: 200, none twice, nothing leaked.
. "$(dirname "$0")/../lib/lab.sh"
lab_begin
lab_many() { # N services of one VNFD
	mkdir -p "$work"
	cp "$root/tests/integration/many/vnfd.yaml" "$work/vnfd.yaml"
	{
		printf 'tosca_definitions_version: tosca_simple_yaml_1_3\nimports: [ pleach_types.yaml ]\ntopology_template:\n  node_templates:\n'
		for i in $(seq 1 "$1"); do
			printf '    s%03d: { type: pleach.nodes.NetworkService, properties: { descriptor: /vnfd.yaml } }\n' "$i"
		done
	} >"$work/services.yaml"
	git init -q -b main "$work"
	git init -q --bare -b main "$bare"
	git -C "$work" remote add origin "$bare"
	lab_push "$1 services"
}
leaves() { lab_leaves 2>/dev/null | wc -l; }
more_than() { [ "$(leaves)" -gt "$1" ]; }

lab_many 200
lab_start
for at in 40 120; do
	ok "more than $at run" eventually 60 more_than $at
	lab_stop KILL
	before=$(leaves)
	lab_start
	ok "the $before that ran still run" test "$(leaves)" -ge "$before"
done
ok "converged" lab_converged 120s
is "200 VNFCs" "$(leaves)" 200
is "200 links, each with one port" "$(lab_site ip -o link show type veth | wc -l) $(lab_site ip -o link show type bridge | wc -l)" "200 200"
unlike "no stranger" "$(pleach drift)" 'stranger'
git -C "$work" rm -q services.yaml
lab_push "None"
approved() {
	pleach approve "$(git -C "$work" rev-parse HEAD)" >/dev/null 2>&1
}
ok "taking all away is approved" eventually 20 approved
ok "all taken away" lab_converged 120s
lab_done
