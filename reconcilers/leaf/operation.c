#include "leaf/operation.h"

#include "leaf/process.h"
#include "leaf/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { READ_AT_ONCE_BYTES = 16 * 1024, READ_PER_TURN = 8, TAIL_MAX_BYTES = 4096 };

enum { OUT, ERR };

struct operation {
	struct output *output;
	/* Of all operations, for ever: what one leaves behind must still have somewhere to write. */
	int pipes[OPERATION_FDS][2];
	pid_t pid;
	enum leaf_verb verb;
	gint64 deadline_us;
	unsigned timeout_ms;
	GString *tail; /* of its standard error */
	char *given_up; /* why we ended it; NULL: we did not */
	struct operation_result result;
};

static struct operation *make(struct output *output)
{
	struct operation *operation = g_new0(struct operation, 1);
	operation->output = output;
	operation->tail = g_string_new(NULL);
	for (size_t i = 0; i < OPERATION_FDS; i++)
		operation->pipes[i][0] = operation->pipes[i][1] = -1;
	return operation;
}

struct operation *operation_new(struct output *output, GError **error)
{
	struct operation *operation = make(output);
	for (size_t i = 0; i < OPERATION_FDS; i++) {
		if (pipe2(operation->pipes[i], O_CLOEXEC) != 0) {
			pleach_error_errno(error, errno, "cannot make a pipe");
			operation_free(operation);
			return NULL;
		}
		fcntl(operation->pipes[i][0], F_SETFL, O_NONBLOCK);
	}
	return operation;
}

void operation_free(struct operation *operation)
{
	for (size_t i = 0; i < OPERATION_FDS; i++)
		for (size_t end = 0; end < 2; end++)
			if (operation->pipes[i][end] >= 0)
				close(operation->pipes[i][end]);
	g_string_free(operation->tail, TRUE);
	g_free(operation->given_up);
	g_free(operation->result.words);
	g_free(operation);
}

void operation_pipes(const struct operation *operation, int ret[2 * OPERATION_FDS])
{
	memcpy(ret, operation->pipes, sizeof(operation->pipes));
}

struct operation *operation_take_over(struct output *output, const int pipes[2 * OPERATION_FDS])
{
	struct operation *operation = make(output);
	memcpy(operation->pipes, pipes, sizeof(operation->pipes));
	return operation;
}

void operation_fds(const struct operation *operation, int ret[OPERATION_FDS])
{
	ret[OUT] = operation->pipes[OUT][0];
	ret[ERR] = operation->pipes[ERR][0];
}

/* What an operation printed; what others print later, who were left behind by one, is only kept in the log. */
static void take(struct operation *operation, int which, const char *bytes, size_t length)
{
	output_feed(operation->output, which == OUT ? OUTPUT_OPERATION : OUTPUT_OPERATION_ERROR, bytes, length);
	if (which != ERR)
		return;
	g_string_append_len(operation->tail, bytes, (gssize) length);
	if (operation->tail->len > TAIL_MAX_BYTES)
		g_string_erase(operation->tail, 0, (gssize) (operation->tail->len - TAIL_MAX_BYTES));
}

void operation_read(struct operation *operation)
{
	char buffer[READ_AT_ONCE_BYTES];
	for (int which = OUT; which <= ERR; which++)
		for (unsigned i = 0; i < READ_PER_TURN; i++) {
			ssize_t n = read(operation->pipes[which][0], buffer, sizeof(buffer));
			if (n < 0 && errno == EINTR)
				continue;
			if (n <= 0)
				break;
			take(operation, which, buffer, (size_t) n);
		}
}

/* The last lines of its standard error, joined; NULL where it said nothing. Owned by the caller. */
static char *last_words(const struct operation *operation)
{
	g_autofree char *valid = g_utf8_make_valid(operation->tail->str, (gssize) operation->tail->len);
	g_auto(GStrv) lines = g_strsplit(g_strstrip(valid), "\n", -1);
	guint n = g_strv_length(lines), first = n > OPERATION_WORDS_LINES ? n - OPERATION_WORDS_LINES : 0;
	g_autoptr(GString) words = g_string_new(NULL);
	for (guint i = first; i < n; i++) {
		for (char *p = lines[i]; *p; p++)
			if (((unsigned char) *p < 0x20 && *p != '\t') || *p == 0x7f)
				*p = ' ';
		if (*g_strstrip(lines[i]))
			g_string_append_printf(words, "%s%s", words->len ? " / " : "", lines[i]);
	}
	return words->len ? g_string_free(g_steal_pointer(&words), FALSE) : NULL;
}

static void conclude(struct operation *operation, bool good, int exit_status, const char *how)
{
	g_autofree char *words = good ? NULL : last_words(operation);
	g_free(operation->result.words);
	operation->result = (struct operation_result) {
		.good = good, .exit_status = exit_status,
		.words = good ? NULL : g_strdup_printf("%s%s%s", how, words ? ": " : "", words ? words : ""),
	};
}

void operation_ended(struct operation *operation, int status)
{
	g_autofree char *how = process_exit_text(status);
	pid_t pid = operation->pid;
	operation_read(operation); /* its last words may still be on their way */
	operation->pid = 0;
	bool good = !operation->given_up && process_exit_status(status) == 0;
	if (!good)
		process_signal(pid, SIGKILL);
	conclude(operation, good, operation->given_up ? -1 : process_exit_status(status), operation->given_up ? operation->given_up : how);
	if (operation->verb != LEAF_STATUS_VERB)
		output_note(operation->output, "%s: %s", leaf_verb_name(operation->verb), operation->result.words ? operation->result.words : "done");
}

static const char *const *make_environment(struct arena *arena, const struct operation_want *want)
{
	const struct leaf_operation *asked = &want->nf->operations[want->verb];
	const char **all = ARENA_ARRAY(arena, const char *, asked->n_inputs + 6);
	size_t n = 0;
	for (size_t i = 0; i < asked->n_inputs; i++)
		all[n++] = arena_printf(arena, "%s=%s", asked->inputs[i].name, asked->inputs[i].value);
	all[n++] = arena_printf(arena, "PLEACH_KEY=%s", want->nf->key);
	all[n++] = arena_printf(arena, "PLEACH_OPERATION=%s", leaf_verb_name(want->verb));
	all[n++] = arena_printf(arena, "PLEACH_PACKAGE=%s", want->package);
	if (want->new_files)
		all[n++] = arena_printf(arena, "PLEACH_NEW=%s", want->new_files);
	if (want->pid > 0)
		all[n++] = arena_printf(arena, "PLEACH_PID=%d", (int) want->pid);
	return all;
}

void operation_start(struct operation *operation, const struct operation_want *want, gint64 now_us)
{
	g_assert(!operation->pid);
	auto_ptr(arena) arena = arena_new();
	g_autoptr(GError) fault = NULL;
	const struct leaf_operation *asked = &want->nf->operations[want->verb];
	const char *script = arena_printf(arena, "%s/%s", want->package, asked->script);
	/* A script that its package does not mark as a program is the shell's. */
	bool is_program = access(script, X_OK) == 0;
	const char *const argv[] = { is_program ? script : "/bin/sh", is_program ? NULL : script, NULL };
	operation_read(operation);
	g_string_truncate(operation->tail, 0);
	g_clear_pointer(&operation->given_up, g_free);
	operation->verb = want->verb;
	operation->timeout_ms = asked->timeout_ms ? asked->timeout_ms : OPERATION_TIMEOUT_MS;
	operation->deadline_us = now_us + 1000 * (gint64) operation->timeout_ms;
	operation->pid = process_start(&(struct process_want) {
		.argv = argv, .environment = make_environment(arena, want), .folder = want->package, .output_fd = operation->pipes[OUT][1],
		.error_fd = operation->pipes[ERR][1], .subreaper = true }, &fault);
	if (!operation->pid)
		conclude(operation, false, -1, fault->message);
}

bool operation_runs(const struct operation *operation)
{
	return operation->pid != 0;
}

pid_t operation_pid(const struct operation *operation)
{
	return operation->pid;
}

void operation_give_up(struct operation *operation)
{
	if (!operation->pid || operation->given_up)
		return;
	operation->given_up = g_strdup("it was given up");
	tree_kill(operation->pid);
}

void operation_run(struct operation *operation, gint64 now_us)
{
	if (!operation->pid || operation->given_up || now_us < operation->deadline_us)
		return;
	operation->given_up = g_strdup_printf("it did not end within %u ms", operation->timeout_ms);
	tree_kill(operation->pid);
}

gint64 operation_next_us(const struct operation *operation)
{
	return operation->pid && !operation->given_up ? operation->deadline_us : -1;
}

const struct operation_result *operation_result(const struct operation *operation)
{
	return &operation->result;
}
