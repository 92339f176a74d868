/* The configuration file of pleachd: its command line options in a file, one on each line without the dashes.
 *
 *     # a comment
 *     repo /srv/git/network.git
 *     log-level info
 *
 * A pure reader: what the options mean is the program's business. Any thread.
 */
#pragma once

#include "base/error.h"

enum { CONFIG_MAX_BYTES = 64 * 1024, CONFIG_MAX_OPTIONS = 256 };

/* The lines of @path as "--option=value" ("--option" where there is no value), NULL-terminated, in their order. Owned by the
 * caller (g_strfreev). INVALID with the line's number when one cannot be an option. */
char **config_read(const char *path, GError **error);
