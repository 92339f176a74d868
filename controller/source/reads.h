/* What a thing that was made of a repository hangs on, so that the next revision can take it over.
 *
 * One idea: whatever is made (a parsed file, a service's objects) is a function of the answers to the questions that were asked about the
 * repository while it was made. So while it is made, every question is noted; when the next revision comes, its files are compared with
 * the former one's, and the questions whose answers differ now are marked. A thing none of whose questions is marked would come out the
 * same, and is taken over by reference. Nobody has to say what he depends on: who asks through snapshot_find(), snapshot_read(),
 * snapshot_file(), tosca_find(), tosca_substitute() or tosca_instantiate() is noted.
 *
 * A question is a sort and a name:
 *
 *     READ_FILE       path     is it there, with which content and mode?
 *     READ_PLACE      path     which file stands before it? (who walks a folder sees what comes in between)
 *     READ_TEMPLATE   path     which template is it? (its own text, and all that it imports)
 *     READ_ID         id       which templates have this descriptor_id?
 *     READ_TYPE       type     which templates substitute nodes of this type?
 *
 * Noting is a thread's own business: notes go to the reading that this thread began last. A ledger belongs to one loader at a time.
 */
#pragma once

#include "source/source.h"

enum read_sort { READ_FILE, READ_PLACE, READ_TEMPLATE, READ_ID, READ_TYPE };

/* Questions, each once, with the mark of the revision at hand. */
struct ledger;
struct ledger *ledger_new(void);
void ledger_free(struct ledger *ledger);
AUTO_DEFINE(ledger, ledger_free)
/* Another revision: compares its files with the former one's and marks what changed (all, at the first). */
void ledger_turn(struct ledger *ledger, struct snapshot *snapshot);
unsigned ledger_number(const struct ledger *ledger); /* of the revision: one more each time */
/* The answer to this one differs from the former revision's. */
void ledger_mark(struct ledger *ledger, enum read_sort sort, const char *name);
size_t ledger_count(const struct ledger *ledger); /* questions that something still hangs on */

/* The questions that were asked while one thing was made. */
struct reads;
struct reads *reads_ref(struct reads *reads);
void reads_unref(struct reads *reads);
AUTO_DEFINE(reads, reads_unref)
/* None of them is marked. */
bool reads_hold(struct reads *reads);
void reads_note_all(const struct reads *reads); /* what is made now hangs on these too */

/* From here to reads_end() this thread notes what it asks. May be nested: the inner one notes for itself. @ledger NULL: nothing is noted. */
void reads_begin(struct ledger *ledger);
struct reads *reads_end(void);
void reads_note(enum read_sort sort, const char *name);
