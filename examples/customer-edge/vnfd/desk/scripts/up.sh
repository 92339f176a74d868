#!/bin/sh
exec ip route replace default via "$GATEWAY"
