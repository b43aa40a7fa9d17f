/* SPDX-License-Identifier: BSD-2-Clause */
/* The instruction forms of decode.def in 64-bit mode, as bytes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "monitor/decode.h"

struct form {
    uint8_t prefix; /* that chooses the instruction, or 0 */
    bool vex;       /* in place of the prefix and the escapes */
    uint8_t bytes[4];
    uint8_t count; /* without the ModRM byte */
    uint8_t modrm; /* bits 3 to 5, which choose the instruction */
    bool free;     /* they do not: they are a register, or part of something else */
};

struct forms {
    struct form form[512];
    size_t count;
};

void forms_make(struct forms *forms);

/* Without them the processor performs something else, or nothing. */
bool forms_processor_has(const struct instruction *in);

/* The three bytes of VEX, with the registers' highest bits, the other register and the length from
 * `variation`. */
unsigned form_vex(const struct form *form, uint8_t *bytes, uint32_t variation);
