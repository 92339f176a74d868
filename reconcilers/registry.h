/* The table of all kinds and drivers of this build. Only composition roots (the programs' main.c, the bench, tests) include it. */
#pragma once

#include "contract/reconciler.h"

extern const struct registry registry;
