/* Reports: what would change, what drifted, how things stand and why. One walk over the values for all formats (writer.h).
 *
 *     plan, desired, last applied, observed, operations, events ─► report_*() ─► text, JSON, Markdown
 *
 * Pure: no I/O and no clock; same inputs, same bytes; any thread. JSON is as schemas/output/NAME.schema.json says. Secrets are
 * names only, as in every value.
 *
 * How it is abused: reading text with a program (that is what JSON is for); taking an empty plan of an old revision for
 * "converged" (see settled).
 */
#pragma once

#include "base/diag.h"
#include "model/network.h"
#include "plan/operation.h"
#include "store/store.h"

enum report_format {
	REPORT_TEXT,
	REPORT_JSON,
	REPORT_MARKDOWN, /* plan and drift; the others give text */
};

bool report_format_parse(const char *name, enum report_format *ret); /* text, json, markdown */
const char *report_content_type(enum report_format format);

struct report_style {
	enum report_format format;
	bool colour; /* ANSI, in text only: for a terminal, and without NO_COLOR */
};

/* What a report's command ends with. */
enum report_verdict {
	REPORT_NOTHING, /* nothing to do, no drift, converged: exit 0 */
	REPORT_DIFFERS, /* exit 2 */
};

/* Everything that reports are made of; each says below what it reads. Nothing is kept. What is NULL or 0 is not known (yet). */
struct report_input {
	gint64 wall_us;                  /* now: only for "3 s ago" */
	const struct network *desired;
	struct objects last;
	const struct observed *observed;
	const struct plan *plan;
	const char *repository; /* world: id of the repository's first commit; NULL: none */
	const char *against; /* plan: what it was compared with ("an empty network"); NULL: the live network */

	/* The last operation of @key in the plan's execution, or NULL; may itself be NULL. */
	const struct operation *(*operation)(const char *key, void *data);
	void *data;

	/* Status: how far the newest commit has come. */
	const char *commit, *summary;    /* of the revision that is kept; NULL: the plan's or desired's, and nothing */
	const char *state;               /* "loading", "faulty", "applying", "converged", "failed"; NULL: made of the rest */
	gint64 state_since_wall_us;
	const char *trouble;             /* why the newest commit was not taken up, why nothing can be looked at; or NULL */
	bool unsettled;                  /* something newer is known and not in the plan yet: never "converged" */
	bool stays;                      /* nothing is under way and nothing is due: it stays like that until something changes */

	/* Drift: events "drift" and "repaired" of late; explain: everything of the key. Newest first. */
	const struct store_event *events;
	size_t n_events;
	/* Explain: of the key, newest first. */
	const struct operation *operations;
	size_t n_operations;
	/* Explain: what became of all of its service, newest first; each field as it was last applied; the commits that those name, and
	 * that history tells of. */
	const struct store_event *related;
	size_t n_related;
	const struct store_field *fields;
	size_t n_fields;
	const struct store_revision *revisions;
	size_t n_revisions;

	/* NFs, top: the VIB, by key; the newest sample of an NF and the one before it (NULL: none), false: none at all. @recent may be NULL. */
	const struct vib_entry *vib;
	size_t n_vib;
	bool (*recent)(const char *nf_key, const struct sample **ret_before, const struct sample **ret_now, void *data);
	/* Metrics: of one NF, newest first. */
	const struct sample *const *samples;
	size_t n_samples;

	const struct store_hold *holds; /* what is suspended: status, plan, drift, explain, sites */
	size_t n_holds;
};

/* All return text ending with a newline, owned by the caller; never NULL unless they have an @error. @ret_verdict may be NULL. */

/* What has to be done. Reads plan (must be there), against, observed. */
char *report_plan(const struct report_input *input, const struct report_style *style, enum report_verdict *ret_verdict);

/* What is not as this commit says, field by field: who did it, and where it is written. Reads plan, observed, operation,
 * events. */
char *report_drift(const struct report_input *input, const char *key, const struct report_style *style, enum report_verdict *ret_verdict);

/* How every object stands, VNF by VNF; with @key (whole; may be a vnf/ aggregate or NULL) only that and what is below it.
 * REPORT_NOTHING: converged, all of it or just @key. Reads all but events and operations. */
char *report_status(const struct report_input *input, const char *key, const struct report_style *style,
		    enum report_verdict *ret_verdict);

/* The cause chain of one object (whole key). NOT_FOUND when nobody has ever heard of it. Reads everything. */
char *report_explain(const struct report_input *input, const char *key, const struct report_style *style, GError **error);

/* What happened, the oldest first. Reads events (newest first). */
char *report_events(const struct report_input *input, const struct report_style *style);
/* One event as a line: of text, or of JSON. */
char *report_event_line(const struct store_event *event, const struct report_style *style);

/* What became of each revision, the newest first; @key: it tells only what they did to that and what is below it, or NULL. Reads
 * revisions. */
char *report_history(const struct report_input *input, const char *key, const struct report_style *style);

/* Sites, what is on them, whose it is. Reads desired, last, observed, holds. */
char *report_sites(const struct report_input *input, const struct report_style *style);

/* Network functions as the EMS knows them; @key: only those of it and below it, or NULL. REPORT_DIFFERS: one is not as it should be. Reads
 * desired, observed, vib, recent. */
char *report_nf(const struct report_input *input, const char *key, const struct report_style *style, enum report_verdict *ret_verdict);

/* What was measured of the NF @key, newest last. Reads samples. */
char *report_metrics(const struct report_input *input, const char *key, const struct report_style *style);

/* Network functions and what they use now, those that use most first. JSON is one object per line and NF. Reads desired, observed, vib,
 * recent. */
char *report_top(const struct report_input *input, const struct report_style *style);

/* For programs: {"key", "site": site_to_json, "desired", "last", "observed": object_to_json or null, "access"}. NOT_FOUND. */
char *report_object(const struct report_input *input, const char *key, GError **error);

/* The network as a document (model/world.h), for plans made elsewhere. Reads observed, last. */
char *report_world(const struct report_input *input);

/* Findings; @source may be NULL. REPORT_DIFFERS: there are errors. */
char *report_diags(const struct diags *diags, diag_source_fn source, void *data, const struct report_style *style,
		   enum report_verdict *ret_verdict);

/* The whole key that an operator's @text means: itself, or "edge.web" where one object fits. @kind: the kind wanted ("vnfc": an
 * object of another kind stands for the only one below or beside it), or NULL: any, an aggregate before its parts. NOT_FOUND
 * (with the nearest), INVALID (several fit: it names them). In @arena. */
const char *report_resolve(const struct report_input *input, struct arena *arena, const char *text, const char *kind,
			   GError **error);
/* The same for a report over several objects: where a service's name fits no single one, "service/NAME". */
const char *report_select(const struct report_input *input, struct arena *arena, const char *text, GError **error);
