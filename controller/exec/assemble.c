#include "exec/internal.h"
#include "exec/look.h"

#include <string.h>

struct assembly {
	const struct look_run *run;
	struct arena *arena;
	struct observed *ret;
	GHashTable *objects; /* key → const struct object * */
	GHashTable *homes;   /* const struct object * → struct arena; what is not in it lives with the result */
	GHashTable *looked;  /* names of the sites looked at */
	GHashTable *asked;   /* keys that were asked about one by one */
	GArray *leftovers, *strangers;
	GArray *accesses; /* struct access */
	GPtrArray *blind; /* site name, reason, … */
};

/* --- objects ------------------------------------------------------------------------------------------------------------- */

static void put_leftover(struct assembly *assembly, const struct object *object)
{
	struct leftover leftover = { object->key, object->site, object->incarnation };
	g_array_append_val(assembly->leftovers, leftover);
}

/* On two sites at once (it was moved): the one where it is desired is the object. */
static bool is_where_desired(const struct assembly *assembly, const struct object *object)
{
	const struct network *network = assembly->run->input->desired;
	const struct object *desired = network ? objects_find(network->objects, object->key) : NULL;
	return desired && !strcmp(desired->site, object->site);
}

static void put_object(struct assembly *assembly, const struct object *object)
{
	const struct object *held = g_hash_table_lookup(assembly->objects, object->key);
	if (!held) {
		g_hash_table_insert(assembly->objects, UNCONST(object->key), UNCONST(object));
		return;
	}
	bool wins;
	if (!strcmp(held->site, object->site))
		wins = look_is_better(object, held);
	else
		wins = is_where_desired(assembly, object);
	put_leftover(assembly, wins ? held : object);
	if (wins)
		g_hash_table_replace(assembly->objects, UNCONST(object->key), UNCONST(object));
}

static void set_unknown(struct object_builder *builder, const struct object *from)
{
	for (size_t i = 0; from && i < from->n_fields; i++)
		if (!(from->fields[i].spec->flags & FIELD_OBSERVED))
			object_set(builder, from->fields[i].path, &value_unknown, ORIGIN_NONE);
}

static void put_unknown(struct assembly *assembly, const struct object *like)
{
	const struct observe_input *input = assembly->run->input;
	if (g_hash_table_contains(assembly->objects, like->key))
		return;
	const struct object *desired = input->desired ? objects_find(input->desired->objects, like->key) : NULL;
	const struct object *last = objects_find(input->last, like->key);
	const struct object *before = input->before ? objects_find(input->before->objects, like->key) : NULL;
	struct object_builder *builder = object_builder_new(assembly->arena, like->key, like->site, ORIGIN_NONE);
	set_unknown(builder, desired);
	set_unknown(builder, last);
	object_set_incarnation(builder, before ? before->incarnation : last ? last->incarnation : 0);
	const struct object *object = object_build(builder);
	g_hash_table_insert(assembly->objects, UNCONST(object->key), UNCONST(object));
}

static bool is_unseen(const struct site_look *site, const struct kind *kind)
{
	if (!site->vim)
		return true;
	for (guint i = 0; i < site->unseen_kinds->len; i++) {
		const struct kind *unseen = site->unseen_kinds->pdata[i];
		if (unseen == kind || (kind->host && !strcmp(kind->host, unseen->name)))
			return true;
	}
	return false;
}

static void put_unseen(struct assembly *assembly, const struct site_look *site, struct objects objects)
{
	for (size_t i = 0; i < objects.n; i++)
		if (!strcmp(objects.items[i]->site, site->site->name) && is_unseen(site, objects.items[i]->kind))
			put_unknown(assembly, objects.items[i]);
}

static void put_chunk_unseen(struct assembly *assembly, const struct chunk *chunk)
{
	const struct observe_input *input = assembly->run->input;
	for (size_t i = 0; i < chunk->n; i++) {
		const struct object *like = input->desired ? objects_find(input->desired->objects, chunk->keys[i]) : NULL;
		if (!like)
			like = objects_find(input->last, chunk->keys[i]);
		if (like)
			put_unknown(assembly, like);
	}
}

/* --- what was seen ------------------------------------------------------------------------------------------------------- */

static void put_site(struct assembly *assembly, struct site_look *site)
{
	arena_adopt(assembly->arena, site->arena); /* its strangers, and the keys of what was asked */
	g_hash_table_add(assembly->looked, UNCONST(site->site->name));
	if (!site->vim) {
		g_ptr_array_add(assembly->blind, arena_strdup(assembly->arena, site->site->name));
		g_ptr_array_add(assembly->blind, arena_strdup(assembly->arena, site->reason));
		return;
	}
	for (guint i = 0; i < site->objects->len; i++) {
		g_hash_table_insert(assembly->homes, site->objects->pdata[i], site->arena);
		put_object(assembly, site->objects->pdata[i]);
	}
	for (guint i = 0; i < site->vim->strangers->len; i++)
		g_array_append_val(assembly->strangers, *(const struct stranger *) site->vim->strangers->pdata[i]);
}

static void put_access(struct assembly *assembly, const struct access *access, struct arena *home)
{
	struct access kept = *access;
	kept.home = home;
	g_array_append_val(assembly->accesses, kept);
}

static void put_site_accesses(struct assembly *assembly, const struct site_look *site)
{
	GHashTableIter iter;
	gpointer value;
	g_hash_table_iter_init(&iter, site->accesses);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct access *access = value;
		const struct object *object = g_hash_table_lookup(assembly->objects, access->key);
		if (!object || !strcmp(object->site, site->site->name))
			put_access(assembly, access, site->arena);
	}
}

/* An object whose state is unknown could not be seen: then everything that could be wanted of it is unknown, not absent. */
static const struct object *all_or_unknown(struct assembly *assembly, const struct object *object)
{
	const struct observe_input *input = assembly->run->input;
	if (object_value(object, "state")->type != VALUE_UNKNOWN)
		return object;
	struct object_builder *builder = object_builder_new(assembly->arena, object->key, object->site, ORIGIN_NONE);
	if (input->desired)
		set_unknown(builder, objects_find(input->desired->objects, object->key));
	set_unknown(builder, objects_find(input->last, object->key));
	for (size_t i = 0; i < object->n_fields; i++)
		object_set(builder, object->fields[i].path, object->fields[i].value, ORIGIN_NONE);
	object_set_incarnation(builder, object->incarnation);
	return object_build(builder);
}

static void put_chunk(struct assembly *assembly, const struct chunk *chunk)
{
	arena_adopt(assembly->arena, chunk->arena);
	for (size_t i = 0; i < chunk->n; i++)
		g_hash_table_add(assembly->asked, UNCONST(chunk->keys[i]));
	for (guint i = 0; i < chunk->objects->len; i++) {
		const struct object *object = all_or_unknown(assembly, chunk->objects->pdata[i]);
		if (object == chunk->objects->pdata[i])
			g_hash_table_insert(assembly->homes, UNCONST(object), chunk->arena);
		const struct object *held = g_hash_table_lookup(assembly->objects, object->key);
		/* it ends with its host: an older incarnation is no leftover of its own */
		if (!held || look_is_better(object, held))
			g_hash_table_replace(assembly->objects, UNCONST(object->key), UNCONST(object));
	}
}

/* --- what is carried over ------------------------------------------------------------------------------------------------ */

/* The inside of a host that is what it was, and that was not asked about. */
static bool is_carried_over(const struct assembly *assembly, const struct object *before)
{
	if (!g_hash_table_contains(assembly->looked, before->site))
		return true;
	if (!before->kind->host || g_hash_table_contains(assembly->asked, before->key))
		return false;
	const char *host_key = key_of_kind(assembly->arena, before->key, before->kind->host);
	const struct object *host = g_hash_table_lookup(assembly->objects, host_key);
	const struct object *host_before = objects_find(assembly->run->input->before->objects, host_key);
	return host && host_before && host->incarnation == host_before->incarnation && !strcmp(host->site, before->site);
}

/* Objects and accesses by reference, with their homes: looks that held on to the one before itself would pile up for ever. */
static void carry_over(struct assembly *assembly)
{
	const struct observed *before = assembly->run->input->before;
	for (size_t i = 0; i < before->objects.n; i++) {
		const struct object *object = before->objects.items[i];
		if (!g_hash_table_contains(assembly->objects, object->key) && is_carried_over(assembly, object)) {
			g_hash_table_insert(assembly->objects, UNCONST(object->key), UNCONST(object));
			g_hash_table_insert(assembly->homes, UNCONST(object), objects_home(before->objects, i, before->arena));
		}
	}
	for (size_t i = 0; i < before->n_accesses; i++) {
		const struct object *object = g_hash_table_lookup(assembly->objects, before->accesses[i].key);
		const struct access *access = &before->accesses[i];
		if (object && !g_hash_table_contains(assembly->looked, object->site))
			put_access(assembly, access, access->home ? access->home : before->arena);
	}
	for (size_t i = 0; i < before->n_leftovers; i++) {
		const struct leftover *from = &before->leftovers[i];
		struct leftover copy = { arena_strdup(assembly->arena, from->key), arena_strdup(assembly->arena, from->site),
					 from->incarnation };
		if (!g_hash_table_contains(assembly->looked, from->site))
			g_array_append_val(assembly->leftovers, copy);
	}
	for (size_t i = 0; i < before->n_strangers; i++) {
		const struct stranger *from = &before->strangers[i];
		struct stranger copy = { arena_strdup(assembly->arena, from->site), arena_strdup(assembly->arena, from->what),
					 arena_strdup(assembly->arena, from->owner) };
		if (!g_hash_table_contains(assembly->looked, from->site))
			g_array_append_val(assembly->strangers, copy);
	}
	for (size_t i = 0; i < before->blind.n; i++)
		if (!g_hash_table_contains(assembly->looked, before->blind.sites[i])) {
			g_ptr_array_add(assembly->blind, arena_strdup(assembly->arena, before->blind.sites[i]));
			g_ptr_array_add(assembly->blind, arena_strdup(assembly->arena, before->blind.reasons[i]));
		}
}

/* --- the result ---------------------------------------------------------------------------------------------------------- */

static int leftover_order(gconstpointer a, gconstpointer b)
{
	const struct leftover *left = a, *right = b;
	int order = strcmp(left->key, right->key);
	if (!order)
		order = strcmp(left->site, right->site);
	return order ? order : (left->incarnation > right->incarnation) - (left->incarnation < right->incarnation);
}

static int stranger_order(gconstpointer a, gconstpointer b)
{
	const struct stranger *left = a, *right = b;
	int order = strcmp(left->site, right->site);
	if (!order)
		order = strcmp(left->what, right->what);
	return order ? order : g_strcmp0(left->owner, right->owner);
}

static int access_order(gconstpointer a, gconstpointer b)
{
	const struct access *left = a, *right = b;
	return strcmp(left->key, right->key);
}

static int pair_order(const void *a, const void *b)
{
	const char *const *left = a, *const *right = b;
	return strcmp(*left, *right);
}

static int object_order(const void *a, const void *b)
{
	return strcmp((*(const struct object *const *) a)->key, (*(const struct object *const *) b)->key);
}

static bool same_object(const struct object *a, const struct object *b)
{
	if (a->incarnation != b->incarnation || a->n_fields != b->n_fields || a->n_depends != b->n_depends || strcmp(a->site, b->site) != 0)
		return false;
	for (size_t i = 0; i < a->n_depends; i++)
		if (strcmp(a->depends[i], b->depends[i]) != 0)
			return false;
	for (size_t i = 0; i < a->n_fields; i++)
		if (strcmp(a->fields[i].path, b->fields[i].path) != 0 || a->fields[i].value->type != b->fields[i].value->type ||
		    !value_equal(a->fields[i].value, b->fields[i].value))
			return false;
	return true;
}

/* What looks as it did is the object that it was: the plan need not compare it again. */
static void take_over(struct assembly *assembly, const struct object **items, size_t n)
{
	const struct observed *before = assembly->run->input->before;
	struct objects former = before ? before->objects : (struct objects) { 0 };
	g_autofree struct arena **homes = g_new(struct arena *, n + 1);
	for (size_t i = 0, at = 0; i < n; i++) {
		homes[i] = g_hash_table_lookup(assembly->homes, items[i]);
		while (at < former.n && strcmp(former.items[at]->key, items[i]->key) < 0)
			at++;
		if (at == former.n || strcmp(former.items[at]->key, items[i]->key) != 0 || !same_object(former.items[at], items[i]))
			continue;
		items[i] = former.items[at];
		homes[i] = objects_home(former, at, before->arena);
	}
	assembly->ret->objects = objects_at_home(assembly->arena, items, homes, n, former);
}

static void freeze_objects(struct assembly *assembly)
{
	guint n = g_hash_table_size(assembly->objects), i = 0;
	g_autofree const struct object **items = g_new(const struct object *, n + 1);
	GHashTableIter iter;
	gpointer object;
	g_hash_table_iter_init(&iter, assembly->objects);
	while (g_hash_table_iter_next(&iter, NULL, &object))
		items[i++] = object;
	qsort(items, n, sizeof(*items), object_order);
	take_over(assembly, items, n);
}

static void freeze(struct assembly *assembly)
{
	struct observed *ret = assembly->ret;
	struct arena *arena = assembly->arena;
	freeze_objects(assembly);
	g_array_sort(assembly->leftovers, leftover_order);
	ret->leftovers = arena_memdup(arena, assembly->leftovers->data, sizeof(struct leftover) * assembly->leftovers->len);
	ret->n_leftovers = assembly->leftovers->len;
	g_array_sort(assembly->strangers, stranger_order);
	ret->strangers = arena_memdup(arena, assembly->strangers->data, sizeof(struct stranger) * assembly->strangers->len);
	ret->n_strangers = assembly->strangers->len;
	g_array_sort(assembly->accesses, access_order);
	accesses_keep(ret, arena_memdup(arena, assembly->accesses->data, sizeof(struct access) * assembly->accesses->len),
		      assembly->accesses->len, assembly->run->input->before);
	size_t n = assembly->blind->len / 2;
	if (n)
		qsort(assembly->blind->pdata, n, 2 * sizeof(gpointer), pair_order);
	const char **sites = ARENA_ARRAY(arena, const char *, n), **reasons = ARENA_ARRAY(arena, const char *, n);
	for (size_t i = 0; i < n; i++) {
		sites[i] = assembly->blind->pdata[2 * i];
		reasons[i] = assembly->blind->pdata[2 * i + 1];
	}
	ret->blind.sites = sites;
	ret->blind.reasons = reasons;
	ret->blind.n = n;
}

static void gather(struct assembly *assembly)
{
	const struct look_run *run = assembly->run;
	for (guint i = 0; i < run->sites->len; i++)
		put_site(assembly, run->sites->pdata[i]);
	for (guint i = 0; i < run->chunks->len; i++)
		put_chunk(assembly, run->chunks->pdata[i]);
	for (guint i = 0; i < run->chunks->len; i++)
		if (((const struct chunk *) run->chunks->pdata[i])->unseen)
			put_chunk_unseen(assembly, run->chunks->pdata[i]);
	for (guint i = 0; i < run->sites->len; i++) {
		const struct site_look *site = run->sites->pdata[i];
		if (run->input->desired)
			put_unseen(assembly, site, run->input->desired->objects);
		put_unseen(assembly, site, run->input->last);
		put_site_accesses(assembly, site);
	}
	if (run->partial)
		carry_over(assembly);
}

struct observed *look_assemble(const struct look_run *run)
{
	struct arena *arena = arena_new();
	struct assembly assembly = {
		.run = run,
		.arena = arena,
		.ret = ARENA_NEW(arena, struct observed),
		.objects = g_hash_table_new(g_str_hash, g_str_equal),
		.homes = g_hash_table_new(NULL, NULL),
		.looked = g_hash_table_new(g_str_hash, g_str_equal),
		.asked = g_hash_table_new(g_str_hash, g_str_equal),
		.leftovers = g_array_new(FALSE, FALSE, sizeof(struct leftover)),
		.strangers = g_array_new(FALSE, FALSE, sizeof(struct stranger)),
		.accesses = g_array_new(FALSE, FALSE, sizeof(struct access)),
		.blind = g_ptr_array_new(),
	};
	assembly.ret->arena = arena;
	assembly.ret->wall_us = run->input->wall_us;
	gather(&assembly);
	freeze(&assembly);
	g_hash_table_unref(assembly.objects);
	g_hash_table_unref(assembly.homes);
	g_hash_table_unref(assembly.looked);
	g_hash_table_unref(assembly.asked);
	g_array_unref(assembly.leftovers);
	g_array_unref(assembly.strangers);
	g_array_unref(assembly.accesses);
	g_ptr_array_unref(assembly.blind);
	return assembly.ret;
}
