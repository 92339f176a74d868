#!/usr/bin/env bash
# pleachd as a service of a host: what it tells the service manager, its configuration file and SIGHUP, the formats and the levels
# of its log; and a reboot of the host, after which the same network comes back, with its addresses.
. "$(dirname "$0")/../lib/lab.sh"
need haproxy python3
lab_begin
lab_repo smallest
sed -i 's/^    hello:/    first:/' "$work/service.yaml"
lab_push "One service"

# --- the service manager --------------------------------------------------------------------------------------------------------
cat >"$lab/manager.py" <<'P'
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
while True:
    print(s.recv(65536).decode().replace("\n", " "), flush=True)
P
python3 "$lab/manager.py" "$lab/notify" >"$lab/told" &
manager=$!
eventually 5 test -S "$lab/notify"
cat >"$lab/pleachd.conf" <<P
# of this test
repo $bare
  poll	7s

log-level debug
P
NOTIFY_SOCKET=$lab/notify WATCHDOG_USEC=400000 lab_start --config "$lab/pleachd.conf" --poll 5s --log-format json
told() { grep -qE "$1" "$lab/told"; }
ok "it says when it is ready" eventually 20 told '^READY=1'
ok "converged" lab_converged
ok "it says how it stands" eventually 5 told '^STATUS=converged: commit [0-9a-f]{10}; 3 objects'
alive_twice() { [ "$(grep -c WATCHDOG=1 "$lab/told")" -ge 2 ]; }
ok "and that it lives, again and again" eventually 5 alive_twice
keeper=$(lab_keeper)
is "what it starts does not inherit the manager's socket" "$(tr '\0' '\n' <"/proc/$keeper/environ" | grep -c NOTIFY_SOCKET)" 0
ok "the log is JSON, each line whole" python3 -c '
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
assert any(line.get("key", "").startswith("vnfc/first") for line in lines), "no key"
assert any(line["level"] == "debug" for line in lines), "no debug"' "$lab/pleachd.log"

# The network: "KEY ADDRESS" of each VNFC.
addresses() { pleach status | grep -oE 'vnfc/[a-z.0-9]+ +[A-Z][a-z]+ +[0-9.]+' | tr -s ' ' | cut -d' ' -f1,3; }

# --- a reload -------------------------------------------------------------------------------------------------------------------
logged() { grep -qE "$1" "$lab/pleachd.log"; }
cat >"$lab/pleachd.conf" <<P
listen unix:/elsewhere
log-level warning
P
kill -HUP "$daemon"
ok "SIGHUP: what cannot change is said" eventually 5 logged 'listen.* has changed: that needs a restart'
ok "SIGHUP: the manager is told" eventually 5 told '^RELOADING=1 MONOTONIC_USEC=[0-9]+'
is "SIGHUP: the level is another" "$(pleach log-level)" warning
echo "log-level loud" >"$lab/pleachd.conf"
kill -HUP "$daemon"
ok "SIGHUP with a faulty file: refused" eventually 5 logged 'not reloaded, all stays as it was.*--log-level takes'
is "SIGHUP with a faulty file: all stays" "$(pleach log-level)" warning
is "the level at run time" "$(pleach log-level info)" info
is "no such level" "$(pleach log-level loud >/dev/null 2>&1; echo $?)" 64
before=$(addresses)
lab_stop
ok "it says that it stops" eventually 5 told '^STOPPING=1'
kill "$manager"
echo "no such word" >"$lab/pleachd.conf"
like "a faulty file at the start" "$(pleachd --config "$lab/pleachd.conf" 2>&1)" 'pleachd.conf: Unknown option --no'
echo "REPO x" >"$lab/pleachd.conf"
like "a line that is no option" "$(pleachd --config "$lab/pleachd.conf" 2>&1)" 'pleachd.conf:1: "REPO" is no option'
python3 -c 'print("repo x\n" * 300)' >"$lab/pleachd.conf"
like "too many options" "$(pleachd --config "$lab/pleachd.conf" 2>&1)" 'more than 256 options'
head -c 70000 /dev/zero | tr '\0' '#' >"$lab/pleachd.conf"
like "too large a file" "$(pleachd --config "$lab/pleachd.conf" 2>&1)" 'pleachd.conf'

# --- a reboot -------------------------------------------------------------------------------------------------------------------
# Two services, the second after the first. The first has an address that is fixed, and then no longer: only the memory of what was
# applied can bring that back.
python3 - "$work/service.yaml" <<'P'
import sys
text = open(sys.argv[1]).read()
start = text.index("    first:")
text += text[start:].replace("    first:", "    second:").rstrip("\n") + "\n      requirements:\n        - dependency: first\n"
open(sys.argv[1], "w").write(text)
P
fixed=$(grep first <<<"$before" | grep -oE '[0-9]+[.][0-9]+[.][0-9]+[.]')77
sed -i "0,/properties: .*/s//properties: { descriptor: \/web.yaml, connection_points: { port: { addresses: [ $fixed ] } } }/" "$work/service.yaml"
lab_push "Two services, one address is fixed"
: >"$lab/pleachd.log"
lab_start
ok "two services" lab_converged
like "the fixed address is there" "$(addresses)" "vnfc/first.vdu.0 $fixed"
sed -i 's/, connection_points: { port: { addresses: [^}]* } }//' "$work/service.yaml"
lab_push "It is not fixed any more"
ok "no address is fixed" lab_converged
before=$(addresses)
macs() { for key in first second; do pleach exec $key -- cat /sys/class/net/port/address; done; }
macs_before=$(macs)
is "both have an address" "$(wc -l <<<"$before")" 2
lab_stop KILL
lab_keepers | xargs -r kill -9
eventually 10 eval '[ -z "$(lab_keepers)" ]'
rm -rf "$lab/run"
: >"$lab/pleachd.log"
lab_start
ok "after a reboot: everything comes back" lab_converged
is "after a reboot: the same addresses" "$(addresses)" "$before"
is "after a reboot: the same MACs" "$(macs)" "$macs_before"
made() { grep -nE "create $1: COMPLETED" "$lab/pleachd.log" | head -n 1 | cut -d: -f1; }
ok "after a reboot: a service that depends on another comes after it" test "$(made nf/first.vdu.0)" -lt "$(made vnfc/second.vdu.0)"
lab_done
