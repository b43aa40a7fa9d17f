/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's descriptor tables, and the way of each interrupt and exception to its handler. */
#include "guests/lib/interrupt.h"

#include <stdarg.h>
#include <stddef.h>

#include "guests/lib/cpu.h"
#include "guests/lib/selectors.h"
#include "guests/lib/trap.h"
#include "lib/format.h"

#define GATE_INTERRUPT   0x8e00 /* present, ring 0, interrupt gate */
#define GATE_USER        0xee00 /* the same, reachable by INT n from ring 3 */
#define TSS_AVAILABLE    0x89
#define DOUBLE_FAULT_IST 1

struct gate {
    uint16_t offset_low, selector, flags, offset_middle;
    uint32_t offset_high, reserved;
};

struct task_state {
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7];
    uint64_t reserved2;
    uint16_t reserved3, io_map;
} __attribute__((packed));

struct fixup {
    uint64_t from, to;
};

extern const char interrupt_stubs[];
extern const struct fixup fixups[], fixups_end[];
extern uint64_t gdt[];

struct trap trap_taken;

static struct gate idt[256];
static struct task_state task_state = {.io_map = sizeof(struct task_state)};
static interrupt_handler *handlers[256];
static uint8_t double_fault_stack[0x1000] __attribute__((aligned(16)));

static struct gate make_gate(unsigned vector)
{
    uint64_t stub = (uintptr_t)interrupt_stubs + vector * STUB_SIZE;
    uint16_t ist = vector == VECTOR_DF ? DOUBLE_FAULT_IST : 0;
    uint16_t type = vector == VECTOR_BP ? GATE_USER : GATE_INTERRUPT;

    return (struct gate){
        .offset_low = (uint16_t)stub,
        .selector = KERNEL_CODE,
        .flags = type | ist,
        .offset_middle = (uint16_t)(stub >> 16),
        .offset_high = (uint32_t)(stub >> 32),
    };
}

static void load_task_register(void)
{
    uint64_t base = (uintptr_t)&task_state;
    uint64_t *descriptor = &gdt[TASK_STATE / 8];

    descriptor[0] = (sizeof(task_state) - 1) | (base & 0xffffff) << 16 |
                    (uint64_t)TSS_AVAILABLE << 40 | (base >> 24 & 0xff) << 56;
    descriptor[1] = base >> 32;
    ltr(TASK_STATE);
}

void interrupt_init(void)
{
    struct descriptor_table pointer = {sizeof(idt) - 1, (uintptr_t)idt};

    for (unsigned vector = 0; vector < ARRAY_SIZE(idt); vector++)
        idt[vector] = make_gate(vector);
    task_state.ist[DOUBLE_FAULT_IST - 1] =
        (uintptr_t)double_fault_stack + sizeof(double_fault_stack);
    load_task_register();
    lidt(&pointer);
}

void interrupt_handle(uint8_t vector, interrupt_handler *handler)
{
    handlers[vector] = handler;
}

void interrupt_stack(uint64_t top)
{
    task_state.rsp[0] = top;
}

/* INT3 is a trap: its RIP is behind the instruction. */
static const struct fixup *find_fixup(const struct interrupt_frame *frame)
{
    for (const struct fixup *f = fixups; f < fixups_end; f++)
        if (frame->rip == (frame->vector == VECTOR_BP ? f->to : f->from))
            return f;
    return NULL;
}

void interrupt_dispatch(struct interrupt_frame *frame);

void interrupt_dispatch(struct interrupt_frame *frame)
{
    uint64_t cr2 = read_cr2();
    const struct fixup *fixup;

    if (handlers[frame->vector] != NULL) {
        handlers[frame->vector](frame);
        return;
    }
    fixup = frame->vector < 32 ? find_fixup(frame) : NULL;
    if (fixup == NULL)
        bail_out("unexpected vector %lu, error code 0x%lx, RIP 0x%lx, CR2 0x%lx, RSP 0x%lx",
                 frame->vector, frame->error_code, frame->rip, cr2, frame->rsp);
    trap_taken =
        (struct trap){(uint32_t)frame->vector, (uint32_t)frame->error_code, frame->rip, cr2};
    frame->rip = fixup->to;
}

static bool check_trap(struct trap trap, uint32_t vector, uint32_t error_code, const char *fmt,
                       va_list args)
{
    char text[160];
    bool passed = trap.vector == vector && (vector == NO_TRAP || trap.error_code == error_code);

    vformat(text, sizeof(text), fmt, args);
    ok(passed, "%s", text);
    if (!passed)
        diag("got vector %d, error code 0x%x; expected vector %d, error code 0x%x",
             (int)trap.vector, trap.error_code, (int)vector, error_code);
    return passed;
}

bool is_trap(struct trap trap, uint32_t vector, uint32_t error_code, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    bool passed = check_trap(trap, vector, error_code, fmt, args);
    va_end(args);
    return passed;
}

bool is_no_trap(struct trap trap, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    bool passed = check_trap(trap, NO_TRAP, 0, fmt, args);
    va_end(args);
    return passed;
}
