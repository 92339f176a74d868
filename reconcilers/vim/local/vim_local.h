/* The local VIM: links and VNFCs on this host, rootless or as root, through one pleach-keeper per site (keeper/keeper.h).
 *
 * The runtime folder: file_runtime_folder()/HASH (keeperproto/keeperproto.h), with keeper.sock, site.json, keeper.log, and per
 * VNFC N.sock, its leaf's socket. The first ensure_* starts the keeper; observe never does: no keeper, nothing there. Programs
 * pleach-keeper and pleach-leaf are looked for in $PLEACH_LIBEXEC, beside the running program, in /usr/libexec/pleach,
 * /usr/lib/pleach, then in $PATH.
 * What somebody deletes of the folder under a running keeper comes back within two seconds; calls wait for it. Where it does not, the
 * error names the process to end.
 *
 * exec and connect go to the highest incarnation that runs. Worker threads; several calls of one handle may run at once.
 */
#pragma once

#include "contract/vim.h"

extern const struct vim_ops vim_local_ops;
