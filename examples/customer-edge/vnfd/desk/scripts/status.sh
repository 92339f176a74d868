#!/bin/sh
# The reason why it is not as it should be goes to standard error: status and explain show it.
route=$(ip route show default)
case $route in
'') exit 3 ;;
"default via $GATEWAY "*) exit 0 ;;
esac
echo "the default route is \"$route\"" >&2
exit 1
