#include "vim/local/private.h"

#include "base/clock.h"
#include "base/file.h"

#include <string.h>
#include <unistd.h>

enum { LIST_WAIT_MS = 2000 };

/* Asks the keeper in @folder who it is. False: there is none, or it does not answer. */
static bool ask_status(const char *folder, struct arena *arena, struct keeper_reply *ret)
{
	int fd = client_connect(folder, NULL);
	if (fd < 0)
		return false;
	const struct call call = { .deadline_us = clock_monotonic_us() + LIST_WAIT_MS * 1000, .cancel_fd = -1 };
	const struct keeper_request request = { .op = KEEPER_STATUS, .left_ms = LIST_WAIT_MS };
	struct exchange exchange = { .request = &request };
	bool ok = client_exchange(fd, &call, &exchange, arena, ret, NULL) && ret->ok && ret->owner && ret->site;
	close(fd);
	return ok;
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
		auto_ptr(arena) arena = arena_new();
		struct keeper_reply reply;
		if (!ask_status(folder, arena, &reply))
			continue;
		struct vim_site *site = g_new0(struct vim_site, 1);
		*site = (struct vim_site) { g_strdup(reply.owner), g_strdup(reply.site), reply.pid, reply.n_links,
			reply.n_vnfcs };
		g_ptr_array_add(ret, site);
	}
	g_dir_close(dir);
	g_ptr_array_sort(ret, by_owner_and_site);
	return true;
}
