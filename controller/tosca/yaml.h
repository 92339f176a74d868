/* YAML, hardened: the text of one file becomes an immutable tree that knows where every key and value was written.
 *
 * Over libyaml's events. Scalars stay text with their style: what they mean is the schema's business. Anchors are shared, never
 * copied; the whole is bounded in bytes, depth, nodes, and in what it would be with every alias written out. Any thread.
 */
#pragma once

#include "base/arena.h"
#include "base/diag.h"

#include <stdbool.h>
#include <stddef.h>

enum {
	YAML_MAX_BYTES = 4 * 1024 * 1024,
	YAML_MAX_DEPTH = 128,       /* of collections, aliases followed */
	YAML_MAX_NODES = 1000000,   /* written in the file, and again with every alias written out */
	YAML_MAX_SCALAR = 1024 * 1024,
	YAML_MAX_ALIASES = 10000,
};

enum ynode_kind { YNODE_SCALAR, YNODE_SEQUENCE, YNODE_MAPPING };

struct ynode;

struct yentry {
	const char *key;
	struct origin origin; /* of the key */
	const struct ynode *value;
};

struct ynode {
	enum ynode_kind kind;
	bool plain;           /* SCALAR: neither quoted nor a block: may be null, a number, a boolean */
	unsigned height;      /* 0 for scalars */
	unsigned weight;      /* nodes, aliases followed */
	struct origin origin;
	union {
		struct {
			const char *text;
			size_t length;
		} scalar;
		struct {
			const struct ynode *const *items;
			size_t n;
		} sequence;
		struct {
			const struct yentry *entries; /* in the order of the file; keys are unique */
			size_t n;
		} mapping;
	};
};

/* The first document of @text. Everything lives in @arena, @file is borrowed. NULL when the text is not YAML or over a bound; the
 * faults are in @diags. A repeated key is a finding, its first value counts. An empty document is a plain empty scalar. */
const struct ynode *yaml_read(struct arena *arena, const char *file, const char *text, size_t length, struct diags *diags);

/* The value of @key in a mapping; NULL where there is none or @node (may be NULL) is no mapping. */
const struct ynode *ynode_get(const struct ynode *node, const char *key);
const struct yentry *ynode_entry(const struct ynode *node, const char *key);

bool ynode_is_null(const struct ynode *node); /* absent, or plain and empty, "~" or "null" */
const char *ynode_text(const struct ynode *node); /* of a scalar that is not null; else NULL */

/* How deep flow collections are nested in @text at most, as far as raw bytes tell, and where the depth first passes @limit.
 * libyaml needs
 * quadratic time for deep ones, so this is asked before it sees the text. */
unsigned yaml_flow_depth(const char *text, size_t length, unsigned limit, unsigned *ret_line, unsigned *ret_column);
