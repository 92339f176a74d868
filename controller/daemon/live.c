#include "daemon/live.h"

#include "base/clock.h"
#include "daemon/drivers.h"
#include "exec/observe.h"
#include "store/store.h"

#include <unistd.h>

enum { LOOK_TIMEOUT_S = 30, THREADS = 4 };

/* Nothing is made for a mere look: no database, no last applied. */
static bool read_last(const char *state_folder, struct arena *arena, struct objects *ret, GError **error)
{
	g_autofree char *path = g_build_filename(state_folder, "pleach.db", NULL);
	*ret = (struct objects) { 0 };
	if (access(path, F_OK) != 0)
		return true;
	g_autoptr(GError) held = NULL;
	auto_ptr(store) store = store_open(state_folder, &held);
	if (!store && pleach_error_code(held) == PLEACH_ERROR_CONFLICT)
		return true;
	if (!store) {
		g_propagate_error(error, g_steal_pointer(&held));
		return false;
	}
	return store_last_applied(store, arena, ret, error);
}

bool live_look(const struct registry *registry, const struct network *desired, const char *state_folder, struct observed **ret_observed,
	       struct objects *ret_last, GError **error)
{
	auto_ptr(arena) arena = arena_new();
	if (!read_last(state_folder, arena, ret_last, error))
		return false;
	g_autofree char *secrets = g_build_filename(state_folder, "secrets", NULL);
	auto_ptr(drivers) drivers = drivers_new(registry, secrets);
	drivers_set_sites(drivers, desired->sites, desired->n_sites);
	struct pool *pool = pool_new(THREADS);
	const struct observe_input input = {
		.registry = registry,
		.pool = pool,
		.lookup = drivers_lookup(drivers),
		.desired = desired,
		.last = *ret_last,
		.cancel_fd = -1,
		.deadline_us = clock_monotonic_us() + LOOK_TIMEOUT_S * G_USEC_PER_SEC,
		.wall_us = clock_wall_us(),
	};
	*ret_observed = observe_now(&input);
	arena_adopt((*ret_observed)->arena, arena);
	pool_free(pool);
	return true;
}
