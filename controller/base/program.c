#include "base/program.h"

#include <glib.h>
#include <unistd.h>

static char *in_folder(const char *folder, const char *name)
{
	g_autofree char *path = folder && *folder ? g_build_filename(folder, name, NULL) : NULL;
	return path && access(path, X_OK) == 0 ? g_steal_pointer(&path) : NULL;
}

char *program_find(const char *name)
{
	g_autofree char *self = g_file_read_link("/proc/self/exe", NULL), *beside = self ? g_path_get_dirname(self) : NULL;
	const char *const folders[] = { g_getenv("PLEACH_LIBEXEC"), beside, "/usr/libexec/pleach", "/usr/lib/pleach" };
	for (size_t i = 0; i < G_N_ELEMENTS(folders); i++) {
		char *path = in_folder(folders[i], name);
		if (path)
			return path;
	}
	return g_find_program_in_path(name);
}
