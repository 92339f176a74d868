#include "vim/local/private.h"

#include "base/clock.h"
#include "base/file.h"

#include <string.h>
#include <unistd.h>

enum { LIST_WAIT_MS = 2000, SITE_MAX_BYTES = 64 * 1024 };

/* Asks the keeper in @folder who it is. False: there is none, or it ends just now; or, with *@ret_stuck, it does not answer. */
static bool ask_status(const char *folder, struct arena *arena, struct keeper_reply *ret, bool *ret_stuck)
{
	g_autoptr(GError) error = NULL;
	gint64 patience_us = clock_monotonic_us() + LOCAL_NAMELESS_WAIT_MS * 1000;
	int fd;
	while ((fd = client_connect(folder, &error)) < 0 && g_error_matches(error, PLEACH_ERROR, PLEACH_ERROR_RETRY) &&
	       clock_monotonic_us() < patience_us) {
		g_clear_error(&error);
		g_usleep(LOCAL_NAMELESS_POLL_US);
	}
	*ret_stuck = fd < 0 && !g_error_matches(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND);
	if (fd < 0)
		return false;
	const struct call call = { .deadline_us = clock_monotonic_us() + LIST_WAIT_MS * 1000, .cancel_fd = -1 };
	const struct keeper_request request = { .op = KEEPER_STATUS, .left_ms = LIST_WAIT_MS };
	struct exchange exchange = { .request = &request };
	bool ok = client_exchange(fd, &call, &exchange, arena, ret, &error) && ret->ok && ret->owner && ret->site;
	*ret_stuck = g_error_matches(error, PLEACH_ERROR, PLEACH_ERROR_TIMEOUT);
	close(fd);
	return ok;
}

/* What site.json says of a keeper that says nothing itself. NULL: nothing that could be used. */
static struct vim_site *read_site(const char *folder)
{
	g_autofree char *path = g_build_filename(folder, KEEPER_SITE_NAME, NULL);
	size_t length = 0;
	g_autofree char *text = file_read(path, SITE_MAX_BYTES, &length, NULL);
	g_autoptr(json_t) json = text ? json_parse(text, length, SITE_MAX_BYTES, path, NULL) : NULL;
	const char *owner, *site;
	gint64 pid;
	if (!json || !json_get_string(json, "owner", &owner, path, NULL) || !json_get_string(json, "site", &site, path, NULL) ||
	    !json_get_int(json, "pid", &pid, path, NULL))
		return NULL;
	struct vim_site *ret = g_new0(struct vim_site, 1);
	*ret = (struct vim_site) { .owner = g_strdup(owner), .site = g_strdup(site), .pid = pid, .n_links = -1, .n_vnfcs = -1 };
	ret->trouble = g_strdup_printf("its keeper, process %" G_GINT64_FORMAT ", does not answer (is it stopped?); `kill -KILL %"
				       G_GINT64_FORMAT "` ends it, and the VNFs of the site with it", pid, pid);
	return ret;
}

/* NULL: nobody keeps @folder. */
static struct vim_site *look_at(const char *folder)
{
	auto_ptr(arena) arena = arena_new();
	struct keeper_reply reply;
	bool stuck;
	if (!ask_status(folder, arena, &reply, &stuck))
		return stuck ? read_site(folder) : NULL;
	struct vim_site *site = g_new0(struct vim_site, 1);
	*site = (struct vim_site) { .owner = g_strdup(reply.owner), .site = g_strdup(reply.site), .pid = reply.pid,
		.n_links = reply.n_links, .n_vnfcs = reply.n_vnfcs };
	return site;
}

static int by_owner_and_site(const void *a, const void *b)
{
	const struct vim_site *const *x = a, *const *y = b;
	int order = strcmp((*x)->owner, (*y)->owner);
	return order ? order : strcmp((*x)->site, (*y)->site);
}

bool local_list(GPtrArray *ret, GError **error)
{
	g_autofree char *runtime = file_runtime_folder();
	GDir *dir = g_dir_open(runtime, 0, NULL);
	if (!dir)
		return true; /* no runtime folder: no keeper */
	for (const char *name; (name = g_dir_read_name(dir));) {
		g_autofree char *folder = g_build_filename(runtime, name, NULL);
		struct vim_site *site = look_at(folder);
		if (site)
			g_ptr_array_add(ret, site);
	}
	g_dir_close(dir);
	g_ptr_array_sort(ret, by_owner_and_site);
	return true;
}
