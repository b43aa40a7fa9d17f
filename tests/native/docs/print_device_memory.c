/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prints docs/device-memory.md: of each instruction with a memory operand that libzydis knows, what
 * becomes of it on device memory. Fails where device_memory.def has no row for one that the decoder
 * does not take.
 */
#include <fnmatch.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <Zydis/Zydis.h>

#include "lib/bits.h"
#include "monitor/decode.h"
#include "monitor/refused.h"

enum encoding { LEGACY, VEX, EVEX, ENCODINGS, ANY = ENCODINGS };
enum becomes { REPORTED, ELSEWHERE, REFUSED, UNTOUCHED };

static const struct family {
    enum encoding encoding;
    const char *sets, *names;
    enum becomes becomes;
    const char *what, *why;
} families[] = {
#define FAMILY(encoding, sets, names, becomes, what, why)                                          \
    {encoding, sets, names, becomes, what, why},
#include "tests/native/docs/device_memory.def"
};

static const struct {
    ZydisMachineMode machine;
    ZydisStackWidth stack;
} machines[] = {
    [DECODE_16] = {ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16},
    [DECODE_32] = {ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32},
    [DECODE_64] = {ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64},
};

/* What has been seen, by mnemonic. */
static bool executed[ZYDIS_MNEMONIC_MAX_VALUE + 1], complained[ZYDIS_MNEMONIC_MAX_VALUE + 1];
static int complaints;

static void place(enum encoding encoding, ZydisMnemonic mnemonic, ZydisISASet set)
{
    const char *name = ZydisMnemonicGetString(mnemonic), *set_name = ZydisISASetGetString(set);

    for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
        const struct family *f = &families[i];

        if ((f->encoding == ANY || f->encoding == encoding) && fnmatch(f->sets, set_name, 0) == 0 &&
            fnmatch(f->names, name, 0) == 0)
            return;
    }
    if (!complained[mnemonic])
        fprintf(stderr, "device_memory.def has no row for %s of %s\n", name, set_name);
    complained[mnemonic] = true;
    complaints++;
}

static bool reaches_memory(const ZydisDecodedInstruction *in, const ZydisDecodedOperand *operands)
{
    for (unsigned i = 0; i < in->operand_count; i++)
        if (operands[i].type == ZYDIS_OPERAND_TYPE_MEMORY &&
            operands[i].mem.type != ZYDIS_MEMOP_TYPE_AGEN)
            return true;
    return false;
}

static ZydisDecoder decoder;
static enum decode_mode mode;

static void ask(enum encoding encoding, const uint8_t bytes[DECODE_BUFFER])
{
    ZydisDecodedInstruction in;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
    struct instruction ours;

    if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, bytes, DECODE_MAX_LENGTH, &in, operands)) ||
        !reaches_memory(&in, operands))
        return;
    if (decode(mode, bytes, DECODE_MAX_LENGTH, &ours) == DECODE_DONE)
        executed[in.mnemonic] = true;
    else
        place(encoding, in.mnemonic, in.meta.isa_set);
}

/* A ModRM byte with a SIB byte, because some instructions want an index, and what 3DNow! wants. */
static void ask_opcode(enum encoding encoding, const uint8_t *head, unsigned count, unsigned code)
{
    for (unsigned reg = 0; reg < 8; reg++) {
        uint8_t bytes[DECODE_BUFFER] = {0x67};
        unsigned at = mode == DECODE_16; /* 32-bit addresses */

        memcpy(bytes + at, head, count);
        at += count;
        bytes[at++] = (uint8_t)code;
        bytes[at++] = (uint8_t)(reg << 3 | 4);
        bytes[at] = 0x18;
        ask(encoding, bytes);
    }
}

static void ask_legacy(void)
{
    static const uint8_t prefixes[] = {0, 0x66, 0xf3, 0xf2};
    static const struct {
        uint8_t count, bytes[2];
    } escapes[] = {{0}, {1, {0x0f}}, {2, {0x0f, 0x38}}, {2, {0x0f, 0x3a}}, {2, {0x0f, 0x0f}}};

    for (unsigned i = 0; i < ARRAY_SIZE(escapes) * 4 * 2 * 256; i++) {
        unsigned escape = i / (4 * 2 * 256), prefix = i / (2 * 256) % 4, wide = i / 256 % 2;
        uint8_t head[4];
        unsigned at = 0;

        if (wide && mode != DECODE_64)
            continue;
        if (prefix != 0)
            head[at++] = prefixes[prefix];
        if (wide)
            head[at++] = 0x48;
        memcpy(head + at, escapes[escape].bytes, escapes[escape].count);
        ask_opcode(LEGACY, head, at + escapes[escape].count, i % 256);
    }
}

/* VEX and XOP: maps 1 to 3 and 8 to 10. */
static void ask_vex(void)
{
    for (unsigned i = 0; i < 11 * 16 * 256; i++) {
        unsigned map = i / (16 * 256), rest = i / 256 % 16;
        uint8_t head[] = {map < 8 ? 0xc4 : 0x8f, (uint8_t)(0xe0 | map),
                          (uint8_t)(0x78 | (rest & 7) | (rest & 8) << 4)};

        if (map != 0 && (map <= 3 || map >= 8))
            ask_opcode(VEX, head, sizeof(head), i % 256);
    }
}

static void ask_evex(void)
{
    for (unsigned i = 0; i < 7 * 128 * 256; i++) {
        unsigned map = i / (128 * 256), rest = i / 256 % 128, length = rest >> 5;
        uint8_t head[] = {0x62, (uint8_t)(0xf0 | map),
                          (uint8_t)(0x7c | (rest & 3) | (rest & 4) << 5),
                          (uint8_t)(length << 5 | (rest & 8) << 1 | 8 | (rest >> 4 & 1))};

        if (map != 0 && length < 3)
            ask_opcode(EVEX, head, sizeof(head), i % 256);
    }
}

static void print_executed(void)
{
    unsigned count = 0, column = 0;

    for (unsigned i = 0; i <= ZYDIS_MNEMONIC_MAX_VALUE; i++)
        count += executed[i];
    printf("## Executed\n\n%u instructions, by libzydis's names:\n\n", count);
    for (unsigned i = 0; i <= ZYDIS_MNEMONIC_MAX_VALUE; i++) {
        const char *name = ZydisMnemonicGetString(i);

        if (!executed[i])
            continue;
        column += (unsigned)strlen(name) + 1;
        if (column > 110)
            column = 0;
        printf("%s%s", name, --count == 0 ? "\n" : column == 0 ? "\n" : " ");
    }
}

static void print_families(enum becomes becomes, const char *title)
{
    const char *last = "";

    printf("\n## %s\n\n| instructions | why |\n|---|---|\n", title);
    for (size_t i = 0; i < ARRAY_SIZE(families); i++)
        if (families[i].becomes == becomes && strcmp(families[i].what, last) != 0) {
            printf("| %s | %s |\n", families[i].what, families[i].why);
            last = families[i].what;
        }
}

int main(void)
{
    for (mode = DECODE_16; mode <= DECODE_64; mode++) {
        ZydisDecoderInit(&decoder, machines[mode].machine, machines[mode].stack);
        ask_legacy();
        ask_vex();
        ask_evex();
    }
    printf("# Device memory, instruction by instruction\n\n"
           "Where a VM has no RAM, an access is its monitor's: the instruction is decoded and done "
           "in software. Made by\n`print_device_memory` of what libzydis knows, of "
           "`monitor/decode.def` and of `tests/native/docs/device_memory.def`; a test fails\nwhen "
           "this page is stale, and when an instruction with an operand in memory, or on the "
           "stack, is in none of its parts.\nWhat each does is held against the processor's own "
           "doing (`tests/native/decode/execute_test.c`).\n\n");
    print_executed();
    printf("\nA gate or a task in a far pointer, a far return to a less privileged level, "
           "PUSHF and POPF of virtual-8086 mode with an IOPL\nbelow 3, and, with CR4.CET, calls, "
           "returns and jumps, which may have a shadow stack to follow, are reported.\n");
    print_families(ELSEWHERE, "Executed elsewhere");
    print_families(REPORTED, "Reported");
    printf("\nThe VM stops, or restarts where `on-fault:` says so: `the guest reached device "
           "memory at N with an instruction that is not\nemulated`, and its bytes in the lines "
           "before. Nothing is done halfway.\nAt first the guest "
           "takes such an instruction again: another vCPU may have written it there behind the "
           "exit. It is reported\nwhen it has been the same %d times in a row, within a second. "
           "Likewise "
           "where memory alone would be read and then written.\n",
           REFUSED_TIMES);
    print_families(REFUSED, "Refused by the processor");
    print_families(UNTOUCHED, "No access");
    return complaints != 0;
}
