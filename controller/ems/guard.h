/* A handle of an EMS that asks the access rules before each call. What drivers.c hands out; nothing outside this folder
 * includes it. */
#pragma once

#include "contract/ems.h"
#include "ems/control.h"

/* The rules that count now, shared by all handles; any thread. */
struct rules;
struct rules *rules_new(void);
void rules_free(struct rules *rules);
void rules_set(struct rules *rules, const struct network *network);
bool rules_allow(struct rules *rules, const struct subject *who, enum access_verb verb, const char *key, GError **error);

/* Takes @ems over. @name and @rules outlive it. The operations to call it with are in guard_ops(). */
struct ems *guard_new(struct ems *ems, const struct ems_ops *ops, const char *name, struct rules *rules);
void guard_free(struct ems *guard);
const struct ems_ops *guard_ops(const struct ems *guard);
bool guard_is_busy(const struct ems *guard); /* a call is under way */
