/* NFs, the network functions inside VNFCs: seen and managed through the EMS driver that each names. Worker threads.
 *
 * An NF lives and ends with its VNFC: where no VNFC runs there is no NF, and nobody is asked.
 */
#pragma once

#include "contract/reconciler.h"

extern const struct kind_ops kind_nf_ops;
