#!/usr/bin/env bash
# A repository on another machine: over https and ssh, by branch, tag and commit; a far side that hangs, resets, lies, talks without end,
# refuses, shows another key, vanishes and comes back; pushes by force, branches that go; trees that are made to do harm.
. "$(dirname "$0")/../lib/lab.sh"
need haproxy curl python3 openssl ssh-keygen
lab_begin
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY SSH_AUTH_SOCK
server=
sshd=
remote_end() {
	[ -z "$server" ] || kill "$server" 2>/dev/null
	[ -z "$sshd" ] || kill "$sshd" 2>/dev/null
	lab_end
}
trap remote_end EXIT

# --- a server with bad manners on demand ---------------------------------------------------------------------------------------
served=$lab/served
mkdir "$served"
bare=$served/network.git
lab_repo smallest
git init -q --bare "$served/other.git"
git -C "$work" push -q "$served/other.git" "$(git -C "$work" commit-tree -m other "$(git -C "$work" mktree </dev/null)"):refs/heads/main"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test-authority -keyout "$lab/ca.key" \
	-out "$lab/ca.pem" 2>/dev/null
openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost -keyout "$lab/server.key" -out "$lab/server.csr" \
	2>/dev/null
openssl x509 -req -in "$lab/server.csr" -CA "$lab/ca.pem" -CAkey "$lab/ca.key" -CAcreateserial -days 2 -out "$lab/server.pem" \
	-extfile <(echo subjectAltName=DNS:localhost) 2>/dev/null
echo s3cret-t0ken >"$served/token"
(umask 077 && echo s3cret-t0ken >"$lab/token")

serve() {
	rm -f "$lab/port"
	python3 "$root/tests/lib/git_server.py" "$served" "$lab/server.pem" "$lab/server.key" >"$lab/port" 2>"$lab/server.log" &
	server=$!
	eventually 10 test -s "$lab/port"
	cp "$lab/port" "$served/port"
}
mode() { echo "$1" >"$served/mode"; }
serve
port=$(cat "$served/port")
https=https://tester@localhost:$port

# start_at ADDRESS [OPTION…]
start_at() {
	local address=$1
	shift
	pleachd --repo "$address" --state "$lab/state" --poll 1s --fetch-timeout 3s "$@" >>"$lab/pleachd.log" 2>&1 &
	daemon=$!
	eventually 20 answers || lab_log
}
answers() {
	pleach status >/dev/null 2>&1
	[ $? -ne 1 ]
}
start_https() { start_at "$https/network.git" --git-ca-file "$lab/ca.pem" --git-token-file "$lab/token"; }
greets() { [ "$(pleach exec hello -- curl -s --max-time 5 http://127.0.0.1/ 2>/dev/null | cut -d ' ' -f 1)" = "$1" ]; }
greeting() {
	sed -i "s/\"[a-z0-9]* from/\"$1 from/" "$work/haproxy.cfg"
	git -C "$work" commit -qam "$1" && git -C "$work" push -qf origin HEAD:main
}
# says PATTERN: does status say so, within a while?
says_now() { pleach status 2>&1 | tee "$lab/said" | grep -qE -- "$1"; }
says() { eventually "${2:-10}" says_now "$1" || { sed 's/^/# /' "$lab/said"; return 1; }; }
is_at() { says "commit $(git -C "$work" rev-parse --short=12 "$1") "; }

start_https
ok "https: the first fetch converges" lab_converged
ok "… and answers" eventually 5 greets hello
greeting second
ok "a push is seen by polling" is_at HEAD
ok "… and converges" eventually 10 greets second
greeting third
ok "sync fetches at once" pleach sync
ok "… and --wait waits for it" lab_converged
ok "… and it answers" eventually 5 greets third
git -C "$work" reset -q --hard HEAD~1
git -C "$work" push -qf origin HEAD:main
ok "a force-push is followed" is_at HEAD
ok "… and converges" eventually 10 greets second

lines() { grep -c "$1" "$lab/pleachd.log"; }
git -C "$bare" update-ref -d refs/heads/main
ok "a deleted branch: status says so, and since when" says 'no branch or tag is called "main".*what was last fetched is kept \(since 20'
sleep 2.5
is "… the log once, not at every poll" "$(lines 'no branch or tag is called')" 1
ok "… and everything runs on" greets second
like "… and it is an event" "$(pleach events --kind source)" 'no branch or tag is called "main"'
ok "nobody waits for a far side that does not answer well" waits_in_vain 20
git -C "$work" push -q origin HEAD:main
pleach sync >/dev/null
ok "… and when it is there again, all is well" lab_converged 20s

# Each kind of bad manners: what is there stays, status says it, and the next good answer ends it.
n=0
misbehaves() {
	n=$((n + 1))
	mode "$1"
	greeting "bad$n"
	pleach sync >/dev/null
	ok "a far side that $3: status says so" says "$2"
	unlike "… and keeps what was there" "$(cat "$lab/said")" "commit $(git -C "$work" rev-parse --short=12 HEAD) "
	mode good
	pleach sync >/dev/null
	ok "… and well again" is_at HEAD
}
misbehaves hang 'not done within 3 s' "is silent"
misbehaves reset 'no connection' "resets the connection"
misbehaves endless 'not done within|memory' "lists branches without end"
misbehaves trickle 'not done within 3 s' "sends a byte a second"
misbehaves chatter 'talks without end' "talks without end"
misbehaves truncated "cannot be taken" "cuts off its pack"
misbehaves lie "cannot be taken|not whole" "changes a byte of its pack"
misbehaves other "cannot be taken|not whole" "sends another pack than it said"
misbehaves redirect 'redirect' "sends us elsewhere"
misbehaves gone '404' "does not know the repository"
ok "all the while the network ran, and converges" lab_converged 20s

echo changed >"$served/token"
ok "a token that is refused: status says so" says 'refuses the token of .*/token for the user tester'
echo s3cret-t0ken >"$served/token"
chmod 644 "$lab/token"
ok "a token that everybody can read is not used" says 'chmod 600'
chmod 600 "$lab/token"
kill "$server"
wait "$server" 2>/dev/null
ok "a server that is gone: status says so" says 'no connection: .*since 20'
serve
pleach sync >/dev/null
ok "… and when it comes back, all is well" lab_converged 20s

mode hang
pleach sync >/dev/null
child() { pgrep -P "$daemon" -f fetch-as-asked; }
running() { child >/dev/null; }
ok "a fetch is a process of its own" eventually 5 running
fetching=$(child)
unlike "… whose arguments say nothing" "$(tr '\0' ' ' <"/proc/$fetching/cmdline")" 'localhost|token'
touch "$(echo "$lab"/state/source/*.git)/objects/pack/pack_git2_123456"
lab_stop KILL
ended() { [ ! -d "/proc/$fetching" ]; }
ok "… and ends when the controller is killed" eventually 5 ended
start_https
ok "started beside a silent server: what was fetched before is kept" greets "bad$n"
ok "… status names its commit" is_at HEAD
mode good
pleach sync >/dev/null
ok "… and when it speaks again, all is well" lab_converged 20s
is "what a killed fetch left is gone" "$(find "$lab/state/source" -name 'pack_git2*')" ""
is "the mirror is for its owner alone" "$(stat -c %a "$lab/state/source")" 700
# Made elsewhere and moved: a fetch that begins meanwhile takes half a pack for one that was left.
mkdir "$lab/packs"
for i in $(seq 1 40); do
	echo "$i" | git -C "$served/other.git" hash-object -w --stdin |
		git -C "$served/other.git" pack-objects -q "$lab/packs/pack" >/dev/null
done
mv "$lab"/packs/* "$(echo "$lab"/state/source/*.git)/objects/pack/"
greeting last
pleach sync >/dev/null
packs() { [ "$(find "$lab/state/source" -name '*.pack' | wc -l)" -eq 1 ]; }
ok "many packs become one" eventually 10 packs
ok "… and nothing is lost" lab_converged 20s
unlike "no token in any log" "$(cat "$lab/pleachd.log")" 's3cret'
lab_stop
grep -rq s3cret "$lab/state" && found=yes || found=
is "… nor in the state folder" "$found" ""

# --- addresses, names, certificates: nothing is kept here, only looked at --------------------------------------------------------
git init -q -b main "$lab/plain"
cp "$work/web.yaml" "$lab/plain"
git -C "$lab/plain" add . && git -C "$lab/plain" commit -qm plain && git -C "$lab/plain" tag -a -m one v1
git -C "$lab/plain" commit -q --allow-empty -m later
git init -q --bare -b main "$served/plain.git"
git -C "$lab/plain" push -q "$served/plain.git" main v1
first=$(git -C "$lab/plain" rev-parse 'v1^{commit}')
with=(--git-ca-file "$lab/ca.pem" --git-token-file "$lab/token")

# probe NAME PATTERN ADDRESS [OPTION…]: what does status say?
probe() {
	local name=$1 pattern=$2
	shift 2
	rm -rf "$lab/state"
	mkdir "$lab/state"
	: >"$lab/pleachd.log"
	start_at "$@"
	ok "$name" says "$pattern" "${wait:-10}" || lab_log 5
	lab_stop
}
probe "a tag" "commit ${first:0:12} " "$https/plain.git" --branch v1 "${with[@]}"
probe "a commit" "commit ${first:0:12} " "$https/plain.git" --branch "$first" "${with[@]}"
probe "a commit that nothing leads to" 'not whole|cannot be' "$https/plain.git" --branch 0123456789012345678901234567890123456789 "${with[@]}"
probe "a branch that is not there" 'no branch or tag is called "mian"; there are: main' "$https/plain.git" --branch mian "${with[@]}"
probe "no authority" '[-]-git-ca-file FILE' "$https/plain.git" --git-token-file "$lab/token"
probe "no token" '[-]-git-token-file FILE' "$https/plain.git" --git-ca-file "$lab/ca.pem"
probe "another name than the certificate's" 'certificate' "https://tester@127.0.0.1:$port/plain.git" "${with[@]}"
probe "file://" "commit $(git -C "$lab/plain" rev-parse --short=12 main) " "file://$served/plain.git"
like "a password in the address is refused" "$(pleachd --repo https://me:hunter2@localhost/x --state "$lab/state" 2>&1)" 'git-token-file'
like "… and http to another machine" "$(pleachd --repo http://192.0.2.1/x --state "$lab/state" 2>&1)" 'allow-http'
if git init -q --bare --object-format=sha256 -b main "$served/long.git" 2>/dev/null; then
	git init -q -b main --object-format=sha256 "$lab/long"
	git -C "$lab/long" commit -q --allow-empty -m long && git -C "$lab/long" push -q "$served/long.git" main
	probe "a SHA-256 repository" 'SHA-256' "$https/long.git" "${with[@]}"
fi

# --- trees that are made to do harm ------------------------------------------------------------------------------------------------
hostile=$served/hostile.git
git init -q --bare -b main "$hostile"
blob=$(git -C "$hostile" hash-object -w "$work/web.yaml")
point() { git -C "$hostile" update-ref refs/heads/main "$(git -C "$hostile" commit-tree -m hostile "$1")"; }
config=$(git -C "$hostile" hash-object -w "$work/haproxy.cfg")
many() {
	printf '100644 blob %s\t%s\n' "$blob" a.yaml "$config" haproxy.cfg
	for i in $(seq 1 20500); do printf '100644 blob %s\tz%05d\n' "$blob" "$i"; done
}
point "$(many | git -C "$hostile" mktree)"
probe "too many files" 'more than 20000 files' "$https/hostile.git" "${with[@]}"
out=$(printf ../../../etc/shadow | git -C "$hostile" hash-object -w --stdin)
point "$(printf '120000 blob %s\tout.yaml\n100644 blob %s\tweb.yaml\n160000 commit %s\tinner\n' "$out" "$blob" "$first" |
	git -C "$hostile" mktree --missing)"
probe "a link that leaves the repository" 'leaves the repository' "$https/hostile.git" "${with[@]}"
truncate -s 1G "$lab/huge"
huge=$(git -C "$hostile" -c core.compression=1 hash-object -w "$lab/huge")
rm "$lab/huge"
point "$(printf '100644 blob %s\t%s\n' "$blob" web.yaml "$config" haproxy.cfg "$huge" huge.yaml | git -C "$hostile" mktree)"
wait=60 probe "a file of 1 GiB" '1073741824 bytes, more than' "$https/hostile.git" "${with[@]}" --fetch-timeout 60s
head -c 3000000 /dev/urandom >"$lab/noise"
noise=$(git -C "$hostile" hash-object -w "$lab/noise")
point "$(printf '100644 blob %s\tnoise\n' "$noise" | git -C "$hostile" mktree)"
probe "more than may be fetched" '[-]-fetch-limit' "$https/hostile.git" "${with[@]}" --fetch-limit 1

# --- ssh -----------------------------------------------------------------------------------------------------------------------------
if [ -x /usr/sbin/sshd ]; then
	for type in ed25519 ecdsa rsa; do
		ssh-keygen -q -t $type -N '' -f "$lab/host_$type" && ssh-keygen -q -t $type -N '' -f "$lab/user_$type"
	done
	ssh-keygen -q -t ed25519 -N locked -f "$lab/user_locked"
	ssh-keygen -q -t ed25519 -N '' -f "$lab/user_stranger"
	cat "$lab"/user_{ed25519,ecdsa,rsa}.pub >"$lab/authorized_keys"
	[ "$(id -u)" -ne 0 ] || mkdir -p /run/sshd
	# start_sshd HOSTKEY…
	start_sshd() {
		[ -z "$sshd" ] || { kill "$sshd"; wait "$sshd" 2>/dev/null; }
		: >"$lab/sshd.log"
		/usr/sbin/sshd -D -e -f /dev/null -p "$ssh_port" -o ListenAddress=127.0.0.1 -o StrictModes=no -o UsePAM=no \
			-o PidFile=none -o AuthorizedKeysFile="$lab/authorized_keys" -o PermitRootLogin=prohibit-password \
			-o PasswordAuthentication=no "${@/#/-oHostKey=}" 2>"$lab/sshd.log" &
		sshd=$!
		eventually 10 grep -q listening "$lab/sshd.log"
	}
	ssh_port=$((20000 + $$ % 20000))
	start_sshd "$lab/host_ed25519" "$lab/host_ecdsa" "$lab/host_rsa"
	known() { sed "s/^/[127.0.0.1]:$ssh_port /" "$lab/host_$1.pub" >"$lab/known_hosts"; }
	hosts=(--known-hosts "$lab/known_hosts")
	user=$(id -un)
	address=ssh://$user@127.0.0.1:$ssh_port$served/plain.git
	at="commit $(git -C "$lab/plain" rev-parse --short=12 main) "
	known ed25519
	probe "ssh: an ed25519 key" "$at" "$address" "${hosts[@]}" --ssh-key "$lab/user_ed25519"
	known ecdsa
	probe "… an ECDSA key, and a host that is known by another of its keys" "$at" "$address" "${hosts[@]}" --ssh-key "$lab/user_ecdsa"
	ssh-keygen -q -H -f "$lab/known_hosts" >/dev/null 2>&1
	probe "… hashed names" "$at" "$address" "${hosts[@]}" --ssh-key "$lab/user_ecdsa"
	probe "… an RSA key is explained" 'RSA keys .* ssh-keygen -t ed25519' "$address" "${hosts[@]}" --ssh-key "$lab/user_rsa"
	probe "… a key that the server does not know" 'refuses the key; tried: .*user_stranger' "$address" "${hosts[@]}" --ssh-key "$lab/user_stranger"
	probe "… a locked key" 'locked with a passphrase' "$address" "${hosts[@]}" --ssh-key "$lab/user_locked"
	probe "… a repository that is not there" 'absent' "${address%plain.git}absent.git" "${hosts[@]}" --ssh-key "$lab/user_ecdsa"
	: >"$lab/known_hosts"
	probe "an unknown host key is refused, with its fingerprint" \
		'is not known: [a-z0-9-]+ SHA256:[A-Za-z0-9+/]{43}\. .*ssh-keyscan -p' "$address" "${hosts[@]}" --ssh-key "$lab/user_ecdsa"
	known ed25519
	ssh-keygen -q -t ed25519 -N '' -f "$lab/host_other"
	start_sshd "$lab/host_other"
	print=$(ssh-keygen -lf "$lab/host_other.pub" | cut -d ' ' -f 2)
	old=$(ssh-keygen -lf "$lab/host_ed25519.pub" | cut -d ' ' -f 2)
	probe "a changed host key is refused, with both fingerprints" \
		"has changed: it shows ssh-ed25519 ${print//+/\\+}, known is ssh-ed25519 ${old//+/\\+}" "$address" "${hosts[@]}" --ssh-key "$lab/user_ecdsa"
	if [ -x "$(command -v ssh-agent)" ]; then
		known other
		SSH_AUTH_SOCK=$lab/agent
		export SSH_AUTH_SOCK
		agent=$(ssh-agent -a "$SSH_AUTH_SOCK" | sed -n 's/.*SSH_AGENT_PID=\([0-9]*\).*/\1/p')
		ssh-add -q "$lab/user_ed25519" 2>/dev/null
		probe "a key of an agent" "$at" "$address" "${hosts[@]}"
		kill "$agent"
		unset SSH_AUTH_SOCK
	fi
	kill -STOP "$sshd"
	probe "a silent sshd" 'not done within 3 s' "$address" "${hosts[@]}" --ssh-key "$lab/user_ecdsa"
	kill -CONT "$sshd"
else
	echo "# ssh is not tested: sshd is not installed"
fi
daemon=
lab_done
