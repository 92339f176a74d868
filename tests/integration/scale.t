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

# --- told before it goes --------------------------------------------------------------------------------------------------------
times() { # KEY ACTION: when that operation of the newest revision began and ended
	pleach events -o json | python3 -c '
import json, sys
key, action = sys.argv[1:]
events = [e for e in json.load(sys.stdin)["events"] if e["kind"] == "operation" and e["key"] == key and (e["text"] or "").startswith(action)]
print(*[[e["at"] for e in events if e["state"] == state][-1] for state in ("PROCESSING", "COMPLETED")])' "$1" "$2"
}
before() { # A B: did A end before B began?
	[[ "${1#* }" < "${2%% *}" || "${1#* }" = "${2%% *}" ]]
}
told=$(times nf/farm.balancer.vdu.0 change)
for index in 2 3; do
	ok "in: the balancer was told before the software of $index stopped" before "$told" "$(times nf/farm.web.vdu.$index remove)"
	ok "in: … and before its VNFC went" before "$told" "$(times vnfc/farm.web.vdu.$index remove)"
done

# --- levels, and one that dies while others are changed -------------------------------------------------------------------------------
sed -i 's/instantiation_level: quiet/instantiation_level: busy/; ' "$work/farm.yaml"
set_scale "" "Four, by the level"
ok "level: converges" lab_converged
is "level: four" "$(servers)" "0 1 2 3 "

begin_stream one two
sed -i 's/title: one/title: two/' "$work/service.yaml"
lab_push "Another title"
ok "rolling: converges" lab_converged
end_stream "rolling"
for index in 0 1 2; do
	ok "rolling: $index was done before $((index + 1)) began" \
		before "$(times nf/farm.web.vdu.$index change)" "$(times nf/farm.web.vdu.$((index + 1)) change)"
done
is "rolling: all have it" "$(for i in 0 1 2 3; do pleach exec farm.web.vdu.$i -- curl -s http://127.0.0.1/; done | grep -c '^two ')" 4

# --- a configuration that is well-formed, and whose server says that it is not well ------------------------------------------------------
says() {
	pleach status | grep -qE "$1"
}
contents() { # of the four, one letter each: what they were configured with
	for i in 0 1 2 3; do
		pleach exec farm.web.vdu.$i -- grep -oE 'return 200 "[a-z]+ ' /etc/nginx/lab.conf | sed 's/.*"\(.*\) /\1/'
	done | tr '\n' ' '
}
begin_stream two three # what the first says until it is taken back
sed -i 's/title: two, health: 200/title: three, health: 503/' "$work/service.yaml"
lab_push "One that is not well"
ok "not well: status says so of the first, and why" eventually 30 says 'nf/farm\.web\.vdu\.0 +Failed .*503'
like "not well: status says that it is held" "$(pleach status)" 'pleach sync nf/farm\.web\.vdu\.0'
is "not well: taken back, the others were not touched" "$(contents)" "two two two two "
like "not well: explain says what the others wait for" "$(pleach explain nf/farm.web.vdu.1)" 'nf/farm\.web\.vdu\.0'
sleep 1
is "not well: nothing more is tried" "$(pleach events nf/farm.web.vdu.1 | grep -c three)$(contents)" "0two two two two "
end_stream "not well"
sed -i 's/title: three, health: 503/title: four, health: 200/' "$work/service.yaml"
lab_push "One that is"
ok "not well: healed by the next commit" lab_converged
is "not well: all have that" "$(contents)" "four four four four "

# --- one dies while a roll-out is under way; several at once ----------------------------------------------------------------------------
process() { # KEY: the first process of that VNFC, as the host sees it
	local inside pid
	inside=$(pleach exec "$1" -- readlink /proc/1/ns/pid)
	for pid in $(lab_leaves); do
		[ "$(readlink "/proc/$pid/ns/pid")" != "$inside" ] || echo "$pid"
	done
}
incarnations() {
	pleach status -o json | python3 -c '
import json, sys
found = {}
def walk(node):
    if isinstance(node, dict):
        if str(node.get("key")).startswith("vnfc/farm.web.vdu.") and "incarnation" in node:
            found[node["key"]] = node["incarnation"]
        node = list(node.values())
    for child in node if isinstance(node, list) else []:
        walk(child)
walk(json.load(sys.stdin))
print(*[found[key] for key in sorted(found)])'
}
began() { # KEY: is its operation of this title's revision under way, or done?
	pleach events "nf/farm.web.vdu.$1" -o json | grep -q "$(git -C "$work" rev-parse HEAD)"
}
doomed=$(process farm.web.vdu.3)
begin_stream four five
sed -i 's/title: four/title: five/' "$work/service.yaml"
lab_push "Another title, and one dies"
ok "killed: the roll-out is under way" eventually 20 began 0
kill -9 "$doomed"
ok "killed: converges" lab_converged
is "killed: only that one is another" "$(incarnations)" "1 1 1 2"
is "killed: all have the new one" "$(contents)" "five five five five "
end_stream "killed"

kill -9 "$(process farm.web.vdu.1)" "$(process farm.web.vdu.2)"
back() {
	[ "$(incarnations)" = "1 2 2 2" ] && [ "$(contents)" = "five five five five " ]
}
ok "two killed: both are back" eventually 20 back
first=$(times vnfc/farm.web.vdu.1 replace) second=$(times vnfc/farm.web.vdu.2 replace)
ok "two killed: side by side" test "$(before "$first" "$second" || before "$second" "$first"; echo $?)" = 1
lab_done
