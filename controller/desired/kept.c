/* Nothing is silently ignored: what a descriptor says and this version does not keep is a warning at its place. */
#include "desired/internal.h"

#include <string.h>

void not_kept(struct run *run, struct origin origin, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_autofree char *what = g_strdup_vprintf(format, args);
	va_end(args);
	run_say(run, SEVERITY_WARNING, "not-kept", origin, "%s is not kept by this version", what);
}

/* Does it say anything? Defaults, empty things, zero and false do not. */
static bool says(const struct tvalue *value)
{
	if (!value || value->is_default)
		return false;
	switch (value->type) {
	case TV_NULL:
		return false;
	case TV_BOOL:
		return value->boolean;
	case TV_INTEGER:
		return value->integer != 0;
	case TV_FLOAT:
		return value->number < 0 || value->number > 0;
	case TV_STRING:
		return *value->string != '\0';
	case TV_LIST:
		return value->list.n > 0;
	case TV_MAP:
		for (size_t i = 0; i < value->map.n; i++)
			if (says(value->map.items[i]))
				return true;
		return false;
	case TV_FUNCTION:
		return true;
	}
	g_assert_not_reached();
}

static void not_kept_properties(struct run *run, const struct tnode *node, struct tnamed_list properties,
				const char *const *names)
{
	for (; *names; names++) {
		const struct tvalue *value = tnamed_get(properties, *names);
		if (says(value))
			not_kept(run, origin_of(value, node->origin), "%s of \"%s\"", *names, node->name);
	}
}

static void not_kept_members(struct run *run, const struct tnode *node, const struct tvalue *map, const char *const *names)
{
	for (; *names; names++) {
		const struct tvalue *value = tvalue_get(map, *names);
		if (says(value))
			not_kept(run, origin_of(value, node->origin), "%s of \"%s\"", *names, node->name);
	}
}

static void not_kept_operations(struct run *run, const struct tnode *node)
{
	g_autoptr(GString) names = g_string_new(NULL);
	struct origin origin = ORIGIN_NONE;

	for (size_t i = 0; i < node->n_operations; i++) {
		const struct toperation *operation = &node->operations[i];
		if (!operation->file)
			continue;
		if (names->len == 0)
			origin = operation->origin;
		g_string_append_printf(names, "%s%s", names->len ? ", " : "", operation->name);
	}
	if (names->len > 0)
		not_kept(run, origin, "what \"%s\" does at %s", node->name, names->str);
}

static void not_kept_dependency(struct run *run, const struct tnode *node)
{
	const struct trequirement *dependency = tnode_requirement(node, "dependency");

	if (dependency && dependency->node)
		not_kept(run, dependency->origin, "the dependency of \"%s\" on \"%s\"", node->name, dependency->node->name);
}

static bool is_any(const struct tnode *node, const char *const *types)
{
	for (; *types; types++)
		if (tnode_is_a(node, *types))
			return true;
	return false;
}

/* --- sites and services ------------------------------------------------------------------------------------------------- */

void kept_site(struct run *run, const struct tnode *node)
{
	static const char *const names[] = { "trusted_certificates", NULL };
	const struct tvalue *steering = tnode_property(node, "steering");
	const struct tvalue *signatures = tnode_property(node, "package_signatures");

	not_kept_properties(run, node, node->properties, names);
	if (says(steering) && strcmp(tvalue_string(steering, "auto"), "auto") != 0)
		not_kept(run, steering->origin, "steering of \"%s\"", node->name);
	if (says(signatures) && strcmp(tvalue_string(signatures, "ignore"), "ignore") != 0)
		not_kept(run, signatures->origin, "package_signatures of \"%s\"", node->name);
}

void kept_service(struct run *run, const struct tnode *node)
{
	static const char *const names[] = { "vnffgds", NULL };
	const struct trequirement *dependency = tnode_requirement(node, "dependency");

	not_kept_properties(run, node, node->properties, names);
	if (dependency && dependency->node && !tnode_is_a(dependency->node, "pleach.nodes.NetworkService"))
		not_kept_dependency(run, node);
}

/* --- policies and groups ------------------------------------------------------------------------------------------------ */

void kept_policies(struct run *run, const struct ttopology *topology)
{
	static const char *const kept[] = {
		"tosca.policies.nfv.InstantiationLevels",
		"tosca.policies.nfv.VduInstantiationLevels",
		"tosca.policies.nfv.ScalingAspects",
		"tosca.policies.nfv.VduScalingAspectDeltas",
		"tosca.policies.nfv.VduInitialDelta",
		"tosca.policies.nfv.NsInstantiationLevels",
		"tosca.policies.nfv.VnfToInstantiationLevelMapping",
		"tosca.policies.nfv.NsScalingAspects",
		"tosca.policies.nfv.VnfToLevelMapping",
		"tosca.policies.nfv.SupportedVnfInterface",
		"tosca.policies.nfv.VnfIndicator",
		"pleach.policies.Access",
	};

	for (size_t i = 0; i < topology->n_policies; i++) {
		const struct tpolicy *policy = &topology->policies[i];
		/* Who orders a network says what becomes of drift in it, not who describes a VNF. */
		bool ordered = !topology->substitution.node_type;
		bool known = !policy->type || (ordered && ttype_is_a(policy->type, "pleach.policies.Drift"));
		for (size_t j = 0; j < G_N_ELEMENTS(kept) && !known; j++)
			known = ttype_is_a(policy->type, kept[j]);
		if (!known)
			not_kept(run, policy->origin, "the policy \"%s\" (%s)", policy->name, ttype_name(policy->type));
	}
	for (size_t i = 0; i < topology->n_groups; i++)
		if (topology->groups[i].type)
			not_kept(run, topology->groups[i].origin, "the group \"%s\" (%s)", topology->groups[i].name,
				 ttype_name(topology->groups[i].type));
}

/* --- NSD ---------------------------------------------------------------------------------------------------------------- */

static void kept_link(struct run *run, const struct tnode *node)
{
	static const char *const names[] = { "test_access", "monitoring_parameters", "nfvi_maintenance_info",
					     "externally_managed", NULL };
	static const char *const members[] = { "qos", "service_availability_level", "data_flow_mirroring", NULL };
	const struct tvalue *profile = tnode_property(node, "vl_profile");
	const struct tvalue *max = tvalue_get(profile, "max_bitrate_requirements");
	const struct tvalue *min = tvalue_get(profile, "min_bitrate_requirements");

	if (says(max) || says(min))
		not_kept(run, origin_of(says(max) ? max : min, node->origin), "the bit rate of \"%s\"", node->name);
	not_kept_properties(run, node, node->properties, names);
	not_kept_members(run, node, profile, members);
}

static void kept_nsd_vnf(struct run *run, const struct tnode *node)
{
	static const char *const members[] = { "service_availability_level", "version_dependency", NULL };

	not_kept_members(run, node, tnode_property(node, "vnf_profile"), members);
	not_kept_dependency(run, node);
}

void kept_nsd(struct run *run, const struct ttopology *topology)
{
	static const char *const known[] = { "tosca.nodes.nfv.VNF", "tosca.nodes.nfv.NsVirtualLink", "tosca.nodes.nfv.Forwarding",
					     "tosca.nodes.nfv.Sap", "pleach.nodes.NetworkFunction", NULL };

	kept_policies(run, topology);
	for (size_t i = 0; i < topology->n_nodes; i++) {
		const struct tnode *node = &topology->nodes[i];
		bool self = tnode_is_a(node, "tosca.nodes.nfv.NS") &&
			    g_strcmp0(ttype_name(node->type), topology->substitution.node_type) == 0;
		if (tnode_is_a(node, "tosca.nodes.nfv.NsVirtualLink"))
			kept_link(run, node);
		else if (tnode_is_a(node, "tosca.nodes.nfv.VNF"))
			kept_nsd_vnf(run, node);
		else if (self)
			not_kept_operations(run, node);
		else if (!is_any(node, known))
			not_kept(run, node->origin, "the node \"%s\" (%s)", node->name, ttype_name(node->type));
	}
}

/* --- VNFD --------------------------------------------------------------------------------------------------------------- */

static void kept_vdu(struct run *run, const struct tnode *node)
{
	static const char *const names[] = { "boot_data", "nfvi_constraints", "monitoring_parameters", "configurable_properties",
					     NULL };
	static const char *const compute_names[] = { "logical_node", "requested_additional_capabilities", "virtual_local_storage",
						     NULL };
	static const char *const cpu[] = { "cpu_architecture", "virtual_cpu_clock", "virtual_cpu_oversubscription_policy",
					   "vdu_cpu_requirements", "virtual_cpu_pinning", NULL };
	static const char *const memory[] = { "virtual_mem_oversubscription_policy", "vdu_mem_requirements", "numa_enabled",
					      "huge_pages_requirements", NULL };
	const struct tcapability *compute = tnode_capability(node, "virtual_compute");

	not_kept_properties(run, node, node->properties, names);
	if (compute) {
		const struct tvalue *open = tnamed_get(compute->properties, "compute_requirements");
		not_kept_properties(run, node, compute->properties, compute_names);
		not_kept_members(run, node, tnamed_get(compute->properties, "virtual_cpu"), cpu);
		not_kept_members(run, node, tnamed_get(compute->properties, "virtual_memory"), memory);
		for (size_t i = 0; open && open->type == TV_MAP && i < open->map.n; i++)
			if (strcmp(open->map.keys[i], "pids") != 0)
				not_kept(run, open->map.items[i]->origin, "the requirement \"%s\" of \"%s\"", open->map.keys[i],
					 node->name);
	}
	for (size_t i = 0; i < node->n_artifacts; i++)
		not_kept(run, node->artifacts[i].origin, "the artifact \"%s\" of \"%s\"", node->artifacts[i].name, node->name);
	const struct trequirement *storage = tnode_requirement(node, "virtual_storage");
	if (storage && storage->node)
		not_kept(run, storage->origin, "the storage of \"%s\"", node->name);
	not_kept_dependency(run, node);
}

static void kept_cp(struct run *run, const struct tnode *node)
{
	static const char *const names[] = { "trunk_mode", "bitrate_requirement", "virtual_network_interface_requirements",
					     "protocol", "security_groups", NULL };
	const struct tvalue *vnic = tnode_property(node, "vnic_type");

	not_kept_properties(run, node, node->properties, names);
	if (says(vnic) && strcmp(tvalue_string(vnic, "normal"), "normal") != 0)
		not_kept(run, vnic->origin, "vnic_type of \"%s\"", node->name);
}

static void kept_vnf(struct run *run, const struct tnode *node)
{
	static const char *const names[] = { "monitoring_parameters", NULL };
	not_kept_properties(run, node, node->properties, names);
	not_kept_operations(run, node);
}

void kept_vnfd(struct run *run, const struct ttopology *topology)
{
	kept_policies(run, topology);
	for (size_t i = 0; i < topology->n_nodes; i++) {
		const struct tnode *node = &topology->nodes[i];
		bool cp = tnode_is_a(node, "tosca.nodes.nfv.VduCp") && !tnode_is_a(node, "tosca.nodes.nfv.VduSubCp");
		if (tnode_is_a(node, "tosca.nodes.nfv.Vdu.Compute"))
			kept_vdu(run, node);
		else if (cp || tnode_is_a(node, "tosca.nodes.nfv.VnfExtCp"))
			kept_cp(run, node);
		else if (tnode_is_a(node, "tosca.nodes.nfv.VnfVirtualLink"))
			kept_link(run, node);
		else if (tnode_is_a(node, "tosca.nodes.nfv.VNF"))
			kept_vnf(run, node);
		else if (!tnode_is_a(node, "pleach.nodes.NetworkFunction"))
			not_kept(run, node->origin, "the node \"%s\" (%s)", node->name, ttype_name(node->type));
	}
}

/* --- network functions -------------------------------------------------------------------------------------------------- */

void kept_nf(struct run *run, const struct tnode *node)
{
	not_kept_dependency(run, node);
}
