#!/bin/sh
rules=$(nft list chain inet border forward 2>/dev/null) || exit 3
case $rules in *'"refused"'*) exit 0 ;; esac
echo 'the table is there, its last rule is not' >&2
exit 1
