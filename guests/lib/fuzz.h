/* SPDX-License-Identifier: BSD-2-Clause */
/* What a kernel says to lintel fuzz (docs/fuzz.md). */
#pragma once

#include <stdint.h>

#include "abi/fuzz.h"
#include "guests/lib/cpu.h"

/* Inputs of so many bytes at most shall be put there: one piece of physical memory. */
static inline void fuzz_ready(const void *buffer, uint32_t room)
{
    outl(FUZZ_BUFFER_PORT, (uint32_t)(uintptr_t)buffer);
    outl(FUZZ_ROOM_PORT, room);
}

/* Waits for an input. Returns its size. */
static inline uint32_t fuzz_input(void)
{
    uint32_t given;

    while (!((given = inl(FUZZ_INPUT_PORT)) & FUZZ_GIVEN))
        __asm__ volatile("pause");
    return given & ~FUZZ_GIVEN;
}

/* It is done with it. */
_Noreturn static inline void fuzz_done(uint32_t result)
{
    for (;;)
        outl(FUZZ_DONE_PORT, result);
}
