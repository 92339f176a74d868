#include "daemon/monitors.h"

#include "base/clock.h"
#include "base/log.h"
#include "daemon/measure.h"
#include "ems/perf.h"
#include "model/key.h"

#include <string.h>

enum { TICK_MS = 1000, BATCH_KEYS = 32, BATCHES_MAX = 2 };

struct recent {
	struct arena *before_arena, *now_arena;
	const struct sample *before, *now;
};

struct monitors {
	struct monitors_options options;
	struct vib *vib;
	struct network *network;   /* of the newest plan */
	struct observed *observed;
	struct faults *faults;     /* that it was made with; NULL: none yet */
	GHashTable *recent;        /* key → struct recent */
	GHashTable *unable;        /* set of "SITE EMS" whose driver cannot measure, of this network */
	guint timer, due;
	unsigned tick, batches;    /* under way */
	size_t first;              /* of the network's objects: where the next turn begins */
	unsigned n_asked;
};

static void recent_free(gpointer data)
{
	struct recent *recent = data;
	g_clear_pointer(&recent->before_arena, arena_unref);
	g_clear_pointer(&recent->now_arena, arena_unref);
	g_free(recent);
}

static void complain(const char *what, GError *error)
{
	log_error("store: %s: %s", what, error->message);
	g_error_free(error);
}

/* --- the VIB ---------------------------------------------------------------------------------------------------------------- */

static void load(struct monitors *monitors)
{
	auto_ptr(arena) arena = arena_new();
	g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(struct vib_entry));
	GError *error = NULL;
	if (!store_vib(monitors->options.store, arena, entries, &error))
		complain("VIB", error);
	for (guint i = 0; i < entries->len; i++)
		vib_load(monitors->vib, &g_array_index(entries, struct vib_entry, i));
}

static void put_events(struct monitors *monitors, const GArray *events, gint64 wall_us)
{
	for (guint i = 0; i < events->len; i++) {
		const struct vib_event *event = &g_array_index(events, struct vib_event, i);
		const struct store_event stored = {
			.wall_us = wall_us, .key = event->key, .kind = event->kind, .text = event->text, .origin = event->origin,
			.revision = monitors->network->revision,
		};
		GError *error = NULL;
		if (!store_put_event(monitors->options.store, &stored, &error))
			complain("event", error);
		log_about(strcmp(event->kind, "healed") == 0 ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, event->key, "%s %s: %s", event->kind,
			  event->key, event->text);
	}
}

static void put_entry(struct monitors *monitors, const struct vib_entry *entry)
{
	GError *error = NULL;
	if (entry && !store_put_vib(monitors->options.store, entry, &error))
		complain("VIB", error);
}

static gboolean cure_is_due(gpointer data)
{
	struct monitors *monitors = data;
	monitors->due = 0;
	monitors->options.due(monitors->options.data);
	return G_SOURCE_REMOVE;
}

static void take(struct monitors *monitors, const struct network *network, struct observed *observed, struct faults *faults)
{
	g_clear_pointer(&monitors->faults, faults_free);
	monitors->faults = faults;
	g_clear_handle_id(&monitors->due, g_source_remove);
	gint64 next_us = faults_next_us(faults);
	if (next_us >= 0)
		monitors->due = g_timeout_add((guint) (MAX(next_us - clock_wall_us(), 0) / 1000 + 1), cure_is_due, monitors);
	if (monitors->network != network)
		g_hash_table_remove_all(monitors->unable);
	g_clear_pointer(&monitors->network, network_unref);
	g_clear_pointer(&monitors->observed, observed_unref);
	monitors->network = network_ref((struct network *) (guintptr) network);
	monitors->observed = observed_ref(observed);
}

/* What the EMS has done unasked since the last look counts against the NF's limit. */
static void count_restarts(struct monitors *monitors, const char *key, gint64 before, gint64 now, gint64 wall_us)
{
	const struct object *nf = objects_find(monitors->network->objects, key);
	if (!nf || now <= before)
		return;
	auto_ptr(arena) arena = arena_new();
	for (gint64 i = MAX(before, now - FAULTS_ITSELF_MAX) + 1; i <= now; i++) {
		const struct cure cure = {
			.id = arena_printf(arena, "itself-%s-%" G_GINT64_FORMAT "-%" G_GINT64_FORMAT, key, wall_us, i),
			.path = key_path(key), .kind = CURE_ITSELF, .wanted = object_digest(arena, nf), .wall_us = wall_us,
		};
		GError *error = NULL;
		if (!store_put_cure(monitors->options.store, &cure, &error))
			complain("cures", error);
	}
}

static void put_changes(struct monitors *monitors, const struct vib_changes *changes, gint64 wall_us)
{
	for (guint i = 0; i < changes->entries->len; i++) {
		const struct vib_entry *entry = g_ptr_array_index(changes->entries, i);
		count_restarts(monitors, entry->key, entry->restarts_before, entry->restarts, wall_us);
		put_entry(monitors, entry);
	}
	for (guint i = 0; i < changes->gone->len; i++) {
		GError *error = NULL;
		g_hash_table_remove(monitors->recent, g_ptr_array_index(changes->gone, i));
		if (!store_drop_vib(monitors->options.store, g_ptr_array_index(changes->gone, i), &error))
			complain("VIB", error);
	}
}

void monitors_planned(struct monitors *monitors, const struct network *network, struct observed *observed, struct faults *faults)
{
	take(monitors, network, observed, faults);
	struct vib_changes changes;
	vib_changes_init(&changes);
	const struct vib_input input = { .desired = network, .observed = observed, .faults = faults, .wall_us = clock_wall_us() };
	vib_update(monitors->vib, &input, &changes);
	put_changes(monitors, &changes, input.wall_us);
	put_events(monitors, changes.events, input.wall_us);
	vib_changes_clear(&changes);
}

bool monitors_awaits_cure(const struct monitors *monitors)
{
	return monitors->due != 0;
}

const struct vib_entry *monitors_vib(const struct monitors *monitors, struct arena *arena, size_t *ret_n)
{
	return vib_entries(monitors->vib, arena, ret_n);
}

/* --- cures ------------------------------------------------------------------------------------------------------------------ */

const struct cure *monitors_cures(struct monitors *monitors, struct arena *arena, gint64 wall_us, size_t *ret_n)
{
	g_autoptr(GArray) cures = g_array_new(FALSE, FALSE, sizeof(struct cure));
	GError *error = NULL;
	if (!store_cures(monitors->options.store, arena, wall_us - (gint64) FAULTS_HISTORY_S * G_USEC_PER_SEC, cures, &error))
		complain("cures", error);
	*ret_n = cures->len;
	return arena_memdup(arena, cures->data, cures->len * sizeof(struct cure));
}

void monitors_begin(struct monitors *monitors, struct exec *exec)
{
	for (size_t i = 0; i < monitors->faults->n; i++)
		if (!monitors->faults->items[i].held)
			exec_forget(exec, monitors->faults->items[i].act);
}

bool monitors_record(struct monitors *monitors, const struct operation *operation, GError **error)
{
	bool begins = operation->state == OP_PROCESSING;
	const struct fault *fault = begins && monitors->faults ? faults_cured_by(monitors->faults, operation->key) : NULL;
	if (!fault)
		return true;
	const struct cure cure = {
		.id = operation->id, .path = fault->path, .kind = fault->fate == FAULT_RECOVER ? CURE_RECOVER : CURE_RESTART,
		.wanted = fault->wanted, .wall_us = operation->wall_us,
	};
	g_autofree char *text = g_strdup_printf("%s: %s", fault_fate_name(fault->fate), fault->reason);
	const struct store_event event = {
		.wall_us = operation->wall_us, .key = fault->key, .kind = "cure", .revision = operation->revision, .text = text,
		.origin = fault->origin,
	};
	return store_put_cure(monitors->options.store, &cure, error) &&
	       (operation->attempt > 1 || store_put_event(monitors->options.store, &event, error));
}

void monitors_asked(struct monitors *monitors, const char *key)
{
	gint64 wall_us = clock_wall_us();
	g_autofree char *id = g_strdup_printf("asked-%" G_GINT64_FORMAT "-%u", wall_us, ++monitors->n_asked);
	const struct cure cure = { .id = id, .path = key ? key_path(key) : "", .kind = CURE_ASKED, .wanted = "", .wall_us = wall_us };
	GError *error = NULL;
	if (!store_put_cure(monitors->options.store, &cure, &error))
		complain("cures", error);
}

/* --- measuring -------------------------------------------------------------------------------------------------------------- */

static void keep_recent(struct monitors *monitors, const char *key, struct arena *arena, const struct sample *sample)
{
	struct recent *recent = g_hash_table_lookup(monitors->recent, key);
	if (!recent) {
		recent = g_new0(struct recent, 1);
		g_hash_table_insert(monitors->recent, g_strdup(key), recent);
	}
	g_clear_pointer(&recent->before_arena, arena_unref);
	recent->before_arena = recent->now_arena;
	recent->before = recent->now;
	recent->now_arena = arena_ref(arena);
	recent->now = sample;
}

static void judge(struct monitors *monitors, struct arena *arena, const char *key, GArray *events)
{
	const struct object *nf = objects_find(monitors->network->objects, key);
	const struct vib_entry *entry = vib_find(monitors->vib, key);
	const struct recent *recent = g_hash_table_lookup(monitors->recent, key);
	if (!nf || !entry || !recent)
		return;
	const char *crossed = perf_compare(nf, recent->before, recent->now, entry->crossed, arena, events);
	if (g_strcmp0(crossed, entry->crossed) != 0)
		put_entry(monitors, vib_set_crossed(monitors->vib, key, crossed));
}

static void put_samples(struct monitors *monitors, const GArray *samples)
{
	gint64 before_us = clock_wall_us() - (gint64) MONITORS_RING * MAX(monitors->options.sample_s, 1) * G_USEC_PER_SEC;
	GError *error = NULL;
	if (samples->len && !store_put_samples(monitors->options.store, (const struct store_sample *) (const void *) samples->data,
					       samples->len, before_us, &error))
		complain("samples", error);
}

static void measured(struct measure *measure, void *data)
{
	struct monitors *monitors = data;
	monitors->batches--;
	g_autoptr(GArray) events = g_array_new(FALSE, FALSE, sizeof(struct vib_event));
	g_autoptr(GArray) samples = g_array_new(FALSE, FALSE, sizeof(struct store_sample));
	for (guint i = 0; i < measure->n; i++) {
		const struct measure_item *item = &measure->items[i];
		if (item->unable) {
			g_autofree char *name = g_strdup_printf("%s %s", item->site, item->ems);
			g_hash_table_add(monitors->unable, g_steal_pointer(&name));
		}
		if (!item->sample)
			continue;
		const struct store_sample sample = { item->key, item->sample };
		g_array_append_val(samples, sample);
		keep_recent(monitors, item->key, measure->arena, item->sample);
		judge(monitors, measure->arena, item->key, events);
	}
	put_samples(monitors, samples);
	put_events(monitors, events, clock_wall_us());
}

static bool can_measure(const struct monitors *monitors, const struct object *nf)
{
	g_autofree char *name = g_strdup_printf("%s %s", nf->site, object_string(nf, "ems", ""));
	return !g_hash_table_contains(monitors->unable, name);
}

static void send(struct monitors *monitors, GPtrArray *nfs)
{
	if (!nfs->len)
		return;
	monitors->batches++;
	measure_start(monitors->options.pool, drivers_lookup(monitors->options.drivers), monitors->observed, nfs, measured, monitors);
	g_ptr_array_set_size(nfs, 0);
}

/* Each second the share of the NFs whose turn it is. While EMSs are slow, or there are many, the others wait for a later turn, which
 * begins with them: the ring has a gap then. */
static gboolean tick(gpointer data)
{
	struct monitors *monitors = data;
	unsigned turn = monitors->tick++ % monitors->options.sample_s;
	if (!monitors->network)
		return G_SOURCE_CONTINUE;
	g_autoptr(GPtrArray) nfs = g_ptr_array_new();
	struct objects objects = monitors->network->objects;
	size_t first = objects.n ? monitors->first % objects.n : 0;
	for (size_t i = 0; i < objects.n && monitors->batches < BATCHES_MAX; i++) {
		const struct object *nf = objects.items[(first + i) % objects.n];
		monitors->first = first + i + 1;
		if (nf->kind != &kind_nf || g_str_hash(nf->key) % monitors->options.sample_s != turn || !can_measure(monitors, nf))
			continue;
		g_ptr_array_add(nfs, (gpointer) (guintptr) nf);
		if (nfs->len == BATCH_KEYS)
			send(monitors, nfs);
	}
	if (monitors->batches < BATCHES_MAX)
		send(monitors, nfs);
	return G_SOURCE_CONTINUE;
}

bool monitors_recent(const struct monitors *monitors, const char *nf_key, const struct sample **ret_before,
		     const struct sample **ret_now)
{
	const struct recent *recent = g_hash_table_lookup(monitors->recent, nf_key);
	*ret_before = recent ? recent->before : NULL;
	*ret_now = recent ? recent->now : NULL;
	return recent != NULL;
}

/* --- life ------------------------------------------------------------------------------------------------------------------- */

struct monitors *monitors_new(const struct monitors_options *options)
{
	struct monitors *monitors = g_new0(struct monitors, 1);
	monitors->options = *options;
	monitors->vib = vib_new();
	monitors->recent = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, recent_free);
	monitors->unable = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	load(monitors);
	monitors_set_interval(monitors, options->sample_s);
	return monitors;
}

void monitors_set_interval(struct monitors *monitors, unsigned sample_s)
{
	g_clear_handle_id(&monitors->timer, g_source_remove);
	monitors->options.sample_s = sample_s;
	if (sample_s)
		monitors->timer = g_timeout_add(TICK_MS, tick, monitors);
}

void monitors_stop(struct monitors *monitors)
{
	g_clear_handle_id(&monitors->due, g_source_remove);
	g_clear_handle_id(&monitors->timer, g_source_remove);
}

void monitors_free(struct monitors *monitors)
{
	if (!monitors)
		return;
	monitors_stop(monitors);
	g_clear_pointer(&monitors->faults, faults_free);
	g_clear_pointer(&monitors->network, network_unref);
	g_clear_pointer(&monitors->observed, observed_unref);
	g_hash_table_unref(monitors->recent);
	g_hash_table_unref(monitors->unable);
	vib_free(monitors->vib);
	g_free(monitors);
}
