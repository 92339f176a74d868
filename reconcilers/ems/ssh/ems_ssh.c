#include "ems/ssh/ems_ssh.h"

#include "ems/ssh/private.h"

#include "base/clock.h"

#include <string.h>

enum { MAX_PARALLEL = 32, LOG_LINES_MAX = 100000, USAGE_WORDS = 5, PORT_WORDS = 7 };

static struct ems *ssh_open(const struct site *site, const struct driver_ref *which, GError **error)
{
	struct options options;
	if (!options_read(&options, site, which, error))
		return NULL;
	struct ems *ems = g_new0(struct ems, 1);
	ems->site = g_strdup(site->name);
	ems->name = g_strdup(which->name);
	ems->options = options;
	ems->idle = g_ptr_array_new();
	ems->pulses = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, pulse_free);
	pthread_mutex_init(&ems->lock, NULL);
	return ems;
}

static void ssh_close(struct ems *ems)
{
	pool_clear(ems);
	g_hash_table_unref(ems->pulses);
	options_clear(&ems->options);
	pthread_mutex_destroy(&ems->lock);
	g_free(ems->site);
	g_free(ems->name);
	g_free(ems);
}

/* --- a task on a connection --------------------------------------------------------------------------------------------------------- */

struct task {
	const char *nf_key;
	const struct nf *want;
	const struct package *package;
	struct arena *arena;
	const struct nf **ret_nf;
	const struct sample **ret_sample;
	struct command *command;
};

typedef bool (*task_fn)(struct ems *ems, struct wire *wire, const struct call *call, struct task *task, GError **error);

/* An idle connection may have died without our noticing: when the first thing asked of it is lost with it, a new one is asked. */
static bool on_wire(struct ems *ems, const struct call *call, const struct access *access, task_fn fn, struct task *task, GError **error)
{
	for (;;) {
		g_autoptr(GError) fault = NULL;
		struct wire *wire = pool_take(ems, call, access, &fault);
		bool good = wire && fn(ems, wire, call, task, &fault);
		bool again = !good && wire && wire->used && wire->broken && pleach_error_code(fault) == PLEACH_ERROR_RETRY;
		if (wire)
			pool_give(ems, wire);
		if (good)
			return true;
		if (again && !call_is_over(call, error))
			continue;
		if (!again) {
			g_propagate_error(error, g_steal_pointer(&fault));
			g_prefix_error(error, "%s: ", access->key);
		}
		return false;
	}
}

static bool do_observe(struct ems *ems, struct wire *wire, const struct call *call, struct task *task, GError **error)
{
	struct there there;
	if (!look(ems, wire, call, task->arena, &there, error))
		return false;
	if (!there.nf)
		return true;
	if (strcmp(there.nf->key, task->nf_key) != 0) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_CONFLICT, "%s is there, not %s", there.nf->key, task->nf_key);
		return false;
	}
	if (!look_state(ems, wire, call, task->arena, &there, error))
		return false;
	*task->ret_nf = there.nf;
	return true;
}

static bool ssh_observe(struct ems *ems, const struct call *call, const struct access *access, const char *nf_key, struct arena *arena,
			const struct nf **ret, GError **error)
{
	struct task task = { .nf_key = nf_key, .arena = arena, .ret_nf = ret };
	*ret = NULL;
	return on_wire(ems, call, access, do_observe, &task, error);
}

static bool do_ensure(struct ems *ems, struct wire *wire, const struct call *call, struct task *task, GError **error)
{
	struct there there;
	if (!change_ensure(ems, wire, call, task->want, task->package, error) || !look(ems, wire, call, task->arena, &there, error) ||
	    (there.nf && !look_state(ems, wire, call, task->arena, &there, error)) || !change_is_seen(task->want, &there, error))
		return false;
	if (task->ret_nf)
		*task->ret_nf = there.nf;
	return true;
}

static bool ssh_ensure(struct ems *ems, const struct call *call, const struct access *access, const struct nf *want,
		       const struct package *package, struct arena *arena, const struct nf **ret_got, GError **error)
{
	struct task task = { .want = want, .package = package, .arena = arena, .ret_nf = ret_got };
	if (ret_got)
		*ret_got = NULL;
	return on_wire(ems, call, access, do_ensure, &task, error);
}

static bool do_remove(struct ems *ems, struct wire *wire, const struct call *call, struct task *task, GError **error)
{
	return change_remove(ems, wire, call, task->nf_key, error);
}

static bool ssh_remove(struct ems *ems, const struct call *call, const struct access *access, const char *nf_key, GError **error)
{
	struct task task = { .nf_key = nf_key };
	return on_wire(ems, call, access, do_remove, &task, error);
}

/* --- its log --------------------------------------------------------------------------------------------------------------------------- */

static bool must_have(struct ems *ems, struct wire *wire, const struct call *call, struct task *task, GError **error)
{
	auto_ptr(arena) arena = arena_new();
	struct there there;
	if (!look(ems, wire, call, arena, &there, error))
		return false;
	if (there.nf && !strcmp(there.nf->key, task->nf_key))
		return true;
	g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND, "there is no %s", task->nf_key);
	return false;
}

static bool do_log(struct ems *ems, struct wire *wire, const struct call *call, struct task *task, GError **error)
{
	if (!must_have(ems, wire, call, task, error))
		return false;
	struct command command = *task->command;
	const char *const arguments[] = { "log", command.input, command.holds_input ? "yes" : "no", NULL };
	g_autofree char *line = hand_line(ems, wire, arguments);
	bool follow = command.holds_input;
	command.input = NULL;
	command.line = line;
	g_autoptr(GError) fault = NULL;
	bool good = command_run(wire, call, &command, &fault);
	wire->broken = wire->broken || command.enough;
	command_clear(&command);
	bool is_end = !good && follow && (pleach_error_code(fault) == PLEACH_ERROR_TIMEOUT || pleach_error_code(fault) == PLEACH_ERROR_CANCELLED);
	if (!good && !is_end)
		g_propagate_error(error, g_steal_pointer(&fault));
	return good || is_end;
}

static bool ssh_log_of(struct ems *ems, const struct call *call, const struct access *access, const char *nf_key, unsigned lines, bool follow,
		       ems_log_fn each, void *data, GError **error)
{
	g_autofree char *n = g_strdup_printf("%u", CLAMP(lines, 1U, (unsigned) LOG_LINES_MAX));
	struct command command = { .input = n, .holds_input = follow, .each = each, .data = data };
	struct task task = { .nf_key = nf_key, .command = &command };
	return on_wire(ems, call, access, do_log, &task, error);
}

/* --- what it uses -------------------------------------------------------------------------------------------------------------------------- */

static bool read_numbers(char **words, size_t n, gint64 *ret)
{
	for (size_t i = 0; i < n; i++)
		if (!words[i] || !g_ascii_string_to_signed(words[i], 10, -1, G_MAXINT64, &ret[i], NULL))
			return false;
	return true;
}

static void read_usage(struct sample *sample, char **words)
{
	gint64 n[USAGE_WORDS];
	if (!read_numbers(words, USAGE_WORDS, n) || n[0] < 0 || n[1] <= 0 || n[2] < 0 || n[3] <= 0)
		return;
	sample->cpu_us = (gint64) ((double) n[0] * G_USEC_PER_SEC / (double) n[1]);
	sample->mem_bytes = (gint64) MIN((double) n[2] * (double) n[3], 9e18);
	sample->processes = n[4];
}

static void read_port(struct arena *arena, struct sample *sample, struct sample_port *ports, char **words)
{
	gint64 n[PORT_WORDS - 1];
	if (sample->n_ports == SAMPLE_PORTS_MAX || !words[0] || !read_numbers(words + 1, PORT_WORDS - 1, n))
		return;
	ports[sample->n_ports++] = (struct sample_port) {
		.cp = arena_strdup(arena, words[0]), .rx_bytes = n[0], .rx_packets = n[1], .rx_drops = n[2],
		.tx_bytes = n[3], .tx_packets = n[4], .tx_drops = n[5],
	};
}

static bool do_measure(struct ems *ems, struct wire *wire, const struct call *call, struct task *task, GError **error)
{
	g_autofree char *text = must_have(ems, wire, call, task, error) ? hand_ask(ems, wire, call, NULL, error, "measure", NULL) : NULL;
	if (!text)
		return false;
	struct sample *sample = ARENA_NEW(task->arena, struct sample);
	struct sample_port *ports = ARENA_ARRAY(task->arena, struct sample_port, SAMPLE_PORTS_MAX);
	*sample = (struct sample) { .wall_us = -1, .cpu_us = -1, .mem_bytes = -1, .disk_bytes = -1, .processes = -1, .ports = ports };
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (size_t i = 0; lines[i]; i++) {
		g_auto(GStrv) words = g_strsplit(lines[i], " ", -1);
		if (words[0] && !strcmp(words[0], "U"))
			read_usage(sample, words + 1);
		else if (words[0] && !strcmp(words[0], "N"))
			read_port(task->arena, sample, ports, words + 1);
	}
	*task->ret_sample = sample;
	return true;
}

static bool ssh_measure(struct ems *ems, const struct call *call, const struct access *access, const char *nf_key, struct arena *arena,
			const struct sample **ret, GError **error)
{
	struct task task = { .nf_key = nf_key, .arena = arena, .ret_sample = ret };
	*ret = NULL;
	return on_wire(ems, call, access, do_measure, &task, error);
}

static const struct caps caps = { .driver = "ssh", .max_parallel = MAX_PARALLEL };

const struct ems_ops ems_ssh_ops = {
	.name = "ssh",
	.caps = &caps,
	.open = ssh_open,
	.close = ssh_close,
	.observe = ssh_observe,
	.ensure_nf = ssh_ensure,
	.remove_nf = ssh_remove,
	.log = ssh_log_of,
	.measure = ssh_measure,
};
