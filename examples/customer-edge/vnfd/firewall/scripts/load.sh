#!/bin/sh
set -e
sysctl -qw net.ipv4.ip_forward=1
ip route replace "$OFFICE" via "$OFFICE_VIA"
exec nft --file /etc/nftables.d/border.nft
