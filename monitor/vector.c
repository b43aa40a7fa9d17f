/* SPDX-License-Identifier: BSD-2-Clause */
/* An instruction names its vector register, so that each register takes an instruction. */
#include "monitor/vector.h"

#define FOR_8(form, ...)                                                                           \
    form(0, __VA_ARGS__) form(1, __VA_ARGS__) form(2, __VA_ARGS__) form(3, __VA_ARGS__)            \
        form(4, __VA_ARGS__) form(5, __VA_ARGS__) form(6, __VA_ARGS__) form(7, __VA_ARGS__)
#define FOR_16(form, ...)                                                                          \
    FOR_8(form, __VA_ARGS__)                                                                       \
    form(8, __VA_ARGS__) form(9, __VA_ARGS__) form(10, __VA_ARGS__) form(11, __VA_ARGS__)          \
        form(12, __VA_ARGS__) form(13, __VA_ARGS__) form(14, __VA_ARGS__) form(15, __VA_ARGS__)

#define READ(number, instruction, name)                                                            \
    case number:                                                                                   \
        __asm__ volatile(instruction " %%" name #number ", %0" : "=m"(*w));                        \
        break;
#define WRITE(number, instruction, name)                                                           \
    case number:                                                                                   \
        __asm__ volatile(instruction " %0, %%" name #number : : "m"(*w));                          \
        break;

/* What the instructions read or write at most. */
struct words {
    uint64_t word[4];
};

#define ACCESS(function, for_each, form, instruction, name)                                        \
    static void function(unsigned number, struct words *w)                                         \
    {                                                                                              \
        switch (number) {                                                                          \
            for_each(form, instruction, name)                                                      \
        }                                                                                          \
    }

ACCESS(read_mmx, FOR_8, READ, "movq", "mm")
ACCESS(read_sse, FOR_16, READ, "movups", "xmm")
ACCESS(read_avx, FOR_16, READ, "vmovups", "ymm")
ACCESS(write_mmx, FOR_8, WRITE, "movq", "mm")
ACCESS(write_sse, FOR_16, WRITE, "movups", "xmm")
ACCESS(write_avx_128, FOR_16, WRITE, "vmovups", "xmm")
ACCESS(write_avx_256, FOR_16, WRITE, "vmovups", "ymm")

static const struct {
    void (*read)(unsigned number, struct words *to);
    void (*write)(unsigned number, struct words *from);
} kinds[VECTOR_KIND_COUNT] = {
    [VECTOR_MMX] = {read_mmx, write_mmx},
    [VECTOR_SSE] = {read_sse, write_sse},
    [VECTOR_AVX_128] = {read_sse, write_avx_128},
    [VECTOR_AVX_256] = {read_avx, write_avx_256},
};

void vector_read(enum vector_kind kind, unsigned number, uint64_t words[4])
{
    kinds[kind].read(number, (struct words *)words);
}

void vector_write(enum vector_kind kind, unsigned number, const uint64_t words[4])
{
    kinds[kind].write(number, (struct words *)words);
}
