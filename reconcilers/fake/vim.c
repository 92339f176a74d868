#include "fake/private.h"

#include "model/key.h"

#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* A VIM driver, in its simplest complete form. */
struct vim {
	struct fake_world *world;
	const struct site *site;
	int changed_fd;
	GPtrArray *changed; /* keys; NULL in it: anything */
};

static struct vim *vim_open(const struct site *site, GError **error)
{
	struct fake_world *world = fake_world_find(site->vim.endpoint, error);
	if (!world)
		return NULL;
	int changed_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (changed_fd < 0) {
		pleach_error_errno(error, errno, "cannot watch the world");
		fake_world_release(world);
		return NULL;
	}
	struct vim *vim = g_new0(struct vim, 1);
	vim->world = world;
	vim->site = site;
	vim->changed_fd = changed_fd;
	vim->changed = g_ptr_array_new_with_free_func(g_free);
	pthread_mutex_lock(&world->mutex);
	g_ptr_array_add(world->vims, vim);
	pthread_mutex_unlock(&world->mutex);
	return vim;
}

static void vim_close(struct vim *vim)
{
	pthread_mutex_lock(&vim->world->mutex);
	g_ptr_array_remove(vim->world->vims, vim);
	pthread_mutex_unlock(&vim->world->mutex);
	fake_world_release(vim->world);
	g_ptr_array_unref(vim->changed);
	close(vim->changed_fd);
	g_free(vim);
}

/* --- observing ----------------------------------------------------------------------------------------------------------- */

static int thing_order(gconstpointer a, gconstpointer b)
{
	const struct thing *const *left = a, *const *right = b;
	int order = strcmp((*left)->key, (*right)->key);
	if (order || !(*left)->vnfc || !(*right)->vnfc)
		return order;
	return ((*left)->vnfc->incarnation > (*right)->vnfc->incarnation) - ((*left)->vnfc->incarnation < (*right)->vnfc->incarnation);
}

static void tell_stranger(struct observation *ret, const char *site, const char *what, const char *owner)
{
	struct stranger *stranger = ARENA_NEW(ret->arena, struct stranger);
	stranger->site = arena_strdup(ret->arena, site);
	stranger->what = arena_strdup(ret->arena, what);
	stranger->owner = arena_strdup(ret->arena, owner);
	g_ptr_array_add(ret->strangers, stranger);
}

static struct access *access_of(const struct thing *thing, struct arena *arena)
{
	struct access *access = ARENA_NEW(arena, struct access);
	access->key = arena_strdup(arena, thing->key);
	access->transport = "fake";
	access->address = arena_printf(arena, "%u", thing->id);
	return access;
}

static void tell_thing(const struct vim *vim, struct observation *ret, const struct thing *thing)
{
	if (strcmp(thing->owner, vim->site->owner)) {
		g_autofree char *what = g_strdup_printf("%s (owner %s)", thing->key, thing->owner);
		tell_stranger(ret, thing->site, what, thing->owner);
	} else if (thing->link) {
		g_ptr_array_add(ret->links, link_copy(ret->arena, thing->link));
	} else {
		g_ptr_array_add(ret->vnfcs, vnfc_copy(ret->arena, thing->vnfc));
		if (thing_is_alive(thing))
			g_ptr_array_add(ret->accesses, access_of(thing, ret->arena));
	}
}

static bool vim_observe(struct vim *vim, const struct call *call, struct observation *ret, GError **error)
{
	struct fake_world *world = vim->world;
	struct passage passage;
	if (!passage_enter(&passage, world, call, (struct fake_event) { .call = FAKE_OBSERVE, .site = vim->site->name }, error))
		return false;
	pthread_mutex_lock(&world->mutex);
	g_autoptr(GPtrArray) things = g_ptr_array_new();
	for (guint i = 0; i < world->things->len; i++)
		if (!strcmp(((struct thing *) world->things->pdata[i])->site, vim->site->name))
			g_ptr_array_add(things, world->things->pdata[i]);
	g_ptr_array_sort(things, thing_order);
	for (guint i = 0; i < things->len; i++)
		tell_thing(vim, ret, things->pdata[i]);
	for (guint i = 0; i < world->strangers->len; i++) {
		const struct stranger_thing *stranger = world->strangers->pdata[i];
		if (!strcmp(stranger->site, vim->site->name))
			tell_stranger(ret, stranger->site, stranger->what, NULL);
	}
	pthread_mutex_unlock(&world->mutex);
	return passage_leave(&passage, true, error);
}

/* --- links --------------------------------------------------------------------------------------------------------------- */

static bool do_ensure_link(struct vim *vim, const struct link *want, bool half, GError **error)
{
	struct fake_world *world = vim->world;
	struct thing *thing = world_link(world, vim->site->owner, vim->site->name, want->key);
	if (!thing && world_has_stranger_at(world, vim->site->name, want->key)) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_CONFLICT, "%s: something without our tag stands in its place", want->key);
		return false;
	}
	auto_ptr(arena) arena = arena_new();
	struct link *link = link_copy(arena, want);
	link->site = vim->site->name;
	link->up = want->up && !half;
	link->device = arena_printf(arena, "fake-%s", key_path(want->key));
	if (!thing) {
		thing = world_add(world, vim->site->owner, vim->site->name, want->key);
		world->counts.created++;
		thing->half = half;
	} else {
		world->counts.changed++;
		thing->half = thing->half && half; /* half a change leaves what was whole as whole as it was */
	}
	thing_set_link(thing, link);
	return true;
}

static bool vim_ensure_link(struct vim *vim, const struct call *call, const struct link *want, GError **error)
{
	struct passage passage;
	struct fake_event event = {
		.call = FAKE_ENSURE_LINK, .site = vim->site->name, .key = want->key, .operation = call->operation,
		.incarnation = want->incarnation,
	};
	if (!passage_enter(&passage, vim->world, call, event, error))
		return false;
	pthread_mutex_lock(&vim->world->mutex);
	bool good = do_ensure_link(vim, want, passage_half(&passage), error);
	pthread_mutex_unlock(&vim->world->mutex);
	return passage_leave(&passage, good, error);
}

/* --- VNFCs --------------------------------------------------------------------------------------------------------------- */

static bool links_are_there(struct vim *vim, const struct vnfc *want, GError **error)
{
	for (size_t i = 0; i < want->n_cps; i++)
		if (want->cps[i].link && !world_link(vim->world, vim->site->owner, vim->site->name, want->cps[i].link)) {
			g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND, "%s: cp %s: there is no %s", want->key,
				    want->cps[i].name, want->cps[i].link);
			return false;
		}
	return true;
}

static struct thing *make_vnfc(struct vim *vim, const struct vnfc *want)
{
	struct fake_world *world = vim->world;
	struct thing *thing = world_add(world, vim->site->owner, vim->site->name, want->key);
	auto_ptr(arena) arena = arena_new();
	struct vnfc *vnfc = vnfc_copy(arena, want);
	vnfc->site = vim->site->name;
	vnfc->state = VNFC_RUNNING;
	vnfc->n_cps = 0;
	vnfc->pid = ++world->next_pid;
	vnfc->exit = NULL;
	thing_set_vnfc(thing, vnfc);
	world->counts.created++;
	char *name = g_strdup_printf("%s %s %u", vim->site->name, want->key, want->incarnation);
	if (!g_hash_table_add(world->made, name))
		world->counts.twice++;
	return thing;
}

static bool do_ensure_vnfc(struct vim *vim, const struct vnfc *want, bool half, struct thing **ret, GError **error)
{
	struct fake_world *world = vim->world;
	struct thing *thing = world_vnfc(world, vim->site->owner, vim->site->name, want->key, want->incarnation);
	if (thing && !thing_is_alive(thing)) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_CONFLICT, "%s: incarnation %u has ended: %s", want->key, want->incarnation,
			    thing->vnfc->exit ? thing->vnfc->exit : "nobody knows why");
		return false;
	}
	if (!thing && world_has_stranger_at(world, vim->site->name, want->key)) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_CONFLICT, "%s: something without our tag stands in its place", want->key);
		return false;
	}
	if (!links_are_there(vim, want, error))
		return false;
	bool is_new = !thing;
	if (is_new)
		thing = make_vnfc(vim, want);
	else
		world->counts.changed++;
	*ret = thing;
	thing->half = half && (is_new || thing->half);
	if (half)
		return true;
	auto_ptr(arena) arena = arena_new();
	struct vnfc *vnfc = vnfc_copy(arena, want);
	vnfc->site = vim->site->name;
	vnfc->state = VNFC_RUNNING;
	vnfc->exit = NULL;
	vnfc->pid = thing->vnfc->pid;
	if (!world_allocate(world, thing, arena, vnfc, error)) {
		if (is_new) {
			world_drop(world, thing); /* nothing was done */
			world->counts.created--;
			g_autofree char *name = g_strdup_printf("%s %s %u", vim->site->name, want->key, want->incarnation);
			g_hash_table_remove(world->made, name);
		}
		return false;
	}
	thing_set_vnfc(thing, vnfc);
	return true;
}

static bool vim_ensure_vnfc(struct vim *vim, const struct call *call, const struct vnfc *want, struct arena *arena,
			    const struct vnfc **ret_got, const struct access **ret_access, GError **error)
{
	struct passage passage;
	struct fake_event event = {
		.call = FAKE_ENSURE_VNFC, .site = vim->site->name, .key = want->key, .operation = call->operation,
		.incarnation = want->incarnation,
	};
	if (!passage_enter(&passage, vim->world, call, event, error))
		return false;
	pthread_mutex_lock(&vim->world->mutex);
	struct thing *thing = NULL;
	bool good = do_ensure_vnfc(vim, want, passage_half(&passage), &thing, error);
	if (good && ret_got)
		*ret_got = vnfc_copy(arena, thing->vnfc);
	if (good && ret_access)
		*ret_access = access_of(thing, arena);
	pthread_mutex_unlock(&vim->world->mutex);
	return passage_leave(&passage, good, error);
}

/* --- taking away --------------------------------------------------------------------------------------------------------- */

static bool link_is_free(struct vim *vim, const char *key, GError **error)
{
	for (guint i = 0; i < vim->world->things->len; i++) {
		const struct thing *thing = vim->world->things->pdata[i];
		if (!thing->vnfc || strcmp(thing->site, vim->site->name) || strcmp(thing->owner, vim->site->owner))
			continue;
		for (size_t k = 0; k < thing->vnfc->n_cps; k++)
			if (!g_strcmp0(thing->vnfc->cps[k].link, key)) {
				g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_CONFLICT, "%s: %s is still on it", key, thing->key);
				return false;
			}
	}
	return true;
}

static bool do_remove_link(struct vim *vim, const struct ref *which, bool half, GError **error)
{
	struct thing *thing = world_link(vim->world, vim->site->owner, vim->site->name, which->key);
	if (!thing)
		return true;
	if (!link_is_free(vim, which->key, error))
		return false;
	if (half) {
		thing->link->up = false;
		thing->half = true;
		return true;
	}
	world_drop(vim->world, thing);
	vim->world->counts.removed++;
	return true;
}

static void remove_vnfc(struct vim *vim, struct thing *thing, bool half)
{
	if (half) {
		thing->vnfc->state = VNFC_STOPPED;
		thing->vnfc->pid = 0;
		thing->vnfc->exit = "signal 15 (Terminated)";
		thing->half = true;
		thing_set_nf(thing, NULL);
		return;
	}
	world_drop(vim->world, thing);
	vim->world->counts.removed++;
}

static bool do_remove(struct vim *vim, const struct ref *which, bool half, GError **error)
{
	if (key_is_kind(which->key, "link"))
		return do_remove_link(vim, which, half, error);
	for (guint i = vim->world->things->len; i > 0; i--) {
		struct thing *thing = vim->world->things->pdata[i - 1];
		if (thing->vnfc && !strcmp(thing->key, which->key) && !strcmp(thing->site, vim->site->name)
		    && !strcmp(thing->owner, vim->site->owner)
		    && (!which->incarnation || which->incarnation == thing->vnfc->incarnation))
			remove_vnfc(vim, thing, half);
	}
	return true;
}

static bool vim_remove(struct vim *vim, const struct call *call, const struct ref *which, GError **error)
{
	struct passage passage;
	struct fake_event event = {
		.call = FAKE_REMOVE, .site = vim->site->name, .key = which->key, .operation = call->operation,
		.incarnation = which->incarnation,
	};
	if (!passage_enter(&passage, vim->world, call, event, error))
		return false;
	pthread_mutex_lock(&vim->world->mutex);
	bool good = do_remove(vim, which, passage_half(&passage), error);
	pthread_mutex_unlock(&vim->world->mutex);
	return passage_leave(&passage, good, error);
}

static bool vim_clean(struct vim *vim, const struct call *call, GError **error)
{
	if (call_is_over(call, error))
		return false;
	pthread_mutex_lock(&vim->world->mutex);
	for (guint i = vim->world->things->len; i > 0; i--) {
		struct thing *thing = vim->world->things->pdata[i - 1];
		if (strcmp(thing->site, vim->site->name) || strcmp(thing->owner, vim->site->owner))
			continue;
		world_drop(vim->world, thing);
		vim->world->counts.removed++;
	}
	pthread_mutex_unlock(&vim->world->mutex);
	return true;
}

/* --- watching ------------------------------------------------------------------------------------------------------------ */

void world_changed(struct fake_world *world, const char *site, const char *key)
{
	for (guint i = 0; i < world->vims->len; i++) {
		struct vim *vim = world->vims->pdata[i];
		if (strcmp(vim->site->name, site))
			continue;
		g_ptr_array_add(vim->changed, g_strdup(key));
		(void) eventfd_write(vim->changed_fd, 1);
	}
}

static int vim_watch_fd(struct vim *vim)
{
	return vim->changed_fd;
}

static GPtrArray *vim_watch_read(struct vim *vim)
{
	eventfd_t count;
	pthread_mutex_lock(&vim->world->mutex);
	(void) eventfd_read(vim->changed_fd, &count);
	GPtrArray *changed = g_steal_pointer(&vim->changed);
	vim->changed = g_ptr_array_new_with_free_func(g_free);
	pthread_mutex_unlock(&vim->world->mutex);
	for (guint i = 0; i < changed->len; i++)
		if (!changed->pdata[i]) {
			g_ptr_array_unref(changed);
			return NULL;
		}
	return changed;
}

static const struct caps caps = { .driver = "fake", .max_parallel = 8, .replace_beside = true };

const struct vim_ops fake_vim_ops = {
	.name = "fake",
	.caps = &caps,
	.open = vim_open,
	.close = vim_close,
	.observe = vim_observe,
	.ensure_link = vim_ensure_link,
	.ensure_vnfc = vim_ensure_vnfc,
	.remove = vim_remove,
	.clean = vim_clean,
	.watch_fd = vim_watch_fd,
	.watch_read = vim_watch_read,
};
