/* A pleach-leaf as an ordinary process on a unix socket in a folder of its own, and plain HTTP to it, for tests.
 *
 * The requests are written by hand, so that what no client of ours would send can be sent too.
 */
#pragma once

#include "base/file.h"

#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LEAF_PROCESS_WAIT_MS = 10000 };

struct leaf_process {
	char *folder, *socket;
	pid_t pid;
};

/* True, and the test skipped, where the program is not built. */
static inline bool leaf_process_missing(void)
{
	if (g_access(BINARY_DIR "/bin/pleach-leaf", X_OK) == 0)
		return false;
	g_test_skip(BINARY_DIR "/bin/pleach-leaf is not built");
	return true;
}

static inline int leaf_process_connect(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_assert_cmpint(fd, >=, 0);
	if (connect(fd, (struct sockaddr *) &address, sizeof(address)) != 0) {
		close(fd);
		return -1;
	}
	struct timeval wait = { .tv_sec = LEAF_PROCESS_WAIT_MS / 1000 };
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	return fd;
}

static inline void leaf_process_start_program(struct leaf_process *leaf, const char *program)
{
	g_autoptr(GError) error = NULL;
	leaf->folder = g_dir_make_tmp("pleach-leaf-XXXXXX", &error);
	g_assert_no_error(error);
	leaf->socket = g_build_filename(leaf->folder, "leaf.sock", NULL);
	g_autofree char *where = g_strconcat("unix:", leaf->socket, NULL), *own = g_build_filename(leaf->folder, "own", NULL);
	pid_t self = getpid();
	leaf->pid = fork();
	if (leaf->pid == 0) {
		/* A test that fails is gone at once; what it started goes with it. */
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() == self)
			execl(program, "pleach-leaf", "--listen", where, "--folder", own, NULL);
		_exit(127);
	}
	g_assert_cmpint(leaf->pid, >, 0);
	for (int i = 0; i < LEAF_PROCESS_WAIT_MS; i++) {
		int fd = leaf_process_connect(leaf->socket);
		if (fd >= 0) {
			close(fd);
			return;
		}
		g_usleep(1000);
	}
	g_error("pleach-leaf does not listen");
}

static inline void leaf_process_start(struct leaf_process *leaf)
{
	leaf_process_start_program(leaf, BINARY_DIR "/bin/pleach-leaf");
}

/* SIGTERM; its exit status, -1 when a signal or we ended it. Once only. */
static inline int leaf_process_stop(struct leaf_process *leaf)
{
	int status = 0;
	pid_t pid = leaf->pid, reaped = 0;
	if (pid == 0)
		return -1;
	leaf->pid = 0;
	kill(pid, SIGTERM);
	for (int i = 0; i < LEAF_PROCESS_WAIT_MS / 10 && reaped == 0; i++) {
		reaped = waitpid(pid, &status, WNOHANG);
		if (reaped == 0)
			g_usleep(10000);
	}
	if (reaped == pid)
		return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return -1;
}

/* The same, and takes the folder away. */
static inline int leaf_process_end(struct leaf_process *leaf)
{
	int ended = leaf_process_stop(leaf);
	file_remove_tree(leaf->folder, NULL);
	g_free(leaf->folder);
	g_free(leaf->socket);
	return ended;
}

/* Bytes out, then everything that comes back until the far side closes. Owned by the caller. */
static inline GString *leaf_process_raw(const struct leaf_process *leaf, const char *bytes, size_t length)
{
	GString *reply = g_string_new(NULL);
	char buffer[65536];
	int fd = leaf_process_connect(leaf->socket);
	g_assert_cmpint(fd, >=, 0);
	for (size_t sent = 0; sent < length;) {
		ssize_t n = send(fd, bytes + sent, length - sent, MSG_NOSIGNAL);
		if (n <= 0)
			break;
		sent += (size_t) n;
	}
	for (;;) {
		ssize_t n = recv(fd, buffer, sizeof(buffer), 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		g_string_append_len(reply, buffer, n);
	}
	close(fd);
	return reply;
}

/* The body of the answer, owned by the caller; the status into *@ret_status. */
static inline char *leaf_process_ask(const struct leaf_process *leaf, const char *method, const char *path, const char *body,
				     unsigned *ret_status)
{
	g_autofree char *request = g_strdup_printf("%s %s HTTP/1.1\r\n"
						   "Host: leaf\r\n"
						   "Connection: close\r\n"
						   "Content-Length: %zu\r\n\r\n%s",
						   method, path, body ? strlen(body) : 0, body ? body : "");
	g_autoptr(GString) reply = leaf_process_raw(leaf, request, strlen(request));
	const char *end = strstr(reply->str, "\r\n\r\n");
	g_assert_true(g_str_has_prefix(reply->str, "HTTP/1.1 ") && end);
	*ret_status = (unsigned) g_ascii_strtoull(reply->str + strlen("HTTP/1.1 "), NULL, 10);
	return g_strdup(end + 4);
}

/* Is a process with this id still there (a zombie counts as gone)? */
static inline bool leaf_process_lives(pid_t pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/stat", pid), *text = NULL;
	if (!g_file_get_contents(path, &text, NULL, NULL))
		return false;
	const char *after = strrchr(text, ')');
	return after && after[2] != 'Z' && after[2] != 'X';
}
