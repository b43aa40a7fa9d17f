/* SPDX-License-Identifier: BSD-2-Clause */
/* Formatted text for freestanding programs: a subset of snprintf, without allocation or locale. */
#include "lib/format.h"

#include <stdbool.h>
#include <stdint.h>

#include "lib/string.h"

struct output {
    char *at;
    size_t size;
    size_t length;
};

struct spec {
    bool left, zero, wide;
    unsigned width;
    size_t precision;
};

static void put(struct output *o, char c)
{
    if (o->length + 1 < o->size)
        o->at[o->length] = c;
    o->length++;
}

static void put_padding(struct output *o, unsigned width, size_t used, char c)
{
    for (; used < width; used++)
        put(o, c);
}

static void put_text(struct output *o, const struct spec *s, const char *text, size_t length)
{
    if (!s->left)
        put_padding(o, s->width, length, ' ');
    for (size_t i = 0; i < length; i++)
        put(o, text[i]);
    if (s->left)
        put_padding(o, s->width, length, ' ');
}

static void put_number(struct output *o, const struct spec *s, uint64_t value, unsigned base,
                       bool negative)
{
    char digits[21];
    size_t n = sizeof(digits);

    do
        digits[--n] = "0123456789abcdef"[value % base];
    while ((value /= base) != 0);
    if (s->zero && !s->left) {
        if (negative)
            put(o, '-');
        put_padding(o, s->width, sizeof(digits) - n + negative, '0');
        for (; n < sizeof(digits); n++)
            put(o, digits[n]);
        return;
    }
    if (negative)
        digits[--n] = '-';
    put_text(o, s, digits + n, sizeof(digits) - n);
}

/* Reads the flags, width, precision and length after a '%'; returns where the
 * conversion letter is. */
static const char *parse_spec(const char *p, struct spec *s)
{
    *s = (struct spec){.precision = SIZE_MAX};
    for (; *p == '-' || *p == '0'; p++) {
        s->left |= *p == '-';
        s->zero |= *p == '0';
    }
    for (; *p >= '0' && *p <= '9'; p++)
        s->width = s->width * 10 + (unsigned)(*p - '0');
    if (*p == '.')
        for (p++, s->precision = 0; *p >= '0' && *p <= '9'; p++)
            s->precision = s->precision * 10 + (size_t)(*p - '0');
    for (; *p == 'l' || *p == 'z'; p++)
        s->wide = true;
    return p;
}

int vformat(char *out, size_t size, const char *fmt, va_list args)
{
    struct output o = {out, size, 0};
    struct spec s;

    for (; *fmt != '\0'; fmt++) {
        if (*fmt != '%') {
            put(&o, *fmt);
            continue;
        }
        fmt = parse_spec(fmt + 1, &s);
        switch (*fmt) {
        case 'c':
            put_text(&o, &s, &(char){(char)va_arg(args, int)}, 1);
            break;
        case 's': {
            const char *text = va_arg(args, const char *);
            put_text(&o, &s, text, strnlen(text, s.precision));
            break;
        }
        case 'd': {
            int64_t v = s.wide ? va_arg(args, int64_t) : va_arg(args, int);
            put_number(&o, &s, v < 0 ? 0 - (uint64_t)v : (uint64_t)v, 10, v < 0);
            break;
        }
        case 'u':
        case 'x': {
            uint64_t v = s.wide ? va_arg(args, uint64_t) : va_arg(args, unsigned);
            put_number(&o, &s, v, *fmt == 'u' ? 10 : 16, false);
            break;
        }
        case 'p':
            put_number(&o, &s, (uintptr_t)va_arg(args, void *), 16, false);
            break;
        default:
            put(&o, *fmt);
        }
    }
    if (size > 0)
        out[o.length < size ? o.length : size - 1] = '\0';
    return (int)o.length;
}

int format(char *out, size_t size, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    int length = vformat(out, size, fmt, args);
    va_end(args);
    return length;
}
