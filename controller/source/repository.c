/* Repositories and what their names mean; libgit2's errors in our words. */
#include "source/internal.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void source_init(void)
{
	static gsize once;
	if (g_once_init_enter(&once)) {
		git_libgit2_init();
		/* Nothing of a repository is run by what we do with it, so it may belong to another user. */
		git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
		/* A repository that stays open would keep each commit and tree ever read, up to 256 MiB; what we read again we remember
		 * ourselves (objects.h, trees.h, root.c). */
		git_libgit2_opts(GIT_OPT_ENABLE_CACHING, 0);
		g_once_init_leave(&once, 1);
	}
}

static enum pleach_error code_of(int result)
{
	switch (result) {
	case GIT_ENOTFOUND:
	case GIT_EUNBORNBRANCH:
		return PLEACH_ERROR_NOT_FOUND;
	case GIT_EAMBIGUOUS:
	case GIT_EINVALIDSPEC:
	case GIT_EINVALID:
		return PLEACH_ERROR_INVALID;
	case GIT_ELOCKED:
		return PLEACH_ERROR_RETRY;
	default:
		return PLEACH_ERROR_PERMANENT;
	}
}

bool source_git_error(GError **error, int result, const char *format, ...)
{
	const git_error *last = git_error_last();
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error(error, PLEACH_ERROR, (gint) code_of(result), "%s: %s", text,
		    last && last->message ? last->message : "libgit2 gives no reason");
	return false;
}

char *subfolder_normalise(const char *subfolder, GError **error)
{
	g_auto(GStrv) steps = g_strsplit(subfolder ? subfolder : "", "/", -1);
	GString *out = g_string_new(NULL);
	for (size_t i = 0; steps[i]; i++) {
		if (!*steps[i] || g_str_equal(steps[i], "."))
			continue;
		if (g_str_equal(steps[i], "..") || !g_ascii_strcasecmp(steps[i], ".git") ||
		    out->len + strlen(steps[i]) >= SOURCE_MAX_PATH) {
			g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID, "\"%.80s\" cannot be a sub-folder of a repository",
				    subfolder);
			g_string_free(out, TRUE);
			return NULL;
		}
		if (out->len)
			g_string_append_c(out, '/');
		g_string_append(out, steps[i]);
	}
	return g_string_free(out, FALSE);
}

char *subfolder_join(const char *first, const char *second)
{
	return *first && *second ? g_strconcat(first, "/", second, NULL) : g_strdup(*first ? first : second);
}

/* @real from the root of the work tree; "" for what is elsewhere (the repository's own folder). */
static char *prefix_in(git_repository *git, const char *real)
{
	const char *workdir = git_repository_workdir(git);
	char root[PATH_MAX];
	if (!workdir || !realpath(workdir, root))
		return g_strdup("");
	size_t length = strlen(root);
	if (!g_str_has_prefix(real, root) || (real[length] != '/' && length > 1))
		return g_strdup("");
	const char *rest = real + length;
	rest += strspn(rest, "/");
	return g_str_equal(rest, ".git") || g_str_has_prefix(rest, ".git/") ? g_strdup("") : g_strdup(rest);
}

git_repository *repository_open(const char *path, char **ret_prefix, GError **error)
{
	source_init();
	char real[PATH_MAX];
	if (!realpath(path, real)) {
		pleach_error_errno(error, errno, "%s", path);
		return NULL;
	}
	git_repository *git = NULL;
	int result = git_repository_open_ext(&git, real, 0, NULL);
	if (result == GIT_ENOTFOUND) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND, "%s is not in a Git repository", path);
		return NULL;
	}
	if (result < 0) {
		const git_error *last = git_error_last();
		if (last && last->message && strstr(last->message, "objectformat"))
			g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_UNSUPPORTED,
				    "%s is a SHA-256 repository, which cannot be read: "
				    "make it anew with \"git init --object-format=sha1\"", path);
		else
			source_git_error(error, result, "%s cannot be opened", path);
		return NULL;
	}
	if (ret_prefix)
		*ret_prefix = prefix_in(git, real);
	return git;
}

char *repository_head_branch(git_repository *git)
{
	g_autoptr(git_reference) head = NULL;
	if (git_reference_lookup(&head, git, "HEAD") < 0 || git_reference_type(head) != GIT_REFERENCE_SYMBOLIC)
		return NULL;
	const char *target = git_reference_symbolic_target(head);
	return g_str_has_prefix(target, "refs/heads/") ? g_strdup(target + strlen("refs/heads/")) : NULL;
}

enum { BRANCHES_NAMED_MAX = 10 };

/* "main, feature/x": what there is, for hints; NULL when there is no branch. */
static char *branches_of(git_repository *git)
{
	git_reference_iterator *refs = NULL;
	if (git_reference_iterator_glob_new(&refs, git, "refs/heads/*") < 0)
		return NULL;
	GString *names = g_string_new(NULL);
	size_t n = 0;
	const char *name;
	while (git_reference_next_name(&name, refs) == 0 && n++ <= BRANCHES_NAMED_MAX) {
		if (n > BRANCHES_NAMED_MAX)
			g_string_append(names, ", …");
		else
			g_string_append_printf(names, "%s%s", names->len ? ", " : "", name + strlen("refs/heads/"));
	}
	git_reference_iterator_free(refs);
	return g_string_free(names, names->len == 0);
}

static bool not_found(git_repository *git, const char *revision, GError **error)
{
	g_autofree char *branches = branches_of(git);
	g_autofree char *head = repository_head_branch(git);
	const char *where = git_repository_is_bare(git) ? git_repository_path(git) : git_repository_workdir(git);
	if (!branches)
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND,
			    "%s: no commit yet on any branch: push or commit to \"%s\" first", where,
			    g_str_equal(revision, "HEAD") && head ? head : revision);
	else if (g_str_equal(revision, "HEAD") && head)
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND, "%s: no commit yet on the branch \"%s\"; there are: %s",
			    where, head, branches);
	else
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND,
			    "%s: no branch, tag or commit is called \"%.80s\"; there are the branches: %s",
			    where, revision, branches);
	return false;
}

/* The branch of that name, when there is one. */
static bool resolve_branch(git_repository *git, const char *name, git_oid *ret)
{
	int valid = 0;
	if (git_branch_name_is_valid(&valid, name) < 0 || !valid)
		return false;
	g_autofree char *full = g_strconcat("refs/heads/", name, NULL);
	return git_reference_name_to_id(ret, git, full) == 0;
}

/* A commit's or tag's own text is read whole, so its size is looked at first. What is not there at all is told of by who looks it up. */
static bool object_is_small(git_repository *git, const git_oid *id, GError **error)
{
	git_odb *odb = NULL;
	size_t size = 0;
	git_object_t type = GIT_OBJECT_INVALID;
	if (git_repository_odb(&odb, git) < 0)
		return true;
	bool known = git_odb_read_header(&size, &type, odb, id) == 0;
	git_odb_free(odb);
	if (!known || (type != GIT_OBJECT_COMMIT && type != GIT_OBJECT_TAG) || size <= SOURCE_MAX_COMMIT_BYTES)
		return true;
	g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID, "%s %.12s has a text of %zu bytes, more than the %d that are read",
		    type == GIT_OBJECT_TAG ? "tag" : "commit", git_oid_tostr_s(id), size, SOURCE_MAX_COMMIT_BYTES);
	return false;
}

bool repository_resolve(git_repository *git, const char *revision, git_oid *ret, char **ret_branch, GError **error)
{
	enum { REVISION_MAX = 1024 };
	const char *asked = revision ? revision : "HEAD";
	if (!*asked || strlen(asked) > REVISION_MAX) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID,
			    "a revision is the name of a branch, a tag or a commit, not \"%.40s\"", asked);
		return false;
	}
	const char *name = g_str_has_prefix(asked, "refs/heads/") ? asked + strlen("refs/heads/") : asked;
	g_autofree char *branch = NULL;
	git_oid id;
	if (resolve_branch(git, name, &id)) {
		branch = g_strdup(name);
	} else {
		g_autoptr(git_object) object = NULL;
		int result = git_revparse_single(&object, git, asked);
		if (result == GIT_ENOTFOUND || result == GIT_EUNBORNBRANCH)
			return not_found(git, asked, error);
		if (result < 0)
			return source_git_error(error, result, "\"%.80s\" does not name a commit", asked);
		git_oid_cpy(&id, git_object_id(object));
		branch = repository_head_branch(git);
	}
	/* Tags are peeled; a tree or a blob has no commit to give. */
	g_autoptr(git_object) found = NULL, commit = NULL;
	if (!object_is_small(git, &id, error))
		return false;
	int result = git_object_lookup(&found, git, &id, GIT_OBJECT_ANY);
	if (result == 0)
		result = git_object_peel(&commit, found, GIT_OBJECT_COMMIT);
	if (result < 0)
		return source_git_error(error, result, "\"%.80s\" does not name a commit", asked);
	git_oid_cpy(ret, git_object_id(commit));
	if (ret_branch)
		*ret_branch = g_steal_pointer(&branch);
	return true;
}

char *source_resolve(const char *path, const char *revision, GError **error)
{
	auto_ptr(handle) handle = handle_take(path, error);
	git_oid id;
	if (!handle || !repository_resolve(handle->git, revision, &id, NULL, error))
		return NULL;
	return g_strdup(git_oid_tostr_s(&id));
}

/* --- clean or not ----------------------------------------------------------------------------------------------------------- */

static int first_change(const char *path, unsigned flags, void *data)
{
	if (flags == GIT_STATUS_CURRENT || flags == GIT_STATUS_IGNORED)
		return 0;
	const char *how = "changed";
	if (flags & GIT_STATUS_WT_NEW)
		how = "not in Git";
	else if (flags & GIT_STATUS_INDEX_NEW)
		how = "not committed";
	else if (flags & (GIT_STATUS_WT_DELETED | GIT_STATUS_INDEX_DELETED))
		how = "deleted";
	else if (flags & GIT_STATUS_CONFLICTED)
		how = "in conflict";
	*(char **) data = g_strdup_printf("%s (%s)", path, how);
	return 1;
}

bool source_is_clean(const char *path, const char *subfolder, bool *ret_clean, char **ret_what, GError **error)
{
	g_autofree char *below = subfolder_normalise(subfolder, error);
	g_autofree char *prefix = NULL;
	g_autoptr(git_repository) git = below ? repository_open(path, &prefix, error) : NULL;
	if (!git)
		return false;
	if (git_repository_is_bare(git)) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID, "%s is a bare repository: it has no work tree", path);
		return false;
	}
	g_autofree char *whole = subfolder_join(prefix, below);
	char *paths[] = { whole };
	git_status_options options = GIT_STATUS_OPTIONS_INIT;
	options.show = GIT_STATUS_SHOW_INDEX_AND_WORKDIR;
	options.flags = GIT_STATUS_OPT_INCLUDE_UNTRACKED | GIT_STATUS_OPT_RECURSE_UNTRACKED_DIRS |
			GIT_STATUS_OPT_DISABLE_PATHSPEC_MATCH | GIT_STATUS_OPT_EXCLUDE_SUBMODULES;
	if (*whole)
		options.pathspec = (git_strarray) { .strings = paths, .count = 1 };
	g_autofree char *what = NULL;
	int result = git_status_foreach_ext(git, &options, first_change, &what);
	if (result < 0)
		return source_git_error(error, result, "%s: its state", path);
	*ret_clean = !what;
	if (ret_what)
		*ret_what = g_steal_pointer(&what);
	return true;
}
