/* The place in the operator's own files that a value came from. */
#pragma once

#include <stdbool.h>

struct origin {
	const char *file; /* path from the root of the repository; "pleach:NAME" for what is built in; NULL: none */
	unsigned line;    /* from 1; 0: the whole file */
	unsigned column;  /* from 1; 0: the whole line */
};

#define ORIGIN_NONE ((struct origin) { 0 })

static inline bool origin_is_set(struct origin origin)
{
	return origin.file != 0;
}
