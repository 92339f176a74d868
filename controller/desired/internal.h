/* What the parts of desired/ share. Nothing outside this folder includes it.
 *
 *     memory.c    what the next revision takes over of this one
 *     run.c       findings, and what is made once and used by many
 *     desired.c   walks the repository: finds sites and services, gathers what they make into one network
 *     sites.c     pleach.nodes.Site
 *     service.c   one pleach.nodes.NetworkService: its descriptor, its VNFs
 *     named.c     the maps of a service that name things: states and connection_points
 *     vnfd.c      a VNFD, compiled once however often it is used: VDUs, connection points, segments
 *     scale.c     how many instances
 *     lspec.c     what a virtual link's descriptor says
 *     links.c     virtual links of a service
 *     sap.c       which of them are attached to networks outside
 *     cps.c       fixed addresses, and what each connection point of an instance gets
 *     vnfc.c      instances of VDUs
 *     nf.c        network functions
 *     config.c    their configuration files
 *     operation.c their lifecycle operations
 *     health.c    their health checks
 *     indicator.c what is to be watched of them
 *     package.c   the files that they bring along
 *     values.c    TOSCA values to fields and expressions
 *     attribute.c get_attribute, within a VNF and from one VNF to another
 *     access.c    who may do what to which object
 *     drift.c     what becomes of what changed behind the operator's back
 *     kept.c      what this version does not keep
 */
#pragma once

#include "desired/address.h"
#include "desired/desired.h"
#include "model/nf.h"

#include <stdint.h>

/* Bounds on what one repository may ask for; each is checked and tested. */
enum {
	DESIRED_MAX_SITES = 1000,
	DESIRED_MAX_SERVICES = 10000,
	DESIRED_MAX_VNFCS_PER_SERVICE = 10000,
	DESIRED_MAX_VNFCS = 100000,
	DESIRED_MAX_LINKS_PER_SERVICE = 10000,
	DESIRED_MAX_CPS_PER_VNFC = 64,
	DESIRED_MAX_COMMAND_WORDS = 256,
	DESIRED_MAX_COMMAND_BYTES = 64 * 1024,
	DESIRED_MAX_DEPLOY_PATH = 1024,
	DESIRED_MAX_PIDS = 4194304,
	DESIRED_MAX_HOSTNAME = 63,
	DESIRED_MAX_ATTRIBUTE_DEPTH = 32,
	DESIRED_MAX_ORDER = 1000000, /* pairs of objects of services that depend on one another */
};

struct run {
	struct tosca *tosca;
	struct arena *arena;       /* of all that is made in this run */
	struct arena *scratch;     /* of what ends with it */
	struct diags *diags;       /* of what is made now: the whole, a service, a VNFD */
	struct desired_memory *memory; /* or NULL */
	struct ledger *ledger;     /* the memory's; or NULL */
	bool gave_up;              /* what was remembered cannot be told to be right: all is to be made anew */
	const struct desired_options *options;
	GHashTable *topologies;    /* template and inputs as text → const struct ttopology */
	GHashTable *substitutions; /* struct ttemplate → struct ttopology, made without inputs: only its mappings are read */
	GHashTable *vnfds;         /* struct ttopology → struct compiled */
	GArray *walked;            /* struct walked */
	GPtrArray *walk;           /* the services as they were found, before they are sorted */
	struct home *home;         /* of @arena, once something is remembered that lives in it */
	GPtrArray *site_templates; /* const struct ttemplate: those that hold sites */
	guint64 pairs;             /* of objects of services that depend on one another */
	GHashTable *said;          /* texts of findings that are made once */
	GHashTable *keys;          /* key of every object → struct origin */
	GHashTable *files;         /* path → GBytes */
	GHashTable *packages;      /* descriptor, and NF where it matters → const struct package */
	GHashTable *package_reads; /* const struct package → struct reads */
	GPtrArray *sites;          /* struct site_entry */
	GPtrArray *services;       /* struct service */
	GPtrArray *objects;        /* const struct object: those that are made in this run */
	GPtrArray *makers;         /* struct harvest, of @objects; NULL entries: not to be remembered */
	GArray *access;            /* struct access_rule */
	GArray *drift;             /* struct drift_rule */
	GPtrArray *faulty;         /* prefixes of keys */
	size_t n_vnfcs;
	size_t n_repeated;         /* errors that were found again, and not said again */
	bool sites_uncertain;      /* a faulty file may hold sites that we do not know */
};

struct site_entry {
	struct site *site;
	const struct tnode *node; /* NULL: the implied one */
	bool faulty;
	gint64 vcpus, mem_bytes, vnfs; /* asked for by its services */
};

/* --- what virtual links say --------------------------------------------------------------------------------------------- */

struct lspec {
	bool has_cidr, has_mtu, has_gateway;
	bool ipv4, ipv6; /* layer protocols named */
	struct cidr cidr;
	struct address gateway;
	gint64 mtu;
	const char *const *pools;
	size_t n_pools;
	gint64 pool_room; /* addresses in all pools */
	struct origin cidr_origin, mtu_origin, gateway_origin, pools_origin;
};

struct slink {
	const char *key;
	const struct value *key_value;
	struct origin origin;
	const char *descriptor;
	struct lspec spec;
	const char *network;  /* the VIM's name of what it is attached to outside (a Sap), or NULL */
	gint64 vlan;          /* 0: none */
	struct origin network_origin;
	gint64 n_cps;         /* connection points with addresses on it */
	GHashTable *taken;    /* address → struct origin, or NULL */
	GHashTable *macs;     /* the same for MAC addresses */
	const struct value *cidr, *pools, *mtu; /* what its connection points get; value_absent where there is none */
};

/* --- a VNFD, compiled --------------------------------------------------------------------------------------------------- */

struct preset {
	const char *path;
	const struct value *value;
	struct origin origin;
};

struct presets {
	const struct preset *items;
	size_t n;
};

struct segment { /* one layer 2 segment as the VNFD sees it */
	const struct tnode *node; /* the VnfVirtualLink; or the VduCp, where it has none */
	bool is_link;
	bool exposed;
	struct lspec spec;
};

struct cpd { /* a VduCp */
	const struct tnode *node;
	const char *name;
	unsigned order;
	unsigned segment; /* index */
	unsigned flat;    /* index among all connection points of the VNFD */
	bool ipv4, ipv6;
	struct {
		const char *link, *order, *mtu, *cidr, *pools, *addresses, *mac_address, *port_name, *state;
	} path;
	const struct value *order_value, *state_value;
};

struct config { /* one configuration file of an NF */
	const struct tartifact *artifact;
	const char *path, *mode, *text, *on_change;
	bool is_template;
	struct {
		const char *path, *content, *mode, *on_change;
	} field;
};

struct nfop_input {
	const char *path; /* of the field */
	const struct tnamed *given;
};

struct nfop { /* a lifecycle operation of an NF */
	const struct toperation *operation;
	enum nf_verb verb;
	gint64 timeout_ms;
	const char *script_path, *timeout_path; /* of the fields */
	struct nfop_input *inputs;
	size_t n_inputs;
};

struct nfd { /* a NetworkFunction */
	const struct tnode *node;
	const struct ttopology *in;
	const struct tvalue *command;
	struct config *configs;
	size_t n_configs;
	struct nfop *ops;
	size_t n_ops;
	const char *folder;            /* that its package's paths begin in, with a slash at its end; "": the root */
	const struct package *package; /* or NULL */
	struct presets presets;        /* fields that all instances share */
};

struct vdu {
	const struct tnode *node;
	const char *segment; /* name, as a segment of keys */
	unsigned index;      /* among the VNFD's */
	struct cpd *cpds;    /* by order, then name */
	size_t n_cpds;
	struct nfd *nf;      /* or NULL */
	gint64 min, max;     /* instances */
	gint64 vcpus, mem_bytes;
	struct presets presets; /* fields that all instances share */
};

struct exposure { /* a requirement of the VNF's node type, and which segment answers it */
	const char *requirement;
	unsigned segment;
	struct origin origin;
};

struct extcp { /* a VnfExtCp */
	const struct tnode *node;
	unsigned segment;
};

struct vnfd {
	const struct ttopology *topology;
	const struct tnode *vnf; /* its own VNF node, or NULL */
	const char *id;
	struct vdu *vdus;
	size_t n_vdus, n_cpds;
	struct segment *segments;
	size_t n_segments;
	struct exposure *exposures;
	size_t n_exposures;
	struct extcp *extcps;
	size_t n_extcps;
	struct nfd *nfs;
	size_t n_nfs;
	bool faulty;
};

/* --- a service ---------------------------------------------------------------------------------------------------------- */

struct fixed { /* an entry of connection_points that concerns one VduCp */
	const char *name; /* as written */
	const struct tvalue *addresses, *macs;
	struct origin origin;
};

struct scale_entry { /* of the service's `scale` */
	const char *written, *aspect; /* @aspect NULL: the VNF's only one */
	const struct tvalue *level;
	const struct scale_entry *next;
};

struct vnf {
	const char *name;         /* NULL: the service's descriptor is the VNFD itself */
	const char *segment;      /* @name as a segment of keys */
	const struct tnode *node; /* in the NSD, or NULL */
	struct vnfd *vnfd;
	struct nfd *nsd_nf;       /* an NF that the NSD hosts on it, or NULL */
	gint64 instances;
	gint64 *counts;           /* of each VDU, in one instance */
	const struct scale_entry *scale;
	struct slink **links;     /* [instance * n_segments + segment] */
	struct slink **shared;    /* [segment]: the NSD's link that it is on, or NULL */
	struct fixed **fixed;     /* [cpd->flat]; entries may be NULL */
	const struct tvalue *state; /* of all its NFs, or NULL */
	GHashTable *states;       /* NF → const struct tvalue, or NULL */
};

struct service {
	struct run *run;
	struct harvest *made;       /* what is remembered of it: what follows but name, segment, origin, faulty, packages is not there then */
	struct origin origin;    /* of its node */
	struct harvest *made_now;   /* what is to be remembered of it, or NULL */
	struct diags *findings;  /* its own */
	struct reads *reads;
	guint64 pairs;           /* of its objects and those that they wait for */
	struct {
		gint64 vcpus, mem_bytes, vnfs;
	} asked;                 /* of its site */
	const struct tnode *node;
	const struct ttopology *file; /* where the service stands */
	const char *name, *segment;
	struct site_entry *site;
	const struct ttemplate *template;
	const struct ttopology *topology; /* the NSD, or the VNFD */
	bool is_nsd;
	bool faulty;
	GPtrArray *vnfs;     /* struct vnf, by name */
	GHashTable *by_name; /* name → struct vnf, of an NSD */
	GHashTable *nslinks; /* name of the NSD's node → struct slink */
	GPtrArray *links;    /* struct slink: all */
	GPtrArray *objects;  /* built */
	GPtrArray *packages; /* const struct package: what its NFs name */
	GHashTable *layer2;  /* "KEY PATH" of connection points that never have addresses */
	size_t n_vnfcs;
	GPtrArray *first;    /* struct object_builder: what must wait for services that this one depends on */
	GPtrArray *last;     /* keys: what must be there before this one counts as there */
	GPtrArray *after;    /* struct service: those that it depends on */
	int visit;           /* for the search of cycles */
};

/* --- what is kept from one revision to the next ------------------------------------------------------------------------- */

/* The arena of one run, for those that were made in it. Where most of them have been made anew since, the rest is too, so that what nobody
 * shows any more is never more than what is shown. */
struct home {
	struct arena *arena;
	size_t n_made, n_live;
	unsigned refs;
};

/* What one service made. */
struct harvest {
	unsigned refs;
	unsigned turn;  /* in which it was last taken over, or made */
	struct home *home;
	struct reads *reads;
	const char *name, *segment, *site;
	struct origin origin;
	const struct object *const *objects;
	size_t n_objects;
	struct diags *findings; /* warnings and notes */
	GPtrArray *packages;
	gint64 vcpus, mem_bytes, vnfs; /* asked for on its site */
	size_t n_vnfcs;
	guint64 pairs;
	bool remembered;
};

/* A template as it was walked: what is in it. */
struct walked {
	const struct ttemplate *template;
	guint first, n;  /* in run.walk */
	bool keep;       /* without fault, and nothing in it but services */
};

struct compiled {
	struct vnfd *vnfd;
	struct diags *findings;
	struct reads *reads;
};

/* GLib's containers hold void *, even where what they hold is never changed. */
static inline void *held(const void *pointer)
{
	return (void *) (uintptr_t) pointer;
}

/* --- run.c -------------------------------------------------------------------------------------------------------------- */

/* Hints at the nearest of @names to @word, else lists them while they are few. */
void run_suggest(struct run *run, struct diag *diag, const char *word, GPtrArray *names);
/* As diags_add(), once for the same place and text; NULL the second time. */
struct diag *run_say(struct run *run, enum severity severity, const char *code, struct origin origin, const char *format, ...)
	G_GNUC_PRINTF(5, 6);
/* All errors so far, repeated ones too: what goes up was faulty. */
size_t run_errors(const struct run *run);
/* tosca_instantiate(), remembered where it made no finding. */
const struct ttopology *run_instantiate(struct run *run, const struct ttemplate *template, struct tnamed_list inputs,
					struct origin from);
/* Contents of a file of the snapshot, borrowed; NULL and a finding at @from where it cannot be had. */
GBytes *run_read(struct run *run, const char *file, struct origin from);
/* Takes @key for an object that comes from @origin; false and a finding where it is too long or taken. */
bool run_take_key(struct run *run, const char *key, struct origin origin);
bool path_is_yaml(const char *path);
bool bytes_have_version(GBytes *bytes); /* do they name a tosca_definitions_version? */
/* The place of @value where it stands in the repository, else @fallback (built-in defaults stand nowhere). */
struct origin origin_of(const struct tvalue *value, struct origin fallback);

/* What is found from here on is collected by itself; said once in itself. */
struct collection {
	struct diags *diags;
	GHashTable *said;
	size_t n_repeated;
};
struct collection collection_begin(struct run *run);
struct diags *collection_end(struct run *run, struct collection outer);
/* Adds what was collected, each once for the same place and text. */
void run_add(struct run *run, const struct diags *findings);

/* --- memory.c ----------------------------------------------------------------------------------------------------------- */

/* Adds the services of @template as they are remembered. False: it is to be walked. */
bool memory_walk(struct run *run, const struct ttemplate *template);
/* Is what stands for all services the same? Else the run gives up. */
void memory_check(struct run *run);
/* Is there room enough on the whole that it does not matter who came first? Else the run gives up. */
void memory_check_bounds(struct run *run);
void memory_drop_home(struct run *run);
/* Counts a service that is taken over as if it were made. */
void memory_use(struct run *run, struct service *service);
/* What @service made, once it is built. @objects: its own. */
void memory_note(struct run *run, struct service *service, const struct object *const *objects, size_t n);
/* All objects of the network, those of services that were taken over by reference. @new: those that were made in this run, and by whom. */
struct objects memory_objects(struct run *run, struct arena *arena, GPtrArray *new, GPtrArray *makers);
void memory_settle(struct run *run, struct arena *arena, struct objects objects); /* @arena keeps them */
void harvest_unref(struct harvest *made);
/* Nothing of it is right any more. */
void memory_forget(struct desired_memory *memory);
/* Before a run: does it follow the one that is remembered? Else it is forgotten. */
void memory_begin(struct run *run);

/* --- sites.c ------------------------------------------------------------------------------------------------------------ */

void sites_add(struct run *run, const struct tnode *node, bool faulty);
void sites_finish(struct run *run);
/* The site of a service, or NULL and a finding. */
struct site_entry *sites_pick(struct run *run, const struct tnode *service);
void sites_check_capacity(struct run *run);

/* --- service.c ---------------------------------------------------------------------------------------------------------- */

struct service *service_new(struct run *run, const struct tnode *node, const struct ttopology *file);
void service_free(struct service *service);
void service_make(struct service *service);
/* Splits "VNF.REST"; where the descriptor is a VNFD, VNF is the service's name or that of its VNF node, and may be left out.
 * NULL where no VNF is named; *@ret_rest NULL: the VNF itself. */
struct vnf *service_split(const struct service *service, const char *name, const char **ret_rest);
void service_vnf_names(const struct service *service, GPtrArray *names);
/* NSD: the VNF's VNFD, resolved with the node's properties. */
const struct ttopology *service_substitute(struct service *service, const struct tnode *node);

/* --- named.c ------------------------------------------------------------------------------------------------------------ */

void named_states(struct service *service);
void named_connection_points(struct service *service);
/* sap.c: what @entry, in the service's connection_points, says of the Sap. */
void sap_take(struct service *service, const struct tnode *sap, const struct tvalue *entry);
/* The `states` of the service for an NF of @vnf, or NULL. */
const struct tvalue *named_state(const struct vnf *vnf, const char *nf);

/* --- vnfd.c ------------------------------------------------------------------------------------------------------------- */

struct vnfd *vnfd_compile(struct run *run, const struct ttopology *topology);
bool vnfd_is_one(const struct ttopology *topology);
struct vdu *vnfd_vdu(const struct vnfd *vnfd, const char *name);

/* --- scale.c ------------------------------------------------------------------------------------------------------------ */

/* Sets the instances of each VNF and the counts of its VDUs. */
void scale_service(struct service *service);

/* --- lspec.c ------------------------------------------------------------------------------------------------------------ */

/* What a VnfVirtualLink or NsVirtualLink says of itself. */
void lspec_of_link(struct run *run, const struct tnode *node, struct lspec *ret);
/* Takes over from @from what @into does not say; a finding where both say different things. */
void lspec_merge(struct run *run, struct lspec *into, const struct lspec *from, const char *key);
/* layer_protocols of a connection point. */
void layer_protocols(const struct tvalue *list, bool *ret_ipv4, bool *ret_ipv6);

/* --- links.c ------------------------------------------------------------------------------------------------------------ */

/* Makes every link of the service and plugs each VNF's segments into them. */
void links_make(struct service *service);
/* After cps_fix(): settles CIDRs, gateways, checks room. */
void links_settle(struct service *service);
void links_build(struct service *service);

/* --- cps.c -------------------------------------------------------------------------------------------------------------- */

/* Lets fixed addresses settle the CIDR of links that have none; counts connection points. Before links_settle(). */
void cps_prepare(struct service *service);
/* Checks all fixed addresses and MACs against the links. After links_settle(). */
void cps_check(struct service *service);
void cps_set(const struct service *service, const struct vnf *vnf, const struct vdu *vdu, unsigned instance, unsigned index,
	     const char *key, struct object_builder *builder);

/* --- vnfc.c ------------------------------------------------------------------------------------------------------------- */

struct presets vnfc_presets(struct run *run, const struct vnfd *vnfd, struct vdu *vdu);
/* "edge.web.1": the path of an instance of a VNF. */
char *vnf_path(const struct service *service, const struct vnf *vnf, unsigned instance);
char *vnfc_path(const struct service *service, const struct vnf *vnf, unsigned instance, const struct vdu *vdu, unsigned index);
void vnfcs_build(struct service *service);

/* --- values.c ----------------------------------------------------------------------------------------------------------- */

enum want { WANT_ANY, WANT_SCALAR, WANT_LIST };

/* Where a value stands: what its get_attribute may see. */
struct scope {
	struct service *service;
	const struct vnf *vnf; /* NULL: the NSD itself */
	unsigned instance;     /* of the VNF */
	const struct vdu *vdu; /* of the VNFC that reads, or NULL: somebody outside of it reads */
	unsigned index;
	unsigned depth;
};

/* NULL and a finding on a fault. */
const struct expr *values_expr(const struct scope *scope, const struct tvalue *value, enum want want);
/* The value of a property of @node, as its type wants it: one that is a list gathers instances, one that is a single value cannot. */
const struct expr *values_property(const struct scope *scope, const struct tnode *node, const struct tnamed *property);
const struct value *values_value(const struct scope *scope, const struct tvalue *value, enum want want);
/* attribute.c: what get_attribute reads, as an expression. */
const struct expr *values_attribute(const struct scope *scope, const struct tvalue *function, enum want want);
/* Does it, at any depth, hold a function? a secret? */
bool values_is_pending(const struct tvalue *value);
bool values_holds_secret(const struct tvalue *value);
/* A finding at every property of @node, but those named in @except (NULL-ended), that only run time can tell: what is made of
 * it must be known before. */
void values_must_be_known(struct run *run, const struct tnode *node, const char *const *except);
/* Does it read something of the VNF that it stands in, so that it differs between instances? */
bool values_is_local(const struct scope *scope, const struct tvalue *value);
/* The attribute `ports` of one VNFC. */
const struct expr *values_ports(const struct scope *scope, const struct vdu *vdu, unsigned index);
/* Stands in for what only run time knows, to find faults beforehand. @data: struct service. */
const struct value *values_placeholder(const char *key, const char *path, void *data);

/* --- nf.c, config.c ----------------------------------------------------------------------------------------------------- */

void nf_compile(struct run *run, const struct tnode *node, const struct ttopology *in, struct nfd *ret);
void nf_compile_configs(struct run *run, struct nfd *nf);
void nfs_build(struct service *service);
struct nfd *nf_of_vdu(const struct vnf *vnf, const struct vdu *vdu); /* NULL where there is none */
/* Can the NF's files be rendered? Faults; and the secrets that they need, as keys of @secrets (its keys are owned by the arena). */
void configs_check(struct service *service, const struct nfd *nf, const struct scope *scope, GHashTable *secrets);
/* The scope of the NF's templates. @shared: what is the same for all instances, by property; entries may be NULL. */
const struct expr *configs_scope(const struct scope *scope, const struct nfd *nf, const struct expr *const *shared);
/* Nothing is known before it runs. */
const struct value *configs_nothing(const char *key, const char *path, void *data);

/* --- operation.c, health.c, indicator.c, package.c ---------------------------------------------------------------------- */

void operations_compile(struct run *run, struct nfd *nf);
void operations_preset(struct run *run, const struct nfd *nf, GArray *presets); /* after package_compile() */
const struct nfop *nfd_operation(const struct nfd *nf, enum nf_verb verb); /* NULL where there is none */
/* The text of an input, or the secret; NULL and a finding on a fault. */
const struct value *operation_input(const struct scope *scope, const struct nfop_input *input);
void health_compile(struct run *run, const struct nfd *nf, GArray *presets);
/* Of the indicators of @topology those of the VNF @vnf; NULL: all. */
void indicators_compile(struct run *run, const struct ttopology *topology, const char *vnf, GArray *presets);
/* Which files a package holds: those that the NF names (run_read() reads them), and in a CSAR all that lie in its folder: then the list of
 * the paths below that folder is an input of the package too. */
void package_compile(struct run *run, struct nfd *nf);
bool package_holds(const struct tartifact *artifact); /* is it a file of the package, not one that is put somewhere? */
const struct package *const *packages_gather(struct run *run, size_t *ret_n); /* of all services without fault, by digest */

/* --- access.c ----------------------------------------------------------------------------------------------------------- */

void access_take(struct run *run, const struct ttopology *topology);
const struct access_rule *access_gather(struct run *run, size_t *ret_n); /* in the order of their places */
const char *const *policy_names(struct run *run, const struct tpolicy *policy, const char *property, size_t *ret_n); /* a bounded list */

/* --- drift.c ------------------------------------------------------------------------------------------------------------ */

void drift_take(struct run *run, const struct ttopology *topology);
/* In the order of their places. Where two are equally exact for one of @objects, that is found. */
const struct drift_rule *drift_gather(struct run *run, struct objects objects, size_t *ret_n);

/* --- kept.c ------------------------------------------------------------------------------------------------------------- */

void not_kept(struct run *run, struct origin origin, const char *format, ...) G_GNUC_PRINTF(3, 4);
void kept_site(struct run *run, const struct tnode *node);
void kept_service(struct run *run, const struct tnode *node);
void kept_policies(struct run *run, const struct ttopology *topology);
void kept_nsd(struct run *run, const struct ttopology *topology);
void kept_vnfd(struct run *run, const struct ttopology *topology);
void kept_nf(struct run *run, const struct tnode *node);
