/* What is an address and what is none; host keys as known_hosts pins them. */
#include "source/address.h"

#include "base/error.h"
#include "source/known_hosts.h"

#include <string.h>

static void test_good(void)
{
	static const struct {
		const char *text;
		enum source_transport transport;
		const char *path, *user, *host;
		unsigned port;
		const char *shown; /* NULL: as it was given */
	} cases[] = {
		{ "/srv/net.git", SOURCE_LOCAL, "/srv/net.git" },
		{ "net", SOURCE_LOCAL, "net" },
		{ "./a:b", SOURCE_LOCAL, "./a:b" },
		{ "file:///srv/a%20b.git", SOURCE_LOCAL, "/srv/a b.git" },
		{ "file://localhost/srv/net.git", SOURCE_LOCAL, "/srv/net.git" },
		{ "https://example.org/net.git", SOURCE_HTTPS, NULL, "git", "example.org", 443 },
		{ "HTTPS://me@example.org:8443/a/net.git", SOURCE_HTTPS, NULL, "me", "example.org", 8443 },
		{ "http://127.0.0.1:8080/net.git", SOURCE_HTTP, NULL, "git", "127.0.0.1", 8080 },
		{ "http://[::1]/net.git", SOURCE_HTTP, NULL, "git", "::1", 80 },
		{ "http://localhost/net.git", SOURCE_HTTP, NULL, "git", "localhost", 80 },
		{ "ssh://git@example.org/net.git", SOURCE_SSH, NULL, "git", "example.org", 22 },
		{ "ssh://[2001:db8::1]:2222/net.git", SOURCE_SSH, NULL, "git", "2001:db8::1", 2222 },
		{ "me@example.org:net.git", SOURCE_SSH, NULL, "me", "example.org", 22 },
		{ "example.org:/srv/net.git", SOURCE_SSH, NULL, "git", "example.org", 22, "git@example.org:/srv/net.git" },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		auto_ptr(source_address) address = source_address_parse(cases[i].text, false, &error);
		g_assert_no_error(error);
		g_assert_cmpint(address->transport, ==, cases[i].transport);
		g_assert_cmpstr(address->path, ==, cases[i].path);
		g_assert_cmpstr(address->user, ==, cases[i].user);
		g_assert_cmpstr(address->host, ==, cases[i].host);
		g_assert_cmpuint(address->port, ==, cases[i].port);
		g_assert_cmpstr(address->text, ==, cases[i].shown ? cases[i].shown : cases[i].text);
	}
}

static void test_refused(void)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "", "1 to 2048 bytes" },
		{ "a\nb", "of text" },
		{ "\xff/x", "of text" },
		{ "https://me:hunter2@example.org/x", "--git-token-file" },
		{ "https://me:@example.org/x", "--git-token-file" },
		{ "ssh://me:hunter2@example.org/x", "--git-token-file" },
		{ "me:hunter2@example.org:x", "without a password" },
		{ "https://example.org/x?private_token=hunter2", "--git-token-file" },
		{ "https://example.org/x#main", "--branch" },
		{ "http://example.org/x", "--allow-http" },
		{ "http://127.0.0.1.example.org/x", "--allow-http" },
		{ "git://example.org/x", "git:// is not known" },
		{ "ext::sh -c id", "USER@HOST:PATH" },
		{ "https://example.org", "a path" },
		{ "https://example.org/", "a path" },
		{ "https:///x", "name of a host" },
		{ "https://-oProxyCommand=id/x", "name of a host" },
		{ "ssh://-oProxyCommand=id/x", "name of a host" },
		{ "ssh://-l@example.org/x", "name of a user" },
		{ "example.org:-x", "USER@HOST:PATH" },
		{ "example.org:x';id;'", "USER@HOST:PATH" },
		{ "https://example.org:0/x", "no port" },
		{ "https://example.org:65536/x", "no port" },
		{ "https://[::1/x", "ends with" },
		{ "file://example.org/x", "file:///" },
		{ "file:///%zz", "file:///" },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		g_assert_null(source_address_parse(cases[i].text, false, &error));
		g_assert_nonnull(error);
		if (!strstr(error->message, cases[i].says))
			g_error("%s: %s", cases[i].text, error->message);
		g_assert_null(strstr(error->message, "hunter2"));
	}
	g_autofree char *path = g_strnfill(SOURCE_MAX_ADDRESS - 1, 'x'), *longest = g_strconcat("/", path, NULL),
		*longer = g_strconcat("//", path, NULL);
	g_autoptr(GError) error = NULL;
	auto_ptr(source_address) fits = source_address_parse(longest, false, &error);
	auto_ptr(source_address) other = source_address_parse("http://a.b/x", true, &error);
	g_assert_no_error(error);
	g_assert_null(source_address_parse(longer, false, &error));
}

static size_t matches(const char *line, const char *host, unsigned port)
{
	g_autoptr(GPtrArray) keys = known_hosts_find(line, host, port);
	return keys->len;
}

#define KEY "AAAAC3NzaC1lZDI1NTE5AAAAIHc0ZQwXV0sVYqRQ3bAq6tLT0w7zCtKMWf5F2Zr9PzQz"

static void test_known_hosts(void)
{
	g_assert_cmpuint(matches("example.org ssh-ed25519 " KEY " a comment\n", "example.org", 22), ==, 1);
	g_assert_cmpuint(matches("example.org,10.0.0.1 ssh-ed25519 " KEY, "10.0.0.1", 22), ==, 1);
	g_assert_cmpuint(matches("EXAMPLE.org ssh-ed25519 " KEY, "Example.org", 22), ==, 1);
	g_assert_cmpuint(matches("example.org ssh-ed25519 " KEY, "example.org", 2222), ==, 0);
	g_assert_cmpuint(matches("[example.org]:2222 ssh-ed25519 " KEY, "example.org", 2222), ==, 1);
	g_assert_cmpuint(matches("[example.org]:2222 ssh-ed25519 " KEY, "example.org", 22), ==, 0);
	g_assert_cmpuint(matches("*.org,!bad.org ssh-ed25519 " KEY, "example.org", 22), ==, 1);
	g_assert_cmpuint(matches("*.org,!bad.org ssh-ed25519 " KEY, "bad.org", 22), ==, 0);
	g_assert_cmpuint(matches("#example.org ssh-ed25519 " KEY, "example.org", 22), ==, 0);
	g_assert_cmpuint(matches("@cert-authority example.org ssh-ed25519 " KEY, "example.org", 22), ==, 0);
	g_assert_cmpuint(matches("example.org ssh-ed25519", "example.org", 22), ==, 0);
	g_assert_cmpuint(matches("\n\r\n \t \n|1|x|y ssh-ed25519 " KEY "\n|1| a b\n| a b", "example.org", 22), ==, 0);

	/* HMAC-SHA1 of the name under the salt "salt". */
	g_autofree char *hex = g_compute_hmac_for_string(G_CHECKSUM_SHA1, (const guchar *) "salt", 4, "example.org", -1);
	guint8 hash[20];
	for (size_t i = 0; i < sizeof hash; i++)
		hash[i] = (guint8) (g_ascii_xdigit_value(hex[2 * i]) << 4 | g_ascii_xdigit_value(hex[2 * i + 1]));
	g_autofree char *encoded = g_base64_encode(hash, sizeof hash), *line = g_strdup_printf("|1|c2FsdA==|%s ssh-ed25519 "
			"" KEY, encoded);
	g_assert_cmpuint(matches(line, "example.org", 22), ==, 1);
	g_assert_cmpuint(matches(line, "example.com", 22), ==, 0);

	g_autoptr(GPtrArray) keys = known_hosts_find("@revoked a ssh-ed25519 " KEY "\na ssh-ed25519 " KEY, "a", 22);
	g_assert_cmpuint(keys->len, ==, 2);
	g_assert_true(((const struct known_key *) keys->pdata[0])->revoked);
	g_autofree char *lines = known_hosts_lines(keys, "a", 22), *other = known_hosts_lines(keys, "a", 2222);
	g_assert_cmpstr(lines, ==, "a ssh-ed25519 " KEY "\n");
	g_assert_cmpstr(other, ==, "[a]:2222 ssh-ed25519 " KEY "\n");

	g_autoptr(GString) many = g_string_new(NULL);
	for (size_t i = 0; i <= KNOWN_HOSTS_MAX_KEYS; i++)
		g_string_append(many, "a ssh-ed25519 " KEY "\n");
	g_assert_cmpuint(matches(many->str, "a", 22), ==, KNOWN_HOSTS_MAX_KEYS);
	g_autofree char *print = known_hosts_fingerprint("", 0);
	g_assert_cmpstr(print, ==, "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/source/address/good", test_good);
	g_test_add_func("/source/address/refused", test_refused);
	g_test_add_func("/source/known-hosts", test_known_hosts);
	return g_test_run();
}
