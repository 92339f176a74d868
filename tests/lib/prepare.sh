# shellcheck shell=sh
# What examples/quickstart.sh and tests/run.sh share: installing what is missing, and building. Sourced; POSIX sh.

packages_build="build-essential cmake ninja-build pkg-config libglib2.0-dev libjansson-dev libgit2-dev libyaml-dev libsqlite3-dev
	libmicrohttpd-dev libcurl4-openssl-dev libmnl-dev libssh-dev"
packages_run="git uidmap iproute2 procps haproxy nginx-light dnsmasq-base curl"
packages_test="perl python3 util-linux passwd debootstrap nftables conntrack openssl openssh-server openssh-client"

prepare_missing() {
	for package in "$@"; do
		[ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || printf '%s ' "$package"
	done
}

# Network functions are run inside VNFs: that their packages come must not start them as services of this host.
prepare_install() {
	policy=/usr/sbin/policy-rc.d
	if [ ! -e $policy ]; then
		printf '#!/bin/sh\nexit 101\n' >$policy
		chmod 755 $policy
		trap 'rm -f /usr/sbin/policy-rc.d' EXIT
	else
		policy=
	fi
	DEBIAN_FRONTEND=noninteractive apt-get update -q &&
		DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"
	prepared=$?
	if [ -n "$policy" ]; then
		rm -f "$policy"
		trap - EXIT
	fi
	return $prepared
}

# prepare_packages PACKAGE…: installs the missing ones, or tells who must.
prepare_packages() {
	missing=$(prepare_missing "$@")
	[ -n "$missing" ] || return 0
	if [ "$(id -u)" -ne 0 ]; then
		echo "These packages are missing; root must install them first:" >&2
		echo "    apt-get install --no-install-recommends $missing" >&2
		return 1
	fi
	echo "Installing: $missing"
	log=$(mktemp)
	# shellcheck disable=SC2086 # a list of names
	if ! prepare_install $missing >"$log" 2>&1; then
		tail -n 20 "$log" >&2
		rm -f "$log"
		echo "The packages could not be installed." >&2
		return 1
	fi
	rm -f "$log"
}

# prepare_build FOLDER TYPE [OPTION…]: configures and builds, quietly when it is fine.
prepare_build() {
	folder=$1 type=$2
	shift 2
	log=$(mktemp)
	echo "Building ($type) in $folder"
	if ! { cmake -S "$root" -B "$folder" -G Ninja -DCMAKE_BUILD_TYPE="$type" "$@" && cmake --build "$folder"; } >"$log" 2>&1; then
		grep -E 'error|warning|FAILED|CMake Error' "$log" | head -n 40 >&2
		tail -n 20 "$log" >&2
		rm -f "$log"
		echo "The build failed." >&2
		return 1
	fi
	rm -f "$log"
}
