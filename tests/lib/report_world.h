/* A small network, made by hand, for tests of what is told about it: two links, a firewall and a web server with two instances.
 * */
#pragma once

#include "base/file.h"
#include "model/object.h"
#include "report/report.h"

#include <string.h>

#define WORLD_COMMIT "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d"
#define WORLD_NOW G_GINT64_CONSTANT(1795175526000000) /* 2026-11-20T11:52:06Z */

struct report_world {
	struct arena *arena;
	struct network network;
	struct observed observed;
	struct plan plan;
	struct report_input input;
	GPtrArray *desired, *seen;
	GArray *steps, *unplanned;
	GHashTable *operations; /* key → struct operation * */
};

static inline struct origin world_at(unsigned line)
{
	return (struct origin) { "service.yaml", line, 5 };
}

static inline struct object_builder *world_builder(struct report_world *world, const char *key, unsigned line)
{
	return object_builder_new(world->arena, key, "local", line ? world_at(line) : ORIGIN_NONE);
}

/* The object as desired and as it is seen, alike. */
static inline void world_add(struct report_world *world, const char *key, unsigned line, const char *path, const char *text)
{
	for (int seen = 0; seen < 2; seen++) {
		struct object_builder *builder = world_builder(world, key, seen ? 0 : line);
		if (g_str_has_prefix(key, "vnfc/")) {
			const char *addresses[] = { text };
			object_set_string(builder, "state", "running", ORIGIN_NONE);
			object_set_string(builder, "label.vnfd_id", "fw", ORIGIN_NONE);
			object_depends_on(builder, "link/edge.lan");
			if (seen)
				object_set(builder, path, value_string_list(world->arena, addresses, 1), ORIGIN_NONE);
		} else {
			object_set_string(builder, path, text, seen ? ORIGIN_NONE : world_at(line + 1));
		}
		object_set_incarnation(builder, seen ? 1 : 0);
		if (!seen)
			object_set_descriptor(builder, "edge_ns");
		g_ptr_array_add(seen ? world->seen : world->desired, (gpointer) (guintptr) object_build(builder));
	}
}

static inline struct objects world_objects(struct report_world *world, GPtrArray *objects)
{
	return objects_sorted(world->arena, (const struct object *const *) objects->pdata, objects->len);
}

static inline const struct operation *world_operation(const char *key, void *data)
{
	return g_hash_table_lookup(((struct report_world *) data)->operations, key);
}

/* Everything is as it should be. */
static inline struct report_world *report_world_new(void)
{
	struct report_world *world = g_new0(struct report_world, 1);
	world->arena = arena_new();
	world->desired = g_ptr_array_new();
	world->seen = g_ptr_array_new();
	world->steps = g_array_new(FALSE, TRUE, sizeof(struct step));
	world->unplanned = g_array_new(FALSE, TRUE, sizeof(struct unplanned));
	world->operations = g_hash_table_new(g_str_hash, g_str_equal);
	world_add(world, "link/edge.lan", 10, "cidr", "10.64.3.0/24");
	world_add(world, "link/edge.wan", 12, "cidr", "10.64.4.0/24");
	world_add(world, "vnfc/edge.fw.vdu.0", 20, "cp.lan.addresses", "10.64.3.2");
	world_add(world, "vnfc/edge.web.1.vdu.0", 30, "cp.lan.addresses", "10.64.3.4");
	world_add(world, "vnfc/edge.web.vdu.0", 30, "cp.lan.addresses", "10.64.3.3");
	world_add(world, "nf/edge.fw.vdu.0", 22, "state", "started");
	world_add(world, "nf/edge.web.1.vdu.0", 32, "state", "started");
	world_add(world, "nf/edge.web.vdu.0", 32, "state", "started");
	static const struct site site = { .name = "local", .owner = "owner1", .vim = { .name = "vim", .driver = "local" } };
	static const struct site *const sites[] = { &site };
	world->network = (struct network) {
		.arena = world->arena, .revision = WORLD_COMMIT, .owner = "owner1", .sites = sites, .n_sites = 1,
	};
	world->observed = (struct observed) { .arena = world->arena, .wall_us = WORLD_NOW - 3 * G_USEC_PER_SEC };
	world->plan = (struct plan) { .arena = world->arena, .revision = WORLD_COMMIT };
	return world;
}

/* The input as it is by now; lists may have been changed since the last call. */
static inline const struct report_input *world_input(struct report_world *world)
{
	world->network.objects = world_objects(world, world->desired);
	world->observed.objects = world_objects(world, world->seen);
	world->plan.steps = (const struct step *) (const void *) world->steps->data;
	world->plan.n_steps = world->steps->len;
	world->plan.unplanned = (const struct unplanned *) (const void *) world->unplanned->data;
	world->plan.n_unplanned = world->unplanned->len;
	world->input.wall_us = WORLD_NOW;
	world->input.desired = &world->network;
	world->input.observed = &world->observed;
	world->input.plan = &world->plan;
	world->input.operation = world_operation;
	world->input.data = world;
	return &world->input;
}

static inline void report_world_free(struct report_world *world)
{
	g_ptr_array_unref(world->desired);
	g_ptr_array_unref(world->seen);
	g_array_unref(world->steps);
	g_array_unref(world->unplanned);
	g_hash_table_unref(world->operations);
	arena_unref(world->arena);
	g_free(world);
}

static inline const struct object *world_find(GPtrArray *objects, const char *key)
{
	for (guint i = 0; i < objects->len; i++) {
		const struct object *object = g_ptr_array_index(objects, i);
		if (strcmp(object->key, key) == 0)
			return object;
	}
	return NULL;
}

/* It is not there any more. */
static inline void world_lose(struct report_world *world, const char *key)
{
	g_ptr_array_remove(world->seen, (gpointer) (guintptr) world_find(world->seen, key));
}

static inline struct step *world_step(struct report_world *world, const char *key, enum action action, enum cause cause)
{
	struct step step = {
		.key = key, .site = "local", .action = action, .cause = cause, .incarnation = action == ACTION_REPLACE ? 2 : 1,
		.desired = world_find(world->desired, key), .observed = world_find(world->seen, key),
	};
	g_array_append_val(world->steps, step);
	return &g_array_index(world->steps, struct step, world->steps->len - 1);
}

static inline void world_change(struct report_world *world, struct step *step, const char *path, const char *observed,
				const char *desired,
				enum cause cause, enum field_cost cost, unsigned line)
{
	struct field_change *changes = ARENA_ARRAY(world->arena, struct field_change, step->n_changes + 1);
	if (step->n_changes)
		memcpy(changes, step->changes, step->n_changes * sizeof(*changes));
	changes[step->n_changes++] = (struct field_change) {
		.path = path, .desired = value_string(world->arena, desired), .observed = value_string(world->arena, observed),
		.last = &value_absent, .cause = cause, .cost = cost, .origin = world_at(line),
	};
	step->changes = changes;
}

static inline struct operation *world_operate(struct report_world *world, const char *key, enum action action,
					      enum op_state state,
					      unsigned attempt, const char *error)
{
	struct operation *operation = ARENA_NEW(world->arena, struct operation);
	*operation = (struct operation) {
		.id = "1a2b3c4d-7", .key = key, .site = "local", .revision = WORLD_COMMIT, .action = action, .incarnation = 1,
		.attempt = attempt, .state = state, .wall_us = WORLD_NOW - G_USEC_PER_SEC, .error = error,
		.error_code = error ? "retry" : NULL,
	};
	g_hash_table_insert(world->operations, (gpointer) (guintptr) key, operation);
	return operation;
}

static const struct report_style style_text = { .format = REPORT_TEXT };
static const struct report_style style_json = { .format = REPORT_JSON };
static const struct report_style style_markdown = { .format = REPORT_MARKDOWN };
