/* Who asks over the socket, by name, and whether the access rules of the revision let him: the API's question to ems/control.h.
 *
 * Owner thread. Users and groups are asked of the system (getpwuid, getgrouplist) only where a rule speaks of operators.
 */
#pragma once

#include "base/error.h"
#include "model/network.h"

/* @uid -1: over TCP. @verb: "observe", …; @key NULL: everything at once. False: AUTH. */
bool permits_allow(const struct network *network, gint64 uid, const char *verb, const char *key, GError **error);
