/* The verbs that ask pleachd: it renders its reports itself; here they are only fetched and printed. */
#include "cli/verbs.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "http/client/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	ASK_TIMEOUT_S = 30, WAIT_TIMEOUT_DEFAULT_S = 300, WAIT_START_S = 2,
	WAIT_LOOK_MS = 50, WAIT_LOOK_MAX_MS = 2000,
	WAIT_PAUSES = 5, /* so many times as long as an answer took */
	ANSWER_MAX_BYTES = 256 * 1024 * 1024, REFUSAL_MAX_BYTES = 1024 * 1024,
};

static const char EXIT_HEADER[] = "Pleach-Exit"; /* the exit status that goes with an answer (api/api.h) */

/* The controller's own words, without the request that led to them: that was ours, not the operator's. */
static void refused_by_controller(const struct http_reply *reply, GError **error)
{
	g_autoptr(json_t) json = json_parse(reply->bytes, reply->length, REFUSAL_MAX_BYTES, "answer", NULL);
	const char *words = json_opt_string(json_object_get(json, "error"), "text", reply->bytes);
	g_autofree char *text = g_strchomp(g_strdup(words));
	g_set_error_literal(error, PLEACH_ERROR, PLEACH_ERROR_INVALID, text);
}

/* The far side's words, without what the client puts before them: where it is is said once. */
static void no_answer(const struct cli *cli, const struct http_call *call, const GError *cause, GError **error)
{
	g_autofree char *request = g_strdup_printf("%s: %s %s: ", cli->controller, call->method, call->path);
	const char *why = g_str_has_prefix(cause->message, request) ? cause->message + strlen(request) : cause->message;
	g_set_error(error, PLEACH_ERROR, cause->code, "no controller answers at %s (start pleachd, or say --controller): %s",
		    cli->controller, why);
}

char *cli_ask(const struct cli *cli, const char *method, const char *path, int *ret_exit, GError **error)
{
	static const char *const accepts[] = {
		[OUTPUT_TEXT] = "text/plain", [OUTPUT_JSON] = "application/json", [OUTPUT_MARKDOWN] = "text/markdown",
	};
	auto_ptr(http_client) client = http_client_new(cli->controller, error);
	if (!client)
		return NULL;
	const struct http_call call = {
		.method = method,
		.path = path,
		.accept = accepts[cli->output],
		.deadline_us = clock_monotonic_us() + ASK_TIMEOUT_S * G_USEC_PER_SEC,
		.cancel_fd = -1,
		.reply_max_bytes = ANSWER_MAX_BYTES,
	};
	auto_http_reply reply = { 0 };
	g_autoptr(GError) cause = NULL;
	if (!http_client_call(client, &call, &reply, &cause)) {
		no_answer(cli, &call, cause, error);
		return NULL;
	}
	g_autofree char *exit_status = http_reply_header(&reply, EXIT_HEADER);
	if (reply.status / 100 != 2 && exit_status) {
		refused_by_controller(&reply, error);
		return NULL;
	}
	if (!http_reply_is_good(&reply, &call, error))
		return NULL;
	if (ret_exit)
		*ret_exit = exit_status ? atoi(exit_status) : EXIT_OK;
	return g_steal_pointer(&reply.bytes);
}

void cli_add_param(GString *path, const char *name, const char *value)
{
	if (!value)
		return;
	g_autofree char *encoded = http_encode(value);
	g_string_append_printf(path, "%c%s=%s", strchr(path->str, '?') ? '&' : '?', name, encoded);
}

/* PATH?key=KEY&colour=1, what is NULL or false left out. */
static char *make_path(const struct cli *cli, const char *path, const char *key)
{
	g_autoptr(GString) text = g_string_new(path);
	if (key) {
		g_autofree char *whole = cli_key(key), *encoded = http_encode(whole);
		g_string_append_printf(text, "?key=%s", encoded);
	}
	if (cli->colour)
		g_string_append_printf(text, "%ccolour=1", key ? '&' : '?');
	return g_string_free(g_steal_pointer(&text), FALSE);
}

int cli_show(const struct cli *cli, const char *method, const char *path)
{
	g_autoptr(GError) error = NULL;
	int status = EXIT_OK;
	char *text = cli_ask(cli, method, path, &status, &error);
	if (!text)
		return cli_fail(error);
	cli_print(text);
	return status;
}

/* --- status ----------------------------------------------------------------------------------------------------------------- */

static gboolean option_wait;
static char *option_timeout;

static const GOptionEntry status_options[] = {
	{ "wait", 0, 0, G_OPTION_ARG_NONE, &option_wait, "until it has converged, or nothing more happens by itself", NULL },
	{ "timeout", 0, 0, G_OPTION_ARG_STRING, &option_timeout, "with --wait: at most so long (default: 5m)", "TIME" },
	{ NULL },
};

static void show_progress(const char *why_not)
{
	fprintf(stderr, "\r\033[KNot converged: %s", why_not);
	fflush(stderr);
}

static int wait_converged(const struct cli *cli, const char *key)
{
	gint64 timeout_ms = option_timeout ? clock_parse_duration_ms(option_timeout) : WAIT_TIMEOUT_DEFAULT_S * 1000;
	if (timeout_ms < 0)
		return cli_usage("status: --timeout takes a time such as 90s");
	const struct cli asking = { .registry = cli->registry, .output = OUTPUT_JSON, .controller = cli->controller, .state = cli->state };
	g_autofree char *path = make_path(&asking, "/v1/status", key), *shown = make_path(cli, "/v1/status", key);
	bool terminal = isatty(STDERR_FILENO);
	gint64 begun_us = clock_monotonic_us();
	/* Who waits for thousands of objects must not keep the controller busy with telling of them. */
	gint64 pause_us = WAIT_LOOK_MS * 1000;
	for (gint64 until_us = begun_us + timeout_ms * 1000; clock_monotonic_us() < until_us; g_usleep((gulong) pause_us)) {
		g_autoptr(GError) error = NULL;
		gint64 asked_us = clock_monotonic_us();
		g_autofree char *text = cli_ask(&asking, "GET", path, NULL, &error);
		pause_us = CLAMP((clock_monotonic_us() - asked_us) * WAIT_PAUSES, WAIT_LOOK_MS * 1000, WAIT_LOOK_MAX_MS * 1000);
		if (!text && error->code == PLEACH_ERROR_RETRY && clock_monotonic_us() < begun_us + WAIT_START_S * G_USEC_PER_SEC)
			continue; /* pleachd is being started */
		g_autoptr(json_t) status = text ? json_parse(text, strlen(text), ANSWER_MAX_BYTES, "status", &error) : NULL;
		if (!status)
			return cli_fail(error);
		if (json_is_true(json_object_get(status, "final"))) {
			int exit_status;
			g_autofree char *report = cli_ask(cli, "GET", shown, &exit_status, NULL);
			/* It may have begun to look again just now: what converged is shown as that. */
			if (report && (exit_status == EXIT_OK || !json_is_true(json_object_get(status, "converged")))) {
				if (terminal)
					fprintf(stderr, "\r\033[K");
				cli_print(g_steal_pointer(&report));
				return exit_status;
			}
		}
		if (terminal)
			show_progress(json_opt_string(status, "why_not", ""));
	}
	if (terminal)
		fprintf(stderr, "\r\033[K");
	return cli_show(cli, "GET", shown);
}

static int run_status(const struct cli *cli, int argc, char **argv)
{
	if (argc > 2)
		return cli_usage("status takes one key at most");
	const char *key = argc > 1 ? argv[1] : NULL;
	if (option_wait)
		return wait_converged(cli, key);
	g_autofree char *path = make_path(cli, "/v1/status", key);
	return cli_show(cli, "GET", path);
}

const struct command command_status = {
	.name = "status",
	.arguments = "[KEY]",
	.summary = "how every object stands, and which commit is kept",
	.details = "Exit status: 0 converged, 2 not (yet), 1 error.",
	.options = status_options,
	.outputs = "text|json",
	.run = run_status,
};

/* --- drift, explain, sync --------------------------------------------------------------------------------------------------- */

static int run_drift(const struct cli *cli, int argc, char **argv)
{
	if (argc > 2)
		return cli_usage("drift takes one key at most");
	g_autofree char *path = make_path(cli, "/v1/drift", argc > 1 ? argv[1] : NULL);
	return cli_show(cli, "GET", path);
}

const struct command command_drift = {
	.name = "drift",
	.arguments = "[KEY]",
	.summary = "what is not as the commit says, field by field, with its line",
	.details = "Exit status: 0 none, 2 drift, or a site that could not be looked at, 1 error.",
	.outputs = "text|json|markdown",
	.run = run_drift,
};

static int run_explain(const struct cli *cli, int argc, char **argv)
{
	if (argc != 2)
		return cli_usage("explain: say which object: pleach explain KEY");
	g_autofree char *whole = cli_key(argv[1]), *encoded = http_encode(whole);
	g_autofree char *place = g_strconcat("/v1/explain/", encoded, NULL);
	g_autofree char *path = make_path(cli, place, NULL);
	return cli_show(cli, "GET", path);
}

const struct command command_explain = {
	.name = "explain",
	.arguments = "KEY",
	.summary = "why an object is as it is, down to the far side's own words",
	.details = "Exit status: 0 told, 1 error.",
	.outputs = "text|json",
	.run = run_explain,
};

static int run_sync(const struct cli *cli, int argc, char **argv)
{
	if (argc > 2)
		return cli_usage("sync takes one key at most");
	g_autofree char *path = make_path(cli, "/v1/sync", argc > 1 ? argv[1] : NULL);
	return cli_show(cli, "POST", path);
}

const struct command command_sync = {
	.name = "sync",
	.arguments = "[KEY]",
	.summary = "look at everything, or at KEY, and try again what failed or is held after a failure, now",
	.details = "Exit status: 0 begun, 1 error.",
	.run = run_sync,
};
