/* The health check, asked from outside: by a look at the process, by the status operation, or through the ssh connection to a port in
 * the VNF. What earlier probes said is kept in memory; after a restart of the controller it begins anew. */
#include "ems/ssh/private.h"

#include "base/clock.h"

#include <string.h>

enum { PROBE_PAUSE_MS = 200, REPLY_MAX_BYTES = 64, HTTP_GOOD_MIN = 200, HTTP_GOOD_MAX = 399, RESERVE_MS = 10000 };

struct pulse {
	gint64 since_us; /* the last start that we know of */
	gint64 probed_us;
	unsigned failures; /* in a row */
	bool proven;       /* it was healthy once */
	char *reason;
};

void pulse_free(gpointer data)
{
	struct pulse *pulse = data;
	g_free(pulse->reason);
	g_free(pulse);
}

static bool G_GNUC_PRINTF(2, 3) sick(GError **error, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error_literal(error, PLEACH_ERROR, PLEACH_ERROR_PERMANENT, text);
	return false;
}

/* --- one probe ---------------------------------------------------------------------------------------------------------------------- */

static bool ask_http(struct wire *wire, const struct call *call, ssh_channel channel, const struct nf_health_check *check, GError **error)
{
	char reply[REPLY_MAX_BYTES + 1];
	size_t n = 0;
	bool is_six = strchr(check->address, ':') != NULL;
	g_autofree char *request = g_strdup_printf("GET %s HTTP/1.0\r\nHost: %s%s%s:%u\r\nConnection: close\r\nUser-Agent: pleach\r\n\r\n",
						   check->path ? check->path : "/", is_six ? "[" : "", check->address, is_six ? "]" : "",
						   check->port);
	if (!stream_write(wire, call, channel, request, strlen(request), error))
		return false;
	while (n < REPLY_MAX_BYTES && !memchr(reply, '\n', n)) {
		gssize got = stream_read(wire, call, channel, reply + n, REPLY_MAX_BYTES - n, error);
		if (got < 0)
			return false;
		if (got == 0)
			break;
		n += (size_t) got;
	}
	reply[n] = '\0';
	guint64 status = g_str_has_prefix(reply, "HTTP/1.") && n > strlen("HTTP/1.1 ")
				 ? g_ascii_strtoull(reply + strlen("HTTP/1.1 "), NULL, 10)
				 : 0;
	if (status >= HTTP_GOOD_MIN && status <= HTTP_GOOD_MAX)
		return true;
	if (!status)
		return sick(error, "http to %s:%u: no answer in HTTP", check->address, check->port);
	return sick(error, "http to %s:%u: status %u", check->address, check->port, (unsigned) status);
}

/* A failed or slow probe is the NF's fault, as long as the connection itself lives. */
static bool ask_port(struct wire *wire, const struct call *call, const struct nf_health_check *check, GError **error)
{
	struct call until = *call;
	const char *how = check->type == NF_CHECK_HTTP ? "http" : "tcp";
	g_autoptr(GError) fault = NULL;
	if (check->timeout_ms)
		until.deadline_us = MIN(call->deadline_us, clock_monotonic_us() + check->timeout_ms * 1000LL);
	ssh_channel channel = stream_forward(wire, &until, check->address, check->port, &fault);
	bool good = channel && (check->type == NF_CHECK_TCP || ask_http(wire, &until, channel, check, &fault));
	if (channel)
		stream_drop(channel);
	if (good)
		return true;
	if (call_is_over(call, error))
		return false;
	if (!ssh_is_connected(wire->session)) {
		wire->broken = true;
		g_propagate_error(error, g_steal_pointer(&fault));
		return false;
	}
	wire->broken = false;
	if (pleach_error_code(fault) == PLEACH_ERROR_PERMANENT)
		return sick(error, "%s", fault->message);
	if (pleach_error_code(fault) == PLEACH_ERROR_TIMEOUT)
		return sick(error, "%s to %s:%u: no answer in %u ms", how, check->address, check->port, check->timeout_ms);
	return sick(error, "%s to %s:%u: %s", how, check->address, check->port, fault->message);
}

bool health_probe(struct ems *ems, struct wire *wire, const struct call *call, const struct nf *nf, const char *which,
		  const struct there *there, GError **error)
{
	if (nf->n_command && !there->pid)
		return sick(error, "\"%s\" ended: %s", nf->command[0], there->exit ? there->exit : "it is not running");
	switch (nf->health_check.type) {
	case NF_CHECK_NONE:
	case NF_CHECK_PROCESS:
		return true;
	case NF_CHECK_STATUS:
		return operation_must(ems, wire, call, nf, NF_STATUS, which, error);
	case NF_CHECK_TCP:
	case NF_CHECK_HTTP:
		return ask_port(wire, call, &nf->health_check, error);
	}
	return true;
}

/* --- until it is healthy --------------------------------------------------------------------------------------------------------------- */

static bool nap(const struct call *call, gint64 ms, GError **error)
{
	struct call until = *call;
	g_autoptr(GError) over = NULL;
	until.deadline_us = MIN(call->deadline_us, clock_monotonic_us() + ms * 1000);
	call_wait(&until, -1, 0, &over);
	return !call_is_over(call, error);
}

/* The grace does not count; then so many failures in a row, each an interval after the other. Something is left for taking back. */
static gint64 patience_until_us(const struct call *call, const struct nf_health_check *check)
{
	gint64 now_us = clock_monotonic_us(), left_us = MAX(call->deadline_us - now_us, 0);
	gint64 wanted_us = (check->grace_ms + (gint64) check->interval_ms * check->failures) * 1000;
	return now_us + MIN(wanted_us, left_us - MIN(left_us / 3, RESERVE_MS * 1000LL));
}

bool health_wait(struct ems *ems, struct wire *wire, const struct call *call, const struct nf *nf, const char *which, GError **error)
{
	gint64 until_us = patience_until_us(call, &nf->health_check);
	gint64 pause_ms = CLAMP((gint64) nf->health_check.interval_ms, 1, PROBE_PAUSE_MS);
	for (;;) {
		auto_ptr(arena) arena = arena_new();
		g_autoptr(GError) fault = NULL;
		struct there there;
		if (!look(ems, wire, call, arena, &there, error))
			return false;
		if (health_probe(ems, wire, call, nf, which, &there, &fault))
			return true;
		bool gone = nf->n_command && !there.pid; /* nobody starts it again here: waiting for it is in vain */
		if (pleach_error_code(fault) != PLEACH_ERROR_PERMANENT || gone || clock_monotonic_us() >= until_us) {
			g_prefix_error(&fault, "%s", pleach_error_code(fault) == PLEACH_ERROR_PERMANENT ? "it does not become healthy: " : "");
			g_propagate_error(error, g_steal_pointer(&fault));
			return false;
		}
		if (!nap(call, pause_ms, error))
			return false;
	}
}

/* --- for observers ---------------------------------------------------------------------------------------------------------------------- */

void health_forget(struct ems *ems, const char *nf_key)
{
	struct pulse *pulse = g_new0(struct pulse, 1);
	pulse->since_us = clock_monotonic_us();
	pthread_mutex_lock(&ems->lock);
	g_hash_table_replace(ems->pulses, g_strdup(nf_key), pulse);
	pthread_mutex_unlock(&ems->lock);
}

/* Under the lock. */
static struct pulse *pulse_of(struct ems *ems, const char *nf_key)
{
	struct pulse *pulse = g_hash_table_lookup(ems->pulses, nf_key);
	if (!pulse) {
		pulse = g_new0(struct pulse, 1);
		g_hash_table_insert(ems->pulses, g_strdup(nf_key), pulse);
	}
	return pulse;
}

static void count(struct pulse *pulse, bool good, const GError *fault)
{
	g_clear_pointer(&pulse->reason, g_free);
	pulse->probed_us = clock_monotonic_us();
	pulse->failures = good ? 0 : pulse->failures + 1;
	pulse->proven = pulse->proven || good;
	if (!good)
		pulse->reason = g_strdup(fault->message);
}

static enum nf_health judge(const struct pulse *pulse, const struct nf_health_check *check, struct arena *arena, const char **ret_reason)
{
	bool in_grace = !pulse->proven && pulse->since_us &&
			clock_monotonic_us() - pulse->since_us < (gint64) check->grace_ms * 1000;
	if (pulse->failures && in_grace)
		return NF_IN_GRACE;
	if (pulse->failures < MAX(check->failures, 1U))
		return NF_HEALTHY;
	*ret_reason = arena_strdup(arena, pulse->reason);
	return NF_UNHEALTHY;
}

enum nf_health health_now(struct ems *ems, struct wire *wire, const struct call *call, const struct nf *nf, const struct there *there,
			  struct arena *arena, const char **ret_reason)
{
	if (nf->health_check.type == NF_CHECK_NONE)
		return NF_UNCHECKED;
	pthread_mutex_lock(&ems->lock);
	bool is_due = clock_monotonic_us() - pulse_of(ems, nf->key)->probed_us >= (gint64) nf->health_check.interval_ms * 1000;
	pthread_mutex_unlock(&ems->lock);
	g_autoptr(GError) fault = NULL;
	bool good = is_due && health_probe(ems, wire, call, nf, "kept", there, &fault);
	pthread_mutex_lock(&ems->lock);
	struct pulse *pulse = pulse_of(ems, nf->key);
	if (is_due && (good || pleach_error_code(fault) == PLEACH_ERROR_PERMANENT))
		count(pulse, good, fault);
	enum nf_health health = judge(pulse, &nf->health_check, arena, ret_reason);
	pthread_mutex_unlock(&ems->lock);
	return health;
}
