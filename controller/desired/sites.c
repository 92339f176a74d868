#include "desired/internal.h"

#include <string.h>

static const char *secret_name(struct run *run, const struct tvalue *secret)
{
	const char *name = tvalue_string(tvalue_get(secret, "secret"), NULL);
	const char *key = tvalue_string(tvalue_get(secret, "key"), NULL);

	if (!name)
		return NULL;
	return key ? arena_printf(run->arena, "%s#%s", name, key) : arena_strdup(run->arena, name);
}

static const struct value *options_of(struct run *run, const struct tvalue *options)
{
	size_t n = options && options->type == TV_MAP ? options->map.n : 0;
	const char **keys = ARENA_ARRAY(run->arena, const char *, n);
	const struct value **items = ARENA_ARRAY(run->arena, const struct value *, n);

	for (size_t i = 0; i < n; i++) {
		keys[i] = options->map.keys[i];
		items[i] = value_string(run->arena, tvalue_string(options->map.items[i], ""));
	}
	return value_map(run->arena, keys, items, n);
}

static struct driver_ref driver_of(struct run *run, const char *name, const struct tvalue *driver, struct origin fallback)
{
	return (struct driver_ref) {
		.name = name,
		.driver = arena_strdup(run->arena, tvalue_string(tvalue_get(driver, "driver"), "")),
		.endpoint = arena_strdup(run->arena, tvalue_string(tvalue_get(driver, "endpoint"), NULL)),
		.credential = secret_name(run, tvalue_get(driver, "credential")),
		.options = options_of(run, tvalue_get(driver, "options")),
		.origin = origin_of(tvalue_get(driver, "driver"), fallback),
	};
}

static int by_driver_name(const void *a, const void *b)
{
	return strcmp(((const struct driver_ref *) a)->name, ((const struct driver_ref *) b)->name);
}

static void ems_of(struct run *run, struct site *site, const struct tvalue *ems)
{
	size_t n = ems && ems->type == TV_MAP ? ems->map.n : 0;
	struct driver_ref *refs = ARENA_ARRAY(run->arena, struct driver_ref, n);

	for (size_t i = 0; i < n; i++)
		refs[i] = driver_of(run, ems->map.keys[i], ems->map.items[i], site->origin);
	if (n > 0)
		qsort(refs, n, sizeof *refs, by_driver_name);
	site->ems = refs;
	site->n_ems = n;
}

static const char *owner_of(struct run *run, const struct tnode *node, bool *ret_faulty)
{
	const struct tvalue *said = tnode_property(node, "owner");
	const char *owner = tvalue_string(said, NULL);

	if (owner && run->options->owner && strcmp(owner, run->options->owner) != 0) {
		struct diag *diag = diags_error(run->diags, "owner-mismatch", said->origin,
						"the site \"%s\" has the owner \"%s\", but --owner says \"%s\"", node->name,
						owner, run->options->owner);
		diag_hint(run->diags, diag, "two controllers of different owners must not share a site's descriptors; make them "
					    "agree");
		*ret_faulty = true;
	}
	if (!owner)
		owner = run->options->owner ? run->options->owner : run->options->default_owner;
	return arena_strdup(run->arena, owner);
}

void sites_add(struct run *run, const struct tnode *node, bool faulty)
{
	struct site_entry *entry = ARENA_NEW(run->arena, struct site_entry);
	struct site *site = ARENA_NEW(run->arena, struct site);
	const struct tvalue *capacity = tnode_property(node, "capacity");
	static const char *const all_known[] = { NULL };
	size_t errors = run_errors(run);

	values_must_be_known(run, node, all_known);
	entry->site = site;
	entry->node = node;
	entry->faulty = faulty || run_errors(run) > errors;
	site->name = node->name;
	site->origin = node->origin;
	site->owner = owner_of(run, node, &entry->faulty);
	site->vim = driver_of(run, "vim", tnode_property(node, "vim"), node->origin);
	ems_of(run, site, tnode_property(node, "ems"));
	site->steering = arena_strdup(run->arena, tvalue_string(tnode_property(node, "steering"), "auto"));
	site->capacity_vcpus = tvalue_int(tvalue_get(capacity, "vcpus"), 0);
	site->capacity_mem_bytes = tvalue_int(tvalue_get(capacity, "memory"), 0);
	site->capacity_vnfs = tvalue_int(tvalue_get(capacity, "vnfs"), 0);
	kept_site(run, node);
	g_ptr_array_add(run->sites, entry);
}

static void add_implied(struct run *run)
{
	struct site_entry *entry = ARENA_NEW(run->arena, struct site_entry);
	struct site *site = ARENA_NEW(run->arena, struct site);
	struct driver_ref *leaf = ARENA_NEW(run->arena, struct driver_ref);

	*leaf = driver_of(run, "leaf", NULL, ORIGIN_NONE);
	leaf->driver = "leaf";
	site->name = "local";
	site->owner = arena_strdup(run->arena, run->options->owner ? run->options->owner : run->options->default_owner);
	site->vim = driver_of(run, "vim", NULL, ORIGIN_NONE);
	site->vim.driver = "local";
	site->ems = leaf;
	site->n_ems = 1;
	site->steering = "auto";
	entry->site = site;
	g_ptr_array_add(run->sites, entry);
}

static int by_site_name(const void *a, const void *b)
{
	const struct site_entry *x = *(struct site_entry *const *) a, *y = *(struct site_entry *const *) b;
	int order = strcmp(x->site->name, y->site->name);

	return order ? order : g_strcmp0(x->site->origin.file, y->site->origin.file);
}

void sites_finish(struct run *run)
{
	if (run->sites->len == 0)
		add_implied(run);
	g_ptr_array_sort(run->sites, by_site_name);
	for (guint i = 1; i < run->sites->len;) {
		struct site_entry *former = run->sites->pdata[i - 1], *entry = run->sites->pdata[i];
		if (strcmp(former->site->name, entry->site->name) != 0) {
			i++;
			continue;
		}
		struct diag *diag =
			diags_error(run->diags, "duplicate-site", entry->site->origin, "there are two sites of the name \"%s\"",
				    entry->site->name);
		diag_note(run->diags, diag, former->site->origin, "first defined here");
		former->faulty = true;
		g_ptr_array_remove_index(run->sites, i);
	}
	if (run->sites->len > DESIRED_MAX_SITES) {
		const struct site_entry *first = run->sites->pdata[DESIRED_MAX_SITES];
		diags_error(run->diags, "too-many-sites", first->site->origin, "more than %d sites", DESIRED_MAX_SITES);
		for (guint i = DESIRED_MAX_SITES; i < run->sites->len; i++)
			((struct site_entry *) run->sites->pdata[i])->faulty = true;
	}
}

static struct site_entry *find(struct run *run, const char *name)
{
	for (guint i = 0; i < run->sites->len; i++) {
		struct site_entry *entry = run->sites->pdata[i];
		if (strcmp(entry->site->name, name) == 0)
			return entry;
	}
	return NULL;
}

struct site_entry *sites_pick(struct run *run, const struct tnode *service)
{
	const struct tvalue *said = tnode_property(service, "site");
	const char *name = tvalue_string(said, NULL);
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	struct site_entry *entry;

	for (guint i = 0; i < run->sites->len; i++)
		g_ptr_array_add(names, held(((struct site_entry *) run->sites->pdata[i])->site->name));
	if (name) {
		entry = find(run, name);
		if (!entry) {
			struct diag *diag = diags_error(run->diags, "unknown-site", said->origin, "there is no site \"%s\"",
							name);
			run_suggest(run, diag, name, names);
			return NULL;
		}
	} else if (run->sites_uncertain) {
		diags_error(run->diags, "site-missing", service->origin,
			    "the service \"%s\" names no site, and a faulty file may hold one: it is left alone", service->name);
		return NULL;
	} else if (run->sites->len > 1) {
		struct diag *diag = diags_error(run->diags, "site-missing", service->origin,
						"the service \"%s\" names no site, and there are %u", service->name,
						run->sites->len);
		run_suggest(run, diag, "", names);
		return NULL;
	} else {
		entry = run->sites->pdata[0];
	}
	if (!entry->faulty)
		return entry;
	run_say(run, SEVERITY_ERROR, "faulty-site", said ? said->origin : service->origin,
		"the site \"%s\" of the service \"%s\" is faulty", entry->site->name, service->name);
	return NULL;
}

static void check(struct run *run, const struct site_entry *entry, const char *name, gint64 wanted, gint64 there,
		  const char *what)
{
	if (there == 0 || wanted <= there)
		return;
	const struct tvalue *said = tvalue_get(tnode_property(entry->node, "capacity"), name);

	diags_warning(run->diags, "over-capacity", origin_of(said, entry->node->origin),
		      "the site \"%s\" has %" G_GINT64_FORMAT " %s; its services ask for %" G_GINT64_FORMAT, entry->site->name,
		      there, what, wanted);
}

void sites_check_capacity(struct run *run)
{
	for (guint i = 0; i < run->sites->len; i++) {
		const struct site_entry *entry = run->sites->pdata[i];
		check(run, entry, "vcpus", entry->vcpus, entry->site->capacity_vcpus, "processors");
		check(run, entry, "memory", entry->mem_bytes, entry->site->capacity_mem_bytes, "bytes of memory");
		check(run, entry, "vnfs", entry->vnfs, entry->site->capacity_vnfs, "VNFs");
	}
}
