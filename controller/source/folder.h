/* Reading files of a folder, each checked to be still what it was when the snapshot was made. */
#pragma once

#include "source/internal.h"

/* CONFLICT when the file is not any more what @file says. Any thread. */
GBytes *folder_read(int folder_fd, const struct source_file *file, GError **error);
