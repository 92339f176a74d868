/* VNFCs, the instances that VNFs are made of: what a VIM told of them as objects, and acts on them through the site's VIM. The
 * aggregate "vnf/" is made of their labels by report/; it is no kind of its own here. Worker threads.
 */
#pragma once

#include "contract/reconciler.h"

extern const struct kind_ops kind_vnfc_ops;
