/* Policies of access: may who asks do that, to what he asks about? */
#include "api/internal.h"

#include "base/error.h"
#include "base/log.h"

#include <string.h>

static const char FREE[] = "/v1/health"; /* tells of the process, of nothing in the network */

/* What the request is about; NULL: everything, or what cannot be told. What is gone is named whole. */
static const char *key_of(const struct visit *visit, const char *verb)
{
	const char *key = http_request_param(visit->request, "key"), *target = http_request_param(visit->request, "target");
	const char *text = visit->rest && *visit->rest ? visit->rest : key ? key : target;
	if (!text)
		return NULL;
	const struct report_input input = api_snapshot(visit, API_OBJECT, NULL);
	bool of_nf = strcmp(verb, "logs") == 0 || strcmp(verb, "metrics") == 0;
	const char *kind = of_nf ? "nf" : http_request_param(visit->request, "kind");
	const char *found = report_resolve(&input, visit->arena, text, kind, NULL);
	return found ? found : strchr(text, '/') && !strchr(text, '*') ? text : NULL;
}

bool api_permit(const struct visit *visit, const char *verb)
{
	const struct api_backend *backend = &visit->api->backend;
	const struct http_request *request = visit->request;
	if (!backend->may || strcmp(request->path, FREE) == 0)
		return true;
	if (!verb)
		verb = strcmp(request->method, "GET") == 0 ? "observe" : "operate";
	gint64 uid = request->peer.known ? (gint64) request->peer.uid : -1;
	g_autoptr(GError) why = NULL;
	/* Who may do it to everything may do it to each; only where he may not the object counts. */
	if (backend->may(uid, verb, NULL, NULL, backend->data))
		return true;
	if (backend->may(uid, verb, key_of(visit, verb), &why, backend->data))
		return true;
	log_warning("%s %s refused (uid %d, pid %d): %s", request->method, request->path, (int) uid,
		    request->peer.known ? (int) request->peer.pid : -1, why->message);
	api_refuse_error(visit->request, why);
	return false;
}
