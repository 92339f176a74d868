#!/bin/sh
exec nft --check --file "$PLEACH_NEW/etc/nftables.d/border.nft"
