#include "report/view.h"

#include "model/key.h"

#include <string.h>

struct status {
	const struct report_input *input;
	struct view *view;
	struct writer *writer;
	struct arena *arena;
	const char *only; /* key, or NULL */
	size_t counts[CONDITIONS];
	size_t n;                   /* objects shown */
	size_t n_clean;             /* leftover incarnations still there */
	bool moves;                 /* one that is shown changes by itself: an NF that starts, a site that cannot be looked at now */
	const struct entry *worst;  /* the first of the gravest that are not ready; NULL: all are */
};

/* A service's links and VNFs. */
struct service {
	const char *name;
	GPtrArray *links;      /* const struct entry * */
	GPtrArray *aggregates; /* const struct aggregate * */
	GPtrArray *others;     /* NFs whose VNFC is not known */
};

static void service_free(struct service *service)
{
	g_ptr_array_unref(service->links);
	g_ptr_array_unref(service->aggregates);
	g_ptr_array_unref(service->others);
	g_free(service);
}

static struct service *service_of(struct status *status, GHashTable *services, const char *key)
{
	const char *name = key_service(status->arena, key);
	struct service *service = g_hash_table_lookup(services, name);
	if (!service) {
		service = g_new0(struct service, 1);
		service->name = name;
		service->links = g_ptr_array_new();
		service->aggregates = g_ptr_array_new();
		service->others = g_ptr_array_new();
		g_hash_table_insert(services, (gpointer) (guintptr) name, service);
	}
	return service;
}

static bool is_asked(const struct status *status, const char *key)
{
	return is_asked_for(status->arena, status->only, key);
}

static GHashTable *group(struct status *status)
{
	GHashTable *services = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify) service_free);
	for (size_t i = 0; i < status->view->n; i++) {
		const struct entry *entry = &status->view->entries[i];
		if (entry->gone || entry->kind == &kind_vnfc || !is_asked(status, entry->key))
			continue;
		if (entry->kind == &kind_nf) {
			const struct entry *host = view_find(status->view, key_of_kind(status->arena, entry->key, "vnfc"));
			if (host && !host->gone)
				continue;
		}
		struct service *service = service_of(status, services, entry->key);
		g_ptr_array_add(entry->kind == &kind_nf ? service->others : service->links, (gpointer) (guintptr) entry);
	}
	for (size_t i = 0; i < status->view->n_aggregates; i++) {
		struct aggregate *aggregate = &status->view->aggregates[i];
		bool asked = false;
		for (const struct entry *entry = aggregate->first; entry && !asked; entry = entry->next)
			asked = is_asked(status, entry->key) || is_asked(status, key_of_kind(status->arena, entry->key, "nf"));
		if (asked)
			g_ptr_array_add(service_of(status, services, aggregate->key)->aggregates, aggregate);
	}
	return services;
}

static const char *details(const struct status *status, const struct entry *entry)
{
	const struct object *object = entry->observed ? entry->observed : entry->desired ? entry->desired : entry->last;
	if (entry->kind == &kind_vnfc)
		return addresses_text(status->arena, object);
	if (entry->kind == &kind_link)
		return object_string(object, "cidr", "");
	return entry->observed ? object_string(object, "state", "") : "";
}

static void write_addresses(struct status *status, const struct object *object)
{
	size_t n;
	const char *const *cps = object_elements(status->arena, object, "cp", &n);
	writer_object(status->writer, "addresses");
	for (size_t i = 0; i < n; i++) {
		const struct value *addresses = object_value(object, arena_printf(status->arena, "cp.%s.addresses", cps[i]));
		if (value_is_known(addresses))
			writer_value(status->writer, cps[i], addresses);
	}
	writer_end(status->writer);
}

static void write_object(struct status *status, const struct entry *entry, unsigned depth)
{
	struct writer *writer = status->writer;
	const struct object *object = entry->observed ? entry->observed : entry->desired ? entry->desired : entry->last;
	status->counts[entry->condition]++;
	status->moves |= entry->condition == CONDITION_UNKNOWN || (!entry->step && entry->condition == CONDITION_CHANGING);
	status->n++;
	if (condition_gravity(entry->condition) > (status->worst ? condition_gravity(status->worst->condition) : 0))
		status->worst = entry;
	writer_row(writer, condition_mark(entry->condition), depth, entry->key, condition_name(entry->condition),
		   details(status, entry), entry->reason ? entry->reason : "", NULL);
	writer_object(writer, NULL);
	writer_string(writer, "key", entry->key);
	writer_string(writer, "kind", entry->kind->name);
	writer_string(writer, "site", entry->site);
	writer_string(writer, "service", key_service(status->arena, entry->key));
	writer_string(writer, "condition", condition_name(entry->condition));
	writer_string(writer, "reason", entry->reason);
	writer_string(writer, "waits_for", entry->waits_for);
	writer_bool(writer, "desired", entry->desired != NULL);
	writer_bool(writer, "observed", entry->observed != NULL);
	writer_int(writer, "incarnation", object->incarnation);
	writer_string(writer, "state", object_string(object, "state", NULL));
	writer_origin(writer, "origin", entry->desired ? entry->desired->origin : ORIGIN_NONE);
	if (entry->kind == &kind_vnfc)
		write_addresses(status, object);
	if (entry->kind == &kind_link)
		writer_string(writer, "cidr", object_string(object, "cidr", NULL));
	writer_end(writer);
}

static const char *label(const struct aggregate *aggregate, const char *name)
{
	const struct entry *entry = aggregate->first;
	const struct object *object = entry->desired ? entry->desired : entry->observed ? entry->observed : entry->last;
	g_autofree char *path = g_strdup_printf("label.%s", name);
	return object_string(object, path, NULL);
}

static void write_aggregate_row(struct status *status, const struct aggregate *aggregate)
{
	const char *descriptor = label(aggregate, "vnfd_id"), *product = label(aggregate, "product_name");
	writer_row(status->writer, condition_mark(aggregate->condition), 0, aggregate->key, condition_name(aggregate->condition),
		   arena_printf(status->arena, "%zu of %zu", aggregate->ready, aggregate->wanted),
		   product ? product : descriptor ? descriptor : "", NULL);
}

static void write_aggregate_data(struct status *status, const struct aggregate *aggregate)
{
	struct writer *writer = status->writer;
	writer_object(writer, NULL);
	writer_string(writer, "key", aggregate->key);
	writer_string(writer, "condition", condition_name(aggregate->condition));
	writer_string(writer, "reason", aggregate->reason);
	writer_string(writer, "because_of", aggregate->culprit);
	writer_int(writer, "wanted", (gint64) aggregate->wanted);
	writer_int(writer, "ready", (gint64) aggregate->ready);
	static const char *const labels[] = { "vnfd_id", "vnfd_version", "flavour_id", "product_name" };
	for (size_t i = 0; i < G_N_ELEMENTS(labels); i++)
		writer_string(writer, labels[i], label(aggregate, labels[i]));
	writer_array(writer, "vnfcs");
	for (const struct entry *entry = aggregate->first; entry; entry = entry->next)
		writer_string(writer, NULL, entry->key);
	writer_end(writer);
	writer_end(writer);
}

static void write_service(struct status *status, const struct service *service)
{
	writer_section(status->writer, "Service %s", service->name);
	for (guint i = 0; i < service->links->len; i++)
		write_object(status, g_ptr_array_index(service->links, i), 0);
	for (guint i = 0; i < service->aggregates->len; i++) {
		const struct aggregate *aggregate = g_ptr_array_index(service->aggregates, i);
		write_aggregate_row(status, aggregate);
		for (const struct entry *entry = aggregate->first; entry; entry = entry->next) {
			if (is_asked(status, entry->key))
				write_object(status, entry, 1);
			const struct entry *nf = view_find(status->view, key_of_kind(status->arena, entry->key, "nf"));
			if (nf && !nf->gone && is_asked(status, nf->key))
				write_object(status, nf, 2);
		}
	}
	for (guint i = 0; i < service->others->len; i++)
		write_object(status, g_ptr_array_index(service->others, i), 0);
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(a, b);
}

static void write_services(struct status *status)
{
	g_autoptr(GHashTable) services = group(status);
	GList *names = g_list_sort(g_hash_table_get_keys(services), compare_names);
	writer_array(status->writer, "objects");
	for (const GList *at = names; at; at = at->next)
		write_service(status, g_hash_table_lookup(services, at->data));
	writer_end(status->writer);
	writer_array(status->writer, "vnfs");
	for (const GList *at = names; at; at = at->next) {
		const struct service *service = g_hash_table_lookup(services, at->data);
		for (guint i = 0; i < service->aggregates->len; i++)
			write_aggregate_data(status, g_ptr_array_index(service->aggregates, i));
	}
	writer_end(status->writer);
	g_list_free(names);
}

static void write_blind(struct status *status)
{
	const struct observed *observed = status->input->observed;
	writer_array(status->writer, "blind");
	for (size_t i = 0; observed && i < observed->blind.n; i++) {
		if (!status->only)
			writer_item(status->writer, MARK_UNKNOWN, "site/%s cannot be looked at: %s", observed->blind.sites[i],
				    observed->blind.reasons[i]);
		writer_object(status->writer, NULL);
		writer_string(status->writer, "site", observed->blind.sites[i]);
		writer_string(status->writer, "reason", observed->blind.reasons[i]);
		writer_end(status->writer);
	}
	writer_end(status->writer);
}

/* Only what the key is about counts when one was given. */
static bool is_converged(const struct status *status)
{
	const struct report_input *input = status->input;
	if (!input->desired || !input->observed || !input->plan || input->unsettled || status->worst)
		return false;
	return status->only || (status->n_clean == 0 && input->observed->blind.n == 0 && !input->trouble);
}

static void write_counts(struct status *status)
{
	g_autoptr(GString) text = g_string_new(NULL);
	writer_object(status->writer, "counts");
	for (size_t i = 0; i < CONDITIONS; i++) {
		g_autofree char *name = g_ascii_strdown(condition_name((enum condition) i), -1);
		if (status->counts[i])
			g_string_append_printf(text, "%s%zu %s", text->len ? ", " : ": ", status->counts[i], name);
		writer_int(status->writer, name, (gint64) status->counts[i]);
	}
	writer_end(status->writer);
	if (status->n_clean)
		g_string_append_printf(text, ", %zu leftover incarnation%s to clean", status->n_clean, plural(status->n_clean));
	writer_summary(status->writer, MARK_NONE, "%zu object%s%s.", status->n, plural(status->n), text->str);
}

static void write_verdict(struct status *status, bool converged)
{
	const struct report_input *input = status->input;
	struct writer *writer = status->writer;
	const struct entry *bad = status->worst;
	size_t not_ready = status->n - status->counts[CONDITION_READY];
	g_autoptr(GString) why = g_string_new(NULL);
	if (!input->desired)
		g_string_append(why, "no revision was taken up yet");
	else if (input->trouble && !status->only)
		g_string_append(why, input->trouble);
	else if (bad) {
		g_string_append_printf(why, "%s: %s%s", bad->key, condition_name(bad->condition),
				       around(status->arena, ": ", bad->reason, ""));
		if (not_ready > 1)
			g_string_append_printf(why, " (and %zu more)", not_ready - 1);
	} else if (input->unsettled || !input->observed || !input->plan)
		g_string_append(why, "not looked at everything yet");
	else if (input->observed->blind.n > 0)
		g_string_append(why, "not every site can be looked at");
	else
		g_string_append(why, "leftovers are being removed");
	writer_bool(writer, "converged", converged);
	writer_bool(writer, "settled", !input->unsettled);
	writer_bool(writer, "final", converged || (input->stays && !status->moves));
	writer_string(writer, "why_not", converged ? NULL : why->str);
	if (converged)
		writer_summary(writer, MARK_GOOD, "Converged.");
	else
		writer_summary(writer, MARK_BAD, "Not converged: %s", why->str);
}

static void write_head(struct status *status)
{
	const struct report_input *input = status->input;
	struct writer *writer = status->writer;
	const char *commit = input->commit   ? input->commit
			     : input->desired ? input->desired->revision
			     : input->plan    ? input->plan->revision
					      : NULL;
	gint64 since_us = input->state_since_wall_us;
	const char *since = since_us > 0 ? arena_printf(status->arena, " since %s (%s)", time_text(status->arena, since_us),
							ago_text(status->arena, input, since_us))
					 : "";
	writer_head(writer, "%s%s%s%s", commit ? revision_text(status->arena, commit) : "No revision yet",
		    around(status->arena, " \"", input->summary, "\""), around(status->arena, ": ", input->state, ""),
		    input->state ? since : "");
	if (input->trouble)
		writer_item(writer, MARK_BAD, "%s", input->trouble);
	writer_string(writer, "report", "status");
	writer_object(writer, "revision");
	writer_string(writer, "commit", commit);
	writer_string(writer, "summary", input->summary);
	writer_string(writer, "state", input->state);
	writer_time(writer, "since", input->state_since_wall_us);
	writer_end(writer);
	writer_string(writer, "trouble", input->trouble);
	writer_string(writer, "key", status->only);
	writer_time(writer, "observed_at", input->observed ? input->observed->wall_us : 0);
}

char *report_status(const struct report_input *input, const char *key, const struct report_style *style,
		    enum report_verdict *ret_verdict)
{
	auto_ptr(arena) arena = arena_new();
	auto_ptr(view) view = view_new(input);
	struct status status = { .input = input, .view = view, .writer = writer_new_plain(style), .arena = arena, .only = key };
	for (size_t i = 0; input->plan && i < input->plan->n_steps; i++) {
		const struct step *step = &input->plan->steps[i];
		const struct operation *operation = step->action == ACTION_CLEAN ? input_operation(input, step->key) : NULL;
		bool done = operation && operation->action == ACTION_CLEAN && operation->state == OP_COMPLETED;
		status.n_clean += step->action == ACTION_CLEAN && !done;
	}
	write_head(&status);
	write_holds(status.writer, arena, input, NULL, NULL, "Suspended");
	write_blind(&status);
	write_services(&status);
	write_counts(&status);
	bool converged = is_converged(&status);
	write_verdict(&status, converged);
	if (ret_verdict)
		*ret_verdict = converged ? REPORT_NOTHING : REPORT_DIFFERS;
	return writer_finish(status.writer);
}
