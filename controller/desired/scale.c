/* How many instances there are, from strongest: the service's scale, the NSD's target levels, its instantiation level, the VNFD's
 * default level, initial delta, minimum. (ETSI GS NFV-IFA 011, 7.1.10; SOL001, 6.10.) */
#include "desired/internal.h"

#include <string.h>

#define OUT_OF_RANGE "\"%s\" would have %" G_GINT64_FORMAT " instances; it has %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT

#define SCALING_ASPECTS "tosca.policies.nfv.ScalingAspects"
#define ASPECT_DELTAS "tosca.policies.nfv.VduScalingAspectDeltas"
#define INITIAL_DELTA "tosca.policies.nfv.VduInitialDelta"
#define LEVELS "tosca.policies.nfv.InstantiationLevels"
#define VDU_LEVELS "tosca.policies.nfv.VduInstantiationLevels"
#define NS_LEVELS "tosca.policies.nfv.NsInstantiationLevels"
#define VNF_LEVELS "tosca.policies.nfv.VnfToInstantiationLevelMapping"
#define VNF_ASPECT_LEVELS "tosca.policies.nfv.VnfToLevelMapping"

/* What the service or the NSD says of one VNF's aspects. */
struct wish {
	struct service *service;
	struct vnf *vnf;
	GHashTable *levels;       /* aspect → const struct tvalue: the level */
	const struct tvalue *map; /* aspects of the VNFD, or NULL */
	const char *level;        /* instantiation level, or NULL */
	struct origin level_origin;
	const struct tvalue *scale_info;
};

static const struct tpolicy *policy_of(const struct ttopology *topology, const char *type, const char *target_or_null,
				       size_t *from)
{
	for (size_t i = *from; i < topology->n_policies; i++) {
		const struct tpolicy *policy = &topology->policies[i];
		if (!ttype_is_a(policy->type, type))
			continue;
		bool fits = !target_or_null;
		for (size_t j = 0; j < policy->n_targets && !fits; j++)
			fits = strcmp(policy->targets[j], target_or_null) == 0;
		if (fits) {
			*from = i + 1;
			return policy;
		}
	}
	return NULL;
}

static const struct tpolicy *first_policy(const struct ttopology *topology, const char *type, const char *target_or_null)
{
	size_t from = 0;

	return policy_of(topology, type, target_or_null, &from);
}

static const struct tvalue *policy_value(const struct tpolicy *policy, const char *property)
{
	return policy ? tnamed_get(policy->properties, property) : NULL;
}

static void add_keys(GPtrArray *names, const struct tvalue *map)
{
	for (size_t i = 0; map && map->type == TV_MAP && i < map->map.n; i++)
		g_ptr_array_add(names, held(map->map.keys[i]));
}

/* --- instantiation levels ----------------------------------------------------------------------------------------------- */

/* The level that @said names (or, without one, the default or the only one of @levels); NULL: none. */
static const char *pick_level(struct service *service, const struct tvalue *said, const struct tpolicy *levels,
			      const char *property, const char *what, struct origin *ret_origin)
{
	const struct tvalue *map = policy_value(levels, property);
	const struct tvalue *fallback = policy_value(levels, "default_level");
	const char *name = tvalue_string(said, NULL);
	g_autoptr(GPtrArray) names = g_ptr_array_new();

	if (name && said->is_default)
		name = NULL;
	if (!name) {
		said = fallback;
		name = tvalue_string(fallback, NULL);
		if (!name && map && map->type == TV_MAP && map->map.n == 1) {
			said = map->map.items[0];
			name = map->map.keys[0];
		}
	}
	if (!name)
		return NULL;
	*ret_origin = said->origin;
	if (tvalue_get(map, name))
		return name;
	struct diag *diag = run_say(service->run, SEVERITY_ERROR, "unknown-level", said->origin,
				    "%s has no instantiation level \"%s\"", what, name);
	add_keys(names, map);
	if (diag)
		run_suggest(service->run, diag, name, names);
	service->faulty = true;
	return NULL;
}

/* --- aspects ------------------------------------------------------------------------------------------------------------ */

static void take_level(struct wish *wish, const char *aspect, const struct tvalue *level, struct origin origin)
{
	struct service *service = wish->service;
	const struct tvalue *known = tvalue_get(wish->map, aspect);
	gint64 max = tvalue_int(tvalue_get(known, "max_scale_level"), 0), wanted = tvalue_int(level, -1);

	if (!known) {
		g_autoptr(GPtrArray) names = g_ptr_array_new();
		struct diag *diag = diags_error(service->run->diags, "unknown-aspect", origin, "%s has no scaling aspect \"%s\"",
						wish->vnf->name ? wish->vnf->name : service->name, aspect);
		add_keys(names, wish->map);
		run_suggest(service->run, diag, aspect, names);
		service->faulty = true;
	} else if (wanted < 0 || wanted > max) {
		struct diag *diag = diags_error(service->run->diags, "scale-range", origin,
						"the scaling aspect \"%s\" has levels 0 to %" G_GINT64_FORMAT, aspect, max);
		diag_note(service->run->diags, diag, known->origin, "defined here");
		service->faulty = true;
	} else {
		g_hash_table_insert(wish->levels, held(aspect), held(level));
	}
}

/* The service's own `scale`: strongest, so taken last. */
static void take_service_scale(struct wish *wish)
{
	struct service *service = wish->service;

	for (const struct scale_entry *entry = wish->vnf->scale; entry; entry = entry->next) {
		const char *aspect = entry->aspect;
		if (!aspect && wish->map && wish->map->map.n == 1)
			aspect = wish->map->map.keys[0];
		if (aspect) {
			take_level(wish, aspect, entry->level, entry->level->origin);
			continue;
		}
		struct diag *diag = diags_error(service->run->diags, "unknown-aspect", entry->level->origin, "\"%s\" has %s",
						entry->written,
						wish->map ? "several scaling aspects: name one" : "no scaling aspect");
		g_autoptr(GPtrArray) names = g_ptr_array_new();
		add_keys(names, wish->map);
		run_suggest(service->run, diag, "", names);
		service->faulty = true;
	}
}

static void take_targets(struct wish *wish, const struct tvalue *profile)
{
	const struct tvalue *targets = tvalue_get(profile, "target_vnf_scale_level_info");

	for (size_t i = 0; targets && targets->type == TV_MAP && i < targets->map.n; i++)
		take_level(wish, targets->map.keys[i], tvalue_get(targets->map.items[i], "scale_level"),
			   targets->map.items[i]->origin);
}

static gint64 number(const struct tvalue *vdu_level)
{
	return tvalue_int(tvalue_get(vdu_level, "number_of_instances"), 0);
}

/* Instances that @level steps of an aspect add; -1 and a finding where the deltas do not say. */
static gint64 steps(struct wish *wish, const struct tpolicy *policy, const char *aspect, gint64 level)
{
	const struct tvalue *names = tvalue_get(tvalue_get(wish->map, aspect), "step_deltas");
	const struct tvalue *deltas = policy_value(policy, "deltas");
	gint64 sum = 0;

	if (level == 0)
		return 0;
	if ((!names || names->type != TV_LIST || names->list.n == 0) && deltas && deltas->type == TV_MAP && deltas->map.n == 1)
		return MIN(number(deltas->map.items[0]), DESIRED_MAX_VNFCS) * MIN(level, DESIRED_MAX_VNFCS);
	size_t n = names && names->type == TV_LIST ? names->list.n : 0;
	for (gint64 i = 0; i < level; i++) {
		const char *delta = n == 0 || (i >= (gint64) n && n != 1) ? NULL
			: tvalue_string(names->list.items[n == 1 ? 0 : i], NULL);
		const struct tvalue *step = delta ? tvalue_get(deltas, delta) : NULL;
		if (!step) {
			run_say(wish->service->run, SEVERITY_ERROR, "unknown-delta", policy->origin,
				"no delta says what step %" G_GINT64_FORMAT " of the scaling aspect \"%s\" adds", i + 1, aspect);
			wish->service->faulty = true;
			return -1;
		}
		if (n == 1)
			return MIN(number(step), DESIRED_MAX_VNFCS) * MIN(level, DESIRED_MAX_VNFCS);
		sum += MIN(number(step), DESIRED_MAX_VNFCS);
		if (sum > DESIRED_MAX_VNFCS)
			break;
	}
	return sum;
}

/* Instances of @vdu by the levels of the aspects that move it. @ret_explicit: the service or the NSD named one of them. */
static gint64 by_aspects(struct wish *wish, const struct vdu *vdu, gint64 base, bool *ret_explicit, bool *ret_any,
			 struct origin *ret_origin)
{
	const struct ttopology *topology = wish->vnf->vnfd->topology;
	const struct tpolicy *policy;
	size_t from = 0;
	gint64 sum = base;

	*ret_explicit = *ret_any = false;
	while ((policy = policy_of(topology, ASPECT_DELTAS, vdu->node->name, &from))) {
		const char *aspect = tvalue_string(policy_value(policy, "aspect"), "");
		const struct tvalue *level = g_hash_table_lookup(wish->levels, aspect);
		const struct tvalue *info = tvalue_get(tvalue_get(wish->scale_info, aspect), "scale_level");
		if (level) {
			*ret_explicit = true;
			*ret_origin = level->origin;
		}
		*ret_any = *ret_any || level || info;
		gint64 added = steps(wish, policy, aspect, tvalue_int(level ? level : info, 0));
		if (added < 0)
			return base;
		sum += added;
	}
	return sum;
}

static gint64 count_vdu(struct wish *wish, const struct vdu *vdu)
{
	const struct ttopology *topology = wish->vnf->vnfd->topology;
	const struct tpolicy *initial = first_policy(topology, INITIAL_DELTA, vdu->node->name);
	const struct tpolicy *levels = first_policy(topology, VDU_LEVELS, vdu->node->name);
	const struct tvalue *profile = tnode_property(vdu->node, "vdu_profile");
	struct origin origin = origin_of(profile, vdu->node->origin);
	gint64 n = vdu->min;
	bool explicit, any;

	if (initial) {
		n = number(policy_value(initial, "initial_delta"));
		origin = initial->origin;
	}
	gint64 scaled = by_aspects(wish, vdu, n, &explicit, &any, &origin);
	const struct tvalue *at_level = wish->level ? tvalue_get(policy_value(levels, "levels"), wish->level) : NULL;
	if (explicit || (any && !at_level)) {
		n = scaled;
	} else if (at_level) {
		n = number(at_level);
		origin = wish->level_origin;
	}
	if (n >= vdu->min && n <= vdu->max)
		return n;
	struct diag *diag = run_say(wish->service->run, SEVERITY_ERROR, "scale-range", origin,
				    OUT_OF_RANGE,
				    vdu->node->name, n, vdu->min, vdu->max);
	if (diag)
		diag_note(wish->service->run->diags, diag, origin_of(profile, vdu->node->origin), "its bounds");
	wish->service->faulty = true;
	return 0;
}

static void scale_vdus(struct service *service, struct vnf *vnf)
{
	const struct ttopology *topology = vnf->vnfd->topology;
	const struct tvalue *profile = vnf->node ? tnode_property(vnf->node, "vnf_profile") : NULL;
	const struct tvalue *said = vnf->node ? tvalue_get(profile, "instantiation_level")
		: tnode_property(service->node, "instantiation_level");
	const struct tpolicy *levels = first_policy(topology, LEVELS, NULL);
	g_autoptr(GHashTable) wished = g_hash_table_new(g_str_hash, g_str_equal);
	struct wish wish = { .service = service, .vnf = vnf, .levels = wished };

	wish.map = policy_value(first_policy(topology, SCALING_ASPECTS, NULL), "aspects");
	if (wish.map && wish.map->type != TV_MAP)
		wish.map = NULL;
	wish.level = pick_level(service, said, levels, "levels", vnf->name ? vnf->name : service->name, &wish.level_origin);
	if (wish.level)
		wish.scale_info = tvalue_get(tvalue_get(policy_value(levels, "levels"), wish.level), "scale_info");
	take_targets(&wish, profile);
	take_service_scale(&wish);
	vnf->counts = ARENA_ARRAY(service->run->arena, gint64, vnf->vnfd->n_vdus);
	for (size_t i = 0; i < vnf->vnfd->n_vdus; i++)
		vnf->counts[i] = count_vdu(&wish, &vnf->vnfd->vdus[i]);
}

/* --- instances of a VNF in its NSD -------------------------------------------------------------------------------------- */

/* Every policy of @type by the names of its targets: an NSD may have as many as it has VNFs. */
static GHashTable *by_target(const struct ttopology *topology, const char *type)
{
	GHashTable *found = g_hash_table_new(g_str_hash, g_str_equal);
	const struct tpolicy *policy;
	size_t from = 0;

	while ((policy = policy_of(topology, type, NULL, &from)))
		for (size_t i = 0; i < policy->n_targets; i++)
			if (!g_hash_table_contains(found, policy->targets[i]))
				g_hash_table_insert(found, held(policy->targets[i]), held(policy));
	return found;
}

static gint64 count_vnf(struct service *service, struct vnf *vnf, const struct tvalue *mapped, const struct tvalue *aspect,
			struct origin level_origin)
{
	const struct tvalue *profile = tnode_property(vnf->node, "vnf_profile");
	const struct tvalue *min = tvalue_get(profile, "min_number_of_instances");
	const struct tvalue *max = tvalue_get(profile, "max_number_of_instances");
	struct origin origin = origin_of(min, vnf->node->origin);
	gint64 n = tvalue_int(min, 1);

	if (mapped) {
		n = tvalue_int(mapped, n);
		origin = level_origin;
	} else if (aspect) {
		n = tvalue_int(aspect, n);
		origin = aspect->origin;
	}
	if (n >= tvalue_int(min, 0) && n <= tvalue_int(max, G_MAXINT64))
		return n;
	struct diag *diag = diags_error(service->run->diags, "scale-range", origin,
					OUT_OF_RANGE,
					vnf->name, n, tvalue_int(min, 0), tvalue_int(max, G_MAXINT64));
	diag_note(service->run->diags, diag, origin_of(profile, vnf->node->origin), "its bounds");
	service->faulty = true;
	return 0;
}

/* Gives every entry of the service's `scale` to its VNF. */
static void deal_scale(struct service *service)
{
	const struct tvalue *scale = tnode_property(service->node, "scale");

	for (size_t i = 0; scale && scale->type == TV_MAP && i < scale->map.n; i++) {
		const char *written = scale->map.keys[i], *aspect;
		struct vnf *vnf = service_split(service, written, &aspect);
		if (vnf) {
			struct scale_entry *entry = ARENA_NEW(service->run->arena, struct scale_entry);
			*entry = (struct scale_entry) { .written = written, .aspect = aspect, .level = scale->map.items[i],
							.next = vnf->scale };
			vnf->scale = entry;
			continue;
		}
		g_autoptr(GPtrArray) names = g_ptr_array_new();
		struct diag *diag = diags_error(service->run->diags, "unknown-vnf", scale->map.items[i]->origin,
						"\"%s\" names no VNF of the service \"%s\"", written, service->name);
		service_vnf_names(service, names);
		run_suggest(service->run, diag, written, names);
		service->faulty = true;
	}
}

static void check_bounds(struct service *service)
{
	gint64 n = 0;

	for (guint i = 0; i < service->vnfs->len; i++) {
		const struct vnf *vnf = service->vnfs->pdata[i];
		for (size_t j = 0; vnf->counts && j < vnf->vnfd->n_vdus; j++)
			n += MIN(vnf->counts[j], DESIRED_MAX_VNFCS) * MIN(vnf->instances, DESIRED_MAX_VNFCS);
		if (n > DESIRED_MAX_VNFCS_PER_SERVICE || vnf->instances > DESIRED_MAX_VNFCS_PER_SERVICE)
			break;
	}
	if (n > DESIRED_MAX_VNFCS_PER_SERVICE) {
		diags_error(service->run->diags, "too-many-instances", service->node->origin,
			    "the service \"%s\" has more than %d instances of VDUs", service->name,
			    DESIRED_MAX_VNFCS_PER_SERVICE);
		service->faulty = true;
	} else if ((gint64) service->run->n_vnfcs + n > DESIRED_MAX_VNFCS) {
		diags_error(service->run->diags, "too-many-instances", service->node->origin,
			    "more than %d instances of VDUs in all", DESIRED_MAX_VNFCS);
		service->faulty = true;
	} else {
		service->n_vnfcs = (size_t) n;
		service->run->n_vnfcs += (size_t) n;
	}
}

static void count_vnfs(struct service *service)
{
	struct origin origin = service->node->origin;
	const char *level = pick_level(service, tnode_property(service->node, "instantiation_level"),
				       first_policy(service->topology, NS_LEVELS, NULL), "ns_levels", "the NSD", &origin);
	g_autoptr(GHashTable) levels = by_target(service->topology, VNF_LEVELS);
	g_autoptr(GHashTable) aspects = by_target(service->topology, VNF_ASPECT_LEVELS);

	for (guint i = 0; i < service->vnfs->len; i++) {
		struct vnf *vnf = service->vnfs->pdata[i];
		const struct tvalue *by_level = policy_value(g_hash_table_lookup(levels, vnf->node->name), "number_of_instances");
		const struct tvalue *by_aspect = policy_value(g_hash_table_lookup(aspects, vnf->node->name),
							      "number_of_instances");
		/* An NSD without instantiation levels starts at level 0 of each of its aspects. */
		vnf->instances = count_vnf(service, vnf, level ? tvalue_get(by_level, level) : NULL, tvalue_get(by_aspect, "0"),
					   origin);
	}
}

void scale_service(struct service *service)
{
	deal_scale(service);
	if (service->is_nsd)
		count_vnfs(service);
	for (guint i = 0; i < service->vnfs->len; i++)
		scale_vdus(service, service->vnfs->pdata[i]);
	check_bounds(service);
}
