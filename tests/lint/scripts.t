#!/bin/sh
# Every shell script of the repository: there is nothing that shellcheck would warn of, and what is a test can be run.
set -eu

cd "$(dirname "$0")/../.."
if ! command -v shellcheck > /dev/null; then
	echo "1..0 # SKIP shellcheck is not installed"
	exit 0
fi
number=1
idle=$(find tests -name '*.t' -type f ! -perm -u+x)
[ -z "$idle" ] || printf 'not '
echo "ok 1 - every test can be run"
[ -z "$idle" ] || echo "# $idle"
found=$(find .ci tests examples controller/packaging -type f \( -perm -u+x -o -name '*.sh' \) 2> /dev/null | LC_ALL=C sort)
for script in $found; do
	case $(head -n 1 "$script") in
	'#!'*sh) except= ;;
	# What is sourced has names that it does not use, or does not set.
	'# shellcheck shell='*) except=SC2034,SC2120,SC2154 ;;
	*) continue ;;
	esac
	number=$((number + 1))
	if out=$(shellcheck --external-sources --source-path=SCRIPTDIR --severity=warning --exclude="$except" \
		--format=gcc "$script" 2>&1); then
		echo "ok $number - $script"
	else
		printf '%s\n' "$out" | sed 's/^/# /'
		echo "not ok $number - $script"
	fi
done
echo "1..$number"
