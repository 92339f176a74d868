#!/bin/sh
exec kill -HUP "$PLEACH_PID"
