/* SPDX-License-Identifier: BSD-2-Clause */
/* One instruction performed by the CPU that runs the test: a piece of code made at run time. */
#include "tests/native/decode/native.h"

#include <asm/prctl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "abi/exit.h"

/* Below 2 GiB, and the same in every run. */
#define NATIVE_ADDRESS ((void *)0x50000000)

struct emitter {
    uint8_t *at;
};

static void emit(struct emitter *emitter, const void *bytes, size_t count)
{
    memcpy(emitter->at, bytes, count);
    emitter->at += count;
}

/* An instruction whose last part is the RIP-relative address of `where`. */
static void emit_relative(struct emitter *emitter, const void *bytes, size_t count,
                          const void *where)
{
    int32_t distance;

    emit(emitter, bytes, count);
    distance = (int32_t)((const uint8_t *)where - (emitter->at + sizeof(distance)));
    emit(emitter, &distance, sizeof(distance));
}

/* MOV between a 64-bit register and memory: 8b loads, 89 stores. */
static void emit_move(struct emitter *emitter, uint8_t opcode, unsigned reg, const void *where)
{
    uint8_t rex = 0x48 | (reg >= 8 ? 4 : 0), modrm = (uint8_t)((reg & 7) << 3 | 5);

    emit_relative(emitter, (const uint8_t[]){rex, opcode, modrm}, 3, where);
}

/* A move between a vector register and memory: opcode 10h loads, 11h stores. */
static void emit_vector(struct emitter *emitter, uint8_t opcode, unsigned reg, const void *where)
{
    uint8_t modrm = (uint8_t)((reg & 7) << 3 | 5);

    if (__builtin_cpu_supports("avx"))
        emit_relative(emitter, (const uint8_t[]){0xc5, reg < 8 ? 0xfc : 0x7c, opcode, modrm}, 4,
                      where);
    else
        emit_relative(emitter, (const uint8_t[]){reg < 8 ? 0x40 : 0x44, 0x0f, opcode, modrm}, 4,
                      where);
}

/* Likewise for MMX: 6fh loads, 7fh stores. */
static void emit_mmx(struct emitter *emitter, uint8_t opcode, unsigned reg, const void *where)
{
    emit_relative(emitter, (const uint8_t[]){0x0f, opcode, (uint8_t)(reg << 3 | 5)}, 3, where);
}

/* The System V ABI's callee-saved registers are kept on the stack. */
static void build(struct native *native)
{
    static const uint8_t save[] = {0x53, 0x55, 0x41, 0x54, 0x41, 0x55, 0x41, 0x56, 0x41, 0x57};
    static const uint8_t leave[] = {0xfc, 0x41, 0x5f, 0x41, 0x5e, 0x41,
                                    0x5d, 0x41, 0x5c, 0x5d, 0x5b, 0xc3};
    struct emitter emitter = {native->code};

    emit(&emitter, save, sizeof(save));
    emit_move(&emitter, 0x89, GPR_RSP, &native->host_rsp);
    for (unsigned i = 0; i < 16; i++)
        emit_vector(&emitter, 0x10, i, native->before.vector[i]);
    for (unsigned i = 0; i < 8; i++)
        emit_mmx(&emitter, 0x6f, i, &native->before.mmx[i]);
    emit_relative(&emitter, (const uint8_t[]){0xff, 0x35}, 2, &native->before.rflags); /* PUSH */
    emit(&emitter, (const uint8_t[]){0x9d}, 1);                                        /* POPFQ */
    for (unsigned i = 0; i < 16; i++)
        emit_move(&emitter, 0x8b, i, &native->before.gpr[i]);
    native->slot = emitter.at;
    memset(emitter.at, 0x90, NATIVE_SLOT);
    emitter.at += NATIVE_SLOT;
    for (unsigned i = 0; i < 16; i++)
        emit_move(&emitter, 0x89, i, &native->after.gpr[i]);
    emit_move(&emitter, 0x8b, GPR_RSP, &native->host_rsp);
    emit(&emitter, (const uint8_t[]){0x9c}, 1);                                       /* PUSHFQ */
    emit_relative(&emitter, (const uint8_t[]){0x8f, 0x05}, 2, &native->after.rflags); /* POP */
    for (unsigned i = 0; i < 16; i++)
        emit_vector(&emitter, 0x11, i, native->after.vector[i]);
    for (unsigned i = 0; i < 8; i++)
        emit_mmx(&emitter, 0x7f, i, &native->after.mmx[i]);
    emit(&emitter, (const uint8_t[]){0x0f, 0x77}, 2); /* EMMS */
    emit(&emitter, leave, sizeof(leave));
}

struct native *native_create(void)
{
    struct native *native =
        mmap(NATIVE_ADDRESS, sizeof(*native), PROT_READ | PROT_WRITE | PROT_EXEC,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

    if (native == MAP_FAILED || syscall(SYS_arch_prctl, ARCH_SET_GS, NATIVE_GS_BASE) != 0)
        abort();
    build(native);
    return native;
}

void native_destroy(struct native *native)
{
    munmap(native, sizeof(*native));
}

void native_run(struct native *native)
{
    void (*run)(void);

    memcpy(&run, &(void *){native->code}, sizeof(run));
    run();
}
