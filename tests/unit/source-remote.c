/* The fetching child and its parent: a far side that is silent, hangs up, talks without end or nonsense; a mirror that is not whole,
 * that was left half-done, that has many packs. What a real server does is in tests/integration/remote.t. */
#include "source/remote.h"

#include "gitrepo.h"
#include "source/fetch.h"
#include "source/mirror.h"
#include "source/source.h"

#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- a far side of one kind or another, on a thread --------------------------------------------------------------------------- */

enum manner { SILENT, HANGS_UP, ENDLESS_HEADER, ENDLESS_REFS, NONSENSE };

struct server {
	int fd;
	unsigned port;
	enum manner manner;
	gint stop;
	GThread *thread;
};

static void send_for_ever(struct server *server, int client, const char *start, const char *piece)
{
	g_autoptr(GString) many = g_string_new(NULL);
	while (many->len < 65536)
		g_string_append(many, piece);
	bool good = send(client, start, strlen(start), MSG_NOSIGNAL) > 0;
	while (good && !g_atomic_int_get(&server->stop))
		good = send(client, many->str, many->len, MSG_NOSIGNAL) > 0;
}

static gpointer serve(gpointer data)
{
	static const char nonsense[] = "HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-advertisement\r\n"
				       "Content-Length: 12\r\n\r\nzzzznonsense";
	struct server *server = data;
	while (!g_atomic_int_get(&server->stop)) {
		int client = accept(server->fd, NULL, NULL);
		char request[4096];
		if (client < 0 || recv(client, request, sizeof request, 0) <= 0) {
			if (client >= 0)
				close(client);
			continue;
		}
		switch (server->manner) {
		case SILENT:
			while (!g_atomic_int_get(&server->stop) && recv(client, request, sizeof request, 0) > 0)
				;
			break;
		case HANGS_UP:
			break;
		case ENDLESS_HEADER:
			send_for_ever(server, client, "HTTP/1.1 200 OK\r\n", "X-More: and more\r\n");
			break;
		case ENDLESS_REFS:
			send_for_ever(server, client,
				      "HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-advertisement\r\n\r\n"
				      "001e# service=git-upload-pack\n0000",
				      "003d0123456789012345678901234567890123456789 refs/heads/main\n");
			break;
		case NONSENSE:
			send(client, nonsense, strlen(nonsense), MSG_NOSIGNAL);
			break;
		}
		close(client);
	}
	return NULL;
}

static struct server *server_new(enum manner manner)
{
	struct server *server = g_new0(struct server, 1);
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof address;
	server->manner = manner;
	server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_assert_cmpint(bind(server->fd, (struct sockaddr *) &address, length), ==, 0);
	g_assert_cmpint(listen(server->fd, 4), ==, 0);
	g_assert_cmpint(getsockname(server->fd, (struct sockaddr *) &address, &length), ==, 0);
	server->port = ntohs(address.sin_port);
	server->thread = g_thread_new("server", serve, server);
	return server;
}

static void server_free(struct server *server)
{
	g_atomic_int_set(&server->stop, 1);
	shutdown(server->fd, SHUT_RDWR);
	g_thread_join(server->thread);
	close(server->fd);
	g_free(server);
}

/* --- fetching ----------------------------------------------------------------------------------------------------------------- */

struct answers {
	unsigned n;
	char *commit;
	GError *error;
};

static void on_done(const char *commit, const GError *error, void *data)
{
	struct answers *answers = data;
	answers->n++;
	g_free(answers->commit);
	g_clear_error(&answers->error);
	answers->commit = g_strdup(commit);
	answers->error = error ? g_error_copy(error) : NULL;
	g_assert_true(!commit != !error);
}

static void wait_for(const struct answers *answers, unsigned n)
{
	while (answers->n < n)
		g_main_context_iteration(NULL, TRUE);
}

static struct remote *remote_at(const char *folder, const char *address_text, unsigned timeout_s, struct answers *answers)
{
	g_autoptr(GError) error = NULL;
	auto_ptr(source_address) address = source_address_parse(address_text, false, &error);
	g_assert_no_error(error);
	g_autofree char *inner = g_build_filename(folder, "source", NULL);
	const struct remote_options options = { .revision = "main", .folder = inner, .timeout_s = timeout_s,
						.max_bytes = 64 << 20 };
	struct remote *remote = remote_new(address, &options, on_done, answers, &error);
	g_assert_no_error(error);
	return remote;
}

static void test_manners(void)
{
	static const struct {
		enum manner manner;
		const char *says;
		unsigned timeout_s;
	} cases[] = {
		{ SILENT, "not done within 1 s", 1 },
		{ HANGS_UP, "no connection", 20 },
		{ ENDLESS_HEADER, "", 2 },
		{ ENDLESS_REFS, "", 3 },
		{ NONSENSE, "no connection", 20 },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		char *folder = gitrepo_folder();
		struct server *server = server_new(cases[i].manner);
		g_autofree char *address = g_strdup_printf("http://127.0.0.1:%u/net.git", server->port);
		struct answers answers = { 0 };
		auto_ptr(remote) remote = remote_at(folder, address, cases[i].timeout_s, &answers);
		gint64 start = g_get_monotonic_time();
		remote_fetch(remote);
		wait_for(&answers, 1);
		g_test_message("%s (after %.1f s)", answers.error->message,
			       (double) (g_get_monotonic_time() - start) / G_USEC_PER_SEC);
		g_assert_true(g_str_has_prefix(answers.error->message, address));
		g_assert_nonnull(strstr(answers.error->message, cases[i].says));
		g_assert_cmpint(g_get_monotonic_time() - start, <, (cases[i].timeout_s + 5) * G_USEC_PER_SEC);
		server_free(server);
		g_clear_error(&answers.error);
		gitrepo_remove(folder);
	}
}

/* The controller ends while a fetch is under way: nothing of it goes on. And two fetches asked for are two fetches. */
static void test_ended(void)
{
	char *folder = gitrepo_folder();
	struct server *server = server_new(SILENT);
	g_autofree char *address = g_strdup_printf("http://127.0.0.1:%u/net.git", server->port);
	struct answers answers = { 0 };
	struct remote *remote = remote_at(folder, address, 60, &answers);
	remote_fetch(remote);
	remote_free(remote);
	g_assert_cmpuint(answers.n, ==, 0);
	server_free(server);

	server = server_new(HANGS_UP);
	g_autofree char *other = g_strdup_printf("http://127.0.0.1:%u/net.git", server->port);
	remote = remote_at(folder, other, 20, &answers);
	g_autofree char *inner = g_build_filename(folder, "source", NULL);
	g_autofree char *count = gitrepo_run(inner, "ls -d *.git | wc -l");
	g_assert_cmpstr(count, ==, "1"); /* the mirror of the former address is gone */
	remote_fetch(remote);
	remote_fetch(remote);
	wait_for(&answers, 2);
	remote_free(remote);
	server_free(server);
	g_clear_error(&answers.error);
	gitrepo_remove(folder);
}

/* --- the mirror --------------------------------------------------------------------------------------------------------------- */

static git_oid id_of(const char *text)
{
	git_oid id;
	g_assert_cmpint(git_oid_fromstr(&id, text), ==, 0);
	return id;
}

static void test_whole(void)
{
	if (gitrepo_missing())
		return;
	char *folder = gitrepo_folder();
	gitrepo_do(folder, "git init -q -b main .; mkdir -p a/b; echo 1 >a/b/c; echo 2 >d; git add .; git commit -qm one;"
			   "echo 3 >d; git commit -qam two; echo 4 >d; git commit -qam three; git clone -q --bare . bare.git");
	static const struct {
		const char *object;
		bool with_former; /* the first commit was looked through */
		bool whole;
	} cases[] = {
		{ NULL, false, true },	     { "main:d", false, false },    { "main:a/b/c", false, false }, { "main:a/b",
				false, false },
		{ "main^{tree}", true, false }, { "main~1", true, false },  { "main:a/b/c", true, true },   { "main:d",
				true, false },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *commit = gitrepo_run(folder, "git rev-parse main"), *first = gitrepo_run(folder, "git "
				"rev-parse main~2");
		g_autofree char *id = cases[i].object ? gitrepo_run(folder, "git rev-parse '%s'", cases[i].object) :
			g_strdup("00none");
		gitrepo_do(folder, "rm -rf m.git; git clone -q --bare --no-local --no-hardlinks . m.git; cd m.git;"
				   "for p in objects/pack/*.pack; do mv $p x; git unpack-objects -q <x; done; rm -f objects/pack/* x;"
				   "rm -f objects/%.2s/%s", id, id + 2);
		g_autofree char *path = g_build_filename(folder, "m.git", NULL);
		g_autoptr(GError) error = NULL;
		git_repository *git = mirror_open(path, &error);
		g_assert_no_error(error);
		git_oid now = id_of(commit), before = id_of(first);
		bool whole = mirror_is_whole(git, &now, cases[i].with_former ? &before : NULL, &error);
		if (whole != cases[i].whole)
			g_error("case %zu (%s): %s", i, cases[i].object, error ? error->message : "taken for whole");
		g_assert_true(whole == !error);
		git_repository_free(git);
	}
	gitrepo_remove(folder);
}

static void test_left_half_done(void)
{
	if (gitrepo_missing())
		return;
	char *folder = gitrepo_folder();
	g_autofree char *path = g_build_filename(folder, "m.git", NULL);
	g_autoptr(GError) error = NULL;
	g_assert_true(mirror_make(path, &error));
	gitrepo_do(folder, "cd m.git; git init -q -b main ../w; cd ../w; git commit -q --allow-empty -m x; git repack -qad; "
		   "cd ../m.git;"
			   "cp ../w/.git/objects/pack/* objects/pack/; p=objects/pack; touch $p/pack_git2_a1b2c3 $p/.tmp $p/pack-1234.pack"
			   "  $p/pack-5678.idx; touch refs/heads/main.lock config.lock packed-refs.lock");
	git_repository *git = mirror_open(path, &error);
	g_assert_no_error(error);
	git_repository_free(git);
	g_autofree char *left = gitrepo_run(path, "find . -name '*.lock' -o -path '*/pack/*' | sed 's/.*[.]//' | sort | xargs");
	g_assert_cmpstr(left, ==, "idx pack");
	gitrepo_remove(folder);
}

static void test_tidy(void)
{
	if (gitrepo_missing())
		return;
	char *folder = gitrepo_folder();
	/* Each push is a pack; every second commit is forced away. */
	gitrepo_do(folder, "git init -q --bare -b main m.git; git -C m.git config receive.unpackLimit 1; git init -q -b "
		   "main w; cd w;"
			   "git commit -q --allow-empty -m first; i=0; while [ $i -lt %d ]; do i=$((i+1)); echo $i >f; git add f;"
			   "git commit -qm $i; git push -q ../m.git +main; [ $((i %% 2)) = 0 ] || git reset -q --hard "
				   "HEAD~1; done;"
			   "git tag -a -m t v1; git push -q ../m.git v1 +main",
		   MIRROR_PACKS_MAX + 2);
	g_autofree char *path = g_build_filename(folder, "m.git", NULL);
	g_autofree char *lost = gitrepo_run(folder, "cd w; git rev-parse main@{2}"), *tip = gitrepo_run(path, "git "
			"rev-parse main");
	auto_ptr(diags) diags = diags_new();
	g_autoptr(GError) error = NULL;
	auto_ptr(snapshot) before = snapshot_open_commit(path, "main", NULL, diags, &error);
	g_assert_no_error(error);
	git_repository *git = mirror_open(path, &error);
	g_assert_no_error(error);
	guint64 bytes = mirror_bytes(path);
	g_assert_true(mirror_tidy(git, G_MAXUINT64, &error));
	g_assert_no_error(error);
	g_assert_cmpuint(mirror_bytes(path), <, bytes);
	g_autofree char *packs = gitrepo_run(path, "ls objects/pack/*.pack | wc -l");
	g_assert_cmpstr(packs, ==, "1");
	gitrepo_do(path, "git fsck --strict 2>&1; test $(git rev-parse v1^{commit}) = %s", tip);
	/* Opened before, read after. */
	g_autoptr(GBytes) content = snapshot_read(before, "f", &error);
	g_assert_no_error(error);
	g_assert_true(mirror_tidy(git, 0, &error)); /* one pack is as tidy as can be */
	git_repository_free(git);
	gitrepo_remove(folder);
}

int main(int argc, char **argv)
{
	if (source_fetch_is_child(argc, argv))
		return source_fetch_child();
	gitrepo_isolate();
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/source/remote/manners", test_manners);
	g_test_add_func("/source/remote/ended", test_ended);
	g_test_add_func("/source/mirror/whole", test_whole);
	g_test_add_func("/source/mirror/half-done", test_left_half_done);
	g_test_add_func("/source/mirror/tidy", test_tidy);
	return g_test_run();
}
