#!/usr/bin/env bash
# What is held: suspended by the operator (by service, site, all; with an expiry; over a restart), and a commit that would take away all
# that is on a site, until it is approved. Nothing is done to it, drift is reported all the same, and when the hold is gone it converges.
. "$(dirname "$0")/../lib/lab.sh"
lab_begin
lab_repo smallest
# Two services of plain VNFs: holds are no matter of the software inside them.
sed -i '/^    haproxy:/,$d' "$work/web.yaml"
rm "$work/haproxy.cfg"
service() {
	cat >"$work/$1.yaml" <<-YAML
		tosca_definitions_version: tosca_simple_yaml_1_3
		imports: [ pleach_types.yaml ]
		topology_template: { node_templates: { $1: { type: pleach.nodes.NetworkService, properties: { descriptor: /web.yaml } } } }
	YAML
}
rm "$work/service.yaml"
service edge
service core
memory() {
	sed -i "s/virtual_mem_size: [0-9]* MB/virtual_mem_size: $1 MB/" "$work/web.yaml"
	lab_push "Memory $1"
}
# has SERVICE MB: what is observed of its VNFC
has() {
	pleach explain "vnfc/$1.vdu.0" -o json | sed -n '/"observed":/,/"operations":/p' | grep -q "${2}000000"
}
status_is() {
	pleach status "${@:2}" >"$lab/status"
	[ $? -eq "$1" ]
}
lab_push "Two services"
lab_start
ok "converged" lab_converged

# --- a service ------------------------------------------------------------------------------------------------------------------
out=$(pleach suspend edge --reason 'the racks are moved')
like "suspend says what it holds" "$out" '^suspended edge: 2 objects, until it is resumed'
ok "a hold of what is as it should be is not in the way" status_is 0
like "status shows it" "$(pleach status)" '^  edge: by .+ \(uid [0-9]+\) since .+: the racks are moved'
memory 80
ok "what is not held follows the commit" eventually 20 has core 80
ok "what is held keeps the commit from converging" eventually 10 status_is 2
ok "it was not touched" has edge 64
ok "nobody waits for what is held" waits_in_vain 20
like "status says why" "$(pleach status)" 'vnfc/edge.vdu.0 +Held .*to change; held: suspended by .*: the racks are moved'
like "the revision is held" "$(pleach status | head -n 1)" ': held since '
like "explain says why" "$(pleach explain vnfc/edge.vdu.0)" 'held: suspended by .*the racks are moved'
plan=$(curl -s --unix-socket "$lab/state/pleachd.sock" http://localhost/v1/plan)
like "the plan says why" "$plan" 'held: suspended by .*the racks are moved'
like "and how much" "$plan" 'Plan: 0 to create, 1 to change, .*; 1 of it held'
like "sites say so" "$(curl -s --unix-socket "$lab/state/pleachd.sock" http://localhost/v1/sites)" 'edge: by .*the racks are moved'
like "an event tells" "$(pleach events edge --kind held)" 'held  vnfc/edge.vdu.0  not to change: suspended by'

# --- drift, while it is suspended ---------------------------------------------------------------------------------------------------
# leaf_of SERVICE: the first process of its VNFC, as the host sees it.
leaf_of() {
	local namespace leaf
	namespace=$(pleach exec "$1" -- readlink /proc/1/ns/net)
	for leaf in $(lab_leaves); do
		[ "$(readlink "/proc/$leaf/ns/net")" != "$namespace" ] || echo "$leaf"
	done
}
edge_leaf=$(leaf_of edge)
ok "the VNF is found" test -n "$edge_leaf"
kill -9 "$edge_leaf"
drifted() {
	pleach drift >"$lab/drift"
	[ $? -eq 2 ] && grep -q 'vnfc/edge.vdu.0' "$lab/drift"
}
ok "drift is reported" eventually 10 drifted
like "with the hold" "$(cat "$lab/drift")" 'held: suspended by'
sleep 1
is "and not put right" "$(lab_leaves | wc -l)" 1
like "the end of it is an event" "$(pleach events vnfc/edge.vdu.0 --kind ended)" 'ended  vnfc/edge.vdu.0  signal 9'

# --- over a restart -------------------------------------------------------------------------------------------------------------------
lab_stop KILL
lab_start
like "the hold outlives the controller" "$(pleach status)" 'edge: by .*the racks are moved'
sleep 1
is "still not put right" "$(lab_leaves | wc -l)" 1
out=$(pleach resume edge)
is "resume" "$out" "resumed edge"
ok "and it converges" lab_converged 30s
ok "with the commit" has edge 80
like "resuming what is not suspended" "$(pleach resume edge 2>&1; echo "exit $?")" 'edge is not suspended; nothing is'
like "suspending what is not there" "$(pleach suspend egde --reason x 2>&1)" 'egde'
is "and why is asked for" "$(pleach suspend edge 2>/dev/null; echo $?)" 64

# --- a site, with an expiry; all ------------------------------------------------------------------------------------------------------
ok "a site, for a while" pleach suspend --site local --reason 'a window' --for 3s
memory 96
ok "nothing follows" eventually 10 status_is 2
ok "not this one" has core 80
ok "the hold ends by itself, and it converges" lab_converged 20s
ok "with the commit" has core 96
like "expiry is an event" "$(pleach events --kind expired)" 'expired  site/local  the hold of .* is over: a window'
ok "all" pleach suspend --all --reason 'no hands'
git -C "$work" rm -q core.yaml
lab_push "No core"
ok "a removal is held too" eventually 10 status_is 2
is "nothing was removed" "$(lab_leaves | wc -l)" 2
ok "resume all" pleach resume --all
ok "now it goes" lab_converged 20s
is "one is left" "$(lab_leaves | wc -l)" 1

# --- a commit that takes away everything -----------------------------------------------------------------------------------------------
git -C "$work" rm -q edge.yaml
lab_push "Nothing"
commit=$(git -C "$work" rev-parse HEAD)
ok "what would empty a site is held" eventually 10 status_is 2
like "status says what to say" "$(pleach status)" "this revision would remove everything on site local \(2 objects\); .pleach approve ${commit:0:12}. lets it"
is "it is all there" "$(lab_leaves | wc -l)" 1
like "another commit cannot be approved" "$(pleach approve 0123456789 2>&1; echo "exit $?")" 'is not the one that is kept.*'
lab_stop KILL
lab_start
ok "held after a restart" eventually 10 status_is 2
like "approve" "$(pleach approve "${commit:0:10}")" "^approved commit ${commit:0:12}"
ok "and it goes" lab_converged 20s
is "nothing is left" "$(lab_leaves | wc -l)" 0
like "who approved it is an event" "$(pleach events --kind approved)" "approved  commit ${commit:0:12}  ${commit:0:12} by "

# --- pleach apply ------------------------------------------------------------------------------------------------------------------------
service edge
lab_push "Edge again"
ok "there again" lab_converged 20s
lab_stop
git -C "$work" rm -q edge.yaml
git -C "$work" commit -qm "Nothing again"
out=$(pleach apply "$work" 2>&1 </dev/null)
is "apply without a terminal leaves it" $? 1
like "and says how" "$out" 'would remove everything on site local'
is "it is there" "$(lab_leaves | wc -l)" 1
ok "apply --yes does it" pleach apply "$work" --yes
is "it is gone" "$(lab_leaves | wc -l)" 0
lab_done
