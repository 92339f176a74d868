#!/bin/sh
set -e
sysctl -qw net.ipv4.ip_forward=1
ip route replace default via "$GATEWAY"
exec tc qdisc replace dev "$DEVICE" root tbf rate "${RATE}bit" burst 64kb latency 50ms
