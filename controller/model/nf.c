#include "model/nf.h"

#include "model/key.h"
#include "model/private.h"
#include "model/view.h"

#include <string.h>

static const struct field_spec specs[] = {
	{ "state", FIELD_SCALAR, COST_IN_PLACE, 0 },
	{ "command", FIELD_LIST, COST_RESTART, 0 },
	{ "ems", FIELD_SCALAR, COST_METADATA, 0 },
	{ "stateful", FIELD_SCALAR, COST_METADATA, 0 },
	{ "config.*.path", FIELD_SCALAR, COST_RESTART, 0 },
	{ "config.*.content", FIELD_SCALAR, COST_RESTART, 0 },
	{ "config.*.mode", FIELD_SCALAR, COST_RESTART, 0 },
	{ "reason", FIELD_SCALAR, COST_METADATA, FIELD_OBSERVED },
	{ "restarts", FIELD_SCALAR, COST_METADATA, FIELD_OBSERVED | FIELD_VOLATILE },
	{ "pid", FIELD_SCALAR, COST_METADATA, FIELD_OBSERVED | FIELD_VOLATILE },
};

const struct kind kind_nf = { "nf", 2, "vnfc", specs, G_N_ELEMENTS(specs) };

static const char *const states[] = {
	[NF_STARTED] = "started", [NF_STOPPED] = "stopped", [NF_STARTING] = "starting", [NF_FAILED] = "failed",
};

#define NF_MODE_DEFAULT "0644"

static const char *file_path(struct arena *arena, const char *element, const char *name)
{
	return arena_printf(arena, "config.%s.%s", element, name);
}

/* --- from fields --------------------------------------------------------------------------------------------------------- */

/* Absolute, and with no way out of the VNFC's own tree. */
static bool is_path(const char *path)
{
	if (*path != '/' || !path[1])
		return false;
	g_auto(GStrv) parts = g_strsplit(path, "/", -1);
	for (size_t i = 1; parts[i]; i++)
		if (!*parts[i] || strcmp(parts[i], ".") == 0 || strcmp(parts[i], "..") == 0)
			return false;
	return true;
}

static bool is_mode(const char *mode)
{
	return strlen(mode) == 4 && mode[0] == '0' && strspn(mode, "01234567") == 4;
}

static bool read_content(const struct view *view, const char *path, struct nf_file *file, GError **error)
{
	const struct value *value = object_value(view->object, path);
	if (value->type == VALUE_DIGEST) {
		file->digest = value->string + strlen(DIGEST_PREFIX);
		return true;
	}
	if (!view_string(view, path, &file->content, error))
		return false;
	if (file->content && strlen(file->content) > NF_CONFIG_MAX_BYTES)
		return view_invalid(view, path, error, "the file is larger than %d bytes", NF_CONFIG_MAX_BYTES);
	return true;
}

static bool read_file(const struct view *view, const char *element, struct nf_file *file, GError **error)
{
	*file = (struct nf_file) { .name = key_segment_text(view->arena, element), .mode = NF_MODE_DEFAULT };
	const char *path = file_path(view->arena, element, "path"), *mode = file_path(view->arena, element, "mode");
	if (!view_string(view, path, &file->path, error) || !view_string(view, mode, &file->mode, error) ||
	    !read_content(view, file_path(view->arena, element, "content"), file, error))
		return false;
	if (!file->path || !is_path(file->path))
		return view_invalid(view, path, error, "\"%s\" is not an absolute path of a file", file->path ? file->path : "");
	if (!is_mode(file->mode))
		return view_invalid(view, mode, error, "\"%s\" is not a mode (\"0644\")", file->mode);
	return true;
}

static bool read_files(const struct view *view, struct nf *nf, GError **error)
{
	size_t n;
	const char *const *elements = object_elements(view->arena, view->object, "config", &n);
	if (n > NF_CONFIG_MAX_FILES)
		return view_invalid(view, "config.*", error, "more than %d files", NF_CONFIG_MAX_FILES);
	struct nf_file *files = ARENA_ARRAY(view->arena, struct nf_file, n);
	for (size_t i = 0; i < n; i++)
		if (!read_file(view, elements[i], &files[i], error))
			return false;
	nf->files = files;
	nf->n_files = n;
	return true;
}

static bool read_command(const struct view *view, struct nf *nf, GError **error)
{
	if (!view_strings(view, "command", &nf->command, &nf->n_command, error))
		return false;
	if (nf->n_command && !*nf->command[0])
		return view_invalid(view, "command", error, "the program's name is empty");
	return true;
}

const struct nf *nf_from_object(struct arena *arena, const struct object *object, GError **error)
{
	g_assert(object->kind == &kind_nf);
	struct view view = { arena, object };
	struct nf *nf = ARENA_NEW(arena, struct nf);
	*nf = (struct nf) { .key = object->key, .site = object->site, .incarnation = object->incarnation };
	unsigned state = NF_STARTED;
	bool good = view_choice(&view, "state", states, G_N_ELEMENTS(states), &state, error) && read_command(&view, nf, error) &&
		    view_string(&view, "ems", &nf->ems, error) && view_bool(&view, "stateful", &nf->stateful, error) &&
		    read_files(&view, nf, error) && view_string(&view, "reason", &nf->reason, error) &&
		    view_int(&view, "restarts", 0, G_MAXINT64, &nf->restarts, error) &&
		    view_int(&view, "pid", 0, G_MAXINT32, &nf->pid, error);
	nf->state = (enum nf_state) state;
	return good ? nf : NULL;
}

/* --- to fields ----------------------------------------------------------------------------------------------------------- */

static void write_file(struct arena *arena, struct object_builder *builder, const struct nf_file *file)
{
	const char *element = key_segment(arena, file->name);
	object_set_string(builder, file_path(arena, element, "path"), file->path, ORIGIN_NONE);
	object_set_string(builder, file_path(arena, element, "mode"), file->mode, ORIGIN_NONE);
	if (file->content)
		object_set_string(builder, file_path(arena, element, "content"), file->content, ORIGIN_NONE);
	else if (file->digest)
		object_set(builder, file_path(arena, element, "content"), value_digest(arena, file->digest), ORIGIN_NONE);
}

const struct object *nf_to_object(struct arena *arena, const struct nf *nf)
{
	struct object_builder *builder = object_builder_new(arena, nf->key, nf->site, ORIGIN_NONE);
	object_set_incarnation(builder, nf->incarnation);
	object_set_string(builder, "state", states[nf->state], ORIGIN_NONE);
	if (nf->n_command)
		object_set(builder, "command", value_string_list(arena, nf->command, nf->n_command), ORIGIN_NONE);
	object_set_string(builder, "ems", nf->ems, ORIGIN_NONE);
	object_set_bool(builder, "stateful", nf->stateful, ORIGIN_NONE);
	for (size_t i = 0; i < nf->n_files; i++)
		write_file(arena, builder, &nf->files[i]);
	object_set_string(builder, "reason", nf->reason, ORIGIN_NONE);
	if (nf->restarts > 0)
		object_set_int(builder, "restarts", nf->restarts, ORIGIN_NONE);
	if (nf->pid > 0)
		object_set_int(builder, "pid", nf->pid, ORIGIN_NONE);
	return object_build(builder);
}
