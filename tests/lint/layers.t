#!/bin/sh
# The include table is kept; and a breach of each kind is found, so that silence means something.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
number=0

report() { # 0|1 NAME
	number=$((number + 1))
	if [ "$1" -eq 0 ]; then echo "ok $number - $2"; else echo "not ok $number - $2"; fi
}

if found=$("$here/layers"); then
	report 0 "every include is in the table"
else
	printf '%s\n' "$found" | sed 's/^/# /'
	report 1 "every include is in the table"
fi

# FILE LINE EXPECTED: is that one line in that one file found, by its place?
breach() {
	rm -rf "$scratch/tree"
	mkdir -p "$scratch/tree/controller" "$scratch/tree/reconcilers" "$scratch/tree/$(dirname "$1")"
	printf '/* x */\n%s\n' "$2" > "$scratch/tree/$1"
	if [ -n "$3" ]; then
		if "$here/layers" "$scratch/tree" > "$scratch/out"; then
			report 1 "found: $2 in $1"
		elif grep -qF "$1:2: " "$scratch/out" && grep -qF "$3" "$scratch/out"; then
			report 0 "found: $2 in $1"
		else
			sed 's/^/# /' "$scratch/out"
			report 1 "found: $2 in $1"
		fi
	elif "$here/layers" "$scratch/tree" > "$scratch/out"; then
		report 0 "allowed: $2 in $1"
	else
		sed 's/^/# /' "$scratch/out"
		report 1 "allowed: $2 in $1"
	fi
}

breach controller/base/a.c '#include "model/value.h"' 'base may not include model'
breach controller/plan/a.h ' # include "store/store.h"' 'plan may not include store'
breach controller/report/a.c '#include "store/internal.h"' 'it is for store alone'
breach controller/http/client/a.c '#include "http/server/server.h"' 'http/client may not include http/server'
breach controller/daemon/a.c '#include "vim/local/local.h"' 'daemon may not include vim/local'
breach controller/daemon/a.c '#include "registry.h"' 'only a main.c'
breach controller/exec/a.c '#include "value.h"' 'say the path'
breach controller/exec/a.c '#include "../model/value.h"' 'say the path'
breach controller/exec/a.c '#include "nowhere/value.h"' 'no folder "nowhere"'
breach reconcilers/vim/local/a.c '#include "vim/openstack/a.h"' 'vim/local may not include vim/openstack'
breach reconcilers/link/a.c '#include "vim/local/a.h"' 'link may not include vim/local'
breach reconcilers/keeper/a.c '#include "model/value.h"' 'keeper may not include model'
breach controller/tosca/a.c '#include <git2.h>' 'only source'
breach controller/source/a.c '#include <yaml.h>' 'only tosca'
breach controller/daemon/a.c '#include <sqlite3.h>' 'only store'
breach controller/http/server/a.c '#include <curl/curl.h>' 'only http/client'
breach reconcilers/leaf/a.c '#include <microhttpd.h>' 'only http/server'
breach reconcilers/keeper/a.c '#include <libmnl/libmnl.h>' 'only netlink'
breach reconcilers/vim/local/a.c '#include <libvirt/libvirt.h>' 'only vim/libvirt'

breach controller/base/a.c '#include "base/error.h"' ''
breach controller/main.c '#include "registry.h"' ''
breach controller/cli/main.c '#include "registry.h"' ''
breach reconcilers/registry.c '#include "vim/local/local.h"' ''
breach reconcilers/vim/local/a.c '#include "keeperproto/proto.h"' ''
breach controller/source/a.c '#include <git2/sys/refs.h>' ''

mkdir -p "$scratch/tree/controller/attic"
printf '/* x */\n' > "$scratch/tree/controller/attic/a.c"
status=0
"$here/layers" "$scratch/tree" > "$scratch/out" && status=1
report "$status" "found: a folder without a row"

echo "1..$number"
