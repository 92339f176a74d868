#!/bin/sh
# The sources keep to what tests/lint/files asks; and it finds what does not.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch/controller/base" "$scratch/reconcilers" "$scratch/tests"
number=0

report() { # 0|1 NAME
	number=$((number + 1))
	if [ "$1" -eq 0 ]; then echo "ok $number - $2"; else echo "not ok $number - $2"; fi
}

status=0
"$here/files" > "$scratch/out" || status=1
sed 's/^/# /' "$scratch/out"
report "$status" "every file is as it should be"

fault() { # NAME TEXT EXPECTED
	rm -f "$scratch"/controller/base/*
	printf '%s\n' "$2" > "$scratch/controller/base/$1"
	if "$here/files" "$scratch" > "$scratch/out"; then
		report 1 "found: $3"
	elif grep -qF "$3" "$scratch/out"; then
		report 0 "found: $3"
	else
		sed 's/^/# /' "$scratch/out"
		report 1 "found: $3"
	fi
}

lines() { awk -v n="$1" 'BEGIN { print "/* x */"; for (i = 1; i < n; i++) print "int x;" }'; }

fault a.h '#pragma once' 'opens with a comment'
fault a.h '/* x */' 'pragma once'
fault a.c '#ifdef HAVE_X' 'conditional'
fault a.c 'int x; ' 'blanks'
fault a.c "/* TO""DO */" 'issue'
fault a.c "$(lines 701)" 'make two of it'

rm -f "$scratch"/controller/base/*
lines 650 > "$scratch/controller/base/a.c"
status=0
"$here/files" "$scratch" > "$scratch/out" || status=1
report "$status" "a file of 650 lines passes"
status=0
grep -q '^note: .*650 lines' "$scratch/out" || status=1
report "$status" "but is noted"

echo "1..$number"
