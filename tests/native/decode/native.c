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

/* The System V ABI's callee-saved registers are kept on the stack. */
static void build(struct native *native)
{
    static const uint8_t save[] = {0x53, 0x55, 0x41, 0x54, 0x41, 0x55, 0x41, 0x56, 0x41, 0x57};
    static const uint8_t leave[] = {0xfc, 0x41, 0x5f, 0x41, 0x5e, 0x41,
                                    0x5d, 0x41, 0x5c, 0x5d, 0x5b, 0xc3};
    struct emitter emitter = {native->code};

    emit(&emitter, save, sizeof(save));
    emit_move(&emitter, 0x89, GPR_RSP, &native->host_rsp);
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
