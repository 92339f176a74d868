/* Where secrets come from: PLEACH_SECRET_NAME in the environment of pleachd (NAME in capitals, "_" for "." and "-"), else the file NAME
 * of the secrets folder. "NAME#KEY" is one entry of a secret that has several: a JSON object of strings, or lines of KEY=VALUE.
 * Any thread.
 */
#pragma once

#include "base/error.h"

/* The value as it is now, without the white space at its end; known to redact() from then on. NOT_FOUND, or why it cannot be read; the
 * text of no error has any of it. Owned by the caller, who clears it after use. @folder may be NULL. */
char *secret_read(const char *folder, const char *name, GError **error);
