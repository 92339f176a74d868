/* The VIB (VNF information base): what the controller knows of each network function beyond the newest look; and the history
 * of the fault monitor's cures, which its limits are counted from. Made by ems/, kept by store/, told by report/.
 *
 * Times are wall clock, microseconds since 1970-01-01T00:00:00Z; 0: never.
 */
#pragma once

#include "base/origin.h"

#include <glib.h>

/* What the monitors notify of. @kind: "fault", "healed", "limit", "threshold". */
struct vib_event {
	const char *key, *kind, *text;
	struct origin origin;
};

struct vib_entry {
	const char *key;       /* nf/… */
	const char *site;
	const char *ems, *driver; /* the EMS as the site names it, and its driver */
	const char *transport; /* how its VNFC is reached ("unix", "ssh"); NULL: not known */
	const char *package;   /* digest, or NULL */
	unsigned incarnation;
	const char *state, *health; /* as last seen; NULL: not seen, not checked */
	const char *reason;    /* in the software's own words, while it is ill; or NULL */
	gint64 state_since_us, health_since_us;
	gint64 restarts;       /* by its EMS, since it was last changed */
	gint64 restarts_before; /* at the look before this one */
	gint64 failures;       /* times that it fell ill */
	const char *last_failure; /* why, the last time; or NULL */
	gint64 last_failure_us;
	const char *fate;      /* while it is ill: what the fault monitor makes of it ("restart", "limit", …); else NULL */
	const char *held;      /* why the fault monitor does not cure it now, or NULL */
	const char *crossed;   /* names of its indicators that are beyond their thresholds, in order, joined by blanks; or NULL */
};

enum cure_kind {
	CURE_ASKED,   /* the operator asked for it (`pleach sync`): what was before does not count any more */
	CURE_RESTART, /* the NF was started anew in its VNFC */
	CURE_RECOVER, /* its VNFC was made anew */
	CURE_ITSELF,  /* its EMS started it anew by itself, unasked */
};

struct cure {
	const char *id;     /* of the operation or of whatever it was, so that it counts once */
	const char *path;   /* of the keys of the NF and its VNFC ("edge.fw.vdu.0"); CURE_ASKED: the beginning of one, "" means all */
	enum cure_kind kind;
	const char *wanted; /* digest of what was desired: what is asked for otherwise since begins anew; CURE_ASKED: "" */
	gint64 wall_us;
};
