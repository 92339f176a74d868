/* libFuzzer: bytes → requests, replies and events of a keeper. What is accepted survives being said again. */
#include "fuzz.h"

#include "keeperproto/keeperproto.h"

#define READ(what) \
	static void read_##what(struct arena *arena, const char *text, size_t size) \
	{ \
		g_autoptr(GError) error = NULL; \
		struct keeper_##what got; \
		if (!keeper_##what##_parse(arena, text, size, &got, &error)) { \
			FUZZ_REFUSED(error); \
			return; \
		} \
		g_autofree char *said = keeper_##what##_text(&got); \
		if (!keeper_##what##_parse(arena, said, strlen(said), &got, &error)) \
			g_error("accepted once, but not twice: %s", error->message); \
		g_autofree char *again = keeper_##what##_text(&got); \
		g_assert_cmpstr(said, ==, again); \
	}

READ(request)
READ(reply)
READ(event)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_ptr(arena) arena = arena_new();
	if (size >= KEEPER_HEADER_BYTES) {
		unsigned char header[KEEPER_HEADER_BYTES];
		keeper_header_put(header, keeper_header_get(data));
		g_assert_cmpmem(header, sizeof(header), data, KEEPER_HEADER_BYTES);
	}
	read_request(arena, (const char *) data, size);
	read_reply(arena, (const char *) data, size);
	read_event(arena, (const char *) data, size);
	return 0;
}
