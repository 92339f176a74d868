/* Routes of the operator's holds: suspend, resume, approve. */
#include "api/internal.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"

#include <string.h>
#include <unistd.h>

/* Who asks, as the kernel says. No look-up of others' names: it may go over the network, and everything would wait for it. */
static const char *who_asks(const struct visit *visit)
{
	uid_t uid = visit->request->peer.uid;
	const char *name = uid == geteuid() ? g_get_user_name() : uid == 0 ? "root" : NULL;
	if (!visit->request->peer.known)
		return "somebody";
	return name ? arena_printf(visit->arena, "%s (uid %u)", name, (unsigned) uid) : arena_printf(visit->arena, "uid %u", (unsigned) uid);
}

static void refuse_error(const struct visit *visit, GError *error)
{
	api_refuse_error(visit->request, error);
	g_error_free(error);
}

static void answer_done(const struct visit *visit, json_t *json, const char *text)
{
	g_autoptr(json_t) document = json;
	g_autofree char *bytes = json_text(document, 2), *lines = g_strconcat(bytes, "\n", NULL);
	if (api_wants_json(visit->request))
		api_answer(visit->request, 200, "application/json", lines, 0);
	else
		api_answer(visit->request, 200, "text/plain; charset=utf-8", text, 0);
}

/* Of everything that is wanted, was applied or is there: what @hold is about. */
static size_t count_matches(const struct report_input *input, const struct store_hold *hold)
{
	g_autoptr(GHashTable) keys = g_hash_table_new(g_str_hash, g_str_equal);
	const struct objects lists[] = {
		input->desired ? input->desired->objects : (struct objects) { 0 }, input->last,
		input->observed ? input->observed->objects : (struct objects) { 0 },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
		for (size_t j = 0; j < lists[i].n; j++)
			if (store_hold_is_about(hold, lists[i].items[j]->key, lists[i].items[j]->site))
				g_hash_table_add(keys, (gpointer) (guintptr) lists[i].items[j]->key);
	return g_hash_table_size(keys);
}

static bool is_site(const struct report_input *input, const char *name)
{
	for (size_t i = 0; input->desired && i < input->desired->n_sites; i++)
		if (g_str_equal(input->desired->sites[i]->name, name))
			return true;
	return false;
}

static const char *spoken(const char *target)
{
	return g_strcmp0(target, "**") == 0 ? "everything" : target;
}

/* What holds nothing at all is a slip of the pen. */
static bool check_target(const struct visit *visit, const struct store_hold *hold, size_t *ret_n)
{
	struct report_input input = api_snapshot(visit, API_OBJECT, NULL);
	GError *error = NULL;
	*ret_n = count_matches(&input, hold);
	if (*ret_n || g_str_equal(hold->target, "**"))
		return true;
	if (g_str_has_prefix(hold->target, "site/")) {
		if (is_site(&input, hold->target + strlen("site/")))
			return true;
		g_set_error(&error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND, "no site %s is known", hold->target + strlen("site/"));
	} else if (strchr(hold->target, '*'))
		g_set_error(&error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND, "nothing matches %s", hold->target);
	else if (report_resolve(&input, visit->arena, hold->target, NULL, &error))
		g_set_error(&error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND, "%s: say its whole key, or its service", hold->target);
	refuse_error(visit, error);
	return false;
}

/* ?until=TIME or ?for=DURATION; 0: neither. False: refused already. */
static bool until_of(const struct visit *visit, gint64 now_us, gint64 *ret)
{
	const char *until = http_request_param(visit->request, "until"), *period = http_request_param(visit->request, "for");
	gint64 until_us = until ? clock_parse_rfc3339(until) : 0, ms = period ? clock_parse_duration_ms(period) : 0;
	*ret = until ? until_us : period ? now_us + ms * 1000 : 0;
	if (until_us >= 0 && ms >= 0 && !(until && period) && ms < G_MAXINT64 / 1000 - now_us / 1000)
		return true;
	api_refuse(visit->request, 400, pleach_error_name(PLEACH_ERROR_INVALID),
		   "either for (90s, 2h, 3d) or until (2026-11-20T22:00:00Z) is wanted, or neither");
	return false;
}

void api_post_suspend(const struct visit *visit)
{
	const char *target = http_request_param(visit->request, "target"), *reason = http_request_param(visit->request, "reason");
	struct store_hold hold = {
		.target = target ? target : "", .reason = reason ? reason : "", .who = who_asks(visit), .since_us = clock_wall_us(),
	};
	GError *error = NULL;
	size_t n;
	if (!until_of(visit, hold.since_us, &hold.until_us) || !check_target(visit, &hold, &n))
		return;
	if (!visit->api->backend.suspend(&hold, &error, visit->api->backend.data)) {
		refuse_error(visit, error);
		return;
	}
	char until[CLOCK_TEXT_SIZE] = "";
	if (hold.until_us)
		clock_rfc3339(hold.until_us, until);
	g_autofree char *text = g_strdup_printf("suspended %s: %zu object%s, until %s\n", spoken(hold.target), n, n == 1 ? "" : "s",
						*until ? until : "it is resumed");
	answer_done(visit, json_pack("{s:s, s:I, s:s?}", "suspended", hold.target, "objects", (json_int_t) n, "until",
				     *until ? until : NULL), text);
}

void api_post_resume(const struct visit *visit)
{
	const char *target = http_request_param(visit->request, "target");
	GError *error = NULL;
	if (!visit->api->backend.resume(target ? target : "", who_asks(visit), &error, visit->api->backend.data)) {
		refuse_error(visit, error);
		return;
	}
	g_autofree char *text = g_strdup_printf("resumed %s\n", spoken(target));
	answer_done(visit, json_pack("{s:s}", "resumed", target), text);
}

void api_post_approve(const struct visit *visit)
{
	const char *revision = http_request_param(visit->request, "revision");
	GError *error = NULL;
	const char *whole = visit->api->backend.approve(revision ? revision : "", who_asks(visit), &error, visit->api->backend.data);
	if (!whole) {
		refuse_error(visit, error);
		return;
	}
	g_autofree char *text = g_strdup_printf("approved commit %.12s: it may take away all that is on a site\n", whole);
	answer_done(visit, json_pack("{s:s}", "approved", whole), text);
}
