/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernels out of Debian packages, which are fetched and unpacked, but not installed. */
#ifndef TOOL_DEBIAN_H
#define TOOL_DEBIAN_H

#include "tool/report.h"

#define DEBIAN_PREFIX "debian:"

/*
 * Puts the path of the kernel of a package (or of the package that it depends on, as
 * linux-image-amd64 does) into *path, which the caller frees. It is kept in the cache folder and
 * fetched once. On another code than LINTEL_OK the message has been printed.
 */
enum exit_code debian_kernel(const char *package, char **path);

#endif
