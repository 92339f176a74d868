/* libFuzzer: bytes → the files of a repository → the network that it asks for. Lines "%%" part the files; the first line of
 * each is its path. */
#include "fuzz.h"

#include "desired/desired.h"
#include "model/link.h"
#include "model/vnfc.h"

enum { FILES_MAX = 8 };

struct file {
	char *path, *text;
};

static bool is_taken(const struct file files[FILES_MAX], const char *path)
{
	for (size_t i = 0; i < FILES_MAX && files[i].path; i++)
		if (strcmp(files[i].path, path) == 0)
			return true;
	return false;
}

/* Up to the first path that a repository could not have. */
static void files_read(const uint8_t *data, size_t size, struct file files[FILES_MAX])
{
	char *rest = g_strndup((const char *) data, size);
	for (size_t i = 0; rest && i < FILES_MAX; i++) {
		g_autofree char *part = fuzz_part(&rest);
		size_t length = strcspn(part, "\n");
		g_autofree char *path = g_strndup(part, length);
		if (!*path || *path == '/' || is_taken(files, path))
			break;
		files[i].path = g_steal_pointer(&path);
		files[i].text = g_strdup(part[length] ? part + length + 1 : "");
	}
	g_free(rest);
}

/* What desired/ says is known, the drivers have to be able to read. */
static void check(const struct object *object)
{
	auto_ptr(arena) arena = arena_new();
	g_autoptr(GError) error = NULL;
	if (object->kind == &kind_link && !link_from_object(arena, object, &error))
		g_error("%s", error->message);
	for (size_t i = 0; i < object->n_fields; i++)
		if (object->kind == &kind_vnfc && !value_is_known(object->fields[i].value))
			return;
	if (object->kind == &kind_vnfc && !vnfc_from_object(arena, object, &error))
		g_error("%s", error->message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct tosca_cache *cache;
	if (!cache)
		cache = tosca_cache_new();
	struct file f[FILES_MAX] = { 0 };
	files_read(data, size, f);
	auto_ptr(snapshot) snapshot = snapshot_of(f[0].path, f[0].text, f[1].path, f[1].text, f[2].path, f[2].text, f[3].path,
						  f[3].text, f[4].path, f[4].text, f[5].path, f[5].text, f[6].path, f[6].text,
						  f[7].path, f[7].text, NULL);
	auto_ptr(diags) diags = diags_new();
	auto_ptr(tosca) tosca = tosca_load(snapshot, cache, diags);
	const struct desired_options options = { .default_owner = "fuzz" };
	auto_ptr(network) network = desired_make(tosca, &options, diags);
	/* A service is left alone only for a fault that is told. */
	if (network->n_faulty_services && !diags_errors(diags))
		g_error("a faulty service without a fault");
	for (size_t i = 0; i < network->objects.n; i++)
		check(network->objects.items[i]);
	for (size_t i = 0; i < FILES_MAX; i++) {
		g_free(f[i].path);
		g_free(f[i].text);
	}
	return 0;
}
