#!/usr/bin/env bash
# The EMS suite over ssh as an ordinary user: he runs the sshd, and is the one who logs in; the state is in his home's folder.
. "$(dirname "$0")/../lib/lab.sh"
[ "$(id -u)" -eq 0 ] || skip_all "already run by an ordinary user: conformance-ems_ssh-ems is this test"
suite=$build/tests/conformance/conformance-ems_ssh-ems
[ -x "$suite" ] || skip_all "$suite is not built"
[ -x /usr/sbin/sshd ] || skip_all "openssh-server is not installed"
user=64123
setpriv --reuid "$user" --regid "$user" --clear-groups test -x "$suite" || skip_all "an ordinary user cannot read this folder"

# He must be in passwd for sshd to let him in: in a mount namespace of this test's own.
passwd=$(mktemp)
trap 'rm -f "$passwd"' EXIT
{ cat /etc/passwd; echo "pleach-tester:x:$user:$user::/nonexistent:/bin/sh"; } >"$passwd"
chmod 644 "$passwd"
output=$(unshare --mount --propagation private sh -c 'mount --bind "$1" /etc/passwd && shift && exec "$@"' sh "$passwd" \
	setpriv --reuid "$user" --regid "$user" --clear-groups env -u XDG_RUNTIME_DIR TMPDIR=/tmp HOME=/nonexistent "$suite" --tap -p /conformance/ems/ssh 2>&1)
n=$(grep -c '^ok' <<<"$output")
ok "the suite passes" grep -q '^1\.\.[1-9]' <<<"$output"
unlike "nothing fails" "$output" '^not ok|Bail out|ERROR|skip'
ok "all of it ran: $n checks" [ "$n" -ge 34 ]
echo "1..$tap_n"
