#!/bin/sh
# Stopped is closed: nothing passes a border without its rules.
sysctl -qw net.ipv4.ip_forward=0
nft delete table inet border 2>/dev/null
exit 0
