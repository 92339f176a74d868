#include "report/view.h"

#include <string.h>

struct place {
	const char *name;
	const struct site *site; /* NULL: Git does not describe it any more */
	size_t desired, observed, strangers;
	const char *blind; /* why, or NULL */
};

static struct place *place_of(GHashTable *places, struct arena *arena, const char *name)
{
	struct place *place = g_hash_table_lookup(places, name);
	if (!place) {
		place = ARENA_NEW(arena, struct place);
		place->name = name;
		g_hash_table_insert(places, (gpointer) (guintptr) name, place);
	}
	return place;
}

static GHashTable *gather(const struct report_input *input, struct arena *arena)
{
	GHashTable *places = g_hash_table_new(g_str_hash, g_str_equal);
	const struct network *desired = input->desired;
	const struct observed *observed = input->observed;
	for (size_t i = 0; desired && i < desired->n_sites; i++)
		place_of(places, arena, desired->sites[i]->name)->site = desired->sites[i];
	for (size_t i = 0; desired && i < desired->objects.n; i++)
		place_of(places, arena, desired->objects.items[i]->site)->desired++;
	for (size_t i = 0; i < input->last.n; i++)
		place_of(places, arena, input->last.items[i]->site);
	for (size_t i = 0; observed && i < observed->objects.n; i++)
		place_of(places, arena, observed->objects.items[i]->site)->observed++;
	for (size_t i = 0; observed && i < observed->n_strangers; i++)
		place_of(places, arena, observed->strangers[i].site)->strangers++;
	for (size_t i = 0; observed && i < observed->blind.n; i++)
		place_of(places, arena, observed->blind.sites[i])->blind = observed->blind.reasons[i];
	return places;
}

static size_t count_served(const struct report_input *input, const char *site, const char *ems)
{
	size_t n = 0;
	for (size_t i = 0; i < input->n_vib; i++)
		n += g_strcmp0(input->vib[i].site, site) == 0 && g_strcmp0(input->vib[i].ems, ems) == 0;
	return n;
}

/* Which EMS serves how much there. */
static void write_emss(struct writer *writer, struct arena *arena, const struct report_input *input, const struct place *place)
{
	writer_array(writer, "ems");
	for (size_t i = 0; place->site && i < place->site->n_ems; i++) {
		const struct driver_ref *ems = &place->site->ems[i];
		size_t n = count_served(input, place->name, ems->name);
		if (n || place->site->n_ems > 1)
			writer_row(writer, MARK_NONE, 1, arena_printf(arena, "EMS %s", ems->name), "", ems->driver, "",
				   arena_printf(arena, "serves %zu network function%s", n, plural(n)), NULL);
		writer_object(writer, NULL);
		writer_string(writer, "name", ems->name);
		writer_string(writer, "driver", ems->driver);
		writer_int(writer, "serves", (gint64) n);
		writer_end(writer);
	}
	writer_end(writer);
}

static void write_place(struct writer *writer, struct arena *arena, const struct report_input *input, const struct place *place)
{
	const struct observed *observed = input->observed;
	const char *state = place->blind ? "blind" : observed ? "ready" : "unseen";
	enum mark mark = place->blind ? MARK_BAD : observed ? MARK_GOOD : MARK_WAIT;
	writer_row(writer, mark, 0, place->name, state, place->site ? place->site->vim.driver : "no longer in Git",
		   place->site ? arena_printf(arena, "owner %s", place->site->owner) : "",
		   arena_printf(arena, "%zu wanted, %zu there, %zu not ours", place->desired, place->observed, place->strangers),
		   place->blind ? place->blind : "", NULL);
	writer_object(writer, NULL);
	writer_string(writer, "name", place->name);
	writer_string(writer, "state", state);
	writer_string(writer, "reason", place->blind);
	writer_string(writer, "driver", place->site ? place->site->vim.driver : NULL);
	writer_string(writer, "owner", place->site ? place->site->owner : NULL);
	writer_origin(writer, "origin", place->site ? place->site->origin : ORIGIN_NONE);
	write_emss(writer, arena, input, place);
	writer_int(writer, "desired", (gint64) place->desired);
	writer_int(writer, "observed", (gint64) place->observed);
	writer_array(writer, "strangers");
	for (size_t i = 0; observed && i < observed->n_strangers; i++) {
		if (strcmp(observed->strangers[i].site, place->name) != 0)
			continue;
		writer_object(writer, NULL);
		writer_string(writer, "what", observed->strangers[i].what);
		writer_string(writer, "owner", observed->strangers[i].owner);
		writer_end(writer);
	}
	writer_end(writer);
	write_holds(writer, arena, input, arena_printf(arena, "site/%s", place->name), place->name, NULL);
	writer_end(writer);
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(a, b);
}

char *report_sites(const struct report_input *input, const struct report_style *style)
{
	auto_ptr(arena) arena = arena_new();
	g_autoptr(GHashTable) places = gather(input, arena);
	struct writer *writer = writer_new_plain(style);
	GList *names = g_list_sort(g_hash_table_get_keys(places), compare_names);
	writer_string(writer, "report", "sites");
	writer_array(writer, "sites");
	for (const GList *at = names; at; at = at->next)
		write_place(writer, arena, input, g_hash_table_lookup(places, at->data));
	writer_end(writer);
	const struct observed *observed = input->observed;
	if (observed && observed->n_strangers > 0)
		writer_section(writer, "Not ours, and left alone:");
	for (size_t i = 0; observed && i < observed->n_strangers; i++)
		writer_item(writer, MARK_UNKNOWN, "site/%s: %s%s", observed->strangers[i].site, observed->strangers[i].what,
			    around(arena, " of owner ", observed->strangers[i].owner, ""));
	if (input->n_holds > 0)
		writer_section(writer, "Suspended");
	for (size_t i = 0; i < input->n_holds; i++)
		writer_item(writer, MARK_WAIT, "%s", hold_text(arena, &input->holds[i]));
	if (!names)
		writer_summary(writer, MARK_NONE, "No site is known yet.");
	g_list_free(names);
	return writer_finish(writer);
}
