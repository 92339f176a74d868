/* Text of somebody else's on its way to a terminal: what the terminal would take for a command is made visible. Pure; any thread. */
#pragma once

#include <stdbool.h>

/* @text as UTF-8, with each control character but line breaks and tabs as "\x1b". Owned by the caller. */
char *visible(const char *text);

/* UTF-8 without any control character, line breaks and tabs neither. */
bool visible_is_plain(const char *text);
