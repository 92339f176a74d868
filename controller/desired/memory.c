/* What the next revision takes over of this one. The idea is in source/reads.h; here it is kept for services, in whole files where that
 * can be, so that a file without a change is not even walked. */
#include "desired/internal.h"

#include <string.h>

/* A template as it is remembered. */
struct place {
	const struct ttemplate *template;
	struct harvest *const *services; /* of the memory, in order of the file */
	size_t n;
};

struct desired_memory {
	struct ledger *ledger;
	unsigned turn, ledger_turn;
	char *owner, *default_owner;
	GPtrArray *site_templates;
	bool uncertain;
	struct place *places; /* by file */
	size_t n_places, at;
	struct harvest **services; /* in order of places, each with a reference */
	size_t n_services, n_taken;
	struct arena *arena; /* keeps @objects */
	struct objects objects;
	struct harvest **makers; /* of the objects; NULL entries: they are made anew */
};

/* --- life --------------------------------------------------------------------------------------------------------------- */

static void home_drop(struct home *home)
{
	if (--home->refs)
		return;
	arena_unref(home->arena);
	g_free(home);
}

static struct harvest *harvest_ref(struct harvest *made)
{
	made->refs++;
	return made;
}

void harvest_unref(struct harvest *made)
{
	if (--made->refs)
		return;
	made->home->n_live--;
	diags_free(made->findings);
	g_ptr_array_unref(made->packages);
	reads_unref(made->reads);
	home_drop(made->home);
	g_free(made);
}

struct desired_memory *desired_memory_new(struct ledger *ledger)
{
	struct desired_memory *memory = g_new0(struct desired_memory, 1);
	memory->ledger = ledger;
	memory->site_templates = g_ptr_array_new();
	return memory;
}

void memory_forget(struct desired_memory *memory)
{
	for (size_t i = 0; i < memory->n_services; i++)
		harvest_unref(memory->services[i]);
	memory->n_services = memory->n_places = memory->at = 0;
	memory->objects = (struct objects) { 0 };
	g_clear_pointer(&memory->services, g_free);
	g_clear_pointer(&memory->places, g_free);
	g_clear_pointer(&memory->makers, g_free);
	g_clear_pointer(&memory->arena, arena_unref);
}

void desired_memory_free(struct desired_memory *memory)
{
	if (!memory)
		return;
	memory_forget(memory);
	g_ptr_array_unref(memory->site_templates);
	g_free(memory->owner);
	g_free(memory->default_owner);
	g_free(memory);
}

size_t desired_memory_taken_over(const struct desired_memory *memory)
{
	return memory->n_taken;
}

/* --- before ------------------------------------------------------------------------------------------------------------- */

void memory_begin(struct run *run)
{
	struct desired_memory *memory = run->memory;
	if (!memory)
		return;
	run->ledger = memory->ledger;
	unsigned turn = ledger_number(memory->ledger);
	bool follows = memory->ledger_turn + 1 == turn && g_strcmp0(memory->owner, run->options->owner) == 0 &&
		       (run->options->owner || g_strcmp0(memory->default_owner, run->options->default_owner) == 0);
	if (!follows)
		memory_forget(memory);
	memory->ledger_turn = turn;
	memory->turn++;
	memory->at = 0;
	memory->n_taken = 0;
	g_free(memory->owner);
	g_free(memory->default_owner);
	memory->owner = g_strdup(run->options->owner);
	memory->default_owner = g_strdup(run->options->default_owner);
}

/* What is left of a home after most of it went is made anew too. */
static bool is_right(const struct harvest *made)
{
	return reads_hold(made->reads) && made->home->n_live * 2 >= made->home->n_made;
}

static const struct place *find_place(struct desired_memory *memory, const struct ttemplate *template)
{
	while (memory->at < memory->n_places) {
		const struct place *place = &memory->places[memory->at];
		if (place->template == template) {
			memory->at++;
			return place;
		}
		if (strcmp(place->template->file, template->file) >= 0)
			return NULL;
		memory->at++;
	}
	return NULL;
}

static struct service *remembered(struct run *run, struct harvest *made)
{
	struct service *service = ARENA_NEW(run->scratch, struct service);
	service->run = run;
	service->made = made;
	service->name = made->name;
	service->segment = made->segment;
	service->origin = made->origin;
	service->packages = made->packages;
	return service;
}

/* Templates come in order of their files, as they are remembered. */
bool memory_walk(struct run *run, const struct ttemplate *template)
{
	const struct place *place = run->memory ? find_place(run->memory, template) : NULL;
	bool right = place != NULL;
	for (size_t i = 0; right && i < place->n; i++)
		right = is_right(place->services[i]);
	if (!right)
		return false;
	const struct walked walked = { template, run->services->len, (guint) place->n, true };
	g_array_append_val(run->walked, walked);
	for (size_t i = 0; i < place->n; i++)
		g_ptr_array_add(run->services, remembered(run, place->services[i]));
	return true;
}

static bool same_sites(const struct run *run, const struct desired_memory *memory)
{
	const GPtrArray *former = memory->site_templates, *now = run->site_templates;
	return run->sites_uncertain == memory->uncertain && former->len == now->len &&
	       (!now->len || memcmp(former->pdata, now->pdata, now->len * sizeof(gpointer)) == 0);
}

void memory_check(struct run *run)
{
	struct desired_memory *memory = run->memory;
	if (!memory)
		return;
	bool any = memory->n_services > 0;
	run->gave_up = any && (!same_sites(run, memory) || run->services->len > DESIRED_MAX_SERVICES);
	g_ptr_array_set_size(memory->site_templates, 0);
	for (guint i = 0; i < run->site_templates->len; i++)
		g_ptr_array_add(memory->site_templates, run->site_templates->pdata[i]);
	memory->uncertain = run->sites_uncertain;
}

/* Who is refused where a bound is met hangs on who came before. */
void memory_check_bounds(struct run *run)
{
	bool near = run->n_vnfcs > DESIRED_MAX_VNFCS - DESIRED_MAX_VNFCS_PER_SERVICE || run->pairs > DESIRED_MAX_ORDER / 2 ||
		    diags_count(run->diags) >= DIAGS_MAX;
	run->gave_up = run->memory && run->memory->n_taken > 0 && near;
}

void memory_drop_home(struct run *run)
{
	if (run->home)
		home_drop(run->home);
}

/* --- in the run --------------------------------------------------------------------------------------------------------- */

static struct site_entry *site_of(struct run *run, const char *name)
{
	for (guint i = 0; i < run->sites->len; i++) {
		struct site_entry *entry = run->sites->pdata[i];
		if (strcmp(entry->site->name, name) == 0)
			return entry;
	}
	g_assert_not_reached(); /* the sites are the same: memory_check() */
}

void memory_use(struct run *run, struct service *service)
{
	struct harvest *made = service->made;
	struct site_entry *entry = site_of(run, made->site);
	made->turn = run->memory->turn;
	entry->vcpus += made->vcpus;
	entry->mem_bytes += made->mem_bytes;
	entry->vnfs += made->vnfs;
	run->n_vnfcs += made->n_vnfcs;
	run->pairs += made->pairs;
	run->memory->n_taken++;
	if (made->findings)
		run_add(run, made->findings);
}

static struct home *home_of(struct run *run)
{
	if (!run->home) {
		run->home = g_new0(struct home, 1);
		run->home->arena = arena_ref(run->arena);
		run->home->refs = 1;
	}
	return run->home;
}

void memory_note(struct run *run, struct service *service, const struct object *const *objects, size_t n)
{
	if (!run->memory || service->faulty || diags_errors(service->findings) > 0)
		return;
	struct harvest *made = g_new0(struct harvest, 1);
	*made = (struct harvest) {
		.refs = 1, .turn = run->memory->turn, .home = home_of(run), .reads = reads_ref(service->reads),
		.name = arena_strdup(run->arena, service->name), .segment = service->segment, .site = service->site->site->name,
		.origin = service->origin, .objects = arena_memdup(run->arena, objects, n * sizeof(*objects)), .n_objects = n,
		.packages = g_ptr_array_ref(service->packages), .vcpus = service->asked.vcpus, .mem_bytes = service->asked.mem_bytes,
		.vnfs = service->asked.vnfs, .n_vnfcs = service->n_vnfcs, .pairs = service->pairs,
	};
	if (diags_count(service->findings) > 0)
		made->findings = g_steal_pointer(&service->findings);
	made->home->refs++;
	made->home->n_made++;
	made->home->n_live++;
	service->made_now = made;
}

/* --- the objects -------------------------------------------------------------------------------------------------------- */

struct pair {
	const struct object *object;
	struct harvest *maker;
};

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct pair *) a)->object->key, ((const struct pair *) b)->object->key);
}

static bool is_shown(const struct run *run, const struct harvest *made)
{
	return made && made->turn == run->memory->turn;
}

struct objects memory_objects(struct run *run, struct arena *arena, GPtrArray *new, GPtrArray *makers)
{
	struct objects former = run->memory ? run->memory->objects : (struct objects) { 0 };
	g_autofree struct pair *pairs = g_new(struct pair, new->len + 1);
	for (guint i = 0; i < new->len; i++)
		pairs[i] = (struct pair) { new->pdata[i], makers->pdata[i] };
	if (new->len)
		qsort(pairs, new->len, sizeof(*pairs), by_key);
	g_autofree const struct object **items = g_new(const struct object *, former.n + new->len + 1);
	g_autofree struct arena **homes = g_new(struct arena *, former.n + new->len + 1);
	struct harvest **shown = g_new(struct harvest *, former.n + new->len + 1);
	size_t n = 0, at = 0;
	for (guint i = 0; i <= new->len; i++) {
		for (; at < former.n && (i == new->len || strcmp(former.items[at]->key, pairs[i].object->key) <= 0); at++) {
			struct harvest *made = run->memory->makers[at];
			if (!is_shown(run, made))
				continue;
			items[n] = former.items[at];
			homes[n] = made->home->arena;
			shown[n++] = made;
		}
		if (i == new->len)
			break;
		items[n] = pairs[i].object;
		homes[n] = run->arena;
		shown[n++] = pairs[i].maker;
	}
	struct objects objects = objects_at_home(arena, items, homes, n, former);
	if (run->memory) {
		g_free(run->memory->makers);
		run->memory->makers = g_steal_pointer(&shown);
	}
	g_free(shown);
	return objects;
}

/* --- after -------------------------------------------------------------------------------------------------------------- */

static struct harvest *made_of(const struct service *service)
{
	return service->made ? service->made : service->made_now;
}

/* Whole files are taken over or none of it: services that depend on one another stand in one file. */
static bool is_known(const struct run *run, const struct walked *walked)
{
	for (guint i = 0; walked->keep && i < walked->n; i++)
		if (!is_shown(run, made_of(run->walk->pdata[walked->first + i])))
			return false;
	return walked->keep;
}

/* The objects of those that are not remembered have no maker: they are made anew. */
static void forget_others(struct desired_memory *memory, const struct run *run, size_t n_objects)
{
	bool any = false;
	for (guint i = 0; i < run->walk->len; i++) {
		const struct harvest *made = made_of(run->walk->pdata[i]);
		any = any || (is_shown(run, made) && !made->remembered);
	}
	for (size_t i = 0; any && i < n_objects; i++)
		if (memory->makers[i] && !memory->makers[i]->remembered)
			memory->makers[i] = NULL;
}

void memory_settle(struct run *run, struct arena *arena, struct objects objects)
{
	struct desired_memory *memory = run->memory;
	GPtrArray *services = g_ptr_array_sized_new(run->walk->len);
	g_autoptr(GArray) places = g_array_sized_new(FALSE, FALSE, sizeof(struct place), run->walked->len);
	for (size_t i = 0; i < memory->n_services; i++)
		memory->services[i]->remembered = false;
	for (guint i = 0; i < run->walked->len; i++) {
		const struct walked *walked = &g_array_index(run->walked, struct walked, i);
		if (!is_known(run, walked))
			continue;
		const struct place place = { walked->template, NULL, walked->n };
		g_array_append_val(places, place);
		for (guint j = 0; j < walked->n; j++) {
			struct harvest *made = harvest_ref(made_of(run->walk->pdata[walked->first + j]));
			made->remembered = true;
			g_ptr_array_add(services, made);
		}
	}
	forget_others(memory, run, objects.n);
	for (size_t i = 0; i < memory->n_services; i++)
		harvest_unref(memory->services[i]);
	g_free(memory->services);
	g_free(memory->places);
	memory->n_services = services->len;
	memory->services = (struct harvest **) g_ptr_array_free(services, FALSE);
	memory->n_places = places->len;
	memory->places = (struct place *) (void *) g_array_free(g_steal_pointer(&places), FALSE);
	for (size_t i = 0, first = 0; i < memory->n_places; first += memory->places[i++].n)
		memory->places[i].services = memory->services + first;
	struct arena *former = memory->arena;
	memory->arena = arena_ref(arena);
	memory->objects = objects;
	g_clear_pointer(&former, arena_unref);
}
