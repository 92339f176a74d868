/* TOSCA: from the files of a snapshot to resolved topologies (TOSCA Simple Profile in YAML 1.3; ETSI GS NFV-SOL001).
 *
 *     snapshot ─► YAML documents with positions ─► types and templates ─► tosca_instantiate(inputs) ─► topology
 *
 * A repository is loaded once (tosca_load): every file with a tosca_definitions_version is checked, every fault of all of them is
 * found in one run. A template is then instantiated as often as it is used, each time with its own inputs. All results are
 * immutable and any thread may read them; loading and instantiating is one thread's business at a time.
 *
 * What lies in `struct tvalue` is typed by the schema, never by YAML 1.1's guesses: scalar units are in bytes, bit/s, hertz and
 * seconds; `version: 1.0` is the text "1.0" where a string is wanted.
 */
#pragma once

#include "base/diag.h"
#include "source/reads.h"

/* --- values -------------------------------------------------------------------------------------------------------- */

enum ttype_of {
	TV_NULL,
	TV_BOOL,
	TV_INTEGER,  /* also scalar-unit.size (bytes), .bitrate (bit/s) */
	TV_FLOAT,    /* also scalar-unit.time (seconds), .frequency (hertz) */
	TV_STRING,   /* also version, timestamp; and range bounds "UNBOUNDED" */
	TV_LIST,     /* also range: two items */
	TV_MAP,      /* also data types: every property with a value or default */
	TV_FUNCTION, /* what only run time can tell: get_attribute, and concat, join, token over such */
};

struct tvalue {
	enum ttype_of type;
	struct origin origin;      /* where it was written; for defaults: where the default was */
	bool is_default;           /* from the type, not from the template */
	const char *data_type;     /* name of the data type that it was checked against, or NULL */
	const char *text;          /* as written, for a plain scalar that no schema has typed yet ("1.0"); else NULL */
	union {
		bool boolean;
		gint64 integer;
		double number;
		const char *string;
		struct {
			const struct tvalue *const *items;
			size_t n;
		} list;
		struct {
			const char *const *keys; /* in the order of the file */
			const struct tvalue *const *items;
			size_t n;
		} map;
		struct {
			const char *name; /* "get_attribute", "concat", "join", "token" */
			/* get_attribute: node name (SELF, HOST resolved), then strings and integers */
			const struct tvalue *const *args;
			size_t n;
		} function;
	};
};

const struct tvalue *tvalue_get(const struct tvalue *map, const char *key); /* NULL where there is none, or no map */
const char *tvalue_string(const struct tvalue *value, const char *fallback);
gint64 tvalue_int(const struct tvalue *value, gint64 fallback);
bool tvalue_bool(const struct tvalue *value, bool fallback);

struct tnamed {
	const char *name;
	const struct tvalue *value;
	struct origin origin; /* of the name */
};

struct tnamed_list {
	const struct tnamed *items;
	size_t n;
};

const struct tvalue *tnamed_get(struct tnamed_list list, const char *name); /* NULL where there is none */

/* --- a resolved topology ------------------------------------------------------------------------------------------- */

struct ttype; /* a type of any kind, with all that it inherits */

const char *ttype_name(const struct ttype *type);
bool ttype_is_a(const struct ttype *type, const char *name); /* itself or an ancestor */

/* What a property of a type holds, as far as it says: a list, one value, or anything (maps, data types, what it does not know). */
enum tshape { TSHAPE_ANY, TSHAPE_ONE, TSHAPE_LIST };
enum tshape ttype_property_shape(const struct ttype *type, const char *property);

struct tnode;

struct trequirement {
	const char *name;          /* "virtual_link_front" */
	const struct tnode *node;  /* target in the same topology; NULL where it is left open */
	const char *capability;    /* named capability of the target, or NULL */
	struct origin origin;
};

struct tartifact {
	const char *name;
	const struct ttype *type;
	const char *file;        /* path from the root of the snapshot, resolved against the file that says it */
	const char *deploy_path; /* or NULL */
	struct tnamed_list properties;
	struct origin origin;
};

struct toperation {
	const char *interface;  /* "Standard" */
	const char *name;       /* "start" */
	const char *file;       /* implementation's primary: path from the root of the snapshot, or NULL */
	const char *const *dependencies; /* further files of the implementation, from the root of the snapshot */
	size_t n_dependencies;
	double timeout_s;       /* 0: none given */
	struct tnamed_list inputs;
	struct origin origin;
};

struct tcapability {
	const char *name;
	const struct ttype *type;
	struct tnamed_list properties;
	struct origin origin;
};

struct tnode {
	const char *name;
	const struct ttype *type;
	struct origin origin;      /* of the node's name */
	struct origin type_origin; /* of the type's name in it */
	struct tnamed_list properties; /* given and default ones, checked and typed */
	struct tnamed_list attributes; /* those given a value */
	const struct trequirement *requirements; /* in the order of the file */
	size_t n_requirements;
	const struct tcapability *capabilities;
	size_t n_capabilities;
	const struct tartifact *artifacts;
	size_t n_artifacts;
	const struct toperation *operations;
	size_t n_operations;
};

bool tnode_is_a(const struct tnode *node, const char *type);
const struct tvalue *tnode_property(const struct tnode *node, const char *name);
const struct tcapability *tnode_capability(const struct tnode *node, const char *name);
const struct trequirement *tnode_requirement(const struct tnode *node, const char *name); /* the first of that name */
const struct toperation *tnode_operation(const struct tnode *node, const char *interface, const char *name);

/* One comparison of a trigger's condition: "ATTRIBUTE: [ { CONSTRAINT: NUMBER } ]" (TOSCA 1.3, 3.6.25). */
struct ttrigger {
	const char *name;       /* of the trigger; several comparisons of one share it */
	const char *attribute, *constraint;
	double value;
	struct origin origin;   /* of the comparison */
};

struct tpolicy {
	const char *name;
	const struct ttype *type;
	struct tnamed_list properties;
	const char *const *targets; /* names of nodes or groups */
	size_t n_targets;
	const struct ttrigger *triggers; /* of a tosca.policies.nfv.VnfIndicator */
	size_t n_triggers;
	struct origin origin;
};

struct tgroup {
	const char *name;
	const struct ttype *type;
	struct tnamed_list properties;
	const char *const *members;
	size_t n_members;
	struct origin origin;
};

/* One row of substitution_mappings.requirements, .properties, .attributes: NAME: [ NODE_OR_INPUT, REST… ]. */
struct tmapping {
	const char *name;
	const char *const *target;
	size_t n_target;
	const struct tvalue *value; /* properties: a constant instead of a target; else NULL */
	struct origin origin;
};

struct tsubstitution {
	const char *node_type; /* NULL: the template substitutes nothing */
	struct origin origin;
	const struct tmapping *properties, *requirements, *capabilities, *attributes;
	size_t n_properties, n_requirements, n_capabilities, n_attributes;
};

struct ttopology {
	const struct ttemplate *of;
	const struct tnode *nodes; /* in the order of the file */
	size_t n_nodes;
	const struct tpolicy *policies;
	size_t n_policies;
	const struct tgroup *groups;
	size_t n_groups;
	struct tsubstitution substitution;
	struct tnamed_list inputs;  /* as used: given or default */
	struct tnamed_list outputs;
	bool faulty;                /* findings of severity error were made: not to be planned */
};

const struct tnode *ttopology_node(const struct ttopology *topology, const char *name);

/* --- loading ------------------------------------------------------------------------------------------------------- */

/* A service template: one file with a topology_template. */
struct ttemplate {
	const char *file;            /* path from the root of the snapshot */
	const char *descriptor_id;   /* of the VNF or NS node's properties or its type's default, where it is constant; or NULL */
	const char *substitutes;     /* node type of its substitution_mappings; or NULL */
	bool faulty;                 /* findings of severity error in it or in what it imports */
	struct origin origin;        /* of topology_template */
};

struct tosca;

/* Parsed files, by path and blob id, and the built-in profile, kept from one revision to the next. */
struct tosca_cache;
struct tosca_cache *tosca_cache_new(void);
void tosca_cache_free(struct tosca_cache *cache);
size_t tosca_cache_count(const struct tosca_cache *cache); /* files kept, the profile's not counted */
struct ledger *tosca_cache_ledger(const struct tosca_cache *cache); /* turned by each load; see source/reads.h */
AUTO_DEFINE(tosca_cache, tosca_cache_free)

/* Reads every YAML file of @snapshot that has a tosca_definitions_version (*.yaml, *.yml; others are never read), with all that
 * they import: files of the snapshot (relative to the importing file, or from the root with a leading slash), and by name the built-in
 * profile (pleach_types.yaml, etsi_nfv_sol001_{common,vnfd,nsd,pnfd}_types.yaml) where the snapshot has no such file there. Every
 * template is checked as it stands: types, properties, requirements, functions (missing inputs are no fault yet). Findings go to
 * @diags; the result is never NULL. @cache may be NULL. */
struct tosca *tosca_load(struct snapshot *snapshot, struct tosca_cache *cache, struct diags *diags);
void tosca_unref(struct tosca *tosca);
struct tosca *tosca_ref(struct tosca *tosca);
AUTO_DEFINE(tosca, tosca_unref)

struct snapshot *tosca_snapshot(const struct tosca *tosca); /* borrowed */

size_t tosca_count(const struct tosca *tosca);
const struct ttemplate *tosca_template(const struct tosca *tosca, size_t i); /* in memcmp order of files */

/* By path ("/nsd/edge.yaml", "nsd/edge.yaml"; a CSAR folder with TOSCA-Metadata/TOSCA.meta means its Entry-Definitions) or by
 * descriptor_id. NULL and a finding at @from (with did-you-mean) where there is none or several. */
const struct ttemplate *tosca_find(const struct tosca *tosca, const char *descriptor, struct origin from, struct diags *diags);

/* The template whose substitution_mappings name the type of @node (or, failing that, a descendant of it), among those that @in
 * imports, else among all; those whose constant flavour_id or descriptor_id is another than the node's do not count. NULL when
 * there is none, or when @node is the one that stands for @in as a whole: then the node stands for itself. Several: a finding. */
const struct ttemplate *tosca_substitute(const struct tosca *tosca, const struct ttemplate *in, const struct tnode *node,
					 struct diags *diags);

/* Resolves a template with inputs (checked against its declarations: an undeclared one is a fault at its origin, a missing one a
 * fault at @from). The topology lives in @arena, which from then on keeps the template alive. Never NULL; see faulty. */
const struct ttopology *tosca_instantiate(struct tosca *tosca, const struct ttemplate *which, struct tnamed_list inputs,
					  struct origin from, struct arena *arena, struct diags *diags);

/* Text of a file of the snapshot or of the built-in profile, for excerpts: a diag_source_fn, @data is the struct tosca. */
GBytes *tosca_source(const char *file, void *data);

/* The built-in type files, for `pleach schema`: name and text, NULL past the end. */
const char *tosca_profile_name(size_t i);
const char *tosca_profile_text(const char *name);
