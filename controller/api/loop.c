#include "api/loop.h"

struct serve_source {
	GSource source;
	struct http_server *server;
	gpointer watch;
};

/* What is ready may show only as a time-out of 0: the server's word, not the descriptor's alone, decides. */
static gboolean prepare(GSource *source, gint *timeout_ms)
{
	*timeout_ms = http_server_timeout_ms(((struct serve_source *) source)->server);
	return *timeout_ms == 0;
}

static gboolean check(GSource *source)
{
	struct serve_source *serve = (struct serve_source *) source;
	return g_source_query_unix_fd(source, serve->watch) != 0 || http_server_timeout_ms(serve->server) == 0;
}

static gboolean dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
	http_server_run(((struct serve_source *) source)->server);
	return G_SOURCE_CONTINUE;
}

GSource *serve_source_new(struct http_server *server)
{
	static GSourceFuncs funcs = { .prepare = prepare, .check = check, .dispatch = dispatch };
	struct serve_source *serve = (struct serve_source *) g_source_new(&funcs, sizeof(struct serve_source));
	serve->server = server;
	serve->watch = g_source_add_unix_fd(&serve->source, http_server_fd(server), G_IO_IN);
	g_source_attach(&serve->source, NULL);
	return &serve->source;
}
