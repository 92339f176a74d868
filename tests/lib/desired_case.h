/* Small repositories, made of parts, and what comes of them: for the tests of desired/. */
#pragma once

#include "desired/desired.h"
#include "model/object.h"

#include <glib.h>
#include <string.h>

/* --- descriptors -------------------------------------------------------------------------------------------------------- */

#define HEAD "tosca_definitions_version: tosca_simple_yaml_1_3\nimports: [ pleach_types.yaml ]\n"

/* Lines of YAML, each with its own indentation; NULL: the default in the comment. */
struct vnfd_parts {
	const char *type;              /* "t.Web" */
	const char *type_properties;   /* of the VNF's node type; 6 spaces */
	const char *type_rest;         /* attributes, requirements of it; 4 spaces */
	const char *types;             /* more node types; 2 spaces */
	const char *inputs;            /* 4 spaces */
	const char *mapping_properties; /* ", NAME: [ INPUT ]" */
	const char *mapping_requirements; /* "virtual_link: [ port, virtual_link ]" */
	const char *mapping_rest;      /* 4 spaces */
	const char *vnf_properties;    /* ", NAME: …" */
	const char *vdu_properties;    /* ", NAME: …" */
	const char *compute;           /* ", NAME: …" of the capability */
	int min, max;                  /* 1, 1 */
	const char *cp;                /* properties of "port": "layer_protocols: [ ipv4 ]" */
	const char *nf_type;           /* pleach.nodes.NetworkFunction */
	const char *nf;                /* its properties: "command: [ cat ]"; "": there is no NF */
	const char *nf_rest;           /* 6 spaces */
	const char *nodes;             /* 4 spaces */
	const char *rest;              /* policies, outputs; 2 spaces */
};

static inline const char *or_else(const char *text, const char *fallback)
{
	return text ? text : fallback;
}

static inline char *vnfd_text(struct vnfd_parts p)
{
	const char *type = or_else(p.type, "t.Web"), *nf = or_else(p.nf, "command: [ cat ]");
	g_autofree char *nf_node = *nf ? g_strdup_printf("    nf:\n      type: %s\n      properties: { %s }\n      requirements: "
							 "[ host: vdu ]\n%s",
							  or_else(p.nf_type, "pleach.nodes.NetworkFunction"), nf,
							  or_else(p.nf_rest, ""))
				       : g_strdup("");

	return g_strdup_printf(
		HEAD "node_types:\n  %s:\n    derived_from: tosca.nodes.nfv.VNF\n    properties:\n      descriptor_id: { type: "
		     "string, default: id-of-%s }\n"
		     "      descriptor_version: { type: string, default: '1.0' }\n      provider: { type: string, default: me }\n"
		     "      product_name: { type: string, default: web }\n      software_version: { type: string, default: '1' "
		     "}\n" "      vnfm_info: { type: list, entry_schema: { type: string }, default: [ '0:pleach' ] }\n"
		     "      flavour_id: { type: string, default: simple }\n      flavour_description: { type: string, default: "
		     "one }\n" "%s%s%s"
		     "topology_template:\n%s%s"
		     "  substitution_mappings:\n    node_type: %s\n    properties: { flavour_id: simple%s }\n    requirements: { "
		     "%s }\n%s" "  node_templates:\n    web:\n      type: %s\n      properties: { product_name: web%s }\n"
		     "    vdu:\n      type: tosca.nodes.nfv.Vdu.Compute\n      properties: { name: web, description: a server,\n"
		     "        vdu_profile: { min_number_of_instances: %d, max_number_of_instances: %d }%s }\n"
		     "      capabilities:\n        virtual_compute: { properties: { virtual_cpu: { num_virtual_cpu: 1 },\n"
		     "          virtual_memory: { virtual_mem_size: 64 MB }%s } }\n"
		     "    port:\n      type: tosca.nodes.nfv.VduCp\n      properties: { %s }\n      requirements: [ "
		     "virtual_binding: vdu ]\n" "%s%s%s",
		type, type, or_else(p.type_properties, ""), or_else(p.type_rest, ""), or_else(p.types, ""), p.inputs
		? "  inputs:\n" : "", or_else(p.inputs, ""), type, or_else(p.mapping_properties, ""),
		or_else(p.mapping_requirements, "virtual_link: [ port, virtual_link ]"), or_else(p.mapping_rest, ""), type,
		or_else(p.vnf_properties, ""), p.max || p.min ? p.min : 1, p.max ? p.max : 1, or_else(p.vdu_properties, ""),
		or_else(p.compute, ""),
		or_else(p.cp, "layer_protocols: [ ipv4 ]"), nf_node, or_else(p.nodes, ""), or_else(p.rest, ""));
}

/* @imports: "a.yaml, b.yaml"; @nodes: links, VNFs, …, 4 spaces; @rest: policies; 2 spaces; @inputs: 4 spaces. */
static inline char *nsd_text(const char *imports, const char *inputs, const char *nodes, const char *rest)
{
	return g_strdup_printf(
		"tosca_definitions_version: tosca_simple_yaml_1_3\nimports: [ pleach_types.yaml, %s ]\n"
		"node_types:\n  t.Ns:\n    derived_from: tosca.nodes.nfv.NS\n    properties:\n      descriptor_id: { type: "
		"string, default: id-of-ns }\n"
		"      invariant_id: { type: string, default: inv }\n      designer: { type: string, default: me }\n"
		"      version: { type: string, default: '1' }\n      name: { type: string, default: ns }\n"
		"      flavour_id: { type: string, default: default }\n"
		"topology_template:\n%s%s  substitution_mappings: { node_type: t.Ns }\n  node_templates:\n    ns: { type: t.Ns "
		"}\n%s%s", imports, inputs ? "  inputs:\n" : "", or_else(inputs, ""), nodes, or_else(rest, ""));
}

/* An NsVirtualLink NAME; @protocol: a line of virtual_link_protocol_data ("{ associated_layer_protocol: … }"), or NULL. */
static inline char *link_text(const char *name, const char *layers, const char *protocol)
{
	return g_strdup_printf(
		"    %s:\n      type: tosca.nodes.nfv.NsVirtualLink\n      properties:\n        connectivity_type: { "
		"layer_protocols: [ %s ] }\n"
		"        vl_profile:\n          max_bitrate_requirements: { root: 0 }\n          min_bitrate_requirements: { "
		"root: 0 }\n%s%s%s",
		name, layers, protocol ? "          virtual_link_protocol_data:\n            - " : "", or_else(protocol, ""),
		protocol ? "\n" : "");
}

#define IPV4(cidr, more) "{ associated_layer_protocol: ipv4, l3_protocol_data: { ip_version: ipv4, cidr: " cidr more " } }"

/* The service "edge"; @properties: lines, 8 spaces. */
static inline char *service_text(const char *properties)
{
	return g_strdup_printf(
		HEAD "topology_template:\n  node_templates:\n    edge:\n      type: pleach.nodes.NetworkService\n      "
		     "properties:\n%s", properties);
}

/* --- what comes of them ------------------------------------------------------------------------------------------------- */

struct made {
	struct snapshot *snapshot;
	struct tosca *tosca;
	struct diags *diags;
	struct network *network;
};

enum { CASE_FILES = 8 };

struct case_file {
	const char *path;
	char *text; /* taken over */
};

static inline struct made *make_with(const struct desired_options *options, const struct case_file given[CASE_FILES])
{
	struct made *made = g_new0(struct made, 1);
	struct case_file f[CASE_FILES];

	memcpy(f, given, sizeof f);
	made->diags = diags_new();
	made->snapshot = snapshot_of(f[0].path, f[0].text, f[1].path, f[1].text, f[2].path, f[2].text, f[3].path, f[3].text,
				     f[4].path, f[4].text,
				     f[5].path, f[5].text, f[6].path, f[6].text, f[7].path, f[7].text, NULL);
	made->tosca = tosca_load(made->snapshot, NULL, made->diags);
	made->network = desired_make(made->tosca, options, made->diags);
	diags_sort(made->diags);
	for (size_t i = 0; i < CASE_FILES; i++)
		g_free(f[i].text);
	return made;
}

#define MAKE(...) make_with(&(const struct desired_options) { .default_owner = "tests" }, \
			    (const struct case_file[CASE_FILES]) { __VA_ARGS__ })

static inline void made_free(struct made *made)
{
	network_unref(made->network);
	tosca_unref(made->tosca);
	snapshot_unref(made->snapshot);
	diags_free(made->diags);
	g_free(made);
}
AUTO_DEFINE(made, made_free)

static inline void made_print(const struct made *made)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (size_t i = 0; i < diags_count(made->diags); i++)
		diag_print(diags_get(made->diags, i), tosca_source, made->tosca, text);
	for (size_t i = 0; i < made->network->objects.n; i++)
		g_string_append_printf(text, "%s\n", made->network->objects.items[i]->key);
	g_test_message("%s", text->str);
}

/* The finding of @code, with its hint and notes; NULL where there is none. */
static inline const struct diag *made_find(const struct made *made, const char *code)
{
	for (size_t i = 0; i < diags_count(made->diags); i++)
		if (strcmp(diags_get(made->diags, i)->code, code) == 0)
			return diags_get(made->diags, i);
	return NULL;
}

static inline size_t made_count(const struct made *made, const char *code)
{
	size_t n = 0;

	for (size_t i = 0; i < diags_count(made->diags); i++)
		n += strcmp(diags_get(made->diags, i)->code, code) == 0 ? 1 : 0;
	return n;
}

static inline const struct object *made_object(const struct made *made, const char *key)
{
	const struct object *object = objects_find(made->network->objects, key);

	if (!object) {
		made_print(made);
		g_test_message("there is no object %s", key);
		g_assert_not_reached();
	}
	return object;
}

static inline void assert_clean(const struct made *made)
{
	if (diags_errors(made->diags) > 0 || made->network->n_faulty_services > 0)
		made_print(made);
	g_assert_cmpuint(diags_errors(made->diags), ==, 0);
	g_assert_cmpuint(made->network->n_faulty_services, ==, 0);
}

/* The one fault of @code stands at @file:@line (0: not compared) and leaves the service alone. */
static inline void assert_fault(const struct made *made, const char *code, const char *file, unsigned line)
{
	const struct diag *diag = made_find(made, code);

	if (!diag || made->network->n_faulty_services != 1)
		made_print(made);
	g_assert_nonnull(diag);
	g_assert_cmpint(diag->severity, ==, SEVERITY_ERROR);
	g_assert_cmpstr(diag->origin.file, ==, file);
	if (line)
		g_assert_cmpuint(diag->origin.line, ==, line);
	g_assert_cmpuint(made->network->n_faulty_services, ==, 1);
	g_assert_cmpstr(made->network->faulty_services[0], ==, "edge.");
	g_assert_cmpuint(made->network->objects.n, ==, 0);
}

static inline void assert_warning(const struct made *made, const char *code, const char *part)
{
	for (size_t i = 0; i < diags_count(made->diags); i++) {
		const struct diag *diag = diags_get(made->diags, i);
		if (strcmp(diag->code, code) == 0 && diag->severity == SEVERITY_WARNING && strstr(diag->text, part))
			return;
	}
	made_print(made);
	g_test_message("no %s that says \"%s\"", code, part);
	g_assert_not_reached();
}

static inline void assert_field(const struct object *object, const char *path, const char *expected)
{
	g_autoptr(GString) text = g_string_new(NULL);

	value_print(object_value(object, path), text);
	g_assert_cmpstr(text->str, ==, expected);
}

static inline void assert_origin(const struct object *object, const char *path, const char *file, unsigned line)
{
	const struct field *field = object_field(object, path);

	g_assert_nonnull(field);
	g_assert_cmpstr(field->origin.file, ==, file);
	if (line)
		g_assert_cmpuint(field->origin.line, ==, line);
}
