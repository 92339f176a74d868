#include "leafproto/leafproto.h"

#include <string.h>

const char *leaf_state_name(enum leaf_state state)
{
	static const char *const names[] = {
		[LEAF_STOPPED] = "stopped",   [LEAF_STARTING] = "starting", [LEAF_STARTED] = "started",
		[LEAF_STOPPING] = "stopping", [LEAF_FAILED] = "failed",
	};
	return names[state];
}

static bool check_text(const char *text, size_t max_bytes, const char *what, GError **error)
{
	if (!text || *text == '\0')
		return pleach_error_invalid(error, "%s is empty", what);
	size_t length = strnlen(text, max_bytes + 1);
	if (length > max_bytes)
		return pleach_error_invalid(error, "%s is longer than %zu bytes", what, max_bytes);
	if (!g_utf8_validate(text, (gssize) length, NULL))
		return pleach_error_invalid(error, "%s is not UTF-8", what);
	return true;
}

bool leaf_mode_parse(const char *mode, unsigned *ret)
{
	if (!mode || strlen(mode) != 4)
		return false;
	unsigned bits = 0;
	for (const char *p = mode; *p; p++) {
		if (*p < '0' || *p > '7')
			return false;
		bits = bits * 8 + (unsigned) (*p - '0');
	}
	*ret = bits;
	return true;
}

/* Folders that are the kernel's: nothing written there is a file that stays. */
static bool is_kernels(const char *path)
{
	static const char *const folders[] = { "/proc", "/sys", "/dev" };
	for (size_t i = 0; i < G_N_ELEMENTS(folders); i++) {
		size_t length = strlen(folders[i]);
		if (strncmp(path, folders[i], length) == 0 && (path[length] == '/' || path[length] == '\0'))
			return true;
	}
	return false;
}

static bool check_path(const char *path, const char *name, GError **error)
{
	g_autofree char *what = g_strdup_printf("path of file \"%s\"", name);
	if (!check_text(path, LEAF_PATH_MAX_BYTES, what, error))
		return false;
	if (path[0] != '/')
		return pleach_error_invalid(error, "%s is not absolute: \"%s\"", what, path);
	for (const char *p = path; *p; p++)
		if ((unsigned char) *p < 0x20 || *p == 0x7f)
			return pleach_error_invalid(error, "%s holds a control character", what);
	for (const char *segment = path + 1;; ) {
		size_t length = strcspn(segment, "/");
		if (length == 0)
			return pleach_error_invalid(error, "%s has an empty segment: \"%s\"", what, path);
		if ((length == 1 && segment[0] == '.') || (length == 2 && segment[0] == '.' && segment[1] == '.'))
			return pleach_error_invalid(error, "%s holds \".\" or \"..\": \"%s\"", what, path);
		if (length > LEAF_PATH_SEGMENT_MAX_BYTES)
			return pleach_error_invalid(error, "%s has a segment longer than %d bytes", what, LEAF_PATH_SEGMENT_MAX_BYTES);
		if (segment[length] == '\0')
			break;
		segment += length + 1;
	}
	if (is_kernels(path))
		return pleach_error_invalid(error, "%s is in a folder of the kernel's: \"%s\"", what, path);
	return true;
}

static bool check_file(const struct leaf_file *file, size_t *content_bytes, GError **error)
{
	unsigned mode = 0;
	if (!check_text(file->name, LEAF_NAME_MAX_BYTES, "name of a file", error) || !check_path(file->path, file->name, error))
		return false;
	if (!leaf_mode_parse(file->mode, &mode) || mode > LEAF_MODE_MAX)
		return pleach_error_invalid(error, "mode of file \"%s\" is not like \"0644\": \"%s\"", file->name, file->mode ? file->mode : "");
	if (!file->content)
		return pleach_error_invalid(error, "file \"%s\" has no content", file->name);
	size_t length = strnlen(file->content, LEAF_FILE_MAX_BYTES + 1);
	if (length > LEAF_FILE_MAX_BYTES)
		return pleach_error_invalid(error, "file \"%s\" is larger than %d bytes", file->name, LEAF_FILE_MAX_BYTES);
	if (!g_utf8_validate(file->content, (gssize) length, NULL))
		return pleach_error_invalid(error, "content of file \"%s\" is not UTF-8", file->name);
	*content_bytes += length;
	if (*content_bytes > LEAF_CONTENT_MAX_BYTES)
		return pleach_error_invalid(error, "the files together are larger than %d bytes", LEAF_CONTENT_MAX_BYTES);
	return true;
}

/* Two files with one name or one path, or one where another needs a folder. */
static bool check_apart(const struct leaf_file *a, const struct leaf_file *b, GError **error)
{
	if (strcmp(a->name, b->name) == 0)
		return pleach_error_invalid(error, "two files have the name \"%s\"", a->name);
	size_t a_length = strlen(a->path), b_length = strlen(b->path), shorter = MIN(a_length, b_length);
	if (strncmp(a->path, b->path, shorter) != 0)
		return true;
	if (a_length == b_length)
		return pleach_error_invalid(error, "files \"%s\" and \"%s\" have the same path \"%s\"", a->name, b->name, a->path);
	if ((a_length < b_length ? b : a)->path[shorter] == '/')
		return pleach_error_invalid(error, "files \"%s\" and \"%s\": one has its path inside the other's: \"%s\", \"%s\"", a->name,
			    b->name, a->path, b->path);
	return true;
}

static bool check_command(const struct leaf_nf *nf, GError **error)
{
	if (nf->n_command > LEAF_COMMAND_MAX_ARGS)
		return pleach_error_invalid(error, "the command has more than %d arguments", LEAF_COMMAND_MAX_ARGS);
	size_t bytes = 0;
	for (size_t i = 0; i < nf->n_command; i++) {
		size_t length = strnlen(nf->command[i], LEAF_COMMAND_MAX_BYTES + 1);
		bytes += length;
		if (bytes > LEAF_COMMAND_MAX_BYTES)
			return pleach_error_invalid(error, "the command is longer than %d bytes", LEAF_COMMAND_MAX_BYTES);
		if (!g_utf8_validate(nf->command[i], (gssize) length, NULL))
			return pleach_error_invalid(error, "argument %zu of the command is not UTF-8", i);
	}
	if (nf->n_command > 0 && nf->command[0][0] == '\0')
		return pleach_error_invalid(error, "the command's program is empty");
	return true;
}

bool leaf_nf_check(const struct leaf_nf *nf, GError **error)
{
	if (!check_text(nf->key, LEAF_KEY_MAX_BYTES, "key", error) || !check_command(nf, error))
		return false;
	if (!g_str_has_prefix(nf->key, "nf/"))
		return pleach_error_invalid(error, "\"%s\" is not the key of an NF", nf->key);
	if (nf->state != LEAF_STARTED && nf->state != LEAF_STOPPED)
		return pleach_error_invalid(error, "state \"%s\" cannot be wanted: it is \"started\" or \"stopped\"", leaf_state_name(nf->state));
	if (nf->n_files > LEAF_FILES_MAX)
		return pleach_error_invalid(error, "there are more than %d files", LEAF_FILES_MAX);
	size_t content_bytes = 0;
	for (size_t i = 0; i < nf->n_files; i++) {
		if (!check_file(&nf->files[i], &content_bytes, error))
			return false;
		for (size_t k = 0; k < i; k++)
			if (!check_apart(&nf->files[k], &nf->files[i], error))
				return false;
	}
	return true;
}

bool leaf_nf_same_command(const struct leaf_nf *a, const struct leaf_nf *b)
{
	if (a->n_command != b->n_command)
		return false;
	for (size_t i = 0; i < a->n_command; i++)
		if (strcmp(a->command[i], b->command[i]) != 0)
			return false;
	return true;
}
