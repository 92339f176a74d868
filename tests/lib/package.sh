# shellcheck shell=bash
# For tests of the Debian package, behind lab.sh: the package of a release build, and a clean root to put it into.
#
# Build, root and downloads are kept in $PLEACH_BUILD/package, so that only the first run takes long. $PLEACH_RELEASE: a release build of
# this tree that is there already.

# Where this machine's own packages come from.
package_mirror() {
	cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
		sed -nE 's/^(URIs:|deb( \[[^]]*\])?) +(http:[^ ]+).*/\3/p' | head -n 1
}

package_begin() {
	[ "$(id -u)" -eq 0 ] || skip_all "only root makes a clean root"
	need debootstrap cmake ninja dpkg-shlibdeps cpack unshare
	unshare --mount --pid --fork true 2>/dev/null || skip_all "no mount and PID namespaces here"
	local mirror host
	mirror=$(package_mirror)
	host=$(sed -E 's,^http://([^/]+).*,\1,' <<<"$mirror")
	[ -n "$mirror" ] || skip_all "this machine has no mirror of packages over http"
	timeout 20 perl -MIO::Socket::INET -e 'exit !IO::Socket::INET->new(PeerAddr => $ARGV[0], PeerPort => 80, Timeout => 15)' "$host" ||
		skip_all "no network: $host does not answer"
	kept=$build/package
	mkdir -p "$kept/archives"
	if [ ! -e "$kept/root/.complete" ]; then
		rm -rf --one-file-system "$kept/root"
		timeout 300 debootstrap --variant=minbase bookworm "$kept/root" "$mirror" >"$kept/debootstrap.log" 2>&1 ||
			skip_all "debootstrap: $(tail -n 1 "$kept/debootstrap.log")"
		touch "$kept/root/.complete"
	fi
	release=${PLEACH_RELEASE:-$kept/release}
	if ! { { [ -n "${PLEACH_RELEASE:-}" ] || cmake -S "$root" -B "$release" -G Ninja -DCMAKE_BUILD_TYPE=Release -DPLEACH_TESTS=OFF; } &&
		ninja -j "${PLEACH_JOBS:-2}" -C "$release"; } >"$kept/release.log" 2>&1; then
		tail -n 20 "$kept/release.log" | sed 's/^/# /'
	fi
	lab=$(mktemp -d /tmp/plt.XXXXXX)
	trap 'rm -rf --one-file-system "$lab"' EXIT
	trap 'exit 1' INT TERM
	mkdir "$lab/mem"
	cat >"$lab/check" <<'S'
set -u
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
check() {
	local name=$1
	shift
	if "$@" >/tmp/said 2>&1; then
		echo "ok - $name"
	else
		echo "not ok - $name"
		tail -n 15 /tmp/said | sed 's/^/#   /'
	fi
}
S
}

# package_make RELEASE: $lab/pleach-RELEASE.deb
package_make() {
	(cd "$release" && cpack -G DEB -D CPACK_DEBIAN_PACKAGE_RELEASE="$1" -B "$lab/deb$1") >"$lab/cpack.log" 2>&1 &&
		cp "$lab/deb$1"/*.deb "$lab/pleach-$1.deb"
}

# package_later OLD NEW: the same package, of a later release.
package_later() {
	dpkg-deb -R "$lab/pleach-$1.deb" "$lab/later" &&
		sed -i "s/^\\(Version: .*\\)-$1\$/\\1-$2/" "$lab/later/DEBIAN/control" &&
		dpkg-deb -Zgzip --root-owner-group -b "$lab/later" "$lab/pleach-$2.deb" >/dev/null
}

# The beginning of a script that is run in new mount and PID namespaces: a copy of the clean root, in memory, becomes its root. What is in
# $lab is in /lab there. It has the host's network; services that packages bring along are not started.
package_root() {
	cat <<S
set -e
mount -t tmpfs -o mode=755 tmpfs "$lab/mem"
mkdir "$lab/mem/root"
cp -a "$kept/root/." "$lab/mem/root/"
cd "$lab/mem/root"
mount --bind . .
cd "$lab/mem/root"
mkdir -p lab old
find "$lab" -maxdepth 1 -type f -exec cp {} lab/ ';'
mount --bind "$kept/archives" var/cache/apt/archives
cp /etc/resolv.conf etc/
[ ! -d /etc/apt/apt.conf.d ] || find /etc/apt/apt.conf.d -name '99*' -exec cp {} etc/apt/apt.conf.d/ ';'
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t tmpfs -o mode=755 tmpfs dev
for name in null zero full random urandom tty; do
	touch dev/\$name
	mount --bind /dev/\$name dev/\$name
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
mount -t tmpfs tmpfs run
pivot_root . old
cd /
umount -l old
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
apt-get -q update >/dev/null 2>&1 || true
S
}

# What check() said inside, as tests of this one.
package_results() {
	local word rest
	while read -r word rest; do
		case $word in
		ok) ok "${rest#- }" true ;;
		not) ok "${rest#ok - }" false ;;
		"#"*) echo "$word $rest" ;;
		esac
	done <"$lab/out"
}

package_done() {
	is "it came to its end" "$(tail -n 1 "$lab/out")" "done" || tail -n 20 "$lab/out" | sed 's/^/# /'
	is "nothing is left running" "$(pgrep -f "$lab" | grep -v "^$$\$")" ""
	echo "1..$tap_n"
}
