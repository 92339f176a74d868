/* The packages that this VNF holds, by content: FOLDER/DIGEST/PATH.
 *
 *     packages_put() for each file ─► FOLDER/DIGEST.part/PATH ─► packages_commit(): verified ─► FOLDER/DIGEST
 *
 * The digest is the sha256 of the manifest, in memcmp order of the paths: "MODE SHA256 PATH\n" for each file, MODE 0644 or 0755. What is
 * half there is no package: it has another name, and is gone after a crash. One upload at a time; another digest begins another. One
 * thread.
 */
#pragma once

#include "leafproto/leafproto.h"

struct packages;

/* What was left half done there is taken away; what is whole is verified again when it is first asked for. */
struct packages *packages_new(const char *folder);
void packages_free(struct packages *packages);
AUTO_DEFINE(packages, packages_free)

/* INVALID: what cannot be part of a package. RETRY: the disk is full. */
bool packages_put(struct packages *packages, const char *digest, const char *path, bool executable, const char *bytes, size_t length,
		  GError **error);

/* INVALID: what is there is not this package: it is taken away. NOT_FOUND: nothing is there. Idempotent. */
bool packages_commit(struct packages *packages, const char *digest, GError **error);

/* Is it there, whole and as its digest says? Looked at once in the life of this process: its scripts may write into it. */
bool packages_has(struct packages *packages, const char *digest);

char *packages_folder(const struct packages *packages, const char *digest); /* owned by the caller */

/* It was verified by the program before us. */
void packages_trust(struct packages *packages, const char *digest);

/* Takes away all but these (NULL: none), and an upload that is under way. */
void packages_keep(struct packages *packages, const char *current, const char *former);

/* Digests of those that are whole; in @arena. */
const char *const *packages_list(struct packages *packages, struct arena *arena, size_t *ret_n);
