/* The first commit of a history: walked to once, then remembered.
 *
 * What lies below a commit never changes, so every commit on the way is a good place to remember. Each KEEP_EVERYth is: a new
 * commit, or one of another branch, is then at most that many steps from one that is known.
 */
#include "source/internal.h"

#include <string.h>

enum {
	KEEP_EVERY = 256,
	KEPT_MAX = 65536, /* commits remembered; then all are forgotten */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static GHashTable *roots; /* git_oid of a commit to git_oid of its root */

static bool known(const git_oid *commit, git_oid *ret)
{
	pthread_mutex_lock(&lock);
	const git_oid *root = roots ? g_hash_table_lookup(roots, commit) : NULL;
	if (root)
		git_oid_cpy(ret, root);
	pthread_mutex_unlock(&lock);
	return root != NULL;
}

/* @instead: one that a few steps lead to from the first of @commits, or NULL. It makes room: else each push would add one for ever. */
static void remember(const GArray *commits, const git_oid *root, const git_oid *instead)
{
	pthread_mutex_lock(&lock);
	if (!roots)
		roots = g_hash_table_new_full(source_id_hash, source_id_equal, g_free, g_free);
	if (g_hash_table_size(roots) + commits->len > KEPT_MAX)
		g_hash_table_remove_all(roots);
	if (instead)
		g_hash_table_remove(roots, instead);
	for (size_t i = 0; i < commits->len; i++)
		g_hash_table_insert(roots, g_memdup2(&g_array_index(commits, git_oid, i), sizeof(git_oid)),
				    g_memdup2(root, sizeof *root));
	pthread_mutex_unlock(&lock);
}

/* The first parent, from the commit's own bytes: parsing authors and messages of a whole history is what would take long. 0: a
 * root. */
static int first_parent(git_odb *odb, const git_oid *commit, git_oid *ret, bool *ret_has_one)
{
	git_odb_object *object = NULL;
	size_t size = 0;
	git_object_t type;
	int result = git_odb_read_header(&size, &type, odb, commit);
	if (result == 0 && size > SOURCE_MAX_COMMIT_BYTES)
		result = GIT_EINVALID;
	if (result == 0)
		result = git_odb_read(&object, odb, commit);
	if (result < 0)
		return result;
	/* "tree HEX\nparent HEX\n…" */
	const char *text = git_odb_object_data(object);
	size_t length = git_odb_object_size(object), at = strlen("tree \n") + GIT_OID_HEXSZ;
	*ret_has_one = false;
	if (git_odb_object_type(object) != GIT_OBJECT_COMMIT || length < at)
		result = GIT_EINVALID;
	else if (length >= at + strlen("parent ") + GIT_OID_HEXSZ && !memcmp(text + at, "parent ", strlen("parent "))) {
		*ret_has_one = true;
		result = git_oid_fromstrn(ret, text + at + strlen("parent "), GIT_OID_HEXSZ);
	}
	git_odb_object_free(object);
	return result;
}

bool repository_root_commit(git_repository *git, const git_oid *commit, git_oid *ret, const char **ret_why)
{
	*ret_why = "its history is shallow";
	if (git_repository_is_shallow(git))
		return false;
	git_odb *odb = NULL;
	*ret_why = "its history is not whole";
	if (git_repository_odb(&odb, git) < 0)
		return false;
	g_autoptr(GArray) passed = g_array_new(FALSE, FALSE, sizeof(git_oid));
	git_oid at = *commit;
	bool found = false, has_parent = true;
	size_t steps = 0;
	for (; steps < SOURCE_MAX_HISTORY && !found; steps++) {
		git_oid parent;
		if (known(&at, ret)) {
			found = true;
		} else {
			if (steps % KEEP_EVERY == 0)
				g_array_append_val(passed, at);
			if (first_parent(odb, &at, &parent, &has_parent) < 0)
				break;
			if (has_parent)
				git_oid_cpy(&at, &parent);
			else
				git_oid_cpy(ret, &at), found = true;
		}
	}
	if (steps == SOURCE_MAX_HISTORY)
		*ret_why = "its history is too long";
	git_odb_free(odb);
	if (found)
		remember(passed, ret, has_parent && passed->len == 1 ? &at : NULL);
	return found;
}
