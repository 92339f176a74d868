#!/usr/bin/env bash
# A VNF that is managed over ssh: an sshd inside it (as an image of a vendor would bring), no agent of ours, commits that its software follows.
. "$(dirname "$0")/../lib/lab.sh"
need haproxy curl ssh-keygen
[ -x /usr/sbin/sshd ] || skip_all "openssh-server is not installed"
[ "$(id -u)" -eq 0 ] || grep -q "^$(id -un 2>/dev/null):" /etc/subuid || # sshd changes to a user of its own before it lets anybody in
	skip_all "no range of ids for this user: no sshd can drop its privileges in a VNF"
lab_begin
lab_repo smallest
ssh-keygen -q -t ed25519 -N '' -f "$lab/host"
ssh-keygen -q -t ed25519 -N '' -f "$lab/client"
PLEACH_SECRET_VNF_KEY=$(cat "$lab/client")
export PLEACH_SECRET_VNF_KEY

# site FINGERPRINT: the repository with an EMS that reaches VNFs over ssh.
site() {
	cat >"$work/site.yaml" <<-EOT
		tosca_definitions_version: tosca_simple_yaml_1_3
		imports: [ pleach_types.yaml ]
		topology_template:
		  node_templates:
		    local:
		      type: pleach.nodes.Site
		      properties:
		        ems:
		          router: { driver: ssh, credential: { secret: vnf-key }, options: { host_key: "$1" } }
	EOT
}
sed -i 's|properties: { command: .*|properties: { ems: router, command: [ sh, -c, "echo up; exec haproxy -db -f /etc/haproxy.cfg" ] }\
      interfaces: { Standard: { operations: { check: { implementation: check.sh } } } }|' "$work/web.yaml"
# shellcheck disable=SC2016 # the variable is the script's
printf '#!/bin/sh\nexec haproxy -c -f "$PLEACH_NEW/etc/haproxy.cfg"\n' >"$work/check.sh"
cp "$work/web.yaml" "$lab/web.yaml"
cp "$work/haproxy.cfg" "$lab/haproxy.cfg"
site SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
lab_push "Over ssh"
lab_start
said() {
	pleach status | grep -qE "$1"
}
# Why it cannot be looked at: whoever asks is told.
blamed() {
	{ pleach status; pleach explain nf/hello.vdu.0; } | grep -qF "$1"
}
ok "without an ssh server: it is said" eventually 20 blamed 'ssh to 127.0.0.1 port 22 in vnfc/hello.vdu.0'

# What a vendor's image would bring.
vnf() {
	pleach exec hello -- "$@"
}
vnf mkdir -p /run/sshd /etc/ssh
for file in host host.pub client.pub; do
	vnf sh -c "umask 077; cat >/etc/ssh/$file" <"$lab/$file"
done
printf '%s\n' 'HostKey /etc/ssh/host' 'AuthorizedKeysFile /etc/ssh/client.pub' 'PidFile none' 'StrictModes no' 'UsePAM no' \
	'PermitRootLogin yes' 'Subsystem sftp internal-sftp' | vnf sh -c 'cat >/etc/ssh/sshd_config'
vnf sh -c 'umask 077; echo "root:no-password:19000::::::" >/etc/shadow' # without it sshd takes root for locked
vnf /usr/sbin/sshd -f /etc/ssh/sshd_config
fingerprint=$(ssh-keygen -l -f "$lab/host" | cut -d' ' -f2)
ok "another host key: refused, with the one it has" eventually 40 blamed "$fingerprint is another than the one that is pinned"
is "nothing was run there" "$(vnf sh -c 'ls /var/lib/pleach 2>/dev/null')" ""

site "$fingerprint"
lab_push "The right host key"
ok "converged" lab_converged
answer() {
	vnf curl -s --max-time 5 http://127.0.0.1/
}
like "it answers" "$(answer)" '^hello from'
like "the software runs under no agent of ours" "$(vnf sh -c 'cat /var/lib/pleach/nf/manifest')" '"key":"nf/hello.vdu.0"'
like "observed as wanted" "$(pleach drift)" '[Nn]o drift|none'

sed 's/hello from/good day from/' "$lab/haproxy.cfg" >"$work/haproxy.cfg"
lab_push "Another greeting"
ok "a changed file: converged" lab_converged
like "a changed file: in force" "$(answer)" '^good day from'

echo 'nonsense here' >>"$work/haproxy.cfg"
lab_push "A bad configuration"
ok "a bad configuration: status says why, in the check's words" eventually 20 said 'check: exit status 1.*nonsense'
like "a bad configuration: the former is in force" "$(answer)" '^good day from'
unlike "a bad configuration: not even on disk" "$(vnf cat /etc/haproxy.cfg)" 'nonsense'

sed 's/hello from/good day from/' "$lab/haproxy.cfg" >"$work/haproxy.cfg"
sed 's/{ ems: router,/{ desired_state: stopped, ems: router,/' "$lab/web.yaml" >"$work/web.yaml"
lab_push "Stopped"
ok "stopped: converged" lab_converged
is "stopped: nothing answers" "$(vnf curl -s --max-time 5 http://127.0.0.1/; echo $?)" 7
cp "$lab/web.yaml" "$work/web.yaml"
lab_push "Started"
ok "started: converged" lab_converged
like "started: it answers" "$(answer)" '^good day from'

# pleachd killed in the middle of a change: the files are there, the operation after them is under way.
printf '#!/bin/sh\necho begun >>/run/configured\nsleep 2\necho done >>/run/configured\n' >"$work/configure.sh"
sed -i 's|Standard: { operations: {|& configure: { implementation: configure.sh },|' "$work/web.yaml"
sed 's/hello from/good evening from/' "$lab/haproxy.cfg" >"$work/haproxy.cfg"
lab_push "With an operation that takes its time"
ok "killed in the middle: it is under way" eventually 30 vnf grep -qs begun /run/configured
lab_stop KILL
lab_start
ok "killed in the middle: converged" lab_converged
like "killed in the middle: in force" "$(answer)" '^good evening from'
is "killed in the middle: done again, and to its end" "$(vnf tail -n 2 /run/configured | tr '\n' ' ')" "begun done "
is "killed in the middle: one process, not two" "$(vnf pgrep -c -x haproxy)" 1
like "killed in the middle: observed as wanted" "$(pleach drift)" '[Nn]o drift|none'
sed 's/hello from/good day from/' "$lab/haproxy.cfg" >"$work/haproxy.cfg"
cp "$lab/web.yaml" "$work/web.yaml"
lab_push "Without it"
ok "and back: converged" lab_converged

vnf sh -c 'echo "# by hand" >>/etc/haproxy.cfg'
pleach sync >/dev/null
mended() {
	! vnf grep -q 'by hand' /etc/haproxy.cfg
}
ok "edited by hand: put right" eventually 30 mended
answers() {
	answer | grep -q '^good day from'
}
killed() { # while it is restarted, there is nothing to kill
	vnf sh -c 'read -r pid since </var/lib/pleach/nf/pid && kill -9 "$pid"' 2>/dev/null
}
ok "killed" eventually 10 killed
pleach sync >/dev/null
ok "killed: it answers again" eventually 30 answers
like "logs" "$(pleach logs hello)" '^up'
secret=$(sed -n 3p "$lab/client")
ok "the private key is nowhere" bash -c '! grep -rqF "$1" "$2/pleachd.log" "$2/state"' _ "$secret" "$lab"
processes=$(cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' ' ') # first: whoever searches for it has it among his
is "nor in any process's arguments" "$(grep -cF "$secret" <<<"$processes")" 0
lab_done
