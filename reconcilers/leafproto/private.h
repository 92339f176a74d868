/* Within leafproto/ only: names of what has no name elsewhere. */
#pragma once

#include "leafproto/leafproto.h"

/* From this version on: packages, operations, health checks, secrets. */
enum { PROTO_MANAGED_VERSION = 2 };

const char *proto_probe_name(enum leaf_probe probe);
const char *proto_health_name(enum leaf_health health);
const char *proto_on_change_name(enum leaf_on_change on_change);


bool proto_get_opt_string(struct arena *arena, const json_t *object, const char *name, const char **ret, const char *what, GError **error);
bool proto_get_range(const json_t *object, const char *name, gint64 min, gint64 max, gint64 *ret, const char *what, GError **error);
bool proto_check_members(json_t *object, const char *const *known, size_t n_known, const char *what, GError **error);
bool proto_get_version(const json_t *object, unsigned *ret, const char *what, GError **error);

/* What both a wanted and an observed NF have. */
bool proto_decode_nf(struct arena *arena, const json_t *object, bool wanted, unsigned version, struct leaf_nf *nf, const char *what,
		     GError **error);
/* The same, of what came with PROTO_MANAGED_VERSION. */
bool proto_decode_managed(struct arena *arena, const json_t *object, bool wanted, struct leaf_nf *nf, const char *what, GError **error);
