/* libFuzzer: bytes → what a client sends, in pieces parted by lines "%%", on one connection of an HTTP server that lives and dies
 * with it. The first byte says how the handler and the client behave. */
#include "fuzz.h"

#include "http/server/server.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	LATER = 1 << 0,   /* answers when the next request comes, or never */
	STREAM = 1 << 1,
	LEAVE = 1 << 2,   /* the client does not wait for answers */
	FINISH = 1 << 3,  /* the client says that it has no more to say */
	TURNS_MAX = 64,
	BODY_MAX = 4096,
};

struct world {
	struct http_server *server;
	struct http_request *kept;
	uint8_t how;
};

static void handler(struct http_request *request, void *data)
{
	struct world *world = data;
	static const char *const names[] = { "q", "", "key" };
	g_assert_cmpuint(strlen(request->body), <=, request->body_length);
	g_assert_cmpuint(request->body_length, <=, BODY_MAX);
	g_assert_true(request->path[0] == '/' && strlen(request->path) <= HTTP_PATH_MAX_BYTES);
	g_assert_true(g_utf8_validate(request->path, -1, NULL) && g_utf8_validate(request->accept, -1, NULL));
	g_assert_true(request->peer.known && request->peer.pid == getpid());
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		const char *param = http_request_param(request, names[i]), *header = http_request_header(request, names[i]);
		g_assert_true((!param || g_utf8_validate(param, -1, NULL)) && (!header || g_utf8_validate(header, -1, NULL)));
	}
	http_request_prefers(request, "application/json", "text/plain");
	if (world->how & STREAM) {
		struct http_stream *stream = http_respond_stream(request, 200, "text/plain");
		http_stream_write(stream, "one\n", 4);
		http_stream_end(stream);
	} else if (world->how & LATER && !world->kept) {
		world->kept = request;
	} else {
		http_respond_text(request, 200, "%s\n", request->path);
	}
}

/* A listening socket without a name in any folder: the kernel picks one. */
static int listen_somewhere(struct sockaddr_un *ret_address, socklen_t *ret_length)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	*ret_address = (struct sockaddr_un) { .sun_family = AF_UNIX };
	*ret_length = sizeof(*ret_address);
	if (fd < 0 || bind(fd, (struct sockaddr *) ret_address, sizeof(sa_family_t)) < 0 || listen(fd, 1) < 0 ||
	    getsockname(fd, (struct sockaddr *) ret_address, ret_length) < 0)
		g_error("no socket: %s", g_strerror(errno));
	return fd;
}

/* The server's loop until it has nothing more to do. */
static void settle(struct world *world, int client)
{
	struct pollfd wait = { .fd = http_server_fd(world->server), .events = POLLIN };
	char answer[4096];
	for (int turn = 0; turn < TURNS_MAX && (poll(&wait, 1, 0) > 0 || http_server_timeout_ms(world->server) == 0); turn++) {
		http_server_run(world->server);
		while (!(world->how & LEAVE) && recv(client, answer, sizeof(answer), MSG_DONTWAIT) > 0)
			continue;
	}
}

static void converse(struct world *world, int client, const uint8_t *data, size_t size)
{
	static const char cut[] = { '\n', '%', '%', '\n' };
	while (size > 0) {
		const uint8_t *end = memmem(data, size, cut, sizeof(cut));
		size_t length = end ? (size_t) (end - data) : size;
		if (length > 0 && send(client, data, length, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			break;
		settle(world, client);
		length += end ? sizeof(cut) : 0;
		data += length;
		size -= length;
		if (world->kept && size > 0)
			http_respond_text(g_steal_pointer(&world->kept), 503, "later\n");
	}
	if (world->how & FINISH)
		shutdown(client, SHUT_WR);
	if (world->how & LEAVE)
		close(client);
	settle(world, client);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sockaddr_un address;
	socklen_t length;
	g_autoptr(GError) error = NULL;
	if (size == 0)
		return 0;
	struct world world = { .how = data[0] };
	const struct http_server_options options = {
		.listen_fd = listen_somewhere(&address, &length), .handler = handler, .data = &world, .body_max_bytes = BODY_MAX,
	};
	world.server = http_server_new(&options, &error);
	if (!world.server)
		g_error("%s", error->message);
	int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (client < 0 || connect(client, (struct sockaddr *) &address, length) < 0)
		g_error("cannot connect: %s", g_strerror(errno));
	converse(&world, client, data + 1, size - 1);
	http_server_free(world.server);
	if (!(world.how & LEAVE))
		close(client);
	return 0;
}
