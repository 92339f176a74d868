/* What the local VIM needs from this machine: tried, not guessed. For `pleach doctor`. Blocking, a few milliseconds. */
#pragma once

#include "contract/vim.h"

void vim_local_check(const struct site *site, vim_check_fn each, void *data);
