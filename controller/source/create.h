/* A new repository with a first commit: for `pleach init`. */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct source_new_file {
	const char *path; /* from the root of the repository */
	const char *text;
};

/* @folder is made; it may exist when it is empty or holds nothing but a repository without a commit (CONFLICT otherwise, and nothing is
 * written). The branch is "main"; the committer is Git's configured one, else "pleach". *@ret_commit: the id, the caller's. */
bool source_create(const char *folder, const struct source_new_file *files, size_t n, const char *message, char **ret_commit,
		   GError **error);
