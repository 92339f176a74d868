#!/usr/bin/env bash
# Several instances of one VDU: scaled out and in while a client asks through a balancer that reads their addresses, a configuration that
# rolls over them one at a time, one that is not healthy, and instances that die.
. "$(dirname "$0")/../lib/lab.sh"
need haproxy nginx curl python3
lab_begin
mkdir "$work"
cp "$root/tests/integration/scale/"* "$work"
git init -q -b main "$work"
git init -q --bare -b main "$bare"
git -C "$work" remote add origin "$bare"
lab_push "Two web servers"
lab_start
ok "converges" lab_converged || exit 1

servers() {
	pleach site list -o json >/dev/null
	pleach status -o json | grep -oE 'vnfc/farm\.web\.vdu\.[0-9]+' | sort -u | sed 's/.*\.//' | tr '\n' ' '
}
is "by default the level that its profile names: two" "$(servers)" "0 1 "
echo; pleach status
lab_done
