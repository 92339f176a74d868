#include "http/client/client.h"

#include "base/clock.h"
#include "base/error.h"

#include <curl/curl.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>

enum {
	LINES_KEPT = 8,      /* idle connections per far side */
	DEFAULT_TIMEOUT_S = 30,
	POLL_MAX_MS = 60 * 1000,
	REASON_MAX_BYTES = 2000, /* of a far side's words in an error */
};

/* A connection with what drives it. */
struct line {
	CURLM *multi;
	CURL *easy;
	struct line *next;
};

struct http_client {
	char *endpoint;    /* for errors */
	char *base_url;    /* without a slash at its end */
	char *socket_path; /* or NULL */
	pthread_mutex_t lock;
	struct line *idle; /* under the lock */
	unsigned n_idle;
};

/* One call under way. */
struct transfer {
	struct http_client *client;
	const struct http_call *call;
	CURL *easy;
	struct curl_slist *headers;
	size_t max_bytes, head_bytes;
	GString *head; /* of the last answer: there may be "100 Continue" before it */
	GByteArray *bytes;
	enum { GOING, HEAD_TOO_LARGE, BODY_TOO_LARGE, NOT_TAKEN } fault;
	char detail[CURL_ERROR_SIZE];
};

static pthread_once_t prepared = PTHREAD_ONCE_INIT;

static void prepare(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

struct http_client *http_client_new(const char *endpoint, GError **error)
{
	pthread_once(&prepared, prepare);
	g_autofree char *base_url = NULL, *socket_path = NULL;
	if (g_str_has_prefix(endpoint, "unix:/")) {
		socket_path = g_strdup(endpoint + strlen("unix:"));
		base_url = g_strdup("http://localhost");
	} else if (g_str_has_prefix(endpoint, "http://") || g_str_has_prefix(endpoint, "https://")) {
		CURLU *url = curl_url();
		bool good = url && curl_url_set(url, CURLUPART_URL, endpoint, 0) == CURLUE_OK && !strpbrk(endpoint, "?#");
		curl_url_cleanup(url);
		base_url = good ? g_strdup(endpoint) : NULL;
		while (good && g_str_has_suffix(base_url, "/"))
			base_url[strlen(base_url) - 1] = 0;
	}
	if (!base_url) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID,
			    "\"%s\" is neither unix:/PATH nor http[s]://HOST[:PORT][/PREFIX]",
			    endpoint);
		return NULL;
	}
	struct http_client *client = g_new0(struct http_client, 1);
	client->endpoint = g_strdup(endpoint);
	client->base_url = g_steal_pointer(&base_url);
	client->socket_path = g_steal_pointer(&socket_path);
	pthread_mutex_init(&client->lock, NULL);
	return client;
}

static void line_free(struct line *line)
{
	curl_easy_cleanup(line->easy);
	curl_multi_cleanup(line->multi);
	g_free(line);
}

void http_client_free(struct http_client *client)
{
	if (!client)
		return;
	for (struct line *line = client->idle, *next; line; line = next) {
		next = line->next;
		line_free(line);
	}
	pthread_mutex_destroy(&client->lock);
	g_free(client->endpoint);
	g_free(client->base_url);
	g_free(client->socket_path);
	g_free(client);
}

static struct line *line_take(struct http_client *client)
{
	pthread_mutex_lock(&client->lock);
	struct line *line = client->idle;
	if (line) {
		client->idle = line->next;
		client->n_idle--;
	}
	pthread_mutex_unlock(&client->lock);
	if (!line) {
		line = g_new0(struct line, 1);
		line->multi = curl_multi_init();
		line->easy = curl_easy_init();
		g_assert(line->multi && line->easy); /* only without memory */
	}
	return line;
}

static void line_put(struct http_client *client, struct line *line)
{
	curl_easy_reset(line->easy); /* keeps the connection */
	pthread_mutex_lock(&client->lock);
	bool kept = client->n_idle < LINES_KEPT;
	if (kept) {
		line->next = client->idle;
		client->idle = line;
		client->n_idle++;
	}
	pthread_mutex_unlock(&client->lock);
	if (!kept)
		line_free(line);
}

static size_t on_header(char *data, size_t size, size_t n, void *user)
{
	struct transfer *transfer = user;
	transfer->head_bytes += size * n;
	if (transfer->head_bytes > HTTP_REPLY_HEAD_MAX_BYTES) {
		transfer->fault = HEAD_TOO_LARGE;
		return 0;
	}
	if (size * n > 5 && memcmp(data, "HTTP/", 5) == 0)
		g_string_truncate(transfer->head, 0);
	g_string_append_len(transfer->head, data, (gssize) (size * n));
	return size * n;
}

static size_t on_body(char *data, size_t size, size_t n, void *user)
{
	struct transfer *transfer = user;
	size_t length = size * n;
	long status = 0;
	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	if (transfer->call->take && status / 100 == 2) {
		if (transfer->call->take(data, length, transfer->call->data))
			return length;
		transfer->fault = NOT_TAKEN;
		return length == 0 ? 1 : 0;
	}
	if (transfer->bytes->len + length > transfer->max_bytes) {
		transfer->fault = BODY_TOO_LARGE;
		return length == 0 ? 1 : 0;
	}
	g_byte_array_append(transfer->bytes, (const guint8 *) data, (guint) length);
	return length;
}

static void add_header(struct transfer *transfer, const char *name, const char *value)
{
	g_autofree char *text = g_strconcat(name, value, NULL);
	g_strdelimit(text, "\r\n", ' '); /* a line break would begin a header, or a request, of its own */
	transfer->headers = curl_slist_append(transfer->headers, text);
}

static void set_up(struct transfer *transfer)
{
	const struct http_call *call = transfer->call;
	CURL *easy = transfer->easy;
	g_autofree char *url = g_strconcat(transfer->client->base_url, call->path, NULL);
	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	if (transfer->client->socket_path) {
		curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, transfer->client->socket_path);
		curl_easy_setopt(easy, CURLOPT_PROXY, "");
	}
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->detail);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "pleach/" PLEACH_VERSION);
	const char *method = call->method ? call->method : "GET";
	if (call->body) {
		curl_easy_setopt(easy, CURLOPT_POST, 1L);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) call->body_length);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call->body);
		add_header(transfer, "Content-Type: ", call->content_type ? call->content_type : "application/json");
	} else if (strcmp(method, "HEAD") == 0) {
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	}
	if (strcmp(method, "GET") != 0 || call->body)
		curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
	add_header(transfer, "Accept: ", call->accept ? call->accept : "application/json");
	add_header(transfer, "Expect:", ""); /* no waiting for "100 Continue" */
	for (size_t i = 0; call->headers && call->headers[i]; i++)
		add_header(transfer, call->headers[i], "");
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
}

static bool fail(const struct transfer *transfer, enum pleach_error code, const char *text, GError **error)
{
	const struct http_call *call = transfer->call;
	g_set_error(error, PLEACH_ERROR, code, "%s: %s %s: %s", transfer->client->endpoint, call->method ? call->method : "GET",
		    call->path, text);
	return false;
}

static enum pleach_error code_of(CURLcode result)
{
	/* curl has a hundred codes; those not named here are of protocols that are never spoken, or bugs. */
	static const struct {
		CURLcode result;
		enum pleach_error code;
	} table[] = {
		{ CURLE_COULDNT_CONNECT, PLEACH_ERROR_RETRY },
		{ CURLE_COULDNT_RESOLVE_HOST, PLEACH_ERROR_RETRY },
		{ CURLE_COULDNT_RESOLVE_PROXY, PLEACH_ERROR_RETRY },
		{ CURLE_SEND_ERROR, PLEACH_ERROR_RETRY },
		{ CURLE_RECV_ERROR, PLEACH_ERROR_RETRY },
		{ CURLE_GOT_NOTHING, PLEACH_ERROR_RETRY },
		{ CURLE_PARTIAL_FILE, PLEACH_ERROR_RETRY },
		{ CURLE_OUT_OF_MEMORY, PLEACH_ERROR_RETRY },
		{ CURLE_SSL_CONNECT_ERROR, PLEACH_ERROR_RETRY },
		{ CURLE_OPERATION_TIMEDOUT, PLEACH_ERROR_TIMEOUT },
		{ CURLE_URL_MALFORMAT, PLEACH_ERROR_INVALID },
		{ CURLE_UNSUPPORTED_PROTOCOL, PLEACH_ERROR_INVALID }, /* bytes that are no HTTP/1 */
		{ CURLE_WEIRD_SERVER_REPLY, PLEACH_ERROR_INVALID },
		{ CURLE_BAD_CONTENT_ENCODING, PLEACH_ERROR_INVALID },
		{ CURLE_SSL_CERTPROBLEM, PLEACH_ERROR_AUTH },
		{ CURLE_LOGIN_DENIED, PLEACH_ERROR_AUTH },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
		if (table[i].result == result)
			return table[i].code;
	}
	return PLEACH_ERROR_PERMANENT;
}

static bool judge(const struct transfer *transfer, CURLcode result, GError **error)
{
	char text[128];
	switch (transfer->fault) {
	case GOING:
		break;
	case HEAD_TOO_LARGE:
		g_snprintf(text, sizeof(text), "the answer's head has more than %d bytes", HTTP_REPLY_HEAD_MAX_BYTES);
		return fail(transfer, PLEACH_ERROR_INVALID, text, error);
	case BODY_TOO_LARGE:
		g_snprintf(text, sizeof(text), "the answer has more than %zu bytes", transfer->max_bytes);
		return fail(transfer, PLEACH_ERROR_INVALID, text, error);
	case NOT_TAKEN:
		return fail(transfer, PLEACH_ERROR_CANCELLED, "stopped by the reader", error);
	}
	if (result == CURLE_OK)
		return true;
	long errnum = 0;
	/* Of a unix socket curl tells that it could not connect to port 80. */
	if (result == CURLE_COULDNT_CONNECT && g_str_has_prefix(transfer->client->endpoint, "unix:") &&
	    curl_easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &errnum) == CURLE_OK && errnum)
		return fail(transfer, code_of(result), g_strerror((int) errnum), error);
	return fail(transfer, code_of(result), transfer->detail[0] ? transfer->detail : curl_easy_strerror(result), error);
}

static bool is_cancelled(const struct http_call *call)
{
	struct pollfd look = { .fd = call->cancel_fd, .events = POLLIN };
	return call->cancel_fd >= 0 && poll(&look, 1, 0) > 0;
}

/* Runs the transfer to its end. */
static bool drive(struct transfer *transfer, CURLM *multi, GError **error)
{
	const struct http_call *call = transfer->call;
	gint64 deadline_us = call->deadline_us ? call->deadline_us : clock_monotonic_us() + DEFAULT_TIMEOUT_S * G_USEC_PER_SEC;
	for (;;) {
		if (is_cancelled(call))
			return fail(transfer, PLEACH_ERROR_CANCELLED, "cancelled", error);
		gint64 left_us = deadline_us - clock_monotonic_us();
		if (left_us <= 0)
			return fail(transfer, PLEACH_ERROR_TIMEOUT, "no answer within its time", error);
		int running = 0;
		CURLMcode code = curl_multi_perform(multi, &running);
		if (code != CURLM_OK)
			return fail(transfer, PLEACH_ERROR_PERMANENT, curl_multi_strerror(code), error);
		if (running == 0)
			break;
		struct curl_waitfd cancel = { .fd = call->cancel_fd, .events = CURL_WAIT_POLLIN };
		int wait_ms = (int) MIN((left_us + 999) / 1000, POLL_MAX_MS);
		curl_multi_poll(multi, &cancel, call->cancel_fd >= 0 ? 1 : 0, wait_ms, NULL);
	}
	int left;
	CURLMsg *message = curl_multi_info_read(multi, &left);
	g_assert(message && message->msg == CURLMSG_DONE);
	return judge(transfer, message->data.result, error);
}

static void take_reply(struct transfer *transfer, struct http_reply *ret)
{
	long status = 0;
	const char *content_type = NULL;
	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_TYPE, &content_type);
	ret->status = (unsigned) status;
	ret->content_type = g_strdup(content_type ? content_type : "");
	ret->head = g_string_free(g_steal_pointer(&transfer->head), FALSE);
	ret->length = transfer->bytes->len;
	g_byte_array_append(transfer->bytes, (const guint8 *) "", 1);
	ret->bytes = (char *) g_byte_array_free(g_steal_pointer(&transfer->bytes), FALSE);
}

bool http_client_call(struct http_client *client, const struct http_call *call, struct http_reply *ret, GError **error)
{
	*ret = (struct http_reply) { 0 };
	struct line *line = line_take(client);
	struct transfer transfer = {
		.client = client,
		.call = call,
		.easy = line->easy,
		.max_bytes = call->reply_max_bytes ? call->reply_max_bytes : HTTP_REPLY_MAX_BYTES,
		.head = g_string_new(NULL),
		.bytes = g_byte_array_new(),
	};
	set_up(&transfer);
	curl_multi_add_handle(line->multi, line->easy);
	bool good = drive(&transfer, line->multi, error);
	if (good)
		take_reply(&transfer, ret);
	curl_multi_remove_handle(line->multi, line->easy);
	if (good)
		line_put(client, line);
	else
		line_free(line); /* in the middle of something: not to be used again */
	curl_slist_free_all(transfer.headers);
	g_clear_pointer(&transfer.bytes, g_byte_array_unref);
	if (transfer.head)
		g_string_free(transfer.head, TRUE);
	return good;
}

void http_reply_clear(struct http_reply *reply)
{
	g_clear_pointer(&reply->content_type, g_free);
	g_clear_pointer(&reply->bytes, g_free);
	g_clear_pointer(&reply->head, g_free);
	*reply = (struct http_reply) { 0 };
}

char *http_reply_header(const struct http_reply *reply, const char *name)
{
	size_t length = strlen(name);
	g_auto(GStrv) lines = g_strsplit(reply->head, "\n", -1);
	for (size_t i = 0; lines[i]; i++) {
		if (g_ascii_strncasecmp(lines[i], name, length) == 0 && lines[i][length] == ':')
			return g_strdup(g_strstrip(lines[i] + length + 1));
	}
	return NULL;
}

static enum pleach_error code_of_status(unsigned status)
{
	if (status == 401 || status == 403)
		return PLEACH_ERROR_AUTH;
	if (status == 404 || status == 410)
		return PLEACH_ERROR_NOT_FOUND;
	if (status == 409 || status == 412)
		return PLEACH_ERROR_CONFLICT;
	if (status == 501 || status == 505)
		return PLEACH_ERROR_UNSUPPORTED;
	if (status == 408 || status == 429 || status >= 500)
		return PLEACH_ERROR_RETRY;
	return PLEACH_ERROR_INVALID;
}

static const char *reason_phrase(unsigned status)
{
	static const struct {
		unsigned status;
		const char *text;
	} table[] = {
		{ 301, " Moved Permanently" }, { 302, " Found" }, { 307, " Temporary Redirect" }, { 308, " Permanent Redirect" },
		{ 400, " Bad Request" }, { 401, " Unauthorized" }, { 403, " Forbidden" }, { 404, " Not Found" },
		{ 405, " Method Not Allowed" }, { 408, " Request Timeout" }, { 409, " Conflict" }, { 410, " Gone" },
		{ 412, " Precondition Failed" }, { 413, " Content Too Large" }, { 414, " URI Too Long" },
		{ 415, " Unsupported Media Type" }, { 422, " Unprocessable Content" }, { 429, " Too Many Requests" },
		{ 500, " Internal Server Error" }, { 501, " Not Implemented" }, { 502, " Bad Gateway" },
		{ 503, " Service Unavailable" }, { 504, " Gateway Timeout" },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
		if (table[i].status == status)
			return table[i].text;
	}
	return "";
}

bool http_reply_is_good(const struct http_reply *reply, const struct http_call *call, GError **error)
{
	if (reply->status / 100 == 2)
		return true;
	g_autofree char *words = g_utf8_make_valid(reply->bytes, (gssize) MIN(strlen(reply->bytes), REASON_MAX_BYTES));
	g_strchomp(words);
	g_set_error(error, PLEACH_ERROR, (gint) code_of_status(reply->status), "%s %s: %u%s%s%s",
		    call->method ? call->method : "GET", call->path, reply->status, reason_phrase(reply->status),
		    *words ? ": " : "", words);
	return false;
}

char *http_encode(const char *text)
{
	GString *out = g_string_new(NULL);
	for (; *text; text++) {
		if (g_ascii_isalnum(*text) || strchr("-._~", *text))
			g_string_append_c(out, *text);
		else
			g_string_append_printf(out, "%%%02X", (unsigned char) *text);
	}
	return g_string_free(out, FALSE);
}
