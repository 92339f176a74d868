#!/bin/sh
# Builds everything with sanitizers and warnings as errors, and runs all tests through prove. On a fresh Debian 12, as root or as
# an ordinary user (who is told what root must install).
#
#   tests/run.sh [--quick] [TEST…]
#
#   --quick        without tests/integration
#   TEST…          only these: unit/plan-diff, lint/layers.t, integration, …
#   PLEACH_BUILD   where to build; build-test/ when it is not set
#   PLEACH_JOBS    tests at once; 2 when it is not set (those of tests/integration always run alone)
#
# Prints what was skipped, and why, before prove's own summary. Exit status 0: every test passed.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/lib/prepare.sh
. "$root/tests/lib/prepare.sh"

folders="lint golden fuzz integration" # of scripts
case ${1-} in
--quick)
	folders="lint golden fuzz"
	shift
	;;
-*)
	sed -n '/^#   /s/^# //p' "$0" >&2
	exit 64
	;;
esac

# shellcheck disable=SC2086 # lists of names
prepare_packages $packages_build $packages_run $packages_test shellcheck || exit 1

PLEACH_BUILD=${PLEACH_BUILD:-$root/build-test}
prepare_build "$PLEACH_BUILD" Sanitize -DPLEACH_WERROR=ON || exit 1
PLEACH_BUILD=$(cd "$PLEACH_BUILD" && pwd)

# Programs of tests/{unit,property,conformance,fuzz} as they were built from the sources that are there now; scripts as they
# stand.
list_tests() {
	for folder in unit property conformance fuzz; do
		for source in "$root/tests/$folder"/*.c; do
			name=$folder-$(basename "$source" .c)
			[ ! -x "$PLEACH_BUILD/tests/$folder/$name" ] || echo "$PLEACH_BUILD/tests/$folder/$name"
		done
	done
	for folder in $folders; do
		[ ! -d "$root/tests/$folder" ] || find "$root/tests/$folder" -name '*.t' | LC_ALL=C sort
	done
}

# Keeps the lines that one of the words is in: "unit/plan-diff" stands for .../unit/unit-plan-diff.
chosen() {
	[ $# -gt 0 ] || { cat && return; }
	while read -r test; do
		plain=$(echo "$test" | sed -E 's,/(unit|property|conformance|fuzz)/\1-,/\1/,')
		for word; do
			case $plain in *"$word"*) echo "$test" && break ;; esac
		done
	done
}

scratch=$(mktemp -d /tmp/plrun.XXXXXX)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
list_tests | chosen "$@" >"$scratch/tests"
[ -s "$scratch/tests" ] || { echo "There is no such test: $*" >&2 && exit 64; }

export PLEACH_BUILD PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
export PLEACH_TEST_SCRATCH="$scratch"
asan=detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1:allocator_may_return_null=1
export ASAN_OPTIONS="$asan${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
export LSAN_OPTIONS="print_suppressions=0${LSAN_OPTIONS:+:$LSAN_OPTIONS}"
export UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1${UBSAN_OPTIONS:+:$UBSAN_OPTIONS}"
unset DISPLAY XDG_STATE_HOME XDG_CONFIG_HOME GIT_DIR GIT_WORK_TREE
export LC_ALL=C.UTF-8 NO_COLOR=1
: >"$scratch/lock"

# prove's summary is held back until the skips are told.
{
	cd "$root" && prove --jobs "${PLEACH_JOBS:-2}" --exec "$root/tests/lib/run-test" - <"$scratch/tests" 2>&1
	echo $? >"$scratch/status"
} | awk -v tap="$scratch/tap" '
	/^(All tests successful|Test Summary Report|Files=)/ { held = 1 }
	held { summary = summary $0 "\n"; next }
	/ \.+ ok$/ { next }
	{ print; fflush() }
	END {
		everything = "cat " tap "/* 2>/dev/null"
		while ((everything | getline line) > 0) {
			if (line !~ /^(ok .*|1\.\.0 *)# *(SKIP|skip)/)
				continue
			n++
			sub(/^.*# *(SKIP|skip) */, "", line)
			if (!(line in reasons))
				order[++kinds] = line
			reasons[line]++
		}
		printf "%d skipped\n", n
		for (i = 1; i <= kinds; i++)
			printf "    %4d: %s\n", reasons[order[i]], order[i]
		printf "%s", summary
	}'
exit "$(cat "$scratch/status")"
