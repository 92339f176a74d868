/* The EMS driver "leaf": speaks to pleach-leaf inside a VNFC, HTTP over the unix socket that the VIM names.
 *
 * It has no far side of its own: one handle serves every VNFC of a site. What a leaf answers is checked, and nothing is called
 * done that was not seen done in a status that came after.
 */
#pragma once

#include "contract/ems.h"

extern const struct ems_ops ems_leaf_ops;
