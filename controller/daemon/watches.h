/* Events of VIMs ("look again") brought to the cycle, a few milliseconds' worth at a time. */
#pragma once

#include "daemon/cycle.h"

struct watches;

/* @cycle must outlive it. */
struct watches *watches_new(struct cycle *cycle);
void watches_free(struct watches *watches);

/* Watches what has come, forgets what has gone: call it whenever the cycle changed its phase. */
void watches_refresh(struct watches *watches);
