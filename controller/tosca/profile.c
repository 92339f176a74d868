#include "tosca/internal.h"

#include <string.h>

const char *tosca_profile_name(size_t i)
{
	size_t n = 0;
	while (tosca_profile_texts[n].name)
		n++;
	return i < n ? tosca_profile_texts[i].name : NULL;
}

const char *tosca_profile_text(const char *name)
{
	for (size_t i = 0; tosca_profile_texts[i].name; i++)
		if (!strcmp(tosca_profile_texts[i].name, name))
			return tosca_profile_texts[i].text;
	return NULL;
}

GBytes *tosca_source(const char *file, void *data)
{
	struct tosca *tosca = data;
	if (g_str_has_prefix(file, BUILTIN)) {
		const char *text = tosca_profile_text(file + strlen(BUILTIN));
		return text ? g_bytes_new_static(text, strlen(text)) : NULL;
	}
	g_mutex_lock(&tosca->source_lock);
	if (g_strcmp0(tosca->source_path, file) != 0) {
		g_clear_pointer(&tosca->source_bytes, g_bytes_unref);
		g_free(tosca->source_path);
		tosca->source_path = g_strdup(file);
		tosca->source_bytes = snapshot_read(tosca->snapshot, file, NULL);
	}
	GBytes *bytes = tosca->source_bytes ? g_bytes_ref(tosca->source_bytes) : NULL;
	g_mutex_unlock(&tosca->source_lock);
	return bytes;
}
