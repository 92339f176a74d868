#include "keeperproto/keeperproto.h"

#include <string.h>

static const char *const addresses[] = { "10.0.0.5" };
static const char *const pools[] = { "10.0.0.5-10.0.0.9" };

static void parse_ok(struct arena *arena, const char *text, struct keeper_request *ret)
{
	g_autoptr(GError) error = NULL;
	keeper_request_parse(arena, text, strlen(text), ret, &error);
	g_assert_no_error(error);
}

static void test_requests(void)
{
	auto_ptr(arena) arena = arena_new();
	const struct keeper_label label = { "vdu", "x" };
	const struct keeper_cp cp = {
		.name = "lan", .link = "link/a.b", .order = 2, .mtu = 1400, .cidr = "10.0.0.0/24", .pools = { pools, 1 },
		.addresses = { addresses, 1 }, .prefer = { addresses, 1 }, .mac = "02:00:00:00:00:01", .up = true,
	};
	struct keeper_request request = {
		.op = KEEPER_ENSURE_VNFC, .left_ms = 1234,
		.vnfc = { .key = "vnfc/a.b.0", .incarnation = 7, .vcpus = 2, .mem_bytes = G_GINT64_CONSTANT(8589934592),
			.pids = 9, .hostname = "h",
			  .labels = &label, .n_labels = 1, .cps = &cp, .n_cps = 1 },
	}, got;
	g_autofree char *text = keeper_request_text(&request);
	parse_ok(arena, text, &got);
	g_assert_cmpint(got.op, ==, KEEPER_ENSURE_VNFC);
	g_assert_cmpint(got.left_ms, ==, 1234);
	g_assert_cmpstr(got.vnfc.key, ==, "vnfc/a.b.0");
	g_assert_cmpuint(got.vnfc.incarnation, ==, 7);
	g_assert_cmpint(got.vnfc.mem_bytes, ==, G_GINT64_CONSTANT(8589934592));
	g_assert_cmpstr(got.vnfc.labels[0].text, ==, "x");
	g_assert_cmpstr(got.vnfc.cps[0].link, ==, "link/a.b");
	g_assert_cmpuint(got.vnfc.cps[0].mtu, ==, 1400);
	g_assert_cmpstr(got.vnfc.cps[0].pools.items[0], ==, pools[0]);
	g_assert_cmpstr(got.vnfc.cps[0].prefer.items[0], ==, addresses[0]);
	g_assert_true(got.vnfc.cps[0].up);
	/* The same value, the same bytes. */
	g_autofree char *again = keeper_request_text(&got);
	g_assert_cmpstr(text, ==, again);
}

static void test_every_op(void)
{
	static const char *const argv[] = { "ip", "link" };
	for (enum keeper_op op = 0; op < KEEPER_N_OPS; op++) {
		auto_ptr(arena) arena = arena_new();
		struct keeper_request request = {
			.op = op, .key = "vnfc/a.b.0", .argv = { argv, 2 }, .host = "127.0.0.1", .port = 80, .incarnation = 3,
			.link = { .key = "link/a.b", .mtu = 1500, .up = true }, .vnfc = { .key = "vnfc/a.b.0" },
		}, got;
		g_autofree char *text = keeper_request_text(&request);
		parse_ok(arena, text, &got);
		g_assert_cmpint(got.op, ==, op);
	}
}

static void test_replies(void)
{
	auto_ptr(arena) arena = arena_new();
	g_autoptr(GError) error = NULL;
	const struct keeper_link link = { .key = "link/a.b", .incarnation = 1, .mtu = 1500, .up = true,
		.device = "pl012345678901" };
	const struct keeper_vnfc vnfc = { .key = "vnfc/a.b.0", .state = KEEPER_FAILED, .exit = "signal 9 (Killed)", .vcpus = -1 };
	const struct keeper_stranger stranger = { "bridge br0", NULL };
	const struct keeper_reply reply = {
		.ok = true, .links = &link, .n_link_items = 1, .vnfcs = &vnfc, .n_vnfc_items = 1, .strangers = &stranger,
			.n_strangers = 1,
		.status = 3,
	};
	struct keeper_reply got;
	g_autofree char *text = keeper_reply_text(&reply);
	g_assert_true(keeper_reply_parse(arena, text, strlen(text), &got, &error));
	g_assert_true(got.ok);
	g_assert_cmpstr(got.links[0].device, ==, "pl012345678901");
	g_assert_cmpint(got.vnfcs[0].state, ==, KEEPER_FAILED);
	g_assert_cmpint(got.vnfcs[0].vcpus, ==, -1);
	g_assert_null(got.strangers[0].owner);
	g_assert_cmpint(got.status, ==, 3);
	for (int code = PLEACH_ERROR_RETRY; code <= PLEACH_ERROR_INVALID; code++) {
		const struct keeper_reply failure = { .code = (enum pleach_error) code, .text = "why" };
		g_autofree char *words = keeper_reply_text(&failure);
		g_assert_true(keeper_reply_parse(arena, words, strlen(words), &got, &error));
		g_assert_false(got.ok);
		g_assert_cmpint(got.code, ==, code);
		g_assert_cmpstr(got.text, ==, "why");
	}
}

static void test_events(void)
{
	auto_ptr(arena) arena = arena_new();
	static const char *const keys[] = { "link/a.b", "vnfc/a.b.0" };
	struct keeper_event got;
	g_autofree char *text = keeper_event_text(&(struct keeper_event) { { keys, 2 } }),
		*all = keeper_event_text(&(struct keeper_event) { 0 });
	g_assert_true(keeper_event_parse(arena, text, strlen(text), &got, NULL));
	g_assert_cmpuint(got.keys.n, ==, 2);
	g_assert_cmpstr(got.keys.items[1], ==, "vnfc/a.b.0");
	g_assert_true(keeper_event_parse(arena, all, strlen(all), &got, NULL));
	g_assert_cmpuint(got.keys.n, ==, 0);
}

static void refuse(const char *text)
{
	auto_ptr(arena) arena = arena_new();
	struct keeper_request got;
	g_autoptr(GError) error = NULL;
	if (keeper_request_parse(arena, text, strlen(text), &got, &error))
		g_error("was accepted: %.200s", text);
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID);
}

static void test_wrong_requests(void)
{
	static const char *const wrong[] = {
		"", "{", "[]", "null", "7", "\"x\"", "{}", "{\"v\":1}", "{\"v\":2,\"op\":\"status\"}",
			"{\"v\":\"1\",\"op\":\"status\"}",
		"{\"v\":1,\"op\":\"dance\"}", "{\"v\":1,\"op\":7}", "{\"v\":1,\"op\":\"status\"} x",
			"{\"v\":1,\"v\":1,\"op\":\"status\"}",
		"{\"v\":1,\"op\":\"remove\"}", "{\"v\":1,\"op\":\"remove\",\"key\":{}}",
			"{\"v\":1,\"op\":\"remove\",\"key\":\"x\",\"incarnation\":-1}",
		"{\"v\":1,\"op\":\"status\",\"left_ms\":-5}", "{\"v\":1,\"op\":\"status\",\"left_ms\":1e99}",
		"{\"v\":1,\"op\":\"ensure-link\"}", "{\"v\":1,\"op\":\"ensure-link\",\"link\":[]}",
			"{\"v\":1,\"op\":\"ensure-link\",\"link\":{}}",
		"{\"v\":1,\"op\":\"ensure-link\",\"link\":{\"key\":\"k\",\"mtu\":70000}}",
		"{\"v\":1,\"op\":\"ensure-link\",\"link\":{\"key\":\"k\",\"up\":\"yes\"}}",
		"{\"v\":1,\"op\":\"ensure-link\",\"link\":{\"key\":\"k\",\"pools\":\"x\"}}",
		"{\"v\":1,\"op\":\"ensure-link\",\"link\":{\"key\":\"k\",\"pools\":[1]}}",
		"{\"v\":1,\"op\":\"ensure-vnfc\",\"vnfc\":{\"key\":\"k\",\"cps\":[7]}}",
		"{\"v\":1,\"op\":\"ensure-vnfc\",\"vnfc\":{\"key\":\"k\",\"cps\":{}}}",
		"{\"v\":1,\"op\":\"ensure-vnfc\",\"vnfc\":{\"key\":\"k\",\"cps\":[{}]}}",
		"{\"v\":1,\"op\":\"ensure-vnfc\",\"vnfc\":{\"key\":\"k\",\"labels\":[{\"name\":\"x\"}]}}",
		"{\"v\":1,\"op\":\"ensure-vnfc\",\"vnfc\":{\"key\":\"k\",\"state\":\"asleep\"}}",
		"{\"v\":1,\"op\":\"exec\",\"key\":\"k\"}", "{\"v\":1,\"op\":\"exec\",\"key\":\"k\",\"argv\":[]}",
		"{\"v\":1,\"op\":\"exec\",\"key\":\"k\",\"argv\":[\"a\\u0000b\"]}",
		"{\"v\":1,\"op\":\"connect\",\"key\":\"k\",\"host\":\"h\"}",
			"{\"v\":1,\"op\":\"connect\",\"key\":\"k\",\"host\":\"h\",\"port\":0}",
		"{\"v\":1,\"op\":\"connect\",\"key\":\"k\",\"host\":\"h\",\"port\":65536}", "\xff\xfe",
	};
	for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++)
		refuse(wrong[i]);
}

/* One more than each bound allows. */
static void test_bounds(void)
{
	g_autofree char *key = g_strnfill(KEEPER_KEY_MAX + 1, 'k'), *text = g_strnfill(KEEPER_TEXT_MAX + 1, 'x');
	g_autofree char *long_key = g_strdup_printf("{\"v\":1,\"op\":\"remove\",\"key\":\"%s\"}", key);
	g_autofree char *long_cidr =
		g_strdup_printf("{\"v\":1,\"op\":\"ensure-link\",\"link\":{\"key\":\"k\",\"cidr\":\"%s\"}}", text);
	refuse(long_key);
	refuse(long_cidr);
	g_autoptr(GString) cps = g_string_new("{\"v\":1,\"op\":\"ensure-vnfc\",\"vnfc\":{\"key\":\"k\",\"cps\":[");
	for (int i = 0; i <= KEEPER_CPS_MAX; i++)
		g_string_append_printf(cps, "%s{\"name\":\"c%d\"}", i ? "," : "", i);
	g_string_append(cps, "]}}");
	refuse(cps->str);
	g_autoptr(GString) argv = g_string_new("{\"v\":1,\"op\":\"exec\",\"key\":\"k\",\"argv\":[");
	for (int i = 0; i <= KEEPER_ARGV_MAX; i++)
		g_string_append(argv, i ? ",\"a\"" : "\"a\"");
	g_string_append(argv, "]}");
	refuse(argv->str);
	g_autofree char *large = g_strnfill(KEEPER_REQUEST_MAX_BYTES + 1, ' ');
	refuse(large);
	g_autofree char *deep = g_strnfill(100000, '[');
	refuse(deep);
}

/* Whatever bytes come: an answer, never a fault of ours. */
static void test_any_bytes(void)
{
	static const char seed[] = "{\"v\":1,\"op\":\"ensure-vnfc\",\"left_ms\":5,"
				   "\"vnfc\":{\"key\":\"k\",\"cps\":[{\"name\":\"a\",\"pools\":[\"x\"]}]}}";
	for (int i = 0; i < 20000; i++) {
		auto_ptr(arena) arena = arena_new();
		char text[sizeof(seed)];
		memcpy(text, seed, sizeof(seed));
		for (int n = g_test_rand_int_range(1, 5); n > 0; n--)
			text[g_test_rand_int_range(0, sizeof(seed) - 1)] = (char) g_test_rand_int_range(0, 256);
		struct keeper_request request;
		struct keeper_reply reply;
		struct keeper_event event;
		size_t length = (size_t) g_test_rand_int_range(0, sizeof(seed));
		keeper_request_parse(arena, text, length, &request, NULL);
		keeper_reply_parse(arena, text, length, &reply, NULL);
		keeper_event_parse(arena, text, length, &event, NULL);
	}
}

static void test_header(void)
{
	unsigned char header[KEEPER_HEADER_BYTES];
	static const size_t lengths[] = { 0, 1, 255, 256, 65536, KEEPER_REPLY_MAX_BYTES };
	for (size_t i = 0; i < G_N_ELEMENTS(lengths); i++) {
		keeper_header_put(header, lengths[i]);
		g_assert_cmpuint(keeper_header_get(header), ==, lengths[i]);
	}
	g_autofree char *a = keeper_folder_name("acme", "berlin"), *b = keeper_folder_name("acme", "paris");
	g_assert_cmpuint(strlen(a), ==, 12);
	g_assert_cmpstr(a, !=, b);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/keeperproto/requests", test_requests);
	g_test_add_func("/keeperproto/every-op", test_every_op);
	g_test_add_func("/keeperproto/replies", test_replies);
	g_test_add_func("/keeperproto/events", test_events);
	g_test_add_func("/keeperproto/wrong-requests", test_wrong_requests);
	g_test_add_func("/keeperproto/bounds", test_bounds);
	g_test_add_func("/keeperproto/any-bytes", test_any_bytes);
	g_test_add_func("/keeperproto/header", test_header);
	return g_test_run();
}
