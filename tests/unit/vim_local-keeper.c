/* The keeper's life, and what it bears: garbage, clients that die at any byte, being killed, being started twice. And what a VNF
 * sees. */
#include "vim/local/private.h"

#include "base/clock.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LONG_MS = 30000 };

struct fixture {
	char *runtime;
	struct site site;
	struct vim *vim;
	struct arena *arena;
};

static struct call in_time(void)
{
	return (struct call) { .deadline_us = clock_monotonic_us() + LONG_MS * 1000, .cancel_fd = -1 };
}

static bool may_make_namespaces(void)
{
	pid_t pid = fork();
	if (pid == 0)
		_exit(unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 ? 0 : 1);
	int status = -1;
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static bool begin(struct fixture *f)
{
	*f = (struct fixture) { .site = { .name = "berlin", .owner = "life" } };
	if (!may_make_namespaces()) {
		g_test_skip("user namespaces may not be made here");
		return false;
	}
	f->runtime = g_strdup("/tmp/pleach-life-XXXXXX");
	g_assert_nonnull(g_mkdtemp(f->runtime));
	g_setenv("PLEACH_RUNTIME_DIR", f->runtime, TRUE);
	g_autoptr(GError) error = NULL;
	f->vim = vim_local_ops.open(&f->site, &error);
	g_assert_no_error(error);
	f->arena = arena_new();
	return true;
}

static void gone(const char *path)
{
	for (int i = 0; i < 1000 && g_file_test(path, G_FILE_TEST_EXISTS); i++)
		g_usleep(5000);
	g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
}

static void end(struct fixture *f)
{
	g_autoptr(GError) error = NULL;
	struct call call = in_time();
	vim_local_ops.clean(f->vim, &call, &error);
	g_assert_no_error(error);
	vim_local_ops.close(f->vim);
	rmdir(f->runtime); /* when no keeper was ever there to do it */
	gone(f->runtime);
	arena_unref(f->arena);
	g_free(f->runtime);
}

static const struct vnfc *make(struct fixture *f, const char *key)
{
	g_autoptr(GError) error = NULL;
	struct call call = in_time();
	struct link link = { .key = "link/a.lan", .site = "berlin", .incarnation = 1, .cidr = "10.1.0.0/24", .mtu = 1500,
		.up = true };
	struct cp cp = { .name = "eth0", .link = link.key, .mtu = 1500, .cidr = link.cidr, .up = true };
	struct vnfc want = { .key = key, .site = "berlin", .incarnation = 1, .hostname = "small", .pids = 64, .cps = &cp,
		.n_cps = 1 };
	vim_local_ops.ensure_link(f->vim, &call, &link, &error);
	g_assert_no_error(error);
	const struct vnfc *got = NULL;
	vim_local_ops.ensure_vnfc(f->vim, &call, &want, f->arena, &got, NULL, &error);
	g_assert_no_error(error);
	return got;
}

static pid_t keeper_pid(void)
{
	g_autoptr(GPtrArray) sites = g_ptr_array_new_with_free_func((GDestroyNotify) vim_site_free);
	g_assert_true(vim_local_ops.list(sites, NULL));
	return sites->len ? (pid_t) ((struct vim_site *) sites->pdata[0])->pid : 0;
}

static void ended(gint64 pid)
{
	for (int i = 0; i < 1000 && kill((pid_t) pid, 0) == 0; i++)
		g_usleep(5000);
	g_assert_cmpint(kill((pid_t) pid, 0), <, 0);
}

static void is_well(struct fixture *f)
{
	auto_ptr(arena) arena = arena_new();
	auto_ptr(observation) seen = observation_new(arena);
	g_autoptr(GError) error = NULL;
	struct call call = in_time();
	vim_local_ops.observe(f->vim, &call, seen, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(seen->vnfcs->len, ==, 1);
	g_assert_cmpint(((const struct vnfc *) seen->vnfcs->pdata[0])->state, ==, VNFC_RUNNING);
}

/* --- its life --------------------------------------------------------------------------------------------------------------- */

static void test_ends_by_itself(void)
{
	struct fixture f;
	if (!begin(&f))
		return;
	make(&f, "vnfc/a.b.0");
	g_autoptr(GPtrArray) sites = g_ptr_array_new_with_free_func((GDestroyNotify) vim_site_free);
	g_assert_true(vim_local_ops.list(sites, NULL));
	g_assert_cmpuint(sites->len, ==, 1);
	const struct vim_site *site = sites->pdata[0];
	g_assert_cmpstr(site->owner, ==, "life");
	g_assert_cmpstr(site->site, ==, "berlin");
	g_assert_cmpint(site->n_links, ==, 1);
	g_assert_cmpint(site->n_vnfcs, ==, 1);
	g_autoptr(GError) error = NULL;
	struct call call = in_time();
	g_assert_true(vim_local_ops.remove(f.vim, &call, &(struct ref) { "vnfc/a.b.0", 0 }, &error));
	g_assert_true(vim_local_ops.remove(f.vim, &call, &(struct ref) { "link/a.lan", 0 }, &error));
	client_close_idle(f.vim);
	gone(f.runtime);
	ended(site->pid);
	end(&f);
}

/* What it was asked to do is no news to whoever asked: a look at the whole site would follow every act. */
static void test_says_nothing_of_its_own_acts(void)
{
	enum { QUIET_MS = 200 };
	struct fixture f;
	if (!begin(&f))
		return;
	int fd = vim_local_ops.watch_fd(f.vim);
	make(&f, "vnfc/a.b.0");
	while (poll(&(struct pollfd) { .fd = fd, .events = POLLIN }, 1, QUIET_MS) > 0)
		g_clear_pointer(&(GPtrArray *) { vim_local_ops.watch_read(f.vim) }, g_ptr_array_unref);
	gint64 pid = make(&f, "vnfc/a.b.1")->pid;
	g_assert_cmpint(poll(&(struct pollfd) { .fd = fd, .events = POLLIN }, 1, QUIET_MS), ==, 0);
	/* But of what others do. */
	g_assert_cmpint(kill((pid_t) pid, SIGKILL), ==, 0);
	g_assert_cmpint(poll(&(struct pollfd) { .fd = fd, .events = POLLIN }, 1, LONG_MS), ==, 1);
	g_autoptr(GPtrArray) keys = vim_local_ops.watch_read(f.vim);
	g_assert_cmpuint(keys->len, ==, 1);
	g_assert_cmpstr(keys->pdata[0], ==, "vnfc/a.b.1");
	end(&f);
}

static void test_killed(void)
{
	struct fixture f;
	if (!begin(&f))
		return;
	int fd = vim_local_ops.watch_fd(f.vim);
	gint64 first = make(&f, "vnfc/a.b.0")->pid, second = make(&f, "vnfc/a.b.1")->pid;
	pid_t keeper = keeper_pid();
	g_assert_cmpint(keeper, >, 0);
	while (poll(&(struct pollfd) { .fd = fd, .events = POLLIN }, 1, 100) > 0)
		g_clear_pointer(&(GPtrArray *) { vim_local_ops.watch_read(f.vim) }, g_ptr_array_unref);
	g_assert_cmpint(kill(keeper, SIGKILL), ==, 0);
	ended(first);
	ended(second);
	gone(f.runtime);
	/* Whoever watches is told, to look at everything. */
	g_assert_cmpint(poll(&(struct pollfd) { .fd = fd, .events = POLLIN }, 1, 3000), ==, 1);
	g_assert_null(vim_local_ops.watch_read(f.vim));
	g_assert_cmpint(poll(&(struct pollfd) { .fd = fd, .events = POLLIN }, 1, 0), ==, 0);
	auto_ptr(observation) seen = observation_new(f.arena);
	struct call call = in_time();
	g_assert_true(vim_local_ops.observe(f.vim, &call, seen, NULL));
	g_assert_cmpuint(seen->vnfcs->len + seen->links->len, ==, 0);
	make(&f, "vnfc/a.b.0");
	g_assert_cmpint(keeper_pid(), !=, keeper);
	end(&f);
}

static void test_asked_to_end(void)
{
	struct fixture f;
	if (!begin(&f))
		return;
	gint64 pid = make(&f, "vnfc/a.b.0")->pid;
	g_assert_cmpint(kill(keeper_pid(), SIGTERM), ==, 0);
	gone(f.runtime);
	ended(pid);
	end(&f);
}

static void *make_link(void *data)
{
	struct fixture *f = data;
	g_autoptr(GError) error = NULL;
	struct vim *vim = vim_local_ops.open(&f->site, &error);
	struct call call = in_time();
	struct link link = { .key = "link/a.lan", .site = "berlin", .incarnation = 1, .mtu = 1500, .up = true };
	vim_local_ops.ensure_link(vim, &call, &link, &error);
	g_assert_no_error(error);
	vim_local_ops.close(vim);
	return NULL;
}

static void test_started_by_many(void)
{
	struct fixture f;
	if (!begin(&f))
		return;
	GThread *threads[6];
	for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
		threads[i] = g_thread_new("starter", make_link, &f);
	for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
		g_thread_join(threads[i]);
	g_autoptr(GPtrArray) sites = g_ptr_array_new_with_free_func((GDestroyNotify) vim_site_free);
	g_assert_true(vim_local_ops.list(sites, NULL));
	g_assert_cmpuint(sites->len, ==, 1);
	g_assert_cmpint(((struct vim_site *) sites->pdata[0])->n_links, ==, 1);
	end(&f);
}

static void test_cannot_start(void)
{
	struct fixture f;
	if (!begin(&f))
		return;
	g_autoptr(GError) error = NULL;
	struct call call = in_time();
	struct link link = { .key = "link/a.lan", .site = "berlin", .incarnation = 1, .mtu = 1500, .up = true };
	/* A folder that others may write to is not trusted. */
	g_assert_cmpint(chmod(f.runtime, 0777), ==, 0);
	g_assert_false(vim_local_ops.ensure_link(f.vim, &call, &link, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_PERMANENT);
	g_assert_nonnull(strstr(error->message, f.runtime));
	g_assert_cmpint(chmod(f.runtime, 0700), ==, 0);
	end(&f);
	g_autofree char *folder = g_strnfill(100, 'x'), *path = g_build_filename("/tmp", folder, NULL);
	g_setenv("PLEACH_RUNTIME_DIR", path, TRUE);
	g_clear_error(&error);
	g_assert_null(vim_local_ops.open(&f.site, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID);
}

/* --- what it bears ---------------------------------------------------------------------------------------------------------- */

static void say(struct fixture *f, const void *bytes, size_t n)
{
	int fd = client_connect(f->vim->folder, NULL);
	g_assert_cmpint(fd, >=, 0);
	if (n && send(fd, bytes, n, MSG_NOSIGNAL) < 0)
		g_test_message("it hung up first");
	close(fd);
}

static void test_garbage(void)
{
	struct fixture f;
	if (!begin(&f))
		return;
	make(&f, "vnfc/a.b.0");
	unsigned char bytes[4096];
	for (int i = 0; i < 300; i++) {
		size_t n = (size_t) g_test_rand_int_range(0, sizeof(bytes));
		for (size_t k = 0; k < n; k++)
			bytes[k] = (unsigned char) g_test_rand_int_range(0, 256);
		if (n > 4 && i % 2)
			keeper_header_put(bytes, n - 4); /* a whole message of garbage */
		say(&f, bytes, n);
	}
	keeper_header_put(bytes, KEEPER_REQUEST_MAX_BYTES + 1);
	say(&f, bytes, 4);
	is_well(&f);
	end(&f);
}

/* A client that goes after every single byte of a request. */
static void test_cut_anywhere(void)
{
	struct fixture f;
	if (!begin(&f))
		return;
	make(&f, "vnfc/a.b.0");
	static const struct keeper_request requests[] = {
		{ .op = KEEPER_OBSERVE, .left_ms = 1000 },
		{ .op = KEEPER_WATCH, .left_ms = 1000 },
		{ .op = KEEPER_ENSURE_LINK, .left_ms = 1000, .link = { .key = "link/a.lan", .mtu = 1500, .up = true } },
		{ .op = KEEPER_CONNECT, .left_ms = 1000, .key = "vnfc/a.b.0", .host = "10.1.0.250", .port = 9 },
	};
	for (size_t r = 0; r < G_N_ELEMENTS(requests); r++) {
		g_autofree char *text = keeper_request_text(&requests[r]);
		size_t length = strlen(text);
		g_autofree unsigned char *bytes = g_malloc(length + KEEPER_HEADER_BYTES);
		keeper_header_put(bytes, length);
		memcpy(bytes + KEEPER_HEADER_BYTES, text, length);
		for (size_t n = 0; n <= length + KEEPER_HEADER_BYTES; n++)
			say(&f, bytes, n);
	}
	is_well(&f);
	end(&f);
}

static void test_many_clients(void)
{
	struct fixture f;
	if (!begin(&f))
		return;
	make(&f, "vnfc/a.b.0");
	int fds[400];
	for (size_t i = 0; i < G_N_ELEMENTS(fds); i++)
		fds[i] = client_connect(f.vim->folder, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	is_well(&f);
	end(&f);
}

/* A caller that goes takes its command with it. */
static void test_exec_goes_with_its_caller(void)
{
	struct fixture f;
	if (!begin(&f))
		return;
	make(&f, "vnfc/a.b.0");
	g_autofree char *mark = g_strdup_printf("%d.5", 86400 + (int) getpid());
	char *argv[] = { (char[]) { "sleep" }, mark, NULL }, *look[] = { (char[]) { "pgrep" }, (char[]) { "-f" }, mark, NULL };
	struct call brief = { .deadline_us = clock_monotonic_us() + 300000, .cancel_fd = -1 }, call = in_time();
	int status = 0;
	g_autoptr(GError) error = NULL;
	g_assert_false(vim_local_ops.exec(f.vim, &brief, "vnfc/a.b.0", argv, (int[]) { 0, 1, 2 }, &status, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_TIMEOUT);
	g_clear_error(&error);
	for (int i = 0; i < 200 && status != 1; i++) {
		g_usleep(10000);
		g_assert_true(vim_local_ops.exec(f.vim, &call, "vnfc/a.b.0", look, (int[]) { 0, 2, 2 }, &status, &error));
	}
	g_assert_cmpint(status, ==, 1);
	end(&f);
}

/* --- what a VNF sees -------------------------------------------------------------------------------------------------------- */

static void expect(struct fixture *f, const char *script, int wanted)
{
	g_autofree char *text = g_strdup(script);
	char *argv[] = { (char[]) { "sh" }, (char[]) { "-c" }, text, NULL };
	g_autoptr(GError) error = NULL;
	struct call call = in_time();
	int status = -1, null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	vim_local_ops.exec(f->vim, &call, "vnfc/a.b.0", argv, (int[]) { null_fd, null_fd, null_fd }, &status, &error);
	close(null_fd);
	g_assert_no_error(error);
	if ((status == 0) != (wanted == 0))
		g_error("\"%s\" ended with status %d", script, status);
}

static void test_inside(void)
{
	struct fixture f;
	if (!begin(&f))
		return;
	make(&f, "vnfc/a.b.0");
	static const char *const true_there[] = {
		"test $(cat /proc/1/comm) = pleach-leaf", "test $(hostname) = small", "test $(id -u) = 0",
			"touch /etc/x /var/x /run/x /tmp/x",
		"grep -q small /etc/hosts", "test -r /etc/passwd", "getent passwd nobody",
			"test -c /dev/null",
		"echo x > /dev/null", "test -d /dev/shm && touch /dev/shm/x", "test -e /dev/ptmx", "ls /sys/class/net/eth0",
			"ls /usr/bin >/dev/null",
		"test $(cat /proc/sys/net/ipv4/ip_unprivileged_port_start) = 0", "ip link show eth0 | grep -q 'state UP'",
		"test $(cat /proc/sys/net/ipv6/conf/all/disable_ipv6) = 1", "ip -4 address show lo | grep -q 127.0.0.1",
		"grep -q 'NoNewPrivs:.1' /proc/self/status", "test -d /var/tmp && test -w /var/tmp",
			"test $(stat -c %a /tmp) = 1777",
		"echo 1 > /proc/sys/net/ipv4/ip_forward",
	};
	static const char *const not_there[] = {
		"test -e /home", "test -e /root", "test -e /etc/shadow", "test -e /etc/ssh", "touch /usr/x", "touch /x",
			"touch /bin/x",
		"mount -t tmpfs none /mnt", "mount -o remount,rw /usr", "umount /proc", "test -e /.old",
			"test -e /etc/ssl/private",
		"touch /etc/ssl/certs/x", "mknod /tmp/sda b 8 0", "hostname other", "test -e /dev/sda", "test -e /dev/vda",
		"ls /proc/1/root/tmp/pleach-*",
	};
	for (size_t i = 0; i < G_N_ELEMENTS(true_there); i++)
		expect(&f, true_there[i], 0);
	for (size_t i = 0; i < G_N_ELEMENTS(not_there); i++)
		expect(&f, not_there[i], 1);
	is_well(&f);
	end(&f);
}

/* Root in the VNF is nobody on the host. */
static void test_not_the_hosts_root(void)
{
	struct fixture f;
	if (!begin(&f))
		return;
	gint64 pid = make(&f, "vnfc/a.b.0")->pid;
	g_autofree char *path = g_strdup_printf("/proc/%" G_GINT64_FORMAT, pid);
	struct stat st;
	g_assert_cmpint(stat(path, &st), ==, 0);
	g_autofree char *status = g_build_filename(path, "status", NULL), *text = NULL;
	g_assert_true(g_file_get_contents(status, &text, NULL, NULL));
	unsigned uid = 0;
	g_assert_cmpint(sscanf(strstr(text, "Uid:"), "Uid: %u", &uid), ==, 1);
	g_assert_cmpuint(uid, !=, 0);
	g_assert_true(geteuid() == 0 ? uid >= 0x70000000 : uid == geteuid());
	end(&f);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_setenv("PLEACH_LIBEXEC", BINARY_DIR "/bin", TRUE);
	g_test_add_func("/vim_local/keeper/ends-by-itself", test_ends_by_itself);
	g_test_add_func("/vim_local/keeper/says-nothing-of-its-own-acts", test_says_nothing_of_its_own_acts);
	g_test_add_func("/vim_local/keeper/killed", test_killed);
	g_test_add_func("/vim_local/keeper/asked-to-end", test_asked_to_end);
	g_test_add_func("/vim_local/keeper/started-by-many", test_started_by_many);
	g_test_add_func("/vim_local/keeper/cannot-start", test_cannot_start);
	g_test_add_func("/vim_local/keeper/garbage", test_garbage);
	g_test_add_func("/vim_local/keeper/cut-anywhere", test_cut_anywhere);
	g_test_add_func("/vim_local/keeper/many-clients", test_many_clients);
	g_test_add_func("/vim_local/keeper/exec-goes-with-its-caller", test_exec_goes_with_its_caller);
	g_test_add_func("/vim_local/vnf/inside", test_inside);
	g_test_add_func("/vim_local/vnf/not-the-hosts-root", test_not_the_hosts_root);
	return g_test_run();
}
