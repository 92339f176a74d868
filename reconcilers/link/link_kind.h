/* Links: what a VIM told of them as objects, and acts on them through the site's VIM. Worker threads. */
#pragma once

#include "contract/reconciler.h"

extern const struct kind_ops kind_link_ops;
