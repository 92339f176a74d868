#include "source/objects.h"

#include <string.h>

struct kept {
	git_oid id;
	guint64 size;
	GBytes *bytes; /* or NULL: only the size is known */
	unsigned used; /* in which turn */
};

static struct {
	pthread_mutex_t lock;
	GHashTable *blobs; /* of struct kept, keyed by their ids */
	size_t bytes;
	unsigned turn;
	guint in_use;      /* at the last count */
} cache = { .lock = PTHREAD_MUTEX_INITIALIZER };

guint source_id_hash(gconstpointer id)
{
	guint hash;
	memcpy(&hash, ((const git_oid *) id)->id, sizeof hash);
	return hash;
}

gboolean source_id_equal(gconstpointer a, gconstpointer b)
{
	return git_oid_equal(a, b);
}

static void kept_free(gpointer data)
{
	struct kept *kept = data;
	g_clear_pointer(&kept->bytes, g_bytes_unref);
	g_free(kept);
}

static gboolean is_idle(gpointer id, gpointer value, gpointer data)
{
	const struct kept *kept = value;
	/* The turn that begins has used none yet. */
	if (kept->used + 1 >= cache.turn)
		return FALSE;
	cache.bytes -= kept->bytes ? kept->size : 0;
	return TRUE;
}

void objects_turn(void)
{
	pthread_mutex_lock(&cache.lock);
	cache.turn++;
	if (cache.blobs && g_hash_table_size(cache.blobs) > 2 * cache.in_use + OBJECTS_SPARE) {
		g_hash_table_foreach_remove(cache.blobs, is_idle, NULL);
		cache.in_use = g_hash_table_size(cache.blobs);
	}
	pthread_mutex_unlock(&cache.lock);
}

size_t objects_count(void)
{
	pthread_mutex_lock(&cache.lock);
	size_t n = cache.blobs ? g_hash_table_size(cache.blobs) : 0;
	pthread_mutex_unlock(&cache.lock);
	return n;
}

static bool cache_find(const git_oid *id, guint64 *ret_size, GBytes **ret_bytes)
{
	pthread_mutex_lock(&cache.lock);
	struct kept *kept = cache.blobs ? g_hash_table_lookup(cache.blobs, id) : NULL;
	if (kept)
		kept->used = cache.turn;
	if (kept && ret_size)
		*ret_size = kept->size;
	if (kept && ret_bytes)
		*ret_bytes = kept->bytes ? g_bytes_ref(kept->bytes) : NULL;
	pthread_mutex_unlock(&cache.lock);
	return kept != NULL;
}

/* When it is full it starts anew: the next snapshot fills it with what is in use now. */
static void cache_put(const git_oid *id, guint64 size, GBytes *bytes)
{
	size_t more = bytes && size <= OBJECTS_KEPT_BLOB_BYTES ? size : 0;
	pthread_mutex_lock(&cache.lock);
	if (!cache.blobs)
		cache.blobs = g_hash_table_new_full(source_id_hash, source_id_equal, NULL, kept_free);
	if (g_hash_table_size(cache.blobs) >= OBJECTS_KEPT_MAX || cache.bytes + more > OBJECTS_KEPT_MAX_BYTES) {
		g_hash_table_remove_all(cache.blobs);
		cache.bytes = 0;
	}
	struct kept *kept = g_hash_table_lookup(cache.blobs, id);
	if (!kept) {
		kept = g_new0(struct kept, 1);
		git_oid_cpy(&kept->id, id);
		kept->size = size;
		g_hash_table_insert(cache.blobs, &kept->id, kept);
	}
	kept->used = cache.turn;
	if (bytes && !kept->bytes && size <= OBJECTS_KEPT_BLOB_BYTES) {
		kept->bytes = g_bytes_ref(bytes);
		cache.bytes += more;
	}
	pthread_mutex_unlock(&cache.lock);
}

bool objects_size(git_odb *odb, const git_oid *id, guint64 *ret, GError **error)
{
	if (cache_find(id, ret, NULL))
		return true;
	size_t size = 0;
	git_object_t type = GIT_OBJECT_INVALID;
	int result = git_odb_read_header(&size, &type, odb, id);
	if (result < 0)
		return source_git_error(error, result, "object %.12s", git_oid_tostr_s(id));
	if (type != GIT_OBJECT_BLOB) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID, "object %.12s is no file", git_oid_tostr_s(id));
		return false;
	}
	*ret = size;
	cache_put(id, size, NULL);
	return true;
}

GBytes *objects_read(git_odb *odb, const struct source_file *file, GError **error)
{
	git_oid id;
	int result = git_oid_fromstr(&id, file->id);
	g_assert(result == 0);
	GBytes *bytes = NULL;
	if (cache_find(&id, NULL, &bytes) && bytes)
		return bytes;
	git_odb_object *object = NULL;
	result = git_odb_read(&object, odb, &id);
	if (result < 0) {
		source_git_error(error, result, "%s: object %.12s cannot be read", file->path, file->id);
		return NULL;
	}
	if (git_odb_object_type(object) == GIT_OBJECT_BLOB && git_odb_object_size(object) == file->size) {
		bytes = g_bytes_new(git_odb_object_data(object), git_odb_object_size(object));
		cache_put(&id, file->size, bytes);
	} else {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID, "%s: object %.12s is not the file that it was", file->path,
			    file->id);
	}
	git_odb_object_free(object);
	return bytes;
}
