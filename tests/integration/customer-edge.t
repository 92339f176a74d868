#!/usr/bin/env bash
# The customer's edge: real packets through shaper, flow monitor and firewall, and every function managed by commits.
. "$(dirname "$0")/../lib/lab.sh"
need nft tc conntrack dnsmasq nginx curl
lab_begin
lab_repo customer-edge
lab_start
ok "converges" lab_converged 90s || exit 1
is "nothing is left out" "$(pleach validate "$work" 2>&1 | grep -c not-kept)" 0

desk() {
	pleach exec edge.desk -- "$@"
}
page() { # of a port, by name: resolver, route, queue, rules and translation all have to work
	desk curl -s --max-time "${2:-5}" "http://www.example.net:$1/"
}
answers() {
	[ "$(page 80)" = "$1" ]
}
ok "the Internet answers, and sees the border's address" eventually 10 answers "Hello from the Internet, 203.0.113.2"
is "another port is refused" "$(page 8080 1; echo $?)" 28
like "the queue is as fast as it says" "$(pleach exec edge.shaper -- tc qdisc show dev core)" 'tbf .*rate 20Mbit'
flows() {
	pleach nf logs edge.monitor | grep -qE 'NEW.* tcp .*dst=203\.0\.113\.80 .*dport=80 '
}
ok "the flow monitor saw it" eventually 10 flows

# --- commits ------------------------------------------------------------------------------------------------------------------
first_processes() {
	lab_leaves | sort | tr '\n' ' '
}
before=$(first_processes)
sed -i 's/allowed_tcp_ports: \[ 80 \]/allowed_tcp_ports: [ 80, 8080 ]/; s/upstream_rate: .*/upstream_rate: 5 Mbps/' "$work/services/edge.yaml"
like "the plan shows the rules that change" "$(pleach plan "$work")" 'dport 8080'
lab_push "8080 too, and slower"
ok "rules and rate by a commit: converges" lab_converged
is "8080 answers now" "$(page 8080)" "Hello from the Internet, 203.0.113.2"
like "the queue is slower now" "$(pleach exec edge.shaper -- tc qdisc show dev core)" 'tbf .*rate 5Mbit'
is "in the same VNFs" "$(first_processes)" "$before"

# A typing error in the rules: the check refuses it, the former rules stay, nobody notices.
sed -i 's/policy drop/policy dorp/' "$work/vnfd/firewall/files/ruleset.nft"
lab_push "A typing error"
refused() {
	pleach status | grep -qE 'nf/edge\.firewall\.vdu\.0 .*check.*'
}
ok "a bad rule set is refused, and status says by what" eventually 20 refused
like "explain gives the checker's own words" "$(pleach explain nf/edge.firewall.vdu.0)" 'dorp'
is "the former rules are in force" "$(page 8080)" "Hello from the Internet, 203.0.113.2"
sed -i 's/policy dorp/policy drop/' "$work/vnfd/firewall/files/ruleset.nft"
lab_push "As it was"
ok "healed by a commit" lab_converged

# Stopped by the service, without touching the package.
sed -i 's/monitor: started .*/monitor: stopped/' "$work/services/edge.yaml"
lab_push "No counting at night"
ok "the monitor is stopped" lab_converged
is "it still forwards" "$(page 80)" "Hello from the Internet, 203.0.113.2"
is "it does not count" "$(pleach exec edge.monitor -- pgrep -c conntrack)" 0
sed -i 's/monitor: stopped/monitor: started/' "$work/services/edge.yaml"
lab_push "Counting again"
ok "the monitor is started again" lab_converged

# --- drift --------------------------------------------------------------------------------------------------------------------
pleach exec edge.firewall -- nft flush ruleset
noticed() {
	pleach events nf/edge.firewall.vdu.0 | grep -q 'drift .*state is stopped, should be started'
}
ok "flushed rules are noticed" eventually 30 noticed
again() {
	pleach exec edge.firewall -- nft list chain inet border forward 2>/dev/null | grep -q refused
}
ok "… and put back" eventually 30 again
pleach exec edge.desk -- ip route replace default via 192.168.10.250
mended() {
	! desk ip route show default | grep -q 192.168.10.250
}
ok "a changed route is put back" eventually 30 mended
ok "all of it works again" eventually 30 answers "Hello from the Internet, 203.0.113.2"
lab_done
