/* The schema: forward only, in one transaction, after a copy of the file. */
#pragma once

#include "store/internal.h"

struct schema {
	const char *name; /* "001-first.sql": ascending from 1, without gaps */
	const char *text;
};

/* Brings the open database to the last of @schemas (ended by a NULL name). A database that already holds something is copied to
 * PATH.before-VERSION first. INVALID: it is newer, or no database of ours. */
bool store_migrate(const struct store *store, const struct schema *schemas, GError **error);
