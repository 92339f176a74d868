/* Where our own programs are: beside the running one, or where a package puts them. Any thread. */
#pragma once

/* The path of "pleach-leaf": in $PLEACH_LIBEXEC, beside the running program, in /usr/libexec/pleach, /usr/lib/pleach, then in $PATH. NULL:
 * nowhere. Owned by the caller. */
char *program_find(const char *name);
