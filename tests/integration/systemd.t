#!/usr/bin/env bash
# The unit of the package under a real systemd, the first process of a clean root: started when it is configured, told of when it
# is ready, reloaded, restarted and killed by its watchdog while VNFs run, which are in a slice of their own; purged.
. "$(dirname "$0")/../lib/lab.sh"
. "$(dirname "$0")/../lib/package.sh"
package_begin
ok "the package is made" package_make 1 || sed 's/^/# /' "$lab/cpack.log"

# systemd makes control groups: below one of this test's own in each hierarchy, and nowhere else.
group=$(basename "$lab")
groups() { find /sys/fs/cgroup -maxdepth 2 -type d -name "$group"; }
v2=
[ ! -e /sys/fs/cgroup/cgroup.controllers ] || v2=1
for folder in $( [ -n "$v2" ] && echo /sys/fs/cgroup || find /sys/fs/cgroup -mindepth 1 -maxdepth 1 -type d); do
	mkdir "$folder/$group" 2>/dev/null || skip_all "control groups cannot be made here"
	[ ! -e "$folder/cpuset.cpus" ] || for file in cpus mems; do cat "$folder/cpuset.$file" >"$folder/$group/cpuset.$file"; done
done
leave() {
	local folder
	eventually 5 eval '[ -z "$(cat $(find $(groups) -name cgroup.procs) 2>/dev/null)" ]'
	for folder in $(groups); do find "$folder" -depth -type d -exec rmdir {} ';' 2>/dev/null; done
	rm -rf --one-file-system "$lab"
}
trap leave EXIT

cat >"$lab/inside" <<'S'
. /lab/check
export PLEACH_STATE=/var/lib/pleach PLEACH_RUNTIME_DIR=/run/pleach
for _ in $(seq 100); do case $(systemctl is-system-running) in running | degraded) break ;; esac; sleep 0.2; done
show() { systemctl show pleachd -p "$1" --value; }
check "without a configuration it is not started" test "$(show ActiveState)" = inactive
cd /root
pleach init net >/dev/null
printf 'repo /root/net\nbranch main\n' >/etc/pleach/pleachd.conf
check "with one it starts, and systemd is told when it is ready" systemctl start pleachd
check "the network converges" pleach status --wait --timeout 30s
for _ in $(seq 50); do case $(show StatusText) in converged*) break ;; esac; sleep 0.1; done
check "systemctl status says how it stands" sh -c 'systemctl show pleachd -p StatusText | grep -q "converged: commit .* 3 objects"'
keeper=$(sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' /run/pleach/*/site.json)
grep -E 'name=systemd|^0::' "/proc/$keeper/cgroup" >/lab/groups
check "the keeper is in a scope in pleach.slice" grep -qE ':/pleach\.slice/run-[^/]*\.scope' /lab/groups
check "nothing but pleachd is in its service" sh -c 'test "$(cat $(find /sys/fs/cgroup -path "*/system.slice/pleachd.service/cgroup.procs") | sort -u | wc -l)" = 1'
namespace() { pleach exec hello -- readlink /proc/1/ns/net; }
before=$(namespace)
check "it has a VNF" test -n "$before"
check "restarts" systemctl restart pleachd
check "restarted, it converges" pleach status --wait --timeout 30s
check "restarted, it is the same VNF" test "$(namespace)" = "$before"
echo "log-level debug" >>/etc/pleach/pleachd.conf
check "reloads" systemctl reload pleachd
for _ in $(seq 50); do [ "$(pleach log-level)" = debug ] && break; sleep 0.1; done
check "reloaded, the level is another" test "$(pleach log-level)" = debug
check "the journal has priorities" sh -c 'journalctl -q -u pleachd -p debug | grep -q "pleachd\[.*reloaded" && ! journalctl -q -u pleachd -p err | grep -q reloaded'
kill -STOP "$(show MainPID)"
for _ in $(seq 100); do [ "$(show NRestarts)" = 1 ] && [ "$(show ActiveState)" = active ] && break; sleep 0.1; done
check "hung, it is killed by the watchdog and started again" test "$(show NRestarts)" = 1
check "and converges" pleach status --wait --timeout 30s
check "and it is the same VNF" test "$(namespace)" = "$before"
check "stops" systemctl stop pleachd
check "stopped, the VNF and the runtime folder stay" test "$(namespace)" = "$before"
check "starts again" systemctl start pleachd
main=$(show MainPID)
check "is installed over" apt-get install -q -y --reinstall /lab/pleach-1.deb
check "and is running, another process" test "$(show ActiveState)" = active -a "$(show MainPID)" != "$main"
check "and converges" pleach status --wait --timeout 30s
check "and it is the same VNF" test "$(namespace)" = "$before"
check "is purged" dpkg --purge pleach
check "purged, the VNFs are gone" test ! -e "/proc/$keeper"
check "purged, the unit is gone" sh -c '! systemctl cat pleachd'
check "purged, the slice is empty" sh -c 'test -z "$(cat $(find /sys/fs/cgroup -path "*/pleach.slice/*cgroup.procs"))"'
echo done
S
cat >"$lab/enter" <<S
$(package_root)
apt-get install -q -y --no-install-recommends systemd systemd-sysv dbus /lab/pleach-1.deb git haproxy curl procps >/tmp/apt.log 2>&1 || { tail -n 5 /tmp/apt.log; exit 1; }
rm /usr/sbin/policy-rc.d
find /etc/systemd/system/*.wants -name 'haproxy*' -delete
mkdir -p /etc/systemd/system/pleachd.service.d
printf '[Service]\nWatchdogSec=2s\n' >/etc/systemd/system/pleachd.service.d/quick.conf
if [ -n "$v2" ]; then
	mount -t cgroup2 cgroup2 /sys/fs/cgroup
else
	mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup
	for name in cpu cpuacct memory pids devices freezer blkio; do
		mkdir /sys/fs/cgroup/\$name && mount -t cgroup -o \$name cgroup /sys/fs/cgroup/\$name || rmdir /sys/fs/cgroup/\$name
	done
	mkdir /sys/fs/cgroup/systemd /sys/fs/cgroup/unified
	mount -t cgroup -o none,name=systemd cgroup /sys/fs/cgroup/systemd
	mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified
fi
cat >/etc/systemd/system/inside.service <<U
[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/bin/bash -c 'bash /lab/inside >/lab/out 2>&1; systemctl exit || systemctl poweroff -ff'
[Install]
WantedBy=default.target
U
mkdir -p /etc/systemd/system/default.target.wants
ln -s ../inside.service /etc/systemd/system/default.target.wants/
touch /lab/out
mount --bind /out /lab/out
exec env -i container=pleach-test PATH=\$PATH /sbin/init --log-target=null
S
# What comes out: a file of the test's folder, seen through the new root.
touch "$lab/out"
sed -i "s,^mkdir -p lab old\$,mkdir -p lab old; touch out; mount --bind \"$lab/out\" out," "$lab/enter"
(
	for folder in $(groups); do echo "$BASHPID" >"$folder/cgroup.procs"; done
	exec timeout 150 unshare --mount --pid --fork --uts --ipc --cgroup --propagation private -- bash "$lab/enter"
) >"$lab/console" 2>&1
[ -s "$lab/out" ] || { tail -n 20 "$lab/console" | sed 's/^/# /'; skip_all "systemd does not run in namespaces here"; }
package_results
package_done
