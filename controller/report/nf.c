/* Network functions as the EMS knows them: the VIB beside what is desired and seen. */
#include "report/metrics.h"
#include "report/view.h"

#include "base/clock.h"
#include "model/key.h"

#include <string.h>

struct nf_row {
	const struct vib_entry *entry;
	const struct object *desired, *last, *observed;
	const struct sample *before, *now;
	const char *trouble; /* why it is not as desired, where the EMS itself finds nothing wrong with it; or NULL */
	bool good;
};

static bool is_asked(const char *nf_key, const char *key)
{
	if (!key)
		return true;
	const char *path = key_path(nf_key), *root = key_path(key);
	size_t length = strlen(root);
	return strncmp(path, root, length) == 0 && (!path[length] || path[length] == '.');
}

static struct nf_row row_of(const struct report_input *input, const struct view *view, const struct vib_entry *entry)
{
	struct nf_row row = { .entry = entry };
	row.desired = input->desired ? objects_find(input->desired->objects, entry->key) : NULL;
	row.last = objects_find(input->last, entry->key);
	row.observed = input->observed ? objects_find(input->observed->objects, entry->key) : NULL;
	if (input->recent)
		input->recent(entry->key, &row.before, &row.now, input->data);
	const char *wanted = row.desired ? object_string(row.desired, "state", NULL) : NULL;
	const struct entry *seen = view_find(view, entry->key);
	if (seen && seen->desired && seen->step)
		row.trouble = seen->reason ? seen->reason : condition_name(seen->condition);
	row.good = !row.trouble && !entry->reason && (!wanted || g_strcmp0(wanted, entry->state) == 0) && g_strcmp0(entry->health, "unhealthy") != 0;
	return row;
}

static const char *package_text(struct arena *arena, const char *digest)
{
	return digest ? arena_printf(arena, "package %.12s", digest) : "";
}

static const char *ems_text(struct arena *arena, const struct vib_entry *entry)
{
	const char *how = entry->transport ? arena_printf(arena, " over %s", entry->transport) : "";
	return entry->ems ? arena_printf(arena, "EMS %s%s", entry->ems, how) : "";
}

static const char *since_text(struct arena *arena, const struct report_input *input, const struct vib_entry *entry)
{
	gint64 since_us = MAX(entry->state_since_us, entry->health_since_us);
	char text[CLOCK_TEXT_SIZE];
	return since_us ? arena_printf(arena, "for %s", clock_duration(MAX(input->wall_us - since_us, 0), text)) : "";
}

static void write_line(struct writer *writer, struct arena *arena, const struct report_input *input, const struct nf_row *row)
{
	const struct vib_entry *entry = row->entry;
	const char *reason = entry->held ? arena_printf(arena, "held: %s", entry->held) : entry->reason ? entry->reason :
			     row->trouble ? row->trouble : "";
	writer_row(writer, row->good ? MARK_GOOD : entry->held ? MARK_WAIT : MARK_BAD, 0, entry->key,
		   entry->state ? entry->state : "not there", entry->health ? entry->health : "-", since_text(arena, input, entry),
		   ems_text(arena, entry), package_text(arena, entry->package), reason, NULL);
}

/* --- configuration files ---------------------------------------------------------------------------------------------------- */

static void write_configs(struct writer *writer, struct arena *arena, const struct nf_row *row)
{
	const struct object *object = row->observed ? row->observed : row->desired;
	size_t n = 0;
	const char *const *names = object ? object_elements(arena, object, "config", &n) : NULL;
	writer_array(writer, "configuration");
	for (size_t i = 0; i < n; i++) {
		const char *path = arena_printf(arena, "config.%s.content", names[i]);
		const struct value *seen = row->observed ? object_value(row->observed, path) : &value_absent;
		const struct value *wanted = row->desired ? object_value(row->desired, path) : &value_absent;
		/* One that is made of what only run time tells is known as it was applied. */
		if (wanted->type == VALUE_PENDING && row->last)
			wanted = object_value(row->last, path);
		bool same = value_equal(seen, wanted), told = value_is_known(seen) && value_is_known(wanted);
		const char *file = object_string(object, arena_printf(arena, "config.%s.path", names[i]), "");
		const char *digest = seen->type == VALUE_DIGEST ? seen->string : NULL;
		const char *verdict = !told ? "not told" : same ? "as desired" : "differs";
		writer_detail(writer, "configuration %s: %s%s", file, verdict,
			      digest ? arena_printf(arena, ", %.19s", digest) : "");
		writer_object(writer, NULL);
		writer_string(writer, "name", key_segment_text(arena, names[i]));
		writer_string(writer, "path", file);
		writer_string(writer, "digest", digest);
		writer_string(writer, "state", verdict);
		writer_end(writer);
	}
	writer_end(writer);
}

/* --- one NF ----------------------------------------------------------------------------------------------------------------- */

static void write_details(struct writer *writer, struct arena *arena, const struct report_input *input, const struct nf_row *row)
{
	const struct vib_entry *entry = row->entry;
	writer_detail(writer, "on site %s, %s, driver %s, incarnation %u", entry->site, ems_text(arena, entry),
		      entry->driver ? entry->driver : "not known", entry->incarnation);
	if (entry->package)
		writer_detail(writer, "package sha256:%s", entry->package);
	writer_detail(writer, "started anew by its EMS %" G_GINT64_FORMAT " time%s; fell ill %" G_GINT64_FORMAT " time%s%s",
		      entry->restarts, plural((size_t) entry->restarts), entry->failures, plural((size_t) entry->failures),
		      entry->last_failure ? arena_printf(arena, ", the last time %s: %s", ago_text(arena, input, entry->last_failure_us),
							 entry->last_failure)
					  : "");
	if (entry->crossed)
		writer_detail(writer, "beyond the thresholds of: %s", entry->crossed);
	if (row->now)
		writer_detail(writer, "%s", metrics_text(arena, row->before, row->now));
}

static void write_data(struct writer *writer, const struct report_input *input, const struct nf_row *row)
{
	const struct vib_entry *entry = row->entry;
	writer_string(writer, "key", entry->key);
	writer_string(writer, "site", entry->site);
	writer_string(writer, "ems", entry->ems);
	writer_string(writer, "driver", entry->driver);
	writer_string(writer, "transport", entry->transport);
	writer_string(writer, "package", entry->package);
	writer_int(writer, "incarnation", entry->incarnation);
	writer_bool(writer, "as_desired", row->good);
	writer_string(writer, "state", entry->state);
	writer_string(writer, "desired_state", row->desired ? object_string(row->desired, "state", NULL) : NULL);
	writer_time(writer, "state_since", entry->state_since_us);
	writer_string(writer, "health", entry->health);
	writer_time(writer, "health_since", entry->health_since_us);
	writer_string(writer, "reason", entry->reason ? entry->reason : row->trouble);
	writer_int(writer, "restarts", entry->restarts);
	writer_int(writer, "failures", entry->failures);
	writer_string(writer, "last_failure", entry->last_failure);
	writer_time(writer, "last_failure_at", entry->last_failure_us);
	writer_string(writer, "cure", entry->fate);
	writer_string(writer, "held", entry->held);
	writer_string(writer, "indicators_crossed", entry->crossed);
	metrics_write(writer, "metrics", row->before, row->now);
}

static void write_nf(struct writer *writer, struct arena *arena, const struct report_input *input, const struct nf_row *row, bool details)
{
	write_line(writer, arena, input, row);
	writer_object(writer, NULL);
	write_data(writer, input, row);
	if (details)
		write_details(writer, arena, input, row);
	/* In text only with the details, in JSON always. */
	if (details || writer_is_data(writer))
		write_configs(writer, arena, row);
	writer_end(writer);
}

char *report_nf(const struct report_input *input, const char *key, const struct report_style *style, enum report_verdict *ret_verdict)
{
	auto_ptr(arena) arena = arena_new();
	auto_ptr(view) view = view_new(input);
	struct writer *writer = writer_new_plain(style);
	size_t n = 0, n_good = 0;
	for (size_t i = 0; i < input->n_vib; i++)
		n += is_asked(input->vib[i].key, key);
	bool details = key && n == 1;
	writer_string(writer, "report", "nf");
	writer_time(writer, "time", input->wall_us);
	writer_array(writer, "nfs");
	for (size_t i = 0; i < input->n_vib; i++) {
		if (!is_asked(input->vib[i].key, key))
			continue;
		const struct nf_row row = row_of(input, view, &input->vib[i]);
		write_nf(writer, arena, input, &row, details);
		n_good += row.good;
	}
	writer_end(writer);
	bool good = n_good == n;
	writer_summary(writer, good ? MARK_GOOD : MARK_BAD, "%zu network function%s: %zu as desired.", n, plural(n), n_good);
	if (ret_verdict)
		*ret_verdict = good ? REPORT_NOTHING : REPORT_DIFFERS;
	return writer_finish(writer);
}
