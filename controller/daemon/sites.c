#include "daemon/sites.h"

#include "base/log.h"
#include "daemon/owner_lock.h"

struct sites {
	struct store *store;
	const struct last *last;
	struct drivers *drivers;
	GHashTable *owners; /* owner → struct owner_lock */
};

struct sites *sites_new(struct store *store, const struct last *last, struct drivers *drivers)
{
	struct sites *sites = g_new0(struct sites, 1);
	*sites = (struct sites) { .store = store, .last = last, .drivers = drivers };
	sites->owners = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) owner_lock_drop);
	return sites;
}

void sites_free(struct sites *sites)
{
	if (!sites)
		return;
	g_hash_table_unref(sites->owners);
	g_free(sites);
}

static void no_driver(struct diags *diags, const char *what, const struct driver_ref *ref, const GString *names)
{
	struct diag *diag = diags_error(diags, "unknown-driver", ref->origin, "there is no %s driver \"%s\"", what, ref->driver);
	diag_hint(diags, diag, "the drivers of this build are: %s", names->str);
}

void sites_check_drivers(const struct registry *registry, struct revision *revision)
{
	g_autoptr(GString) vims = g_string_new(NULL), emss = g_string_new(NULL);
	for (size_t i = 0; i < registry->n_vims; i++)
		g_string_append_printf(vims, "%s%s", i ? ", " : "", registry->vims[i]->name);
	for (size_t i = 0; i < registry->n_emss; i++)
		g_string_append_printf(emss, "%s%s", i ? ", " : "", registry->emss[i]->name);
	for (size_t i = 0; i < revision->network->n_sites; i++) {
		const struct site *site = revision->network->sites[i];
		if (!registry_vim(registry, site->vim.driver))
			no_driver(revision->diags, "VIM", &site->vim, vims);
		for (size_t j = 0; j < site->n_ems; j++)
			if (!registry_ems(registry, site->ems[j].driver))
				no_driver(revision->diags, "EMS", &site->ems[j], emss);
	}
	diags_sort(revision->diags);
}

bool sites_lock_owners(struct sites *sites, const struct network *network, GError **error)
{
	for (size_t i = 0; i < network->n_sites; i++) {
		const char *owner = network->sites[i]->owner;
		if (g_hash_table_contains(sites->owners, owner))
			continue;
		struct owner_lock *lock = owner_lock_take(owner, error);
		if (!lock)
			return false;
		g_hash_table_insert(sites->owners, g_strdup(owner), lock);
	}
	return true;
}

const struct site *const *sites_all(struct sites *sites, const struct network *network, struct arena *arena, size_t *ret_n)
{
	g_autoptr(GPtrArray) all = g_ptr_array_new();
	for (size_t i = 0; network && i < network->n_sites; i++)
		g_ptr_array_add(all, (gpointer) (guintptr) network->sites[i]);
	g_autoptr(GPtrArray) stored = g_ptr_array_new();
	g_autoptr(GError) error = NULL;
	if (!store_sites(sites->store, arena, stored, &error))
		log_error("store: sites: %s", error->message);
	for (guint i = 0; i < stored->len; i++) {
		const struct site *site = g_ptr_array_index(stored, i);
		if (!(network && network_site(network, site->name)) && last_has_site(sites->last, site->name))
			g_ptr_array_add(all, (gpointer) (guintptr) site);
	}
	*ret_n = all->len;
	return all->len ? arena_memdup(arena, all->pdata, all->len * sizeof(gpointer)) : NULL;
}

void sites_take(struct sites *sites, const struct network *network)
{
	auto_ptr(arena) arena = arena_new();
	size_t n;
	const struct site *const *all = sites_all(sites, network, arena, &n);
	drivers_set_sites(sites->drivers, all, n);
	g_autoptr(GError) unnamed = NULL;
	if (!store_set_owner(sites->store, network->owner, &unnamed))
		log_error("store: owner: %s", unnamed->message);
	for (size_t i = 0; i < network->n_sites; i++) {
		g_autoptr(GError) error = NULL;
		if (!store_put_site(sites->store, network->sites[i], &error))
			log_error("store: site %s: %s", network->sites[i]->name, error->message);
	}
}
