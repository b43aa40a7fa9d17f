/* SPDX-License-Identifier: BSD-2-Clause */
/* The reset control register CF9h, and that the machine shall start again, whoever asked for it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define RESET_CONTROL_PORT  0xcf9
#define RESET_CONTROL_VALUE 0x06

struct reset {
    uint8_t control;
    bool requested;
};

uint8_t reset_read(const struct reset *r);
void reset_write(struct reset *r, uint8_t value);
