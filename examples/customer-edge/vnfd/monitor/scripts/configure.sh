#!/bin/sh
set -e
sysctl -qw net.ipv4.ip_forward=1 net.netfilter.nf_conntrack_acct=1
ip route replace default via "$GATEWAY"
ip route replace "$OFFICE" via "$OFFICE_VIA"
exec nft --file files/flows.nft
