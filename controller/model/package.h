/* A package: the files that an NF brings into its VNFC, by content (ETSI GS NFV-SOL004, the VNF package's artifacts and scripts).
 *
 * Its digest is the sha256 of its manifest: for each file, in memcmp order of the paths, the line "MODE SHA256 PATH\n" with MODE "0644" or
 * "0755". Two packages with the same digest are the same package, whoever made them. Paths are relative, of plain segments: no "..", no
 * empty segment, no control characters.
 *
 * Immutable; lives in an arena. Any thread.
 */
#pragma once

#include "base/arena.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

enum {
	PACKAGE_FILES_MAX = 4096,
	PACKAGE_PATH_MAX_BYTES = 512,
	PACKAGE_FILE_MAX_BYTES = 16 * 1024 * 1024,
	PACKAGE_MAX_BYTES = 64 * 1024 * 1024,
};

struct package_file {
	const char *path;
	bool executable;    /* 0755, else 0644 */
	const char *digest; /* sha256 of the bytes, in hex */
	GBytes *bytes;      /* held by whoever holds the package */
};

struct package {
	const char *digest; /* 64 hex digits */
	const struct package_file *files; /* in memcmp order of their paths, each once */
	size_t n_files;
	size_t n_bytes;     /* of all files */
};

/* Checks bounds and paths, sorts, computes the digests; takes references of the bytes, which the arena drops. INVALID names the path. */
const struct package *package_make(struct arena *arena, const struct package_file *files, size_t n, GError **error);

/* Is this a path that a package's file may have? */
bool package_path_is_good(const char *path);

/* The manifest text, whose sha256 is the package's digest. Owned by the caller. */
char *package_manifest(const struct package_file *files, size_t n);
