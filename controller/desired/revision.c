#include "desired/revision.h"

/* As pleach_types.yaml has it for a site's owner. */
static bool owner_is_good(const char *owner, GError **error)
{
	if (!owner || g_regex_match_simple("^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$", owner, G_REGEX_DOLLAR_ENDONLY, 0))
		return true;
	g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID,
		    "\"%.80s\" cannot be an owner: 1 to 63 letters, digits, '.', '_' and '-', the first a letter or digit", owner);
	return false;
}

struct revision *revision_load(const struct revision_source *source, struct tosca_cache *cache, GError **error)
{
	if (!owner_is_good(source->owner, error))
		return NULL;
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
