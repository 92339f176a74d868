#include "source/remote.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "source/fetch.h"
#include "source/internal.h"
#include "source/mirror.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	LOOK_MS = 200,
	WORDS_MAX_BYTES = 1024,
	READS_MAX = 64, /* of one call: a child that never rests must not hold its reader */
};

struct child {
	GPid pid; /* 0: none */
	int out_fd, err_fd;
	guint out_source, err_source, exit_source, look_source;
	GString *out, *err;
	gint64 deadline_us;
	guint64 bytes_before;
	bool answered;
	char *killed; /* why */
};

struct remote {
	char *request; /* JSON */
	char *mirror, *shown;
	unsigned timeout_s;
	guint64 max_bytes;
	remote_done *done;
	void *data;
	struct child child;
	bool again;
};

/* --- its answer ------------------------------------------------------------------------------------------------------------- */

static enum pleach_error code_named(const char *name)
{
	for (enum pleach_error code = PLEACH_ERROR_RETRY; code <= PLEACH_ERROR_INVALID; code++)
		if (g_str_equal(name, pleach_error_name(code)))
			return code;
	return PLEACH_ERROR_RETRY;
}

/* Called once for each child: of what it said later nothing counts. */
static void tell(struct remote *remote, const char *commit, GError *error)
{
	remote->child.answered = true;
	if (error)
		g_prefix_error(&error, "%s: ", remote->shown);
	remote->done(commit, error, remote->data);
	g_clear_error(&error);
}

static void take_answer(struct remote *remote)
{
	struct child *child = &remote->child;
	const char *commit = NULL, *text = NULL, *what = "the answer of the fetch";
	GError *error = NULL;
	g_autoptr(json_t) json = json_parse(child->out->str, child->out->len, FETCH_ANSWER_MAX_BYTES, what, &error);
	commit = json ? json_opt_string(json, "commit", NULL) : NULL;
	if (json && !commit && json_get_string(json, "text", &text, what, &error))
		error = g_error_new_literal(PLEACH_ERROR, (gint) code_named(json_opt_string(json, "code", "")), text);
	tell(remote, commit, error);
}

/* It ended, or was ended, before it said anything. */
static void tell_of_end(struct remote *remote, int status)
{
	const struct child *child = &remote->child;
	GError *error = NULL;
	g_autofree char *words = g_utf8_make_valid(child->err->str, -1);
	g_strdelimit(g_strchomp(words), "\r\n\t", ' ');
	if (child->killed)
		error = g_error_new_literal(PLEACH_ERROR, PLEACH_ERROR_TIMEOUT, child->killed);
	else if (WIFSIGNALED(status))
		error = g_error_new(PLEACH_ERROR, PLEACH_ERROR_RETRY, "the fetch was ended by signal %d: %s",
				    WTERMSIG(status), words);
	else
		error = g_error_new(PLEACH_ERROR, PLEACH_ERROR_RETRY, "the fetch ended with status %d: %s",
				    WEXITSTATUS(status), words);
	tell(remote, NULL, error);
}

/* --- the child -------------------------------------------------------------------------------------------------------------- */

static void child_clear(struct child *child)
{
	g_clear_handle_id(&child->out_source, g_source_remove);
	g_clear_handle_id(&child->err_source, g_source_remove);
	g_clear_handle_id(&child->exit_source, g_source_remove);
	g_clear_handle_id(&child->look_source, g_source_remove);
	if (child->out)
		g_string_free(child->out, TRUE);
	if (child->err)
		g_string_free(child->err, TRUE);
	if (child->pid) {
		close(child->out_fd);
		close(child->err_fd);
	}
	g_free(child->killed);
	*child = (struct child) { 0 };
}

static void kill_child(struct child *child, char *why)
{
	if (child->killed) {
		g_free(why);
		return;
	}
	child->killed = why;
	/* The group is its own; itself, too, in case it had no time to make one. */
	kill(-child->pid, SIGKILL);
	kill(child->pid, SIGKILL);
}

/* What is there now, without waiting, up to @max in all; the rest is read and forgotten. False at the end. */
static bool drain(int fd, GString *to, size_t max)
{
	char buffer[4096];
	for (size_t i = 0; i < READS_MAX; i++) {
		ssize_t n = read(fd, buffer, sizeof buffer);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		if (n == 0)
			return false;
		g_string_append_len(to, buffer, MIN(n, (ssize_t) (max - to->len)));
	}
	return true;
}

/* False at the end of what it says. */
static bool read_answer(struct remote *remote)
{
	struct child *child = &remote->child;
	bool more = drain(child->out_fd, child->out, FETCH_ANSWER_MAX_BYTES);
	const char *end = memchr(child->out->str, '\n', child->out->len);
	if (end && !child->answered && !child->killed) {
		g_string_truncate(child->out, (gsize) (end - child->out->str));
		take_answer(remote);
	}
	return more;
}

static gboolean can_read_out(int fd, GIOCondition condition, gpointer data)
{
	struct remote *remote = data;
	if (read_answer(remote))
		return G_SOURCE_CONTINUE;
	remote->child.out_source = 0;
	return G_SOURCE_REMOVE;
}

static gboolean can_read_err(int fd, GIOCondition condition, gpointer data)
{
	struct remote *remote = data;
	if (drain(fd, remote->child.err, WORDS_MAX_BYTES))
		return G_SOURCE_CONTINUE;
	remote->child.err_source = 0;
	return G_SOURCE_REMOVE;
}

static void start(struct remote *remote);

static void ended(GPid pid, gint status, gpointer data)
{
	struct remote *remote = data;
	struct child *child = &remote->child;
	child->exit_source = 0;
	/* What it said last may be unread. */
	if (child->err_source)
		drain(child->err_fd, child->err, WORDS_MAX_BYTES);
	if (child->out_source)
		read_answer(remote);
	if (!child->answered)
		tell_of_end(remote, status);
	child_clear(child);
	if (remote->again)
		start(remote);
}

static guint64 memory_of(GPid pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/statm", (int) pid);
	g_autofree char *text = file_read(path, 256, NULL, NULL);
	guint64 all = 0, resident = 0;
	if (!text || sscanf(text, "%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT, &all, &resident) != 2)
		return 0;
	return resident * (guint64) sysconf(_SC_PAGESIZE);
}

static gboolean look(gpointer data)
{
	struct remote *remote = data;
	struct child *child = &remote->child;
	guint64 bytes = mirror_bytes(remote->mirror);
	/* One pack of the fetch, and one that all packs are made into. */
	guint64 allowed = 2 * (child->bytes_before + remote->max_bytes);
	if (clock_monotonic_us() > child->deadline_us)
		kill_child(child, g_strdup_printf("it was not done within %u s: the far side is silent or slow (--fetch-timeout)",
						  remote->timeout_s));
	else if (bytes > allowed)
		kill_child(child, g_strdup_printf("it took more than the %" G_GUINT64_FORMAT " MiB of one fetch (--fetch-limit)",
						  remote->max_bytes >> 20));
	else if (memory_of(child->pid) >> 20 > REMOTE_MEMORY_MAX_MIB)
		kill_child(child, g_strdup_printf("it needed more than %d MiB of memory: it is made to be large when unpacked",
						  REMOTE_MEMORY_MAX_MIB));
	return G_SOURCE_CONTINUE;
}

static char **environment(void)
{
	static const char *const passed[] = {
		"PATH", "HOME", "LANG", "TZ", "SSH_AUTH_SOCK", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY",
		"no_proxy", "NO_PROXY",
		"ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS",
	};
	char **envp = NULL;
	for (size_t i = 0; i < G_N_ELEMENTS(passed); i++)
		if (g_getenv(passed[i]))
			envp = g_environ_setenv(envp, passed[i], g_getenv(passed[i]), TRUE);
	return envp ? envp : g_new0(char *, 1);
}

static bool spawn(struct remote *remote, GError **error)
{
	struct child *child = &remote->child;
	char *argv[] = { (char[]) { "/proc/self/exe" }, (char[]) { "pleach-fetch" }, (char[]) { FETCH_CHILD_ARGUMENT }, NULL };
	g_auto(GStrv) envp = environment();
	int in = memfd_create("request", MFD_CLOEXEC);
	size_t length = strlen(remote->request);
	if (in < 0 || write(in, remote->request, length) != (ssize_t) length || lseek(in, 0, SEEK_SET) != 0) {
		pleach_error_errno(error, errno, "its request");
		if (in >= 0)
			close(in);
		return false;
	}
	g_autoptr(GError) why = NULL;
	bool good = g_spawn_async_with_pipes_and_fds("/", (const char *const *) argv, (const char *const *) envp,
						     G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_FILE_AND_ARGV_ZERO, NULL, NULL,
						     in, -1, -1, NULL, NULL, 0, &child->pid, NULL, &child->out_fd, &child->err_fd, &why);
	close(in);
	if (!good)
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_RETRY, "cannot be begun: %s", why->message);
	return good;
}

static void start(struct remote *remote)
{
	struct child *child = &remote->child;
	remote->again = false;
	GError *error = NULL;
	child->bytes_before = mirror_bytes(remote->mirror);
	if (!spawn(remote, &error)) {
		child->pid = 0;
		tell(remote, NULL, error);
		child_clear(child);
		return;
	}
	child->out = g_string_new(NULL);
	child->err = g_string_new(NULL);
	g_unix_set_fd_nonblocking(child->out_fd, TRUE, NULL);
	g_unix_set_fd_nonblocking(child->err_fd, TRUE, NULL);
	child->deadline_us = clock_monotonic_us() + remote->timeout_s * G_USEC_PER_SEC;
	child->out_source = g_unix_fd_add(child->out_fd, G_IO_IN | G_IO_HUP, can_read_out, remote);
	child->err_source = g_unix_fd_add(child->err_fd, G_IO_IN | G_IO_HUP, can_read_err, remote);
	child->exit_source = g_child_watch_add(child->pid, ended, remote);
	child->look_source = g_timeout_add(LOOK_MS, look, remote);
}

void remote_fetch(struct remote *remote)
{
	if (remote->child.pid)
		remote->again = true;
	else
		start(remote);
}

/* --- life ------------------------------------------------------------------------------------------------------------------- */

static json_t *paths(const char *given, const char *const defaults[], size_t n, bool must_exist)
{
	json_t *array = json_array();
	if (given)
		json_array_append_new(array, json_string(given));
	for (size_t i = 0; !given && i < n; i++)
		if (!must_exist || g_file_test(defaults[i], G_FILE_TEST_EXISTS))
			json_array_append_new(array, json_string(defaults[i]));
	return array;
}

/* Whole: the child works in another folder. */
static char *whole_path(const char *path)
{
	return path ? g_canonicalize_filename(path, NULL) : NULL;
}

static char *request_of(const struct source_address *address, const struct remote_options *options, const char *mirror)
{
	g_autofree char *ed25519 = g_build_filename(g_get_home_dir(), ".ssh", "id_ed25519", NULL);
	g_autofree char *ecdsa = g_build_filename(g_get_home_dir(), ".ssh", "id_ecdsa", NULL);
	g_autofree char *known = g_build_filename(g_get_home_dir(), ".ssh", "known_hosts", NULL);
	g_autofree char *ssh_key = whole_path(options->ssh_key), *known_hosts = whole_path(options->known_hosts),
		*ca_file = whole_path(options->ca_file), *token_file = whole_path(options->token_file);
	const char *const keys[] = { ed25519, ecdsa }, *const hosts[] = { known, "/etc/ssh/ssh_known_hosts" };
	g_autoptr(json_t) json = json_pack("{s:s, s:s, s:s, s:o, s:o, s:b, s:s*, s:s*, s:I, s:I}",
					   "address", address->text, "revision", options->revision, "mirror", mirror,
					   "ssh_keys", paths(ssh_key, keys, G_N_ELEMENTS(keys), true),
					   "known_hosts", paths(known_hosts, hosts, G_N_ELEMENTS(hosts), false),
					   "agent", !ssh_key && g_getenv("SSH_AUTH_SOCK") != NULL,
					   "ca_file", ca_file, "token_file", token_file,
					   "max_bytes", (json_int_t) options->max_bytes, "parent", (json_int_t) getpid());
	return json ? json_text(json, 0) : NULL;
}

/* One mirror for each address; those of former ones are taken away. */
static bool remove_others(const char *folder, const char *own, GError **error)
{
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	for (const char *name = dir ? g_dir_read_name(dir) : NULL; name; name = g_dir_read_name(dir)) {
		g_autofree char *path = g_build_filename(folder, name, NULL);
		if (g_str_has_suffix(name, ".git") && !g_str_equal(path, own) && !file_remove_tree(path, error))
			return false;
	}
	return true;
}

struct remote *remote_new(const struct source_address *address, const struct remote_options *options, remote_done *done,
			  void *data, GError **error)
{
	g_assert(address->transport != SOURCE_LOCAL);
	auto_ptr(remote) remote = g_new0(struct remote, 1);
	g_autofree char *folder = whole_path(options->folder);
	g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, address->text, -1);
	remote->mirror = g_strdup_printf("%s/%.16s.git", folder, sum);
	remote->shown = g_strdup(address->text);
	remote->timeout_s = options->timeout_s;
	remote->max_bytes = options->max_bytes;
	remote->done = done;
	remote->data = data;
	if (!file_make_folder(folder, 0700, error) || !remove_others(folder, remote->mirror, error) ||
	    !mirror_make(remote->mirror, error))
		return NULL;
	remote->request = request_of(address, options, remote->mirror);
	if (!remote->request || strlen(remote->request) >= FETCH_REQUEST_MAX_BYTES) {
		pleach_error_invalid(error, "the repository's address, branch and the paths of its keys must be text of a "
				     "reasonable length");
		return NULL;
	}
	return g_steal_pointer(&remote);
}

void remote_free(struct remote *remote)
{
	if (!remote)
		return;
	if (remote->child.pid) {
		kill_child(&remote->child, g_strdup("the controller ends"));
		g_clear_handle_id(&remote->child.exit_source, g_source_remove);
		waitpid(remote->child.pid, NULL, 0);
	}
	child_clear(&remote->child);
	g_free(remote->request);
	g_free(remote->mirror);
	g_free(remote->shown);
	g_free(remote);
}

const char *remote_mirror(const struct remote *remote)
{
	return remote->mirror;
}
