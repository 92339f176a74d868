#include "model/access.h"

#include <glib.h>
#include <string.h>

static const char *const verb_names[] = {
	[ACCESS_OBSERVE] = "observe",
	[ACCESS_LOGS] = "logs",
	[ACCESS_METRICS] = "metrics",
	[ACCESS_CONFIGURE] = "configure",
	[ACCESS_LIFECYCLE] = "lifecycle",
	[ACCESS_OPERATE] = "operate",
};
G_STATIC_ASSERT(G_N_ELEMENTS(verb_names) == ACCESS_VERBS);

const char *access_verb_name(enum access_verb verb)
{
	return verb_names[verb];
}

bool access_verb_parse(const char *name, enum access_verb *ret)
{
	for (unsigned i = 0; i < ACCESS_VERBS; i++) {
		if (strcmp(name, verb_names[i]) == 0) {
			*ret = (enum access_verb) i;
			return true;
		}
	}
	return false;
}
