#!/usr/bin/env bash
# The Debian package in a clean root: it installs with what it depends on, says what to do next, runs a network, is upgraded while
# VNFs run, leaves them when it is removed, and takes everything away when it is purged.
. "$(dirname "$0")/../lib/lab.sh"
. "$(dirname "$0")/../lib/package.sh"
package_begin
ok "the package is made" package_make 1 || sed 's/^/# /' "$lab/cpack.log"
ok "and a later one" package_later 1 2
like "its depends are computed" "$(dpkg-deb -f "$lab/pleach-1.deb" Depends)" 'libgit2-1\.5.*libmicrohttpd12'
is "all of it belongs to root, none of it can be written by others" \
	"$(dpkg-deb -c "$lab/pleach-1.deb" | awk '$2 != "root/root" || $1 ~ /^.....w|^........w/' | head -n 3)" ""
if command -v systemd-analyze >/dev/null; then
	dpkg-deb -x "$lab/pleach-1.deb" "$lab/tree"
	sed "s,/usr/bin/pleachd,$lab/tree/usr/bin/pleachd," "$lab/tree/usr/lib/systemd/system/pleachd.service" >"$lab/pleachd.service"
	cp "$lab/tree/usr/lib/systemd/system/pleach.slice" "$lab/"
	is "systemd finds no fault in the unit" "$(systemd-analyze verify --man=no "$lab/pleachd.service" "$lab/pleach.slice" 2>&1 | grep -i pleach)" ""
else
	ok "systemd finds no fault in the unit # SKIP no systemd-analyze" true
fi
for page in "$lab"/tree/usr/share/man/man*/*.gz; do
	[ -e "$page" ] || continue
	ok "$(basename "$page") has a name and options" eval 'zcat "$page" | grep -A1 "^.SH NAME" | grep -q "^pleach" && zcat "$page" | grep -q "\\\\-\\\\-version"'
done

# --- inside: a copy of the root in memory, its own mount and PID namespace, the host's network ---------------------------------
cat >"$lab/inside" <<'S'
. /lab/check
export GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@localhost GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@localhost
install() { apt-get install -q -y --no-install-recommends -o Dpkg::Use-Pty=0 "$@" >/tmp/apt.log 2>&1; }
check "installs, with what it depends on" install /lab/pleach-1.deb git haproxy curl || cat /tmp/apt.log
check "says that it wants a configuration" grep -q 'not started before there is /etc/pleach/pleachd.conf' /tmp/apt.log
check "there is a folder for it" test -d /etc/pleach
check "it is enabled for the next boot" test -L /etc/systemd/system/multi-user.target.wants/pleachd.service
check "all four programs run" sh -c 'pleach --version && pleachd --version && /usr/libexec/pleach/pleach-keeper --version && /usr/libexec/pleach/pleach-leaf --version'
check "doctor finds the keeper and the leaf" sh -c 'pleach doctor | grep -q "^ok  *pleach-leaf is found"'
. /usr/share/bash-completion/completions/pleach
COMP_WORDS=(pleach sta) COMP_CWORD=1; _pleach
check "completion knows verbs" test "${COMPREPLY[*]}" = status
COMP_WORDS=(pleach status --wa) COMP_CWORD=2; _pleach
check "and options" test "${COMPREPLY[*]}" = --wait
COMP_WORDS=(pleach status vnfc) COMP_CWORD=2; _pleach
check "and is silent about keys while nobody answers" test "${COMPREPLY[*]}" = ""

cd /root && pleach init net >/dev/null
printf 'repo /root/net\nbranch main\n' >/etc/pleach/pleachd.conf
mkdir -p /var/lib/pleach
start() { pleachd --config /etc/pleach/pleachd.conf 2>>/tmp/pleachd.log & pid=$!; }
# What systemd has to pass it: the folders of the unit.
export PLEACH_STATE=/var/lib/pleach PLEACH_RUNTIME_DIR=/run/pleach
start
for _ in $(seq 100); do pleach status >/dev/null 2>&1; [ $? -ne 1 ] && break; sleep 0.1; done
check "a network runs" pleach status --wait --timeout 30s
answers() { pleach exec hello -- curl -s --max-time 5 http://127.0.0.1/ | grep -q '^hello from'; }
check "and answers" answers
COMP_WORDS=(pleach exec vnfc) COMP_CWORD=2; _pleach
check "completion knows keys" test "${COMPREPLY[*]}" = vnfc/hello.vdu.0
namespace() { pleach exec hello -- readlink /proc/1/ns/net; }
before=$(namespace)
check "upgrades" install /lab/pleach-2.deb
check "to the new version" sh -c 'dpkg-query -W -f "\${Version}" pleach | grep -q -- -2'
check "while it is upgraded the VNF answers" answers
kill "$pid"; wait "$pid"; start
for _ in $(seq 100); do pleach status >/dev/null 2>&1; [ $? -ne 1 ] && break; sleep 0.1; done
check "the new pleachd takes it over" pleach status --wait --timeout 30s
check "it is the same VNF" test "$(namespace)" = "$before"
check "and answers again" answers
keeper=$(sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' /run/pleach/*/site.json)
kill "$pid"; wait "$pid"
check "is removed" dpkg --remove pleach
check "removed, the VNF lives" test -d "/proc/$keeper"
check "removed, state and configuration stay" test -e /etc/pleach/pleachd.conf -a -d /var/lib/pleach
check "is installed again" install /lab/pleach-2.deb
start
for _ in $(seq 100); do pleach status >/dev/null 2>&1; [ $? -ne 1 ] && break; sleep 0.1; done
check "the same VNF again" test "$(namespace)" = "$before"
kill "$pid"; wait "$pid"
check "is purged" dpkg --purge pleach
check "purged, no keeper and no VNF is left" sh -c "! cat /proc/[0-9]*/comm | grep '^pleach'"
check "purged, nothing of it is left" test -z "$(ls -d /etc/pleach /var/lib/pleach /run/pleach /usr/*/pleach* /usr/share/doc/pleach /etc/systemd/system/*/pleachd.service 2>/dev/null)"
echo done
S
cat >"$lab/enter" <<S
$(package_root)
exec bash /lab/inside
S
timeout 200 unshare --mount --pid --fork --propagation private -- bash "$lab/enter" >"$lab/out" 2>&1
package_results
package_done
