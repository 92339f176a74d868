#include "source/reads.h"

#include "source/internal.h"

#include <string.h>

struct question {
	char *name; /* its first byte is the sort */
	unsigned refs;
	struct link *links; /* of all that hangs on it */
	struct ledger *ledger;
};

/* That @reads hang on @question. */
struct link {
	struct question *question;
	struct reads *reads;
	struct link *before, *after; /* of the same question */
};

struct ledger {
	GHashTable *questions; /* name → struct question */
	struct snapshot *snapshot;
	unsigned turn, refs;
};

struct reads {
	unsigned refs;
	struct ledger *ledger; /* NULL: nothing was noted */
	struct link *links;
	size_t n;
	unsigned marked; /* in which turn one of the questions was */
	unsigned asked;  /* in which turn it was last asked for: what is marked after that counts no more */
	bool holds;
};

/* What this thread makes now; behind it, what that is a part of. */
struct reading {
	struct ledger *ledger;
	GHashTable *questions; /* set */
	struct reading *outer;
};

static _Thread_local struct reading *reading;

/* Of all reference counts and tables here: what a revision made is dropped by whoever holds it last, while the next one is loaded. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* --- the ledger ---------------------------------------------------------------------------------------------------------- */

struct ledger *ledger_new(void)
{
	struct ledger *ledger = g_new0(struct ledger, 1);
	ledger->questions = g_hash_table_new(g_str_hash, g_str_equal);
	ledger->refs = 1;
	return ledger;
}

static void ledger_drop(struct ledger *ledger)
{
	if (--ledger->refs)
		return;
	g_hash_table_unref(ledger->questions);
	g_free(ledger);
}

void ledger_free(struct ledger *ledger)
{
	if (!ledger)
		return;
	g_clear_pointer(&ledger->snapshot, snapshot_unref);
	pthread_mutex_lock(&lock);
	ledger_drop(ledger);
	pthread_mutex_unlock(&lock);
}

size_t ledger_count(const struct ledger *ledger)
{
	pthread_mutex_lock(&lock);
	size_t n = g_hash_table_size(ledger->questions);
	pthread_mutex_unlock(&lock);
	return n;
}

static char *name_of(enum read_sort sort, const char *name)
{
	return g_strdup_printf("%c%s", 'a' + (int) sort, name);
}

void ledger_mark(struct ledger *ledger, enum read_sort sort, const char *name)
{
	g_autofree char *full = name_of(sort, name);
	pthread_mutex_lock(&lock);
	const struct question *question = g_hash_table_lookup(ledger->questions, full);
	for (const struct link *link = question ? question->links : NULL; link; link = link->after)
		link->reads->marked = ledger->turn;
	pthread_mutex_unlock(&lock);
}

static bool same_file(const struct source_file *a, const struct source_file *b)
{
	if (a->path == b->path && a->id == b->id)
		return true;
	return strcmp(a->id, b->id) == 0 && a->size == b->size && a->executable == b->executable;
}

/* Both lists are sorted. What comes or goes is another neighbour of the next one too, in both. */
static void compare(struct ledger *ledger, const struct snapshot *former, const struct snapshot *now)
{
	size_t i = 0, j = 0;
	while (i < former->n_files || j < now->n_files) {
		const struct source_file *was = i < former->n_files ? &former->files[i] : NULL;
		const struct source_file *is = j < now->n_files ? &now->files[j] : NULL;
		int order = !was ? 1 : !is ? -1 : was->path == is->path ? 0 : strcmp(was->path, is->path);
		if (order == 0 && !same_file(was, is))
			ledger_mark(ledger, READ_FILE, is->path);
		if (order != 0) {
			const char *path = order < 0 ? was->path : is->path;
			ledger_mark(ledger, READ_FILE, path);
			ledger_mark(ledger, READ_PLACE, path);
			if (order < 0 ? is != NULL : was != NULL)
				ledger_mark(ledger, READ_PLACE, order < 0 ? is->path : was->path);
			else
				ledger_mark(ledger, READ_PLACE, "");
		}
		i += order <= 0;
		j += order >= 0;
	}
}

void ledger_turn(struct ledger *ledger, struct snapshot *snapshot)
{
	struct snapshot *former = ledger->snapshot;
	ledger->turn++;
	if (former && former != snapshot)
		compare(ledger, former, snapshot);
	ledger->snapshot = snapshot_ref(snapshot);
	g_clear_pointer(&former, snapshot_unref);
}

unsigned ledger_number(const struct ledger *ledger)
{
	return ledger->turn;
}

/* --- reads --------------------------------------------------------------------------------------------------------------- */

struct reads *reads_ref(struct reads *reads)
{
	pthread_mutex_lock(&lock);
	reads->refs++;
	pthread_mutex_unlock(&lock);
	return reads;
}

static void unlink_one(struct link *link)
{
	if (link->before)
		link->before->after = link->after;
	else
		link->question->links = link->after;
	if (link->after)
		link->after->before = link->before;
}

static void link_one(struct link *link, struct question *question, struct reads *reads)
{
	*link = (struct link) { .question = question, .reads = reads, .after = question->links };
	if (question->links)
		question->links->before = link;
	question->links = link;
}

static void reads_drop(struct reads *reads)
{
	if (--reads->refs)
		return;
	for (size_t i = 0; i < reads->n; i++) {
		struct question *question = reads->links[i].question;
		unlink_one(&reads->links[i]);
		if (--question->refs)
			continue;
		g_hash_table_remove(reads->ledger->questions, question->name);
		g_free(question->name);
		g_free(question);
	}
	g_free(reads->links);
	if (reads->ledger)
		ledger_drop(reads->ledger);
	g_free(reads);
}

void reads_unref(struct reads *reads)
{
	if (!reads)
		return;
	pthread_mutex_lock(&lock);
	reads_drop(reads);
	pthread_mutex_unlock(&lock);
}

bool reads_hold(struct reads *reads)
{
	if (!reads->ledger)
		return false;
	if (reads->asked != reads->ledger->turn) {
		reads->asked = reads->ledger->turn;
		reads->holds = reads->holds && reads->marked != reads->ledger->turn;
	}
	return reads->holds;
}

void reads_begin(struct ledger *ledger)
{
	struct reading *inner = g_new0(struct reading, 1);
	inner->ledger = ledger;
	inner->questions = g_hash_table_new(NULL, NULL);
	inner->outer = reading;
	reading = inner;
}

struct reads *reads_end(void)
{
	struct reading *inner = reading;
	reading = inner->outer;
	struct reads *reads = g_new0(struct reads, 1);
	reads->refs = 1;
	reads->holds = true;
	reads->links = g_new(struct link, g_hash_table_size(inner->questions));
	reads->ledger = inner->ledger;
	pthread_mutex_lock(&lock);
	if (reads->ledger) {
		reads->ledger->refs++;
		reads->asked = reads->ledger->turn;
	}
	GHashTableIter iter;
	gpointer question;
	g_hash_table_iter_init(&iter, inner->questions);
	while (g_hash_table_iter_next(&iter, &question, NULL))
		link_one(&reads->links[reads->n++], question, reads); /* with the reference that it was noted with */
	pthread_mutex_unlock(&lock);
	g_hash_table_unref(inner->questions);
	g_free(inner);
	return reads;
}

static void note(struct question *question)
{
	if (g_hash_table_add(reading->questions, question))
		question->refs++;
}

void reads_note(enum read_sort sort, const char *name)
{
	if (!reading || !reading->ledger)
		return;
	g_autofree char *full = name_of(sort, name);
	pthread_mutex_lock(&lock);
	struct question *question = g_hash_table_lookup(reading->ledger->questions, full);
	if (!question) {
		question = g_new0(struct question, 1);
		question->name = g_steal_pointer(&full);
		g_hash_table_insert(reading->ledger->questions, question->name, question);
	}
	note(question);
	pthread_mutex_unlock(&lock);
}

void reads_note_all(const struct reads *reads)
{
	if (!reading || !reading->ledger || reading->ledger != reads->ledger)
		return;
	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < reads->n; i++)
		note(reads->links[i].question);
	pthread_mutex_unlock(&lock);
}
