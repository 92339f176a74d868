#include "source/address.h"

#include "base/error.h"
#include "base/visible.h"

#include <string.h>

enum { PORT_SSH = 22, PORT_HTTP = 80, PORT_HTTPS = 443, PORT_MAX = 65535, HOST_MAX = 253, USER_MAX = 64 };

static const char default_user[] = "git";

void source_address_free(struct source_address *address)
{
	if (!address)
		return;
	g_free(address->text);
	g_free(address->path);
	g_free(address->user);
	g_free(address->host);
	g_free(address);
}

/* The path at the far side becomes a part of a command line or of a request there. */
static bool remote_path_is_good(const char *path)
{
	return *path && !path[strcspn(path, " '\"\\`")] && *path != '-';
}

static bool host_is_good(const char *host)
{
	size_t length = strlen(host);
	return length > 0 && length <= HOST_MAX && *host != '-' && *host != '.' &&
	       strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:") == length;
}

static bool user_is_good(const char *user)
{
	size_t length = strlen(user);
	return length > 0 && length <= USER_MAX && *user != '-' &&
	       strspn(user, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_+") == length;
}

static bool take_port(struct source_address *address, const char *text, GError **error)
{
	guint64 port = 0;
	if (!g_ascii_string_to_unsigned(text, 10, 1, PORT_MAX, &port, NULL))
		return pleach_error_invalid(error, "\"%.10s\" is no port of %s", text, address->host);
	address->port = (unsigned) port;
	return true;
}

/* "HOST", "HOST:PORT", "[ADDRESS]:PORT" */
static bool take_host(struct source_address *address, const char *text, GError **error)
{
	const char *end = *text == '[' ? strchr(text, ']') : text + strcspn(text, ":");
	if (!end)
		return pleach_error_invalid(error, "an IPv6 address ends with \"]\"");
	bool bracketed = *text == '[';
	address->host = bracketed ? g_strndup(text + 1, (gsize) (end - text - 1)) : g_strndup(text, (gsize) (end - text));
	const char *rest = bracketed ? end + 1 : end;
	if (!host_is_good(address->host) || (*rest && *rest != ':'))
		return pleach_error_invalid(error, "\"%.80s\" is not the name of a host", address->host);
	return !*rest || take_port(address, rest + 1, error);
}

static bool take_user(struct source_address *address, const char *text, size_t length, GError **error)
{
	g_autofree char *user = g_strndup(text, length);
	if (strchr(user, ':'))
		return pleach_error_invalid(error, "the address of the repository holds a password, which would be seen in "
					    "logs and in the list of processes: take it out, and give a file that holds it "
					    "(--git-token-file FILE)");
	if (!user_is_good(user))
		return pleach_error_invalid(error, "\"%.80s\" cannot be the name of a user", user);
	address->user = g_steal_pointer(&user);
	return true;
}

/* "[USER@]HOST[:PORT]/PATH" */
static bool take_authority(struct source_address *address, const char *rest, GError **error)
{
	if (strpbrk(rest, "?#"))
		return pleach_error_invalid(error, "the address of a repository has neither \"?\" nor \"#\"; a token "
					    "belongs into a file (--git-token-file FILE), a branch to --branch");
	const char *slash = strchr(rest, '/');
	g_autofree char *authority = slash ? g_strndup(rest, (gsize) (slash - rest)) : g_strdup(rest);
	const char *at = strrchr(authority, '@');
	if (at && !take_user(address, authority, (size_t) (at - authority), error))
		return false;
	if (!take_host(address, at ? at + 1 : authority, error))
		return false;
	if (!slash || !remote_path_is_good(slash) || !slash[1])
		return pleach_error_invalid(error, "the address of a repository at %s needs a path, without blanks and "
					    "quotes", address->host);
	return true;
}

static bool is_loopback(const char *host)
{
	return g_str_equal(host, "localhost") || g_str_equal(host, "::1") ||
	       g_regex_match_simple("^127\\.[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}$", host, G_REGEX_DOLLAR_ENDONLY, 0);
}

/* "file:///PATH", "file://localhost/PATH" */
static bool take_file(struct source_address *address, const char *rest, GError **error)
{
	if (g_str_has_prefix(rest, "localhost/"))
		rest += strlen("localhost");
	address->path = g_uri_unescape_string(rest, NULL);
	if (*rest != '/' || !address->path)
		return pleach_error_invalid(error, "file:// is followed by a whole path on this machine: "
					    "file:///srv/network.git");
	return true;
}

static bool take_url(struct source_address *address, const char *scheme, const char *rest, bool allow_http, GError **error)
{
	static const struct {
		const char *scheme;
		enum source_transport transport;
		unsigned port;
	} known[] = {
		{ "file", SOURCE_LOCAL, 0 },
		{ "ssh", SOURCE_SSH, PORT_SSH },
		{ "http", SOURCE_HTTP, PORT_HTTP },
		{ "https", SOURCE_HTTPS, PORT_HTTPS },
	};
	size_t i = 0;
	while (i < G_N_ELEMENTS(known) && !g_str_equal(scheme, known[i].scheme))
		i++;
	if (i == G_N_ELEMENTS(known)) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_UNSUPPORTED,
			    "%.20s:// is not known: a repository is a path, or at https://, ssh:// or file://", scheme);
		return false;
	}
	address->transport = known[i].transport;
	address->port = known[i].port;
	if (address->transport == SOURCE_LOCAL)
		return take_file(address, rest, error);
	if (!take_authority(address, rest, error))
		return false;
	if (address->transport == SOURCE_HTTP && !allow_http && !is_loopback(address->host))
		return pleach_error_invalid(error, "http://%s: without TLS anybody on the way can change what is read "
					    "there: use https://, or say --allow-http", address->host);
	return true;
}

/* "[USER@]HOST:PATH" */
static bool take_scp(struct source_address *address, const char *text, GError **error)
{
	const char *at = strchr(text, '@');
	const char *start = at && at < strpbrk(text, ":[") ? at + 1 : text;
	const char *end = *start == '[' ? strchr(start, ']') : strchr(start, ':');
	const char *path = end && *end == ']' ? end + 1 : end;
	if (start != text && !take_user(address, text, (size_t) (start - text) - 1, error))
		return false;
	if (!path || *path != ':' || !remote_path_is_good(path + 1) || strchr(path, '@'))
		return pleach_error_invalid(error, "a repository on another machine is written USER@HOST:PATH, without a "
					    "password, blanks or quotes");
	g_autofree char *host = g_strndup(start, (gsize) (path - start));
	address->transport = SOURCE_SSH;
	address->port = PORT_SSH;
	return take_host(address, host, error);
}

struct source_address *source_address_parse(const char *text, bool allow_http, GError **error)
{
	auto_ptr(source_address) address = g_new0(struct source_address, 1);
	if (!*text || strlen(text) > SOURCE_MAX_ADDRESS || !visible_is_plain(text)) {
		pleach_error_invalid(error, "the address of a repository is 1 to %d bytes of text", SOURCE_MAX_ADDRESS);
		return NULL;
	}
	address->text = g_strdup(text);
	const char *colon = strchr(text, ':'), *slash = strchr(text, '/');
	bool good = true;
	if (colon && colon + 1 == slash && slash[1] == '/') {
		g_autofree char *scheme = g_ascii_strdown(text, colon - text);
		good = take_url(address, scheme, slash + 2, allow_http, error);
	} else if (colon && (!slash || colon < slash)) {
		/* As Git has it: what has a colon before its first slash is on another machine ("./a:b" is not). */
		good = take_scp(address, text, error);
		if (good && !address->user) {
			g_free(address->text);
			address->text = g_strconcat(default_user, "@", text, NULL);
		}
	} else {
		address->path = g_strdup(text);
	}
	if (!good)
		return NULL;
	if (address->transport != SOURCE_LOCAL && !address->user)
		address->user = g_strdup(default_user);
	return g_steal_pointer(&address);
}
