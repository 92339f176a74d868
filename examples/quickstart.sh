#!/bin/sh
# Pleach in two minutes: installs what is missing, builds, and then lets you watch a network live in Git.
#
#   examples/quickstart.sh [--keep]
#
#   --keep         leave the network and its controller running at the end, and say how to take them away
#   PLEACH_BUILD   where to build; build/ when it is not set
#
# No root is needed once the packages are there. Everything is made in a temporary folder and taken away at the end.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/lib/prepare.sh
. "$root/tests/lib/prepare.sh"

keep=
case ${1-} in
'') ;;
--keep) keep=yes ;;
*)
	sed -n 's/^# \{0,1\}//; 2,9p' "$0" >&2
	exit 64
	;;
esac

# shellcheck disable=SC2086 # lists of names
prepare_packages $packages_build $packages_run || exit 1
build=${PLEACH_BUILD:-$root/build}
prepare_build "$build" Release -DPLEACH_TESTS=OFF || exit 1

lab=$(mktemp -d /tmp/pleach-XXXXXX)
export PATH="$build/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
export PLEACH_STATE="$lab/state" PLEACH_RUNTIME_DIR="$lab/run" PLEACH_CONTROLLER="unix:$lab/state/pleachd.sock"
export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=operator GIT_AUTHOR_EMAIL=operator@localhost
export GIT_COMMITTER_NAME=operator GIT_COMMITTER_EMAIL=operator@localhost
controller=

take_away() {
	trap - EXIT INT TERM
	[ -z "$controller" ] || { kill "$controller" && wait "$controller"; } 2>/dev/null
	[ ! -d "$lab/run" ] || pleach site clean --all --yes >/dev/null 2>&1
	rm -rf "$lab"
}
trap 'take_away; exit 130' INT TERM
trap take_away EXIT

# --- telling ------------------------------------------------------------------------------------------------------------------
if [ -t 1 ] && [ -z "${NO_COLOR-}" ]; then bold=$(printf '\033[1m') plain=$(printf '\033[0m'); else bold='' plain=''; fi
say() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
show() {
	printf '%s$ %s%s\n' "$bold" "$*" "$plain"
	"$@"
}
stop_here() {
	printf '\n%s\n' "$*" >&2
	tail -n 20 "$lab/pleachd.log" >&2
	exit 1
}
converged() { show pleach status --wait --timeout 60s || stop_here "The network did not converge."; }
push() {
	git -C "$lab/tree" add -A
	show git -C "$lab/tree" commit -qm "$1"
	show git -C "$lab/tree" push -q origin main || exit 1
}
# answers COMMAND…: tried for some seconds, since a network function may still be starting; what came back is shown.
answers() {
	printf '%s$ %s%s\n' "$bold" "$*" "$plain"
	tries=50
	until answer=$("$@" 2>&1) && [ -n "$answer" ]; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || stop_here "No answer: $answer"
		sleep 0.1
	done
	printf '%s\n' "$answer"
}
since() { printf '%s ms' $((($(date +%s%N) - began) / 1000000)); }

# --- the network --------------------------------------------------------------------------------------------------------------
say "1. A repository, and a controller that watches it"
git init -q --bare -b main "$lab/network.git"
git init -q -b main "$lab/tree"
git -C "$lab/tree" remote add origin "$lab/network.git"
mkdir "$lab/state"
printf '%s$ pleachd --repo %s --branch main &%s\n' "$bold" "$lab/network.git" "$plain"
pleachd --repo "$lab/network.git" --branch main >"$lab/pleachd.log" 2>&1 &
controller=$!

say "2. Two services, seven VNFs: a load balancer and web servers, a resolver and the server behind it, and their clients"
cp -r "$root/examples/edge-lab/." "$lab/tree/"
show pleach validate "$lab/tree" || exit 1
printf '%s$ pleach plan %s%s\n' "$bold" "$lab/tree" "$plain"
pleach plan "$lab/tree" | sed -n '1,24p; 25s/.*/      …\n/p; $p'

say "3. git push makes it so"
began=$(date +%s%N)
push "The edge lab"
converged
echo "From the push to a converged network: $(since)."

say "4. Real traffic through it"
answers pleach exec web.client -- curl -s --max-time 5 http://10.20.1.10/
answers pleach exec web.client -- curl -s --max-time 5 http://10.20.1.10/
answers pleach exec names.client -- getent hosts www.edge.lab

say "5. A change is a commit; only what it names is touched"
sed -i 's/Hello from the edge lab/Good evening from the edge lab/' "$lab/tree/services/web.yaml"
show git -C "$lab/tree" diff --unified=0 --no-color
show pleach plan "$lab/tree"
push "Another greeting"
converged >/dev/null
answers pleach exec web.client -- curl -s --max-time 5 http://10.20.1.10/

say "6. Somebody kills a VNF: what, why, and put right"
vnfc=vnfc/web.www.vdu.0
pid=$(pleach explain "$vnfc" | sed -n "s/^ *pid: //p" | head -n 1)
address() { pleach exec "$vnfc" -- hostname -I | tr -d ' '; }
printf '%s$ kill -9 %s      # the first process of %s, %s%s\n' "$bold" "$pid" "$vnfc" "$(address)" "$plain"
began=$(date +%s%N)
kill -9 "$pid"
until pleach explain "$vnfc" 2>/dev/null | grep -q repaired; do
	[ $(($(date +%s%N) - began)) -lt 20000000000 ] || stop_here "It was not put right."
	sleep 0.01
done
pleach status --wait --timeout 60s >/dev/null || stop_here "It was not put right."
echo "Killed, noticed, and running again with $(address): $(since)."
show pleach drift
show pleach events web.www -n 10
answers pleach exec web.client -- curl -s --max-time 5 http://10.20.1.10/

say "7. git rm takes a service away"
show git -C "$lab/tree" rm -q services/names.yaml
push "No names any more"
converged
echo "What is left of it: $(pleach status | grep -c 'names\.') objects."

if [ -n "$keep" ]; then
	trap - EXIT INT TERM
	say "It goes on running (--keep)."
	cat <<END
    export PATH="$build/bin:\$PATH" PLEACH_STATE="$PLEACH_STATE" PLEACH_RUNTIME_DIR="$PLEACH_RUNTIME_DIR"
    pleach status                        # and git -C $lab/tree commit …, push
    kill $controller; pleach site clean --all; rm -rf $lab
END
	exit 0
fi

say "8. A commit that would take everything away is held, until somebody says so"
show git -C "$lab/tree" rm -q services/web.yaml
push "Nothing"
commit=$(git -C "$lab/tree" rev-parse --short=12 HEAD)
pleach status --wait --timeout 60s >/dev/null
[ $? -eq 2 ] || stop_here "It was not held."
answers pleach exec web.client -- curl -s --max-time 5 http://10.20.1.10/
printf '%s$ pleach status | tail -n 1%s\n' "$bold" "$plain"
pleach status | tail -n 1
show pleach approve "$commit" || stop_here "It could not be approved."
converged

say "9. The controller stops; nothing is left"
kill "$controller"
wait "$controller"
controller=
sleep 2 # a keeper with nothing left to keep ends by itself
show pleach site list
take_away
say "That was it. Your own repository: \`pleach init my-network\`; more: docs/getting-started.md"
