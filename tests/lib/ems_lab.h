/* A service of web servers in a few variables, as desired, applied and seen: for tests of what the EMS makes of it. */
#pragma once

#include "ems/vib.h"
#include "model/nf.h"
#include "model/vnfc.h"

#include <string.h>

#define LAB_NOW (G_GINT64_CONSTANT(1795175526) * G_USEC_PER_SEC)

enum { LAB_SLOTS_MAX = 8 };

struct lab_slot {
	const char *path;
	const char *nf_state, *health, *reason; /* @nf_state NULL: the NF is not seen */
	const char *vnfc_state;                 /* NULL: it is gone */
	const char *autoheal, *escalate_to;
	gint64 max_per_hour;                    /* 0: not said */
	const char *command;                    /* desired */
	const char *applied_command;            /* NULL: as desired */
};

struct lab {
	struct arena *arena;
	struct lab_slot slots[LAB_SLOTS_MAX];
	size_t n_slots;
	GArray *cures; /* struct cure */
	gint64 now_us;
	unsigned n_ids;
};

static inline struct lab *lab_new(void)
{
	struct lab *lab = g_new0(struct lab, 1);
	lab->arena = arena_new();
	lab->cures = g_array_new(FALSE, FALSE, sizeof(struct cure));
	lab->now_us = LAB_NOW;
	return lab;
}

static inline void lab_free(struct lab *lab)
{
	g_array_unref(lab->cures);
	arena_unref(lab->arena);
	g_free(lab);
}

static inline struct lab_slot *lab_add(struct lab *lab, const char *path)
{
	g_assert(lab->n_slots < LAB_SLOTS_MAX);
	struct lab_slot *slot = &lab->slots[lab->n_slots++];
	*slot = (struct lab_slot) { .path = path, .nf_state = "started", .vnfc_state = "running", .command = "nginx" };
	return slot;
}

static inline const struct object *lab_vnfc(struct arena *arena, const struct lab_slot *slot, bool seen)
{
	struct object_builder *builder =
		object_builder_new(arena, arena_printf(arena, "vnfc/%s", slot->path), "local", (struct origin) { "web.yaml", 7, 1 });
	object_set_string(builder, "state", seen ? slot->vnfc_state : "running", ORIGIN_NONE);
	object_set_string(builder, "label.autoheal", slot->autoheal, ORIGIN_NONE);
	if (seen && strcmp(slot->vnfc_state, "running") != 0)
		object_set_string(builder, "exit", "signal 9 (Killed)", ORIGIN_NONE);
	object_set_incarnation(builder, seen ? 1 : 0);
	return object_build(builder);
}

static inline const struct object *lab_nf(struct arena *arena, const struct lab_slot *slot, const char *command, bool seen)
{
	struct object_builder *builder =
		object_builder_new(arena, arena_printf(arena, "nf/%s", slot->path), "local", (struct origin) { "web.yaml", 12, 1 });
	object_set_string(builder, "state", seen ? slot->nf_state : "started", ORIGIN_NONE);
	object_set(builder, "command", value_string_list(arena, &command, 1), ORIGIN_NONE);
	object_set_string(builder, "ems", "leaf", ORIGIN_NONE);
	if (seen) {
		object_set_string(builder, "health", slot->health, ORIGIN_NONE);
		object_set_string(builder, "reason", slot->reason, ORIGIN_NONE);
		object_set_incarnation(builder, 1);
		return object_build(builder);
	}
	object_set_string(builder, "health_check.type", "tcp", (struct origin) { "web.yaml", 14, 3 });
	object_set_string(builder, "health_check.escalate_to", slot->escalate_to, ORIGIN_NONE);
	if (slot->max_per_hour)
		object_set_int(builder, "health_check.max_per_hour", slot->max_per_hour, ORIGIN_NONE);
	return object_build(builder);
}

enum lab_what { LAB_DESIRED, LAB_APPLIED, LAB_SEEN };

static inline struct objects lab_objects(struct arena *arena, const struct lab *lab, enum lab_what what)
{
	g_autoptr(GPtrArray) objects = g_ptr_array_new();
	for (size_t i = 0; i < lab->n_slots; i++) {
		const struct lab_slot *slot = &lab->slots[i];
		bool seen = what == LAB_SEEN;
		const char *command = what == LAB_APPLIED && slot->applied_command ? slot->applied_command : slot->command;
		if (!seen || slot->vnfc_state)
			g_ptr_array_add(objects, (gpointer) (guintptr) lab_vnfc(arena, slot, seen));
		if (!seen || (slot->vnfc_state && strcmp(slot->vnfc_state, "running") == 0 && slot->nf_state))
			g_ptr_array_add(objects, (gpointer) (guintptr) lab_nf(arena, slot, command, seen));
	}
	return objects_sorted(arena, (const struct object *const *) objects->pdata, objects->len);
}

static const struct driver_ref lab_ems = { .name = "leaf", .driver = "fake", .options = &value_absent };
static const struct site lab_site = { .name = "local", .owner = "o", .ems = &lab_ems, .n_ems = 1 };
static const struct site *const lab_sites[] = { &lab_site };

/* What the fault monitor makes of the lab as it is now; all that it needs lives in what is returned. */
static inline struct faults *lab_faults(const struct lab *lab, struct network *ret_network, struct observed *ret_observed)
{
	struct arena *arena = arena_new();
	struct network *network = ARENA_NEW(arena, struct network);
	struct observed *observed = ARENA_NEW(arena, struct observed);
	*network = (struct network) { .arena = arena, .revision = "r", .owner = "o", .sites = lab_sites, .n_sites = 1,
				      .objects = lab_objects(arena, lab, LAB_DESIRED) };
	*observed = (struct observed) { .arena = arena, .objects = lab_objects(arena, lab, LAB_SEEN) };
	const struct faults_input input = {
		.desired = network,
		.last = lab_objects(arena, lab, LAB_APPLIED),
		.observed = observed,
		.cures = (const struct cure *) (const void *) lab->cures->data,
		.n_cures = lab->cures->len,
		.wall_us = lab->now_us,
	};
	struct faults *faults = faults_find(&input);
	if (ret_network)
		*ret_network = *network;
	if (ret_observed)
		*ret_observed = *observed;
	arena_unref(arena); /* the faults hold it */
	return faults;
}

static inline void lab_cured(struct lab *lab, const char *path, enum cure_kind kind, const char *wanted)
{
	const struct cure cure = {
		.id = arena_printf(lab->arena, "op-%u", ++lab->n_ids), .path = arena_strdup(lab->arena, path), .kind = kind,
		.wanted = arena_strdup(lab->arena, wanted), .wall_us = lab->now_us,
	};
	g_array_append_val(lab->cures, cure);
}
