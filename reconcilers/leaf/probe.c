#include "leaf/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/*     IDLE ─ start ─► CONNECTING ─► (tcp) GOOD
 *                         │ └─────► (http) SENDING ─► RECEIVING ─► GOOD
 *                         └── refused, too late, another status ──────────► BAD */
struct probe {
	enum probe_state state;
	int fd;
	bool http;
	gint64 deadline_us;
	unsigned timeout_ms;
	char *where, *request, *words;
	size_t sent, received;
	char answer[PROBE_ANSWER_MAX_BYTES + 1];
};

struct probe *probe_new(void)
{
	struct probe *probe = g_new0(struct probe, 1);
	probe->fd = -1;
	return probe;
}

static void hang_up(struct probe *probe)
{
	if (probe->fd >= 0)
		close(probe->fd);
	probe->fd = -1;
}

void probe_free(struct probe *probe)
{
	hang_up(probe);
	g_free(probe->where);
	g_free(probe->request);
	g_free(probe->words);
	g_free(probe);
}

void probe_give_up(struct probe *probe)
{
	hang_up(probe);
	probe->state = PROBE_IDLE;
}

static void G_GNUC_PRINTF(2, 3) bad(struct probe *probe, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	hang_up(probe);
	g_free(probe->words);
	probe->words = g_strdup_printf("%s: %s", probe->where, text);
	probe->state = PROBE_BAD;
}

static void good(struct probe *probe)
{
	hang_up(probe);
	probe->state = PROBE_GOOD;
}

static socklen_t address_of(const struct leaf_health_check *check, struct sockaddr_storage *ret)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *) ret;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *) ret;
	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET, check->address, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t) check->port);
		return sizeof(*v4);
	}
	if (inet_pton(AF_INET6, check->address, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t) check->port);
	}
	return sizeof(*v6);
}

void probe_start(struct probe *probe, const struct leaf_health_check *check, gint64 now_us)
{
	bool v6 = strchr(check->address, ':');
	hang_up(probe);
	g_free(probe->where);
	g_free(probe->request);
	probe->where = g_strdup_printf(v6 ? "[%s]:%u" : "%s:%u", check->address, check->port);
	probe->http = check->type == LEAF_PROBE_HTTP;
	probe->request = probe->http ? g_strdup_printf("GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: pleach-leaf\r\nConnection: close\r\n\r\n",
						       check->path, probe->where) : NULL;
	probe->timeout_ms = check->timeout_ms;
	probe->deadline_us = now_us + 1000 * (gint64) check->timeout_ms;
	probe->sent = probe->received = 0;
	struct sockaddr_storage address;
	socklen_t size = address_of(check, &address);
	probe->fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	probe->state = PROBE_CONNECTING;
	if (probe->fd < 0 || (connect(probe->fd, (struct sockaddr *) &address, size) != 0 && errno != EINPROGRESS))
		bad(probe, "%s", g_strerror(errno));
}

static bool is_ready(const struct probe *probe, short events)
{
	struct pollfd look = { .fd = probe->fd, .events = events };
	return poll(&look, 1, 0) > 0;
}

static void connecting(struct probe *probe)
{
	int errnum = 0;
	socklen_t size = sizeof(errnum);
	if (!is_ready(probe, POLLOUT))
		return;
	if (getsockopt(probe->fd, SOL_SOCKET, SO_ERROR, &errnum, &size) != 0)
		errnum = errno;
	if (errnum != 0)
		bad(probe, "%s", g_strerror(errnum));
	else if (!probe->http)
		good(probe);
	else
		probe->state = PROBE_SENDING;
}

static void sending(struct probe *probe)
{
	size_t length = strlen(probe->request);
	ssize_t n = send(probe->fd, probe->request + probe->sent, length - probe->sent, MSG_NOSIGNAL);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		bad(probe, "%s", g_strerror(errno));
		return;
	}
	probe->sent += (size_t) n;
	if (probe->sent == length)
		probe->state = PROBE_RECEIVING;
}

/* "HTTP/1.1 200 OK": the status; 0 where it is not that. */
static unsigned status_of(const char *line)
{
	if (!g_str_has_prefix(line, "HTTP/1.") || !g_ascii_isdigit(line[7]) || line[8] != ' ')
		return 0;
	for (int i = 9; i < 12; i++)
		if (!g_ascii_isdigit(line[i]))
			return 0;
	return g_ascii_isdigit(line[12]) ? 0 : (unsigned) atoi(line + 9);
}

static void receiving(struct probe *probe)
{
	ssize_t n = recv(probe->fd, probe->answer + probe->received, PROBE_ANSWER_MAX_BYTES - probe->received, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		bad(probe, "%s", g_strerror(errno));
		return;
	}
	probe->received += (size_t) n;
	probe->answer[probe->received] = '\0';
	bool whole = memchr(probe->answer, '\n', probe->received);
	if (n > 0 && !whole && probe->received < PROBE_ANSWER_MAX_BYTES)
		return;
	unsigned status = whole ? status_of(probe->answer) : 0;
	if (status >= 200 && status < 400)
		good(probe);
	else if (status)
		bad(probe, "HTTP status %u", status);
	else
		bad(probe, probe->received ? "what it answered is not HTTP" : "it hung up without an answer");
}

enum probe_state probe_run(struct probe *probe, gint64 now_us)
{
	if (probe->state == PROBE_CONNECTING)
		connecting(probe);
	if (probe->state == PROBE_SENDING)
		sending(probe);
	if (probe->state == PROBE_RECEIVING)
		receiving(probe);
	if (probe->fd >= 0 && now_us >= probe->deadline_us)
		bad(probe, "no answer within %u ms", probe->timeout_ms);
	return probe->state;
}

const char *probe_words(const struct probe *probe)
{
	return probe->words;
}

int probe_fd(const struct probe *probe, short *ret_events)
{
	*ret_events = probe->state == PROBE_RECEIVING ? POLLIN : POLLOUT;
	return probe->fd;
}

gint64 probe_next_us(const struct probe *probe)
{
	return probe->fd >= 0 ? probe->deadline_us : -1;
}
