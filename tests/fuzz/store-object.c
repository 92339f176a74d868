/* libFuzzer: bytes → the key of an object, a line break, and what the store keeps of it; and → the JSON of a site. */
#include "fuzz.h"

#include "model/site.h"
#include "store/encode.h"

static void read_object(struct arena *arena, const uint8_t *data, size_t size)
{
	const uint8_t *end = memchr(data, '\n', size);
	if (!end)
		return;
	g_autofree char *key = g_strndup((const char *) data, (size_t) (end - data));
	auto_ptr(decoder) decoder = decoder_new(arena);
	const char *const *revisions;
	const struct object *object = object_decode(decoder, key, end + 1, size - (size_t) (end + 1 - data), &revisions);
	if (!object)
		return;
	g_autoptr(json_t) json = object_to_json(object);
	g_autoptr(GByteArray) said = object_encode(object, revisions);
	const struct object *again = object_decode(decoder, key, said->data, said->len, &revisions);
	if (!again)
		g_error("read once, but not twice");
	g_autoptr(json_t) json_again = object_to_json(again);
	g_autofree char *text = json_text(json, 0), *text_again = json_text(json_again, 0);
	g_assert_cmpstr(text, ==, text_again);
}

static void read_site(struct arena *arena, const uint8_t *data, size_t size)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) json = json_parse((const char *) data, size, size, "site", NULL);
	if (!json)
		return;
	const struct site *site = site_from_json(arena, json, &error);
	if (!site) {
		FUZZ_REFUSED(error);
		return;
	}
	g_autoptr(json_t) said = site_to_json(site);
	site = site_from_json(arena, said, &error);
	if (!site)
		g_error("read once, but not twice: %s", error->message);
	g_autoptr(json_t) again = site_to_json(site);
	g_assert_true(json_equal(said, again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_ptr(arena) arena = arena_new();
	read_object(arena, data, size);
	read_site(arena, data, size);
	return 0;
}
