#include "ems/ssh/private.h"

#include "base/clock.h"
#include "contract/vim.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- a connected socket ------------------------------------------------------------------------------------------------------ */

struct place {
	char *host; /* NULL: through the VIM */
	unsigned port;
};

static void place_clear(struct place *place)
{
	g_free(place->host);
}

static bool find_place(const struct ems *ems, const struct access *access, struct place *ret, GError **error)
{
	*ret = (struct place) { .port = ems->options.port };
	if (ems->options.host) {
		ret->host = g_strdup(ems->options.host);
		return true;
	}
	if (!strcmp(access->transport, "ssh") || !strcmp(access->transport, "tcp"))
		return options_parse_place(access->address, ems->options.port, &ret->host, &ret->port, error);
	return true;
}

char *wire_place(const struct ems *ems, const struct access *access, GError **error)
{
	__attribute__((cleanup(place_clear))) struct place place = { 0 };
	if (!find_place(ems, access, &place, error))
		return NULL;
	return place.host ? g_strdup_printf("%s port %u", place.host, place.port)
			  : g_strdup_printf("127.0.0.1 port %u in %s", place.port, access->key);
}

static bool through_vim(const struct ems *ems, const struct call *call, const struct access *access, unsigned port, int *ret_fd,
			GError **error)
{
	const struct vim_ops *ops = NULL;
	struct vim *vim = call->lookup ? call->lookup->vim(call->lookup, ems->site, &ops, error) : NULL;
	if (vim && ops->connect)
		return ops->connect(vim, call, access->key, "127.0.0.1", port, ret_fd, error);
	if (!error || !*error)
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_UNSUPPORTED,
			    "the VIM of site %s neither tells an address of it nor connects to it: the EMS needs an endpoint", ems->site);
	return false;
}

static bool wait_connected(const struct call *call, int fd, GError **error)
{
	int fault = 0;
	socklen_t length = sizeof(fault);
	if (!call_wait(call, fd, POLLOUT, error))
		return false;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &fault, &length) != 0)
		fault = errno;
	if (fault)
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_RETRY, "%s", g_strerror(fault));
	return !fault;
}

static bool by_tcp(const struct call *call, const struct place *place, int *ret_fd, GError **error)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t) place->port) };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons((uint16_t) place->port) };
	bool is_four = inet_pton(AF_INET, place->host, &four.sin_addr) == 1;
	if (!is_four && inet_pton(AF_INET6, place->host, &six.sin6_addr) != 1)
		return pleach_error_invalid(error, "\"%s\" is no address", place->host);
	int fd = socket(is_four ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return pleach_error_errno(error, errno, "cannot make a socket");
	const struct sockaddr *address = is_four ? (const struct sockaddr *) &four : (const struct sockaddr *) &six;
	bool good = connect(fd, address, is_four ? sizeof(four) : sizeof(six)) == 0;
	if (!good && errno != EINPROGRESS)
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_RETRY, "%s", g_strerror(errno));
	else if (!good)
		good = wait_connected(call, fd, error);
	if (good)
		*ret_fd = fd;
	else
		close(fd);
	return good;
}

/* What went away without a word is found out by the kernel. */
static void tune(int fd)
{
	int on = 1, seconds = SSH_KEEPALIVE_S, count = 3;
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof(seconds));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &seconds, sizeof(seconds));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
}

/* --- a session ---------------------------------------------------------------------------------------------------------------- */

bool wire_turn(struct wire *wire, const struct call *call, GError **error)
{
	int flags = ssh_get_poll_flags(wire->session);
	short events = (short) (POLLIN | (flags & SSH_WRITE_PENDING ? POLLOUT : 0));
	/* Who always has something to say does not get past the deadline either. */
	if (!call_is_over(call, error) && call_wait(call, wire->fd, events, error))
		return true;
	wire->broken = true;
	return false;
}

bool wire_fail(struct wire *wire, GError **error, const char *doing)
{
	wire->broken = true;
	const char *words = ssh_get_error(wire->session);
	g_autofree char *text = g_utf8_make_valid(words && *words ? words : "the connection ended", -1);
	g_strdelimit(text, "\r\n", ' ');
	g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_RETRY, "%s: %.300s", doing, text);
	return false;
}

/* Of a key, as ssh-keygen -l prints it. Owned by the caller. */
static char *fingerprint_of(ssh_key key)
{
	unsigned char *hash = NULL;
	size_t length = 0;
	if (ssh_get_publickey_hash(key, SSH_PUBLICKEY_HASH_SHA256, &hash, &length) != 0)
		return NULL;
	char *text = ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, length);
	ssh_clean_pubkey_hash(&hash);
	char *copy = g_strdup(text);
	ssh_string_free_char(text);
	return copy;
}

static bool refuse_host(const struct ems *ems, GError **error, const char *type, const char *fingerprint, enum ssh_known_hosts_e known)
{
	const char *what = known == SSH_KNOWN_HOSTS_CHANGED || known == SSH_KNOWN_HOSTS_OTHER || ems->options.host_keys->len
				   ? "is another than the one that is pinned"
				   : "is not known";
	g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_AUTH,
		    "its host key %s %s %s; if that is the right one, write \"host_key: %s\" to the options of EMS \"%s\" on site %s%s%s",
		    type, fingerprint, what, fingerprint, ems->name, ems->site, ems->options.known_hosts ? ", or add it to " : "",
		    ems->options.known_hosts ? ems->options.known_hosts : "");
	return false;
}

static bool check_host(const struct ems *ems, struct wire *wire, GError **error)
{
	ssh_key key = NULL;
	if (ssh_get_server_publickey(wire->session, &key) != SSH_OK)
		return wire_fail(wire, error, "cannot see its host key");
	g_autofree char *fingerprint = fingerprint_of(key);
	const char *type = ssh_key_type_to_char(ssh_key_type(key));
	ssh_key_free(key);
	if (!fingerprint)
		return wire_fail(wire, error, "cannot take its host key's fingerprint");
	for (guint i = 0; i < ems->options.host_keys->len; i++)
		if (!strcmp(ems->options.host_keys->pdata[i], fingerprint))
			return true;
	enum ssh_known_hosts_e known = SSH_KNOWN_HOSTS_UNKNOWN;
	if (ems->options.known_hosts)
		known = ssh_session_is_known_server(wire->session);
	return known == SSH_KNOWN_HOSTS_OK || refuse_host(ems, error, type ? type : "?", fingerprint, known);
}

static bool set_options(const struct ems *ems, struct wire *wire, const char *host, unsigned port, GError **error)
{
	ssh_session session = wire->session;
	const char *known_hosts = ems->options.known_hosts ? ems->options.known_hosts : "/dev/null";
	int no = 0, silent = SSH_LOG_NONE;
	bool good = !ssh_options_set(session, SSH_OPTIONS_LOG_VERBOSITY, &silent) && !ssh_options_set(session, SSH_OPTIONS_PROCESS_CONFIG, &no) &&
		    !ssh_options_set(session, SSH_OPTIONS_HOST, host) && !ssh_options_set(session, SSH_OPTIONS_PORT, &port) &&
		    !ssh_options_set(session, SSH_OPTIONS_USER, ems->options.user) &&
		    !ssh_options_set(session, SSH_OPTIONS_KNOWNHOSTS, known_hosts) &&
		    !ssh_options_set(session, SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null") &&
		    !ssh_options_set(session, SSH_OPTIONS_FD, &wire->fd);
	ssh_set_blocking(session, 0);
	return good || pleach_error_invalid(error, "libssh refuses the options: %s", ssh_get_error(session));
}

static bool shake_hands(struct wire *wire, const struct call *call, GError **error)
{
	int rc;
	wire->handed = true;
	while ((rc = ssh_connect(wire->session)) == SSH_AGAIN)
		if (!wire_turn(wire, call, error))
			return false;
	return rc == SSH_OK || wire_fail(wire, error, "no ssh session");
}

/* --- who we are ------------------------------------------------------------------------------------------------------------- */

static bool refused(const struct ems *ems, struct wire *wire, int rc, const char *with, GError **error)
{
	if (rc == SSH_AUTH_SUCCESS)
		return true;
	if (!ssh_is_connected(wire->session))
		return wire_fail(wire, error, "cannot log in");
	g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_AUTH, "it does not let user \"%s\" in with %s", ems->options.user, with);
	return false;
}

static bool by_key(const struct ems *ems, struct wire *wire, const struct call *call, const char *name, GError **error)
{
	char *text = call->lookup ? call->lookup->secret(call->lookup, name, error) : NULL;
	ssh_key key = NULL;
	if (!text) {
		if (error && !*error)
			g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND, "there is no secret \"%s\"", name);
		return false;
	}
	/* Where secrets are kept as single lines the last newline is gone, and libssh wants it. */
	char *whole = g_strconcat(text, "\n", NULL);
	int rc = ssh_pki_import_privkey_base64(whole, "", NULL, NULL, &key);
	explicit_bzero(whole, strlen(whole));
	explicit_bzero(text, strlen(text));
	g_free(whole);
	g_free(text);
	if (rc != SSH_OK)
		return pleach_error_invalid(error, "secret \"%s\" is not a private key without a passphrase", name);
	bool alive = true;
	while (alive && (rc = ssh_userauth_publickey(wire->session, NULL, key)) == SSH_AUTH_AGAIN)
		alive = wire_turn(wire, call, error);
	ssh_key_free(key);
	g_autofree char *with = g_strdup_printf("the key in secret \"%s\"", name);
	return alive && refused(ems, wire, rc, with, error);
}

static bool by_agent(const struct ems *ems, struct wire *wire, const struct call *call, GError **error)
{
	int rc;
	while ((rc = ssh_userauth_agent(wire->session, NULL)) == SSH_AUTH_AGAIN)
		if (!wire_turn(wire, call, error))
			return false;
	return refused(ems, wire, rc, "any key of the agent of $SSH_AUTH_SOCK", error);
}

static bool log_in(const struct ems *ems, struct wire *wire, const struct call *call, const struct access *access, GError **error)
{
	const char *secret = access->secret && !ems->options.credential ? access->secret : ems->options.credential;
	if (secret)
		return by_key(ems, wire, call, secret, error);
	if (ems->options.agent)
		return by_agent(ems, wire, call, error);
	return pleach_error_invalid(error, "EMS \"%s\" of site %s has neither a credential (the secret with the private key) nor \"agent: yes\"",
				    ems->name, ems->site);
}

/* --- all of it ---------------------------------------------------------------------------------------------------------------- */

static bool greet(struct ems *ems, struct wire *wire, const struct call *call, const struct access *access, const struct place *place,
		  GError **error)
{
	const char *slash = strchr(access->key, '/');
	const char *host = place->host ? place->host : slash ? slash + 1 : access->key;
	return set_options(ems, wire, host, place->port, error) && shake_hands(wire, call, error) && check_host(ems, wire, error) &&
	       log_in(ems, wire, call, access, error) && hand_prepare(ems, wire, call, error);
}

struct wire *wire_open(struct ems *ems, const struct call *call, const struct access *access, GError **error)
{
	__attribute__((cleanup(place_clear))) struct place place = { 0 };
	struct call until = *call;
	int fd = -1;
	until.deadline_us = MIN(call->deadline_us, clock_monotonic_us() + SSH_CONNECT_MS * 1000LL);
	if (call_is_over(call, error) || !find_place(ems, access, &place, error))
		return NULL;
	bool there = place.host ? by_tcp(&until, &place, &fd, error) : through_vim(ems, &until, access, place.port, &fd, error);
	if (!there)
		return NULL;
	tune(fd);
	struct wire *wire = g_new0(struct wire, 1);
	wire->key = g_strdup(access->key);
	wire->place = wire_place(ems, access, NULL);
	wire->fd = fd;
	wire->no_sftp = ems->options.sudo;
	wire->session = ssh_new();
	g_assert(wire->session); /* only memory can be missing */
	if (greet(ems, wire, &until, access, &place, error))
		return wire;
	wire->broken = true;
	wire_close(wire);
	return NULL;
}

void wire_close(struct wire *wire)
{
	if (!wire)
		return;
	if (!wire->broken)
		ssh_disconnect(wire->session);
	ssh_free(wire->session);
	if (!wire->handed)
		close(wire->fd);
	g_free(wire->key);
	g_free(wire->place);
	g_free(wire->folder);
	g_free(wire->hand);
	g_free(wire);
}
