/* What the files of tosca/ share.
 *
 * A *unit* is one file with its types resolved and its template, if it has one, checked once: its *proto* topology holds every
 * value
 * that is the same for all inputs, its *slots* say which values are to be evaluated at each instantiation. Units are immutable
 * once loaded. The next load takes over those whose text is the same, whose reads still hold (source/reads.h), and which import units that
 * were taken over too.
 */
#pragma once

#include "base/shelves.h"
#include "tosca/tosca.h"
#include "tosca/yaml.h"

#include <glib.h>
#include <stdint.h>

enum {
	TOSCA_MAX_IMPORT_DEPTH = 32,
	TOSCA_MAX_IMPORTS = 256,          /* files that one file reaches */
	TOSCA_MAX_INHERITANCE = 64,
	TOSCA_MAX_TYPES = 2000,           /* that one file defines */
	TOSCA_MAX_DEFINITIONS = 512,      /* properties (requirements, …) of one type, inherited ones included */
	TOSCA_MAX_CONSTRAINTS = 64,       /* of one property */
	TOSCA_MAX_VALID_VALUES = 1024,
	TOSCA_MAX_UNIT_BYTES = 256 * 1024 * 1024, /* what one file may grow to */
	TOSCA_MAX_PARTS = 1000000,        /* nodes, properties, requirements, … of one template, defaults included */
	TOSCA_MAX_VALUE_DEPTH = 160,      /* lists, maps, data types, their defaults, functions */
	TOSCA_MAX_VALUE_NODES = 1000000,  /* of all values of one instantiation together */
	TOSCA_MAX_TEXT = 1024 * 1024,     /* of one evaluated string */
	TOSCA_SEARCH_PER_NODE = 256,      /* so many keys looked through count as one part of a value */
	TOSCA_TEXT_PER_NODE = 64,         /* so many bytes of evaluated text count as one part of a value */
	TOSCA_MAX_PATTERN = 4096,
	TOSCA_MAX_MATCH_STEPS = 200000,   /* of one pattern over one value */
	TOSCA_MAX_GUESSES = 200,          /* did-you-mean searches per file; among many names they count as several */
};

/* --- types --------------------------------------------------------------------------------------------------------- */

enum type_kind { TK_DATA, TK_ARTIFACT, TK_CAPABILITY, TK_RELATIONSHIP, TK_INTERFACE, TK_NODE, TK_GROUP, TK_POLICY };
enum { N_TYPE_KINDS = TK_POLICY + 1 };

enum base {
	BASE_ANY, /* no schema: scalars are guessed, their text is kept */
	BASE_STRING,
	BASE_INTEGER,
	BASE_FLOAT,
	BASE_BOOLEAN,
	BASE_TIMESTAMP,
	BASE_VERSION,
	BASE_NULL,
	BASE_RANGE,
	BASE_LIST,
	BASE_MAP,
	BASE_SIZE,
	BASE_TIME,
	BASE_FREQUENCY,
	BASE_BITRATE,
	BASE_DATA,
};

enum constraint_op {
	OP_EQUAL,
	OP_GREATER_THAN,
	OP_GREATER_OR_EQUAL,
	OP_LESS_THAN,
	OP_LESS_OR_EQUAL,
	OP_IN_RANGE,
	OP_VALID_VALUES,
	OP_LENGTH,
	OP_MIN_LENGTH,
	OP_MAX_LENGTH,
	OP_PATTERN,
};

struct constraint {
	enum constraint_op op;
	struct origin origin;
	const struct tvalue *const *operands;
	size_t n;
	const char *text; /* as written, for findings */
	GRegex *regex;    /* PATTERN; owned by the unit */
	bool *gave_up;    /* PATTERN: it took too many steps once, and is not tried again */
};

struct schema {
	enum base base;
	const char *type_name;
	struct ttype *data; /* BASE_DATA, or the derived simple type; else NULL */
	const struct constraint *constraints;
	size_t n_constraints;
	const struct schema *entry, *key; /* LIST, MAP; NULL: any */
};

struct property {
	const char *name;
	struct origin origin;
	const struct schema *schema;
	bool required;
	bool parameter; /* an input: its default is the template's, not a type's */
	const struct ynode *default_node;
	const struct tvalue *default_value; /* checked; NULL: none */
	size_t default_weight;
	enum { DEFAULT_NEW, DEFAULT_DOING, DEFAULT_DONE } state;
	struct unit *unit; /* that the default is written in */
};

/* Definitions by name, inherited ones first. */
struct properties {
	struct property *const *items;
	size_t n;
};

struct capability_def {
	const char *name;
	struct origin origin;
	struct ttype *type;
	struct properties properties; /* of the type, with refinements */
};

struct requirement_def {
	const char *name;
	struct origin origin;
	const char *capability; /* type or name; or NULL */
	const char *node;       /* type; or NULL */
	gint64 min, max;        /* max G_MAXINT64: unbounded */
};

struct artifact_def {
	const char *name;
	struct unit *unit;
	const struct ynode *node;
	struct origin origin;
};

struct operation_def {
	const char *name;
	struct origin origin;
	struct unit *unit;
	const struct ynode *node; /* the definition: description, inputs, implementation */
	struct properties inputs;
};

struct interface_def {
	const char *name;
	struct origin origin;
	struct ttype *type; /* or NULL */
	const struct operation_def *operations;
	size_t n_operations;
	struct properties inputs;
};

struct ttype {
	enum type_kind kind;
	const char *name;
	struct origin origin;
	const struct ynode *node;
	struct unit *unit;
	struct ttype *parent;
	enum { TYPE_NEW, TYPE_LINKING, TYPE_LINKED } link_state; /* parent known */
	enum { TYPE_BARE, TYPE_FILLING, TYPE_FILLED } fill_state; /* definitions known */
	unsigned depth;
	const struct schema *simple; /* DATA derived from a simple type: that type with all constraints */
	struct properties properties, attributes;
	struct capability_def *capabilities;
	size_t n_capabilities;
	struct requirement_def *requirements;
	size_t n_requirements;
	struct artifact_def *artifacts;
	size_t n_artifacts;
	struct interface_def *interfaces; /* NODE; INTERFACE: one, its own operations */
	size_t n_interfaces;
	const char *const *members; /* POLICY: targets; GROUP: members; names of types */
	size_t n_members;
};

/* --- units --------------------------------------------------------------------------------------------------------- */

struct file_ref {
	const char *path;
	bool found;
};

struct import {
	const char *name; /* as written */
	const char *path; /* of the unit; "pleach:NAME" for what is built in; NULL: not found */
	struct origin origin;
	struct unit *unit; /* NULL: could not be loaded */
};

struct unit {
	struct arena *arena; /* the unit lives as long as it */
	const char *path, *id; /* blob id */
	bool builtin;
	bool is_tosca;   /* has a tosca_definitions_version */
	bool loading;
	bool cacheable;  /* false: a circle of imports made its result depend on where the load began */
	const struct ynode *root;
	struct diags *diags;
	size_t n_errors;  /* its own and those of all that it reaches */
	struct import *imports;
	size_t n_imports;
	struct unit **closure; /* itself, then by distance; the normative types last */
	size_t n_closure;
	GHashTable *types[N_TYPE_KINDS]; /* its own: name → struct ttype */
	GPtrArray *regexes;
	GArray *files;    /* struct file_ref */
	struct template *template;
	struct snapshot *snapshot; /* only while loading */
	unsigned n_guesses;
	bool full;        /* over TOSCA_MAX_UNIT_BYTES; said once */
	bool alone;       /* imports nothing but what is built in */
	struct reads *reads; /* NULL: built in */
	unsigned used;    /* generation of the cache */
};

/* --- templates ----------------------------------------------------------------------------------------------------- */

struct slot {
	struct property *property; /* NULL: nothing is declared, any value fits */
	const struct ynode *node;
	size_t cell;
	size_t self;       /* index of the node that SELF is; SIZE_MAX: none */
	const char *owner; /* "node \"web\"", for the fault that it is missing */
};

/* The arrays that a topology is made of; one array for all nodes' capabilities, and so on. Pointers between them are relative to
 * RELATIVE_BASE while the proto is being built. */
struct parts {
	struct tnode *nodes;
	struct tnamed *cells;
	struct trequirement *requirements;
	struct tcapability *capabilities;
	struct tartifact *artifacts;
	struct toperation *operations;
	struct tpolicy *policies;
	struct tgroup *groups;
	size_t n_nodes, n_cells, n_requirements, n_capabilities, n_artifacts, n_operations, n_policies, n_groups;
	struct tnamed_list outputs;
	bool relative;
};

enum { RELATIVE_BASE = 4096 };

void parts_copy(struct arena *arena, const struct parts *from, struct parts *to);

struct template {
	struct ttemplate public; /* first */
	struct unit *unit;
	const struct ynode *node;
	struct properties inputs;
	struct parts proto;
	struct slot *slots; /* what depends on inputs */
	size_t n_slots;
	unsigned *slot_of; /* by cell: index into slots + 1, 0: constant */
	unsigned *by_name; /* indices of nodes, sorted by name */
	struct tsubstitution substitution;
	const struct ttype *substitution_type;
	const char *flavour_id; /* constant of the substitution; or NULL */
	bool is_described;      /* its descriptor_id was looked for */
};

/* --- evaluation ---------------------------------------------------------------------------------------------------- */

enum slot_state { SLOT_NEW, SLOT_DOING, SLOT_CONSTANT, SLOT_LATER };

struct eval {
	struct unit *unit;     /* whose names are in scope, whose findings are counted */
	struct arena *arena;   /* of results */
	struct diags *diags;
	const struct template *template; /* NULL: no functions here */
	struct parts *parts;
	const struct slot *slots;
	const unsigned *slot_of;
	unsigned char *states; /* of the slots */
	size_t *weights;       /* of the slots' values */
	const struct tvalue *const *inputs; /* by index; NULL entries: not given. Not read when @dry */
	bool dry;              /* inputs are not known: what hangs on them is &value_later */
	bool later;            /* something hung on an input */
	size_t holes;          /* how often something was &value_later */
	bool over;             /* the budget is used up; said once */
	size_t self;
	unsigned depth;
	size_t nodes;          /* values made so far */
};

extern const struct tvalue value_later;

/* Text and collections as written, functions evaluated, no types yet. NULL: a fault was found. */
const struct tvalue *eval_raw(struct eval *eval, const struct ynode *node);
/* @value by @schema (NULL: guessed). NULL: a fault was found. */
const struct tvalue *eval_typed(struct eval *eval, const struct schema *schema, const struct tvalue *value);
const struct tvalue *eval_node(struct eval *eval, const struct schema *schema, const struct ynode *node);
const struct tvalue *eval_slot(struct eval *eval, size_t slot); /* NULL: absent or faulty */
bool eval_spend(struct eval *eval, size_t nodes, struct origin origin); /* false: the budget is used up */

bool is_function(const struct ynode *node);
const struct tvalue *eval_function(struct eval *eval, const struct ynode *node);

struct tvalue *value_new(struct eval *eval, enum ttype_of type, struct origin origin);

/* The default of a property, checked when first asked for. */
const struct tvalue *property_default(struct property *property);
/* Copies properties of a map by definitions: unknown ones, missing ones, defaults. */
const struct tvalue *eval_data(struct eval *eval, struct ttype *type, const struct tvalue *value);

/* --- scalars, constraints ------------------------------------------------------------------------------------------ */

const char *base_name(enum base base);
bool base_parse(const char *name, enum base *ret);
/* Reads @text as @base into @ret (type and content). NULL, or what is wrong (static or of @arena). */
const char *scalar_parse(struct arena *arena, enum base base, const char *text, struct tvalue *ret);
/* What YAML would make of a plain scalar that no schema types. */
void scalar_guess(const char *text, struct tvalue *ret);
char *tvalue_text(struct arena *arena, const struct tvalue *value); /* of a scalar; for concat and findings */
const char *text_shown(struct arena *arena, const char *text); /* long ones are cut, between characters */
const char *value_quote(struct arena *arena, const struct tvalue *value); /* short, strings in quotes; for findings */

const struct constraint *constraints_read(struct unit *unit, const struct schema *schema, const struct ynode *node,
					  size_t *ret_n);
bool constraints_hold(struct eval *eval, const struct schema *schema, const struct tvalue *value);

/* --- schemas and types --------------------------------------------------------------------------------------------- */

const struct schema *schema_read(struct unit *unit, const struct ynode *node, const struct schema *inherited);
/* Definitions of a "properties" or "attributes" or "inputs" mapping upon inherited ones. */
struct properties properties_read(struct unit *unit, const struct ynode *node, struct properties inherited, const char *what,
				  bool parameters);
struct property *properties_find(struct properties properties, const char *name);
struct property *property_read(struct unit *unit, const struct yentry *entry, const struct property *inherited, bool parameter);

const char *kind_name(enum type_kind kind); /* "node type" */
struct ttype *unit_type(struct unit *unit, enum type_kind kind, const char *name); /* visible in @unit; linked; NULL: none */
/* The same, filled; a finding at @origin when there is none. */
struct ttype *unit_type_need(struct unit *unit, enum type_kind kind, const char *name, struct origin origin);
void unit_type_unknown(struct unit *unit, enum type_kind kind, const char *name, struct origin origin); /* the finding */
void unit_collect_types(struct unit *unit);
void unit_resolve_types(struct unit *unit);
void type_fill(struct ttype *type);
const struct requirement_def *type_requirement(const struct ttype *type, const char *name);
const struct capability_def *type_capability(const struct ttype *type, const char *name);
const struct interface_def *type_interface(const struct ttype *type, const char *name);
const struct operation_def *interface_operation(const struct interface_def *interface, const char *name);
void type_fill_interfaces(struct ttype *type);

/* --- templates: parts of the builder ------------------------------------------------------------------------------- */

struct builder {
	struct unit *unit;
	struct template *template;
	GArray *nodes, *cells, *requirements, *capabilities, *artifacts, *operations, *policies, *groups; /* of struct t… */
	GArray *slots;
	GHashTable *node_index;  /* name → index + 1 */
	GHashTable *group_index; /* name → index + 1 */
	GHashTable *policy_index; /* name → index + 1 */
	bool full; /* over TOSCA_MAX_PARTS; said once */
	const struct ynode **node_nodes;
};

/* Is there room for @more parts? A finding when not, the first time. */
bool builder_room(struct builder *builder, size_t more, struct origin origin);
void template_build(struct unit *unit, const struct ynode *node);
/* Cells for @given (mapping, or NULL) by @definitions, defaults included. Returns the list, relative. */
struct tnamed_list build_cells(struct builder *builder, struct properties definitions, const struct ynode *given, size_t self,
			       const char *owner, struct origin origin, bool open);
void build_cell(struct builder *builder, const char *name, struct origin origin, struct property *property,
		const struct ynode *node,
		size_t self, const char *owner);
struct tnamed_list cells_since(struct builder *builder, size_t start);
void build_artifacts(struct builder *builder, size_t index, const struct ynode *given);
void build_interfaces(struct builder *builder, size_t index, const struct ynode *given);
void build_requirements(struct builder *builder, size_t index, const struct ynode *given);
void check_requirements(struct builder *builder, size_t index, GHashTable *mapped);
void build_policies(struct builder *builder, const struct ynode *given);
void build_groups(struct builder *builder, const struct ynode *given);
void build_substitution(struct builder *builder, const struct ynode *given, GHashTable *mapped);
const struct ttype *builder_type_of(struct builder *builder, const char *name); /* of a node or group; NULL: none */

/* Where a file named in @unit lies: path from the root of the snapshot, or NULL and a finding. "scheme://…" stays as it is. */
const char *unit_file(struct unit *unit, const char *name, struct origin origin, bool must_exist);
/* @name relative to the folder of @path, normalised, in @arena; NULL: it leaves the root. */
const char *path_resolve(struct arena *arena, const char *path, const char *name);

/* --- findings ------------------------------------------------------------------------------------------------------ */

struct diag *unit_fault(struct unit *unit, const char *code, struct origin origin, const char *format, ...) G_GNUC_PRINTF(4, 5);
struct diag *unit_warn(struct unit *unit, const char *code, struct origin origin, const char *format, ...) G_GNUC_PRINTF(4, 5);
void unit_hint(struct unit *unit, struct diag *diag, const char *format, ...) G_GNUC_PRINTF(3, 4);
/* Whether looking for what was meant is still worth while: a file full of faults gets only so many searches. */
bool can_guess(const struct unit *unit);
/* Is there room for @bytes? A finding when not, the first time. */
bool unit_room(struct unit *unit, size_t bytes, struct origin origin);
/* "did you mean …?" of @names, or, when there are few, all of them. */
void hint_names(struct unit *unit, struct diags *diags, struct diag *diag, const char *word, const char *const *names, size_t n);
/* "did you mean …?", else @otherwise. */
void hint_near(struct unit *unit, struct diag *diag, const char *word, const char *const *names, size_t n, const char *otherwise);
/* Keys of @node that are not in @known (NULL-ended) are faults; @node that is no mapping too. False when it is none. */
bool check_keys(struct unit *unit, const struct ynode *node, const char *what, const char *const *known);
/* @node as a mapping; a finding when it is something else. NULL when it is absent or null. */
const struct ynode *want_mapping(struct unit *unit, const struct ynode *node, const char *what);
/* A list of one-key mappings, or a mapping: calls for each pair. */
void each_named(struct unit *unit, const struct ynode *node, const char *what,
		void (*each)(const struct yentry *entry, void *data), void *data);

/* --- loading ------------------------------------------------------------------------------------------------------- */

struct loader {
	struct tosca_cache *cache;
	struct snapshot *snapshot; /* NULL while the profile is loaded */
	struct diags *diags;
	GHashTable *units; /* path → struct unit, of this load: those asked for by path */
	GPtrArray *used;   /* struct unit: all of this load, the profile's not counted */
	unsigned depth;
};

struct tosca_cache {
	struct unit **units; /* of the last load, by path */
	size_t n_units;
	struct template **templates, **described; /* as in struct tosca */
	size_t n_templates, n_described;
	struct shelves *shelves; /* keep them all */
	GHashTable *profile; /* path → struct unit */
	struct ledger *ledger;
	unsigned generation;
};

/* The unit of a file that is there, borrowed from @loader; NULL when it is no TOSCA, or cannot be had: then a finding is at
 * @importer's
 * @from (when there is an @importer). */
struct unit *load_unit(struct loader *loader, struct unit *importer, const char *path, struct origin from);
struct unit *unit_ref(struct unit *unit);
void unit_unref(struct unit *unit);
/* The unit that the last load had for @path; NULL: none. */
struct unit *unit_former(const struct tosca_cache *cache, const char *path);
/* Is it still what it was, now that @id is the file's? Then it counts as used, and its findings are made. */
bool unit_take_over(struct loader *loader, struct unit *former, const char *id);
/* load.c: the template of @path; NULL where there is none. */
struct template *template_at(const struct tosca *tosca, const char *path);
/* Entry-Definitions of a CSAR folder, in @arena; NULL: no such folder. */
const char *csar_entry(struct snapshot *snapshot, struct arena *arena, const char *folder, struct diags *diags);

struct tosca {
	gatomicrefcount refs;
	struct arena *arena;
	struct shelves *shelves; /* of the arenas of all units */
	struct snapshot *snapshot;
	GPtrArray *templates; /* struct template, in order of paths */
	GPtrArray *described; /* those that have a descriptor_id or substitute a type */
	GHashTable *by_id;    /* descriptor_id → GPtrArray of struct template */
	GHashTable *by_type;  /* name of the substituted type, and of all that it is → GPtrArray of struct template */
	GMutex source_lock;
	char *source_path;    /* the file that tosca_source() read last: many findings are of one file */
	GBytes *source_bytes;
};

extern const struct tosca_profile_texts_row {
	const char *name, *text;
} tosca_profile_texts[];

#define NORMATIVE_TYPES "tosca_normative_types.yaml"
#define BUILTIN "pleach:"
