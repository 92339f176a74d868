#include "daemon/polls.h"

#include "model/key.h"

#include <string.h>

/* Does the EMS of the NF in this VNFC tell by itself? The leaf does, through the VIM's events. */
static bool rings(const struct cycle_view *now, const struct object *nf)
{
	g_autofree char *vnfc_key = g_strconcat("vnfc/", key_path(nf->key), NULL);
	const struct access *access = now->observed ? observed_access(now->observed, vnfc_key) : NULL;
	return access && strcmp(access->transport, "unix") == 0;
}

static unsigned interval_s(const struct cycle_view *now, const struct object *nf)
{
	if (rings(now, nf))
		return POLLS_NET_S;
	gint64 ms = object_int(nf, "health_check.interval_ms", POLLS_DEFAULT_S * 1000);
	return (unsigned) CLAMP(ms / 1000, 1, POLLS_NET_S);
}

GPtrArray *polls_due(const struct cycle_view *now, unsigned second)
{
	GPtrArray *keys = g_ptr_array_new();
	struct objects objects = now->network->objects;
	for (size_t i = 0; i < objects.n; i++) {
		const struct object *nf = objects.items[i];
		if (nf->kind != &kind_nf)
			continue;
		unsigned interval = interval_s(now, nf);
		if (second % interval == g_str_hash(nf->key) % interval)
			g_ptr_array_add(keys, (gpointer) (guintptr) nf->key);
	}
	return keys;
}
