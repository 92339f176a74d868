/* The EMS driver "ssh": manages the NF of any VM, appliance or virtual router that has an ssh server and a POSIX shell, without an agent
 * of ours on the far side. Where a VNFC has no address of its own (VIM "local"), it is reached through its VIM. docs/drivers.md.
 *
 * Any thread, as contract/ems.h says.
 */
#pragma once

#include "contract/ems.h"

extern const struct ems_ops ems_ssh_ops;
