#!/bin/sh
exec nginx -t -q -e stderr -c "$PLEACH_NEW/etc/nginx/server.conf"
