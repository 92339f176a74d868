#include "desired/internal.h"
#include "model/vnfc.h"

#include <string.h>

enum { PRESETS_MAX = 16 };

static void preset(struct run *run, struct presets *presets, const char *path, const struct value *value, struct origin origin)
{
	struct preset *items = (struct preset *) (uintptr_t) presets->items;

	if (value->type == VALUE_ABSENT)
		return;
	g_assert(presets->n < PRESETS_MAX);
	items[presets->n++] = (struct preset) { .path = path, .value = value, .origin = origin };
}

static void preset_label(struct run *run, struct presets *presets, const struct vnfd *vnfd, const char *path,
			 const char *property)
{
	const struct tvalue *value = vnfd->vnf ? tnode_property(vnfd->vnf, property) : NULL;

	preset(run, presets, path, value_string(run->arena, tvalue_string(value, NULL)),
	       origin_of(value, vnfd->vnf ? vnfd->vnf->origin : ORIGIN_NONE));
}

/* compute_requirements is SOL001's open map; "pids" in it is the number of processes at most. */
static gint64 pids_of(struct run *run, const struct tvalue *said)
{
	const char *text = tvalue_string(said, NULL);
	gint64 pids;

	if (!said)
		return VNFC_PIDS_DEFAULT;
	if (text && g_ascii_string_to_signed(text, 10, 1, DESIRED_MAX_PIDS, &pids, NULL))
		return pids;
	diags_error(run->diags, "bad-pids", said->origin, "\"pids\" is a number from 1 to %d", DESIRED_MAX_PIDS);
	return VNFC_PIDS_DEFAULT;
}

static gint64 positive(struct run *run, const struct vdu *vdu, const struct tvalue *said, const char *name)
{
	gint64 number = tvalue_int(said, -1);

	if (number > 0)
		return number;
	diags_error(run->diags, "bad-compute", said ? said->origin : vdu->node->origin,
		    "\"%s\" has no %s, or none that is positive", vdu->node->name, name);
	return 1;
}

/* Only where the VNFD forbids it: the fault monitor asks for it. */
static void preset_autoheal(struct run *run, struct presets *presets, const struct vnfd *vnfd)
{
	const struct tvalue *properties = vnfd->vnf ? tnode_property(vnfd->vnf, "configurable_properties") : NULL;
	const struct tvalue *heal = tvalue_get(properties, "is_autoheal_enabled");

	if (heal && !heal->is_default && heal->type == TV_BOOL && !heal->boolean)
		preset(run, presets, "label.autoheal", value_string(run->arena, "false"), heal->origin);
}

struct presets vnfc_presets(struct run *run, const struct vnfd *vnfd, struct vdu *vdu)
{
	struct presets presets = { .items = ARENA_ARRAY(run->arena, struct preset, PRESETS_MAX) };
	const struct tcapability *compute = tnode_capability(vdu->node, "virtual_compute");
	struct tnamed_list none = { 0 };
	struct tnamed_list properties = compute ? compute->properties : none;
	const struct tvalue *cpu = tvalue_get(tnamed_get(properties, "virtual_cpu"), "num_virtual_cpu");
	const struct tvalue *memory = tvalue_get(tnamed_get(properties, "virtual_memory"), "virtual_mem_size");
	const struct tvalue *pids = tvalue_get(tnamed_get(properties, "compute_requirements"), "pids");
	struct origin origin = vdu->node->origin;

	vdu->vcpus = positive(run, vdu, cpu, "virtual_cpu.num_virtual_cpu");
	vdu->mem_bytes = positive(run, vdu, memory, "virtual_memory.virtual_mem_size");
	preset(run, &presets, "state", value_string(run->arena, "running"), origin);
	preset(run, &presets, "vcpus", value_integer(run->arena, vdu->vcpus), origin_of(cpu, origin));
	preset(run, &presets, "mem_bytes", value_integer(run->arena, vdu->mem_bytes), origin_of(memory, origin));
	preset(run, &presets, "pids", value_integer(run->arena, pids_of(run, pids)), origin_of(pids, origin));
	preset(run, &presets, "label.vdu", value_string(run->arena, vdu->node->name), origin);
	preset_label(run, &presets, vnfd, "label.vnfd_id", "descriptor_id");
	preset_label(run, &presets, vnfd, "label.vnfd_version", "descriptor_version");
	preset_label(run, &presets, vnfd, "label.flavour_id", "flavour_id");
	preset_label(run, &presets, vnfd, "label.product_name", "product_name");
	preset_autoheal(run, &presets, vnfd);
	return presets;
}

/* --- names -------------------------------------------------------------------------------------------------------------- */

char *vnf_path(const struct service *service, const struct vnf *vnf, unsigned instance)
{
	struct arena *arena = service->run->arena;

	if (!vnf->name)
		return arena_strdup(arena, service->segment);
	if (instance == 0)
		return arena_printf(arena, "%s.%s", service->segment, vnf->segment);
	return arena_printf(arena, "%s.%s.%u", service->segment, vnf->segment, instance);
}

char *vnfc_path(const struct service *service, const struct vnf *vnf, unsigned instance, const struct vdu *vdu, unsigned index)
{
	return arena_printf(service->run->arena, "%s.%s.%u", vnf_path(service, vnf, instance), vdu->segment, index);
}

/* What of the key's path a host name may hold; a long one is cut, and a digest keeps it unique. */
static const char *hostname(struct arena *arena, const char *path)
{
	enum { DIGITS = 12 };
	char *name = arena_strdup(arena, path);
	size_t length = strlen(name);

	for (char *at = name; *at; at++)
		if (!g_ascii_isalnum(*at))
			*at = at == name ? 'x' : '-';
	if (length <= DESIRED_MAX_HOSTNAME)
		return name;
	g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, path, -1);
	return arena_printf(arena, "%.*s-%.*s", DESIRED_MAX_HOSTNAME - DIGITS - 1, name, DIGITS, digest);
}

/* --- instances ---------------------------------------------------------------------------------------------------------- */

static void build(struct service *service, struct vnf *vnf, const struct vdu *vdu, unsigned instance, unsigned index)
{
	struct arena *arena = service->run->arena;
	const char *path = vnfc_path(service, vnf, instance, vdu, index);
	const char *key = arena_printf(arena, "vnfc/%s", path);

	if (!run_take_key(service->run, key, vdu->node->origin)) {
		service->faulty = true;
		return;
	}
	struct object_builder *builder = object_builder_new(arena, key, service->site->site->name, vdu->node->origin);
	for (size_t i = 0; i < vdu->presets.n; i++)
		object_set(builder, vdu->presets.items[i].path, vdu->presets.items[i].value, vdu->presets.items[i].origin);
	object_set_string(builder, "hostname", hostname(arena, path), vdu->node->origin);
	for (size_t i = 0; i < vdu->n_cpds; i++) {
		const struct cpd *cpd = &vdu->cpds[i];
		object_set(builder, cpd->path.order, cpd->order_value,
			   origin_of(tnode_property(cpd->node, "order"), cpd->node->origin));
		object_set(builder, cpd->path.state, cpd->state_value, cpd->node->origin);
	}
	cps_set(service, vnf, vdu, instance, index, key, builder);
	object_set_descriptor(builder, vnf->vnfd->id);
	g_ptr_array_add(service->objects, builder);
	if (vdu->n_cpds == 0)
		g_ptr_array_add(service->first, builder);
	if (!nf_of_vdu(vnf, vdu))
		g_ptr_array_add(service->last, held(key));
}

void vnfcs_build(struct service *service)
{
	for (guint i = 0; i < service->vnfs->len; i++) {
		struct vnf *vnf = service->vnfs->pdata[i];
		service->asked.vnfs += vnf->instances;
		for (size_t j = 0; j < vnf->vnfd->n_vdus; j++) {
			const struct vdu *vdu = &vnf->vnfd->vdus[j];
			gint64 n = vnf->instances * vnf->counts[j];
			service->asked.vcpus += n * MIN(vdu->vcpus, G_MAXINT);
			service->asked.mem_bytes += n * MIN(vdu->mem_bytes,
							    G_MAXINT64 / DESIRED_MAX_VNFCS / 2 / DESIRED_MAX_SERVICES);
			for (gint64 k = 0; k < n; k++)
				build(service, vnf, vdu, (unsigned) (k / vnf->counts[j]), (unsigned) (k % vnf->counts[j]));
		}
	}
}
