/* get_attribute (TOSCA 1.3, 4.5.1). Within a VNF it reads the attribute `ports` of a network function; from another VNF what
 * that VNFD shows by substitution_mappings.attributes. It reads every instance of what it names: a list gathers them, a single
 * value cannot. */
#include "desired/internal.h"
#include "model/key.h"

#include <string.h>

/* What one get_attribute reads: an item for each instance. */
struct reading {
	GPtrArray *items; /* const struct expr */
	bool is_list;     /* each of them is a list */
	struct origin origin;
};

/* The words after the attribute's name. */
struct rest {
	const struct tvalue *const *items;
	size_t n;
};

static bool read_output(const struct scope *scope, const struct tvalue *value, struct rest rest, struct reading *reading);

static const char *word(const struct scope *scope, const struct tvalue *value)
{
	if (value->type == TV_INTEGER)
		return arena_printf(scope->service->run->arena, "%" G_GINT64_FORMAT, value->integer);
	return tvalue_string(value, "");
}

static bool fault(const struct scope *scope, struct origin origin, const char *code, const char *format, ...) G_GNUC_PRINTF(4, 5);

static bool fault(const struct scope *scope, struct origin origin, const char *code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	run_say(scope->service->run, SEVERITY_ERROR, code, origin, "%s", text);
	return false;
}

/* --- ports -------------------------------------------------------------------------------------------------------------- */

static const struct expr *port_field(const struct scope *scope, const struct vdu *vdu, unsigned index, const char *path,
				     const char *const *rest, size_t n)
{
	struct arena *arena = scope->service->run->arena;
	const char *key = arena_printf(arena, "vnfc/%s", vnfc_path(scope->service, scope->vnf, scope->instance, vdu, index));

	return expr_attribute(arena, key, path, rest, n);
}

static const struct expr *port_map(const struct scope *scope, const struct vdu *vdu, unsigned index, const struct cpd *cpd)
{
	static const char *const names[] = { "addresses", "mac_address", "port_name" };
	const struct expr *items[] = {
		port_field(scope, vdu, index, cpd->path.addresses, NULL, 0),
		port_field(scope, vdu, index, cpd->path.mac_address, NULL, 0),
		port_field(scope, vdu, index, cpd->path.port_name, NULL, 0),
	};

	return expr_map(scope->service->run->arena, names, items, G_N_ELEMENTS(names));
}

const struct expr *values_ports(const struct scope *scope, const struct vdu *vdu, unsigned index)
{
	struct arena *arena = scope->service->run->arena;
	const char **names = ARENA_ARRAY(arena, const char *, vdu->n_cpds);
	const struct expr **items = ARENA_ARRAY(arena, const struct expr *, vdu->n_cpds);

	for (size_t i = 0; i < vdu->n_cpds; i++) {
		names[i] = vdu->cpds[i].name;
		items[i] = port_map(scope, vdu, index, &vdu->cpds[i]);
	}
	return expr_map(arena, names, items, vdu->n_cpds);
}

static const struct cpd *port_named(const struct scope *scope, const struct vdu *vdu, const char *name, struct origin origin)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();

	for (size_t i = 0; i < vdu->n_cpds; i++) {
		if (strcmp(vdu->cpds[i].name, name) == 0)
			return &vdu->cpds[i];
		g_ptr_array_add(names, held(vdu->cpds[i].name));
	}
	struct diag *diag = run_say(scope->service->run, SEVERITY_ERROR, "unknown-connection-point", origin,
				    "\"%s\" has no connection point \"%s\"", vdu->node->name, name);
	if (diag)
		run_suggest(scope->service->run, diag, name, names);
	return NULL;
}

static bool read_port(const struct scope *scope, const struct vdu *vdu, unsigned index, struct rest rest, struct reading *reading)
{
	struct arena *arena = scope->service->run->arena;
	const struct expr *item;

	reading->is_list = false;
	if (rest.n == 0) {
		item = values_ports(scope, vdu, index);
	} else {
		const struct cpd *cpd = port_named(scope, vdu, word(scope, rest.items[0]), rest.items[0]->origin);
		if (!cpd)
			return false;
		const char *field = rest.n > 1 ? word(scope, rest.items[1]) : NULL;
		const char **further = ARENA_ARRAY(arena, const char *, rest.n);
		for (size_t i = 2; i < rest.n; i++)
			further[i - 2] = word(scope, rest.items[i]);
		if (!field)
			item = port_map(scope, vdu, index, cpd);
		else if (strcmp(field, "addresses") == 0)
			item = port_field(scope, vdu, index, cpd->path.addresses, further, rest.n - 2);
		else if (strcmp(field, "mac_address") == 0 && rest.n == 2)
			item = port_field(scope, vdu, index, cpd->path.mac_address, NULL, 0);
		else if (strcmp(field, "port_name") == 0 && rest.n == 2)
			item = port_field(scope, vdu, index, cpd->path.port_name, NULL, 0);
		else
			return fault(scope, rest.items[1]->origin, "unknown-attribute",
				     "a port has addresses, mac_address and port_name, not \"%s\"", field);
		reading->is_list = strcmp(field ? field : "", "addresses") == 0 && rest.n == 2;
	}
	g_ptr_array_add(reading->items, held(item));
	return true;
}

/* The ports of every VNFC of @vdu in the scope's instance of the VNF; of the reader's own VNFC only, where that is one of them.
 * */
static bool read_ports(const struct scope *scope, const struct vdu *vdu, struct rest rest, struct reading *reading)
{
	if (vdu == scope->vdu)
		return read_port(scope, vdu, scope->index, rest, reading);
	for (gint64 i = 0; i < scope->vnf->counts[vdu->index]; i++)
		if (!read_port(scope, vdu, (unsigned) i, rest, reading))
			return false;
	return true;
}

/* --- within a VNF ------------------------------------------------------------------------------------------------------- */

static const struct tmapping *shown(const struct ttopology *topology, const char *attribute)
{
	const struct tsubstitution *substitution = &topology->substitution;

	for (size_t i = 0; i < substitution->n_attributes; i++)
		if (strcmp(substitution->attributes[i].name, attribute) == 0)
			return &substitution->attributes[i];
	return NULL;
}

static bool read_in_vnf(const struct scope *scope, const struct tnode *node, const char *attribute, struct rest rest,
			struct reading *reading);

/* What the VNFD shows under the name @attribute: an output, or a node's own attribute. */
static bool read_shown(const struct scope *scope, const char *attribute, struct rest rest, struct reading *reading)
{
	const struct ttopology *topology = scope->vnf->vnfd->topology;
	const struct tmapping *mapping = shown(topology, attribute);

	if (!mapping || mapping->n_target == 0) {
		struct diag *diag = run_say(scope->service->run, SEVERITY_ERROR, "unknown-attribute", reading->origin,
					    "the VNFD %s does not show an attribute \"%s\"", topology->of->file, attribute);
		if (diag)
			diag_hint(scope->service->run->diags, diag,
				  "map it in its substitution_mappings.attributes to one of its outputs");
		return false;
	}
	if (mapping->n_target == 1) {
		const struct tvalue *output = tnamed_get(topology->outputs, mapping->target[0]);
		if (!output)
			return fault(scope, mapping->origin, "unknown-output", "there is no output \"%s\"", mapping->target[0]);
		return read_output(scope, output, rest, reading);
	}
	const struct tnode *node = ttopology_node(topology, mapping->target[0]);
	if (!node)
		return fault(scope, mapping->origin, "unknown-node", "there is no node \"%s\"", mapping->target[0]);
	return read_in_vnf(scope, node, mapping->target[1], rest, reading);
}

static bool read_in_vnf(const struct scope *scope, const struct tnode *node, const char *attribute, struct rest rest,
			struct reading *reading)
{
	const struct vnfd *vnfd = scope->vnf->vnfd;
	const struct tvalue *given = tnamed_get(node->attributes, attribute);

	if (given)
		return read_output(scope, given, rest, reading);
	if (node == vnfd->vnf)
		return read_shown(scope, attribute, rest, reading);
	if (tnode_is_a(node, "pleach.nodes.NetworkFunction") && strcmp(attribute, "ports") == 0)
		for (size_t i = 0; i < vnfd->n_vdus; i++)
			if (vnfd->vdus[i].nf && vnfd->vdus[i].nf->node == node)
				return read_ports(scope, &vnfd->vdus[i], rest, reading);
	return fault(scope, reading->origin, "unknown-attribute", "nothing tells the attribute \"%s\" of \"%s\"", attribute,
		     node->name);
}

/* --- from one VNF to another -------------------------------------------------------------------------------------------- */

static bool read_in_nsd(const struct scope *scope, const struct tnode *node, const char *attribute, struct rest rest,
			struct reading *reading)
{
	const struct service *service = scope->service;
	const struct vnf *vnf = g_hash_table_lookup(service->by_name, node->name);
	bool ports = false;

	for (guint i = 0; !vnf && i < service->vnfs->len; i++) {
		const struct vnf *other = service->vnfs->pdata[i];
		if (other->nsd_nf && other->nsd_nf->node == node && strcmp(attribute, "ports") == 0) {
			vnf = other;
			ports = true;
		}
	}
	if (!vnf)
		return fault(scope, reading->origin, "unknown-attribute", "nothing tells the attribute \"%s\" of \"%s\"",
			     attribute, node->name);
	/* A network function of the NSD asks for its own ports. */
	if (ports && scope->vnf == vnf && scope->vdu)
		return read_ports(scope, scope->vdu, rest, reading);
	struct scope inner = { .service = scope->service, .vnf = vnf, .depth = scope->depth + 1 };
	for (inner.instance = 0; inner.instance < vnf->instances; inner.instance++)
		if (!(ports ? read_ports(&inner, &vnf->vnfd->vdus[0], rest, reading)
		      : read_shown(&inner, attribute, rest, reading)))
			return false;
	return true;
}

static bool read_attribute(const struct scope *scope, const struct tvalue *function, struct rest tail, struct reading *reading)
{
	const struct tvalue *const *args = function->function.args;
	const struct ttopology *vnfd = scope->vnf ? scope->vnf->vnfd->topology : NULL;
	const struct ttopology *nsd = scope->service->is_nsd ? scope->service->topology : NULL;
	const char *name = tvalue_string(args[0], ""), *attribute = tvalue_string(args[1], "");
	struct arena *arena = scope->service->run->arena;

	if (scope->depth > DESIRED_MAX_ATTRIBUTE_DEPTH)
		return fault(scope, function->origin, "attribute-loop", "attributes read one another more than %d deep",
			     DESIRED_MAX_ATTRIBUTE_DEPTH);
	/* An input carries the NSD's functions into the VNFD: names in them are those of the file that they stand in. */
	if (vnfd && nsd && strcmp(function->origin.file, nsd->of->file) == 0)
		vnfd = NULL;
	struct rest rest = { .n = function->function.n - 2 + tail.n };
	const struct tvalue **words = ARENA_ARRAY(arena, const struct tvalue *, rest.n);
	for (size_t i = 0; i < rest.n; i++)
		words[i] = i + 2 < function->function.n ? args[i + 2] : tail.items[i + 2 - function->function.n];
	rest.items = words;
	const struct tnode *node = vnfd ? ttopology_node(vnfd, name) : NULL;
	if (node)
		return read_in_vnf(scope, node, attribute, rest, reading);
	node = nsd ? ttopology_node(nsd, name) : NULL;
	if (node)
		return read_in_nsd(scope, node, attribute, rest, reading);
	return fault(scope, function->origin, "unknown-attribute", "there is no node \"%s\" whose attribute could be read here",
		     name);
}

static bool read_output(const struct scope *scope, const struct tvalue *value, struct rest rest, struct reading *reading)
{
	if (value->type == TV_FUNCTION && strcmp(value->function.name, "get_attribute") == 0) {
		struct scope deeper = *scope;
		deeper.depth++;
		return read_attribute(&deeper, value, rest, reading);
	}
	for (size_t i = 0; i < rest.n; i++) {
		const char *step = word(scope, rest.items[i]);
		guint64 index;
		const struct tvalue *into = tvalue_get(value, step);
		if (value->type == TV_LIST && g_ascii_string_to_unsigned(step, 10, 0, G_MAXUINT32, &index, NULL) &&
		    index < value->list.n)
			into = value->list.items[index];
		if (!into)
			return fault(scope, rest.items[i]->origin, "unknown-attribute", "\"%s\" leads nowhere", step);
		value = into;
	}
	const struct expr *item = values_expr(scope, value, WANT_ANY);
	if (!item)
		return false;
	reading->is_list = value->type == TV_LIST;
	g_ptr_array_add(reading->items, held(item));
	return true;
}

/* --- the whole ---------------------------------------------------------------------------------------------------------- */

const struct expr *values_attribute(const struct scope *scope, const struct tvalue *function, enum want want)
{
	struct run *run = scope->service->run;
	g_autoptr(GPtrArray) items = g_ptr_array_new();
	struct reading reading = { .items = items, .origin = function->origin };

	if (function->function.n < 2 || !read_attribute(scope, function, (struct rest) { 0 }, &reading))
		return NULL;
	const struct expr *const *all = (const struct expr *const *) items->pdata;
	if (want != WANT_SCALAR) {
		if (items->len == 1 && (want == WANT_ANY || reading.is_list))
			return all[0];
		return expr_list(run->arena, reading.is_list, all, items->len);
	}
	if (items->len == 1 && !reading.is_list)
		return all[0];
	struct diag *diag = run_say(run, SEVERITY_ERROR, "several-instances", function->origin,
				    "one value is wanted here, but %s", reading.is_list      ? "a list is read"
				    : items->len == 0 ? "no instance is there"
						      : "several instances are read");
	if (diag)
		diag_hint(run->diags, diag, "read it into a property that is a list, or name one item of it");
	return NULL;
}
