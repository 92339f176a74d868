/* The typed views: from fields to structs and back, and what they refuse. */
#include "base/error.h"
#include "model/address.h"
#include "model/link.h"
#include "model/network.h"
#include "model/nf.h"
#include "model/vnfc.h"

#include <string.h>

#define SHA256 "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

static struct arena *arena;

static void test_addresses(void)
{
	struct address address, last;
	struct cidr cidr;
	g_assert_true(address_parse("10.0.0.1", &address) && address.length == 4);
	g_assert_true(address_parse("2001:db8::1", &address) && address.length == 16);
	static const char *const no_address[] = { "", "10.0.0", "10.0.0.256", "10.0.0.1/24", "fe80::1%eth0", " 10.0.0.1", "x" };
	for (size_t i = 0; i < G_N_ELEMENTS(no_address); i++)
		g_assert_false(address_parse(no_address[i], &address));
	static const char *const no_cidr[] = { "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/ 8", "::/129",
			"/8",
					       "10.0.0.0/8x", "10.0.0.0/0008" };
	for (size_t i = 0; i < G_N_ELEMENTS(no_cidr); i++)
		g_assert_false(cidr_parse(no_cidr[i], &cidr));
	g_assert_true(cidr_parse("10.1.2.0/23", &cidr));
	g_assert_true(address_parse("10.1.3.255", &address) && cidr_contains(&cidr, &address));
	g_assert_true(address_parse("10.1.4.0", &address) && !cidr_contains(&cidr, &address));
	g_assert_true(address_parse("::1", &address) && !cidr_contains(&cidr, &address));
	g_assert_true(cidr_parse("0.0.0.0/0", &cidr) && address_parse("255.1.1.1", &address) && cidr_contains(&cidr, &address));
	g_assert_true(pool_parse("10.0.0.5-10.0.0.5", &address, &last));
	g_assert_false(pool_parse("10.0.0.5-10.0.0.4", &address, &last));
	g_assert_false(pool_parse("10.0.0.5-::1", &address, &last));
	g_assert_false(pool_parse("10.0.0.5", &address, &last));
	g_assert_true(mac_is_valid("02:00:5e:10:00:01"));
	static const char *const no_mac[] = { "", "02:00:5e:10:00:0", "02:00:5E:10:00:01", "02-00-5e-10-00-01",
			"02:00:5e:10:00:01:02",
					      "00:00:00:00:00:00", "01:00:5e:10:00:01", "0g:00:5e:10:00:01" };
	for (size_t i = 0; i < G_N_ELEMENTS(no_mac); i++)
		g_assert_false(mac_is_valid(no_mac[i]));
}

static void test_link(void)
{
	const struct link link = { .key = "link/a.lan", .site = "x", .incarnation = 2, .cidr = "10.0.0.0/24",
				   .pools = (const char *const[]) { "10.0.0.10-10.0.0.20" }, .n_pools = 1, .mtu = 1400,
				   .gateway = "10.0.0.1", .up = false };
	const struct object *object = link_to_object(arena, &link);
	const struct link *back = link_from_object(arena, object, NULL);
	g_assert_cmpstr(back->key, ==, link.key);
	g_assert_cmpuint(back->incarnation, ==, 2);
	g_assert_cmpstr(back->cidr, ==, link.cidr);
	g_assert_cmpstr(back->pools[0], ==, link.pools[0]);
	g_assert_cmpuint(back->mtu, ==, 1400);
	g_assert_cmpstr(back->gateway, ==, link.gateway);
	g_assert_false(back->up);
	g_assert_cmpstr(object_digest(arena, link_to_object(arena, back)), ==, object_digest(arena, object));
	const struct object *bare = object_build(object_builder_new(arena, "link/a", "x", ORIGIN_NONE));
	back = link_from_object(arena, bare, NULL);
	g_assert_true(back->up && back->mtu == LINK_MTU_DEFAULT && !back->cidr && !back->gateway && !back->n_pools);
}

static struct vnfc full_vnfc(void)
{
	static const char *const lan[] = { "10.0.0.5", "2001:db8::5" };
	static const struct cp cps[] = {
		{ .name = "wan", .link = "link/a.wan", .order = 0, .mtu = 1500, .up = true },
		{ .name = "lan.1", .link = "link/a.lan", .order = 1, .mtu = 1400, .cidr = "10.0.0.0/24", .addresses = lan,
				.n_addresses = 2,
		  .mac_address = "02:00:00:00:00:01", .up = false, .port_name = "lan.1" },
	};
	static const struct label labels[] = { { "vdu", "web" }, { "vnfd_id", "7a" } };
	return (struct vnfc) { .key = "vnfc/a.web.0", .site = "x", .incarnation = 3, .state = VNFC_STOPPED, .vcpus = 2,
			       .mem_bytes = 64 << 20, .pids = -1, .hostname = "web-0",
			       .labels = labels, .n_labels = 2, .cps = cps,
			       .n_cps = 2, .pid = 42, .exit = "exit status 1" };
}

static void test_vnfc(void)
{
	const struct vnfc vnfc = full_vnfc();
	const struct object *object = vnfc_to_object(arena, &vnfc);
	g_assert_cmpint(object_value(object, "pids")->type, ==, VALUE_UNKNOWN);
	g_assert_cmpstr(object_string(object, "cp.lan%2E1.port_name", NULL), ==, "lan.1");
	g_autoptr(GError) error = NULL;
	const struct vnfc *back = vnfc_from_object(arena, object, &error);
	g_assert_no_error(error);
	g_assert_cmpint(back->state, ==, VNFC_STOPPED);
	g_assert_cmpint(back->vcpus, ==, 2);
	g_assert_cmpint(back->mem_bytes, ==, 64 << 20);
	g_assert_cmpint(back->pids, ==, -1);
	g_assert_cmpint(back->pid, ==, 42);
	g_assert_cmpstr(back->exit, ==, "exit status 1");
	g_assert_cmpstr(back->hostname, ==, "web-0");
	g_assert_cmpuint(back->n_labels, ==, 2);
	g_assert_cmpstr(back->labels[1].text, ==, "7a");
	g_assert_cmpuint(back->n_cps, ==, 2);
	g_assert_cmpstr(back->cps[0].name, ==, "wan"); /* by order, not by name */
	g_assert_cmpstr(back->cps[1].name, ==, "lan.1");
	g_assert_cmpstr(back->cps[1].addresses[1], ==, "2001:db8::5");
	g_assert_cmpstr(back->cps[1].mac_address, ==, "02:00:00:00:00:01");
	g_assert_false(back->cps[1].up);
	g_autoptr(json_t) a = object_to_json(object), b = object_to_json(vnfc_to_object(arena, back));
	g_assert_true(json_equal(a, b));
}

static void test_nf(void)
{
	static const struct nf_file files[] = {
		{ .name = "a.cfg", .path = "/etc/a.cfg", .content = "hello", .mode = "0600" },
		{ .name = "b", .path = "/etc/b", .digest = SHA256, .mode = "0644" },
		{ .name = "gone", .path = "/etc/gone", .mode = "0644" },
	};
	const struct nf nf = { .key = "nf/a.0", .site = "x", .incarnation = 1, .state = NF_FAILED,
			       .command = (const char *const[]) { "haproxy", "-f", "/etc/a.cfg" }, .n_command = 3, .ems = "leaf",
			       .stateful = true, .files = files, .n_files = 3, .reason = "bind: no", .restarts = 2, .pid = 9 };
	const struct object *object = nf_to_object(arena, &nf);
	g_autoptr(GError) error = NULL;
	const struct nf *back = nf_from_object(arena, object, &error);
	g_assert_no_error(error);
	g_assert_cmpint(back->state, ==, NF_FAILED);
	g_assert_cmpuint(back->n_command, ==, 3);
	g_assert_true(back->stateful);
	g_assert_cmpuint(back->n_files, ==, 3);
	g_assert_cmpstr(back->files[0].name, ==, "a.cfg");
	g_assert_cmpstr(back->files[0].content, ==, "hello");
	g_assert_cmpstr(back->files[0].mode, ==, "0600");
	g_assert_cmpstr(back->files[1].digest, ==, SHA256);
	g_assert_null(back->files[2].content);
	g_assert_null(back->files[2].digest);
	g_assert_cmpstr(back->reason, ==, "bind: no");
	g_assert_cmpint(back->restarts, ==, 2);
	g_autoptr(json_t) a = object_to_json(object), b = object_to_json(nf_to_object(arena, back));
	g_assert_true(json_equal(a, b));
}

/* One field of each: refused with its path. */
static void test_refused(void)
{
	static const struct {
		const char *key, *path, *json;
	} cases[] = {
		{ "link/a", "mtu", "67" }, { "link/a", "mtu", "65522" }, { "link/a", "mtu", "\"1500\"" }, { "link/a", "mtu",
				"1500.5" },
		{ "link/a", "mtu", "{\"$unknown\":true}" }, { "link/a", "cidr", "\"10.0.0.0\"" }, { "link/a", "gateway",
				"\"10.0.0\"" },
		{ "link/a", "pools", "[\"10.0.0.1\"]" }, { "link/a", "pools", "[1]" }, { "link/a", "pools", "\"x\"" },
		{ "link/a", "state", "\"sideways\"" }, { "link/a", "state", "true" }, { "vnfc/a", "state", "\"up\"" },
		{ "vnfc/a", "vcpus", "-1" }, { "vnfc/a", "mem_bytes", "\"64 MB\"" }, { "vnfc/a", "pids", "1e300" },
		{ "vnfc/a", "hostname", "\"\"" }, { "vnfc/a", "hostname", "\"a b\"" },
		{ "vnfc/a", "hostname", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"" },
		{ "vnfc/a", "label.vdu", "1" }, { "vnfc/a", "cp.x.link", "\"vnfc/a\"" }, { "vnfc/a", "cp.x.link", "\"link/\"" },
		{ "vnfc/a", "cp.x.order", "-1" }, { "vnfc/a", "cp.x.mtu", "10" }, { "vnfc/a", "cp.x.addresses",
				"[\"10.0.0.1/24\"]" },
		{ "vnfc/a", "cp.x.mac_address", "\"02:00:00:00:00:0A\"" }, { "vnfc/a", "cp.x.state", "\"\"" },
		{ "vnfc/a", "cp.x.cidr", "\"x\"" }, { "nf/a", "state", "\"running\"" }, { "nf/a", "command", "[\"\"]" },
		{ "nf/a", "command", "[\"a\",1]" }, { "nf/a", "stateful", "\"yes\"" }, { "nf/a", "config.x.path", "\"etc/x\"" },
		{ "nf/a", "config.x.path", "\"/etc/../../x\"" }, { "nf/a", "config.x.path", "\"/\"" }, { "nf/a", "config.x.path",
				"\"/a//b\"" },
		{ "nf/a", "config.x.content", "[1]" },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(json_t) json = json_loads(cases[i].json, JSON_DECODE_ANY, NULL);
		struct object_builder *builder = object_builder_new(arena, cases[i].key, "x", ORIGIN_NONE);
		object_set(builder, cases[i].path, value_from_json(arena, json), ORIGIN_NONE);
		const struct object *object = object_build(builder);
		g_autoptr(GError) error = NULL;
		g_test_message("%s %s", cases[i].path, cases[i].json);
		if (object->kind == &kind_link)
			g_assert_null(link_from_object(arena, object, &error));
		else if (object->kind == &kind_vnfc)
			g_assert_null(vnfc_from_object(arena, object, &error));
		else
			g_assert_null(nf_from_object(arena, object, &error));
		g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID);
		g_autofree char *prefix = g_strdup_printf("%s: ", cases[i].key);
		g_assert_true(g_str_has_prefix(error->message, prefix));
		if (strcmp(cases[i].path, "config.x.content") != 0)
			g_assert_nonnull(strstr(error->message, cases[i].path));
	}
}

static void test_bounds(void)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *name = g_strnfill(CP_NAME_MAX + 1, 'c');
	const struct cp cp = { .name = name, .mtu = 1500 };
	const struct vnfc vnfc = { .key = "vnfc/a", .site = "x", .cps = &cp, .n_cps = 1 };
	g_assert_null(vnfc_from_object(arena, vnfc_to_object(arena, &vnfc), &error));
	g_assert_nonnull(strstr(error->message, "the name is longer than 64 bytes"));
	g_clear_error(&error);

	g_autofree char *content = g_strnfill(NF_CONFIG_MAX_BYTES + 1, 'x');
	struct nf_file file = { .name = "x", .path = "/x", .content = content, .mode = "0644" };
	struct nf nf = { .key = "nf/a", .site = "x", .files = &file, .n_files = 1 };
	g_assert_null(nf_from_object(arena, nf_to_object(arena, &nf), &error));
	g_assert_nonnull(strstr(error->message, "the file is larger than 1048576 bytes"));
	g_clear_error(&error);
	file.content = "x";
	file.mode = "644";
	g_assert_null(nf_from_object(arena, nf_to_object(arena, &nf), &error));
	g_assert_nonnull(strstr(error->message, "\"644\" is not a mode"));
	g_clear_error(&error);

	g_autofree struct nf_file *files = g_new0(struct nf_file, NF_CONFIG_MAX_FILES + 1);
	for (int i = 0; i <= NF_CONFIG_MAX_FILES; i++)
		files[i] = (struct nf_file) { .name = arena_printf(arena, "f%d", i), .path = "/x", .mode = "0644" };
	nf.files = files;
	nf.n_files = NF_CONFIG_MAX_FILES + 1;
	g_assert_null(nf_from_object(arena, nf_to_object(arena, &nf), &error));
	g_assert_nonnull(strstr(error->message, "more than 256 files"));
}

static void test_site(void)
{
	const char *key = "kernel";
	const struct value *option = value_string(arena, "any");
	const struct driver_ref ems = { .name = "leaf", .driver = "leaf", .options = value_map(arena, NULL, NULL, 0) };
	const struct site site = { .name = "berlin", .owner = "acme", .steering = "auto", .ems = &ems, .n_ems = 1,
			.capacity_vnfs = 9,
				   .vim = { .name = "vim", .driver = "local", .endpoint = "https://x", .credential = "cloud",
					    .options = value_map(arena, &key, &option, 1), .origin = { "s.yaml", 4, 2 } } };
	g_autoptr(json_t) json = site_to_json(&site);
	g_autoptr(GError) error = NULL;
	const struct site *back = site_from_json(arena, json, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(back->name, ==, "berlin");
	g_assert_cmpstr(back->vim.credential, ==, "cloud");
	g_assert_cmpstr(value_map_get(back->vim.options, "kernel")->string, ==, "any");
	g_assert_cmpuint(back->vim.origin.line, ==, 4);
	g_assert_cmpint(back->capacity_vnfs, ==, 9);
	g_assert_cmpstr(site_ems(back, "leaf")->driver, ==, "leaf");
	g_assert_null(site_ems(back, "ssh"));
	g_autoptr(json_t) again = site_to_json(back);
	g_assert_true(json_equal(json, again));
}

static void test_site_hostile(void)
{
#define VIM "\"vim\":{\"name\":\"vim\",\"driver\":\"local\"}"
	static const char *const bad[] = {
		"[]", "{}", "{\"name\":\"\"}", "{\"name\":\"a\"}", "{\"name\":\"a\",\"owner\":\"o\",\"vim\":1,\"ems\":[]}",
		"{\"name\":\"a\",\"owner\":\"o\"," VIM "}", "{\"name\":\"a\",\"owner\":\"o\"," VIM ",\"ems\":[1]}",
		"{\"name\":\"a\",\"owner\":\"o\"," VIM ",\"ems\":[],\"steering\":1}",
		"{\"name\":\"a\",\"owner\":\"o\"," VIM ",\"ems\":[],\"capacity\":{\"vcpus\":-1}}",
		"{\"name\":\"a\",\"owner\":\"o\",\"ems\":[],"
		"\"vim\":{\"name\":\"vim\",\"driver\":\"local\",\"options\":{\"x\":1}}}",
		"{\"name\":\"a\",\"owner\":\"o\",\"vim\":{\"name\":\"vim\",\"driver\":\"local\",\"options\":[]},\"ems\":[]}",
	};
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(json_t) json = json_loads(bad[i], 0, NULL);
		g_autoptr(GError) error = NULL;
		g_test_message("%s", bad[i]);
		g_assert_nonnull(json);
		g_assert_null(site_from_json(arena, json, &error));
		g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID);
	}
}

static void test_network(void)
{
	struct arena *own = arena_new();
	const struct site a = { .name = "a" }, b = { .name = "b" };
	const struct site *const sites[] = { &a, &b };
	struct network *network = ARENA_NEW(own, struct network);
	*network = (struct network) { .arena = own, .sites = sites, .n_sites = 2 };
	auto_ptr(network) second = network_ref(network);
	network_unref(network);
	g_assert_true(network_site(second, "b") == &b);
	g_assert_null(network_site(second, "c"));

	struct arena *eyes = arena_new();
	auto_ptr(observed) observed = ARENA_NEW(eyes, struct observed);
	const struct access accesses[] = { { .key = "vnfc/a" }, { .key = "vnfc/c" } };
	const char *const blind[] = { "berlin", "rome" };
	*observed = (struct observed) { .arena = eyes, .accesses = accesses, .n_accesses = 2, .blind = { blind, blind, 2 } };
	g_assert_true(observed_access(observed, "vnfc/c") == &accesses[1]);
	g_assert_null(observed_access(observed, "vnfc/b"));
	g_assert_true(observed_is_blind(observed, "rome"));
	g_assert_false(observed_is_blind(observed, "paris"));
	struct observed *twice = observed_ref(observed);
	observed_unref(twice);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/views/addresses", test_addresses);
	g_test_add_func("/views/link", test_link);
	g_test_add_func("/views/vnfc", test_vnfc);
	g_test_add_func("/views/nf", test_nf);
	g_test_add_func("/views/refused", test_refused);
	g_test_add_func("/views/bounds", test_bounds);
	g_test_add_func("/views/site", test_site);
	g_test_add_func("/views/site-hostile", test_site_hostile);
	g_test_add_func("/views/network", test_network);
	arena = arena_new();
	int status = g_test_run();
	arena_unref(arena);
	return status;
}
