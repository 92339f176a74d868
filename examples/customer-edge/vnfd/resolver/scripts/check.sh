#!/bin/sh
exec dnsmasq --test --conf-file="$PLEACH_NEW/etc/dnsmasq-edge.conf"
