#include "source/known_hosts.h"

#include <string.h>

enum { SHA1_BYTES = 20, SHA256_BYTES = 32, SALT_MAX_BYTES = 64 };

static void key_free(gpointer data)
{
	struct known_key *key = data;
	g_free(key->type);
	g_bytes_unref(key->key);
	g_free(key);
}

char *known_hosts_name(const char *host, unsigned port)
{
	return port == 22 ? g_ascii_strdown(host, -1) : g_strdup_printf("[%s]:%u", host, port);
}

/* "|1|SALT|HMAC-SHA1(SALT, NAME)" */
static bool hashed_matches(const char *pattern, const char *name)
{
	g_auto(GStrv) parts = g_strsplit(pattern, "|", 5);
	if (g_strv_length(parts) != 4 || !g_str_equal(parts[1], "1"))
		return false;
	gsize n_salt = 0, n_hash = 0, n_own = SHA1_BYTES;
	g_autofree guchar *salt = g_base64_decode(parts[2], &n_salt), *hash = g_base64_decode(parts[3], &n_hash);
	if (n_salt == 0 || n_salt > SALT_MAX_BYTES || n_hash != SHA1_BYTES)
		return false;
	GHmac *hmac = g_hmac_new(G_CHECKSUM_SHA1, salt, n_salt);
	g_hmac_update(hmac, (const guchar *) name, (gssize) strlen(name));
	guint8 own[SHA1_BYTES];
	g_hmac_get_digest(hmac, own, &n_own);
	g_hmac_unref(hmac);
	return memcmp(own, hash, SHA1_BYTES) == 0;
}

static bool pattern_matches(const char *pattern, const char *name)
{
	return strpbrk(pattern, "*?") ? g_pattern_match_simple(pattern, name) : g_ascii_strcasecmp(pattern, name) == 0;
}

static bool names_match(const char *names, const char *name)
{
	if (*names == '|')
		return hashed_matches(names, name);
	g_auto(GStrv) patterns = g_strsplit(names, ",", -1);
	bool found = false;
	for (size_t i = 0; patterns[i]; i++) {
		bool negated = *patterns[i] == '!';
		if (!pattern_matches(patterns[i] + negated, name))
			continue;
		if (negated)
			return false;
		found = true;
	}
	return found;
}

/* "[@MARKER] NAMES TYPE KEY [COMMENT]" */
static struct known_key *parse_line(const char *line, const char *name)
{
	g_auto(GStrv) words = g_strsplit_set(line, " \t", -1);
	GPtrArray *filled = g_ptr_array_new();
	for (size_t i = 0; words[i] && filled->len < 4; i++)
		if (*words[i])
			g_ptr_array_add(filled, words[i]);
	bool marked = filled->len > 0 && *(const char *) filled->pdata[0] == '@';
	bool revoked = marked && g_str_equal(filled->pdata[0], "@revoked");
	struct known_key *key = NULL;
	if (filled->len >= (marked ? 4 : 3) && (!marked || revoked) && *(const char *) filled->pdata[0] != '#' &&
	    names_match(filled->pdata[marked], name)) {
		gsize length = 0;
		guchar *bytes = g_base64_decode(filled->pdata[marked + 2], &length);
		key = g_new0(struct known_key, 1);
		*key = (struct known_key) {
			.type = g_strdup(filled->pdata[marked + 1]), .key = g_bytes_new_take(bytes, length), .revoked = revoked,
		};
	}
	g_ptr_array_unref(filled);
	return key;
}

GPtrArray *known_hosts_find(const char *text, const char *host, unsigned port)
{
	GPtrArray *keys = g_ptr_array_new_with_free_func(key_free);
	g_autofree char *name = known_hosts_name(host, port);
	g_auto(GStrv) lines = g_strsplit_set(text, "\r\n", -1);
	for (size_t i = 0; lines[i] && keys->len < KNOWN_HOSTS_MAX_KEYS; i++) {
		struct known_key *key = parse_line(lines[i], name);
		if (key)
			g_ptr_array_add(keys, key);
	}
	return keys;
}

char *known_hosts_lines(const GPtrArray *keys, const char *host, unsigned port)
{
	g_autofree char *name = known_hosts_name(host, port);
	GString *out = g_string_new(NULL);
	for (guint i = 0; i < keys->len; i++) {
		const struct known_key *key = keys->pdata[i];
		gsize length = 0;
		const guchar *bytes = g_bytes_get_data(key->key, &length);
		g_autofree char *text = g_base64_encode(bytes, length);
		if (!key->revoked)
			g_string_append_printf(out, "%s %s %s\n", name, key->type, text);
	}
	return g_string_free(out, FALSE);
}

char *known_hosts_fingerprint(const void *key, size_t length)
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	g_checksum_update(sum, key, (gssize) length);
	guint8 digest[SHA256_BYTES];
	gsize n = sizeof digest;
	g_checksum_get_digest(sum, digest, &n);
	g_autofree char *text = g_base64_encode(digest, n);
	return g_strdup_printf("SHA256:%.*s", (int) strcspn(text, "="), text);
}
