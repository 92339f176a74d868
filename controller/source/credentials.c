/* What is shown to the far side (keys, the agent, a token), and whether the far side is who it was: host keys pinned,
 * certificates checked. Each credential is offered once. */
#include "source/session.h"

#include "base/file.h"
#include "base/log.h"
#include "source/known_hosts.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

enum { KEY_MAX_BYTES = 64 * 1024, TOKEN_MAX_BYTES = 4096 };

int session_refuse(struct session *session, enum pleach_error code, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_free(session->refused);
	session->refused = g_strdup_vprintf(format, args);
	session->code = code;
	va_end(args);
	return GIT_EUSER;
}

static void hint(struct session *session, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void hint(struct session *session, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_ptr_array_add(session->hints, g_strdup_vprintf(format, args));
	va_end(args);
}

static void tried(struct session *session, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void tried(struct session *session, const char *format, ...)
{
	if (session->tried->len)
		g_string_append(session->tried, ", ");
	va_list args;
	va_start(args, format);
	g_string_append_vprintf(session->tried, format, args);
	va_end(args);
}

/* --- keys of ssh ---------------------------------------------------------------------------------------------------------- */

static bool take_string(const guchar **at, const guchar *end, const guchar **ret, guint32 *ret_length)
{
	if (end - *at < 4)
		return false;
	guint32 length = (guint32) (*at)[0] << 24 | (guint32) (*at)[1] << 16 | (guint32) (*at)[2] << 8 | (*at)[3];
	if ((guint64) (end - *at) - 4 < length)
		return false;
	*ret = *at + 4;
	*ret_length = length;
	*at += 4 + length;
	return true;
}

static bool string_is(const guchar *text, guint32 length, const char *wanted)
{
	return length == strlen(wanted) && memcmp(text, wanted, length) == 0;
}

/* "openssh-key-v1\0", cipher, key derivation, its options, number of keys, public key: { type, … } */
static void look_into_openssh_key(const char *body, bool *ret_is_rsa, bool *ret_is_locked)
{
	static const char magic[] = "openssh-key-v1";
	g_autofree char *text = g_strndup(body, strcspn(body, "-"));
	gsize n = 0;
	g_autofree guchar *bytes = g_base64_decode(text, &n);
	const guchar *at = bytes + sizeof magic, *end = bytes + n, *part, *inner;
	guint32 length, inner_length;
	if (n <= sizeof magic || memcmp(bytes, magic, sizeof magic) != 0 || !take_string(&at, end, &part, &length))
		return;
	*ret_is_locked = !string_is(part, length, "none");
	if (!take_string(&at, end, &part, &length) || !take_string(&at, end, &part, &length) || end - at < 4)
		return;
	at += 4;
	if (take_string(&at, end, &part, &length) && take_string(&part, part + length, &inner, &inner_length))
		*ret_is_rsa = string_is(inner, inner_length, "ssh-rsa");
}

static void look_into_key(const char *text, bool *ret_is_rsa, bool *ret_is_locked)
{
	static const char openssh[] = "-----BEGIN OPENSSH PRIVATE KEY-----";
	*ret_is_rsa = strstr(text, "-----BEGIN RSA PRIVATE KEY-----") != NULL;
	*ret_is_locked = strstr(text, "ENCRYPTED") != NULL;
	const char *body = strstr(text, openssh);
	if (body)
		look_into_openssh_key(body + strlen(openssh), ret_is_rsa, ret_is_locked);
}

/* A secret that anybody on this machine can read is none. */
static char *read_secret(const char *path, size_t max_bytes, GError **error)
{
	struct stat status;
	if (stat(path, &status) < 0) {
		pleach_error_errno(error, errno, "%s", path);
		return NULL;
	}
	if (status.st_mode & S_IRWXO) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_AUTH, "%s can be read by every user of this machine: chmod "
			    "600 it", path);
		return NULL;
	}
	return file_read(path, max_bytes, NULL, error);
}

/* False: it is not to be offered, and why is noted. */
static bool key_is_good(struct session *session, const char *path)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *text = read_secret(path, KEY_MAX_BYTES, &error);
	if (!text) {
		hint(session, "the key cannot be used: %s", error->message);
		return false;
	}
	bool is_rsa = false, is_locked = false;
	look_into_key(text, &is_rsa, &is_locked);
	memset(text, 0, strlen(text));
	if (is_locked) {
		hint(session, "%s is locked with a passphrase, which nobody is there to type: make a key without one, or "
		     "use an agent", path);
		return false;
	}
	tried(session, "%s%s", path, is_rsa ? " (an RSA key)" : "");
	if (is_rsa)
		hint(session, "RSA keys are signed with SHA-1 by the library in use, which today's servers refuse: make "
		     "another key with ssh-keygen -t ed25519");
	return true;
}

static int offer_ssh(struct session *session, git_credential **ret, const char *user, unsigned allowed)
{
	const struct fetch_request *request = session->request;
	if (allowed & GIT_CREDENTIAL_USERNAME)
		return git_credential_username_new(ret, request->address->user);
	const char *name = user ? user : request->address->user;
	if (!(allowed & GIT_CREDENTIAL_SSH_KEY))
		return session_refuse(session, PLEACH_ERROR_AUTH, "%s@%s takes no keys", name, request->address->host);
	if (session->asked == 0 && request->agent) {
		session->asked++;
		tried(session, "the agent");
		return git_credential_ssh_key_from_agent(ret, name);
	}
	for (;;) {
		unsigned n = session->asked++ - (request->agent ? 1 : 0);
		if (n >= g_strv_length(request->ssh_keys))
			break;
		if (key_is_good(session, request->ssh_keys[n]))
			return git_credential_ssh_key_new(ret, name, NULL, request->ssh_keys[n], NULL);
	}
	if (session->tried->len == 0)
		return session_refuse(session, PLEACH_ERROR_AUTH, "%s@%s wants a key, and there is none: name one with "
				      "--ssh-key FILE",
				      name, request->address->host);
	return session_refuse(session, PLEACH_ERROR_AUTH, "%s@%s refuses the key; tried: %s", name, request->address->host,
			      session->tried->str);
}

/* --- https ---------------------------------------------------------------------------------------------------------------- */

static int offer_token(struct session *session, git_credential **ret)
{
	const struct fetch_request *request = session->request;
	const char *host = request->address->host;
	if (!request->token_file)
		return session_refuse(session, PLEACH_ERROR_AUTH, "%s wants a user and a password or token: give a file "
				      "that holds it with --git-token-file FILE (the user stands in the address: https://USER@%s/…)",
					      host, host);
	if (session->asked++)
		return session_refuse(session, PLEACH_ERROR_AUTH, "%s refuses the token of %s for the user %s", host,
				      request->token_file,
				      request->address->user);
	g_autoptr(GError) error = NULL;
	g_autofree char *token = read_secret(request->token_file, TOKEN_MAX_BYTES, &error);
	if (!token)
		return session_refuse(session, pleach_error_code(error), "the token cannot be used: %s", error->message);
	token[strcspn(token, "\r\n")] = 0;
	redact_add(token);
	int result = git_credential_userpass_plaintext_new(ret, request->address->user, token);
	memset(token, 0, strlen(token));
	return result;
}

int credentials_ask(git_credential **ret, const char *url, const char *user, unsigned allowed, void *data)
{
	struct session *session = data;
	if (session->request->address->transport == SOURCE_SSH)
		return offer_ssh(session, ret, user, allowed);
	if (allowed & GIT_CREDENTIAL_USERPASS_PLAINTEXT)
		return offer_token(session, ret);
	return session_refuse(session, PLEACH_ERROR_AUTH, "%s wants a credential of a kind that is not known here",
			      session->request->address->host);
}

/* --- who the far side is ---------------------------------------------------------------------------------------------------- */

static const char *const key_types[] = {
	[GIT_CERT_SSH_RAW_TYPE_UNKNOWN] = "unknown",
	[GIT_CERT_SSH_RAW_TYPE_RSA] = "ssh-rsa",
	[GIT_CERT_SSH_RAW_TYPE_DSS] = "ssh-dss",
	[GIT_CERT_SSH_RAW_TYPE_KEY_ECDSA_256] = "ecdsa-sha2-nistp256",
	[GIT_CERT_SSH_RAW_TYPE_KEY_ECDSA_384] = "ecdsa-sha2-nistp384",
	[GIT_CERT_SSH_RAW_TYPE_KEY_ECDSA_521] = "ecdsa-sha2-nistp521",
	[GIT_CERT_SSH_RAW_TYPE_KEY_ED25519] = "ssh-ed25519",
};

static int check_host_key(struct session *session, const git_cert_hostkey *shown)
{
	const struct source_address *address = session->request->address;
	if (!(shown->type & GIT_CERT_SSH_RAW))
		return session_refuse(session, PLEACH_ERROR_AUTH, "%s shows no host key", address->host);
	const char *type = (size_t) shown->raw_type < G_N_ELEMENTS(key_types) ? key_types[shown->raw_type] : "unknown";
	const char *file = session->request->known_hosts[0] ? session->request->known_hosts[0] : "known_hosts";
	g_autofree char *print = known_hosts_fingerprint(shown->hostkey, shown->hostkey_len);
	g_autofree char *name = known_hosts_name(address->host, address->port);
	g_autoptr(GBytes) key = g_bytes_new(shown->hostkey, shown->hostkey_len);
	g_autoptr(GString) known = g_string_new(NULL);
	bool found = false;
	for (guint i = 0; i < session->known->len; i++) {
		const struct known_key *pinned = session->known->pdata[i];
		bool same = g_bytes_equal(pinned->key, key);
		if (same && pinned->revoked)
			return session_refuse(session, PLEACH_ERROR_AUTH, "the host key of %s (%s %s) is revoked by %s",
					      address->host,
					      type, print, file);
		found |= same;
		gsize length = 0;
		const void *bytes = g_bytes_get_data(pinned->key, &length);
		g_autofree char *other = known_hosts_fingerprint(bytes, length);
		if (!pinned->revoked)
			g_string_append_printf(known, "%s%s %s", known->len ? ", " : "", pinned->type, other);
	}
	if (found)
		return 0;
	if (known->len)
		return session_refuse(session, PLEACH_ERROR_AUTH,
				      "the host key of %s has changed: it shows %s %s, known is %s. Somebody may stand in "
				      "between. If the host's administrator confirms the new key: ssh-keygen -f %s -R '%s', "
				      "then ssh-keyscan -p %u %s >>%s",
				      address->host, type, print, known->str, file, name, address->port, address->host, file);
	return session_refuse(session, PLEACH_ERROR_AUTH,
			      "the host key of %s is not known: %s %s. If its administrator confirms that it is this one: "
			      "ssh-keyscan -p %u %s >>%s",
			      address->host, type, print, address->port, address->host, file);
}

int credentials_check_host(git_cert *cert, int valid, const char *host, void *data)
{
	struct session *session = data;
	if (session->request->address->transport == SOURCE_SSH)
		return cert->cert_type == GIT_CERT_HOSTKEY_LIBSSH2 ?
			       check_host_key(session, (const git_cert_hostkey *) cert) :
			       session_refuse(session, PLEACH_ERROR_AUTH, "%s shows no host key", host);
	if (!valid)
		return session_refuse(session, PLEACH_ERROR_AUTH, "the certificate of %s is not one that is trusted here: "
				      "give the file of the authority that issued it with --git-ca-file FILE, or see whether its "
				      "name or its dates are wrong", host);
	return 0;
}

bool credentials_prepare(struct session *session, const char *home, GError **error)
{
	const struct source_address *address = session->request->address;
	g_autofree char *folder = g_build_filename(home, ".ssh", NULL), *place = g_build_filename(folder, "known_hosts", NULL);
	g_autoptr(GString) all = g_string_new(NULL);
	for (char **path = session->request->known_hosts; *path; path++) {
		bool there = g_file_test(*path, G_FILE_TEST_EXISTS);
		g_autofree char *text = there ? file_read(*path, KNOWN_HOSTS_MAX_BYTES, NULL, error) : g_strdup("");
		if (!text)
			return false;
		g_string_append_printf(all, "%s\n", text);
	}
	session->known = known_hosts_find(all->str, address->host, address->port);
	g_autofree char *lines = known_hosts_lines(session->known, address->host, address->port);
	g_setenv("HOME", home, TRUE);
	g_unsetenv("XDG_CONFIG_HOME");
	return file_make_folder(folder, 0700, error) && file_write(place, lines, strlen(lines), 0600, error);
}
