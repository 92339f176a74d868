/* All that the supervisor knows, as a JSON document for the program that goes on after us in the same process: the children stay its
 * children, the descriptors stay open under their numbers. Times are of the monotonic clock, which goes on too. */
#include "leaf/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HANDOVER_VERSION = 1, HANDOVER_MAX_BYTES = 64 * 1024 * 1024, N_FDS = 2 + 2 * OPERATION_FDS + 1 };

static void own_fds(const struct supervisor *supervisor, int ret[N_FDS])
{
	ret[0] = supervisor->pipe[0];
	ret[1] = supervisor->pipe[1];
	operation_pipes(supervisor->operation, ret + 2);
	ret[N_FDS - 1] = supervisor->bell_fd;
}

void supervisor_inherit_fds(const struct supervisor *supervisor, bool inherit)
{
	int fds[N_FDS];
	own_fds(supervisor, fds);
	for (size_t i = 0; i < N_FDS; i++)
		if (fds[i] >= 0)
			fcntl(fds[i], F_SETFD, inherit ? 0 : FD_CLOEXEC);
}

/* --- away ------------------------------------------------------------------------------------------------------------------ */

static json_t *text_or_null(const char *text)
{
	g_autofree char *valid = text ? g_utf8_make_valid(text, -1) : NULL;
	return valid ? json_string(valid) : json_null();
}

static void put_int(json_t *object, const char *name, gint64 number)
{
	json_object_set_new(object, name, json_integer(number));
}

static void put_text(json_t *object, const char *name, const char *text)
{
	json_object_set_new(object, name, text_or_null(text));
}

static json_t *software_json(const struct software *software)
{
	json_t *object = json_object();
	put_int(object, "pid", software->pid);
	put_int(object, "started_us", software->started_us);
	put_int(object, "held", software->held);
	put_int(object, "start_us", software->start_us);
	put_int(object, "failures", software->failures);
	put_int(object, "restarts", software->restarts);
	put_text(object, "reason", software->reason);
	return object;
}

static json_t *health_json(const struct health *health)
{
	json_t *object = json_object();
	put_int(object, "now", health->now);
	put_int(object, "failures", health->failures);
	put_int(object, "grace_until_us", health->grace_until_us);
	put_int(object, "next_us", health->next_us);
	put_int(object, "state_next_us", health->state_next_us);
	put_int(object, "quick_us", health->quick_us);
	put_int(object, "said", health->said);
	put_text(object, "words", health->words);
	return object;
}

static json_t *result_json(const struct leaf_result *result)
{
	json_t *object = json_object();
	put_int(object, "id", result->id);
	put_int(object, "outcome", result->outcome);
	put_int(object, "exit_status", result->exit_status);
	put_int(object, "may_pass", result->may_pass);
	put_text(object, "step", result->step);
	put_text(object, "words", result->words);
	return object;
}

static void put_line(gint64 wall_us, bool own, const char *text, void *data)
{
	json_t *line = json_array();
	json_array_append_new(line, json_integer(wall_us));
	json_array_append_new(line, json_integer(own));
	json_array_append_new(line, text_or_null(text));
	json_array_append_new(data, line);
}

static json_t *log_json(const struct output *output)
{
	json_t *lines = json_array();
	output_each(output, put_line, lines);
	return lines;
}

static json_t *strays_json(GHashTable *strays)
{
	json_t *list = json_array();
	GHashTableIter iter;
	gpointer pid, owner;
	g_hash_table_iter_init(&iter, strays);
	while (g_hash_table_iter_next(&iter, &pid, &owner)) {
		json_t *one = json_array();
		json_array_append_new(one, json_integer(GPOINTER_TO_INT(pid)));
		json_array_append_new(one, json_integer(GPOINTER_TO_INT(owner)));
		json_array_append_new(list, one);
	}
	return list;
}

static json_t *fds_json(const struct supervisor *supervisor)
{
	json_t *list = json_array();
	int fds[N_FDS];
	own_fds(supervisor, fds);
	for (size_t i = 0; i < N_FDS; i++)
		json_array_append_new(list, json_integer(fds[i]));
	return list;
}

static json_t *packages_json(struct supervisor *supervisor)
{
	auto_ptr(arena) arena = arena_new();
	size_t n = 0;
	const char *const *digests = packages_list(supervisor->packages, arena, &n);
	json_t *list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_string(digests[i]));
	return list;
}

char *supervisor_hand_over(struct supervisor *supervisor, gint64 now_us, GError **error)
{
	if (change_is_on(supervisor) || operation_runs(supervisor->operation) || supervisor->software.told_to_end || supervisor->ending_all) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_RETRY, "not now: a change or an operation is under way");
		return NULL;
	}
	size_t length = 0;
	const struct want *now = &supervisor->now;
	g_autofree char *nf = now->nf ? leaf_nf_encode(now->nf, LEAF_PROTOCOL_VERSION, &length, error) : NULL;
	if (now->nf && !nf)
		return NULL;
	g_autoptr(json_t) object = json_object();
	put_int(object, "version", HANDOVER_VERSION);
	put_int(object, "born_us", supervisor->born_us);
	put_text(object, "folder", supervisor->folder);
	put_text(object, "salt", supervisor->salt);
	put_text(object, "nf", nf);
	put_text(object, "digest", now->digest);
	put_int(object, "installed", supervisor->installed);
	put_text(object, "failure", supervisor->failure);
	put_int(object, "last_id", supervisor->last_id);
	put_int(object, "seq", supervisor->seq);
	json_object_set_new(object, "software", software_json(&supervisor->software));
	json_object_set_new(object, "health", health_json(&supervisor->health));
	json_object_set_new(object, "result", result_json(&supervisor->result));
	json_object_set_new(object, "packages", packages_json(supervisor));
	json_object_set_new(object, "strays", strays_json(supervisor->strays));
	json_object_set_new(object, "fds", fds_json(supervisor));
	json_object_set_new(object, "log", log_json(supervisor->output));
	return json_text(object, 0);
}

/* --- and here again -------------------------------------------------------------------------------------------------------- */

static gint64 get_int(const json_t *object, const char *name)
{
	return json_opt_int(object, name, 0);
}

static char *get_text(const json_t *object, const char *name)
{
	return g_strdup(json_opt_string(object, name, NULL));
}

static void take_software(struct software *software, const json_t *object)
{
	*software = (struct software) {
		.pid = (pid_t) get_int(object, "pid"), .started_us = get_int(object, "started_us"), .held = get_int(object, "held"),
		.start_us = get_int(object, "start_us"), .failures = (unsigned) get_int(object, "failures"),
		.restarts = get_int(object, "restarts"), .reason = get_text(object, "reason"),
	};
}

static void take_health(struct health *health, const json_t *object)
{
	*health = (struct health) {
		.now = (enum leaf_health) CLAMP(get_int(object, "now"), LEAF_UNCHECKED, LEAF_GRACE),
		.failures = (unsigned) get_int(object, "failures"), .grace_until_us = get_int(object, "grace_until_us"),
		.next_us = get_int(object, "next_us"), .state_next_us = get_int(object, "state_next_us"),
		.quick_us = get_int(object, "quick_us"), .words = get_text(object, "words"),
		.said = (enum leaf_state) CLAMP(get_int(object, "said"), LEAF_STOPPED, LEAF_FAILED),
	};
}

static void take_result(struct leaf_result *result, const json_t *object)
{
	const char *step = json_opt_string(object, "step", NULL);
	*result = (struct leaf_result) {
		.id = get_int(object, "id"), .outcome = (enum leaf_outcome) CLAMP(get_int(object, "outcome"), LEAF_DONE, LEAF_BROKEN),
		.exit_status = (int) get_int(object, "exit_status"), .may_pass = get_int(object, "may_pass"), .words = get_text(object, "words"),
	};
	/* The names of steps are never freed. */
	for (enum step at = STEP_STOP_PROCESS; step && at <= STEP_FORGET; at++)
		if (strcmp(step_name(at), step) == 0)
			result->step = step_name(at);
}

static void take_lists(struct supervisor *supervisor, const json_t *object)
{
	size_t i = 0;
	const json_t *one = NULL;
	json_array_foreach (json_object_get(object, "packages"), i, one)
		packages_trust(supervisor->packages, json_string_value(one));
	json_array_foreach (json_object_get(object, "strays"), i, one)
		g_hash_table_insert(supervisor->strays, GINT_TO_POINTER(json_integer_value(json_array_get(one, 0))),
				    GINT_TO_POINTER(json_integer_value(json_array_get(one, 1))));
	json_array_foreach (json_object_get(object, "log"), i, one) {
		const char *text = json_string_value(json_array_get(one, 2));
		output_put_back(supervisor->output, json_integer_value(json_array_get(one, 0)), json_integer_value(json_array_get(one, 1)),
				text ? text : "");
	}
}

static bool take_nf(struct supervisor *supervisor, const json_t *object, GError **error)
{
	const char *text = json_opt_string(object, "nf", NULL), *digest = json_opt_string(object, "digest", NULL);
	if (!text)
		return true;
	auto_ptr(arena) arena = arena_new();
	const struct leaf_nf *nf = leaf_nf_decode(arena, text, strlen(text), error);
	if (nf)
		want_set(&supervisor->now, &(struct want) { arena, nf, (char *) (guintptr) digest });
	return nf;
}

/* Descriptors that are not what they are said to be are a fault of ours, and no reason to hurt what runs. */
static bool take_fds(struct supervisor *supervisor, const json_t *list, GError **error)
{
	int fds[N_FDS];
	if (json_array_size(list) != N_FDS)
		return pleach_error_invalid(error, "handed over: not %d descriptors", N_FDS);
	for (size_t i = 0; i < N_FDS; i++) {
		struct stat st;
		fds[i] = (int) json_integer_value(json_array_get(list, i));
		bool absent = i == N_FDS - 1 && fds[i] < 0;
		if (!absent && (fstat(fds[i], &st) != 0 || !S_ISFIFO(st.st_mode)))
			return pleach_error_invalid(error, "handed over: descriptor %d is no pipe", fds[i]);
	}
	supervisor->pipe[0] = fds[0];
	supervisor->pipe[1] = fds[1];
	supervisor->operation = operation_take_over(supervisor->output, fds + 2);
	supervisor->bell_fd = fds[N_FDS - 1];
	return true;
}

static struct supervisor *bare(const char *folder)
{
	struct supervisor *supervisor = g_new0(struct supervisor, 1);
	g_autofree char *packages = g_build_filename(folder, "packages", NULL);
	*supervisor = (struct supervisor) { .pipe = { -1, -1 }, .bell_fd = -1, .folder = g_strdup(folder),
		.new_folder = g_build_filename(folder, "new", NULL), .output = output_new(), .packages = packages_new(packages),
		.probe = probe_new(), .strays = g_hash_table_new(NULL, NULL), .change = { .next_us = -1 } };
	return supervisor;
}

struct supervisor *supervisor_take_over(const char *text, size_t length, GError **error)
{
	const char *what = "handed over", *folder = NULL, *salt = NULL;
	gint64 version = 0;
	g_autoptr(json_t) object = json_parse(text, length, HANDOVER_MAX_BYTES, what, error);
	if (!object || !json_get_int(object, "version", &version, what, error) || !json_get_string(object, "folder", &folder, what, error) ||
	    !json_get_string(object, "salt", &salt, what, error))
		return NULL;
	if (version != HANDOVER_VERSION || strlen(salt) >= sizeof(((struct supervisor *) NULL)->salt)) {
		pleach_error_invalid(error, "%s: version %" G_GINT64_FORMAT " is not %d", what, version, HANDOVER_VERSION);
		return NULL;
	}
	auto_ptr(supervisor) supervisor = bare(folder);
	if (!take_fds(supervisor, json_object_get(object, "fds"), error) || !take_nf(supervisor, object, error))
		return NULL;
	g_strlcpy(supervisor->salt, salt, sizeof(supervisor->salt));
	supervisor->born_us = get_int(object, "born_us");
	supervisor->installed = get_int(object, "installed");
	supervisor->failure = get_text(object, "failure");
	supervisor->last_id = get_int(object, "last_id");
	supervisor->seq = get_int(object, "seq");
	take_software(&supervisor->software, json_object_get(object, "software"));
	take_health(&supervisor->health, json_object_get(object, "health"));
	take_result(&supervisor->result, json_object_get(object, "result"));
	take_lists(supervisor, object);
	supervisor_inherit_fds(supervisor, false);
	return g_steal_pointer(&supervisor);
}
