#include "daemon/drivers.h"

#include "daemon/secrets.h"
#include "ems/drivers.h"

#include <pthread.h>
#include <string.h>

struct opened {
	struct arena *arena;
	const struct site *site;
	char *digest; /* of the site's description: a changed one is opened anew */
	const struct vim_ops *vim_ops;
	struct vim *vim;
};

struct drivers {
	const struct registry *registry;
	char *secrets_folder;
	pthread_mutex_t lock; /* of everything below: workers open handles */
	GHashTable *sites;    /* name → struct opened */
	struct observed *observed;
	const struct network *network; /* whose arena is held */
	struct ems_drivers *emss;
	struct lookup lookup;
};

static void opened_free(gpointer data)
{
	struct opened *opened = data;
	if (opened->vim)
		opened->vim_ops->close(opened->vim);
	arena_unref(opened->arena);
	g_free(opened->digest);
	g_free(opened);
}

static struct opened *find(const struct drivers *drivers, const char *site, GError **error)
{
	struct opened *opened = g_hash_table_lookup(drivers->sites, site);
	if (!opened)
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND, "site %s is not described anywhere", site);
	return opened;
}

static struct vim *lookup_vim(const struct lookup *lookup, const char *site, const struct vim_ops **ret_ops, GError **error)
{
	struct drivers *drivers = lookup->data;
	struct vim *vim = NULL;
	pthread_mutex_lock(&drivers->lock);
	struct opened *opened = find(drivers, site, error);
	if (opened && !opened->vim_ops)
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_UNSUPPORTED, "site %s: there is no VIM driver \"%s\"", site,
			    opened->site->vim.driver);
	else if (opened && !opened->vim)
		opened->vim = opened->vim_ops->open(opened->site, error);
	if (opened && opened->vim) {
		*ret_ops = opened->vim_ops;
		vim = opened->vim;
	}
	pthread_mutex_unlock(&drivers->lock);
	return vim;
}

static struct ems *lookup_ems(const struct lookup *lookup, const char *site, const char *name, const struct ems_ops **ret_ops,
			      GError **error)
{
	const struct drivers *drivers = lookup->data;
	return ems_drivers_open(drivers->emss, site, name, ret_ops, error);
}

static const struct access *lookup_access(const struct lookup *lookup, const char *vnfc_key)
{
	struct drivers *drivers = lookup->data;
	pthread_mutex_lock(&drivers->lock);
	const struct access *access = drivers->observed ? observed_access(drivers->observed, vnfc_key) : NULL;
	pthread_mutex_unlock(&drivers->lock);
	return access;
}

static char *lookup_secret(const struct lookup *lookup, const char *name, GError **error)
{
	const struct drivers *drivers = lookup->data;
	return secret_read(drivers->secrets_folder, name, error);
}

static const struct package *lookup_package(const struct lookup *lookup, const char *digest, struct arena *arena, GError **error)
{
	struct drivers *drivers = lookup->data;
	pthread_mutex_lock(&drivers->lock);
	const struct package *package = drivers->network ? network_package(drivers->network, digest) : NULL;
	if (package)
		arena_adopt(arena, drivers->network->arena);
	else
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND, "no package sha256:%s is in this revision", digest);
	pthread_mutex_unlock(&drivers->lock);
	return package;
}

struct drivers *drivers_new(const struct registry *registry, const char *secrets_folder)
{
	struct drivers *drivers = g_new0(struct drivers, 1);
	drivers->registry = registry;
	drivers->secrets_folder = g_strdup(secrets_folder);
	pthread_mutex_init(&drivers->lock, NULL);
	drivers->sites = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, opened_free);
	drivers->emss = ems_drivers_new(registry);
	drivers->lookup = (struct lookup) {
		.vim = lookup_vim, .ems = lookup_ems, .access = lookup_access, .secret = lookup_secret,
		.package = lookup_package, .data = drivers,
	};
	return drivers;
}

void drivers_free(struct drivers *drivers)
{
	if (!drivers)
		return;
	ems_drivers_free(drivers->emss);
	g_hash_table_unref(drivers->sites);
	g_clear_pointer(&drivers->observed, observed_unref);
	if (drivers->network)
		arena_unref(drivers->network->arena);
	pthread_mutex_destroy(&drivers->lock);
	g_free(drivers->secrets_folder);
	g_free(drivers);
}

static char *site_digest(const struct site *site)
{
	g_autoptr(json_t) json = site_to_json(site);
	return json_text(json, 0);
}

static struct opened *opened_new(const struct drivers *drivers, const struct site *site, char *digest)
{
	struct opened *opened = g_new0(struct opened, 1);
	opened->arena = arena_new();
	opened->digest = digest;
	g_autoptr(json_t) json = site_to_json(site);
	opened->site = site_from_json(opened->arena, json, NULL);
	g_assert(opened->site); /* made by site_to_json() a line above */
	opened->vim_ops = registry_vim(drivers->registry, site->vim.driver);
	return opened;
}

void drivers_set_sites(struct drivers *drivers, const struct site *const *sites, size_t n)
{
	ems_drivers_set_sites(drivers->emss, sites, n);
	pthread_mutex_lock(&drivers->lock);
	g_autoptr(GHashTable) former = drivers->sites;
	drivers->sites = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, opened_free);
	for (size_t i = 0; i < n; i++) {
		g_autofree char *digest = site_digest(sites[i]);
		struct opened *opened = g_hash_table_lookup(former, sites[i]->name);
		if (opened && g_str_equal(opened->digest, digest))
			g_hash_table_steal(former, sites[i]->name);
		else
			opened = opened_new(drivers, sites[i], g_steal_pointer(&digest));
		g_hash_table_replace(drivers->sites, (gpointer) (guintptr) opened->site->name, opened);
	}
	pthread_mutex_unlock(&drivers->lock);
}

void drivers_set_observed(struct drivers *drivers, struct observed *observed)
{
	pthread_mutex_lock(&drivers->lock);
	struct observed *former = drivers->observed;
	drivers->observed = observed ? observed_ref(observed) : NULL;
	pthread_mutex_unlock(&drivers->lock);
	g_clear_pointer(&former, observed_unref);
}

void drivers_set_network(struct drivers *drivers, const struct network *network)
{
	ems_drivers_set_rules(drivers->emss, network);
	if (network)
		arena_ref(network->arena);
	pthread_mutex_lock(&drivers->lock);
	const struct network *former = drivers->network;
	drivers->network = network;
	pthread_mutex_unlock(&drivers->lock);
	if (former)
		arena_unref(former->arena);
}

const struct lookup *drivers_lookup(const struct drivers *drivers)
{
	return &drivers->lookup;
}

static const struct vim_ops *vim_ops_of(const struct drivers *drivers, const char *site)
{
	const struct opened *opened = g_hash_table_lookup(drivers->sites, site);
	return opened ? opened->vim_ops : NULL;
}

const struct caps *drivers_caps(const char *site, const struct kind *kind, void *data)
{
	const struct drivers *drivers = data;
	if (kind == &kind_nf)
		return NULL; /* an NF's costs are its kind's own on every EMS so far */
	const struct vim_ops *ops = vim_ops_of(drivers, site);
	return ops ? ops->caps : NULL;
}

void drivers_each_watch(struct drivers *drivers, drivers_watch_fn each, void *data)
{
	GHashTableIter iter;
	gpointer value;
	g_hash_table_iter_init(&iter, drivers->sites);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct opened *opened = value;
		if (!opened->vim || !opened->vim_ops->watch_fd)
			continue;
		int fd = opened->vim_ops->watch_fd(opened->vim);
		if (fd >= 0)
			each(opened->site->name, opened->vim, opened->vim_ops, fd, data);
	}
}
