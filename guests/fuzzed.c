/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A toy parser with faults of the kinds that parsers have, for lintel fuzz to find. An input is
 * records: a type, a length, and so many bytes. It does not look whether a record ends within the
 * input, and each type has its own flaw.
 */
#include "guests/lib/fuzz.h"
#include "guests/lib/guest.h"

#define ROOM     4096
#define NAME_MAX 16
#define PVPANIC  0x505

static uint8_t input[ROOM] __attribute__((aligned(4096)));

/* 'n': a name; longer ones go over what lies behind it. */
__attribute__((noinline)) static uint32_t take_name(const volatile uint8_t *bytes, unsigned length)
{
    volatile uint8_t name[NAME_MAX];

    for (unsigned i = 0; i < length; i++)
        name[i] = bytes[i];
    return name[0];
}

/* 's': a sum. */
static uint32_t take_sum(const volatile uint8_t *bytes, unsigned length)
{
    uint32_t sum = 0;

    while (length-- > 0)
        sum += *bytes++;
    return sum;
}

/* 'c': a command of one letter. */
static uint32_t take_command(uint8_t letter)
{
    switch (letter) {
    case 'o':
        power_off();
    case 'r':
        reset();
    case 'e':
        outl(0xf4, 16);
        return 0;
    case 'p':
        outb(PVPANIC, 1);
        return 0;
    case 'h':
        for (;;)
            __asm__ volatile("cli; hlt");
    default:
        return 1;
    }
}

/* 'w' with no bytes waits for more, and for ever. */
static uint32_t take_record(uint8_t type, const volatile uint8_t *bytes, unsigned length)
{
    switch (type) {
    case 'n':
        return take_name(bytes, length);
    case 's':
        return take_sum(bytes, length);
    case 'c':
        return take_command(bytes[0]);
    case 'w':
        while (length == 0)
            __asm__ volatile("");
        return 0;
    default:
        return UINT32_MAX;
    }
}

void guest_main(void)
{
    static const struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) no_handlers = {0};
    uint32_t result = 0;

    fuzz_ready(input, sizeof(input));
    uint32_t size = fuzz_input();
    __asm__ volatile("lidt %0" : : "m"(no_handlers)); /* an exception is a triple fault */
    for (uint32_t at = 0; at + 1 < size && result != UINT32_MAX; at += 2 + input[at + 1])
        result = take_record(input[at], &input[at + 2], input[at + 1]);
    fuzz_done(result);
}
