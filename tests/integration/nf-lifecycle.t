#!/usr/bin/env bash
# The lifecycle of a network function with scripts: its rules follow commits while it runs, a bad configuration never takes effect, a bad
# package gives way to the former one, and what was taken back is not tried again until it changes or somebody says so.
. "$(dirname "$0")/../lib/lab.sh"
need haproxy curl nft
lab_begin
lab_repo smallest
mkdir "$work/scripts"
cat >"$work/scripts/check.sh" <<'END'
#!/bin/sh
exec nft --check --file "$PLEACH_NEW/etc/rules.nft"
END
cat >"$work/scripts/load.sh" <<'END'
#!/bin/sh
set -e
nft --file /etc/rules.nft
echo one >/run/version
END
cat >"$work/rules.nft" <<'END'
table inet lab
flush table inet lab
table inet lab {
	chain input {
		type filter hook input priority filter; policy accept;
		tcp dport 80 {{verdict}}
	}
}
END
perl -0pi -e 's/node_types:\n/node_types:
  example.nodes.Filter:
    derived_from: pleach.nodes.NetworkFunction
    properties: { verdict: { type: string } }
/; s/pleach.nodes.NetworkFunction\n      properties: \{ command/example.nodes.Filter
      properties: { verdict: accept, health_check: { type: process, interval: 200 ms }, command/' "$work/web.yaml"
cat >>"$work/web.yaml" <<'END'
        rules: { type: pleach.artifacts.Template, file: rules.nft, deploy_path: /etc/rules.nft }
      interfaces:
        Standard: { operations: { check: scripts/check.sh, start: scripts/load.sh, reload: scripts/load.sh } }
END
lab_push "Rules"
lab_start
ok "converged" lab_converged 20s
namespace=$(pleach exec hello -- readlink /proc/1/ns/net)

passes() {
	pleach exec hello -- curl -s -o /dev/null --max-time 2 http://127.0.0.1/ >/dev/null 2>&1
}
software() {
	pleach exec hello -- pgrep -o -x haproxy
}
says() {
	pleach status 2>/dev/null | grep -qE "nf/hello\.vdu\.0 +$1"
}
failures() {
	grep -cE 'nf/hello\.vdu\.0: FAILED' "$lab/pleachd.log"
}
verdict() {
	sed -i "s/verdict: [a-z][a-z]*,/verdict: $1,/" "$work/web.yaml"
	lab_push "$2"
}
ok "packets pass" passes
pid=$(software)

verdict drop "No more"
ok "rules: converged" lab_converged 20s
is "rules: packets stop" "$(passes; echo $?)" 28
is "rules: the software was not restarted" "$(software)" "$pid"
verdict accept "Again"
ok "rules: converged again" lab_converged 20s
ok "rules: packets pass again" passes

verdict nonsense "A verdict that there is not"
ok "bad configuration: status says so, in the check's words" eventually 20 says 'Failed .*nonsense'
ok "bad configuration: packets pass as before" passes
is "bad configuration: the software was not touched" "$(software)" "$pid"
like "bad configuration: status says that it is held" "$(pleach status)" 'pleach sync nf/hello\.vdu\.0'
plan=$(curl -s --unix-socket "$lab/state/pleachd.sock" -H 'Accept: text/plain' http://p/v1/plan)
like "bad configuration: the plan shows the lines" "$plan" '^ +\+ .*tcp dport 80 nonsense'
like "bad configuration: … that were there" "$plan" '^ +- .*tcp dport 80 accept'
tries=$(failures)
sleep 3
is "bad configuration: not tried again" "$(failures)" "$tries"
pleach sync nf/hello.vdu.0 >/dev/null
tried_again() {
	[ "$(failures)" -gt "$tries" ]
}
ok "bad configuration: tried again when somebody says so" eventually 10 tried_again
lab_stop
: >"$lab/pleachd.log"
pleachd --repo "$bare" --branch main --state "$lab/state" >>"$lab/pleachd.log" 2>&1 & # it has not converged: lab_start would wait
daemon=$!
ok "bad configuration: still held by the next controller" eventually 20 says 'Failed .*nonsense'
is "bad configuration: … which did not try it" "$(failures)" 0
ok "bad configuration: packets still pass" passes
verdict accept "As it was"
ok "bad configuration: healed by a commit" lab_converged 20s
is "bad configuration: the software is the same" "$(software)" "$pid"

sed -i 's/echo one/echo two/' "$work/scripts/load.sh"
lab_push "Another package"
ok "package: converged" lab_converged 20s
is "package: it is the new one" "$(pleach exec hello -- cat /run/version)" two
is "package: in the same VNF" "$(pleach exec hello -- readlink /proc/1/ns/net)" "$namespace"
ok "package: packets pass" passes

sed -i 's/echo two.*/echo three >\/run\/version; echo it does not work >\&2; exit 7/' "$work/scripts/load.sh"
lab_push "A bad package"
ok "bad package: status says so, in its words" eventually 30 says 'Failed .*it does not work'
ok "bad package: the former one is back" passes
is "bad package: … and did its work" "$(pleach exec hello -- cat /run/version)" two
sed -i 's/echo three.*/echo four >\/run\/version/' "$work/scripts/load.sh"
lab_push "A good one"
ok "bad package: healed by a commit" lab_converged 20s
is "bad package: the next one is in force" "$(pleach exec hello -- cat /run/version)" four

sed -i 's/{ verdict: accept/{ desired_state: stopped, verdict: accept/' "$work/web.yaml"
lab_push "Stopped"
ok "stopped: converged" lab_converged 20s
is "stopped: nothing answers" "$(pleach exec hello -- curl -s --max-time 2 http://127.0.0.1/; echo $?)" 7
sed -i 's/desired_state: stopped, //' "$work/web.yaml"
lab_push "Started"
ok "started: converged" lab_converged 20s
ok "started: packets pass" passes
is "all that in the same VNF" "$(pleach exec hello -- readlink /proc/1/ns/net)" "$namespace"
lab_done
