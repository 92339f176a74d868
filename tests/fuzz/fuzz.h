/* What every fuzz target has: bytes from outside go in, and nothing of ours may break.
 *
 * tests/fuzz/LIBRARY-what.c is linked with the library that its name begins with: in every build with lib/replay.c, which runs it
 * over tests/fuzz/corpus/LIBRARY-what/; with -DPLEACH_FUZZ=ON (clang) with libFuzzer.
 */
#pragma once

#include <glib.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Parts one input: what stands before the next line "%%" of *@rest, which then is what follows (NULL: nothing). The caller's. */
static inline char *fuzz_part(char **rest)
{
	char *end = strstr(*rest, "\n%%\n");
	char *part = end ? g_strndup(*rest, (size_t) (end - *rest)) : g_strdup(*rest);
	char *left = end ? g_strdup(end + strlen("\n%%\n")) : NULL;
	g_free(*rest);
	*rest = left;
	return part;
}

/* An error comes with every refusal, and with nothing else. */
#define FUZZ_REFUSED(error) \
	do { \
		if (!(error)) \
			g_error("refused without a reason"); \
		g_clear_error(&(error)); \
	} while (0)
