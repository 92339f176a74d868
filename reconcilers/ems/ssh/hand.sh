#!/bin/sh
# What the driver "ssh" does inside a VNF, one verb at a time:
#
#   sh hand.sh FOLDER VERB [ARGUMENT…]
#
# Put into FOLDER under a name that holds its digest. The controller decides; this keeps to small steps that may be cut off anywhere and
# done again. Lists come by standard input, one element in each line, escaped as for printf %b, up to a line "."; so nothing secret is
# ever an argument. Needs a POSIX shell, setsid, sha256sum, stat -c, and Linux's /proc.
#
#   FOLDER/nf/manifest     what is in force: "F plain|secret PATH" for each file, then JSON for the controller
#             kept, kept.inputs   the files and inputs of the operations as they were given; new, new.inputs: what is being tried
#             packages/DIGEST     stage: what is being uploaded
#             dirty        a change is under way: what is there may be neither the former nor the new
#             pid, exit, log, log.1, salt
# shellcheck disable=SC2015,SC2030,SC2031 # each && chain fails as one; what a subshell sets is its own
set -u
umask 077
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL
hand=$0 folder=$1 verb=$2
nf=$folder/nf
shift 2

fail() {
	echo "$*" >&2
	exit 1
}

# The start time of a process, in the kernel's ticks; fails where it is none, or a dead one.
born() {
	{ IFS= read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
	# shellcheck disable=SC2086 # words are what is wanted
	set -- ${stat##*) }
	[ "$#" -ge 20 ] && [ "$1" != Z ] && [ "$1" != X ] || return 1
	echo "${20}"
}

# Is the NF's process there? Sets pid.
alive() {
	pid=0 since=
	{ read -r pid since <"$nf/pid"; } 2>/dev/null || return 1
	[ -n "$since" ] && [ "$(born "$pid")" = "$since" ]
}

# keep FILE BLOCKS: what comes in, in two files of so many KiB at most.
keep() {
	while dd bs=1024 count="$2" of="$1" 2>/dev/null && [ -s "$1" ]; do
		mv -f "$1" "$1.1"
	done
}

words() {
	cat "$1.1" "$1" 2>/dev/null | tail -c 4000 | tail -n 5
}

decode() {
	value=$(printf '%b.' "$1")
	value=${value%.}
}

# A digest that says nothing to who does not have the salt.
seal() {
	[ -s "$nf/salt" ] || { od -An -N16 -tx1 /dev/urandom | tr -d ' \n' >"$nf/salt.new" && mv -f "$nf/salt.new" "$nf/salt"; }
	inner=$(cat "$nf/salt" "$1" | sha256sum)
	{ cat "$nf/salt"; echo "$inner"; } | sha256sum
}

look_at() {
	digest=- mode=-
	if [ -f "$2" ]; then
		mode=$(stat -c %a "$2") || mode=-
		if [ "$1" = plain ]; then
			digest=$(sha256sum <"$2") || digest=-
		elif cmp -s "$2" "$nf/kept$2"; then
			digest=same
		else
			digest=$(seal "$2") || digest=-
		fi
	fi
	echo "F ${digest%% *} $mode"
	[ "$1" != plain ] || tell "$2"
}

# What is in a file, where that is not what was put and is no secret: "C HEX". In a change it may be a secret of the other side of it.
tell() {
	[ ! -e "$nf/dirty" ] && [ -f "$1" ] && [ -f "$nf/kept$1" ] || return 0
	size=$(stat -c %s "$1") && [ "$size" -le "$most" ] && [ "$size" -le "$left" ] || return 0
	cmp -s "$1" "$nf/kept$1" && return 0
	left=$((left - size))
	echo "C $(od -An -v -tx1 "$1" | tr -d ' \n')"
}

look_process() {
	if alive; then
		echo "P $pid"
	elif [ -e "$nf/pid" ]; then
		echo "E $(cat "$nf/exit" 2>/dev/null || echo -)"
		words "$nf/log" | sed 's/^/L /'
	fi
}

# look MOST ALL: bytes that are told of one file that is not as it was put, and of all of them.
look() {
	most=$1 left=$2
	[ ! -e "$nf/dirty" ] || echo D
	if [ -e "$nf/manifest" ]; then
		sed -n 's/^{/M {/p' "$nf/manifest"
		sed -n 's/^F //p' "$nf/manifest" | while IFS= read -r line; do
			look_at "${line%% *}" "${line#* }"
		done
	fi
	look_process
}

# The uploaded package, "MODE SHA256 PATH" in each line; verified whole before it has its name.
package() {
	rm -rf "$nf/packages/new"
	mkdir -p "$nf/packages/new"
	n=0
	while IFS= read -r line && [ "$line" != . ]; do
		mode=${line%% *} path=${line#* }
		path=${path#* }
		case $path in */*) mkdir -p "$nf/packages/new/${path%/*}" || fail "cannot make a folder for $path" ;; esac
		mv "$nf/stage/p$n" "$nf/packages/new/$path" && chmod "$mode" "$nf/packages/new/$path" || fail "cannot place $path"
		line=${line#* }
		printf '%s  %s\n' "${line%% *}" "$path" >>"$nf/stage/sums"
		n=$((n + 1))
	done
	[ "$n" -eq 0 ] || (cd "$nf/packages/new" && sha256sum -c "$nf/stage/sums" >/dev/null 2>&1) ||
		fail "the package that arrived is not the one that was sent"
	find "$nf/packages/new" -type d -exec chmod 755 {} +
	mv "$nf/packages/new" "$nf/packages/$1"
}

# What was uploaded becomes the new configuration: "F MODE SHA256 PATH" for a file, "I OPERATION" for the inputs of an operation.
new() {
	rm -rf "$nf/new" "$nf/new.inputs"
	mkdir -p "$nf/new" "$nf/new.inputs"
	n=0
	while IFS= read -r line && [ "$line" != . ]; do
		rest=${line#* }
		case $line in
		I*) mv "$nf/stage/i$rest" "$nf/new.inputs/$rest" || fail "cannot place the inputs of $rest" ;;
		F*)
			mode=${rest%% *} rest=${rest#* }
			path=${rest#* }
			sum=$(sha256sum <"$nf/stage/f$n")
			[ "${sum%% *}" = "${rest%% *}" ] || fail "what arrived for $path is not what was sent"
			mkdir -p "$nf/new${path%/*}" && mv "$nf/stage/f$n" "$nf/new$path" && chmod "$mode" "$nf/new$path" ||
				fail "cannot place the new $path"
			n=$((n + 1))
			;;
		esac
	done
}

# place new|kept: its files in their places, each by a rename; "+ MODE PATH" puts, "- PATH" takes away.
place() {
	while IFS= read -r line && [ "$line" != . ]; do
		rest=${line#* }
		case $line in
		-*)
			[ ! -f "$rest" ] || rm -f "$rest" || fail "cannot remove $rest"
			;;
		+*)
			mode=${rest%% *} path=${rest#* }
			[ ! -d "$path" ] || fail "$path is a folder"
			(umask 022 && mkdir -p "${path%/*}/") || fail "cannot make the folder of $path"
			# A new file always: what somebody else put at that name leads nowhere.
			rm -f "$path.pleach-new" && (set -C && cat "$nf/$1$path" >"$path.pleach-new") &&
				chmod "$mode" "$path.pleach-new" && mv -f "$path.pleach-new" "$path" || fail "cannot write $path"
			;;
		esac
	done
}

# run OPERATION new|kept PACKAGE SCRIPT SECONDS KEY: "X STATUS late|gone|-", then its last words. Its whole group is killed when it takes
# too long, and when whoever asked has gone.
run() {
	rm -f "$nf/out" "$nf/out.1" "$nf/out.pipe" "$nf/cut"
	mkfifo "$nf/out.pipe" || fail "cannot make a pipe"
	keep "$nf/out" 64 <"$nf/out.pipe" >/dev/null 2>&1 &
	keeper=$!
	setsid sh "$hand" "$folder" within "$@" >"$nf/out.pipe" 2>&1 </dev/null &
	child=$!
	exec 3<&0
	(
		trap 'kill $pause 2>/dev/null; exit 0' TERM
		sleep "$5" &
		pause=$!
		wait "$pause" && echo late >"$nf/cut" && kill -KILL "-$child"
	) >/dev/null 2>&1 </dev/null 3<&- &
	timer=$!
	(
		trap 'kill $pause 2>/dev/null; exit 0' TERM
		cat <&3 >/dev/null &
		pause=$!
		wait "$pause" && echo gone >"$nf/cut" && kill -KILL "-$child"
	) >/dev/null 2>&1 </dev/null &
	hangup=$!
	wait "$child"
	status=$?
	kill "$timer" "$hangup" 2>/dev/null
	# A daemon that it left may hold the pipe for ever.
	for tick in 1 2 3 4 5 6 7 8 9 10; do
		kill -0 "$keeper" 2>/dev/null || break
		sleep 0.0"$((tick / 2 + 1))"
	done
	cut=$(cat "$nf/cut" 2>/dev/null)
	echo "X $status ${cut:--}"
	words "$nf/out"
}

# The operation's own process, from run; replaced by the script.
within() {
	umask 022
	cd "$nf/packages/$3" || exit 126
	PLEACH_OPERATION=$1 PLEACH_PACKAGE=$PWD PLEACH_KEY=$6 HOME=/ LANG=C.UTF-8
	export PLEACH_OPERATION PLEACH_PACKAGE PLEACH_KEY HOME LANG
	unset LC_ALL SSH_CLIENT SSH_CONNECTION SSH_TTY SSH_AUTH_SOCK MAIL LOGNAME USER SHELL SUDO_COMMAND SUDO_USER SUDO_UID SUDO_GID
	if [ "$1" = check ]; then
		PLEACH_NEW=$nf/new
		export PLEACH_NEW
	fi
	if alive; then
		PLEACH_PID=$pid
		export PLEACH_PID
	fi
	inputs=$nf/kept.inputs/$1
	[ "$2" = kept ] || [ ! -d "$nf/new.inputs" ] || inputs=$nf/new.inputs/$1
	[ ! -e "$inputs" ] || exec <"$inputs"
	set -- "$4"
	while IFS= read -r pleach_line && [ "$pleach_line" != . ]; do
		pleach_value=$(printf '%b.' "${pleach_line#*=}")
		export "${pleach_line%%=*}=${pleach_value%.}"
	done
	exec </dev/null
	if [ -x "$1" ]; then
		exec "./$1"
	fi
	exec sh "./$1"
}

# start KEY: the command by standard input. It counts as started when it has lived for a moment.
start() {
	key=$1
	set --
	while IFS= read -r line && [ "$line" != . ]; do
		decode "$line"
		set -- "$@" "$value"
	done
	rm -f "$nf/pid" "$nf/exit" "$nf/log.pipe"
	mkfifo "$nf/log.pipe" || fail "cannot make a pipe"
	setsid sh "$hand" "$folder" keeplog </dev/null >/dev/null 2>&1 &
	setsid sh "$hand" "$folder" supervise "$key" "$@" </dev/null >/dev/null 2>&1 &
	for tick in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		[ ! -e "$nf/pid" ] || break
		sleep 0.05
	done
	for tick in 1 2 3; do
		sleep 0.05
		alive || break
	done
	# What it said, and how it ended, may be written a moment later.
	alive || for tick in 1 2 3 4 5 6 7 8 9 10; do
		[ ! -e "$nf/exit" ] || break
		sleep 0.05
	done
	look_process
}

supervise() {
	umask 022
	cd / || exit 1
	key=$1
	shift
	env -i PATH="$PATH" HOME=/ LANG=C.UTF-8 PLEACH_KEY="$key" setsid "$@" </dev/null >"$nf/log.pipe" 2>&1 &
	child=$!
	echo "$child $(born "$child")" >"$nf/pid.$child"
	mv -f "$nf/pid.$child" "$nf/pid"
	wait "$child"
	status=$?
	if { read -r pid since <"$nf/pid"; } 2>/dev/null && [ "$pid" = "$child" ]; then
		echo "$status" >"$nf/exit.new"
		mv -f "$nf/exit.new" "$nf/exit"
	fi
}

# stop GRACE_TICKS, of 50 ms: asks its group to end, then ends it.
stop() {
	alive || { rm -f "$nf/pid"; return 0; }
	leader=$pid # another stop, of a call that was given up, may take the file away meanwhile
	kill -TERM "-$leader" 2>/dev/null
	tick=0
	while alive && [ "$tick" -lt "$1" ]; do
		sleep 0.05
		tick=$((tick + 1))
	done
	kill -KILL "-$leader" 2>/dev/null
	while alive; do
		sleep 0.05
	done
	rm -f "$nf/pid" "$nf/exit"
}

# finish PACKAGE|- yes|no: what was tried is in force, the manifest by standard input; with "no" the kept files stay those that are kept.
finish() {
	cat >"$nf/manifest.new"
	if [ "$2" = yes ] && [ -d "$nf/new" ]; then
		rm -rf "$nf/kept" "$nf/kept.inputs"
		mv "$nf/new" "$nf/kept" && mv "$nf/new.inputs" "$nf/kept.inputs" || fail "cannot keep the new files"
	fi
	mv -f "$nf/manifest.new" "$nf/manifest" || fail "cannot write the manifest"
	rm -f "$nf/dirty"
	for path in "$nf"/packages/*; do
		[ "${path##*/}" = "$1" ] || rm -rf "$path"
	done
	clear_stage
}

clear_stage() {
	rm -rf "$nf/stage" "$nf/new" "$nf/new.inputs"
	mkdir -p "$nf/stage"
}

# log LINES yes|no
log() {
	n=$(wc -l <"$nf/log" 2>/dev/null) || n=0
	if [ "$2" = no ]; then
		cat "$nf/log.1" "$nf/log" 2>/dev/null | tail -n "$1"
		return 0
	fi
	[ "$n" -ge "$1" ] || tail -n "$(($1 - n))" "$nf/log.1" 2>/dev/null
	exec 3<&0
	tail -n "$1" -F "$nf/log" 2>/dev/null </dev/null 3<&- &
	follower=$!
	cat <&3 >/dev/null
	kill "$follower"
}

# What the processes of the NF use: ticks, pages, how many; then the counters of each interface.
measure() {
	ticks=0 pages=0 n=0
	if alive; then
		leader=$pid
		for path in /proc/[0-9]*; do
			{ IFS= read -r stat <"$path/stat"; } 2>/dev/null || continue
			# shellcheck disable=SC2086 # words are what is wanted
			set -- ${stat##*) }
			[ "$#" -ge 22 ] && [ "$4" = "$leader" ] || continue
			ticks=$((ticks + ${12} + ${13} + ${14} + ${15})) pages=$((pages + ${22})) n=$((n + 1))
		done
		echo "U $ticks $(getconf CLK_TCK 2>/dev/null || echo 100) $pages $(getconf PAGESIZE 2>/dev/null || echo 4096) $n"
	fi
	for path in /sys/class/net/*; do
		[ "${path##*/}" != lo ] && [ -d "$path/statistics" ] || continue
		line="N ${path##*/}"
		for counter in rx_bytes rx_packets rx_dropped tx_bytes tx_packets tx_dropped; do
			read -r value <"$path/statistics/$counter" || value=-1
			line="$line $value"
		done
		echo "$line"
	done
}

case $verb in
look | package | new | place | run | within | start | supervise | stop | finish | log | measure) "$verb" "$@" ;;
keeplog) keep "$nf/log" 4096 <"$nf/log.pipe" ;;
put) cat >"$nf/stage/$1.part" && mv -f "$nf/stage/$1.part" "$nf/stage/$1" ;;
has) [ -d "$nf/packages/$1" ] && echo yes || echo no ;;
stage) clear_stage ;;
begin) : >"$nf/dirty" ;;
settled) rm -f "$nf/dirty" && clear_stage ;;
remove)
	stop 100
	rm -rf "$nf"
	rm -f "$folder"/hand-*.sh
	rmdir "$folder" 2>/dev/null
	exit 0
	;;
*) fail "there is no \"$verb\"" ;;
esac
