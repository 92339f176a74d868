#include "source/fetch.h"

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "source/internal.h"
#include "source/mirror.h"
#include "source/session.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

enum { BRANCHES_NAMED_MAX = 10 };

static const char incoming[] = "refs/fetch/new";

G_DEFINE_AUTOPTR_CLEANUP_FUNC(git_remote, git_remote_free)

/* --- the far side's words and bytes --------------------------------------------------------------------------------------- */

static int refuse_size(struct session *session)
{
	return session_refuse(session, PLEACH_ERROR_PERMANENT, "it sends more than the %" G_GUINT64_FORMAT " MiB that are "
			      "taken of one fetch (--fetch-limit)", session->request->max_bytes >> 20);
}

static int on_progress(const git_indexer_progress *progress, void *data)
{
	struct session *session = data;
	if (progress->received_bytes <= session->request->max_bytes)
		return 0;
	return refuse_size(session);
}

static int on_words(const char *words, int length, void *data)
{
	struct session *session = data;
	session->chatter += (guint64) MAX(length, 0);
	if (session->chatter <= FETCH_CHATTER_MAX_BYTES)
		return 0;
	return session_refuse(session, PLEACH_ERROR_PERMANENT, "it talks without end instead of sending a pack");
}

static git_remote_callbacks callbacks_of(struct session *session)
{
	git_remote_callbacks callbacks = GIT_REMOTE_CALLBACKS_INIT;
	callbacks.credentials = credentials_ask;
	callbacks.certificate_check = credentials_check_host;
	callbacks.transfer_progress = on_progress;
	callbacks.sideband_progress = on_words;
	callbacks.payload = session;
	return callbacks;
}

/* libgit2's words seldom tell what to do. */
static const char *hint_for(const char *words)
{
	static const struct {
		const char *words, *hint;
	} hints[] = {
		{ "status code: 404", "is the path right? Some servers say so, too, of what one may not see" },
		{ "status code: 403", "may this user read it?" },
		{ "status code: 5", "the server's own log says more" },
		{ "redirect", "give the address that it redirects to; often it ends with .git" },
		{ "object-format", "a SHA-256 repository cannot be read: it must be one with --object-format=sha1" },
		{ "REF pkt-line", "is it a SHA-256 repository? Those cannot be read" },
		{ "ssh session", "is that port one of ssh, with algorithms that libssh2 has?" },
		{ "remote rejected authentication", "does the user exist there, and has the key been given to it?" },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(hints); i++)
		if (strstr(words, hints[i].words))
			return hints[i].hint;
	return NULL;
}

static bool failed(struct session *session, int result, GError **error, const char *what)
{
	const git_error *last = git_error_last();
	const char *words = last && last->message && *last->message ? last->message : "the library gives no reason";
	const char *more = hint_for(words);
	/* RLIMIT_FSIZE; the words name a temporary file, which is another at each try. */
	if (!session->refused && strstr(words, g_strerror(EFBIG)))
		refuse_size(session);
	g_autoptr(GString) text = g_string_new(NULL);
	if (session->refused)
		g_string_append(text, session->refused);
	else
		g_string_printf(text, "%s: %s%s%s%s", what, words, more ? " (" : "", more ? more : "", more ? ")" : "");
	for (guint i = 0; i < session->hints->len; i++)
		g_string_append_printf(text, "; %s", (const char *) session->hints->pdata[i]);
	enum pleach_error code = session->refused ? session->code : result == GIT_EAUTH ? PLEACH_ERROR_AUTH : PLEACH_ERROR_RETRY;
	g_set_error_literal(error, PLEACH_ERROR, (gint) code, text->str);
	return false;
}

/* --- what is asked for --------------------------------------------------------------------------------------------------- */

struct wanted {
	char *ref;         /* refs/heads/NAME, refs/tags/NAME; NULL: a commit, that some branch or tag leads to */
	git_oid id;        /* what @ref is there */
};

static bool is_commit_id(const char *text)
{
	return strlen(text) == GIT_OID_HEXSZ && strspn(text, "0123456789abcdef") == GIT_OID_HEXSZ;
}

static const git_remote_head *head_of(const git_remote_head **heads, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (g_str_equal(heads[i]->name, name))
			return heads[i];
	return NULL;
}

static void name_branches(const git_remote_head **heads, size_t n, GString *out)
{
	size_t named = 0;
	for (size_t i = 0; i < n && named <= BRANCHES_NAMED_MAX; i++) {
		const char *name = heads[i]->name;
		if (!g_str_has_prefix(name, "refs/heads/") || !g_utf8_validate(name, -1, NULL))
			continue;
		if (named++ < BRANCHES_NAMED_MAX)
			g_string_append_printf(out, "%s%.80s", named > 1 ? ", " : "; there are: ", name + strlen("refs/heads/"));
		else
			g_string_append(out, ", …");
	}
}

static bool find_wanted(struct session *session, git_remote *remote, struct wanted *ret, GError **error)
{
	const char *revision = session->request->revision;
	const git_remote_head **heads = NULL;
	size_t n = 0;
	int result = git_remote_ls(&heads, &n, remote);
	if (result < 0)
		return failed(session, result, error, "its branches cannot be listed");
	static const char *const folders[] = { "refs/heads/", "refs/tags/" };
	for (size_t i = 0; i < G_N_ELEMENTS(folders); i++) {
		g_autofree char *name = g_strconcat(folders[i], revision, NULL);
		const git_remote_head *head = head_of(heads, n, name);
		if (!head)
			continue;
		ret->ref = g_steal_pointer(&name);
		git_oid_cpy(&ret->id, &head->oid);
		return true;
	}
	if (is_commit_id(revision))
		return git_oid_fromstr(&ret->id, revision) == 0;
	g_autoptr(GString) text = g_string_new(NULL);
	name_branches(heads, n, text);
	g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND, "no branch or tag is called \"%.80s\"%s", revision,
		    text->len ? text->str : n ? "" : "; there is no branch at all yet");
	return false;
}

/* --- taking it ------------------------------------------------------------------------------------------------------------- */

static bool download(struct session *session, git_repository *git, git_remote *remote, const struct wanted *wanted,
		     GError **error)
{
	g_autofree char *one = wanted->ref ? g_strdup_printf("+%s:%s", wanted->ref, incoming) : NULL;
	char *some[] = { one };
	char *all[] = { (char[]) { "+refs/heads/*:refs/fetch/heads/*" }, (char[]) { "+refs/tags/*:refs/fetch/tags/*" } };
	const git_strarray specs = one ? (git_strarray) { some, 1 } : (git_strarray) { all, G_N_ELEMENTS(all) };
	git_fetch_options options = GIT_FETCH_OPTIONS_INIT;
	options.callbacks = callbacks_of(session);
	options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
	options.update_fetchhead = 0;
	options.prune = GIT_FETCH_NO_PRUNE;
	int result = git_remote_download(remote, &specs, &options);
	if (result == 0)
		result = git_remote_update_tips(remote, &options.callbacks, 0, GIT_REMOTE_DOWNLOAD_TAGS_NONE, NULL);
	return result == 0 || failed(session, result, error, "its answer cannot be taken");
}

/* The commit that @id is, or leads to (an annotated tag). */
static bool commit_of(git_repository *git, const git_oid *id, git_oid *ret, GError **error)
{
	g_autoptr(git_object) object = NULL, commit = NULL;
	int result = git_object_lookup(&object, git, id, GIT_OBJECT_ANY);
	if (result == 0)
		result = git_object_peel(&commit, object, GIT_OBJECT_COMMIT);
	if (result < 0)
		return source_git_error(error, result, "the answer is not whole: %.12s", git_oid_tostr_s(id));
	git_oid_cpy(ret, git_object_id(commit));
	return true;
}

static int drop_if(git_repository *git, const char *name)
{
	int result = git_reference_remove(git, name);
	return result == GIT_ENOTFOUND ? 0 : result;
}

/* A name that was a branch and is a tag now, or the other way round, is only that. */
static bool point(git_repository *git, const char *revision, const struct wanted *wanted, const git_oid *commit, GError **error)
{
	g_autoptr(git_reference) ref = NULL;
	static const char *const folders[] = { "refs/heads/", "refs/tags/", "refs/kept/" };
	const char *own = wanted->ref ? wanted->ref : NULL;
	g_autofree char *kept = g_strconcat("refs/kept/", revision, NULL);
	int result = git_reference_create(&ref, git, own ? own : kept, own ? &wanted->id : commit, 1, NULL);
	for (size_t i = 0; result == 0 && i < G_N_ELEMENTS(folders); i++) {
		g_autofree char *other = g_strconcat(folders[i], revision, NULL);
		if (!g_str_equal(other, own ? own : kept))
			result = drop_if(git, other);
	}
	return result == 0 || source_git_error(error, result, "the mirror's own ref");
}

/* What is fetched beside a commit, to find it, is not kept by name. */
static void drop_incoming(git_repository *git)
{
	git_strarray names = { 0 };
	if (git_reference_list(&names, git) < 0)
		return;
	for (size_t i = 0; i < names.count; i++)
		if (g_str_has_prefix(names.strings[i], "refs/fetch/"))
			(void) git_reference_remove(git, names.strings[i]);
	git_strarray_dispose(&names);
}

/* What the mirror has of it; false: nothing yet. */
static bool former_of(git_repository *git, const struct fetch_request *request, const struct wanted *wanted,
		      git_oid *ret_id, git_oid *ret_commit)
{
	if (!wanted->ref) {
		g_autofree char *kept = g_strconcat("refs/kept/", request->revision, NULL);
		git_oid_cpy(ret_id, &wanted->id);
		return git_reference_name_to_id(ret_commit, git, kept) == 0;
	}
	return git_reference_name_to_id(ret_id, git, wanted->ref) == 0 && commit_of(git, ret_id, ret_commit, NULL);
}

static bool take(struct session *session, git_repository *git, git_remote *remote, git_oid *ret, GError **error)
{
	struct wanted wanted = { 0 };
	git_oid there, former, commit;
	if (!find_wanted(session, remote, &wanted, error))
		return false;
	g_autofree char *ref = wanted.ref;
	bool had = former_of(git, session->request, &wanted, &there, &former);
	if (had && git_oid_equal(&there, &wanted.id)) {
		git_oid_cpy(ret, &former);
		return true;
	}
	bool good = download(session, git, remote, &wanted, error) && commit_of(git, &wanted.id, &commit, error) &&
		    mirror_is_whole(git, &commit, had ? &former : NULL, error) &&
		    point(git, session->request->revision, &wanted, &commit, error);
	drop_incoming(git);
	if (good)
		git_oid_cpy(ret, &commit);
	return good;
}

static bool fetch(struct session *session, git_repository *git, git_oid *ret, GError **error)
{
	const struct fetch_request *request = session->request;
	g_autoptr(git_remote) remote = NULL;
	git_remote_callbacks callbacks = callbacks_of(session);
	git_proxy_options proxy = GIT_PROXY_OPTIONS_INIT;
	proxy.type = GIT_PROXY_AUTO;
	proxy.certificate_check = credentials_check_host;
	proxy.payload = session;
	git_remote_connect_options options = GIT_REMOTE_CONNECT_OPTIONS_INIT;
	options.callbacks = callbacks;
	options.proxy_opts = proxy;
	options.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
	int result = git_remote_create_anonymous(&remote, git, request->address->text);
	if (result == 0)
		result = git_remote_connect_ext(remote, GIT_DIRECTION_FETCH, &options);
	if (result < 0)
		return failed(session, result, error, "no connection");
	bool good = take(session, git, remote, ret, error);
	git_remote_disconnect(remote);
	return good;
}

/* --- the process ----------------------------------------------------------------------------------------------------------- */

bool source_fetch_is_child(int argc, char **argv)
{
	return argc == 2 && g_str_equal(argv[1], FETCH_CHILD_ARGUMENT);
}

static char **strings_of(const json_t *json, const char *name)
{
	const json_t *array = json_object_get(json, name);
	GPtrArray *out = g_ptr_array_new();
	for (size_t i = 0; i < json_array_size(array); i++)
		if (json_is_string(json_array_get(array, i)))
			g_ptr_array_add(out, g_strdup(json_string_value(json_array_get(array, i))));
	g_ptr_array_add(out, NULL);
	return (char **) g_ptr_array_free(out, FALSE);
}

static bool read_request(struct fetch_request *request, GError **error)
{
	char buffer[FETCH_REQUEST_MAX_BYTES];
	size_t n = fread(buffer, 1, sizeof buffer, stdin);
	const char *address = NULL, *revision = NULL, *mirror = NULL, *what = "request";
	gint64 max_bytes = 0, parent = 0;
	g_autoptr(json_t) json = json_parse(buffer, n, sizeof buffer, what, error);
	if (!json || !json_get_string(json, "address", &address, what, error) ||
	    !json_get_string(json, "revision", &revision, what, error) ||
	    !json_get_string(json, "mirror", &mirror, what, error) ||
	    !json_get_int(json, "parent", &parent, what, error) || !json_get_int(json, "max_bytes", &max_bytes, what, error))
		return false;
	*request = (struct fetch_request) {
		.address = source_address_parse(address, true, error),
		.revision = g_strdup(revision),
		.mirror = g_strdup(mirror),
		.ssh_keys = strings_of(json, "ssh_keys"),
		.known_hosts = strings_of(json, "known_hosts"),
		.agent = json_opt_bool(json, "agent", false),
		.ca_file = g_strdup(json_opt_string(json, "ca_file", NULL)),
		.token_file = g_strdup(json_opt_string(json, "token_file", NULL)),
		.max_bytes = (guint64) MAX(max_bytes, 1),
		.parent = (pid_t) parent,
	};
	return request->address != NULL;
}

static void free_request(struct fetch_request *request)
{
	source_address_free(request->address);
	g_free(request->revision);
	g_free(request->mirror);
	g_strfreev(request->ssh_keys);
	g_strfreev(request->known_hosts);
	g_free(request->ca_file);
	g_free(request->token_file);
}

static bool run(struct session *session, git_repository **ret_git, git_oid *ret, GError **error)
{
	const struct fetch_request *request = session->request;
	g_autofree char *above = g_path_get_dirname(request->mirror), *home = g_build_filename(above, "home", NULL);
	/* A file that would be larger is refused by the kernel, whatever the library counts. */
	const struct rlimit limit = { request->max_bytes, request->max_bytes };
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit);
	if (!credentials_prepare(session, home, error))
		return false;
	*ret_git = mirror_open(request->mirror, error);
	if (!*ret_git)
		return false;
	/* A pack is on disk before those that it takes the place of are removed. */
	git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1);
	int result = request->ca_file ? git_libgit2_opts(GIT_OPT_SET_SSL_CERT_LOCATIONS, request->ca_file, NULL) : 0;
	if (result < 0)
		return failed(session, result, error, request->ca_file);
	/* What a tidying has to find room for may be taken by what nobody reaches any more. */
	g_autoptr(GError) untidy = NULL;
	if (mirror_bytes(request->mirror) > request->max_bytes && !mirror_tidy(*ret_git, request->max_bytes, &untidy))
		g_ptr_array_add(session->hints, g_strdup_printf("the mirror cannot be made smaller: %s", untidy->message));
	if (mirror_bytes(request->mirror) > 2 * request->max_bytes) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_PERMANENT, "the mirror has grown to %" G_GUINT64_FORMAT " "
			    "MiB, more than twice the %" G_GUINT64_FORMAT " of one fetch (--fetch-limit)",
			    mirror_bytes(request->mirror) >> 20, request->max_bytes >> 20);
		return false;
	}
	return fetch(session, *ret_git, ret, error);
}

static void answer(const git_oid *commit, const GError *error)
{
	g_autofree char *clean = error ? redact(error->message) : NULL;
	g_autofree char *valid = clean ? g_utf8_make_valid(clean, -1) : NULL;
	if (valid && strlen(valid) > FETCH_TEXT_MAX_BYTES)
		*g_utf8_find_prev_char(valid, valid + FETCH_TEXT_MAX_BYTES) = 0;
	for (char *at = valid; at && *at; at++)
		if ((guchar) *at < 0x20 || *at == 0x7f)
			*at = ' ';
	g_autoptr(json_t) json = error ? json_pack("{s:s, s:s}", "code", pleach_error_name(pleach_error_code(error)),
						   "text", valid) :
					 json_pack("{s:s}", "commit", git_oid_tostr_s(commit));
	g_autofree char *text = json_text(json, 0);
	printf("%s\n", text);
	fflush(stdout);
}

int source_fetch_child(void)
{
	/* Alone in its group, so that it can be ended whole; and with its parent, which alone keeps the deadline. */
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	struct fetch_request request = { 0 };
	struct session session = {
		.request = &request, .tried = g_string_new(NULL), .hints = g_ptr_array_new_with_free_func(g_free),
	};
	git_repository *git = NULL;
	git_oid commit;
	g_autoptr(GError) error = NULL;
	/* It may have been gone before we asked to end with it. */
	bool good = read_request(&request, &error) && request.parent == getppid() && run(&session, &git, &commit, &error);
	if (good || error)
		answer(good ? &commit : NULL, error);
	if (good && !mirror_tidy(git, request.max_bytes, &error))
		fprintf(stderr, "tidying the mirror: %s\n", error->message);
	git_repository_free(git);
	g_string_free(session.tried, TRUE);
	g_ptr_array_unref(session.hints);
	g_clear_pointer(&session.known, g_ptr_array_unref);
	g_free(session.refused);
	free_request(&request);
	return good ? 0 : 1;
}
