#!/bin/sh
# The new worker takes the listening sockets over, the old one finishes its requests. Done when the old one has gone: what is no longer
# in the configuration may be taken away then.
old=$(pgrep -P "$PLEACH_PID")
kill -USR2 "$PLEACH_PID"
for _ in $(seq 240); do
	now=$(pgrep -P "$PLEACH_PID")
	if [ -n "$now" ] && ! echo "$now" | grep -qxF "$old"; then
		exit 0
	fi
	sleep 0.05
done
echo "the former worker did not go within 12 s" >&2
exit 1
