#include "daemon/logs.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/visible.h"
#include "http/server/server.h"
#include "model/key.h"

#include <errno.h>
#include <glib-unix.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { LOG_TIMEOUT_S = 10, READER_LOOK_MS = 500, LINE_MAX_BYTES = 64 * 1024 };

/* What is asked of an EMS. */
struct question {
	struct arena *arena;
	struct observed *observed;
	const struct lookup *lookup;
	const char *key, *site, *ems;
	unsigned lines;
};

struct follower {
	struct logs *logs;
	struct question question;
	struct api_reply *reply;     /* until its answer begins */
	struct http_stream *stream;  /* from then on */
	pthread_t thread;
	GString *line;               /* the thread's: not yet whole */
	int wake_fd, cancel_fd;
	guint wake_source, look_source;
	pthread_mutex_t lock;        /* of the three below */
	GString *waiting;
	bool ended;
	GError *error;
};

struct logs {
	struct cycle *cycle;
	GPtrArray *followers; /* struct follower */
};

/* --- asking ----------------------------------------------------------------------------------------------------------------- */

static bool question_make(const struct logs *logs, const char *key, unsigned lines, struct question *ret, GError **error)
{
	const struct cycle_view *now = cycle_view(logs->cycle);
	const struct object *nf = now->network ? objects_find(now->network->objects, key) : NULL;
	if (!nf)
		nf = last_find(now->last, key);
	if (!nf || !now->observed) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND, "%s is not known, or not looked at yet", key);
		return false;
	}
	struct arena *arena = arena_new();
	*ret = (struct question) {
		.arena = arena, .observed = observed_ref(now->observed), .lookup = drivers_lookup(now->drivers),
		.key = arena_strdup(arena, key), .site = arena_strdup(arena, nf->site),
		.ems = arena_strdup(arena, object_string(nf, "ems", "leaf")), .lines = lines,
	};
	return true;
}

static void question_clear(struct question *question)
{
	g_clear_pointer(&question->observed, observed_unref);
	g_clear_pointer(&question->arena, arena_unref);
}

/* Any thread. */
static bool question_ask(const struct question *question, gint64 timeout_us, int cancel_fd, bool follow, ems_log_fn each, void *data,
			 GError **error)
{
	const struct call call = {
		.deadline_us = clock_monotonic_us() + timeout_us, .cancel_fd = cancel_fd, .lookup = question->lookup,
	};
	const char *vnfc_key = key_of_kind(question->arena, question->key, "vnfc");
	const struct access *access = observed_access(question->observed, vnfc_key);
	const struct ems_ops *ops;
	struct ems *ems = question->lookup->ems(question->lookup, question->site, question->ems, &ops, error);
	if (!ems)
		return false;
	if (access && ops->log)
		return ops->log(ems, &call, access, question->key, question->lines, follow, each, data, error);
	if (!access)
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND, "%s does not run: its log went with it", vnfc_key);
	else
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_UNSUPPORTED, "EMS driver %s keeps no logs", ops->name);
	return false;
}

/* What an NF prints may repeat a secret that it was given, or be meant for the terminal of whoever reads it: neither is passed on. Owned by
 * the caller. */
static char *fit_to_show(const char *text)
{
	g_autofree char *clean = redact(text);
	return visible(clean);
}

/* --- once ------------------------------------------------------------------------------------------------------------------- */

struct once {
	struct question question;
	struct api_reply *reply;
	GString *text;
	char *clean;
	bool good;
	GError *error;
};

static bool gather(const char *text, size_t length, void *data)
{
	g_string_append_len(data, text, (gssize) length);
	return true;
}

static void once_work(void *data)
{
	struct once *once = data;
	once->good = question_ask(&once->question, LOG_TIMEOUT_S * G_USEC_PER_SEC, -1, false, gather, once->text, &once->error);
	once->clean = fit_to_show(once->text->str);
}

static void once_done(void *data)
{
	struct once *once = data;
	if (once->good)
		api_reply_text(once->reply, once->clean);
	else
		api_reply_error(once->reply, once->error);
	g_clear_error(&once->error);
	question_clear(&once->question);
	g_string_free(once->text, TRUE);
	g_free(once->clean);
	g_free(once);
}

/* --- followed --------------------------------------------------------------------------------------------------------------- */

static void ring(int fd)
{
	guint64 one = 1;
	/* A bell that rings already rings. */
	if (write(fd, &one, sizeof(one)) < 0)
		return;
}

/* Only whole lines: a secret whose two halves came one after the other would not be recognised. */
static size_t whole_lines(const struct follower *follower)
{
	const char *end = memrchr(follower->line->str, '\n', follower->line->len);
	return end ? (size_t) (end - follower->line->str) + 1 : follower->line->len < LINE_MAX_BYTES ? 0 : follower->line->len;
}

static bool pass_lines(struct follower *follower, size_t length)
{
	g_autofree char *piece = g_strndup(follower->line->str, length), *clean = fit_to_show(piece);
	g_string_erase(follower->line, 0, (gssize) length);
	pthread_mutex_lock(&follower->lock);
	bool room = follower->waiting->len + length <= LOGS_WAITING_MAX_BYTES;
	if (room)
		g_string_append(follower->waiting, clean);
	pthread_mutex_unlock(&follower->lock);
	ring(follower->wake_fd);
	return room;
}

static bool pass_on(const char *text, size_t length, void *data)
{
	struct follower *follower = data;
	g_string_append_len(follower->line, text, (gssize) length);
	size_t whole = whole_lines(follower);
	return !whole || pass_lines(follower, whole);
}

static void *follow_work(void *data)
{
	struct follower *follower = data;
	GError *error = NULL;
	question_ask(&follower->question, (gint64) LOGS_FOLLOW_MAX_S * G_USEC_PER_SEC, follower->cancel_fd, true, pass_on, follower, &error);
	pass_lines(follower, follower->line->len);
	pthread_mutex_lock(&follower->lock);
	follower->ended = true;
	follower->error = error;
	pthread_mutex_unlock(&follower->lock);
	ring(follower->wake_fd);
	return NULL;
}

static void follower_free(gpointer data)
{
	struct follower *follower = data;
	ring(follower->cancel_fd);
	pthread_join(follower->thread, NULL);
	g_clear_handle_id(&follower->wake_source, g_source_remove);
	g_clear_handle_id(&follower->look_source, g_source_remove);
	if (follower->stream)
		http_stream_end(follower->stream);
	close(follower->wake_fd);
	close(follower->cancel_fd);
	pthread_mutex_destroy(&follower->lock);
	g_string_free(follower->waiting, TRUE);
	g_string_free(follower->line, TRUE);
	g_clear_error(&follower->error);
	question_clear(&follower->question);
	g_free(follower);
}

static void begin_answer(struct follower *follower)
{
	if (follower->stream)
		return;
	follower->stream = api_reply_stream(follower->reply, "text/plain; charset=utf-8");
	follower->reply = NULL;
}

/* What has come; false: there is nobody to write it to, or nothing more to come. */
static bool go_on(struct follower *follower)
{
	pthread_mutex_lock(&follower->lock);
	g_autoptr(GString) text = follower->waiting;
	follower->waiting = g_string_new(NULL);
	bool ended = follower->ended;
	pthread_mutex_unlock(&follower->lock);
	if (ended && follower->error && !follower->stream && !text->len) {
		api_reply_error(follower->reply, follower->error);
		follower->reply = NULL;
		return false;
	}
	begin_answer(follower);
	if (text->len && !http_stream_write(follower->stream, text->str, text->len))
		return false;
	if (ended && follower->error) {
		g_autofree char *why = g_strdup_printf("%s\n", follower->error->message);
		http_stream_write(follower->stream, why, strlen(why));
	}
	return !ended;
}

static gboolean woken(int fd, GIOCondition condition, gpointer data)
{
	struct follower *follower = data;
	guint64 n;
	if (read(fd, &n, sizeof(n)) < 0 && errno != EAGAIN)
		return G_SOURCE_CONTINUE;
	if (go_on(follower))
		return G_SOURCE_CONTINUE;
	follower->wake_source = 0;
	g_ptr_array_remove_fast(follower->logs->followers, follower);
	return G_SOURCE_REMOVE;
}

/* The reader sees that it is heard although nothing is said; and one that went is missed. */
static gboolean look_at_reader(gpointer data)
{
	struct follower *follower = data;
	begin_answer(follower);
	if (http_stream_is_open(follower->stream))
		return G_SOURCE_CONTINUE;
	follower->look_source = 0;
	g_ptr_array_remove_fast(follower->logs->followers, follower);
	return G_SOURCE_REMOVE;
}

static bool follow(struct logs *logs, struct question *question, struct api_reply *reply, GError **error)
{
	if (logs->followers->len >= LOGS_FOLLOWERS_MAX) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_RETRY, "%d follow logs already", LOGS_FOLLOWERS_MAX);
		return false;
	}
	int wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), cancel_fd = wake_fd < 0 ? -1 : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct follower *follower = g_new0(struct follower, 1);
	*follower = (struct follower) {
		.logs = logs, .question = *question, .reply = reply, .wake_fd = wake_fd, .cancel_fd = cancel_fd, .waiting = g_string_new(NULL),
		.line = g_string_new(NULL),
	};
	pthread_mutex_init(&follower->lock, NULL);
	int errnum = cancel_fd < 0 ? errno : pthread_create(&follower->thread, NULL, follow_work, follower);
	if (errnum != 0) {
		pleach_error_errno(error, errnum, "following the log of %s", question->key);
		pthread_mutex_destroy(&follower->lock);
		g_string_free(follower->waiting, TRUE);
		g_string_free(follower->line, TRUE);
		g_free(follower);
		if (wake_fd >= 0)
			close(wake_fd);
		if (cancel_fd >= 0)
			close(cancel_fd);
		return false;
	}
	follower->wake_source = g_unix_fd_add(wake_fd, G_IO_IN, woken, follower);
	follower->look_source = g_timeout_add(READER_LOOK_MS, look_at_reader, follower);
	g_ptr_array_add(logs->followers, follower);
	return true;
}

/* --- life ------------------------------------------------------------------------------------------------------------------- */

void logs_read(struct logs *logs, const char *key, unsigned lines, bool follows, struct api_reply *reply)
{
	struct question question = { 0 };
	g_autoptr(GError) error = NULL;
	if (!question_make(logs, key, lines, &question, &error)) {
		api_reply_error(reply, error);
		return;
	}
	if (follows) {
		if (!follow(logs, &question, reply, &error)) {
			question_clear(&question);
			api_reply_error(reply, error);
		}
		return;
	}
	struct once *once = g_new0(struct once, 1);
	*once = (struct once) { .question = question, .reply = reply, .text = g_string_new(NULL) };
	pool_submit(cycle_view(logs->cycle)->pool, once_work, once_done, once);
}

struct logs *logs_new(struct cycle *cycle)
{
	struct logs *logs = g_new0(struct logs, 1);
	*logs = (struct logs) { .cycle = cycle, .followers = g_ptr_array_new_with_free_func(follower_free) };
	return logs;
}

void logs_free(struct logs *logs)
{
	if (!logs)
		return;
	g_ptr_array_unref(logs->followers);
	g_free(logs);
}
