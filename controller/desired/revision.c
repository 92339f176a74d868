#include "desired/revision.h"

struct revision *revision_load(const struct revision_source *source, struct tosca_cache *cache, GError **error)
{
	auto_ptr(diags) diags = diags_new();
	auto_ptr(snapshot) snapshot = source->revision ?
		snapshot_open_commit(source->path, source->revision, source->subfolder, diags, error) :
		snapshot_open_folder(source->path, source->subfolder, diags, error);
	if (!snapshot)
		return NULL;
	struct revision *revision = g_new0(struct revision, 1);
	g_atomic_ref_count_init(&revision->refs);
	revision->tosca = tosca_load(snapshot, cache, diags);
	g_autofree char *default_owner = source_default_owner(snapshot);
	const struct desired_options options = { .owner = source->owner, .default_owner = default_owner };
	revision->network = desired_make(revision->tosca, &options, diags);
	revision->files = (gint64) tosca_count(revision->tosca);
	diags_sort(diags);
	revision->diags = g_steal_pointer(&diags);
	revision->snapshot = g_steal_pointer(&snapshot);
	return revision;
}

struct revision *revision_ref(struct revision *revision)
{
	g_atomic_ref_count_inc(&revision->refs);
	return revision;
}

void revision_unref(struct revision *revision)
{
	if (!revision || !g_atomic_ref_count_dec(&revision->refs))
		return;
	network_unref(revision->network);
	tosca_unref(revision->tosca);
	snapshot_unref(revision->snapshot);
	diags_free(revision->diags);
	g_free(revision);
}
