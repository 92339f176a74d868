#!/bin/sh
exec nginx -e stderr -q -t -c "$PLEACH_NEW/etc/nginx/lab.conf"
