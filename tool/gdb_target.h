/* SPDX-License-Identifier: BSD-2-Clause */
/* What a debugger does to a VM, in its own words, over a control line. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/control.h"
#include "tool/control_line.h"

#define GDB_HARDWARE 4
#define GDB_CACHED   64  /* pieces of memory, */
#define GDB_PIECE    128 /* of so many bytes: a slow line brings them soon */

struct gdb_target {
    struct control_line *line;
    const char *name;
    unsigned vm, vcpus, vcpu; /* the last: whose registers and address space are asked for */
    bool gone;                /* nobody answers any more */
    bool physical;            /* addresses are guest-physical */
    struct gate_stopped stopped[PLAN_MAX_VCPUS];
    /* What is known while it stands still. */
    bool known;
    struct gate_registers registers; /* of `vcpu` */
    struct gdb_piece {
        uint64_t gpa;
        bool used;
        uint8_t data[GDB_PIECE];
    } pieces[GDB_CACHED];
    unsigned next_piece;
    struct gdb_patch {
        uint64_t address, gpa; /* it is taken out whoever stands then, in whichever address space */
        uint8_t byte;
    } patches[CONTROL_PATCHES];
    unsigned patch_count;
    struct gdb_hardware {
        bool used;
        uint8_t bits; /* of DR7: kind, and length - 1 */
        uint64_t address;
    } hardware[GDB_HARDWARE];
};

/* How a vCPU of it stands now; GATE_STOPPED_NOT where it runs, and where nobody answers. */
enum gate_stop_why gdb_target_look(struct gdb_target *t, unsigned vcpu);

/* Whether it was not waiting for a SIPI when it was looked at last. */
bool gdb_target_is_on(const struct gdb_target *t, unsigned vcpu);

/* Asks for it to stand, or has it go on: bits of enum gate_debug. False: it cannot, or nobody
 * answers. */
bool gdb_target_command(struct gdb_target *t, unsigned vcpu, unsigned command);

/* What the VM does: enum control_vm_state. */
enum control_vm_state gdb_target_state(struct gdb_target *t);

/* CONTROL_CALL_RESET, _STOP. */
bool gdb_target_act(struct gdb_target *t, enum control_call call);

/* Chooses the vCPU. */
void gdb_target_choose(struct gdb_target *t, unsigned vcpu);

/* The registers of `vcpu`; NULL: there are none. */
const struct gate_registers *gdb_target_registers(struct gdb_target *t);

/* Sets bytes of struct guest_state, whole words of 32 bits. */
bool gdb_target_set(struct gdb_target *t, size_t offset, const void *bytes, size_t size);

bool gdb_target_msr(struct gdb_target *t, uint32_t number, uint64_t *value);

/* Reads memory without what the debugger has put there; returns how many bytes from the first on
 * could be read. */
size_t gdb_target_read(struct gdb_target *t, uint64_t address, void *to, size_t size);

/* Writes memory below what the debugger has put there. */
bool gdb_target_write(struct gdb_target *t, uint64_t address, const void *from, size_t size);

/* INT3, and whether there is one of ours at this address of a vCPU. */
bool gdb_target_patch(struct gdb_target *t, uint64_t address, bool on);
bool gdb_target_patched(struct gdb_target *t, uint64_t address);

/* A breakpoint in the debug registers of all vCPUs: its kind and length as in DR7. */
bool gdb_target_hardware(struct gdb_target *t, uint64_t address, uint8_t bits, bool on);
