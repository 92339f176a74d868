#!/bin/sh
# nginx answers with its former configuration until the former worker has gone: what is looked at next is to be the new one.
pid=$(cat /run/nginx.pid)
old=$(pgrep -P "$pid")
kill -HUP "$pid"
for _ in $(seq 100); do
	now=$(pgrep -P "$pid")
	if [ -n "$now" ] && ! echo "$now" | grep -qxF "$old"; then
		exit 0
	fi
	sleep 0.05
done
echo "the former worker did not go within 5 s" >&2
exit 1
