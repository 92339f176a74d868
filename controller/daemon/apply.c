#include "daemon/apply.h"

#include "base/clock.h"
#include "daemon/reason.h"

#include <glib-unix.h>

struct apply {
	const struct apply_options *options;
	GMainLoop *loop;
	struct cycle *cycle;
	struct plan *told; /* the plan that was last told of */
	enum apply_end end;
	bool loaded, ending, begun, moved;
};

static gboolean quit_when_idle(gpointer data)
{
	struct apply *apply = data;
	if (cycle_view(apply->cycle)->phase != CYCLE_IDLE)
		return G_SOURCE_CONTINUE;
	g_main_loop_quit(apply->loop);
	return G_SOURCE_REMOVE;
}

static void end(struct apply *apply, enum apply_end how)
{
	if (apply->ending)
		return;
	apply->ending = true;
	apply->end = how;
	cycle_stop(apply->cycle);
	g_timeout_add(1, quit_when_idle, apply);
}

static void tell(struct apply *apply)
{
	struct revision *revision = cycle_view(apply->cycle)->revision;
	if (revision && !apply->loaded) {
		apply->loaded = true;
		if (apply->options->loaded)
			apply->options->loaded(revision, apply->options->data);
	}
	struct plan *plan = cycle_view(apply->cycle)->plan;
	if (cycle_view(apply->cycle)->phase == CYCLE_EXECUTING && plan && plan != apply->told) {
		g_clear_pointer(&apply->told, plan_unref);
		apply->told = plan_ref(plan);
		if (apply->options->planned)
			apply->options->planned(plan, apply->options->data);
	}
}

static gboolean check(gpointer data)
{
	struct apply *apply = data;
	if (!cycle_is_at_rest(apply->cycle))
		return G_SOURCE_REMOVE;
	if (apply->moved)
		end(apply, APPLY_STUCK);
	else if (cycle_view(apply->cycle)->verdict == CYCLE_CONVERGED)
		end(apply, APPLY_CONVERGED);
	else if (cycle_view(apply->cycle)->verdict == CYCLE_STUCK)
		end(apply, APPLY_STUCK);
	else if (cycle_view(apply->cycle)->verdict == CYCLE_HELD)
		end(apply, APPLY_HELD);
	return G_SOURCE_REMOVE;
}

static void changed(void *data)
{
	struct apply *apply = data;
	if (!apply->cycle)
		return;
	tell(apply);
	/* The cycle may be in the middle of a turn: whether it rests is seen after it. */
	g_idle_add(check, apply);
}

/* A saved plan binds the first round; the later ones follow from it. */
static bool approve(const struct plan *plan, void *data)
{
	struct apply *apply = data;
	char fingerprint[PLAN_FINGERPRINT_SIZE];
	if (!apply->begun && apply->options->fingerprint) {
		plan_fingerprint(plan, fingerprint);
		apply->moved = !g_str_equal(apply->options->fingerprint, fingerprint);
	}
	apply->begun = true;
	return !apply->moved;
}

static void operation_changed(const struct operation *operation, void *data)
{
	const struct apply *apply = data;
	if (apply->options->operation)
		apply->options->operation(operation, apply->options->data);
}

static gboolean time_is_over(gpointer data)
{
	end(data, APPLY_TIMEOUT);
	return G_SOURCE_REMOVE;
}

static gboolean interrupted(gpointer data)
{
	end(data, APPLY_INTERRUPTED);
	return G_SOURCE_CONTINUE;
}

static bool run(struct apply *apply, struct store *store, char **ret_reason, GError **error)
{
	g_autofree char *secrets = g_build_filename(apply->options->state_folder, "secrets", NULL);
	const struct cycle_options cycle_options = {
		.registry = apply->options->registry,
		.store = store,
		.secrets_folder = secrets,
		.source = apply->options->source,
		.destroy = apply->options->destroy,
		.approve = approve,
		.changed = changed,
		.operation = operation_changed,
		.data = apply,
	};
	auto_ptr(cycle) cycle = cycle_new(&cycle_options, error);
	if (!cycle)
		return false;
	exec_forget(cycle_view(cycle)->exec, NULL); /* somebody says so: what failed before is tried again */
	if (apply->options->approves || apply->options->destroy)
		holds_approve_all(cycle_view(cycle)->holds);
	g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
	apply->loop = loop;
	apply->cycle = cycle;
	guint sources[] = {
		g_timeout_add_seconds(apply->options->timeout_s, time_is_over, apply),
		g_unix_signal_add(SIGINT, interrupted, apply),
		g_unix_signal_add(SIGTERM, interrupted, apply),
	};
	cycle_load(cycle);
	g_main_loop_run(loop);
	for (size_t i = apply->end == APPLY_TIMEOUT ? 1 : 0; i < G_N_ELEMENTS(sources); i++)
		g_source_remove(sources[i]);
	while (g_idle_remove_by_data(apply)) {
	}
	if (apply->moved)
		*ret_reason = g_strdup("the descriptors or the network have moved since the plan was saved: plan again; nothing was done");
	else if (apply->end != APPLY_CONVERGED)
		*ret_reason = cycle_view(cycle)->load_error ? g_strdup(cycle_view(cycle)->load_error) : reason_of(cycle_view(cycle));
	apply->cycle = NULL;
	return true;
}

bool apply_run(const struct apply_options *options, enum apply_end *ret_end, char **ret_reason, GError **error)
{
	auto_ptr(store) store = store_open(options->state_folder, error);
	if (!store)
		return false;
	g_autoptr(GPtrArray) interrupted_keys = store_interrupted(store, clock_wall_us(), error);
	if (!interrupted_keys)
		return false;
	struct apply apply = { .options = options };
	*ret_reason = NULL;
	bool good = run(&apply, store, ret_reason, error);
	*ret_end = apply.end;
	g_clear_pointer(&apply.told, plan_unref);
	return good;
}
