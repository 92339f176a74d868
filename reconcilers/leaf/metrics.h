/* What the network function and its VNFC use, as /proc has it now. One thread. */
#pragma once

#include "leafproto/leafproto.h"

/* In @arena. @folder: on the VNFC's own file system. */
const struct leaf_metrics *metrics_measure(struct arena *arena, const char *folder);
