/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory and string functions for freestanding programs.
 *
 * Copies and fills are REP MOVS and REP STOS: with ERMS microcode does them by cache lines, and by
 * quadwords they cost the emulator one step for eight bytes instead of one for each. Where the
 * compiler knows that there are no bytes besides, nothing is done for them.
 */
#include "lib/string.h"

#include <stdint.h>

/* The compiler calls the first three itself, also when the link-time optimiser has found no call
 * that is left. */
#define CALLED __attribute__((used))

#define KNOWN_NONE(rest) (__builtin_constant_p(rest) && (rest) == 0)

CALLED void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    void *d = to;
    size_t quads = size / 8, rest = size % 8;

    __asm__ volatile("rep movsq" : "+D"(d), "+S"(from), "+c"(quads) : : "memory");
    if (!KNOWN_NONE(rest))
        __asm__ volatile("rep movsb" : "+D"(d), "+S"(from), "+c"(rest) : : "memory");
    return to;
}

CALLED void *memmove(void *to, const void *from, size_t size)
{
    if ((uintptr_t)to - (uintptr_t)from >= size)
        return memcpy(to, from, size);
    for (size_t i = size; i-- > 0;)
        ((volatile uint8_t *)to)[i] = ((const uint8_t *)from)[i];
    return to;
}

CALLED void *memset(void *to, int byte, size_t size)
{
    void *d = to;
    size_t quads = size / 8, rest = size % 8;
    uint64_t pattern = 0x0101010101010101ULL * (uint8_t)byte;

    __asm__ volatile("rep stosq" : "+D"(d), "+c"(quads) : "a"(pattern) : "memory");
    if (!KNOWN_NONE(rest))
        __asm__ volatile("rep stosb" : "+D"(d), "+c"(rest) : "a"(pattern) : "memory");
    return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
    const uint8_t *x = a, *y = b;

    for (; size > 0; size--, x++, y++)
        if (*x != *y)
            return *x - *y;
    return 0;
}

size_t strlen(const char *s)
{
    return strnlen(s, SIZE_MAX);
}

size_t strnlen(const char *s, size_t max)
{
    size_t n = 0;

    while (n < max && s[n] != '\0')
        n++;
    return n;
}

int strncmp(const char *a, const char *b, size_t max)
{
    for (; max > 0; max--, a++, b++) {
        if (*a != *b)
            return (uint8_t)*a - (uint8_t)*b;
        if (*a == '\0')
            break;
    }
    return 0;
}

int strcmp(const char *a, const char *b)
{
    return strncmp(a, b, SIZE_MAX);
}

char *strchr(const char *s, int c)
{
    for (;; s++) {
        if (*s == (char)c)
            return (char *)s;
        if (*s == '\0')
            return NULL;
    }
}
