/* What network functions use now, those that use most first. */
#include "report/metrics.h"
#include "report/view.h"

#include "base/json.h"

#include <string.h>

struct top_row {
	const struct vib_entry *entry;
	const struct sample *before, *now;
	double cpu, mem; /* -1: not known */
};

static struct top_row row_of(const struct report_input *input, const struct vib_entry *entry)
{
	struct top_row row = { .entry = entry };
	if (input->recent)
		input->recent(entry->key, &row.before, &row.now, input->data);
	if (!row.now || !metric_value(METRIC_CPU_PERCENT, row.before, row.now, &row.cpu))
		row.cpu = -1;
	if (!row.now || !metric_value(METRIC_MEM_BYTES, row.before, row.now, &row.mem))
		row.mem = -1;
	return row;
}

static int by_use(const void *a, const void *b)
{
	const struct top_row *x = a, *y = b;
	if (x->cpu < y->cpu || x->cpu > y->cpu)
		return x->cpu > y->cpu ? -1 : 1;
	if (x->mem < y->mem || x->mem > y->mem)
		return x->mem > y->mem ? -1 : 1;
	return strcmp(x->entry->key, y->entry->key);
}

/* A line each, so that one look follows the other in one stream. */
static void write_json_line(GString *out, struct arena *arena, const struct report_input *input, const struct top_row *row)
{
	static const struct report_style json = { .format = REPORT_JSON };
	struct writer *writer = writer_new(&json);
	writer_string(writer, "report", "top");
	writer_time(writer, "looked", input->wall_us);
	writer_string(writer, "vnf", arena_printf(arena, "vnf/%s", view_vnf_path(arena, row->entry->key)));
	writer_string(writer, "key", row->entry->key);
	writer_string(writer, "state", row->entry->state);
	writer_string(writer, "health", row->entry->health);
	metrics_write(writer, "metrics", row->before, row->now);
	g_autofree char *text = writer_finish(writer);
	g_autoptr(json_t) parsed = json_parse(text, strlen(text), strlen(text), "top", NULL);
	g_autofree char *line = json_text(parsed, 0);
	g_string_append_printf(out, "%s\n", line);
}

static char *text_of(const struct report_input *input, const struct report_style *style, struct arena *arena, const struct top_row *rows)
{
	struct writer *writer = writer_new_plain(style);
	size_t n_ill = 0;
	for (size_t i = 0; i < input->n_vib; i++)
		n_ill += rows[i].entry->reason != NULL;
	writer_head(writer, "%s  %zu network function%s, %zu ill", time_text(arena, input->wall_us), input->n_vib, plural(input->n_vib),
		    n_ill);
	if (input->n_vib)
		writer_row(writer, MARK_NONE, 0, "VNF", "STATE", "HEALTH", "CPU", "MEMORY", "RX", "TX", "NF", NULL);
	for (size_t i = 0; i < input->n_vib; i++) {
		const struct top_row *row = &rows[i];
		const struct vib_entry *entry = row->entry;
		enum mark mark = entry->reason ? MARK_BAD : g_strcmp0(entry->state, "started") == 0 ? MARK_GOOD : MARK_WAIT;
		writer_row(writer, mark, 0, view_vnf_path(arena, entry->key), entry->state ? entry->state : "not there",
			   entry->health ? entry->health : "-", metric_text(arena, METRIC_CPU_PERCENT, row->before, row->now),
			   metric_text(arena, METRIC_MEM_BYTES, row->before, row->now),
			   metric_text(arena, METRIC_RX_BITS_PER_S, row->before, row->now),
			   metric_text(arena, METRIC_TX_BITS_PER_S, row->before, row->now), entry->key, NULL);
	}
	return writer_finish(writer);
}

char *report_top(const struct report_input *input, const struct report_style *style)
{
	auto_ptr(arena) arena = arena_new();
	struct top_row *rows = ARENA_ARRAY(arena, struct top_row, input->n_vib);
	for (size_t i = 0; i < input->n_vib; i++)
		rows[i] = row_of(input, &input->vib[i]);
	if (input->n_vib)
		qsort(rows, input->n_vib, sizeof(*rows), by_use);
	if (style->format != REPORT_JSON)
		return text_of(input, style, arena, rows);
	g_autoptr(GString) out = g_string_new(NULL);
	for (size_t i = 0; i < input->n_vib; i++)
		write_json_line(out, arena, input, &rows[i]);
	return g_string_free(g_steal_pointer(&out), FALSE);
}
