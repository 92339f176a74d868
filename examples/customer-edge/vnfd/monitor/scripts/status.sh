#!/bin/sh
# Without this table the kernel follows no flow, and there is nothing to tell.
nft list table inet flows >/dev/null || exit 1
[ -n "$(ip route show default via "$GATEWAY")" ] || { echo "the default route is not via $GATEWAY" >&2 && exit 1; }
