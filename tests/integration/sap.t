#!/usr/bin/env bash
# A Sap on a network of the host: a bridge, a whole interface, a VLAN. The host is a network namespace of this test; its office is
# another one, beyond a cable.
[ "$(id -u)" -eq 0 ] || { echo "1..0 # SKIP only root attaches a link to the host's networks"; exit 0; }
[ -n "${PLEACH_TEST_HOST-}" ] || PLEACH_TEST_HOST=1 exec unshare --net -- "$0" "$@"
. "$(dirname "$0")/../lib/lab.sh"
need haproxy curl ip ping nsenter
lab_begin
ip link set lo up
unshare --net -- sleep 600 &
office=$!
trap 'kill $office 2>/dev/null; lab_end' EXIT
eventually 5 eval '[ "$(readlink /proc/$office/ns/net)" != "$(readlink /proc/$$/ns/net)" ]'
quiet() { "$@" >/dev/null; }
in_office() { nsenter --target "$office" --net -- "$@"; }
cable() { # NAME PEER ADDRESS: from the host to the office
	ip link add "$1" address "02:00:00:00:00:0${1#wan}" type veth peer name "$2" netns "$office" && ip link set "$1" up &&
		in_office ip link set "$2" up && in_office ip address add "$3" dev "$2"
}
ip link add office0 type bridge forward_delay 0 && ip link set office0 up && ip address add 10.10.1.254/24 dev office0
cable wan0 desk0 10.10.1.200/24
ip link set wan0 master office0
cable wan1 desk1 10.10.2.200/24
host_now() { ip -o address show | grep -v ' pl[0-9a-f]' | grep -vE 'inet6' | sort; ip -o -d link show wan0; ip -o link show office0 | cut -d'>' -f2-; }

mkdir "$work"
cp "$root"/examples/smallest/haproxy.cfg "$work/"
sed 's/^  example.nodes.Web: .*/  example.nodes.Web:\n    derived_from: tosca.nodes.nfv.VNF\n    requirements:\n      - virtual_link: { capability: tosca.capabilities.nfv.VirtualLinkable }/' \
	"$root/examples/smallest/web.yaml" >"$work/web.yaml"
cat >"$work/nsd.yaml" <<'Y'
tosca_definitions_version: tosca_simple_yaml_1_3
imports: [ etsi_nfv_sol001_nsd_types.yaml, web.yaml ]
node_types:
  example.nodes.Shop:
    derived_from: tosca.nodes.nfv.NS
    properties:
      descriptor_id: { type: string, default: 4c7d1c52-2d1a-4e0a-9d0c-6f1b7f3a1f01 }
      invariant_id: { type: string, default: 4c7d1c52-2d1a-4e0a-9d0c-6f1b7f3a1f00 }
      designer: { type: string, default: test }
      version: { type: string, default: '1.0' }
      name: { type: string, default: shop }
      flavour_id: { type: string, default: default }
topology_template:
  substitution_mappings: { node_type: example.nodes.Shop, properties: { flavour_id: default } }
  node_templates:
    ns: { type: example.nodes.Shop }
    lan:
      type: tosca.nodes.nfv.NsVirtualLink
      properties:
        connectivity_type: { layer_protocols: [ ipv4 ] }
        vl_profile:
          max_bitrate_requirements: { root: 0 }
          min_bitrate_requirements: { root: 0 }
          virtual_link_protocol_data:
            - associated_layer_protocol: ipv4
              l3_protocol_data:
                ip_version: ipv4
                cidr: 10.10.NET.0/24
                ip_allocation_pools: [ { start_ip_address: 10.10.NET.10, end_ip_address: 10.10.NET.19 } ]
    customer:
      type: tosca.nodes.nfv.Sap
      properties: { layer_protocols: [ ipv4 ] }
      requirements: [ internal_virtual_link: lan ]
    web:
      type: example.nodes.Web
      properties: { descriptor_id: 7a0c2f4e-52f1-4a57-8a5e-5d1f0b0c9e11, descriptor_version: '1.0', provider: me, product_name: web,
        software_version: '2.6', vnfm_info: [ '0:pleach' ], flavour_id: simple, flavour_description: one server,
        vnf_profile: { min_number_of_instances: 1, max_number_of_instances: 1 } }
      requirements: [ virtual_link: lan ]
Y
cp "$work/nsd.yaml" "$lab/nsd.yaml"
cat >"$work/site.yaml" <<'Y'
tosca_definitions_version: tosca_simple_yaml_1_3
imports: [ pleach_types.yaml ]
topology_template:
  node_templates:
    here:
      type: pleach.nodes.Site
      properties:
        vim: { driver: local }
        ems: { leaf: { driver: leaf } }
        networks:
          office: { name: office0, cidr: 10.10.1.0/24, gateway: 10.10.1.254 }
          whole: { name: wan1, cidr: 10.10.2.0/24, gateway: 10.10.2.254 }
          tagged: { name: wan1, vlan: 210, cidr: 10.10.2.0/24 }
          taken: { name: wan0, cidr: 10.10.1.0/24 }
          lost: { name: nothing0, cidr: 10.10.1.0/24 }
Y
# attach NETWORK THIRD-OCTET: a commit.
attach() {
	sed "s/10\.10\.NET/10.10.$2/g" "$lab/nsd.yaml" >"$work/nsd.yaml"
	cat >"$work/service.yaml" <<Y
tosca_definitions_version: tosca_simple_yaml_1_3
imports: [ pleach_types.yaml ]
topology_template:
  node_templates:
    shop:
      type: pleach.nodes.NetworkService
      properties: { descriptor: /nsd.yaml, site: here, connection_points: { customer: { network: $1 } } }
Y
	lab_push "The network $1"
}
git init -q -b main "$work" && git init -q --bare -b main "$bare" && git -C "$work" remote add origin "$bare"
before=$(host_now)
attach office 1
lab_start
address() { pleach status | grep -oE '10\.10\.[12]\.1[0-9] ' | head -n 1 | tr -d ' '; }
said() { pleach status | grep -qE "$1"; }
ours() { ip -o link show | grep -oE ' pl[0-9a-f]{12}' | sort -u | tr -d ' '; }

# --- a bridge -------------------------------------------------------------------------------------------------------------------
ok "a bridge: converged" lab_converged 30s || { lab_log; exit 1; }
like "its address is one of the pool" "$(address)" '^10\.10\.1\.1[0-9]$'
ok "ping from the office into the VNF" quiet in_office ping -q -c 1 -W 5 "$(address)"
like "TCP from the office into the VNF" "$(in_office curl -s --max-time 5 "http://$(address)/")" '^hello from 10\.10\.1\.'
ok "from the VNF out to the office" quiet pleach exec shop.web -- ping -q -c 1 -W 5 10.10.1.200
ok "from the VNF to the host itself" quiet pleach exec shop.web -- ping -q -c 1 -W 5 10.10.1.254
is "what was on the host is as it was" "$(host_now)" "$before"
is "one interface was added" "$(ours | wc -l)" 1
end=$(ours)
like "it carries our tag" "$(ip link show "$end")" 'alias pleach [^ ]+ link/shop.lan 1'
like "the object names the network" "$(curl -s --unix-socket "$lab/state/pleachd.sock" http://pleachd/v1/objects/link/shop.lan)" '"office0"'

# --- drift ----------------------------------------------------------------------------------------------------------------------
whole() { [ "$(ours | wc -l)" = 1 ] && ip -o link show "$(ours)" 2>/dev/null | grep -q 'master office0.*UP'; }
ip link delete "$end"
ok "the host's end deleted: made again, at once" eventually 10 whole
ok "and converged" lab_converged 20s
ok "the office reaches it again" quiet in_office curl -s --max-time 5 "http://$(address)/"
ip link set "$(ours)" nomaster
pleach sync >/dev/null
ok "unplugged from the bridge: reported" eventually 10 grep -q 'drift: link/shop.lan: network .*office0' "$lab/pleachd.log"
ok "and plugged in again" eventually 10 whole
lab_stop KILL
ip link delete "$(ours)"
lab_start
ok "deleted while no controller ran: made again" eventually 15 whole
ok "and converged, too" lab_converged 20s
keeper=$(lab_keeper)
kill -KILL "$keeper"
ok "the keeper killed: all comes back" eventually 20 whole
ok "and converged once more" lab_converged 30s
ok "the office reaches it once more" quiet in_office curl -s --max-time 5 "http://$(address)/"

# --- an interface as a whole ----------------------------------------------------------------------------------------------------
attach whole 2
ok "a whole interface: converged" lab_converged 30s
is "nothing is left in the host's bridge" "$(ours)" ""
ok "ping from the office, through it" quiet in_office ping -q -c 1 -W 5 "$(address)"
like "TCP from the office, through it" "$(in_office curl -s --max-time 5 "http://$(address)/")" '^hello from 10\.10\.2\.'
ok "the interface itself stays on the host" quiet ip link show wan1

# --- what cannot be -------------------------------------------------------------------------------------------------------------
attach taken 1
ok "a port of a bridge is not taken from it" eventually 15 said "wan0 is a port of office0: name that instead"
ip link set wan1 up
attach office 1
lab_converged 30s >/dev/null
ip address add 10.99.0.1/24 dev wan1
attach whole 2
ok "an interface with addresses is not taken from the host" eventually 15 said "wan1 has the address 10.99.0.1/24, which would be cut off"
is "it keeps them" "$(ip -o -4 address show dev wan1 | grep -o '10.99.0.1/24')" 10.99.0.1/24
attach lost 1
ok "no such interface" eventually 15 said "the host has no interface or bridge nothing0"
attach nowhere 1
ok "no such network" eventually 15 said 'the site "here" has no network "nowhere"'
attach tagged 2
if ip link add link wan1 name probe type vlan id 3 2>/dev/null; then
	ip link delete probe
	in_office ip link add link desk1 name desk1.210 type vlan id 210
	in_office ip address flush dev desk1
	in_office ip address add 10.10.2.200/24 dev desk1.210
	in_office ip link set desk1.210 up
	ok "a VLAN: converged" lab_converged 30s
	ok "a VLAN: TCP from the office" quiet in_office curl -s --max-time 5 "http://$(address)/"
else
	ok "a VLAN, which this kernel has none of: said" eventually 15 said 'this kernel has no VLAN interfaces'
	ok "a VLAN through the interface # SKIP this kernel has no VLAN interfaces" true
fi
attach office 1
ok "back on the bridge: converged" lab_converged 30s

# --- an ordinary user -----------------------------------------------------------------------------------------------------------
user=64124
as_user() {
	setpriv --reuid "$user" --regid "$user" --clear-groups env -u XDG_RUNTIME_DIR HOME=/nonexistent PLEACH_STATE="$lab/user/state" \
		PLEACH_RUNTIME_DIR="$lab/user/run" "$@"
}
chmod 755 "$lab"
mkdir -p "$lab/user/state" && cp -r "$work" "$lab/user/tree" && chown -R "$user:$user" "$lab/user"
if as_user test -x "$bin/pleach" && as_user unshare --user --map-root-user --net true 2>/dev/null; then
	like "an ordinary user: said" "$(as_user pleach apply "$lab/user/tree" --timeout 10s 2>&1)" 'only root may attach a link to a network of the host'
	like "an ordinary user: doctor says so" "$(as_user pleach doctor)" '^advised +links can be attached to networks of this host'
	as_user pleach site clean --all --yes >/dev/null 2>&1
else
	ok "an ordinary user # SKIP may not make user namespaces, or not read this folder" true
fi

# --- the end --------------------------------------------------------------------------------------------------------------------
git -C "$work" rm -q service.yaml
lab_push "No service"
quiet pleach approve "$(git -C "$work" rev-parse HEAD)"
ok "the service goes" lab_converged 30s
is "nothing of ours is left on the host" "$(ours)" ""
ip address del 10.99.0.1/24 dev wan1
is "and the rest is as it was" "$(host_now)" "$before"
lab_done
