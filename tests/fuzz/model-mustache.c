/* libFuzzer: bytes → a template and, after a line "%%", the JSON of its scope. */
#include "fuzz.h"

#include "model/mustache.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_ptr(arena) arena = arena_new();
	g_autoptr(GError) error = NULL;
	char *rest = g_strndup((const char *) data, size);
	g_autofree char *template = fuzz_part(&rest), *scope_text = rest;
	g_autoptr(json_t) json = scope_text ? json_loads(scope_text, JSON_DECODE_ANY, NULL) : NULL;
	const struct value *scope = json ? value_from_json(arena, json) : NULL, *waits_for = NULL;
	if (!scope || scope->type != VALUE_MAP)
		scope = value_map(arena, NULL, NULL, 0);
	unsigned line = 0, column = 0;
	bool good = mustache_check(template, &line, &column, &error);
	if (!good) {
		g_assert_cmpuint(MIN(line, column), >, 0);
		FUZZ_REFUSED(error);
	}
	const char *text = mustache_render(arena, "t", template, scope, &waits_for, &error);
	if (text) {
		g_assert_true(good);
		g_assert_cmpuint(strlen(text), <=, MUSTACHE_OUTPUT_MAX);
	} else if (waits_for) {
		g_assert_no_error(error);
	} else {
		FUZZ_REFUSED(error);
	}
	return 0;
}
