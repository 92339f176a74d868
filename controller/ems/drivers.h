/* The driver controller of the EMS: an EMS is registered by a commit (a site's property `ems`) and serves one or more VNFs;
 * for each site and EMS name there is one handle, opened when first asked for and closed when the site changes or goes.
 *
 * What reads a log or measures goes on while a commit comes: a handle that is taken away is closed when nobody is in it any more.
 *
 * A handle guards: before the driver is called, the access rules are asked whether this EMS may do that to that NF
 * (control.h). So nothing reaches an EMS past them, whoever calls.
 *
 *     commit ─► ems_drivers_set_sites, …_set_rules          owner thread, while nothing is in flight
 *     act, observe, measure, log ─► ems_drivers_open ─► guard ─► driver                        any worker
 *
 * The outward interface (Ve-Vnfm-em towards a VNFM, Os-Em towards an OSS) has its place here, beside the drivers: it would ask
 * the same rules and call the same handles; and virtual routers are served like VNFs, by the EMS that their site names.
 */
#pragma once

#include "contract/reconciler.h"

struct ems_drivers;

struct ems_drivers *ems_drivers_new(const struct registry *registry);
void ems_drivers_free(struct ems_drivers *drivers); /* closes all; what runs stays as it is */
AUTO_DEFINE(ems_drivers, ems_drivers_free)

/* From now on these are the sites (copied). A site whose description changed gets new handles; those of one that is gone are
 * closed. */
void ems_drivers_set_sites(struct ems_drivers *drivers, const struct site *const *sites, size_t n);

/* The rules of @network count from now on (referenced until the next call); NULL: there are none. */
void ems_drivers_set_rules(struct ems_drivers *drivers, const struct network *network);

/* The handle of the EMS @name on @site. NOT_FOUND: there is none of that name; UNSUPPORTED: no such driver; or why it cannot
 * be opened. Borrowed, until the site changes. */
struct ems *ems_drivers_open(struct ems_drivers *drivers, const char *site, const char *name, const struct ems_ops **ret_ops,
			     GError **error);
