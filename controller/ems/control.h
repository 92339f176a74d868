/* Access control of the EMS: may this operator, or this EMS, do that to this object? One function decides, for the API (who
 * asks over the socket) and for the driver controller (drivers.h).
 *
 * Pure; any thread.
 */
#pragma once

#include "base/error.h"
#include "model/access.h"
#include "model/network.h"

/* Who wants to do something: an operator, or an EMS. */
struct subject {
	const char *ems;    /* name of an EMS; NULL: an operator */
	gint64 uid;         /* operator; -1: not known (over TCP) */
	const char *user;   /* its name, or NULL */
	const char *const *groups; /* names; NULL-terminated, or NULL */
	bool stranger;      /* operator: neither root nor the controller's own user: may only what a rule names him for */
};

/* @key NULL: everything at once. False: AUTH, and @error says who, what, and by which policy not. */
bool control_allows(const struct network *network, const struct subject *who, enum access_verb verb, const char *key, GError **error);

/* Does any rule speak of operators? Then others than the controller's own user may be let in to ask. */
bool control_names_operators(const struct network *network);
