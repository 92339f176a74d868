#include "loop.h"

#include "model/key.h"

#include <stdint.h>
#include <string.h>

static struct origin next_origin(struct loop_builder *builder)
{
	return (struct origin) { "service.yaml", ++builder->line, 3 };
}

void loop_builder_init(struct loop_builder *builder)
{
	*builder = (struct loop_builder) { arena_new(), g_ptr_array_new(), 0 };
}

static void put(struct loop_builder *builder, struct object_builder *object)
{
	g_ptr_array_add(builder->objects, (gpointer) (uintptr_t) object_build(object));
}

void loop_add_link(struct loop_builder *builder, const char *key, const char *site, const char *cidr, unsigned mtu)
{
	struct origin origin = next_origin(builder);
	struct object_builder *object = object_builder_new(builder->arena, key, site, origin);
	object_set_string(object, "cidr", cidr, origin);
	object_set_int(object, "mtu", mtu, origin);
	object_set_string(object, "state", "up", origin);
	put(builder, object);
}

static const struct object *find(const struct loop_builder *builder, const char *key)
{
	for (guint i = 0; i < builder->objects->len; i++)
		if (!strcmp(((const struct object *) builder->objects->pdata[i])->key, key))
			return builder->objects->pdata[i];
	return NULL;
}

static void add_cp(struct loop_builder *builder, struct object_builder *object, const char *text, unsigned order, const char *address,
		   struct origin origin)
{
	struct arena *arena = builder->arena;
	const char *separator = strchr(text, '=');
	g_assert(separator);
	const char *name = arena_strndup(arena, text, (size_t) (separator - text)), *link_key = separator + 1;
	const struct object *link = find(builder, link_key);
	g_assert(link);
	object_set_string(object, arena_printf(arena, "cp.%s.link", name), link_key, origin);
	object_set_int(object, arena_printf(arena, "cp.%s.order", name), order, origin);
	object_set_int(object, arena_printf(arena, "cp.%s.mtu", name), object_int(link, "mtu", 1500), origin);
	object_set_string(object, arena_printf(arena, "cp.%s.cidr", name), object_string(link, "cidr", NULL), origin);
	object_set_string(object, arena_printf(arena, "cp.%s.state", name), "up", origin);
	if (address)
		object_set(object, arena_printf(arena, "cp.%s.addresses", name), value_string_list(arena, &address, 1), origin);
	object_depends_on(object, link_key);
}

void loop_add_vnfc(struct loop_builder *builder, const char *key, const char *site, gint64 mem_bytes, const char *address,
		   const char *const *cps)
{
	struct origin origin = next_origin(builder);
	struct object_builder *object = object_builder_new(builder->arena, key, site, origin);
	object_set_string(object, "state", "running", origin);
	object_set_int(object, "vcpus", 1, origin);
	object_set_int(object, "mem_bytes", mem_bytes, origin);
	object_set_int(object, "pids", VNFC_PIDS_DEFAULT, origin);
	object_set_string(object, "hostname", "host", origin);
	object_set_string(object, "label.vdu", "vdu", origin);
	for (unsigned i = 0; cps[i]; i++)
		add_cp(builder, object, cps[i], i, i == 0 ? address : NULL, origin);
	put(builder, object);
}

static const struct expr *attribute(struct arena *arena, const char *vnfc, const char *cp)
{
	const char *const first[] = { "0" };
	return expr_attribute(arena, arena_strdup(arena, vnfc), arena_printf(arena, "cp.%s.addresses", cp),
			      arena_memdup(arena, first, sizeof(first)), 1);
}

static const struct value *content(struct arena *arena, const char *text, const char *peer, const char *peer_cp)
{
	if (!peer)
		return value_string(arena, text);
	const char *keys[] = { "peer", "text" };
	const struct expr *items[] = { attribute(arena, peer, peer_cp), expr_value(arena, value_string(arena, text)) };
	const struct expr *scope = expr_map(arena, arena_memdup(arena, keys, sizeof(keys)), arena_memdup(arena, items, sizeof(items)), 2);
	return value_pending(arena, expr_template(arena, "main.conf", "# {{text}}\nserver {{peer}}\n", scope));
}

void loop_add_nf(struct loop_builder *builder, const char *key, const char *site, const char *text, const char *peer, const char *peer_cp)
{
	struct arena *arena = builder->arena;
	struct origin origin = next_origin(builder);
	struct object_builder *object = object_builder_new(arena, key, site, origin);
	const char *const command[] = { "/usr/sbin/nf", "-c", "/etc/main.conf" };
	object_set_string(object, "state", "started", origin);
	object_set(object, "command", value_string_list(arena, command, G_N_ELEMENTS(command)), origin);
	object_set_string(object, "ems", "agent", origin);
	object_set_bool(object, "stateful", false, origin);
	object_set_string(object, "config.main.path", "/etc/main.conf", origin);
	object_set(object, "config.main.content", content(arena, text, peer, peer_cp), origin);
	object_set_string(object, "config.main.mode", "0644", origin);
	object_depends_on(object, key_of_kind(arena, key, "vnfc"));
	put(builder, object);
}

static const struct site *make_site(struct arena *arena, const char *name)
{
	struct site *site = ARENA_NEW(arena, struct site);
	struct driver_ref *ems = ARENA_NEW(arena, struct driver_ref);
	*ems = (struct driver_ref) { .name = "agent", .driver = "fake", .endpoint = LOOP_WORLD, .options = &value_absent };
	*site = (struct site) {
		.name = name, .owner = LOOP_OWNER, .ems = ems, .n_ems = 1, .steering = "auto",
		.vim = { .name = "vim", .driver = "fake", .endpoint = LOOP_WORLD, .options = &value_absent },
	};
	return site;
}

struct network *loop_build(struct loop_builder *builder, const char *revision)
{
	struct arena *arena = builder->arena;
	struct network *network = ARENA_NEW(arena, struct network);
	const struct site **sites = ARENA_ARRAY(arena, const struct site *, 2);
	sites[0] = make_site(arena, "berlin");
	sites[1] = make_site(arena, "paris");
	network->arena = arena;
	network->revision = arena_strdup(arena, revision);
	network->owner = LOOP_OWNER;
	network->sites = sites;
	network->n_sites = 2;
	network->objects = objects_sorted(arena, (const struct object *const *) builder->objects->pdata, builder->objects->len);
	g_ptr_array_unref(builder->objects);
	return network;
}

struct network *loop_network_empty(void)
{
	struct loop_builder builder;
	loop_builder_init(&builder);
	return loop_build(&builder, "00000000aaaaaaaa");
}

/* --- by chance ----------------------------------------------------------------------------------------------------------- */

/* Whether and how something is there in a revision depends on its name alone, so that revisions of one seed have most in common. */
static guint32 chance(guint32 seed, unsigned revision, const char *name, guint32 n)
{
	g_autofree char *text = g_strdup_printf("%u %u %s", seed, revision, name);
	g_autoptr(GRand) random = g_rand_new_with_seed(g_str_hash(text));
	return g_rand_int(random) % n;
}

static void add_service(struct loop_builder *builder, guint32 seed, unsigned revision, unsigned service)
{
	struct arena *arena = builder->arena;
	const char *name = arena_printf(arena, "s%u", service);
	const char *site = chance(seed, 0, name, 4) ? "berlin" : "paris";
	unsigned n_links = 1 + chance(seed, 0, arena_printf(arena, "%s links", name), 3);
	unsigned n_vnfcs = chance(seed, 0, arena_printf(arena, "%s vnfcs", name), 5);
	for (unsigned i = 0; i < n_links; i++) {
		const char *key = arena_printf(arena, "link/%s.net%u", name, i);
		unsigned mtu = chance(seed, revision, arena_printf(arena, "%s mtu", key), 3) ? 1500 : 1400 + 10 * (revision % 8);
		loop_add_link(builder, key, site, arena_printf(arena, "10.%u.%u.0/24", service + 1, i), mtu);
	}
	const char *peer = NULL;
	for (unsigned i = 0; i < n_vnfcs; i++) {
		const char *key = arena_printf(arena, "vnfc/%s.vnf%u.vdu.0", name, i);
		if (revision && !chance(seed, revision, arena_printf(arena, "%s there", key), 4))
			continue;
		const char *cps[4] = { NULL };
		unsigned n_cps = 1 + chance(seed, 0, arena_printf(arena, "%s cps", key), n_links);
		for (unsigned k = 0; k < n_cps; k++)
			cps[k] = arena_printf(arena, "cp%u=link/%s.net%u", k, name, k);
		bool fixed = !chance(seed, revision / 2, arena_printf(arena, "%s fixed", key), 3);
		gint64 mem = (gint64) (64 + 32 * chance(seed, revision, arena_printf(arena, "%s mem", key), 3)) << 20;
		loop_add_vnfc(builder, key, site, mem, fixed ? arena_printf(arena, "10.%u.0.%u", service + 1, 200 + i) : NULL, cps);
		if (chance(seed, 0, arena_printf(arena, "%s nf", key), 3))
			loop_add_nf(builder, key_of_kind(arena, key, "nf"), site,
				    arena_printf(arena, "text %u", chance(seed, revision, arena_printf(arena, "%s text", key), 3)), peer, "cp0");
		peer = key;
	}
}

struct network *loop_network(guint32 seed, unsigned revision, unsigned services)
{
	struct loop_builder builder;
	loop_builder_init(&builder);
	for (unsigned i = 0; i < services; i++) {
		g_autofree char *name = g_strdup_printf("service %u", i);
		if (!i || chance(seed, revision, name, 5))
			add_service(&builder, seed, revision, i);
	}
	g_autofree char *id = g_strdup_printf("%08x%08x", seed, revision);
	return loop_build(&builder, id);
}
