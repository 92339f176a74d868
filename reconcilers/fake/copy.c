#include "fake/private.h"

static const char *const *copy_strings(struct arena *arena, const char *const *strings, size_t n)
{
	const char **copy = ARENA_ARRAY(arena, const char *, n + 1);
	for (size_t i = 0; i < n; i++)
		copy[i] = arena_strdup(arena, strings[i]);
	return copy;
}

struct link *link_copy(struct arena *arena, const struct link *link)
{
	struct link *copy = arena_memdup(arena, link, sizeof(*link));
	copy->key = arena_strdup(arena, link->key);
	copy->site = arena_strdup(arena, link->site);
	copy->cidr = arena_strdup(arena, link->cidr);
	copy->pools = copy_strings(arena, link->pools, link->n_pools);
	copy->gateway = arena_strdup(arena, link->gateway);
	copy->network = arena_strdup(arena, link->network);
	copy->device = arena_strdup(arena, link->device);
	return copy;
}

static void copy_cp(struct arena *arena, struct cp *cp)
{
	cp->name = arena_strdup(arena, cp->name);
	cp->link = arena_strdup(arena, cp->link);
	cp->cidr = arena_strdup(arena, cp->cidr);
	cp->pools = copy_strings(arena, cp->pools, cp->n_pools);
	cp->addresses = copy_strings(arena, cp->addresses, cp->n_addresses);
	cp->mac_address = arena_strdup(arena, cp->mac_address);
	cp->prefer_addresses = copy_strings(arena, cp->prefer_addresses, cp->n_prefer_addresses);
	cp->port_name = arena_strdup(arena, cp->port_name);
}

struct vnfc *vnfc_copy(struct arena *arena, const struct vnfc *vnfc)
{
	struct vnfc *copy = arena_memdup(arena, vnfc, sizeof(*vnfc));
	copy->key = arena_strdup(arena, vnfc->key);
	copy->site = arena_strdup(arena, vnfc->site);
	copy->hostname = arena_strdup(arena, vnfc->hostname);
	copy->exit = arena_strdup(arena, vnfc->exit);
	struct label *labels = arena_memdup(arena, vnfc->labels, sizeof(*labels) * vnfc->n_labels);
	for (size_t i = 0; i < vnfc->n_labels; i++) {
		labels[i].name = arena_strdup(arena, labels[i].name);
		labels[i].text = arena_strdup(arena, labels[i].text);
	}
	copy->labels = labels;
	struct cp *cps = arena_memdup(arena, vnfc->cps, sizeof(*cps) * vnfc->n_cps);
	for (size_t i = 0; i < vnfc->n_cps; i++)
		copy_cp(arena, &cps[i]);
	copy->cps = cps;
	return copy;
}

static void copy_operation(struct arena *arena, struct nf_operation *operation)
{
	struct nf_input *inputs = arena_memdup(arena, operation->inputs, sizeof(*inputs) * operation->n_inputs);
	for (size_t i = 0; i < operation->n_inputs; i++)
		inputs[i] = (struct nf_input) {
			.name = arena_strdup(arena, inputs[i].name),
			.value = inputs[i].secret ? NULL : arena_strdup(arena, inputs[i].value),
			.secret = arena_strdup(arena, inputs[i].secret),
		};
	operation->script = arena_strdup(arena, operation->script);
	operation->inputs = inputs;
}

static const struct nf_secret *copy_secrets(struct arena *arena, const struct nf *nf)
{
	struct nf_secret *secrets = arena_memdup(arena, nf->secrets, sizeof(*secrets) * nf->n_secrets);
	for (size_t i = 0; i < nf->n_secrets; i++) {
		secrets[i].name = arena_strdup(arena, secrets[i].name);
		secrets[i].proof = arena_strdup(arena, secrets[i].proof);
	}
	return secrets;
}

struct nf *nf_copy(struct arena *arena, const struct nf *nf)
{
	struct nf *copy = arena_memdup(arena, nf, sizeof(*nf));
	copy->key = arena_strdup(arena, nf->key);
	copy->site = arena_strdup(arena, nf->site);
	copy->command = copy_strings(arena, nf->command, nf->n_command);
	copy->ems = arena_strdup(arena, nf->ems);
	copy->package = arena_strdup(arena, nf->package);
	for (unsigned i = 0; i < NF_N_VERBS; i++)
		copy_operation(arena, &copy->operations[i]);
	copy->health_check.address = arena_strdup(arena, nf->health_check.address);
	copy->health_check.path = arena_strdup(arena, nf->health_check.path);
	copy->secrets = copy_secrets(arena, nf);
	copy->reason = arena_strdup(arena, nf->reason);
	struct nf_file *files = arena_memdup(arena, nf->files, sizeof(*files) * nf->n_files);
	for (size_t i = 0; i < nf->n_files; i++) {
		files[i].name = arena_strdup(arena, files[i].name);
		files[i].path = arena_strdup(arena, files[i].path);
		files[i].content = arena_strdup(arena, files[i].content);
		files[i].label = arena_strdup(arena, files[i].label);
		files[i].digest = arena_strdup(arena, files[i].digest);
		files[i].mode = arena_strdup(arena, files[i].mode);
	}
	copy->files = files;
	return copy;
}

const struct nf *nf_as_seen(struct arena *arena, const struct nf *nf)
{
	struct nf *copy = nf_copy(arena, nf);
	struct nf_file *files = UNCONST(copy->files);
	for (size_t i = 0; i < copy->n_files; i++)
		files[i].content = NULL;
	return copy;
}
