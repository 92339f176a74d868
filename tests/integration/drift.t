#!/usr/bin/env bash
# What somebody changes behind the operator's back is reported field by field, with the line that it broke, and put right.
. "$(dirname "$0")/../lib/lab.sh"
need haproxy nsenter ip
lab_begin
lab_repo smallest
lab_start
ok "converged" lab_converged
key=vnfc/hello.vdu.0
in_vnf() { pleach exec hello -- "$@"; }
bridge=$(lab_site ip -o link show type bridge | awk -F': ' '{ print $2 }')
address=$(in_vnf ip -4 -o addr show dev port | awk '{ print $4 }')
mac=$(in_vnf cat /sys/class/net/port/address)

# drifted WHAT FIELD: an event names the field and its origin, and the repair was told.
drifted() {
	ok "$1: seen" eventually 10 grep -qE "drift: $2" "$lab/pleachd.log"
	like "$1: with the line that it broke" "$(grep -E "drift: $2" "$lab/pleachd.log" | tail -n 1)" '\(([a-z]+\.yaml|haproxy\.cfg):[0-9]+\)$'
	ok "$1: put right" lab_converged
	like "$1: told of as repaired" "$(pleach drift)" 'repaired'
	: >"$lab/pleachd.log"
}

in_vnf ip link set port mtu 1300
drifted "MTU" "$key: cp\.port\.mtu is 1300, should be 1500"
is "MTU: is right again" "$(in_vnf cat /sys/class/net/port/mtu)" 1500

in_vnf ip addr del "$address" dev port
drifted "an address taken away" "$key: cp\.port\.addresses"
is "address: is there again, the same" "$(in_vnf ip -4 -o addr show dev port | awk '{ print $4 }')" "$address"

in_vnf ip link set port down
drifted "a connection point set down" "$key: cp\.port\.state is down, should be up"

in_vnf ip link del port
drifted "a veth deleted" "$key: cp\.port"
is "veth: same MAC" "$(in_vnf cat /sys/class/net/port/address)" "$mac"
is "veth: same address" "$(in_vnf ip -4 -o addr show dev port | awk '{ print $4 }')" "$address"

lab_site ip link del "$bridge"
drifted "a bridge deleted" "link/hello\.port"
is "bridge: the VNF is on it again" "$(lab_site ip -o link show master "$bridge" | wc -l)" 1

in_vnf sh -c 'echo "# touched" >>/etc/haproxy.cfg'
pleach sync
drifted "a configuration file edited" "nf/hello\.vdu\.0: config\.config\.content"

# What is suspended stays as it is, and is told line by line.
pleach suspend nf/hello.vdu.0 --reason "a look" >/dev/null
in_vnf sh -c 'echo "# by hand" >>/etc/haproxy.cfg'
pleach sync >/dev/null
told() { pleach drift "$1" | grep -qF -- "$2"; }
ok "an edited file: the line that was added is shown" eventually 10 told hello.vdu "+ # by hand"
like "an edited file: so does the event" "$(pleach events --kind drift)" ': \+ # by hand'
like "an edited file: and explain, from what is to what will be" "$(pleach explain nf/hello.vdu.0)" '^ +- # by hand'
unlike "an edited file: another object's drift is not told with it" "$(pleach drift link/hello.port)" 'by hand'
pleach resume nf/hello.vdu.0 >/dev/null
ok "an edited file: put right once it is resumed" lab_converged
unlike "an edited file: as it was" "$(in_vnf cat /etc/haproxy.cfg)" 'by hand'

# A policy that drift is only reported: it stays, while what no policy speaks of is put right.
cp "$work/service.yaml" "$lab/service.yaml"
cat >>"$work/service.yaml" <<'EOF'
  policies:
    - hands_off:
        type: pleach.policies.Drift
        targets: [ hello ]
        properties: { mode: report, objects: [ 'nf/**' ], severity: critical }
    - whatever:
        type: pleach.policies.Drift
        properties: { mode: ignore, fields: [ cp.port.mtu ] }
EOF
lab_push "Hands off"
ok "policies: converged" lab_converged
in_vnf sh -c 'echo "# by hand" >>/etc/haproxy.cfg'
in_vnf ip link set port mtu 1300
in_vnf ip link set port down
pleach sync >/dev/null
ok "report: told with its line" eventually 10 told hello "+ # by hand"
drift=$(pleach drift) && code=0 || code=$?
is "report: exit status" "$code" 2
like "report: why it stays" "$drift" 'held: drift is only reported \(policy hands_off, service\.yaml:[0-9]+\)'
like "report: how grave it is" "$drift" 'severity: critical \(policy hands_off, service\.yaml:[0-9]+\)'
is_up() { in_vnf ip -o link show port up | grep -q port; }
ok "enforce: what else has drifted is put right" eventually 10 is_up
in_vnf ip link set port mtu 1300
pleach sync >/dev/null
like "report: it stays" "$(in_vnf cat /etc/haproxy.cfg)" 'by hand'
unlike "ignore: is not told" "$(pleach drift | sed '/^Put right/,$d')" 'mtu'
is "ignore: stays" "$(in_vnf cat /sys/class/net/port/mtu)" 1300
cp "$lab/service.yaml" "$work/service.yaml"
lab_push "Hands on"
ok "without policies: converged" lab_converged
is_right() { [ "$(in_vnf cat /sys/class/net/port/mtu)" = 1500 ] && ! in_vnf cat /etc/haproxy.cfg | grep -q "by hand"; }
ok "without policies: all is put right" eventually 10 is_right

# The file of the VNFC's own memory limit: control groups v1, or v2.
group=$(cat "/proc/$(lab_leaves | head -n 1)/cgroup")
limit=/sys/fs/cgroup/memory$(sed -n 's/^[0-9]*:memory://p' <<<"$group")/memory.limit_in_bytes
[ -e "$limit" ] || limit=/sys/fs/cgroup$(sed -n 's/^0:://p' <<<"$group")/memory.max
if [ "$(id -u)" -eq 0 ] && [ -w "$limit" ]; then
	before=$(cat "$limit")
	echo $((32 * 1024 * 1024)) >"$limit"
	pleach sync >/dev/null
	drifted "a memory limit" "$key: mem_bytes is 33554432, should be 64000000"
	is "limit: is right again" "$(cat "$limit")" "$before"
fi

kill -9 "$(lab_leaves | head -n 1)"
drifted "a VNF killed" "$key: state is (failed|stopped), should be running"
is "VNF: the same address" "$(in_vnf ip -4 -o addr show dev port | awk '{ print $4 }')" "$address"
like "VNF: explain tells why" "$(pleach explain "$key")" 'signal 9|Killed'

lab_site ip link add stranger type bridge
pleach sync
ok "still converged beside a stranger" lab_converged
like "the stranger is reported" "$(pleach drift)" 'stranger'
ok "and not touched" lab_site ip link show stranger
lab_done
