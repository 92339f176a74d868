#include "registry.h"

#include "ems/leaf/ems_leaf.h"
#include "ems/ssh/ems_ssh.h"
#include "link/link_kind.h"
#include "nf/nf_kind.h"
#include "vim/local/vim_local.h"
#include "vnf/vnfc_kind.h"

static const struct kind_ops *const kinds[] = { &kind_link_ops, &kind_vnfc_ops, &kind_nf_ops }; /* in order of rank */
static const struct vim_ops *const vims[] = { &vim_local_ops };
static const struct ems_ops *const emss[] = { &ems_leaf_ops, &ems_ssh_ops };

const struct registry registry = {
	.kinds = kinds,
	.n_kinds = G_N_ELEMENTS(kinds),
	.vims = vims,
	.n_vims = G_N_ELEMENTS(vims),
	.emss = emss,
	.n_emss = G_N_ELEMENTS(emss),
};
