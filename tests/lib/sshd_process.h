/* A real sshd (Debian's openssh-server) on the loopback, with a configuration, host key and client key of its own in a temporary folder,
 * for whoever runs the test: root or not. What is logged in and detached becomes a child of the test, and ends with sshd_end().
 */
#pragma once

#include "base/file.h"

#include <arpa/inet.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define SSHD_PROGRAM "/usr/sbin/sshd"
#define SSHD_SEPARATION_FOLDER "/run/sshd"

struct sshd {
	char *folder, *address, *key, *fingerprint, *user;
	pid_t pid;
	unsigned port;
};

/* Why it cannot be run here; NULL: it can. Owned by the caller. */
static inline char *sshd_why_not(void)
{
	g_autofree char *keygen = g_find_program_in_path("ssh-keygen");
	if (g_access(SSHD_PROGRAM, X_OK) != 0 || !keygen)
		return g_strdup("openssh-server is not installed");
	if (geteuid() == 0 && g_mkdir_with_parents(SSHD_SEPARATION_FOLDER, 0755) != 0)
		return g_strdup(SSHD_SEPARATION_FOLDER " cannot be made");
	return NULL;
}

static inline void sshd_make_key(const char *path)
{
	const char *argv[] = { "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", path, NULL };
	int status = -1;
	g_assert_true(g_spawn_sync(NULL, (char **) (guintptr) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, &status, NULL));
	g_assert_cmpint(status, ==, 0);
}

static inline char *sshd_fingerprint(const char *path)
{
	const char *argv[] = { "ssh-keygen", "-l", "-f", path, NULL };
	char *out = NULL;
	g_assert_true(g_spawn_sync(NULL, (char **) (guintptr) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, NULL, NULL, NULL));
	g_auto(GStrv) words = g_strsplit(out, " ", 3);
	g_free(out);
	g_assert_true(g_str_has_prefix(words[1], "SHA256:"));
	return g_strdup(words[1]);
}

static inline unsigned sshd_free_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_assert_cmpint(bind(fd, (struct sockaddr *) &address, length), ==, 0);
	g_assert_cmpint(getsockname(fd, (struct sockaddr *) &address, &length), ==, 0);
	close(fd);
	return ntohs(address.sin_port);
}

static inline bool sshd_answers(unsigned port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t) port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool good = connect(fd, (struct sockaddr *) &address, sizeof(address)) == 0;
	close(fd);
	return good;
}

/* @more: further lines of its configuration. A login shell of level 2 reads no start-up files of this machine. */
static inline void sshd_start(struct sshd *sshd, const char *more)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	sshd->folder = g_dir_make_tmp("pleach-sshd-XXXXXX", NULL);
	sshd->port = sshd_free_port();
	sshd->address = g_strdup_printf("127.0.0.1:%u", sshd->port);
	sshd->user = g_strdup(getpwuid(geteuid())->pw_name);
	g_autofree char *host_key = g_build_filename(sshd->folder, "host", NULL);
	g_autofree char *client_key = g_build_filename(sshd->folder, "client", NULL);
	g_autofree char *public_key = g_strconcat(client_key, ".pub", NULL);
	g_autofree char *config = g_build_filename(sshd->folder, "sshd_config", NULL);
	sshd_make_key(host_key);
	sshd_make_key(client_key);
	sshd->fingerprint = sshd_fingerprint(host_key);
	g_assert_true(g_file_get_contents(client_key, &sshd->key, NULL, NULL));
	g_autofree char *text = g_strdup_printf("Port %u\nListenAddress 127.0.0.1\nHostKey %s\nAuthorizedKeysFile %s\nPidFile none\nStrictModes no\n"
						"UsePAM no\nSetEnv SHLVL=2\nPasswordAuthentication no\nPermitRootLogin yes\nMaxSessions 32\n%s\n",
						sshd->port, host_key, public_key, more ? more : "Subsystem sftp internal-sftp");
	g_assert_true(g_file_set_contents(config, text, -1, NULL));
	sshd->pid = fork();
	if (sshd->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execl(SSHD_PROGRAM, SSHD_PROGRAM, "-D", "-q", "-f", config, NULL);
		_exit(127);
	}
	for (int i = 0; i < 500 && !sshd_answers(sshd->port); i++)
		g_usleep(10000);
	g_assert_true(sshd_answers(sshd->port));
}

/* Kills the children of @parent; how many there were. */
static inline unsigned sshd_kill_children(pid_t parent)
{
	unsigned n = 0;
	const char *name;
	GDir *proc = g_dir_open("/proc", 0, NULL);
	while ((name = g_dir_read_name(proc))) {
		g_autofree char *path = g_strdup_printf("/proc/%s/stat", name), *text = NULL;
		int of = 0;
		char state = 0;
		if (!g_ascii_isdigit(*name) || !g_file_get_contents(path, &text, NULL, NULL))
			continue;
		const char *after = strrchr(text, ')');
		if (after && sscanf(after + 1, " %c %d", &state, &of) == 2 && of == parent && state != 'Z') {
			kill((pid_t) g_ascii_strtoll(name, NULL, 10), SIGKILL);
			n++;
		}
	}
	g_dir_close(proc);
	return n;
}

/* The server, and all connections to it. What was detached goes on. */
static inline void sshd_kill(struct sshd *sshd)
{
	if (sshd->pid == 0)
		return;
	kill(sshd->pid, SIGSTOP); /* it takes no new one meanwhile */
	sshd_kill_children(sshd->pid);
	kill(sshd->pid, SIGKILL);
	waitpid(sshd->pid, NULL, 0);
	sshd->pid = 0;
}

static inline void sshd_end(struct sshd *sshd)
{
	sshd_kill(sshd);
	for (int i = 0; i < 500; i++) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (sshd_kill_children(getpid()) == 0)
			break;
		g_usleep(2000);
	}
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	file_remove_tree(sshd->folder, NULL);
	g_free(sshd->folder);
	g_free(sshd->address);
	g_free(sshd->key);
	g_free(sshd->fingerprint);
	g_free(sshd->user);
	*sshd = (struct sshd) { 0 };
}
