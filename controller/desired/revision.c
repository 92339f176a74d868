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

struct revision_memory {
	struct tosca_cache *cache;
	struct desired_memory *desired;
};

struct revision_memory *revision_memory_new(void)
{
	struct revision_memory *memory = g_new0(struct revision_memory, 1);
	memory->cache = tosca_cache_new();
	memory->desired = desired_memory_new(tosca_cache_ledger(memory->cache));
	return memory;
}

void revision_memory_free(struct revision_memory *memory)
{
	if (!memory)
		return;
	desired_memory_free(memory->desired);
	tosca_cache_free(memory->cache);
	g_free(memory);
}

size_t revision_memory_taken_over(const struct revision_memory *memory)
{
	return desired_memory_taken_over(memory->desired);
}

/* Where there are more findings than are kept, which of them are hangs on the order in which they were made. */
static bool is_full(const struct revision_memory *memory, const struct diags *diags)
{
	return memory && diags_count(diags) >= DIAGS_MAX;
}

static void load(struct revision *revision, const struct desired_options *options, struct tosca_cache *cache, struct diags *diags)
{
	revision->tosca = tosca_load(revision->snapshot, cache, diags);
	revision->network = desired_make(revision->tosca, options, diags);
}

struct revision *revision_of(struct snapshot *snapshot, const char *owner, struct revision_memory *memory, struct diags *diags)
{
	struct revision *revision = g_new0(struct revision, 1);
	g_atomic_ref_count_init(&revision->refs);
	revision->snapshot = snapshot_ref(snapshot);
	g_autofree char *default_owner = source_default_owner(snapshot);
	struct desired_options options = { .owner = owner, .default_owner = default_owner, .memory = memory ? memory->desired : NULL };
	auto_ptr(diags) found = diags_new();
	diags_append(found, diags);
	load(revision, &options, memory ? memory->cache : NULL, found);
	if (is_full(memory, found)) {
		g_clear_pointer(&revision->network, network_unref);
		g_clear_pointer(&revision->tosca, tosca_unref);
		g_clear_pointer(&found, diags_free);
		found = diags_new();
		diags_append(found, diags);
		options.memory = NULL;
		load(revision, &options, NULL, found);
	}
	revision->files = (gint64) tosca_count(revision->tosca);
	diags_sort(found);
	revision->diags = g_steal_pointer(&found);
	return revision;
}

struct revision *revision_load(const struct revision_source *source, struct revision_memory *memory, GError **error)
{
	if (!owner_is_good(source->owner, error))
		return NULL;
	auto_ptr(diags) diags = diags_new();
	auto_ptr(snapshot) snapshot = source->revision ?
		snapshot_open_commit(source->path, source->revision, source->subfolder, diags, error) :
		snapshot_open_folder(source->path, source->subfolder, diags, error);
	return snapshot ? revision_of(snapshot, source->owner, memory, diags) : NULL;
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
