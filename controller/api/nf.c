/* Routes over what the EMS knows: network functions, what was measured of them. */
#include "api/internal.h"

#include "base/error.h"

static bool ask_samples(const struct visit *visit, const char *key, gint64 since_us, GPtrArray *ret)
{
	g_autoptr(GError) error = NULL;
	if (visit->api->backend.samples(key, since_us, visit->arena, ret, &error, visit->api->backend.data))
		return true;
	api_refuse_error(visit->request, error);
	return false;
}

void api_get_nf(const struct visit *visit)
{
	const struct report_style style = api_style(visit, false);
	const struct report_input input = api_snapshot(visit, API_NF, NULL);
	const char *text = http_request_param(visit->request, "key");
	const char *key = text ? api_select(visit, &input, text) : NULL;
	if (text && !key)
		return;
	enum report_verdict verdict;
	char *report = report_nf(&input, key, &style, &verdict);
	api_answer_report(visit, &style, report, verdict);
}

void api_get_metrics(const struct visit *visit)
{
	const struct report_style style = api_style(visit, false);
	struct report_input input = api_snapshot(visit, API_NF, NULL);
	gint64 since_us = api_since(http_request_param(visit->request, "since"));
	if (since_us < 0) {
		api_refuse(visit->request, 400, pleach_error_name(PLEACH_ERROR_INVALID),
			   "since: a time (2026-11-20T11:52:03Z) or how long ago (90s, 1h) is wanted");
		return;
	}
	const char *key = api_resolve(visit, &input, visit->rest, "nf");
	g_autoptr(GPtrArray) samples = g_ptr_array_new();
	if (!key || !ask_samples(visit, key, since_us, samples))
		return;
	input.samples = (const struct sample *const *) samples->pdata;
	input.n_samples = samples->len;
	api_answer_report(visit, &style, report_metrics(&input, key, &style), REPORT_NOTHING);
}

void api_get_top(const struct visit *visit)
{
	const struct report_style style = api_style(visit, false);
	const struct report_input input = api_snapshot(visit, API_NF, NULL);
	api_answer_report(visit, &style, report_top(&input, &style), REPORT_NOTHING);
}
