#include "report/view.h"

static void write_diag(struct writer *writer, const struct diag *diag)
{
	writer_object(writer, NULL);
	writer_string(writer, "severity", severity_name(diag->severity));
	writer_string(writer, "code", diag->code);
	writer_string(writer, "text", diag->text);
	writer_string(writer, "hint", diag->hint);
	writer_origin(writer, "origin", diag->origin);
	writer_array(writer, "notes");
	for (guint i = 0; diag->notes && i < diag->notes->len; i++) {
		const struct diag_note *note = &g_array_index(diag->notes, struct diag_note, i);
		writer_object(writer, NULL);
		writer_string(writer, "text", note->text);
		writer_origin(writer, "origin", note->origin);
		writer_end(writer);
	}
	writer_end(writer);
	writer_end(writer);
}

static char *as_json(const struct diags *diags, const struct report_style *style)
{
	struct writer *writer = writer_new(style);
	writer_string(writer, "report", "diags");
	writer_array(writer, "diags");
	for (size_t i = 0; i < diags_count(diags); i++)
		write_diag(writer, diags_get(diags, i));
	writer_end(writer);
	writer_object(writer, "summary");
	writer_int(writer, "errors", (gint64) diags_errors(diags));
	writer_int(writer, "warnings", (gint64) diags_warnings(diags));
	writer_end(writer);
	return writer_finish(writer);
}

/* The layout of a finding is diag_print()'s, which every program shares. */
static char *as_text(const struct diags *diags, diag_source_fn source, void *data)
{
	GString *out = g_string_new(NULL);
	for (size_t i = 0; i < diags_count(diags); i++)
		diag_print(diags_get(diags, i), source, data, out);
	size_t errors = diags_errors(diags), warnings = diags_warnings(diags);
	if (errors || warnings)
		g_string_append_printf(out, "%zu error%s, %zu warning%s.\n", errors, plural(errors), warnings, plural(warnings));
	else
		g_string_append(out, "No faults.\n");
	if (errors + warnings > DIAGS_MAX)
		g_string_append_printf(out, "Only the first %d are shown.\n", DIAGS_MAX);
	return g_string_free(out, FALSE);
}

char *report_diags(const struct diags *diags, diag_source_fn source, void *data, const struct report_style *style,
		   enum report_verdict *ret_verdict)
{
	if (ret_verdict)
		*ret_verdict = diags_errors(diags) > 0 ? REPORT_DIFFERS : REPORT_NOTHING;
	return style->format == REPORT_JSON ? as_json(diags, style) : as_text(diags, source, data);
}
