#include "keeper/keeper.h"

#include <string.h>
#include <unistd.h>

static struct keeper_strings strings_of(struct arena *arena, const GPtrArray *array)
{
	const char **items = ARENA_ARRAY(arena, const char *, array->len + 1);
	for (guint i = 0; i < array->len; i++)
		items[i] = array->pdata[i];
	return (struct keeper_strings) { items, array->len };
}

static void status(struct keeper *keeper, struct job *job)
{
	struct keeper_reply reply = {
		.ok = true,
		.owner = keeper->owner,
		.site = keeper->site,
		.pid = getpid(),
		.n_links = g_hash_table_size(keeper->links),
		.n_vnfcs = g_hash_table_size(keeper->vnfcs),
		.findings = strings_of(job->arena, keeper->findings),
	};
	job_reply(job, &reply, -1);
}

/* What is in the site's network namespace and not in the books. Ends of pairs that are just going are ours, and left out. */
static void see_strangers(struct keeper *keeper, struct arena *arena, struct keeper_reply *ret)
{
	GArray *found = g_array_new(FALSE, FALSE, sizeof(struct keeper_stranger));
	GHashTableIter iter;
	const struct nl_link *seen = nl_mirror_next(keeper->mirror, &iter, true);
	for (; seen; seen = nl_mirror_next(keeper->mirror, &iter, false)) {
		gpointer index = GUINT_TO_POINTER(seen->index);
		if (seen->loopback || is_ours(keeper, seen) || g_hash_table_contains(keeper->by_bridge, index) ||
		    g_hash_table_contains(keeper->by_host, index))
			continue;
		g_autofree char *owner = alias_owner(seen->alias),
			*raw = g_strdup_printf("%s %s", seen->kind[0] ? seen->kind : "link", seen->name);
		g_autofree char *what = g_utf8_make_valid(raw, -1), *valid = owner ? g_utf8_make_valid(owner, -1) : NULL;
		struct keeper_stranger stranger = { arena_strdup(arena, what), arena_strdup(arena, valid) };
		g_array_append_val(found, stranger);
	}
	ret->strangers = arena_memdup(arena, found->data, found->len * sizeof(struct keeper_stranger));
	ret->n_strangers = found->len;
	g_array_unref(found);
}

static void observe(struct keeper *keeper, struct job *job)
{
	GError *error = NULL;
	if (!keeper_refresh(keeper, &error)) {
		job_fail(job, error);
		return;
	}
	struct keeper_link *links = ARENA_ARRAY(job->arena, struct keeper_link, g_hash_table_size(keeper->links) + 1);
	struct keeper_vnfc *vnfcs = ARENA_ARRAY(job->arena, struct keeper_vnfc, g_hash_table_size(keeper->vnfcs) + 1);
	struct keeper_reply reply = { .ok = true, .links = links, .vnfcs = vnfcs };
	GHashTableIter iter;
	gpointer value;
	g_hash_table_iter_init(&iter, keeper->links);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		link_observe(keeper, value, &links[reply.n_link_items++]);
	g_hash_table_iter_init(&iter, keeper->vnfcs);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		struct vnfc *vnfc = value;
		if (vnfc->phase == VNFC_STARTING)
			continue; /* not there before it serves: whoever asks for it waits for that */
		if (vnfc->mirror && !nl_mirror_read(vnfc->mirror, NULL, NULL, &error)) {
			job_fail(job, error);
			return;
		}
		vnfc_observe(vnfc, job->arena, &vnfcs[reply.n_vnfc_items++]);
	}
	see_strangers(keeper, job->arena, &reply);
	job_reply(job, &reply, -1);
}

static void ensure_link(struct keeper *keeper, struct job *job)
{
	GError *error = NULL;
	if (!links_ensure(keeper, job->arena, &job->request.link, &error)) {
		job_fail(job, error);
		return;
	}
	struct keeper_link seen;
	link_observe(keeper, g_hash_table_lookup(keeper->links, job->request.link.key), &seen);
	job_reply(job, &(struct keeper_reply) { .ok = true, .links = &seen, .n_link_items = 1 }, -1);
}

static void remove_one(struct keeper *keeper, struct job *job)
{
	GError *error = NULL;
	if (!g_str_has_prefix(job->request.key, "link/"))
		vnfcs_remove(keeper, job);
	else if (links_remove(keeper, job->request.key, &error))
		job_reply(job, &(struct keeper_reply) { .ok = true }, -1);
	else
		job_fail(job, error);
}

void handle_request(struct keeper *keeper, struct job *job)
{
	if (keeper->ending && job->request.op != KEEPER_STATUS && job->request.op != KEEPER_OBSERVE) {
		job_fail(job, g_error_new(PLEACH_ERROR, PLEACH_ERROR_RETRY, "the site's keeper is ending"));
		return;
	}
	switch (job->request.op) {
	case KEEPER_STATUS:
		status(keeper, job);
		break;
	case KEEPER_OBSERVE:
		observe(keeper, job);
		break;
	case KEEPER_ENSURE_LINK:
		ensure_link(keeper, job);
		break;
	case KEEPER_ENSURE_VNFC:
		vnfcs_ensure(keeper, job);
		break;
	case KEEPER_REMOVE:
		remove_one(keeper, job);
		break;
	case KEEPER_CLEAN:
		keeper->cleaner = job;
		keeper_end(keeper, CLAMP(job->request.left_ms / 2, 0, KEEPER_GRACE_MS));
		break;
	case KEEPER_EXEC:
		commands_exec(keeper, job);
		break;
	case KEEPER_CONNECT:
		commands_connect(keeper, job);
		break;
	case KEEPER_WATCH:
		job_watch(job);
		break;
	case KEEPER_N_OPS:
		break;
	}
}
