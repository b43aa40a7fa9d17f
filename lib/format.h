/* SPDX-License-Identifier: BSD-2-Clause */
/* Formatted text for freestanding programs. */
#pragma once

#include <stdarg.h>
#include <stddef.h>

/*
 * Like snprintf with %c %s %d %u %x %p %%, the lengths l, ll and z, a width, and the flags 0 and -;
 * %.Ns bounds a string. Returns how many characters the whole text has; what does not fit into size
 * is cut, and the result is always terminated.
 */
int format(char *out, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int vformat(char *out, size_t size, const char *fmt, va_list args)
    __attribute__((format(printf, 3, 0)));
