/* What the parts of desired/ share. Nothing outside this folder includes it.
 *
 *     desired.c   walks the repository: finds sites and services, gathers what they make into one network
 *     sites.c     pleach.nodes.Site
 *     service.c   one pleach.nodes.NetworkService: its descriptor, its VNFs
 *     named.c     the maps of a service that name things: states and connection_points
 *     vnfd.c      a VNFD, compiled once however often it is used: VDUs, connection points, segments
 *     scale.c     how many instances
 *     lspec.c     what a virtual link's descriptor says
 *     links.c     virtual links of a service
 *     cps.c       fixed addresses, and what each connection point of an instance gets
 *     vnfc.c      instances of VDUs
 *     nf.c        network functions
 *     config.c    their configuration files
 *     values.c    TOSCA values to fields and expressions
 *     attribute.c get_attribute, within a VNF and from one VNF to another
 *     kept.c      what this version does not keep
 */
#pragma once

#include "desired/address.h"
#include "desired/desired.h"

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
	struct arena *arena;
	struct diags *diags;
	const struct desired_options *options;
	GHashTable *topologies;    /* template and inputs as text → const struct ttopology */
	GHashTable *substitutions; /* struct ttemplate → struct ttopology, made without inputs: only its mappings are read */
	GHashTable *vnfds;         /* struct ttopology → struct vnfd */
	GHashTable *said;          /* texts of findings that are made once */
	GHashTable *keys;          /* key of every object → struct origin */
	GHashTable *files;         /* path → GBytes */
	GPtrArray *sites;          /* struct site_entry */
	GPtrArray *services;       /* struct service */
	GPtrArray *objects;        /* const struct object */
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
	const char *path, *mode, *text;
	bool is_template;
	struct {
		const char *path, *content, *mode;
	} field;
};

struct nfd { /* a NetworkFunction */
	const struct tnode *node;
	const struct ttopology *in;
	const struct tvalue *command;
	struct config *configs;
	size_t n_configs;
	bool left_out; /* this version does not run it; said in a finding */
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
	GHashTable *layer2;  /* "KEY PATH" of connection points that never have addresses */
	size_t n_vnfcs;
	GPtrArray *first;    /* struct object_builder: what must wait for services that this one depends on */
	GPtrArray *last;     /* keys: what must be there before this one counts as there */
	GPtrArray *after;    /* struct service: those that it depends on */
	int visit;           /* for the search of cycles */
};

/* GLib's containers hold void *, even where what they hold is never changed. */
static inline void *held(const void *pointer)
{
	return (void *) (uintptr_t) pointer;
}

/* --- desired.c ---------------------------------------------------------------------------------------------------------- */

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
/* The place of @value where it stands in the repository, else @fallback (built-in defaults stand nowhere). */
struct origin origin_of(const struct tvalue *value, struct origin fallback);

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
	/* What stands for a secret; the latter two find out whether it is used. */
	enum { SECRETS_NAMED, SECRETS_SHOWN, SECRETS_UNKNOWN } secrets;
};

/* NULL and a finding on a fault. */
const struct expr *values_expr(const struct scope *scope, const struct tvalue *value, enum want want);
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
struct nfd *nf_of_vdu(const struct vnf *vnf, const struct vdu *vdu); /* NULL where there is none, or it is left out */
/* Which of an NF's files can be rendered before anything runs, and whether the others will be: faults, secrets. */
void configs_check(struct service *service, struct nfd *nf, const struct scope *scope);
/* The scope of the NF's templates. @shared: what is the same for all instances, by property; entries may be NULL. */
const struct expr *configs_scope(const struct scope *scope, const struct nfd *nf, const struct expr *const *shared);
/* Nothing is known before it runs. */
const struct value *configs_nothing(const char *key, const char *path, void *data);

/* --- kept.c ------------------------------------------------------------------------------------------------------------- */

void not_kept(struct run *run, struct origin origin, const char *format, ...) G_GNUC_PRINTF(3, 4);
void kept_site(struct run *run, const struct tnode *node);
void kept_service(struct run *run, const struct tnode *node);
void kept_policies(struct run *run, const struct ttopology *topology);
void kept_nsd(struct run *run, const struct ttopology *topology);
void kept_vnfd(struct run *run, const struct ttopology *topology);
void kept_nf(struct run *run, const struct tnode *node);
