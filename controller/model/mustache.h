/* Mustache as Pleach's configuration templates use it: variables, sections, inverted sections, comments, dotted names.
 *
 * No escaping ("{{x}}", "{{{x}}}" and "{{&x}}" are the same), no partials, no lambdas, no delimiter changes. "{{.}}" is the
 * current item; a number in a dotted name counts from 0 into a list ("ports.lan.addresses.0"). A tag alone on its line takes the
 * line with it, as the Mustache specification says. An unknown name is a fault, in sections too. Numbers print as decimal,
 * booleans as true and false; lists and maps cannot be printed. A secret prints as its mark (mark.h).
 */
#pragma once

#include "model/value.h"

/* Bounds. A template that loops over loops can make little text in endless time: so visited tags are counted too, and one with a
 * long name as several: once more for each MUSTACHE_STEP_BYTES of it. */
enum {
	MUSTACHE_OUTPUT_MAX = 1024 * 1024,
	MUSTACHE_DEPTH_MAX = 32,
	MUSTACHE_STEPS_MAX = 250 * 1000,
	MUSTACHE_STEP_BYTES = 64,
};

/* Checks syntax only. @ret_line, @ret_column (from 1) tell where a fault is. */
bool mustache_check(const char *text, unsigned *ret_line, unsigned *ret_column, GError **error);

/* Renders over @scope, a MAP. A used value that is PENDING or UNKNOWN ends the rendering: returns NULL without @error and sets
 * *@ret_waits_for to it. Faults set @error INVALID ("haproxy.cfg:7:12: …"; @name is the file's) and return NULL. Output is at
 * most 1 MiB. */
char *mustache_render(struct arena *arena, const char *name, const char *text, const struct value *scope,
		      const struct value **ret_waits_for, GError **error);
