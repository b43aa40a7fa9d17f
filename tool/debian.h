/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernels out of Debian packages, which are fetched and unpacked, but not installed. */
#pragma once

#include <stdbool.h>

#include "tool/report.h"

#define DEBIAN_PREFIX "debian:"

/* What is kept of a package. */
struct debian_kernel {
    char *kernel;
    char *modules; /* a cpio archive (modules.h) */
};

/*
 * Finds the kernel of a package (or of the package that it depends on, as linux-image-amd64 does),
 * and, if they are wanted, its modules: paths in the cache folder, which the caller frees, where
 * they are kept after they were fetched once. On another code than LINTEL_OK the message has been
 * printed, and there is nothing to free.
 */
enum exit_code debian_kernel(const char *package, bool modules, struct debian_kernel *found);
