#!/usr/bin/env bash
# ssh.t by an ordinary user who has a range of ids: what drops privileges (sshd) runs in his VNFs.
here=$(cd "$(dirname "$0")" && pwd)
skip() {
	echo "1..0 # SKIP $*"
	exit 0
}
[ "$(id -u)" -eq 0 ] || skip "already run by an ordinary user: ssh.t is this test"
command -v newuidmap >/dev/null || skip "newuidmap is not installed"
[ -e /etc/subuid ] && [ -e /etc/subgid ] || skip "there is no /etc/subuid or /etc/subgid to put something over"
user=64123
as_user() {
	setpriv --reuid "$user" --regid "$user" --clear-groups env -u XDG_RUNTIME_DIR HOME=/nonexistent "$@"
}
as_user test -r "$here/ssh.t" -a -x "${PLEACH_BUILD:-$here/../../build-test}/bin/pleachd" || skip "an ordinary user cannot read this folder"
as_user unshare --user --map-root-user --net true 2>/dev/null || skip "an ordinary user may not make user namespaces here"

# His name and his range: in a mount namespace of this test's own.
files=$(mktemp -d)
trap 'rm -rf "$files"' EXIT
{ cat /etc/passwd; echo "pleach-tester:x:$user:$user::/nonexistent:/bin/sh"; } >"$files/passwd"
echo "pleach-tester:700000:65536" >"$files/range"
chmod -R go+rX "$files"
# shellcheck disable=SC2016 # the inner shell's variables
output=$(unshare --mount --propagation private sh -ec 'mount --bind "$1/passwd" /etc/passwd
	mount --bind "$1/range" /etc/subuid
	mount --bind "$1/range" /etc/subgid
	shift
	exec "$@"' sh "$files" setpriv --reuid "$user" --regid "$user" --clear-groups env -u XDG_RUNTIME_DIR HOME=/nonexistent \
	bash "$here/ssh.t" 2>&1)
grep -q '^1\.\.0' <<<"$output" && skip "${output#*SKIP }"
if grep -q '^1\.\.[1-9]' <<<"$output" && ! grep -q '^not ok' <<<"$output"; then
	echo "ok 1 - ssh: $(grep -c '^ok' <<<"$output") checks"
else
	echo "not ok 1 - ssh"
	sed 's/^/#   /' <<<"$output"
fi
echo "1..1"
