/* The driver "ssh" the other ways round: through sudo, with the keys of an agent, over IPv6, at an endpoint; and what becomes of connections
 * that nobody uses. Against a real sshd on the loopback. */
#include "base/clock.h"
#include "ems/ssh/ems_ssh.h"
#include "ems/ssh/private.h"
#include "sshd_process.h"

#include <netinet/tcp.h>

enum { CALL_MS = 20000 };

#define NF_KEY "nf/a.0"

struct way {
	struct arena *arena;
	struct sshd sshd;
	struct lookup lookup;
	struct access access;
	const char *keys[8];
	const struct value *values[8];
	size_t n;
	struct ems *ems;
};

static char *secret_of(const struct lookup *lookup, const char *name, GError **error)
{
	const struct way *way = lookup->data;
	return g_strdup(way->sshd.key);
}

static void option(struct way *way, const char *key, const char *value)
{
	way->keys[way->n] = key;
	way->values[way->n++] = value_string(way->arena, value);
}

static bool begin(struct way *way, const char *config)
{
	g_autofree char *why = sshd_why_not();
	*way = (struct way) { 0 };
	if (why) {
		g_test_skip(why);
		return false;
	}
	sshd_start(&way->sshd, config);
	way->arena = arena_new();
	way->lookup = (struct lookup) { .secret = secret_of, .data = way };
	way->access = (struct access) { .key = "vnfc/a.0", .transport = "ssh", .address = way->sshd.address };
	option(way, "user", way->sshd.user);
	option(way, "host_key", way->sshd.fingerprint);
	option(way, "folder", arena_printf(way->arena, "%s/state", way->sshd.folder));
	return true;
}

static void open_ems(struct way *way, const char *credential, const char *endpoint)
{
	const struct site site = { .name = "berlin", .owner = "tests" };
	const struct driver_ref which = { .name = "router", .driver = "ssh", .credential = credential, .endpoint = endpoint,
					  .options = value_map(way->arena, way->keys, way->values, way->n) };
	g_autoptr(GError) error = NULL;
	way->ems = ems_ssh_ops.open(&site, &which, &error);
	g_assert_no_error(error);
}

static void end(struct way *way)
{
	ems_ssh_ops.close(way->ems);
	sshd_end(&way->sshd);
	arena_unref(way->arena);
}

static struct call call_of(const struct way *way)
{
	return (struct call) { .deadline_us = clock_monotonic_us() + CALL_MS * 1000, .cancel_fd = -1, .lookup = &way->lookup };
}

static const struct nf *observe(struct way *way)
{
	const struct call call = call_of(way);
	const struct nf *seen = NULL;
	g_autoptr(GError) error = NULL;
	bool ok = ems_ssh_ops.observe(way->ems, &call, &way->access, NF_KEY, way->arena, &seen, &error);
	g_assert_no_error(error);
	g_assert_true(ok);
	return seen;
}

/* Made, with a file; seen; taken away. */
static void live(struct way *way)
{
	const char *const command[] = { "sleep", "1000", NULL };
	const char *path = arena_printf(way->arena, "%s/a.conf", way->sshd.folder);
	const struct nf_file file = { .name = "c", .path = path, .content = "text\n", .mode = "0600" };
	const struct nf want = { .key = NF_KEY, .site = "berlin", .state = NF_STARTED, .command = (const char **) (uintptr_t) command,
				 .files = &file, .n_files = 1 };
	const struct call call = call_of(way);
	const struct nf *got = NULL;
	g_autofree char *text = NULL;
	g_autoptr(GError) error = NULL;
	g_assert_null(observe(way));
	ems_ssh_ops.ensure_nf(way->ems, &call, &way->access, &want, NULL, way->arena, &got, &error);
	g_assert_no_error(error);
	g_assert_cmpint(got->state, ==, NF_STARTED);
	g_assert_cmpint(observe(way)->state, ==, NF_STARTED);
	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	g_assert_cmpstr(text, ==, "text\n");
	ems_ssh_ops.remove_nf(way->ems, &call, &way->access, NF_KEY, &error);
	g_assert_no_error(error);
	g_assert_null(observe(way));
}

/* --- sudo -------------------------------------------------------------------------------------------------------------------------- */

/* A sudo of the test's own, which writes down what it is asked: it knows "-n", and nothing that would ask for a password. */
static void test_sudo(void)
{
	struct way way;
	g_autofree char *folder = g_dir_make_tmp("pleach-sudo-XXXXXX", NULL), *program = g_build_filename(folder, "sudo", NULL);
	g_autofree char *log = g_build_filename(folder, "log", NULL), *asked = NULL;
	g_autofree char *script = g_strdup_printf("#!/bin/sh\n[ \"$1\" = -n ] || exit 9\nshift\necho \"$1\" >>%s\nexec \"$@\"\n", log);
	g_autofree char *config = g_strdup_printf("Subsystem sftp internal-sftp\n"
						  "ForceCommand PATH=%s:$PATH exec sh -c \"$SSH_ORIGINAL_COMMAND\"", folder);
	g_assert_true(g_file_set_contents_full(program, script, -1, G_FILE_SET_CONTENTS_NONE, 0755, NULL));
	if (begin(&way, config)) {
		option(&way, "sudo", "yes");
		open_ems(&way, "k", NULL);
		live(&way);
		g_assert_true(g_file_get_contents(log, &asked, NULL, NULL));
		g_assert_true(g_str_has_prefix(asked, "sh\nsh\n"));
		end(&way);
	}
	file_remove_tree(folder, NULL);
}

/* One that wants a password: said in its own words, and nothing is waited for. */
static void test_sudo_refuses(void)
{
	struct way way;
	g_autofree char *folder = g_dir_make_tmp("pleach-sudo-XXXXXX", NULL), *program = g_build_filename(folder, "sudo", NULL);
	g_autofree char *config = g_strdup_printf("Subsystem sftp internal-sftp\n"
						  "ForceCommand PATH=%s:$PATH exec sh -c \"$SSH_ORIGINAL_COMMAND\"", folder);
	g_assert_true(g_file_set_contents_full(program, "#!/bin/sh\necho 'sudo: a password is required' >&2\nexit 1\n", -1,
					       G_FILE_SET_CONTENTS_NONE, 0755, NULL));
	if (begin(&way, config)) {
		option(&way, "sudo", "yes");
		open_ems(&way, "k", NULL);
		const struct call call = call_of(&way);
		const struct nf *seen = NULL;
		g_autoptr(GError) error = NULL;
		g_assert_false(ems_ssh_ops.observe(way.ems, &call, &way.access, NF_KEY, way.arena, &seen, &error));
		g_assert_nonnull(strstr(error->message, "a password is required"));
		end(&way);
	}
	file_remove_tree(folder, NULL);
}

/* --- an agent ------------------------------------------------------------------------------------------------------------------------ */

/* It ends with the test, whatever becomes of that. */
static void end_with_parent(gpointer data)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static GPid start_agent(const struct way *way, const char *socket)
{
	g_autofree char *key = g_build_filename(way->sshd.folder, "client", NULL);
	const char *agent[] = { "ssh-agent", "-D", "-a", socket, NULL }, *add[] = { "ssh-add", "-q", key, NULL };
	GPid pid = 0;
	int status = -1;
	GSpawnFlags flags = G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL;
	g_assert_true(g_spawn_async(NULL, (char **) (guintptr) agent, NULL, flags, end_with_parent, NULL, &pid, NULL));
	for (int i = 0; i < 500 && g_access(socket, F_OK) != 0; i++)
		g_usleep(10000);
	g_setenv("SSH_AUTH_SOCK", socket, TRUE);
	g_assert_true(g_spawn_sync(NULL, (char **) (guintptr) add, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, &status, NULL));
	g_assert_cmpint(status, ==, 0);
	return pid;
}

static void test_agent(void)
{
	struct way way;
	g_autofree char *agent = g_find_program_in_path("ssh-agent");
	if (!agent) {
		g_test_skip("ssh-agent is not installed");
		return;
	}
	if (!begin(&way, NULL))
		return;
	g_autofree char *socket = g_build_filename(way.sshd.folder, "agent", NULL);
	GPid pid = start_agent(&way, socket);
	open_ems(&way, NULL, NULL); /* it is not asked for without the option */
	const struct call call = call_of(&way);
	const struct nf *seen = NULL;
	g_autoptr(GError) error = NULL;
	g_assert_false(ems_ssh_ops.observe(way.ems, &call, &way.access, NF_KEY, way.arena, &seen, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID);
	g_assert_nonnull(strstr(error->message, "agent: yes"));
	ems_ssh_ops.close(way.ems);
	option(&way, "agent", "yes");
	open_ems(&way, NULL, NULL);
	live(&way);
	g_unsetenv("SSH_AUTH_SOCK");
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	end(&way);
}

/* --- where ------------------------------------------------------------------------------------------------------------------------- */

static bool has_ipv6(void)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool has = fd >= 0 && bind(fd, (struct sockaddr *) &address, sizeof(address)) == 0;
	if (fd >= 0)
		close(fd);
	return has;
}

static void test_ipv6_endpoint(void)
{
	struct way way;
	if (!has_ipv6()) {
		g_test_skip("there is no IPv6 loopback");
		return;
	}
	if (!begin(&way, "Subsystem sftp internal-sftp\nListenAddress ::1"))
		return;
	way.access = (struct access) { .key = "vnfc/a.0", .transport = "unix", .address = "/nonexistent" }; /* the endpoint counts */
	open_ems(&way, "k", arena_printf(way.arena, "[::1]:%u", way.sshd.port));
	live(&way);
	end(&way);
}

/* --- connections ------------------------------------------------------------------------------------------------------------------ */

static void test_idle(void)
{
	struct way way;
	if (!begin(&way, NULL))
		return;
	open_ems(&way, "k", NULL);
	observe(&way);
	observe(&way);
	g_assert_cmpuint(way.ems->idle->len, ==, 1); /* the same one */
	const struct wire *first = way.ems->idle->pdata[0];
	int on = 0, seconds = 0;
	socklen_t length = sizeof(on);
	g_assert_cmpint(getsockopt(first->fd, SOL_SOCKET, SO_KEEPALIVE, &on, &length), ==, 0);
	g_assert_cmpint(getsockopt(first->fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, &length), ==, 0);
	g_assert_true(on == 1 && seconds == SSH_KEEPALIVE_S);
	/* Unused for long: whoever comes next, for whichever VNFC, closes it. */
	((struct wire *) way.ems->idle->pdata[0])->used_us -= SSH_IDLE_MS * 1000LL + 1;
	way.access.key = "vnfc/b.0";
	observe(&way);
	g_assert_cmpuint(way.ems->idle->len, ==, 1);
	g_assert_cmpstr(((const struct wire *) way.ems->idle->pdata[0])->key, ==, "vnfc/b.0");
	end(&way);
}

/* More VNFCs than are kept connected: those that were used longest ago are closed. */
static void test_many(void)
{
	struct way way;
	if (!begin(&way, "Subsystem sftp internal-sftp\nMaxStartups 200"))
		return;
	open_ems(&way, "k", NULL);
	for (int i = 0; i < SSH_WIRES_MAX + 2; i++) {
		way.access.key = arena_printf(way.arena, "vnfc/a.%d", i);
		const struct call call = call_of(&way);
		g_autoptr(GError) error = NULL;
		struct wire *wire = pool_take(way.ems, &call, &way.access, &error);
		g_assert_no_error(error);
		pool_give(way.ems, wire);
	}
	g_assert_cmpuint(way.ems->idle->len, ==, SSH_WIRES_MAX);
	g_assert_cmpstr(((const struct wire *) way.ems->idle->pdata[0])->key, ==, "vnfc/a.2");
	end(&way);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/ems_ssh/ways/sudo", test_sudo);
	g_test_add_func("/ems_ssh/ways/sudo-refuses", test_sudo_refuses);
	g_test_add_func("/ems_ssh/ways/agent", test_agent);
	g_test_add_func("/ems_ssh/ways/ipv6-endpoint", test_ipv6_endpoint);
	g_test_add_func("/ems_ssh/ways/idle", test_idle);
	g_test_add_func("/ems_ssh/ways/many", test_many);
	return g_test_run();
}
