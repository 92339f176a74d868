#include "fake/private.h"

#include "base/clock.h"
#include "model/key.h"

#include <poll.h>
#include <string.h>

static const char *const names[] = {
	[FAKE_OBSERVE] = "observe",         [FAKE_ENSURE_LINK] = "ensure_link", [FAKE_ENSURE_VNFC] = "ensure_vnfc",
	[FAKE_REMOVE] = "remove",           [FAKE_OBSERVE_NF] = "observe_nf",   [FAKE_ENSURE_NF] = "ensure_nf",
	[FAKE_REMOVE_NF] = "remove_nf",
};

const char *fake_call_name(enum fake_call which)
{
	return which < FAKE_N_CALLS ? names[which] : "any";
}

void fault_free(gpointer data)
{
	struct fault *fault = data;
	g_free(fault->key);
	g_free(fault->text);
	g_free(fault);
}

void fake_world_fault(struct fake_world *world, const struct fake_fault *wanted)
{
	struct fault *fault = g_new0(struct fault, 1);
	fault->fault = *wanted;
	fault->key = g_strdup(wanted->key);
	fault->text = g_strdup(wanted->text ? wanted->text : "on demand");
	pthread_mutex_lock(&world->mutex);
	g_ptr_array_add(world->faults, fault);
	pthread_mutex_unlock(&world->mutex);
}

void fake_world_heal(struct fake_world *world)
{
	pthread_mutex_lock(&world->mutex);
	g_ptr_array_set_size(world->faults, 0);
	g_clear_pointer(&world->random, g_rand_free);
	pthread_mutex_unlock(&world->mutex);
}

void fake_world_random_faults(struct fake_world *world, unsigned per_mille, guint32 seed)
{
	pthread_mutex_lock(&world->mutex);
	g_clear_pointer(&world->random, g_rand_free);
	world->per_mille = per_mille;
	if (per_mille)
		world->random = g_rand_new_with_seed(seed);
	pthread_mutex_unlock(&world->mutex);
}

void fake_world_set_latency(struct fake_world *world, gint64 latency_us)
{
	pthread_mutex_lock(&world->mutex);
	world->latency_us = latency_us;
	pthread_mutex_unlock(&world->mutex);
}

void fake_world_set_hook(struct fake_world *world, void (*hook)(const struct fake_event *event, void *data), void *data)
{
	pthread_mutex_lock(&world->mutex);
	world->hook = hook;
	world->hook_data = data;
	pthread_mutex_unlock(&world->mutex);
}

/* --- the passage of one call --------------------------------------------------------------------------------------------- */

static bool is_meant(const struct fault *fault, const struct fake_event *event)
{
	return (fault->fault.call == FAKE_N_CALLS || fault->fault.call == event->call)
	       && (!fault->key || !g_strcmp0(fault->key, event->key));
}

static void hit(struct passage *passage, enum fake_how how, enum pleach_error code, const char *text)
{
	passage->hit = true;
	passage->how = how;
	passage->code = code;
	passage->text = g_strdup_printf("%s %s: %s", names[passage->event.call], passage->event.key ? passage->event.key : "", text);
}

static void look_for_fault(struct passage *passage)
{
	struct fake_world *world = passage->world;
	for (guint i = 0; i < world->faults->len; i++) {
		struct fault *fault = world->faults->pdata[i];
		if (!is_meant(fault, &passage->event))
			continue;
		unsigned first = MAX(fault->fault.nth, 1);
		fault->seen++;
		if (passage->hit || fault->seen < first || (fault->fault.times && fault->seen >= first + fault->fault.times))
			continue;
		hit(passage, fault->fault.how, fault->fault.code, fault->text);
	}
	bool looks = passage->event.call == FAKE_OBSERVE || passage->event.call == FAKE_OBSERVE_NF;
	if (passage->hit || looks || !world->random || (unsigned) g_rand_int_range(world->random, 0, 1000) >= world->per_mille)
		return;
	static const enum pleach_error codes[] = { PLEACH_ERROR_RETRY, PLEACH_ERROR_TIMEOUT, PLEACH_ERROR_CONFLICT,
						   PLEACH_ERROR_NOT_FOUND, PLEACH_ERROR_AUTH };
	int how = g_rand_int_range(world->random, FAKE_BEFORE, FAKE_HANG);
	int code = g_rand_int_range(world->random, 0, G_N_ELEMENTS(codes));
	hit(passage, (enum fake_how) how, codes[code], "by chance");
}

/* What lives in a VNFC shares its lock. */
static char *lock_of(const struct fake_event *event)
{
	if (!event->key || event->call == FAKE_OBSERVE || event->call == FAKE_OBSERVE_NF)
		return NULL;
	const char *path = key_path(event->key);
	return g_strdup_printf("%s %s%s", event->site, key_is_kind(event->key, "link") ? "link " : "", path);
}

static void count_up(GHashTable *table, const char *name, int by, size_t *ret)
{
	int count = GPOINTER_TO_INT(g_hash_table_lookup(table, name)) + by;
	g_hash_table_replace(table, g_strdup(name), GINT_TO_POINTER(count));
	*ret = (size_t) count;
}

static void tell(struct passage *passage)
{
	struct fake_world *world = passage->world;
	pthread_mutex_lock(&world->mutex);
	void (*hook)(const struct fake_event *event, void *data) = world->hook;
	void *data = world->hook_data;
	pthread_mutex_unlock(&world->mutex);
	if (hook)
		hook(&passage->event, data);
}

bool passage_spend(const struct call *call, gint64 us, GError **error)
{
	gint64 until_us = clock_monotonic_us() + us;
	for (;;) {
		if (call_is_over(call, error))
			return false;
		gint64 left_us = until_us - clock_monotonic_us();
		if (left_us <= 0)
			return true;
		gint64 wait_ms = MIN((left_us + 999) / 1000, (gint64) call_left_ms(call));
		struct pollfd cancel = { .fd = call->cancel_fd, .events = POLLIN };
		if (left_us < 1000)
			g_usleep((gulong) left_us);
		else
			poll(&cancel, 1, (int) wait_ms);
	}
}

static void end(struct passage *passage)
{
	struct fake_world *world = passage->world;
	size_t left = 0;
	passage->event.ends = true;
	tell(passage);
	pthread_mutex_lock(&world->mutex);
	count_up(world->at_once, passage->event.site, -1, &left);
	if (passage->lock)
		count_up(world->busy, passage->lock, -1, &left);
	pthread_mutex_unlock(&world->mutex);
	g_clear_pointer(&passage->lock, g_free);
	g_clear_pointer(&passage->text, g_free);
}

bool passage_enter(struct passage *passage, struct fake_world *world, const struct call *call, struct fake_event event, GError **error)
{
	*passage = (struct passage) { .world = world, .event = event, .lock = lock_of(&event) };
	size_t now = 0;
	pthread_mutex_lock(&world->mutex);
	world->counts.calls[event.call]++;
	count_up(world->at_once, event.site, 1, &now);
	world->counts.most_at_once = MAX(world->counts.most_at_once, now);
	if (passage->lock) {
		count_up(world->busy, passage->lock, 1, &now);
		world->counts.overlaps += now > 1;
	}
	look_for_fault(passage);
	gint64 latency_us = world->latency_us;
	pthread_mutex_unlock(&world->mutex);
	tell(passage);
	if (passage->hit && passage->how == FAKE_HANG)
		latency_us = G_MAXINT64 / 4;
	if (!passage_spend(call, latency_us, error)) {
		end(passage);
		return false;
	}
	if (passage->hit && passage->how == FAKE_BEFORE) {
		g_set_error(error, PLEACH_ERROR, passage->code, "%s", passage->text);
		end(passage);
		return false;
	}
	return true;
}

bool passage_half(const struct passage *passage)
{
	return passage->hit && passage->how == FAKE_HALF;
}

bool passage_leave(struct passage *passage, bool good, GError **error)
{
	if (good && passage->hit)
		g_set_error(error, PLEACH_ERROR, passage->code, "%s", passage->text);
	good = good && !passage->hit;
	passage->event.good = good;
	end(passage);
	return good;
}
