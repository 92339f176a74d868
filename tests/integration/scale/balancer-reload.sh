#!/bin/sh
# The new worker takes the listening sockets over, the old one finishes its requests. Done when the old one has gone: what is no longer
# in the configuration may be taken away then.
old=$(pgrep -P "$PLEACH_PID" | tr '\n' ',')
kill -USR2 "$PLEACH_PID"
for _ in $(seq 240); do
	pgrep -P "$PLEACH_PID" | grep -qvxF "$(echo "$old" | tr ',' '\n')" && ! ps -o pid= -p "${old%,}" | grep -q . && exit 0
	sleep 0.05
done
echo "the former worker did not go within 12 s" >&2
exit 1
