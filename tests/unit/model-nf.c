/* NFs as typed structs, packages, samples, marks. */
#include "model/mark.h"
#include "model/nf.h"
#include "model/package.h"
#include "model/sample.h"

#include <string.h>

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* --- NFs ------------------------------------------------------------------------------------------------------------------ */

static void test_round_trip(void)
{
	auto_ptr(arena) arena = arena_new();
	const struct nf_input inputs[] = { { "A", "1 2", NULL }, { "PW", NULL, "pw#web" } };
	const struct nf_secret secrets[] = { { "pw#web", NF_SECRET_CHANGED, "salt:proof" }, { "x", NF_SECRET_UNKNOWN, NULL } };
	const struct nf_file files[] = { { .name = "a.conf", .path = "/etc/a", .digest = DIGEST, .mode = "0600", .on_change = NF_LEAVE } };
	const char *const command[] = { "cat" };
	struct nf nf = {
		.key = "nf/a.0", .site = "local", .incarnation = 3, .state = NF_FAILED, .command = command, .n_command = 1, .ems = "leaf",
		.package = DIGEST, .operations[NF_START] = { "up.sh", 1500, inputs, 2 },
		.health_check = { NF_CHECK_HTTP, "127.0.0.1", 80, "/healthz", 500, 200, 0, 2 },
		.secrets = secrets, .n_secrets = 2, .files = files, .n_files = 1, .health = NF_UNHEALTHY, .reason = "exit 1", .pid = 7,
	};
	g_autoptr(GError) error = NULL;
	const struct object *object = nf_to_object(arena, &nf);
	g_assert_cmpstr(object_string(object, "secret.pw%23web", ""), ==, "changed");
	g_assert_cmpint(object_value(object, "secret.x")->type, ==, VALUE_UNKNOWN);
	const struct nf *back = nf_from_object(arena, object, &error);
	g_assert_no_error(error);
	g_assert_cmpint(back->state, ==, NF_FAILED);
	g_assert_cmpstr(back->package, ==, DIGEST);
	g_assert_cmpstr(back->operations[NF_START].script, ==, "up.sh");
	g_assert_cmpuint(back->operations[NF_START].timeout_ms, ==, 1500);
	g_assert_cmpuint(back->operations[NF_START].n_inputs, ==, 2);
	g_assert_cmpstr(back->operations[NF_START].inputs[0].value, ==, "1 2");
	g_assert_cmpstr(back->operations[NF_START].inputs[1].secret, ==, "pw#web");
	g_assert_null(back->operations[NF_START].inputs[1].value);
	g_assert_null(back->operations[NF_STOP].script);
	g_assert_cmpint(back->health_check.type, ==, NF_CHECK_HTTP);
	g_assert_cmpuint(back->health_check.port, ==, 80);
	g_assert_cmpuint(back->health_check.interval_ms, ==, 500);
	g_assert_cmpstr(back->health_check.path, ==, "/healthz");
	g_assert_cmpuint(back->n_secrets, ==, 2);
	g_assert_cmpint(back->secrets[0].state, ==, NF_SECRET_CHANGED);
	g_assert_null(back->secrets[0].proof); /* stands in no object */
	g_assert_cmpint(back->files[0].on_change, ==, NF_LEAVE);
	g_assert_cmpint(back->health, ==, NF_UNHEALTHY);
	g_assert_true(value_equal(object_value(object, "config.a%2Econf.content"), value_digest(arena, DIGEST)));
}

static void test_faults(void)
{
	static const struct {
		const char *path, *text, *says;
	} cases[] = {
		{ "operation.start.script", "../x", "not the path of a file" },
		{ "operation.start.script", "up.sh", "no package" },
		{ "package", "abc", "not the digest" },
		{ "health_check.type", "tcp", "needs an address" },
		{ "health_check.type", "ping", "ping" },
		{ "secret.a", "perhaps", "perhaps" },
		{ "state", "sleeping", "sleeping" },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		auto_ptr(arena) arena = arena_new();
		g_autoptr(GError) error = NULL;
		struct object_builder *builder = object_builder_new(arena, "nf/a.0", "local", ORIGIN_NONE);
		object_set_string(builder, cases[i].path, cases[i].text, ORIGIN_NONE);
		g_assert_null(nf_from_object(arena, object_build(builder), &error));
		g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID);
		g_assert_nonnull(strstr(error->message, cases[i].says));
	}
}

static void test_bounds(void)
{
	auto_ptr(arena) arena = arena_new();
	g_autoptr(GError) error = NULL;
	struct object_builder *builder = object_builder_new(arena, "nf/a.0", "local", ORIGIN_NONE);
	for (unsigned i = 0; i <= NF_SECRETS_MAX; i++)
		object_set_string(builder, arena_printf(arena, "secret.s%u", i), "current", ORIGIN_NONE);
	g_assert_null(nf_from_object(arena, object_build(builder), &error));
	g_clear_error(&error);
	builder = object_builder_new(arena, "nf/a.0", "local", ORIGIN_NONE);
	object_set_string(builder, "operation.start.script", "up.sh", ORIGIN_NONE);
	for (unsigned i = 0; i <= NF_INPUTS_MAX; i++)
		object_set_string(builder, arena_printf(arena, "operation.start.input.I%u", i), "x", ORIGIN_NONE);
	g_assert_null(nf_from_object(arena, object_build(builder), &error));
	g_clear_error(&error);
	g_autofree char *large = g_strnfill(NF_INPUT_MAX_BYTES + 1, 'x');
	builder = object_builder_new(arena, "nf/a.0", "local", ORIGIN_NONE);
	object_set_string(builder, "operation.start.script", "up.sh", ORIGIN_NONE);
	object_set_string(builder, "operation.start.input.I", large, ORIGIN_NONE);
	g_assert_null(nf_from_object(arena, object_build(builder), &error));
	g_assert_nonnull(strstr(error->message, "longer"));
	g_autofree char *name = g_strnfill(NF_INPUT_NAME_MAX_BYTES + 1, 'x');
	g_assert_false(nf_input_name_is_good(name));
	g_assert_true(nf_input_name_is_good(name + 1));
	g_assert_false(nf_input_name_is_good("1A") || nf_input_name_is_good("") || nf_input_name_is_good("a-b"));
}

static const struct object *with(struct arena *arena, const char *on_change, const char *script)
{
	struct object_builder *builder = object_builder_new(arena, "nf/a.0", "local", ORIGIN_NONE);
	object_set_string(builder, "config.c.on_change", on_change, ORIGIN_NONE);
	if (script)
		object_set_string(builder, arena_printf(arena, "operation.%s.script", script), "x.sh", ORIGIN_NONE);
	return object_build(builder);
}

/* What a change costs is what its NF says: reloaded where it can, restarted where it must. */
static void test_costs(void)
{
	auto_ptr(arena) arena = arena_new();
	const char *path = "config.c.content";
	g_assert_cmpint(kind_nf.cost(with(arena, "reload", "reload"), path, COST_IN_PLACE), ==, COST_IN_PLACE);
	g_assert_cmpint(kind_nf.cost(with(arena, "reload", "start"), path, COST_IN_PLACE), ==, COST_RESTART);
	g_assert_cmpint(kind_nf.cost(with(arena, "reload", NULL), path, COST_IN_PLACE), ==, COST_IN_PLACE); /* nothing runs */
	g_assert_cmpint(kind_nf.cost(with(arena, "restart", "reload"), path, COST_IN_PLACE), ==, COST_RESTART);
	g_assert_cmpint(kind_nf.cost(with(arena, "none", "start"), path, COST_IN_PLACE), ==, COST_IN_PLACE);
	g_assert_cmpint(kind_nf.cost(with(arena, "none", "start"), "secret.pw", COST_IN_PLACE), ==, COST_RESTART);
	g_assert_cmpint(kind_nf.cost(with(arena, "none", "reload"), "operation.start.input.A", COST_IN_PLACE), ==, COST_IN_PLACE);
	g_assert_cmpint(kind_nf.cost(with(arena, "none", "start"), "operation.stop.input.A", COST_IN_PLACE), ==, COST_IN_PLACE);
	g_assert_cmpint(kind_nf.cost(with(arena, "none", "start"), "command", COST_RESTART), ==, COST_RESTART);
}

/* --- packages ------------------------------------------------------------------------------------------------------------- */

static const struct package *make(struct arena *arena, GError **error, const char *first, const char *second)
{
	g_autoptr(GBytes) bytes = g_bytes_new_static("a\n", 2);
	const struct package_file files[] = { { .path = first, .bytes = bytes }, { .path = second, .executable = true, .bytes = bytes } };
	return package_make(arena, files, second ? 2 : 1, error);
}

static void test_package(void)
{
	auto_ptr(arena) arena = arena_new();
	g_autoptr(GError) error = NULL;
	const struct package *package = make(arena, &error, "b/x", "a");
	g_assert_no_error(error);
	g_autofree char *manifest = package_manifest(package->files, package->n_files);
	/* The digest of "a\n", and of the text itself, by another hand. */
	g_assert_cmpstr(manifest, ==, "0755 87428fc522803d31065e7bce3cf03fe475096631e5e07bbd7a0fde60c4cf25c7 a\n"
				      "0644 87428fc522803d31065e7bce3cf03fe475096631e5e07bbd7a0fde60c4cf25c7 b/x\n");
	g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, manifest, -1);
	g_assert_cmpstr(package->digest, ==, sum);
	g_assert_cmpuint(package->n_bytes, ==, 4);
	g_assert_cmpstr(make(arena, NULL, "b/y", "a")->digest, !=, sum);
}

static void test_package_paths(void)
{
	static const char *const bad[] = { "", "/a", "a/", "a//b", "../a", "a/../b", ".", "a\nb", "a/\x7f", "\xff" };
	g_autofree char *most = g_strnfill(PACKAGE_PATH_MAX_BYTES, 'x'), *over = g_strnfill(PACKAGE_PATH_MAX_BYTES + 1, 'x');
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		auto_ptr(arena) arena = arena_new();
		g_autoptr(GError) error = NULL;
		g_assert_false(package_path_is_good(bad[i]));
		g_assert_null(make(arena, &error, bad[i], NULL));
		g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID);
	}
	g_assert_true(package_path_is_good(most) && package_path_is_good("Scripts/ü b.sh"));
	g_assert_false(package_path_is_good(over));
	auto_ptr(arena) arena = arena_new();
	g_assert_null(make(arena, NULL, "a", "a"));
	g_assert_null(make(arena, NULL, "a/b/c", "a"));
	g_assert_nonnull(make(arena, NULL, "a-b", "a/b"));
}

static void test_package_bounds(void)
{
	auto_ptr(arena) arena = arena_new();
	g_autoptr(GError) error = NULL;
	g_autofree char *much = g_malloc0(PACKAGE_FILE_MAX_BYTES + 1);
	g_autoptr(GBytes) large = g_bytes_new_static(much, PACKAGE_FILE_MAX_BYTES + 1);
	g_autoptr(GBytes) most = g_bytes_new_static(much, PACKAGE_FILE_MAX_BYTES);
	struct package_file file = { .path = "a", .bytes = large };
	g_assert_null(package_make(arena, &file, 1, &error));
	g_clear_error(&error);
	struct package_file five[5];
	for (size_t i = 0; i < 5; i++)
		five[i] = (struct package_file) { .path = arena_printf(arena, "%zu", i), .bytes = most };
	g_assert_null(package_make(arena, five, 5, &error));
	g_assert_nonnull(strstr(error->message, "larger"));
	g_clear_error(&error);
	struct package_file *many = ARENA_ARRAY(arena, struct package_file, PACKAGE_FILES_MAX + 1);
	g_assert_null(package_make(arena, many, PACKAGE_FILES_MAX + 1, &error));
	g_assert_nonnull(strstr(error->message, "more than"));
}

/* --- samples and marks ---------------------------------------------------------------------------------------------------- */

static void test_sample(void)
{
	auto_ptr(arena) arena = arena_new();
	const struct sample_port port = { "lan", 1, 2, 3, 4, 5, -1 };
	const struct sample sample = { 9, 8, 7, -1, 5, &port, 1 };
	g_autoptr(json_t) json = sample_to_json(&sample);
	const struct sample *back = sample_from_json(arena, json);
	g_assert_cmpint(back->cpu_us, ==, 8);
	g_assert_cmpint(back->disk_bytes, ==, -1);
	g_assert_cmpstr(back->ports[0].cp, ==, "lan");
	g_assert_cmpint(back->ports[0].tx_drops, ==, -1);
	json_object_del(json, "cpu_us");
	g_assert_cmpint(sample_from_json(arena, json)->cpu_us, ==, -1);
	json_object_set_new(json, "cpu_us", json_integer(-2));
	g_assert_null(sample_from_json(arena, json));
	json_object_set_new(json, "cpu_us", json_string("8"));
	g_assert_null(sample_from_json(arena, json));
	json_object_del(json, "cpu_us");
	json_t *ports = json_object_get(json, "ports");
	while (json_array_size(ports) <= SAMPLE_PORTS_MAX)
		json_array_append(ports, json_array_get(ports, 0));
	g_assert_null(sample_from_json(arena, json));
	g_autoptr(json_t) list = json_array();
	g_assert_null(sample_from_json(arena, list));
}

static const char *value_of(const char *secret, void *data, GError **error)
{
	if (strcmp(secret, "none") == 0)
		pleach_error_invalid(error, "no such secret");
	return strcmp(secret, "none") == 0 ? NULL : data;
}

static void count_mark(const char *secret, void *data)
{
	g_string_append_printf(data, "%s,", secret);
}

static void test_marks(void)
{
	g_autoptr(GString) text = g_string_new("a ");
	g_autoptr(GString) names = g_string_new(NULL);
	g_autoptr(GError) error = NULL;
	char value[] = "S";
	mark_append(text, "pw#web");
	g_string_append(text, " b");
	mark_append(text, "x");
	mark_each(text->str, count_mark, names);
	g_assert_cmpstr(names->str, ==, "pw#web,x,");
	char *filled = mark_fill(text->str, 100, value_of, value, &error);
	g_assert_cmpstr(filled, ==, "a S bS");
	mark_free(filled);
	g_assert_null(mark_fill(text->str, 5, value_of, value, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID);
	g_clear_error(&error);
	mark_append(text, "none");
	g_assert_null(mark_fill(text->str, 100, value_of, value, &error));
	g_assert_cmpstr(error->message, ==, "no such secret");
	g_assert_true(mark_is_in(MARK_END "x") && !mark_is_in("plain"));
	/* A mark that does not end is text. */
	char *open = mark_fill(MARK_BEGIN "secret:x", 100, value_of, value, NULL);
	g_assert_cmpstr(open, ==, MARK_BEGIN "secret:x");
	mark_free(open);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/model/nf/round-trip", test_round_trip);
	g_test_add_func("/model/nf/faults", test_faults);
	g_test_add_func("/model/nf/bounds", test_bounds);
	g_test_add_func("/model/nf/costs", test_costs);
	g_test_add_func("/model/package/digest", test_package);
	g_test_add_func("/model/package/paths", test_package_paths);
	g_test_add_func("/model/package/bounds", test_package_bounds);
	g_test_add_func("/model/sample", test_sample);
	g_test_add_func("/model/marks", test_marks);
	return g_test_run();
}
