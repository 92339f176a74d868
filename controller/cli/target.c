/* Finding a running VNFC on this machine by its key: `pleach exec` and `pleach forward` go straight to its VIM, so that they work with
 * and without a controller. */
#include "cli/cli.h"

#include "base/clock.h"
#include "model/key.h"

#include <string.h>

enum { LOOK_TIMEOUT_S = 20 };

static struct call make_call(void)
{
	return (struct call) { .deadline_us = clock_monotonic_us() + LOOK_TIMEOUT_S * G_USEC_PER_SEC, .cancel_fd = -1 };
}

/* A running VNFC that fits what the operator wrote. */
struct candidate {
	const char *key;
	const struct site *site;
	const struct vim_ops *ops;
};

/* "edge.web" means every VNFC under it; a complete key means itself. */
static bool key_fits(const char *key, const char *wanted)
{
	const char *slash = strchr(wanted, '/');
	const char *path = key_path(key);
	const char *wanted_path = slash ? slash + 1 : wanted;
	size_t length = strlen(wanted_path);
	return strncmp(path, wanted_path, length) == 0 && (path[length] == '\0' || path[length] == '.');
}

static bool search_site(const struct vim_ops *ops, const struct site *site, const char *wanted, struct arena *arena, GPtrArray *found,
			GError **error)
{
	struct vim *vim = ops->open(site, error);
	if (!vim)
		return false;
	auto_ptr(observation) observation = observation_new(arena);
	const struct call call = make_call();
	bool good = ops->observe(vim, &call, observation, error);
	for (guint i = 0; good && i < observation->vnfcs->len; i++) {
		const struct vnfc *vnfc = g_ptr_array_index(observation->vnfcs, i);
		if (vnfc->state != VNFC_RUNNING || !key_fits(vnfc->key, wanted))
			continue;
		struct candidate *candidate = ARENA_NEW(arena, struct candidate);
		*candidate = (struct candidate) { .key = vnfc->key, .site = site, .ops = ops };
		g_ptr_array_add(found, candidate);
	}
	ops->close(vim);
	return good;
}

static const struct site *make_site(struct arena *arena, const struct vim_ops *ops, const struct vim_site *which)
{
	struct site *site = ARENA_NEW(arena, struct site);
	*site = (struct site) {
		.name = arena_strdup(arena, which->site),
		.owner = arena_strdup(arena, which->owner),
		.vim = { .name = "vim", .driver = ops->name, .options = value_map(arena, NULL, NULL, 0) },
		.steering = "auto",
	};
	return site;
}

static bool several_owners(const GPtrArray *found)
{
	const struct candidate *first = g_ptr_array_index(found, 0);
	for (guint i = 1; i < found->len; i++)
		if (!g_str_equal(((const struct candidate *) g_ptr_array_index(found, i))->site->owner, first->site->owner))
			return true;
	return false;
}

/* @trouble: where one could not look; or NULL. */
static bool choose(const char *wanted, const GPtrArray *found, const char *trouble, GError **error)
{
	if (found->len == 1)
		return true;
	if (found->len == 0 && trouble) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_RETRY, "\"%s\" was not found, but %s", wanted, trouble);
		return false;
	}
	if (found->len == 0) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND,
			    "no running VNFC of this user on this machine fits \"%s\"; `pleach status` shows what there is", wanted);
		return false;
	}
	g_autoptr(GString) names = g_string_new(NULL);
	for (guint i = 0; i < found->len; i++) {
		const struct candidate *candidate = g_ptr_array_index(found, i);
		g_string_append_printf(names, "\n  %s", candidate->key);
		if (several_owners(found))
			g_string_append_printf(names, " (--owner %s)", candidate->site->owner);
	}
	g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID, "\"%s\" fits several VNFCs; say which:%s", wanted, names->str);
	return false;
}

bool cli_target_open(const struct cli *cli, const char *key, const char *owner, struct cli_target *ret, GError **error)
{
	auto_ptr(arena) arena = arena_new();
	g_autoptr(GPtrArray) found = g_ptr_array_new();
	g_autofree char *wanted = cli_key(key), *trouble = NULL;
	*ret = (struct cli_target) { 0 };
	for (size_t i = 0; i < cli->registry->n_vims; i++) {
		const struct vim_ops *ops = cli->registry->vims[i];
		g_autoptr(GPtrArray) sites = g_ptr_array_new_with_free_func((GDestroyNotify) vim_site_free);
		if (!ops->list)
			continue;
		if (!ops->list(sites, error))
			return false;
		for (guint j = 0; j < sites->len; j++) {
			const struct vim_site *running = g_ptr_array_index(sites, j);
			const struct site *site = make_site(arena, ops, running);
			if (owner && !g_str_equal(owner, site->owner))
				continue;
			if (running->trouble) {
				g_free(trouble);
				trouble = g_strdup_printf("site %s of owner %s: %s", site->name, site->owner, running->trouble);
				continue;
			}
			if (!search_site(ops, site, wanted, arena, found, error))
				return false;
		}
	}
	if (!choose(key, found, trouble, error))
		return false;
	const struct candidate *candidate = g_ptr_array_index(found, 0);
	ret->vnfc_key = candidate->key;
	ret->site = candidate->site;
	ret->ops = candidate->ops;
	ret->vim = ret->ops->open(ret->site, error);
	ret->arena = g_steal_pointer(&arena);
	if (!ret->vim)
		cli_target_close(ret);
	return ret->vim != NULL;
}

void cli_target_close(struct cli_target *target)
{
	if (target->vim)
		target->ops->close(target->vim);
	arena_unref(target->arena);
	*target = (struct cli_target) { 0 };
}
