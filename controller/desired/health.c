/* The health check of a network function: what its descriptor says, or what can be told without. */
#include "desired/internal.h"
#include "model/nf.h"

#include <math.h>
#include <string.h>

enum { TIMEOUT_S = 2 }; /* as pleach.datatypes.HealthCheck has it */

static void add(GArray *presets, const char *path, const struct value *value, struct origin origin)
{
	struct preset preset = { .path = path, .value = value, .origin = origin };
	g_array_append_val(presets, preset);
}

static void add_int(struct run *run, GArray *presets, const char *path, gint64 value, struct origin origin)
{
	add(presets, path, value_integer(run->arena, value), origin);
}

/* Seconds, in whatever number they were written. */
static bool read_ms(struct run *run, const struct tvalue *value, double fallback_s, gint64 min, gint64 *ret, const char *what)
{
	double s = !value ? fallback_s : value->type == TV_FLOAT ? value->number : (double) tvalue_int(value, 0);
	double ms = round(s * 1000);
	if (ms >= (double) min && ms <= NF_TIMEOUT_MAX_MS) {
		*ret = (gint64) ms;
		return true;
	}
	run_say(run, SEVERITY_ERROR, "bad-health-check", value ? value->origin : ORIGIN_NONE,
		"the %s of a health check is from %" G_GINT64_FORMAT " ms to %d s", what, min, NF_TIMEOUT_MAX_MS / 1000);
	return false;
}

static void add_times(struct run *run, GArray *presets, const struct tvalue *check, struct origin origin)
{
	static const struct {
		const char *name, *path;
		double fallback_s;
		gint64 min_ms;
	} times[] = {
		{ "grace", "health_check.grace_ms", 10, 0 },
		{ "interval", "health_check.interval_ms", 5, NF_INTERVAL_MIN_MS },
		{ "timeout", "health_check.timeout_ms", TIMEOUT_S, 1 },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(times); i++) {
		const struct tvalue *value = tvalue_get(check, times[i].name);
		gint64 ms;
		if (read_ms(run, value, times[i].fallback_s, times[i].min_ms, &ms, times[i].name))
			add_int(run, presets, times[i].path, ms, origin_of(value, origin));
	}
}

/* As a health check, the status operation has no more time than the check; of the two presets the later counts. */
static void limit_status(struct run *run, const struct nfd *nf, GArray *presets, const struct tvalue *check)
{
	const struct tvalue *timeout = tvalue_get(check, "timeout");
	gint64 ms;

	const struct nfop *status = nfd_operation(nf, NF_STATUS);
	if (status && read_ms(run, timeout, TIMEOUT_S, 1, &ms, "timeout") && ms < status->timeout_ms)
		add_int(run, presets, status->timeout_path, ms, origin_of(timeout, status->operation->origin));
}

static void add_check(struct run *run, const struct nfd *nf, GArray *presets, const char *type, const struct tvalue *check)
{
	struct origin origin = origin_of(check, nf->node->origin);
	bool asks = strcmp(type, "tcp") == 0 || strcmp(type, "http") == 0;
	const struct tvalue *port = tvalue_get(check, "port"), *address = tvalue_get(check, "address");
	const struct tvalue *failures = tvalue_get(check, "failures"), *path = tvalue_get(check, "path");
	const struct tvalue *escalate = tvalue_get(check, "escalate_to"), *limit = tvalue_get(check, "max_per_hour");

	add(presets, "health_check.type", value_string(run->arena, type), origin_of(tvalue_get(check, "type"), origin));
	if (asks) {
		add(presets, "health_check.address", value_string(run->arena, tvalue_string(address, "127.0.0.1")),
		    origin_of(address, origin));
		add_int(run, presets, "health_check.port", tvalue_int(port, 0), origin_of(port, origin));
	}
	if (strcmp(type, "http") == 0)
		add(presets, "health_check.path", value_string(run->arena, tvalue_string(path, "/")), origin_of(path, origin));
	add_times(run, presets, check, origin);
	if (strcmp(type, "status") == 0)
		limit_status(run, nf, presets, check);
	add_int(run, presets, "health_check.failures", CLAMP(tvalue_int(failures, 3), 1, G_MAXINT32), origin_of(failures, origin));
	add(presets, "health_check.escalate_to", value_string(run->arena, tvalue_string(escalate, "recover")),
	    origin_of(escalate, origin));
	add_int(run, presets, "health_check.max_per_hour", tvalue_int(limit, 6), origin_of(limit, origin));
}

static void refuse(struct run *run, const struct tvalue *at, struct origin fallback, const char *hint, const char *format, ...)
	G_GNUC_PRINTF(5, 6);

static void refuse(struct run *run, const struct tvalue *at, struct origin fallback, const char *hint, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	struct diag *diag = run_say(run, SEVERITY_ERROR, "bad-health-check", origin_of(at, fallback), "%s", text);
	if (diag)
		diag_hint(run->diags, diag, "%s", hint);
}

static bool check_kept(struct run *run, const struct nfd *nf, const char *type, const struct tvalue *check)
{
	const struct tvalue *said = tvalue_get(check, "type");
	const char *path = tvalue_string(tvalue_get(check, "path"), "/");
	struct origin origin = origin_of(check, nf->node->origin);
	bool asks = strcmp(type, "tcp") == 0 || strcmp(type, "http") == 0;

	if (asks && !tvalue_get(check, "port")) {
		refuse(run, said, origin, "give its port", "a health check of type %s needs a port", type);
		return false;
	}
	if (strcmp(type, "http") == 0 && *path != '/') {
		refuse(run, tvalue_get(check, "path"), origin, "begin it with a slash",
		       "\"%s\" is not a path of a health check", path);
		return false;
	}
	if (strcmp(type, "process") == 0 && !nf->command) {
		refuse(run, said, origin, "use type status, tcp or http, or leave it out",
		       "\"%s\" has no command whose process could be checked", nf->node->name);
		return false;
	}
	if (strcmp(type, "status") == 0 && !nfd_operation(nf, NF_STATUS)) {
		refuse(run, said, origin, "give the operation status: exit 0 = started, 3 = stopped, else failed",
		       "\"%s\" has no operation status that could be asked", nf->node->name);
		return false;
	}
	return true;
}

void health_compile(struct run *run, const struct nfd *nf, GArray *presets)
{
	const struct tvalue *check = tnode_property(nf->node, "health_check");
	const struct tvalue *said = check && check->type == TV_MAP ? tvalue_get(check, "type") : NULL;
	const char *type = tvalue_string(said, NULL);

	if (!type)
		type = nf->command ? "process" : nfd_operation(nf, NF_STATUS) ? "status" : NULL;
	if (!type) {
		struct diag *diag = run_say(run, SEVERITY_WARNING, "no-health-check", nf->node->origin,
					    "nothing tells whether \"%s\" works", nf->node->name);
		if (diag)
			diag_hint(run->diags, diag, "give it a health_check, or the operation status");
		return;
	}
	if (check && check->type != TV_MAP)
		check = NULL;
	if (check_kept(run, nf, type, check))
		add_check(run, nf, presets, type, check);
}
