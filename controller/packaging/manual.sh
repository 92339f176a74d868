#!/bin/sh
# A manual page from what a program says of itself: its --help, and for pleach that of each verb.
#
#   controller/packaging/manual.sh PROGRAM SECTION VERSION > PAGE
set -eu
program=$1 section=$2 version=$3
name=$(basename "$program")
export LC_ALL=C.UTF-8 NO_COLOR=1

# Help text (GOption's layout) on standard input; headings get the macro given.
roff() {
	awk -v heading="$1" -v verbs="${2-}" '
		function plain(text) {
			gsub(/\\/, "\\e", text)
			gsub(/-/, "\\-", text)
			sub(/^[.\x27]/, "\\\\\\&&", text)
			return text
		}
		/^Usage: ./ { sub(/^Usage: */, ""); print ".B " plain($0); next }
		/^Usage:/ { usage = 1; next }
		verbs && /^  [a-z]/ { next }
		usage && /^  / { sub(/^ +/, ""); print ".PP\n.B " plain($0); usage = 0; next }
		/^Help Options:/ { skip = 1; next }
		/^Application Options:/ { skip = 0; print heading " OPTIONS"; options = 1; next }
		skip && /^$/ { skip = 0; next }
		skip { next }
		/^$/ { print ".PP"; options = 0; next }
		options && /^ +-/ {
			sub(/^ +/, "")
			at = match($0, /   */)
			if (at) { print ".TP\n.B " plain(substr($0, 1, at - 1)) "\n" plain(substr($0, at + RLENGTH)) }
			else { print ".TP\n.B " plain($0) }
			next
		}
		{ sub(/^ +/, ""); print plain($0); print ".br" }'
}
# The first words of the summary, for apropos(1).
summary() {
	case $name in
	pleach) echo "keep a network of VNFs as a Git repository says it should be" ;;
	pleachd) echo "the controller of Pleach" ;;
	pleach-keeper) echo "keeps the links and VNFs of one site of the local VIM" ;;
	*) echo "the agent inside a VNF" ;;
	esac
}
cat <<R
.TH "$(echo "$name" | tr '[:lower:]' '[:upper:]')" "$section" "" "pleach $version" "Pleach"
.SH NAME
$(echo "$name" | sed 's/-/\\-/g') \- $(summary)
.SH DESCRIPTION
R
"$program" --help | roff .SH "$([ "$name" != pleach ] || echo verbs)"
if [ "$name" = pleach ]; then
	echo ".SH VERBS"
	"$program" --help | awk '/^  [a-z]/ && !/^  -/ { print $1 }' | while read -r verb; do
		echo ".SS $verb" | sed 's/-/\\-/g'
		"$program" "$verb" --help | roff '.PP
.I'
	done
fi
cat <<'R'
.SH FILES
.TP
.I /etc/pleach/pleachd.conf
options of pleachd, when it is run by systemd
.TP
.I /var/lib/pleach
the state folder: database, secrets, API socket
.TP
.I /run/pleach
the runtime folder: sockets and logs of keepers, sockets of VNFs
.SH SEE ALSO
.BR pleach (1),
.BR pleachd (8),
.BR pleach\-keeper (8),
.BR pleach\-leaf (8);
/usr/share/doc/pleach
R
