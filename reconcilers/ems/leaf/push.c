#include "ems/leaf/ask.h"

#include "base/clock.h"
#include "base/program.h"

#include <string.h>

G_STATIC_ASSERT((int) LEAF_PACKAGE_FILES_MAX == (int) PACKAGE_FILES_MAX);
G_STATIC_ASSERT((int) LEAF_PACKAGE_PATH_MAX_BYTES == (int) PACKAGE_PATH_MAX_BYTES);
G_STATIC_ASSERT((int) LEAF_PACKAGE_FILE_MAX_BYTES == (int) PACKAGE_FILE_MAX_BYTES);
G_STATIC_ASSERT((int) LEAF_PACKAGE_MAX_BYTES == (int) PACKAGE_MAX_BYTES);

static bool send_file(struct http_client *client, const struct call *call, const char *digest, const struct package_file *file,
		      GError **error)
{
	gsize length = 0;
	const void *bytes = g_bytes_get_data(file->bytes, &length);
	g_autofree char *encoded = http_encode(file->path);
	g_autofree char *path = g_strdup_printf("/v1/packages/%s/file?path=%s&mode=%s", digest, encoded, file->executable ? "0755" : "0644");
	struct http_call request = { .method = "PUT", .path = path, .body = length ? bytes : "", .body_length = length,
				     .content_type = "application/octet-stream" };
	auto_http_reply reply = { 0 };
	if (leaf_ask(client, call, &request, &reply, error))
		return true;
	g_prefix_error(error, "file %s of the package: ", file->path);
	return false;
}

bool leaf_push_package(struct http_client *client, const struct call *call, const struct leaf_status *status, const char *digest,
		       const struct package *package, GError **error)
{
	for (size_t i = 0; i < status->n_packages; i++)
		if (strcmp(status->packages[i], digest) == 0)
			return true;
	if (!package || strcmp(package->digest, digest) != 0) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID, "package %s was not given", digest);
		return false;
	}
	for (size_t i = 0; i < package->n_files; i++)
		if (!send_file(client, call, digest, &package->files[i], error))
			return false;
	g_autofree char *path = g_strdup_printf("/v1/packages/%s", digest);
	struct http_call request = { .method = "POST", .path = path, .body = "" };
	auto_http_reply reply = { 0 };
	return leaf_ask(client, call, &request, &reply, error);
}

static char *read_program(gsize *ret_length, GError **error)
{
	g_autofree char *path = program_find("pleach-leaf"), *bytes = NULL;
	g_autoptr(GError) fault = NULL;
	if (!path)
		g_set_error_literal(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND, "program pleach-leaf is nowhere");
	else if (!g_file_get_contents(path, &bytes, ret_length, &fault))
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_PERMANENT, "%s", fault->message);
	else if (*ret_length > LEAF_PROGRAM_MAX_BYTES)
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_UNSUPPORTED, "%s is larger than %d bytes", path, LEAF_PROGRAM_MAX_BYTES);
	else
		return g_steal_pointer(&bytes);
	return NULL;
}

bool leaf_upgrade(struct http_client *client, const struct call *call, GError **error)
{
	gsize length = 0;
	auto_http_reply reply = { 0 };
	g_autofree char *program = read_program(&length, error);
	struct http_call request = { .method = "POST", .path = "/v1/upgrade", .body = program, .body_length = length,
				     .content_type = "application/octet-stream" };
	if (!program || !leaf_ask(client, call, &request, &reply, error))
		return false;
	for (;;) {
		auto_ptr(arena) arena = arena_new();
		g_autoptr(GError) fault = NULL;
		/* In between the connection may be cut. */
		const struct leaf_status *status = leaf_get_status(client, call, -1, arena, &fault);
		if (status && strcmp(status->version, PLEACH_VERSION) == 0)
			return true;
		if (!leaf_nap(call, error))
			return false;
	}
}
