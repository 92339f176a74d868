/* libFuzzer: bytes → what the controller and a leaf say to each other. What is accepted survives being said again. */
#include "fuzz.h"

#include "leafproto/leafproto.h"

#include <string.h>

static void read_nf(struct arena *arena, const char *text, size_t size)
{
	g_autoptr(GError) error = NULL;
	const struct leaf_nf *nf = leaf_nf_decode(arena, text, size, &error);
	if (!nf) {
		FUZZ_REFUSED(error);
		return;
	}
	size_t length, again_length;
	g_autofree char *said = leaf_nf_encode(nf, LEAF_PROTOCOL_VERSION, &length, &error);
	if (!said)
		g_error("accepted, but cannot be said again: %s", error->message);
	nf = leaf_nf_decode(arena, said, length, &error);
	if (!nf)
		g_error("accepted once, but not twice: %s", error->message);
	g_autofree char *again = leaf_nf_encode(nf, LEAF_PROTOCOL_VERSION, &again_length, NULL);
	g_assert_cmpstr(said, ==, again);
}

static void read_status(struct arena *arena, const char *text, size_t size)
{
	g_autoptr(GError) error = NULL;
	const struct leaf_status *status = leaf_status_decode(arena, text, size, &error);
	if (!status) {
		FUZZ_REFUSED(error);
		return;
	}
	g_autofree char *said = leaf_status_encode(status);
	status = leaf_status_decode(arena, said, strlen(said), &error);
	if (!status)
		g_error("accepted once, but not twice: %s", error->message);
	g_autofree char *again = leaf_status_encode(status);
	g_assert_cmpstr(said, ==, again);
}

static void read_metrics(struct arena *arena, const char *text, size_t size)
{
	g_autoptr(GError) error = NULL;
	const struct leaf_metrics *metrics = leaf_metrics_decode(arena, text, size, &error);
	if (!metrics) {
		FUZZ_REFUSED(error);
		return;
	}
	g_autofree char *said = leaf_metrics_encode(metrics);
	metrics = leaf_metrics_decode(arena, said, strlen(said), &error);
	if (!metrics)
		g_error("accepted once, but not twice: %s", error->message);
	g_autofree char *again = leaf_metrics_encode(metrics);
	g_assert_cmpstr(said, ==, again);
}

/* A path of a package is told to be good only when it stays inside. */
static void read_path(const char *text, size_t size)
{
	g_autofree char *path = g_strndup(text, size);
	if (leaf_package_path_is_good(path))
		g_assert_true(path[0] != '/' && !strstr(path, "/../") && !g_str_has_prefix(path, "../") && !g_str_has_suffix(path, "/.."));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_ptr(arena) arena = arena_new();
	g_autoptr(GError) error = NULL;
	read_nf(arena, (const char *) data, size);
	read_status(arena, (const char *) data, size);
	read_metrics(arena, (const char *) data, size);
	read_path((const char *) data, size);
	leaf_refusal_decode(502, (const char *) data, size, &error);
	FUZZ_REFUSED(error);
	return 0;
}
