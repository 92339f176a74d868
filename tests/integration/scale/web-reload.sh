#!/bin/sh
# nginx answers with its former configuration until the former workers have gone: what is looked at next is to be the new one.
pid=$(cat /run/nginx.pid)
old=$(pgrep -P "$pid" | tr '\n' ',')
kill -HUP "$pid"
for _ in $(seq 100); do
	pgrep -P "$pid" | grep -qvxF "$(echo "$old" | tr ',' '\n')" && ! ps -o pid= -p "${old%,}" | grep -q . && exit 0
	sleep 0.05
done
echo "the former workers did not go within 5 s" >&2
exit 1
