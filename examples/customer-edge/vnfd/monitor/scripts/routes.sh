#!/bin/sh
set -e
sysctl -qw net.ipv4.ip_forward=1
ip route replace default via "$GATEWAY"
exec ip route replace "$OFFICE" via "$OFFICE_VIA"
