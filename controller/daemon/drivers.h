/* The opened drivers: for each site its VIM, and by the driver controller of ems/ each EMS that an NF names. What calls find through
 * `struct lookup`.
 *
 * The owner thread sets the sites (only while nothing is in flight); handles are opened when first asked for, by any worker.
 */
#pragma once

#include "contract/reconciler.h"

struct drivers;

/* @secrets_folder: one file per secret, named as it is named in Git; environment PLEACH_SECRET_NAME (upper case, '.' and '-' as '_')
 * comes first. May be NULL. */
struct drivers *drivers_new(const struct registry *registry, const char *secrets_folder);
void drivers_free(struct drivers *drivers); /* closes all; the network stays as it is */
AUTO_DEFINE(drivers, drivers_free)

/* From now on these are the sites (copied). A site that changed gets new handles; one that is gone is closed. */
void drivers_set_sites(struct drivers *drivers, const struct site *const *sites, size_t n);

/* package() answers from @network, and its access rules count (referenced until the next call); may be NULL. */
void drivers_set_network(struct drivers *drivers, const struct network *network);

/* access() answers from @observed (referenced until the next call); may be NULL. */
void drivers_set_observed(struct drivers *drivers, struct observed *observed);

const struct lookup *drivers_lookup(const struct drivers *drivers);

/* What the VIM driver of a site keeps, for plan_input; NULL: unknown site or driver. */
const struct caps *drivers_caps(const char *site, const struct kind *kind, void *drivers);

/* Calls @each with every VIM that is open and can be watched. */
typedef void (*drivers_watch_fn)(const char *site, struct vim *vim, const struct vim_ops *ops, int fd, void *data);
void drivers_each_watch(struct drivers *drivers, drivers_watch_fn each, void *data);
