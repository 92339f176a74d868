/* Host keys of ssh, pinned: the known_hosts files of OpenSSH, read by us.
 *
 * Understood are names, patterns (with "*", "?" and "!"), "[HOST]:PORT", hashed names and @revoked; @cert-authority is not.
 * Any thread.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

enum { KNOWN_HOSTS_MAX_BYTES = 4 * 1024 * 1024, KNOWN_HOSTS_MAX_KEYS = 64 };

struct known_key {
	char *type;  /* "ssh-ed25519" */
	GBytes *key; /* as on the wire */
	bool revoked;
};

/* As OpenSSH writes a host: "HOST", or "[HOST]:PORT" where the port is not the usual one. */
char *known_hosts_name(const char *host, unsigned port);

/* The keys that @text pins for the host: of struct known_key, KNOWN_HOSTS_MAX_KEYS at most. Never NULL. */
GPtrArray *known_hosts_find(const char *text, const char *host, unsigned port);

/* The same in lines that libssh2 understands, so that it asks the host for a key of a type that is known. */
char *known_hosts_lines(const GPtrArray *keys, const char *host, unsigned port);

/* "SHA256:47DEQpj8…", as ssh-keygen -l prints it. */
char *known_hosts_fingerprint(const void *key, size_t length);
