/* Who may do what: rules keep their verbs on their objects for those whom they name; what none speaks of is free. */
#include "ems/control.h"
#include "ems/drivers.h"
#include "model/nf.h"

#include <string.h>

#define BIT(verb) (1u << (verb))

static const char *const everything[] = { "**" }, *const edge[] = { "edge.**" }, *const only_leaf[] = { "leaf" };
static const char *const anna[] = { "anna", "uid:4711" }, *const netops[] = { "group:netops" };

static const struct access_rule rules[] = {
	{ .name = "operate", .operators = netops, .n_operators = 1, .objects = everything, .n_objects = 1, .verbs = BIT(ACCESS_OPERATE),
	  .origin = { "access.yaml", 7, 5 } },
	{ .name = "edge", .operators = anna, .n_operators = 2, .objects = edge, .n_objects = 1,
	  .verbs = BIT(ACCESS_OPERATE) | BIT(ACCESS_LOGS), .origin = { "access.yaml", 12, 5 } },
	{ .name = "ems", .ems = only_leaf, .n_ems = 1, .objects = edge, .n_objects = 1, .verbs = BIT(ACCESS_LIFECYCLE),
	  .origin = { "access.yaml", 17, 5 } },
};

static const struct network network = { .access = rules, .n_access = G_N_ELEMENTS(rules) };

static const char *const in_netops[] = { "users", "netops", NULL };

static bool allowed(const struct subject *who, enum access_verb verb, const char *key)
{
	return control_allows(&network, who, verb, key, NULL);
}

static void test_operators(void)
{
	const struct subject by_name = { .uid = 1000, .user = "anna" }, by_uid = { .uid = 4711, .user = "somebody" },
			     by_group = { .uid = 1001, .user = "bob", .groups = in_netops }, nobody = { .uid = 1002, .user = "carl" };
	g_assert_true(allowed(&by_name, ACCESS_OPERATE, "vnfc/edge.fw.vdu.0"));
	g_assert_true(allowed(&by_uid, ACCESS_LOGS, "nf/edge.fw.vdu.0"));
	g_assert_true(allowed(&by_group, ACCESS_OPERATE, "nf/edge.fw.vdu.0"));
	g_assert_true(allowed(&by_group, ACCESS_OPERATE, NULL));
	g_assert_false(allowed(&by_group, ACCESS_LOGS, "nf/edge.fw.vdu.0"));
	g_assert_true(allowed(&by_group, ACCESS_LOGS, "nf/core.fw.vdu.0"));
	g_assert_false(allowed(&by_name, ACCESS_OPERATE, "nf/core.fw.vdu.0"));
	g_assert_false(allowed(&by_name, ACCESS_OPERATE, NULL));
	g_assert_true(allowed(&by_name, ACCESS_LOGS, NULL)); /* no rule speaks of others */
	g_assert_false(allowed(&nobody, ACCESS_LOGS, NULL));
	g_assert_true(allowed(&nobody, ACCESS_OBSERVE, NULL));
	g_assert_true(allowed(&nobody, ACCESS_METRICS, "nf/edge.fw.vdu.0"));
}

static void test_words(void)
{
	const struct subject nobody = { .uid = 1002, .user = "carl" }, tcp = { .uid = -1 };
	g_autoptr(GError) error = NULL;
	g_assert_false(control_allows(&network, &nobody, ACCESS_OPERATE, "nf/edge.fw.vdu.0", &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_AUTH);
	g_assert_cmpstr(error->message, ==,
			"operator carl (uid 1002) may not operate nf/edge.fw.vdu.0: policy \"operate\" (access.yaml:7)");
	g_clear_error(&error);
	g_assert_false(control_allows(&network, &tcp, ACCESS_OPERATE, NULL, &error));
	g_assert_cmpstr(error->message, ==, "whoever asks over TCP may not operate everything at once: policy \"operate\" (access.yaml:7)");
}

/* Who is neither root nor the controller's user may only what he is named for. */
static void test_strangers(void)
{
	static const struct network none = { 0 };
	const struct subject stranger = { .uid = 1000, .user = "anna", .stranger = true };
	g_assert_true(allowed(&stranger, ACCESS_OPERATE, "nf/edge.fw.vdu.0"));
	g_assert_false(allowed(&stranger, ACCESS_OBSERVE, "nf/edge.fw.vdu.0"));
	g_assert_false(allowed(&stranger, ACCESS_METRICS, NULL));
	g_assert_false(control_allows(&none, &stranger, ACCESS_OBSERVE, NULL, NULL));
	g_assert_false(control_allows(NULL, &stranger, ACCESS_OBSERVE, NULL, NULL));
	const struct subject ours = { .uid = 0 };
	g_assert_true(control_allows(NULL, &ours, ACCESS_OPERATE, NULL, NULL));
	g_assert_true(control_names_operators(&network));
	g_assert_false(control_names_operators(&none));
}

static void test_verbs(void)
{
	for (unsigned i = 0; i < ACCESS_VERBS; i++) {
		enum access_verb verb;
		g_assert_true(access_verb_parse(access_verb_name((enum access_verb) i), &verb));
		g_assert_cmpint(verb, ==, i);
	}
	g_assert_false(access_verb_parse("exec", &(enum access_verb) { 0 }));
}

/* --- the driver controller -------------------------------------------------------------------------------------------------- */

static unsigned n_open, n_closed, n_ensured;

static struct ems *count_open(const struct site *site, const struct driver_ref *which, GError **error)
{
	n_open++;
	return (struct ems *) (gpointer) g_strdup(which->name);
}

static void count_close(struct ems *ems)
{
	n_closed++;
	g_free(ems);
}

static bool count_ensure(struct ems *ems, const struct call *call, const struct access *access, const struct nf *want,
			 const struct package *package, struct arena *arena, const struct nf **ret_got, GError **error)
{
	n_ensured++;
	return true;
}

static const struct caps count_caps = { .driver = "count", .max_parallel = 1 };
static const struct ems_ops count_ops = { .name = "count", .caps = &count_caps, .open = count_open, .close = count_close,
					  .ensure_nf = count_ensure };
static const struct ems_ops *const all_ops[] = { &count_ops };
static const struct registry registry = { .emss = all_ops, .n_emss = 1 };

static struct site site_of(const char *name, const struct driver_ref *ems, size_t n_ems)
{
	return (struct site) { .name = name, .owner = "o", .steering = "auto", .ems = ems, .n_ems = n_ems,
			       .vim = { .name = "vim", .driver = "local", .options = &value_absent } };
}

static void test_handles(void)
{
	const struct driver_ref refs[] = { { .name = "leaf", .driver = "count", .options = &value_absent },
					   { .name = "far", .driver = "count", .endpoint = "ssh://a", .options = &value_absent },
					   { .name = "odd", .driver = "nowhere", .options = &value_absent } };
	struct site site = site_of("local", refs, G_N_ELEMENTS(refs));
	const struct site *const sites[] = { &site };
	auto_ptr(ems_drivers) drivers = ems_drivers_new(&registry);
	const struct ems_ops *ops;
	g_autoptr(GError) error = NULL;
	n_open = n_closed = 0;
	ems_drivers_set_sites(drivers, sites, 1);
	g_assert_cmpuint(n_open, ==, 0);
	struct ems *leaf = ems_drivers_open(drivers, "local", "leaf", &ops, &error);
	g_assert_nonnull(leaf);
	g_assert_true(leaf == ems_drivers_open(drivers, "local", "leaf", &ops, &error));
	g_assert_true(leaf != ems_drivers_open(drivers, "local", "far", &ops, &error));
	g_assert_cmpuint(n_open, ==, 2);
	g_assert_null(ops->measure);
	g_assert_null(ops->log);
	g_assert_null(ems_drivers_open(drivers, "local", "odd", &ops, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_UNSUPPORTED);
	g_clear_error(&error);
	g_assert_null(ems_drivers_open(drivers, "local", "none", &ops, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND);
	g_clear_error(&error);
	g_assert_null(ems_drivers_open(drivers, "berlin", "leaf", &ops, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND);
	ems_drivers_set_sites(drivers, sites, 1);
	g_assert_true(leaf == ems_drivers_open(drivers, "local", "leaf", &ops, NULL));
	/* a changed site is opened anew; who is still in the former handle is not cut off */
	site.steering = "route";
	ems_drivers_set_sites(drivers, sites, 1);
	g_assert_cmpuint(n_closed, ==, 0);
	g_assert_true(leaf != ems_drivers_open(drivers, "local", "leaf", &ops, NULL));
	g_assert_cmpuint(n_open, ==, 3);
	g_clear_pointer(&drivers, ems_drivers_free);
	g_assert_cmpuint(n_closed, ==, 3);
}

static void test_guard(void)
{
	const struct driver_ref refs[] = { { .name = "leaf", .driver = "count", .options = &value_absent },
					   { .name = "other", .driver = "count", .options = &value_absent } };
	struct site site = site_of("local", refs, G_N_ELEMENTS(refs));
	const struct site *const sites[] = { &site };
	struct arena *arena = arena_new();
	struct network *guarded = ARENA_NEW(arena, struct network);
	*guarded = network;
	guarded->arena = arena;
	auto_ptr(ems_drivers) drivers = ems_drivers_new(&registry);
	ems_drivers_set_sites(drivers, sites, 1);
	ems_drivers_set_rules(drivers, guarded);
	arena_unref(arena);
	const struct ems_ops *ops;
	const struct nf edge_nf = { .key = "nf/edge.fw.vdu.0" }, core_nf = { .key = "nf/core.fw.vdu.0" };
	struct ems *leaf = ems_drivers_open(drivers, "local", "leaf", &ops, NULL), *other = ems_drivers_open(drivers, "local", "other", &ops, NULL);
	g_autoptr(GError) error = NULL;
	n_ensured = 0;
	g_assert_true(ops->ensure_nf(leaf, NULL, NULL, &edge_nf, NULL, NULL, NULL, &error));
	g_assert_true(ops->ensure_nf(other, NULL, NULL, &core_nf, NULL, NULL, NULL, &error));
	g_assert_false(ops->ensure_nf(other, NULL, NULL, &edge_nf, NULL, NULL, NULL, &error));
	g_assert_cmpstr(error->message, ==, "EMS other may not install, start or stop nf/edge.fw.vdu.0: policy \"ems\" (access.yaml:17)");
	g_assert_cmpuint(n_ensured, ==, 2);
	ems_drivers_set_rules(drivers, NULL);
	g_assert_true(ops->ensure_nf(other, NULL, NULL, &edge_nf, NULL, NULL, NULL, NULL));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/control/operators", test_operators);
	g_test_add_func("/control/words", test_words);
	g_test_add_func("/control/strangers", test_strangers);
	g_test_add_func("/control/verbs", test_verbs);
	g_test_add_func("/drivers/handles", test_handles);
	g_test_add_func("/drivers/guard", test_guard);
	return g_test_run();
}
