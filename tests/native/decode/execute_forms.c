/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds the forms by asking the decoder about each opcode of decode.def. */
#include "tests/native/decode/execute_forms.h"

#include <cpuid.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "lib/bits.h"
#include "monitor/vector.h"

enum { ONE_BYTE, TWO_BYTE, THREE_BYTE, IMMEDIATE_BYTE, MAP_COUNT };

static const bool opcodes[MAP_COUNT][256] = {
#define OPCODE(map, code, operation, operands, access, attributes) [map][code] = true,
#define GROUP(map, code, group, attributes)                        [map][code] = true,
#include "monitor/decode.def"
};

static bool has_leaf_7(unsigned ebx_bit)
{
    unsigned eax, ebx = 0, ecx, edx;

    return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && ebx >> ebx_bit & 1;
}

bool forms_processor_has(const struct instruction *in)
{
    if (in->operands == OPERANDS_SEGMENT)
        return false;
    if (in->vector >= VECTOR_AVX_128 && !__builtin_cpu_supports("avx"))
        return false;
    switch (in->operation) {
    case OPERATION_SMSW: /* of the host's CR0, or faults; emulate_test.c has these */
    case OPERATION_LES ... OPERATION_LIDT: /* segment_test.c */
    case OPERATION_VERR ... OPERATION_LSL:
    case OPERATION_CALL ... OPERATION_JMP_FAR:
    case OPERATION_RET:
    case OPERATION_RET_FAR:
    case OPERATION_MOV_SEGMENT:
        return false;
    case OPERATION_ANDN:
    case OPERATION_BEXTR:
    case OPERATION_BLSR ... OPERATION_BLSI:
        return __builtin_cpu_supports("bmi");
    case OPERATION_BZHI ... OPERATION_PEXT:
    case OPERATION_RORX ... OPERATION_MULX:
        return __builtin_cpu_supports("bmi2");
    case OPERATION_ADCX:
    case OPERATION_ADOX:
        return has_leaf_7(19);
    case OPERATION_CLWB:
        return has_leaf_7(24);
    case OPERATION_MOVDIRI:
    case OPERATION_MOVDIR64B:
        return false; /* emulate_test.c */
    case OPERATION_CRC32:
        return __builtin_cpu_supports("sse4.2");
    case OPERATION_LDDQU:
        return __builtin_cpu_supports("sse3");
    case OPERATION_MOVNTDQA:
        return in->size == 32 ? __builtin_cpu_supports("avx2") : __builtin_cpu_supports("sse4.1");
    case OPERATION_MOVBE:
        return __builtin_cpu_supports("movbe");
    case OPERATION_POPCNT:
        return __builtin_cpu_supports("popcnt");
    default:
        return true;
    }
}

unsigned form_vex(const struct form *form, uint8_t *bytes, uint32_t variation)
{
    unsigned implied = form->prefix == 0x66 ? 1 : form->prefix == 0xf3 ? 2 : form->prefix ? 3 : 0;

    bytes[0] = 0xc4;
    bytes[1] = (uint8_t)(variation & 0xe0) | (form->bytes[1] == 0x3a ? 3 : form->count - 1);
    bytes[2] = (uint8_t)(variation >> 8 & 0xfc) | (uint8_t)implied;
    bytes[3] = form->bytes[form->count - 1];
    return 4;
}

static bool decode_form(const struct form *form, uint8_t modrm, struct instruction *in)
{
    uint8_t bytes[DECODE_BUFFER] = {form->prefix};
    unsigned at = form->prefix != 0;

    if (form->vex) {
        at = form_vex(form, bytes, 0x78e0);
    } else {
        memcpy(bytes + at, form->bytes, form->count);
        at += form->count;
    }
    bytes[at] = modrm;
    return decode(DECODE_64, bytes, DECODE_MAX_LENGTH, in) == DECODE_DONE &&
           forms_processor_has(in);
}

/* Whether the prefix makes another instruction of it. */
static bool prefix_counts(struct form form, uint8_t modrm)
{
    struct instruction with, without;
    bool known = decode_form(&form, modrm, &with);

    form.prefix = 0;
    return known && (!decode_form(&form, modrm, &without) || with.operation != without.operation);
}

/* Adds the forms of one opcode: one, or up to eight where it stands for a group. */
static void add_forms(struct forms *forms, unsigned map, uint8_t code, uint8_t prefix, bool vex)
{
    static const uint8_t escapes[MAP_COUNT][2] = {{0}, {0x0f}, {0x0f, 0x38}, {0x0f, 0x3a}};
    struct form form = {.prefix = prefix, .vex = vex, .count = map < 3 ? (uint8_t)map + 1 : 3};
    struct instruction in, first, last;

    memcpy(form.bytes, escapes[map], form.count - 1);
    form.bytes[form.count - 1] = code;
    form.free = decode_form(&form, 0x00, &first) && decode_form(&form, 0x38, &last) &&
                first.operation == last.operation;
    for (unsigned i = 0; i < (form.free ? 1 : 8); i++) {
        form.modrm = (uint8_t)(i << 3);
        if (prefix == 0 || vex ? decode_form(&form, form.modrm, &in)
                               : prefix_counts(form, form.modrm)) {
            assert_true(forms->count < ARRAY_SIZE(forms->form));
            forms->form[forms->count++] = form;
        }
    }
}

void forms_make(struct forms *forms)
{
    static const uint8_t prefixes[] = {0, 0x66, 0xf3, 0xf2};

    for (unsigned i = 0; i < MAP_COUNT * 256; i++)
        for (unsigned prefix = 0; prefix < ARRAY_SIZE(prefixes); prefix++)
            for (unsigned vex = 0; vex < 2; vex++)
                if (opcodes[i / 256][i % 256])
                    add_forms(forms, i / 256, (uint8_t)i, prefixes[prefix], vex);
}
