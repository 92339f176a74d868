# shellcheck shell=bash
# For tests/integration/*.t: a laboratory of its own for each test (repository, state folder, runtime folder, pleachd), and TAP.
#
#   . "$(dirname "$0")/../lib/lab.sh"
#   lab_begin; lab_repo smallest; lab_start; lab_converged; ok "it runs" test 1 = 1; lab_done
#
# Everything that a laboratory starts ends with it, and lab_done counts as a test that nothing is left.
set -u
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${PLEACH_BUILD:-$root/build-test}
bin=$build/bin
export PATH="$bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
export NO_COLOR=1 GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=tester GIT_AUTHOR_EMAIL=tester@localhost \
	GIT_COMMITTER_NAME=tester GIT_COMMITTER_EMAIL=tester@localhost
tap_n=0

# ok NAME COMMAND…: the command's exit status is the test.
ok() {
	local name=$1
	shift
	tap_n=$((tap_n + 1))
	if "$@"; then
		echo "ok $tap_n - $name"
	else
		echo "not ok $tap_n - $name"
		echo "#   failed: $*"
		return 1
	fi
}

# is NAME GOT WANTED
is() {
	tap_n=$((tap_n + 1))
	if [ "$2" = "$3" ]; then
		echo "ok $tap_n - $1"
	else
		echo "not ok $tap_n - $1"
		printf '%s\n' "got: $2" "wanted: $3" | sed 's/^/#   /'
		return 1
	fi
}

# like NAME TEXT PATTERN (extended regular expression)
like() {
	tap_n=$((tap_n + 1))
	if grep -qE -- "$3" <<<"$2"; then
		echo "ok $tap_n - $1"
	else
		echo "not ok $tap_n - $1"
		printf '%s\n' "does not match: $3" "$2" | sed 's/^/#   /'
		return 1
	fi
}

# unlike NAME TEXT PATTERN
unlike() {
	tap_n=$((tap_n + 1))
	if grep -qE -- "$3" <<<"$2"; then
		echo "not ok $tap_n - $1"
		printf '%s\n' "matches: $3" "$2" | sed 's/^/#   /'
		return 1
	else
		echo "ok $tap_n - $1"
	fi
}

skip_all() {
	echo "1..0 # SKIP $*"
	exit 0
}

# eventually SECONDS COMMAND…: until it succeeds.
eventually() {
	local until=$(($(date +%s%N) + $1 * 1000000000))
	shift
	until "$@"; do
		[ "$(date +%s%N)" -lt "$until" ] || return 1
		sleep 0.05
	done
}

need() {
	local program
	for program in "$@"; do
		command -v "$program" >/dev/null || skip_all "$program is not installed"
	done
}

lab_begin() {
	need git
	lab=$(mktemp -d /tmp/plt.XXXXXX)
	export PLEACH_RUNTIME_DIR=$lab/run PLEACH_STATE=$lab/state PLEACH_CONTROLLER=unix:$lab/state/pleachd.sock
	work=$lab/tree bare=$lab/network.git daemon=
	mkdir "$lab/state"
	trap lab_end EXIT
	trap 'exit 1' INT TERM
}

# lab_repo EXAMPLE: a work tree with a copy of it, pushed to a bare repository.
lab_repo() {
	cp -r "$root/examples/$1" "$work"
	chmod -R u+w "$work"
	git init -q -b main "$work"
	git init -q --bare -b main "$bare"
	git -C "$work" remote add origin "$bare"
	lab_push "The network"
}

lab_push() {
	git -C "$work" add -A && git -C "$work" commit -qm "$1" && git -C "$work" push -q origin HEAD:main
}

lab_answers() {
	pleach status >/dev/null 2>&1
	[ $? -ne 1 ]
}

# lab_start [OPTION…]: pleachd on the bare repository, until the network has converged, or nothing more happens by itself.
lab_start() {
	pleachd --repo "$bare" --branch main --state "$lab/state" "$@" >>"$lab/pleachd.log" 2>&1 &
	daemon=$!
	eventually 20 lab_answers || lab_log
	pleach status --wait --timeout 20s >/dev/null 2>&1 || true
}

lab_stop() {
	[ -n "$daemon" ] || return 0
	kill "-${1:-TERM}" "$daemon" 2>/dev/null
	wait "$daemon" 2>/dev/null
	lab_status=$?
	daemon=
}

lab_log() {
	sed 's/^/# pleachd: /' "$lab/pleachd.log" | tail -n "${1:-40}"
}

# Has the newest commit of main converged?
lab_converged() {
	pleach status --wait --timeout "${1:-60s}" >"$lab/status" 2>&1 || { sed 's/^/# /' "$lab/status"; lab_log; return 1; }
}

# waits_in_vain SECONDS: `status --wait` ends before that, though it has not converged: nothing more happens by itself.
waits_in_vain() {
	local begun
	begun=$(date +%s)
	pleach status --wait --timeout "$1s" >/dev/null
	[ $? -eq 2 ] && [ $(($(date +%s) - begun)) -lt "$1" ]
}

lab_keepers() {
	pgrep -f "pleach-keeper .*$lab/run" || true
}

# The process that holds the namespaces of the only site.
lab_keeper() {
	pleach site list -o json | sed -n 's/.*"pid": \([0-9]*\).*/\1/p' | head -n 1
}

# A command in the site's namespaces, from outside.
lab_site() {
	if [ "$(id -u)" -eq 0 ]; then
		nsenter --target "$(lab_keeper)" --net -- "$@"
	else
		nsenter --target "$(lab_keeper)" --user --net --preserve-credentials -- "$@"
	fi
}

# The first processes of all VNFCs, as the host sees them.
lab_leaves() {
	pgrep -P "$(lab_keeper)" pleach-leaf || true
}

lab_end() {
	lab_stop
	[ ! -d "$lab/run" ] || pleach site clean --all --yes >/dev/null 2>&1
	eventually 5 lab_is_empty || lab_keepers | xargs -r kill -9
	rm -rf "$lab"
}

lab_is_empty() {
	[ -z "$(lab_keepers)" ] && [ ! -e "$lab/run" ]
}

# The last lines of a test: stop, take everything away, see that nothing is left, print the plan.
lab_done() {
	lab_stop
	pleach site clean --all --yes >/dev/null 2>&1
	ok "nothing is left running" eventually 10 lab_is_empty
	echo "1..$tap_n"
}
