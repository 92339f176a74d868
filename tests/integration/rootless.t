#!/usr/bin/env bash
# The same as push.t, restart.t, drift.t and keeper.t, by an ordinary user who has no range of ids.
here=$(cd "$(dirname "$0")" && pwd)
[ "$(id -u)" -eq 0 ] || { echo "1..0 # SKIP already run by an ordinary user: the others are this test"; exit 0; }
user=64123
as_user() {
	setpriv --reuid "$user" --regid "$user" --clear-groups env -u XDG_RUNTIME_DIR HOME=/nonexistent "$@"
}
as_user test -r "$here/push.t" -a -x "${PLEACH_BUILD:-$here/../../build-test}/bin/pleachd" || {
	echo "1..0 # SKIP an ordinary user cannot read this folder"
	exit 0
}
as_user unshare --user --map-root-user --net true 2>/dev/null || {
	echo "1..0 # SKIP an ordinary user may not make user namespaces here"
	exit 0
}
n=0
for test in push restart drift keeper; do
	n=$((n + 1))
	output=$(as_user bash "$here/$test.t" 2>&1)
	if grep -q '^1\.\.[1-9]' <<<"$output" && ! grep -q '^not ok' <<<"$output"; then
		echo "ok $n - $test: $(grep -c '^ok' <<<"$output") checks"
	else
		echo "not ok $n - $test"
		sed 's/^/#   /' <<<"$output"
	fi
done
echo "1..$n"
