#include "vim/local/check.h"
#include "vim/local/private.h"

#include "base/clock.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	PATH_ROOM = 16, /* for "/keeper.sock" and "/4294967295.sock" behind the folder, in a socket's address */
	GONE_WAIT_US = 2000,
	MAX_PARALLEL = 8,
};

/* There is no far side: what a site says of one would be ignored, and is refused instead. */
static bool has_no_far_side(const struct driver_ref *vim, const char *site, GError **error)
{
	const char *what = vim->endpoint ? "an endpoint" : vim->credential ? "a credential" : NULL;
	if (!what && vim->options && vim->options->type == VALUE_MAP && vim->options->map.n)
		what = "options";
	if (what)
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID,
			    "site %s: the VIM driver \"local\" is this host itself and takes no endpoint, credential or options, but there is %s",
			    site, what);
	return !what;
}

static struct vim *local_open(const struct site *site, GError **error)
{
	if (!has_no_far_side(&site->vim, site->name, error))
		return NULL;
	g_autofree char *name = keeper_folder_name(site->owner, site->name), *runtime = file_runtime_folder();
	g_autofree char *folder = g_build_filename(runtime, name, NULL);
	if (strlen(folder) + PATH_ROOM >= sizeof(((struct sockaddr_un *) NULL)->sun_path)) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID, "the runtime folder's path is too long for sockets: %s",
			runtime);
		return NULL;
	}
	struct vim *vim = g_new0(struct vim, 1);
	vim->site = site;
	vim->runtime = g_steal_pointer(&runtime);
	vim->folder = g_steal_pointer(&folder);
	vim->idle = g_array_new(FALSE, FALSE, sizeof(int));
	vim->watch_in = g_byte_array_new();
	vim->watch_fd = vim->watch_kick = vim->watch_socket = -1;
	g_mutex_init(&vim->mutex);
	return vim;
}

static void local_close(struct vim *vim)
{
	client_close_idle(vim);
	watch_close(vim);
	g_array_unref(vim->idle);
	g_byte_array_unref(vim->watch_in);
	g_mutex_clear(&vim->mutex);
	g_free(vim->runtime);
	g_free(vim->folder);
	g_free(vim);
}

static bool ask(struct vim *vim, const struct call *call, struct keeper_request *request, bool start, struct arena *arena,
		struct keeper_reply *ret, GError **error)
{
	request->left_ms = MAX(call_left_ms(call), 1);
	struct exchange exchange = { .request = request, .start = start };
	bool ok = client_ask(vim, call, &exchange, arena, ret, error);
	if (exchange.ret_fd > 0)
		close(exchange.ret_fd);
	return ok;
}

/* --- observe ---------------------------------------------------------------------------------------------------------------- */

static int by_key(const void *a, const void *b)
{
	const struct link *const *x = a, *const *y = b;
	return strcmp((*x)->key, (*y)->key);
}

static int by_key_and_incarnation(const void *a, const void *b)
{
	const struct vnfc *const *x = a, *const *y = b;
	int order = strcmp((*x)->key, (*y)->key);
	return order ? order : (*x)->incarnation < (*y)->incarnation ? -1 : (*x)->incarnation > (*y)->incarnation;
}

static int by_access_key(const void *a, const void *b)
{
	const struct access *const *x = a, *const *y = b;
	return strcmp((*x)->key, (*y)->key);
}

static int by_what(const void *a, const void *b)
{
	const struct stranger *const *x = a, *const *y = b;
	return strcmp((*x)->what, (*y)->what);
}

/* Of each key the highest incarnation that runs: the one to be reached. */
static GHashTable *reachable(const struct keeper_reply *reply)
{
	GHashTable *best = g_hash_table_new(g_str_hash, g_str_equal);
	for (size_t i = 0; i < reply->n_vnfc_items; i++) {
		const struct keeper_vnfc *seen = &reply->vnfcs[i], *other = g_hash_table_lookup(best, seen->key);
		if (seen->socket && (!other || other->incarnation < seen->incarnation))
			g_hash_table_insert(best, (void *) (guintptr) seen->key, (void *) (guintptr) seen);
	}
	return best;
}

static void take_in(struct vim *vim, const struct keeper_reply *reply, struct observation *ret)
{
	g_autoptr(GHashTable) best = reachable(reply);
	for (size_t i = 0; i < reply->n_link_items; i++)
		g_ptr_array_add(ret->links, (void *) (guintptr) link_from_keeper(ret->arena, vim, &reply->links[i]));
	for (size_t i = 0; i < reply->n_vnfc_items; i++) {
		const struct keeper_vnfc *seen = &reply->vnfcs[i];
		g_ptr_array_add(ret->vnfcs, (void *) (guintptr) vnfc_from_keeper(ret->arena, vim, seen));
		const struct access *access = g_hash_table_lookup(best, seen->key) == seen
			? access_from_keeper(ret->arena, vim, seen) : NULL;
		if (access)
			g_ptr_array_add(ret->accesses, (void *) (guintptr) access);
	}
	for (size_t i = 0; i < reply->n_strangers; i++) {
		struct stranger *stranger = ARENA_NEW(ret->arena, struct stranger);
		*stranger = (struct stranger) {
			.site = arena_strdup(ret->arena, vim->site->name),
			.what = arena_strdup(ret->arena, reply->strangers[i].what),
			.owner = arena_strdup(ret->arena, reply->strangers[i].owner),
		};
		g_ptr_array_add(ret->strangers, stranger);
	}
	g_ptr_array_sort(ret->links, by_key);
	g_ptr_array_sort(ret->vnfcs, by_key_and_incarnation);
	g_ptr_array_sort(ret->accesses, by_access_key);
	g_ptr_array_sort(ret->strangers, by_what);
}

static bool local_observe(struct vim *vim, const struct call *call, struct observation *ret, GError **error)
{
	auto_ptr(arena) arena = arena_new();
	struct keeper_reply reply;
	struct keeper_request request = { .op = KEEPER_OBSERVE };
	g_autoptr(GError) local = NULL;
	watch_attach(vim);
	if (ask(vim, call, &request, false, arena, &reply, &local)) {
		take_in(vim, &reply, ret);
		return true;
	}
	if (g_error_matches(local, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND))
		return true; /* no keeper: nothing is there */
	g_propagate_error(error, g_steal_pointer(&local));
	return false;
}

/* --- acting ----------------------------------------------------------------------------------------------------------------- */

static bool local_ensure_link(struct vim *vim, const struct call *call, const struct link *want, GError **error)
{
	auto_ptr(arena) arena = arena_new();
	struct keeper_reply reply;
	struct keeper_request request = { .op = KEEPER_ENSURE_LINK, .link = link_to_keeper(want) };
	if (!ask(vim, call, &request, true, arena, &reply, error))
		return false;
	/* A keeper outlives updates of the program; one from before there were networks outside does not say a word of them. */
	if (!want->network || (reply.n_link_items == 1 && g_strcmp0(reply.links[0].network, want->network) == 0))
		return true;
	g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_UNSUPPORTED,
		    "%s cannot be attached to %s: the site's keeper is of an older version; it is replaced when all of the site is made anew "
		    "(`pleach site clean --owner %s`)", want->key, want->network, vim->site->owner);
	return false;
}

static bool local_ensure_vnfc(struct vim *vim, const struct call *call, const struct vnfc *want, struct arena *arena,
			      const struct vnfc **ret_got, const struct access **ret_access, GError **error)
{
	auto_ptr(arena) scratch = arena_new();
	struct keeper_reply reply;
	struct keeper_request request = { .op = KEEPER_ENSURE_VNFC, .vnfc = vnfc_to_keeper(scratch, want) };
	if (!ask(vim, call, &request, true, scratch, &reply, error))
		return false;
	if (reply.n_vnfc_items != 1) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_PERMANENT, "%s: the keeper does not say what it is now", want->key);
		return false;
	}
	if (ret_got)
		*ret_got = vnfc_from_keeper(arena, vim, &reply.vnfcs[0]);
	if (ret_access)
		*ret_access = access_from_keeper(arena, vim, &reply.vnfcs[0]);
	return true;
}

static bool forgive_absence(GError *local, GError **error)
{
	if (g_error_matches(local, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND)) {
		g_error_free(local);
		return true;
	}
	g_propagate_error(error, local);
	return false;
}

static bool local_remove(struct vim *vim, const struct call *call, const struct ref *which, GError **error)
{
	auto_ptr(arena) arena = arena_new();
	struct keeper_reply reply;
	struct keeper_request request = { .op = KEEPER_REMOVE, .key = which->key, .incarnation = which->incarnation };
	GError *local = NULL;
	return ask(vim, call, &request, false, arena, &reply, &local) || forgive_absence(local, error);
}

/* A folder without anybody behind it is what a killed keeper and its killed guard left. */
static void remove_stale(struct vim *vim)
{
	int fd = open(vim->folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		file_remove_tree(vim->folder, NULL);
		rmdir(vim->runtime);
	}
	close(fd);
}

static bool local_clean(struct vim *vim, const struct call *call, GError **error)
{
	auto_ptr(arena) arena = arena_new();
	struct keeper_reply reply;
	struct keeper_request request = { .op = KEEPER_CLEAN };
	GError *local = NULL;
	if (!ask(vim, call, &request, false, arena, &reply, &local) && !forgive_absence(local, error))
		return false;
	client_close_idle(vim);
	/* The keeper's word was its last; its guard clears away in a moment. */
	while (access(vim->folder, F_OK) == 0) {
		if (call_is_over(call, error))
			return false;
		remove_stale(vim);
		g_usleep(GONE_WAIT_US);
	}
	return true;
}

static struct keeper_strings strings_of(char *const argv[], struct arena *arena)
{
	size_t n = 0;
	while (argv[n])
		n++;
	const char **items = ARENA_ARRAY(arena, const char *, n + 1);
	for (size_t i = 0; i < n; i++)
		items[i] = argv[i];
	return (struct keeper_strings) { items, n };
}

static bool local_exec(struct vim *vim, const struct call *call, const char *key, char *const argv[], const int fds[3],
	int *ret_status,
		       GError **error)
{
	auto_ptr(arena) arena = arena_new();
	struct keeper_reply reply;
	struct keeper_request request = {
		.op = KEEPER_EXEC, .key = key, .argv = strings_of(argv, arena), .term = g_getenv("TERM"),
		.left_ms = MAX(call_left_ms(call), 1),
	};
	for (size_t i = 0; i < request.argv.n; i++) {
		if (g_utf8_validate(request.argv.items[i], -1, NULL))
			continue;
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID, "argument %zu of the command is not UTF-8", i);
		return false;
	}
	struct exchange exchange = { .request = &request, .fds = fds, .n_fds = 3, .fresh = true };
	if (!client_ask(vim, call, &exchange, arena, &reply, error))
		return false;
	*ret_status = reply.status;
	return true;
}

static bool local_connect(struct vim *vim, const struct call *call, const char *key, const char *host, unsigned port, int *ret_fd,
			  GError **error)
{
	auto_ptr(arena) arena = arena_new();
	struct keeper_reply reply;
	struct keeper_request request = { .op = KEEPER_CONNECT, .key = key, .host = host, .port = port,
		.left_ms = MAX(call_left_ms(call), 1) };
	struct exchange exchange = { .request = &request, .fresh = true };
	if (!client_ask(vim, call, &exchange, arena, &reply, error))
		return false;
	if (exchange.ret_fd < 0) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_PERMANENT, "%s: the keeper sent no connection", key);
		return false;
	}
	*ret_fd = exchange.ret_fd;
	return true;
}

/* A host's name is changed while it runs; all else as the kinds say. */
static const struct cap_override overrides[] = {
	{ "vnfc", "hostname", COST_IN_PLACE },
};

static const struct caps caps = {
	.driver = "local",
	.max_parallel = MAX_PARALLEL,
	.overrides = overrides,
	.n_overrides = G_N_ELEMENTS(overrides),
	.replace_beside = true,
};

const struct vim_ops vim_local_ops = {
	.name = "local",
	.caps = &caps,
	.open = local_open,
	.close = local_close,
	.observe = local_observe,
	.ensure_link = local_ensure_link,
	.ensure_vnfc = local_ensure_vnfc,
	.remove = local_remove,
	.clean = local_clean,
	.exec = local_exec,
	.connect = local_connect,
	.watch_fd = watch_open,
	.watch_read = watch_take,
	.check = vim_local_check,
	.list = local_list,
};
