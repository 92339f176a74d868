/* Takes the driver's place in builds for which libssh was not there. */
#include "ems/ssh/ems_ssh.h"

static struct ems *absent_open(const struct site *site, const struct driver_ref *which, GError **error)
{
	g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_UNSUPPORTED,
		    "EMS \"%s\" of site %s: this build has no driver \"ssh\": libssh was not there when it was built", which->name, site->name);
	return NULL;
}

static const struct caps caps = { .driver = "ssh", .max_parallel = 1 };

/* Nothing can be opened, so that nothing else is ever called. */
const struct ems_ops ems_ssh_ops = { .name = "ssh", .caps = &caps, .open = absent_open };
