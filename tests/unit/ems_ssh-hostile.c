/* The driver "ssh" against servers that babble, drip, drop, lie, or are not whom we know: a clear error in time, and never a success. */
#include "base/clock.h"
#include "ems/ssh/ems_ssh.h"
#include "sshd_process.h"

#include <poll.h>
#include <pthread.h>

enum { CALL_MS = 10000, SHORT_CALL_MS = 400, SLACK_MS = 1500 };

#define NF_KEY "nf/a.0"
#define BANNER "SSH-2.0-hostile\r\n"

/* --- servers that never get as far as a session ------------------------------------------------------------------------------------ */

enum manner {
	MANNER_SAY,     /* the text, then close */
	MANNER_ENDLESS, /* the text, then the tail again and again */
	MANNER_DRIP,    /* a byte now and then */
	MANNER_SILENT,
};

struct hostile {
	int listening, stop[2];
	char *address;
	pthread_t thread;
	enum manner manner;
	const char *text, *tail;
};

static bool is_stopped(struct hostile *hostile, int wait_ms)
{
	struct pollfd fd = { .fd = hostile->stop[0], .events = POLLIN };
	return poll(&fd, 1, wait_ms) > 0;
}

static bool say(int fd, const char *bytes, size_t length)
{
	return send(fd, bytes, length, MSG_NOSIGNAL) == (ssize_t) length;
}

static void answer(struct hostile *hostile, int fd)
{
	switch (hostile->manner) {
	case MANNER_SAY:
		say(fd, hostile->text, strlen(hostile->text));
		return;
	case MANNER_ENDLESS:
		say(fd, hostile->text, strlen(hostile->text));
		while (!is_stopped(hostile, 0) && say(fd, hostile->tail, strlen(hostile->tail)))
			;
		return;
	case MANNER_DRIP:
		for (const char *p = hostile->text; !is_stopped(hostile, 20) && say(fd, p, 1); p = p[1] ? p + 1 : p)
			;
		return;
	case MANNER_SILENT:
		is_stopped(hostile, -1);
		return;
	}
}

static void *serve(void *data)
{
	struct hostile *hostile = data;
	for (;;) {
		struct pollfd fds[] = { { .fd = hostile->listening, .events = POLLIN }, { .fd = hostile->stop[0], .events = POLLIN } };
		if (poll(fds, 2, -1) < 0 || fds[1].revents)
			return NULL;
		int fd = accept(hostile->listening, NULL, NULL);
		answer(hostile, fd);
		close(fd);
	}
}

static void begin(struct hostile *hostile, enum manner manner, const char *text, const char *tail)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(address);
	*hostile = (struct hostile) { .manner = manner, .text = text, .tail = tail };
	hostile->listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_assert_cmpint(bind(hostile->listening, (struct sockaddr *) &address, length), ==, 0);
	g_assert_cmpint(getsockname(hostile->listening, (struct sockaddr *) &address, &length), ==, 0);
	g_assert_cmpint(listen(hostile->listening, 16), ==, 0);
	g_assert_cmpint(pipe(hostile->stop), ==, 0);
	hostile->address = g_strdup_printf("127.0.0.1:%u", ntohs(address.sin_port));
	g_assert_cmpint(pthread_create(&hostile->thread, NULL, serve, hostile), ==, 0);
}

static void end(struct hostile *hostile)
{
	g_assert_cmpint(write(hostile->stop[1], "x", 1), ==, 1);
	pthread_join(hostile->thread, NULL);
	close(hostile->listening);
	close(hostile->stop[0]);
	close(hostile->stop[1]);
	g_free(hostile->address);
}

/* --- the driver ---------------------------------------------------------------------------------------------------------------------- */

struct client {
	struct arena *arena;
	struct lookup lookup;
	struct access access;
	struct ems *ems;
	const char *key; /* private */
};

static char *secret_of(const struct lookup *lookup, const char *name, GError **error)
{
	return g_strdup(((const struct client *) lookup->data)->key);
}

/* @options: pairs of name and value, then NULL. */
static void client_open(struct client *client, const char *address, const char *key, const char *const *options)
{
	const char *names[8];
	const struct value *values[8];
	size_t n = 0;
	client->arena = arena_new();
	client->key = key;
	client->lookup = (struct lookup) { .secret = secret_of, .data = client };
	client->access = (struct access) { .key = "vnfc/a.0", .transport = "ssh", .address = address };
	for (; options && options[2 * n]; n++) {
		names[n] = options[2 * n];
		values[n] = value_string(client->arena, options[2 * n + 1]);
	}
	const struct site site = { .name = "berlin", .owner = "tests" };
	const struct driver_ref which = { .name = "agent", .driver = "ssh", .credential = "k", .options = value_map(client->arena, names, values, n) };
	g_autoptr(GError) error = NULL;
	client->ems = ems_ssh_ops.open(&site, &which, &error);
	g_assert_no_error(error);
}

static void client_close(struct client *client)
{
	ems_ssh_ops.close(client->ems);
	arena_unref(client->arena);
}

/* Looks, and must fail in time; what it says, in the client's arena. */
static const char *must_fail(struct client *client, gint64 ms, enum pleach_error code, const char *words)
{
	const struct call call = { .deadline_us = clock_monotonic_us() + ms * 1000, .cancel_fd = -1, .lookup = &client->lookup };
	const struct nf *seen = NULL;
	g_autoptr(GError) error = NULL;
	gint64 begin_us = clock_monotonic_us();
	g_assert_false(ems_ssh_ops.observe(client->ems, &call, &client->access, NF_KEY, client->arena, &seen, &error));
	g_assert_cmpint((clock_monotonic_us() - begin_us) / 1000, <, ms + SLACK_MS);
	g_assert_error(error, PLEACH_ERROR, (int) code);
	if (words && !strstr(error->message, words))
		g_error("\"%s\" does not say \"%s\"", error->message, words);
	return arena_strdup(client->arena, error->message);
}

static void test_never_a_session(void)
{
	static char lines[4096];
	memset(lines, 'x', sizeof(lines) - 1);
	for (size_t i = 60; i < sizeof(lines) - 1; i += 60)
		lines[i] = '\n';
	static char line[4096];
	memset(line, 'x', sizeof(line) - 1);
	const struct {
		enum manner manner;
		const char *text, *tail;
		enum pleach_error code;
	} cases[] = {
		{ MANNER_SILENT, "", "", PLEACH_ERROR_TIMEOUT },
		{ MANNER_SAY, "", "", PLEACH_ERROR_RETRY },
		{ MANNER_SAY, "HTTP/1.1 200 OK\r\n\r\n", "", PLEACH_ERROR_RETRY },
		{ MANNER_SAY, BANNER, "", PLEACH_ERROR_RETRY },
		{ MANNER_SAY, BANNER "\x7f\xff\xff\xff\x04", "", PLEACH_ERROR_RETRY },
		{ MANNER_ENDLESS, "", line, PLEACH_ERROR_RETRY },
		{ MANNER_ENDLESS, "", lines, PLEACH_ERROR_RETRY },
		{ MANNER_ENDLESS, BANNER, line, PLEACH_ERROR_RETRY },
		{ MANNER_DRIP, BANNER "\x01\x01\x01\x01", "", PLEACH_ERROR_TIMEOUT },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct hostile hostile;
		struct client client;
		begin(&hostile, cases[i].manner, cases[i].text, cases[i].tail);
		client_open(&client, hostile.address, "", NULL);
		const struct call call = { .deadline_us = clock_monotonic_us() + SHORT_CALL_MS * 1000, .cancel_fd = -1, .lookup = &client.lookup };
		const struct nf *seen = NULL;
		g_autoptr(GError) error = NULL;
		gint64 begin_us = clock_monotonic_us();
		g_assert_false(ems_ssh_ops.observe(client.ems, &call, &client.access, NF_KEY, client.arena, &seen, &error));
		g_assert_cmpint((clock_monotonic_us() - begin_us) / 1000, <, SHORT_CALL_MS + SLACK_MS);
		/* A server that never ends may as well be cut off by the deadline as by libssh. */
		bool in_time = error->code == PLEACH_ERROR_TIMEOUT && cases[i].manner != MANNER_SAY;
		if (error->code != (int) cases[i].code && !in_time)
			g_error("case %zu: %s", i, error->message);
		client_close(&client);
		end(&hostile);
	}
}

static void test_nobody_there(void)
{
	struct client client;
	g_autofree char *address = g_strdup_printf("127.0.0.1:%u", sshd_free_port());
	client_open(&client, address, "", NULL);
	must_fail(&client, CALL_MS, PLEACH_ERROR_RETRY, "Connection refused");
	client_close(&client);
}

/* --- a real one, with something wrong ------------------------------------------------------------------------------------------------ */

static bool real(struct sshd *sshd, const char *more)
{
	g_autofree char *why = sshd_why_not();
	if (why)
		g_test_skip(why);
	else
		sshd_start(sshd, more);
	return !why;
}

static void test_host_key(void)
{
	struct sshd sshd = { 0 };
	struct client client;
	if (!real(&sshd, NULL))
		return;
	g_autofree char *folder = g_build_filename(sshd.folder, "state", NULL), *known = g_build_filename(sshd.folder, "known", NULL);
	g_autofree char *public_path = g_build_filename(sshd.folder, "host.pub", NULL), *public_key = NULL;
	const char *const nothing[] = { "user", sshd.user, "folder", folder, NULL };
	client_open(&client, sshd.address, sshd.key, nothing);
	const char *said = must_fail(&client, CALL_MS, PLEACH_ERROR_AUTH, sshd.fingerprint);
	g_assert_nonnull(strstr(said, "host_key: SHA256:"));
	g_assert_nonnull(strstr(said, "is not known"));
	client_close(&client);

	const char *const other[] = { "user", sshd.user, "host_key", "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "folder", folder, NULL };
	client_open(&client, sshd.address, sshd.key, other);
	must_fail(&client, CALL_MS, PLEACH_ERROR_AUTH, "another than the one that is pinned");
	client_close(&client);
	g_assert_false(g_file_test(folder, G_FILE_TEST_EXISTS)); /* nothing was ever run there */

	/* By a file in OpenSSH's format. */
	g_assert_true(g_file_get_contents(public_path, &public_key, NULL, NULL));
	g_autofree char *line = g_strdup_printf("[127.0.0.1]:%u %s", sshd.port, public_key);
	g_assert_true(g_file_set_contents(known, line, -1, NULL));
	const char *const file[] = { "user", sshd.user, "known_hosts", known, "folder", folder, NULL };
	client_open(&client, sshd.address, sshd.key, file);
	const struct call call = { .deadline_us = clock_monotonic_us() + CALL_MS * 1000, .cancel_fd = -1, .lookup = &client.lookup };
	const struct nf *seen = NULL;
	g_autoptr(GError) error = NULL;
	g_assert_true(ems_ssh_ops.observe(client.ems, &call, &client.access, NF_KEY, client.arena, &seen, &error));
	g_assert_no_error(error);
	g_assert_null(seen);
	client_close(&client);
	sshd_end(&sshd);
}

static void test_refused_key(void)
{
	struct sshd sshd = { 0 };
	struct client client;
	if (!real(&sshd, NULL))
		return;
	g_autofree char *path = g_build_filename(sshd.folder, "stranger", NULL), *key = NULL;
	sshd_make_key(path);
	g_assert_true(g_file_get_contents(path, &key, NULL, NULL));
	const char *const options[] = { "user", sshd.user, "host_key", sshd.fingerprint, NULL };
	client_open(&client, sshd.address, key, options);
	const char *said = must_fail(&client, CALL_MS, PLEACH_ERROR_AUTH, "secret \"k\"");
	g_assert_null(strstr(said, "PRIVATE"));
	client_close(&client);
	client_open(&client, sshd.address, "no key at all", options);
	said = must_fail(&client, CALL_MS, PLEACH_ERROR_INVALID, "not a private key");
	g_assert_null(strstr(said, "no key at all"));
	client_close(&client);
	sshd_end(&sshd);
}

/* A far side that says more than it is asked, says nothing, or never stops. */
static void test_hostile_shell(void)
{
	static const struct {
		const char *command;
		gint64 ms;
		enum pleach_error code;
	} cases[] = {
		{ "cat /dev/zero", CALL_MS, PLEACH_ERROR_RETRY },
		{ "cat /dev/zero >&2", SHORT_CALL_MS + 600, PLEACH_ERROR_TIMEOUT },
		{ "sleep 100", SHORT_CALL_MS + 600, PLEACH_ERROR_TIMEOUT },
		{ "echo welcome; echo to this router", CALL_MS, PLEACH_ERROR_UNSUPPORTED },
		{ "exit 0", CALL_MS, PLEACH_ERROR_UNSUPPORTED },
		{ "exit 1", CALL_MS, PLEACH_ERROR_RETRY },
		{ "kill -9 $$", CALL_MS, PLEACH_ERROR_RETRY },
		{ "echo /tmp/no-such-place", CALL_MS, PLEACH_ERROR_RETRY },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct sshd sshd = { 0 };
		struct client client;
		g_autofree char *more = g_strdup_printf("ForceCommand %s", cases[i].command);
		if (!real(&sshd, more))
			return;
		const char *const options[] = { "user", sshd.user, "host_key", sshd.fingerprint, NULL };
		client_open(&client, sshd.address, sshd.key, options);
		if (i + 1 < G_N_ELEMENTS(cases)) {
			must_fail(&client, cases[i].ms, cases[i].code, NULL);
		} else {
			/* It prepares, and then says a folder's name to everything: never taken for an NF. */
			const struct call call = { .deadline_us = clock_monotonic_us() + CALL_MS * 1000, .cancel_fd = -1,
						   .lookup = &client.lookup };
			const struct nf want = { .key = NF_KEY, .site = "berlin", .state = NF_STARTED };
			g_autoptr(GError) error = NULL;
			g_assert_false(ems_ssh_ops.ensure_nf(client.ems, &call, &client.access, &want, NULL, client.arena,
							     &(const struct nf *) { NULL }, &error));
			g_assert_nonnull(error);
		}
		client_close(&client);
		sshd_end(&sshd);
	}
}

/* An sftp server that lies. */
static void test_hostile_sftp(void)
{
	static const struct {
		const char *program; /* of perl */
		gint64 ms;
		enum pleach_error code;
	} cases[] = {
		{ "print \"\\xff\" x 100", CALL_MS, PLEACH_ERROR_RETRY },
		{ "print pack(\"NCN\", 5, 2, 3), pack(\"N\", 3)", CALL_MS, PLEACH_ERROR_RETRY },
		{ "print pack(\"NCN\", 5, 2, 3), pack(\"NCNN\", 9, 101, 77, 0) while 1", CALL_MS, PLEACH_ERROR_RETRY },
		{ "print pack(\"NCN\", 5, 2, 3), pack(\"NCNN\", 9, 102, 1, 4000000000)", CALL_MS, PLEACH_ERROR_RETRY },
		{ "exit 0", CALL_MS, PLEACH_ERROR_RETRY },
		{ "sleep 100", 2000, PLEACH_ERROR_TIMEOUT },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct sshd sshd = { 0 };
		struct client client;
		g_autofree char *more = g_strdup_printf("Subsystem sftp perl -e '$| = 1; %s'", cases[i].program);
		if (!real(&sshd, more))
			return;
		g_autofree char *folder = g_build_filename(sshd.folder, "state", NULL), *path = g_build_filename(sshd.folder, "x.conf", NULL);
		const char *const options[] = { "user", sshd.user, "host_key", sshd.fingerprint, "folder", folder, NULL };
		client_open(&client, sshd.address, sshd.key, options);
		const struct nf_file file = { .name = "x", .path = path, .content = "x\n", .mode = "0644" };
		const struct nf want = { .key = NF_KEY, .site = "berlin", .state = NF_STARTED, .files = &file, .n_files = 1 };
		const struct call call = { .deadline_us = clock_monotonic_us() + cases[i].ms * 1000, .cancel_fd = -1, .lookup = &client.lookup };
		const struct nf *got = NULL;
		g_autoptr(GError) error = NULL;
		g_assert_false(ems_ssh_ops.ensure_nf(client.ems, &call, &client.access, &want, NULL, client.arena, &got, &error));
		if (error->code != (int) cases[i].code)
			g_error("case %zu: %s", i, error->message);
		g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
		client_close(&client);
		sshd_end(&sshd);
	}
}

static void test_options(void)
{
	static const struct {
		const char *name, *value, *words;
	} cases[] = {
		{ "colour", "blue", "no option \"colour\"" },
		{ "port", "70000", "port" },
		{ "agent", "perhaps", "neither" },
		{ "folder", "relative", "absolute" },
		{ "folder", "/a/../b", "absolute" },
		{ "host_key", "MD5:00", "SHA256" },
	};
	const struct site site = { .name = "berlin", .owner = "tests" };
	auto_ptr(arena) arena = arena_new();
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		const struct value *value = value_string(arena, cases[i].value);
		const struct driver_ref which = { .name = "agent", .driver = "ssh", .options = value_map(arena, &cases[i].name, &value, 1) };
		g_autoptr(GError) error = NULL;
		g_assert_null(ems_ssh_ops.open(&site, &which, &error));
		g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID);
		if (!strstr(error->message, cases[i].words))
			g_error("\"%s\" does not say \"%s\"", error->message, cases[i].words);
	}
	static const char *const endpoints[] = { "router.example", "ssh://", "10.0.0.1:0", "10.0.0.1:99999", "[::1", "a b" };
	for (size_t i = 0; i < G_N_ELEMENTS(endpoints); i++) {
		const struct driver_ref which = { .name = "agent", .driver = "ssh", .endpoint = endpoints[i] };
		g_autoptr(GError) error = NULL;
		g_assert_null(ems_ssh_ops.open(&site, &which, &error));
		g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/ems_ssh/options", test_options);
	g_test_add_func("/ems_ssh/nobody-there", test_nobody_there);
	g_test_add_func("/ems_ssh/never-a-session", test_never_a_session);
	g_test_add_func("/ems_ssh/host-key", test_host_key);
	g_test_add_func("/ems_ssh/refused-key", test_refused_key);
	g_test_add_func("/ems_ssh/hostile-shell", test_hostile_shell);
	g_test_add_func("/ems_ssh/hostile-sftp", test_hostile_sftp);
	return g_test_run();
}
