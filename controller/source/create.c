#include "source/create.h"

#include "base/error.h"
#include "base/file.h"

#include <git2.h>
#include <string.h>

static bool git_failed(GError **error, const char *what)
{
	const git_error *last = git_error_last();
	g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_PERMANENT, "%s: %s", what, last && last->message ? last->message : "unknown error");
	return false;
}

static bool folder_is_free(const char *folder, GError **error)
{
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	if (!dir) {
		if (g_file_test(folder, G_FILE_TEST_EXISTS))
			g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_CONFLICT, "%s is there and is no folder", folder);
		return !g_file_test(folder, G_FILE_TEST_EXISTS);
	}
	const char *name = g_dir_read_name(dir);
	while (name && g_str_equal(name, ".git"))
		name = g_dir_read_name(dir);
	if (name)
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_CONFLICT, "%s is not empty: it holds %s; nothing was written", folder, name);
	return !name;
}

static bool write_files(const char *folder, const struct source_new_file *files, size_t n, GError **error)
{
	for (size_t i = 0; i < n; i++) {
		g_autofree char *path = g_build_filename(folder, files[i].path, NULL);
		g_autofree char *parent = g_path_get_dirname(path);
		if (!file_make_folder(parent, 0755, error) || !file_write(path, files[i].text, strlen(files[i].text), 0644, error))
			return false;
	}
	return true;
}

static bool stage(git_repository *repository, const struct source_new_file *files, size_t n, git_oid *ret_tree, GError **error)
{
	git_index *index = NULL;
	bool good = git_repository_index(&index, repository) == 0;
	for (size_t i = 0; good && i < n; i++)
		good = git_index_add_bypath(index, files[i].path) == 0;
	good = good && git_index_write(index) == 0 && git_index_write_tree(ret_tree, index) == 0;
	git_index_free(index);
	return good || git_failed(error, "cannot stage the files");
}

static bool commit(git_repository *repository, const git_oid *tree_id, const char *message, char **ret_commit, GError **error)
{
	git_signature *who = NULL;
	git_tree *tree = NULL;
	git_oid id;
	const char *name = g_getenv("GIT_AUTHOR_NAME"), *email = g_getenv("GIT_AUTHOR_EMAIL");
	bool good = ((name && email && git_signature_now(&who, name, email) == 0) || git_signature_default(&who, repository) == 0 || git_signature_now(&who, "pleach", "pleach@localhost") == 0) &&
		    git_tree_lookup(&tree, repository, tree_id) == 0 &&
		    git_commit_create_v(&id, repository, "HEAD", who, who, NULL, message, tree, 0) == 0;
	if (good) {
		*ret_commit = g_malloc0(GIT_OID_HEXSZ + 1);
		git_oid_tostr(*ret_commit, GIT_OID_HEXSZ + 1, &id);
	}
	git_tree_free(tree);
	git_signature_free(who);
	return good || git_failed(error, "cannot commit");
}

static git_repository *make_repository(const char *folder, GError **error)
{
	git_repository *repository = NULL;
	git_repository_init_options options = GIT_REPOSITORY_INIT_OPTIONS_INIT;
	options.flags = GIT_REPOSITORY_INIT_MKDIR;
	options.initial_head = "main";
	if (git_repository_init_ext(&repository, folder, &options) != 0) {
		git_failed(error, folder);
		return NULL;
	}
	if (git_repository_head_unborn(repository) == 1)
		return repository;
	g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_CONFLICT, "%s is a repository with commits already; nothing was written", folder);
	git_repository_free(repository);
	return NULL;
}

bool source_create(const char *folder, const struct source_new_file *files, size_t n, const char *message, char **ret_commit,
		   GError **error)
{
	if (!folder_is_free(folder, error) || !file_make_folder(folder, 0755, error))
		return false;
	git_libgit2_init();
	git_repository *repository = make_repository(folder, error);
	git_oid tree;
	bool good = repository && write_files(folder, files, n, error) && stage(repository, files, n, &tree, error) &&
		    commit(repository, &tree, message, ret_commit, error);
	git_repository_free(repository);
	git_libgit2_shutdown();
	return good;
}
