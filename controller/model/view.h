/* Typed reading of an object's fields with what is wrong said: what the typed views (link.c, vnfc.c, nf.c) are made with.
 *
 * All return false with INVALID ("vnfc/a.b.0: cp.lan.mtu: 12 is not from 68 to 65521"). A field that is absent leaves *@ret as it
 * was.
 */
#pragma once

#include "base/error.h"
#include "model/object.h"

struct view {
	struct arena *arena;
	const struct object *object;
};

bool view_invalid(const struct view *view, const char *path, GError **error, const char *format, ...) G_GNUC_PRINTF(4, 5);

bool view_int(const struct view *view, const char *path, gint64 min, gint64 max, gint64 *ret, GError **error);
bool view_unsigned(const struct view *view, const char *path, unsigned min, unsigned max, unsigned *ret, GError **error);
bool view_bool(const struct view *view, const char *path, bool *ret, GError **error);
bool view_string(const struct view *view, const char *path, const char **ret, GError **error);
bool view_strings(const struct view *view, const char *path, const char *const **ret, size_t *ret_n, GError **error);

/* One of @names (n of them) as its index. */
bool view_choice(const struct view *view, const char *path, const char *const *names, size_t n, unsigned *ret, GError **error);

bool view_up(const struct view *view, const char *path, bool *ret, GError **error); /* "up" or "down" */
bool view_cidr(const struct view *view, const char *path, const char **ret, GError **error);
bool view_pools(const struct view *view, const char *path, const char *const **ret, size_t *ret_n, GError **error);
bool view_addresses(const struct view *view, const char *path, const char *const **ret, size_t *ret_n, GError **error);
