#!/bin/sh
# It is there when it answers on its control socket.
exec softflowctl -c /run/softflowd.ctl statistics >/dev/null
