#!/usr/bin/env bash
# Several instances of one VDU: scaled out and in while a client asks through a balancer that reads their addresses, a configuration that
# rolls over them one at a time, one that is not healthy, and instances that die.
. "$(dirname "$0")/../lib/lab.sh"
need haproxy nginx curl python3
lab_begin
mkdir "$work"
cp "$root/tests/integration/scale/"* "$work"
stream=$(cat "$work/stream.py")
rm "$work/stream.py"
git init -q -b main "$work"
git init -q --bare -b main "$bare"
git -C "$work" remote add origin "$bare"
lab_push "Two web servers"
lab_start
ok "converges" lab_converged || exit 1

servers() { # the indices of those there are
	pleach status -o json | grep -oE '"vnfc/farm\.web\.vdu\.[0-9]+"' | sort -u | tr -cd '0-9\n' | tr '\n' ' '
}
# What the balancer is asked, and what it answers, while something happens.
begin_stream() { # TITLE…: those that an answer may have
	pleach exec farm.client -- rm -f /tmp/stop
	pleach exec farm.client -- python3 -c "$stream" 10.21.1.10 "$@" >"$lab/stream" 2>&1 &
	asking=$!
}
end_stream() { # NAME
	sleep 0.5
	pleach exec farm.client -- touch /tmp/stop
	wait "$asking"
	like "$1: not one request failed" "$(head -n 6 "$lab/stream")" '^[1-9][0-9]* answers, 0 failures$'
	sed 's/^/# /' "$lab/stream"
}
set_scale() { # LINE, MESSAGE
	sed -i "/^        \(scale\|instantiation_level\):/d; s/^        inputs:/        $1\n&/" "$work/service.yaml"
	lab_push "$2"
}
asked_by() { # how many servers the balancer has in its configuration
	pleach exec farm.balancer -- grep -c '^    server ' /etc/haproxy/haproxy.cfg
}
is "two, as its profile in the NSD says" "$(servers)" "0 1 "

begin_stream one
set_scale "scale: { web.servers: 3 }" "Four web servers"
ok "out: converges" lab_converged
is "out: four, by the service's scale" "$(servers)" "0 1 2 3 "
is "out: the balancer knows them" "$(asked_by)" 4
set_scale "scale: { web.servers: 1 }" "Two web servers again"
ok "in: converges" lab_converged
is "in: the highest indices went" "$(servers)" "0 1 "
is "in: the balancer knows the others" "$(asked_by)" 2
end_stream "out and in"
is "out and in: all four answered" "$(grep -c ' from 10\.21\.2\.' "$lab/stream")" 4
pleach events -o json > /tmp/scale-events.json; pleach events | sed 's/^/# /'
cp "$lab/pleachd.log" /tmp/scale.log
lab_done
