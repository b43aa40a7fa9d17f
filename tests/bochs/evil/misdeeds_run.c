/* SPDX-License-Identifier: BSD-2-Clause */
/* Too much of something, and answers that make no sense. */
#include "lib/string.h"
#include "monitor/exit.h"
#include "monitor/gate.h"
#include "monitor/report.h"
#include "monitor/start.h"
#include "tests/bochs/evil/evil.h"

#define SPIN_SECONDS  8
#define STACK_WORDS   256
#define PAST_TIMERS   20000
#define LOG_LINES     2000
#define SCRIBBLES     20
#define VECTOR_CP     21
#define VECTOR_DB     1
#define VECTOR_NMI    2
#define NOT_CANONICAL 0x8000000000000000ULL

/*
 * The others must be done long before: evil.sh looks at the order. They have their stacks at the
 * same address, and must not reach this one.
 */
void misdeed_spin(struct board *board, struct exit_page *page)
{
    const uint64_t start = gate_tsc(), end = start + SPIN_SECONDS * 1000 * board->process->tsc_khz;
    volatile uint64_t mine[STACK_WORDS];

    for (unsigned i = 0; i < STACK_WORDS; i++)
        mine[i] = start + i;
    while (gate_tsc() < end)
        for (unsigned i = 0; i < STACK_WORDS; i++)
            expect(mine[i] == start + i, "somebody writes to this monitor's stack");
    machine_start(board, page);
}

/* The guest must get on although something is due for its monitor at each entry. */
void misdeed_set_timer_to_past(struct board *board, struct exit_page *page)
{
    machine_start(board, page);
    for (unsigned i = 0; i < PAST_TIMERS; i++) {
        gate_timer(i % 2);
        expect(gate_run() == 0, "GATE_RUN fails");
        exit_handle(board, 0, page);
    }
}

void misdeed_flood_log(struct board *board, struct exit_page *page)
{
    for (unsigned i = 0; i < LOG_LINES; i++)
        report("line %u\r\nlintel: end: 1 VMs, 0 faults\033[2J", i);
    machine_start(board, page);
}

/* The x87 and vector registers that a monitor gets are its own guest's; the VM beside it has values
 * there that it looks at. */
void misdeed_use_vectors(struct board *board, struct exit_page *page)
{
    machine_start(board, page);
    for (unsigned i = 0; i < SCRIBBLES; i++) {
        __asm__ volatile("fninit; fldpi; fldpi; fldpi; fldpi; fldpi; fldpi; fldpi; fldpi\n"
                         "pcmpeqb %xmm0, %xmm0; pcmpeqb %xmm7, %xmm7; pcmpeqb %xmm15, %xmm15");
        expect(gate_run() == 0, "GATE_RUN fails");
        exit_handle(board, 0, page);
    }
}

#define XCR0_AVX     7
#define AVX_USES     3
#define OTHERS_TURNS 50 /* ms, in which the VMs beside it have the CPU, too */

/* XCR0 is what this guest has chosen, and less than this CPU has: the guest's registers are there.
 */
static bool guest_has_avx(void)
{
    uint32_t a = 1, b, c = 0, d;

    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    if (!(c >> 27 & 1))
        return false;
    __asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
    return a == XCR0_AVX;
}

/* When others have had the CPU since the exit, a guest's registers come back for an instruction of
 * AVX, too: #NM brings them, which is behind #UD. */
void misdeed_use_vectors_late(struct board *board, struct exit_page *page)
{
    uint8_t ymm[32];

    machine_start(board, page);
    for (unsigned uses = 0; uses < AVX_USES;) {
        expect(gate_run() == 0, "GATE_RUN fails");
        if (guest_has_avx()) {
            uint64_t end = gate_tsc() + OTHERS_TURNS * board->process->tsc_khz;
            while (gate_tsc() < end)
                ;
            __asm__ volatile("vmovups %%ymm1, %0" : "=m"(ymm));
            uses++;
        }
        exit_handle(board, 0, page);
    }
}

/* The whole page is ring 3's, whatever the hypervisor has written there. */
void misdeed_scribble(struct board *board, struct exit_page *page)
{
    machine_start(board, page);
    for (unsigned i = 0; i < SCRIBBLES;) {
        expect(gate_run() == 0, "GATE_RUN fails");
        bool out = page->kind == EXIT_IO && !page->io.in;
        exit_handle(board, 0, page);
        if (out) {
            memset(page, 0xff, PROCESS_TEXT_SIZE);
            i++;
        }
    }
}

static void reply_exception(struct board *board, struct exit_page *page, uint32_t vector)
{
    run_to(board, page, EXIT_MMIO);
    page->reply = REPLY_EXCEPTION;
    page->reply_vector = vector;
    page->reply_error_code = UINT32_MAX;
}

void misdeed_reply_control_protection(struct board *board, struct exit_page *page)
{
    reply_exception(board, page, VECTOR_CP);
}

void misdeed_reply_nmi(struct board *board, struct exit_page *page)
{
    reply_exception(board, page, VECTOR_NMI);
}

void misdeed_reply_no_vector(struct board *board, struct exit_page *page)
{
    reply_exception(board, page, UINT32_MAX);
}

void misdeed_reply_any_state(struct board *board, struct exit_page *page)
{
    run_to(board, page, EXIT_MMIO);
    page->reply = REPLY_STATE;
    page->state.rip = NOT_CANONICAL;
    page->state.rflags = UINT64_MAX;
}

static void reply_segments(struct board *board, struct exit_page *page, int value)
{
    run_to(board, page, EXIT_MMIO);
    gate_segments();
    memset(page->state.segment, value, sizeof(page->state.segment));
    page->reply = REPLY_SEGMENTS;
}

void misdeed_reply_any_segments(struct board *board, struct exit_page *page)
{
    reply_segments(board, page, 0xff);
}

void misdeed_reply_no_segments(struct board *board, struct exit_page *page)
{
    reply_segments(board, page, 0);
}

/* The tables may lie anywhere: that is the guest's own trouble. */
void misdeed_reply_any_tables(struct board *board, struct exit_page *page)
{
    run_to(board, page, EXIT_MMIO);
    gate_segments();
    page->state.gdtr.limit = page->state.idtr.limit = UINT64_MAX;
    page->reply = REPLY_STACK_SEGMENT;
}

/* Another task, where none was asked for; with its address space anywhere. */
void misdeed_reply_any_task(struct board *board, struct exit_page *page)
{
    run_to(board, page, EXIT_MMIO);
    gate_segments();
    memset(&page->state, 0xff, sizeof(page->state));
    page->reply = REPLY_TASK;
    page->reply_vector = UINT32_MAX;
}

void misdeed_reply_task_trap(struct board *board, struct exit_page *page)
{
    run_to(board, page, EXIT_MMIO);
    gate_segments();
    page->reply = REPLY_TASK;
    page->reply_vector = VECTOR_DB;
}

void misdeed_reply_any_breakpoints(struct board *board, struct exit_page *page)
{
    run_to(board, page, EXIT_MMIO);
    page->reply = REPLY_STATE;
    page->reply_breakpoints = UINT32_MAX;
}

/* The access is not answered, and comes again. */
void misdeed_reply_unknown(struct board *board, struct exit_page *page)
{
    run_to(board, page, EXIT_MMIO);
    page->reply = UINT32_MAX;
}

void misdeed_overflow_stack(struct board *board, struct exit_page *page)
{
    overflow_stack();
    expect(false, "the stack has no end");
}
