#!/usr/bin/env bash
# Secrets reach the network function that needs them, and nothing else: no output, log, database, process argument or environment, no
# package, no status of the leaf. A secret that changes reconfigures what uses it, also when nobody commits.
. "$(dirname "$0")/../lib/lab.sh"
need haproxy curl
lab_begin
first=hunter2-first-Zq81 second=hunter2-second-Wp52 token=tok-of-start-Yy77
mkdir -p "$lab/state/secrets"
echo "$first" >"$lab/state/secrets/lb-stats"
printf 'user=anna\ntoken=%s\n' "$token" >"$lab/state/secrets/api"
lab_repo smallest
mkdir "$work/scripts"
cat >"$work/scripts/start.sh" <<'END'
#!/bin/sh
[ -n "$TOKEN" ] || exit 1
printf '%s' "$TOKEN" | sha256sum | cut -c 1-16 >/run/token.sum
END
cat >"$work/scripts/check.sh" <<'END'
#!/bin/sh
exec haproxy -c -q -f "$PLEACH_NEW/etc/haproxy.cfg"
END
cat >>"$work/haproxy.cfg" <<'END'

frontend health
    bind 127.0.0.1:8404
    stats enable
    stats uri /stats
    stats auth pleach:{{stats_password}}
END
perl -0pi -e 's/node_types:\n/node_types:
  example.nodes.Balancer:
    derived_from: pleach.nodes.NetworkFunction
    properties: { stats_password: { type: pleach.datatypes.Secret } }
/; s/pleach.nodes.NetworkFunction\n      properties: \{ command/example.nodes.Balancer
      properties: { stats_password: { secret: lb-stats }, command/' "$work/web.yaml"
cat >>"$work/web.yaml" <<'END'
      interfaces:
        Standard:
          operations:
            check: scripts/check.sh
            start: { implementation: scripts/start.sh, inputs: { TOKEN: { secret: api, key: token } } }
END
lab_push "With secrets"
lab_start --log-level debug
ok "converged" lab_converged

# asks PASSWORD: what haproxy's statistics answer to it.
asks() {
	pleach exec hello -- curl -s -o /dev/null -w '%{http_code}' --max-time 5 -u "pleach:$1" http://127.0.0.1:8404/stats
}
is "the network function has the secret" "$(asks "$first")" 200
is "… and takes no other" "$(asks nothing)" 401
is "an entry of a secret is in the environment of the operation" "$(pleach exec hello -- cat /run/token.sum)" \
	"$(printf '%s' "$token" | sha256sum | cut -c 1-16)"

# Everything that anybody can read, in one file.
gather() {
	local key object
	{
		for object in plan status drift history events; do
			pleach $object 2>&1
			pleach $object -o json 2>&1
		done
		for key in nf/hello.vdu.0 vnfc/hello.vdu.0 vnf/hello hello; do
			pleach explain "$key" 2>&1
			pleach explain "$key" -o json 2>&1
			pleach status "$key" -o json 2>&1
			pleach logs "$key" 2>&1
			pleach nf status "$key" 2>&1
			pleach nf status "$key" -o json 2>&1
		done
		pleach plan "$work" 2>&1
		pleach plan "$work" -o json 2>&1
		pleach plan "$work" -o markdown 2>&1
		pleach show "$work" 2>&1
		pleach show hello 2>&1
		curl -s --unix-socket "$lab/state/pleachd.sock" http://p/v1/objects/nf/hello.vdu.0
		cat "$lab/pleachd.log"
		find "$lab/state" -type f ! -path "$lab/state/secrets/*" -exec cat {} +
		find "$lab/run" -type f -exec cat {} + 2>/dev/null
		[ -n "${talks:-}" ] || find "$lab/run" -name '*.sock' -exec curl -s --max-time 2 --unix-socket {} http://leaf/v1/status ';' 2>/dev/null
	} >"$lab/gathered" 2>/dev/null
	[ -n "${talks:-}" ] || pleach exec hello -- sh -c 'cat /run/pleach/packages/*/* /var/lib/pleach/*/* /var/lib/pleach/*/*/* 2>/dev/null' >>"$lab/gathered" 2>/dev/null
}
# Arguments and environments of everything of ours: the controller, the keeper, the leaves and the commands.
gather_processes() {
	local pid
	: >"$lab/processes"
	for pid in $daemon $(lab_keepers) $(lab_leaves) $(pgrep -x haproxy); do
		tr '\0' '\n' <"/proc/$pid/cmdline"
		tr '\0' '\n' <"/proc/$pid/environ"
	done >>"$lab/processes" 2>/dev/null
}
found() {
	grep -a -E "$first|$second|$token" "$1" | tr -d '\0' | cut -c 1-200 | sort | uniq -c
}
gather
is "no output, log, database or package has a secret" "$(found "$lab/gathered")" ""
ok "what was searched is what should be" grep -q 'secret:lb-stats' "$lab/gathered"
gather_processes
is "no argument and no environment has one" "$(found "$lab/processes")" ""
ok "… of processes that are there" grep -q pleach-leaf "$lab/processes"
unlike "status shows no changed secret" "$(pleach drift)" 'secret'

# Nobody commits: the secret of the controller changes.
echo "$second" >"$lab/state/secrets/lb-stats"
has_second() {
	[ "$(asks "$second")" = 200 ]
}
ok "a changed secret reconfigures what uses it" eventually 30 has_second
ok "converged again" lab_converged
is "… and the former one opens nothing" "$(asks "$first")" 401
gather
is "the new one is nowhere either" "$(found "$lab/gathered")" ""

# A check that fails repeats what it was given.
cat >"$work/scripts/check.sh" <<'END'
#!/bin/sh
cat "$PLEACH_NEW/etc/haproxy.cfg" >&2
exit 1
END
sed -i 's/timeout client.*/timeout client 11s/' "$work/haproxy.cfg"
lab_push "A check that talks"
failed() {
	pleach status | grep -qE 'nf/hello\.vdu\.0 +Failed'
}
ok "a failing check is said" eventually 30 failed
talks=1 gather # the leaf itself tells what the script printed; the controller does not pass it on
is "the words of a failing check have no secret" "$(found "$lab/gathered")" ""
is "the configuration in force is the former one" "$(asks "$second")" 200

# A secret that is not there any more.
git -C "$work" revert --no-edit HEAD -q 2>/dev/null || git -C "$work" revert --no-edit HEAD >/dev/null
git -C "$work" push -q origin HEAD:main
ok "healed by a commit" lab_converged
rm "$lab/state/secrets/lb-stats"
missing() {
	pleach explain nf/hello.vdu.0 | grep -q 'lb-stats'
}
ok "a secret that cannot be had is said" eventually 30 missing
is "… and what runs goes on" "$(asks "$second")" 200
lab_done
