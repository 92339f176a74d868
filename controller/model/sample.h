/* What was measured of one VNFC at one moment (ETSI GS NFV-IFA 027: virtualised resource and VNF performance measurements).
 *
 * Counters grow from the start of the VNFC; rates are differences of two samples. What could not be measured is -1.
 */
#pragma once

#include "base/arena.h"
#include "base/json.h"

#include <glib.h>
#include <stddef.h>

enum { SAMPLE_PORTS_MAX = 256 };

struct sample_port {
	const char *cp;   /* name of the connection point where it is known, else the kernel's name of the interface */
	gint64 rx_bytes, rx_packets, rx_drops, tx_bytes, tx_packets, tx_drops;
};

struct sample {
	gint64 wall_us;       /* when; set by whoever asked */
	gint64 cpu_us;        /* processor time of all processes of the NF */
	gint64 mem_bytes;     /* resident, of all processes of the NF */
	gint64 disk_bytes;    /* written into the VNFC's own file system */
	gint64 processes;
	const struct sample_port *ports; /* by name; the loopback is left out */
	size_t n_ports;
};

json_t *sample_to_json(const struct sample *sample);
const struct sample *sample_from_json(struct arena *arena, const json_t *json); /* NULL: that is no sample */
