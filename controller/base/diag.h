/* Findings about what an operator wrote: collected, never only the first, each pointing at a place.
 *
 * Filled by source/, tosca/ and desired/ while one revision is loaded (one thread at a time); sorted and then only read.
 * A finding has a stable code (kebab-case: "unknown-type", "duplicate-key"), so that tools and people can look it up.
 */
#pragma once

#include "base/arena.h"
#include "base/origin.h"

#include <stdbool.h>
#include <stddef.h>

enum severity {
	SEVERITY_ERROR,   /* the descriptor is faulty; what uses it is not planned */
	SEVERITY_WARNING, /* accepted, but something that it says is not kept, or is probably not meant */
	SEVERITY_NOTE,
};

const char *severity_name(enum severity severity); /* "error", "warning", "note" */

struct diag_note {
	struct origin origin;
	const char *text; /* "first defined here", "imported from here", "substitutes this node" */
};

struct diag {
	enum severity severity;
	const char *code;
	struct origin origin;
	const char *text;
	const char *hint; /* how to mend it, or NULL */
	GArray *notes;    /* of struct diag_note, or NULL */
};

/* More findings than this are counted, not kept. */
enum { DIAGS_MAX = 1000 };

struct diags;

struct diags *diags_new(void);
void diags_free(struct diags *diags);
AUTO_DEFINE(diags, diags_free)

/* All texts are copied. The returned finding is owned by @diags; add notes and the hint to it at once. */
struct diag *diags_add(struct diags *diags, enum severity severity, const char *code, struct origin origin, const char *format, ...)
	G_GNUC_PRINTF(5, 6);
void diag_hint(struct diags *diags, struct diag *diag, const char *format, ...) G_GNUC_PRINTF(3, 4);
void diag_note(struct diags *diags, struct diag *diag, struct origin origin, const char *format, ...) G_GNUC_PRINTF(4, 5);

#define diags_error(diags, code, origin, ...) diags_add((diags), SEVERITY_ERROR, (code), (origin), __VA_ARGS__)
#define diags_warning(diags, code, origin, ...) diags_add((diags), SEVERITY_WARNING, (code), (origin), __VA_ARGS__)

/* Copies every finding of @from into @into. */
void diags_append(struct diags *into, const struct diags *from);

/* Orders by file, line, column, severity, code, text; drops exact repeats. Call it before reading. */
void diags_sort(struct diags *diags);

size_t diags_count(const struct diags *diags); /* those kept */
const struct diag *diags_get(const struct diags *diags, size_t i);
size_t diags_errors(const struct diags *diags);   /* all, kept or not */
size_t diags_warnings(const struct diags *diags); /* all, kept or not */

/* Text of a file of the revision for excerpts: NULL where it cannot be had. Returned bytes are owned by the caller. */
typedef GBytes *(*diag_source_fn)(const char *file, void *data);

/* The finding as a person reads it:
 *
 *     vnfd/fw.yaml:12:9: error[unknown-type]: node type "tosca.nodes.nfv.Vdu.Compte" is not defined
 *        12 |   type: tosca.nodes.nfv.Vdu.Compte
 *           |         ^
 *       hint: did you mean "tosca.nodes.nfv.Vdu.Compute"?
 *       note: vnfd/fw.yaml:3:1: …
 *
 * @source may be NULL: then there is no excerpt. */
void diag_print(const struct diag *diag, diag_source_fn source, void *data, GString *out);

/* The nearest of @candidates to @word, or NULL where none is near enough to be meant. */
const char *diag_did_you_mean(const char *word, const char *const *candidates, size_t n);
