#include "ems/ssh/private.h"

#include <arpa/inet.h>
#include <string.h>

enum { PORT_DEFAULT = 22, PORT_MAX = 65535 };

static const char *const known[] = { "user", "port", "folder", "host_key", "known_hosts", "agent", "sudo" };

bool options_parse_place(const char *text, unsigned default_port, char **ret_host, unsigned *ret_port, GError **error)
{
	const char *at = g_str_has_prefix(text, "ssh://") ? text + strlen("ssh://") : text;
	const char *port = NULL, *colon = strrchr(at, ':');
	g_autofree char *host = NULL;
	if (*at == '[') {
		const char *end = strchr(at, ']');
		host = end ? g_strndup(at + 1, (gsize) (end - at - 1)) : NULL;
		port = end && end[1] == ':' ? end + 2 : NULL;
	} else if (colon && strchr(at, ':') == colon) {
		host = g_strndup(at, (gsize) (colon - at));
		port = colon + 1;
	} else {
		host = g_strdup(at);
	}
	guint64 number = default_port;
	struct in6_addr address;
	bool good = host && (inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1);
	if (!good || (port && !g_ascii_string_to_unsigned(port, 10, 1, PORT_MAX, &number, NULL)))
		return pleach_error_invalid(error, "\"%s\" is not the address and port of an ssh server (\"192.0.2.1:22\", \"[2001:db8::1]:22\"; "
					    "names are not looked up)", text);
	*ret_host = g_steal_pointer(&host);
	*ret_port = (unsigned) number;
	return true;
}

/* Text of an option; NULL where it is not given. */
static const char *option(const struct driver_ref *which, const char *name)
{
	const struct value *value = which->options && which->options->type == VALUE_MAP ? value_map_get(which->options, name) : NULL;
	return value && value->type == VALUE_STRING ? value->string : NULL;
}

static bool read_bool(const struct driver_ref *which, const char *name, bool *ret, GError **error)
{
	const char *text = option(which, name);
	*ret = text && (!strcmp(text, "yes") || !strcmp(text, "true"));
	if (!text || *ret || !strcmp(text, "no") || !strcmp(text, "false"))
		return true;
	return pleach_error_invalid(error, "option %s: \"%s\" is neither \"yes\" nor \"no\"", name, text);
}

static bool check_names(const struct driver_ref *which, GError **error)
{
	if (!which->options || which->options->type != VALUE_MAP)
		return true;
	for (size_t i = 0; i < which->options->map.n; i++) {
		const char *name = which->options->map.keys[i];
		bool is_known = false;
		for (size_t k = 0; k < G_N_ELEMENTS(known) && !is_known; k++)
			is_known = !strcmp(known[k], name);
		if (!is_known)
			return pleach_error_invalid(error, "there is no option \"%s\"; there are user, port, folder, host_key, known_hosts, agent, sudo",
						    name);
		if (!option(which, name) || strlen(option(which, name)) > SSH_TEXT_MAX_BYTES)
			return pleach_error_invalid(error, "option %s is not a text of at most %d bytes", name, SSH_TEXT_MAX_BYTES);
	}
	return true;
}

static bool read_host_keys(struct options *options, const char *text, GError **error)
{
	g_auto(GStrv) words = g_strsplit_set(text ? text : "", " ,\t\n", -1);
	for (size_t i = 0; words[i]; i++) {
		if (!*words[i])
			continue;
		if (!g_str_has_prefix(words[i], "SHA256:") || options->host_keys->len == SSH_HOST_KEYS_MAX)
			return pleach_error_invalid(error, "option host_key: \"%s\" is not one of at most %d fingerprints \"SHA256:…\"", words[i],
						    SSH_HOST_KEYS_MAX);
		g_ptr_array_add(options->host_keys, g_strdup(words[i]));
	}
	return true;
}

static bool read_all(struct options *options, const struct driver_ref *which, GError **error)
{
	guint64 port = PORT_DEFAULT;
	const char *said = option(which, "port"), *user = option(which, "user"), *folder = option(which, "folder");
	if (said && !g_ascii_string_to_unsigned(said, 10, 1, PORT_MAX, &port, NULL))
		return pleach_error_invalid(error, "option port: \"%s\" is not a port", said);
	options->port = (unsigned) port;
	if (which->endpoint && !options_parse_place(which->endpoint, options->port, &options->host, &options->port, error))
		return false;
	if (folder && (*folder != '/' || !folder[1] || strstr(folder, "/..")))
		return pleach_error_invalid(error, "option folder: \"%s\" is not an absolute path", folder);
	options->user = g_strdup(user ? user : "root");
	options->folder = g_strdup(folder);
	options->known_hosts = g_strdup(option(which, "known_hosts"));
	options->credential = g_strdup(which->credential);
	return read_bool(which, "agent", &options->agent, error) && read_bool(which, "sudo", &options->sudo, error) &&
	       read_host_keys(options, option(which, "host_key"), error);
}

bool options_read(struct options *options, const struct site *site, const struct driver_ref *which, GError **error)
{
	*options = (struct options) { .host_keys = g_ptr_array_new_with_free_func(g_free) };
	if (check_names(which, error) && read_all(options, which, error))
		return true;
	g_prefix_error(error, "EMS \"%s\" of site %s: ", which->name, site->name);
	options_clear(options);
	return false;
}

void options_clear(struct options *options)
{
	g_free(options->host);
	g_free(options->user);
	g_free(options->folder);
	g_free(options->known_hosts);
	g_free(options->credential);
	g_ptr_array_unref(options->host_keys);
}
