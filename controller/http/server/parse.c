#include "http/server/internal.h"

#include <string.h>
#include <sys/socket.h>

char *http_decode(const char *text)
{
	g_autoptr(GString) out = g_string_sized_new(strlen(text));
	for (; *text; text++) {
		if (*text != '%') {
			g_string_append_c(out, *text);
			continue;
		}
		int high = g_ascii_xdigit_value(text[1]), low = high < 0 ? -1 : g_ascii_xdigit_value(text[2]);
		if (low < 0 || (high == 0 && low == 0))
			return NULL;
		g_string_append_c(out, (char) (high << 4 | low));
		text += 2;
	}
	if (!g_utf8_validate(out->str, (gssize) out->len, NULL))
		return NULL;
	return g_string_free(g_steal_pointer(&out), FALSE);
}

struct params {
	struct exchange *exchange;
	unsigned status;
};

static enum MHD_Result take_param(void *data, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct params *params = data;
	struct exchange *exchange = params->exchange;
	if (exchange->n_params == HTTP_PARAMS_MAX) {
		params->status = MHD_HTTP_URI_TOO_LONG;
		return MHD_NO;
	}
	g_autofree char *decoded_name = http_decode(name), *decoded_value = http_decode(value ? value : "");
	if (!decoded_name || !decoded_value) {
		params->status = MHD_HTTP_BAD_REQUEST;
		return MHD_NO;
	}
	exchange->params[exchange->n_params].name = g_steal_pointer(&decoded_name);
	exchange->params[exchange->n_params++].value = g_steal_pointer(&decoded_value);
	return MHD_YES;
}

static void find_peer(struct exchange *exchange)
{
	struct ucred who;
	socklen_t size = sizeof(who);
	struct sockaddr_storage address;
	socklen_t address_size = sizeof(address);
	int fd = exchange->connection->fd;
	if (getsockname(fd, (struct sockaddr *) &address, &address_size) < 0 || address.ss_family != AF_UNIX)
		return;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) < 0)
		return;
	exchange->request.peer.known = true;
	exchange->request.peer.uid = who.uid;
	exchange->request.peer.gid = who.gid;
	exchange->request.peer.pid = who.pid;
}

static char *header(struct exchange *exchange, const char *name)
{
	const char *value = MHD_lookup_connection_value(exchange->mhd, MHD_HEADER_KIND, name);
	return g_utf8_make_valid(value ? value : "", -1);
}

unsigned exchange_parse(struct exchange *exchange, const char *method, const char *raw_path)
{
	exchange->request.method = method;
	exchange->path = http_decode(raw_path);
	if (!exchange->path || exchange->path[0] != '/')
		return MHD_HTTP_BAD_REQUEST;
	if (strlen(exchange->path) > HTTP_PATH_MAX_BYTES)
		return MHD_HTTP_URI_TOO_LONG;
	exchange->request.path = exchange->path;
	exchange->request.accept = exchange->accept = header(exchange, MHD_HTTP_HEADER_ACCEPT);
	exchange->request.content_type = exchange->content_type = header(exchange, MHD_HTTP_HEADER_CONTENT_TYPE);
	exchange->request.body = "";
	find_peer(exchange);
	struct params params = { .exchange = exchange };
	MHD_get_connection_values(exchange->mhd, MHD_GET_ARGUMENT_KIND, take_param, &params);
	return params.status;
}

const char *http_request_param(const struct http_request *request, const char *name)
{
	const struct exchange *exchange = (const struct exchange *) request;
	for (size_t i = 0; i < exchange->n_params; i++) {
		if (strcmp(exchange->params[i].name, name) == 0)
			return exchange->params[i].value;
	}
	return NULL;
}

const char *http_request_header(const struct http_request *request, const char *name)
{
	const struct exchange *exchange = (const struct exchange *) request;
	const char *value = MHD_lookup_connection_value(exchange->mhd, MHD_HEADER_KIND, name);
	return value && g_utf8_validate(value, -1, NULL) ? value : NULL;
}

/* The weight that an Accept header (RFC 9110, 12.5.1) gives to @content_type, in thousandths; 0 when it does not name it. */
static int accept_weight(const char *accept, const char *content_type)
{
	g_auto(GStrv) ranges = g_strsplit(accept, ",", 32);
	int best = 0;
	for (size_t i = 0; ranges[i]; i++) {
		g_auto(GStrv) parts = g_strsplit(ranges[i], ";", 8);
		if (!parts[0] || g_ascii_strcasecmp(g_strstrip(parts[0]), content_type) != 0)
			continue;
		int weight = 1000;
		for (size_t p = 1; parts[p]; p++) {
			const char *part = g_strstrip(parts[p]);
			if (g_ascii_strncasecmp(part, "q=", 2) == 0)
				weight = (int) (CLAMP(g_ascii_strtod(part + 2, NULL), 0, 1) * 1000);
		}
		best = MAX(best, weight);
	}
	return best;
}

bool http_request_prefers(const struct http_request *request, const char *content_type, const char *other)
{
	return accept_weight(request->accept, content_type) > accept_weight(request->accept, other);
}
