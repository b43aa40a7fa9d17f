/* SPDX-License-Identifier: BSD-2-Clause */
/* The exits: a port, a device's memory, an end of interrupt, or a guest that cannot go on. R17. */
#include "monitor/exit.h"

#include <stdarg.h>

#include "lib/exit_reasons.h"
#include "lib/format.h"
#include "monitor/breakpoint.h"
#include "monitor/entry/checks.h"
#include "monitor/gate.h"
#include "monitor/guest_access.h"
#include "monitor/linear.h"
#include "monitor/policy.h"
#include "monitor/reply.h"
#include "monitor/report.h"
#include "monitor/start.h"
#include "monitor/string_io.h"
#include "monitor/task.h"
#include "monitor/x86.h"

#define REFUSED_MS 1000

static void on_events(struct board *b, unsigned vcpu, struct exit_page *page)
{
    page->reply = REPLY_DONE;
}

static void on_io(struct board *b, unsigned vcpu, struct exit_page *page)
{
    if (page->io.in)
        page->io.value = board_in(b, vcpu, page->io.port, page->io.size);
    else
        board_out(b, vcpu, page->io.port, page->io.size, page->io.value);
    page->reply = REPLY_DONE;
}

static void on_io_watched(struct board *b, unsigned vcpu, struct exit_page *page)
{
    on_io(b, vcpu, page);
    page->reply_breakpoints =
        breakpoints_met(&page->state, BREAKPOINT_PORT, page->io.port, page->io.size);
}

static void report_instruction(const struct guest_access *a)
{
    uint8_t bytes[DECODE_MAX_LENGTH];
    size_t count = emulate_fetch((void *)a, code_address(a->state), bytes), length = 0;
    char text[3 * sizeof(bytes) + 1] = "";

    for (size_t i = 0; i < count; i++)
        length += (size_t)format(text + length, sizeof(text) - length, " %02x", bytes[i]);
    report("bytes at rip:%s", count > 0 ? text : " cannot be read");
}

/* R17: the last state of a VM that stops. */
static void report_state(const struct guest_access *a)
{
    static const char names[16][4] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                      "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
    const struct guest_state *s = a->state;
    const struct segment_state *cs = &s->segment[SEG_CS], *ss = &s->segment[SEG_SS];

    report("vcpu %u: rip %04x:%016lx rflags %lx", a->vcpu, cs->selector, s->rip, s->rflags);
    for (unsigned i = 0; i < 16; i += 4)
        report("%-3s %016lx  %-3s %016lx  %-3s %016lx  %-3s %016lx", names[i], s->gpr[i],
               names[i + 1], s->gpr[i + 1], names[i + 2], s->gpr[i + 2], names[i + 3],
               s->gpr[i + 3]);
    report("cr0 %lx cr2 %lx cr3 %lx cr4 %lx efer %lx", s->cr0, s->cr2, s->cr3, s->cr4, s->efer);
    report("cs base %lx limit %x access %x, ss %04x base %lx access %x", cs->base, cs->limit,
           cs->access, ss->selector, ss->base, ss->access);
    report_instruction(a);
}

/* A guest that cannot go on: its VM stops, or restarts, and the line says why. */
__attribute__((cold, noinline, format(printf, 3, 4))) static void
end_guest(struct board *b, enum happening what, const char *fmt, ...)
{
    char why[160];
    va_list args;

    va_start(args, fmt);
    vformat(why, sizeof(why), fmt, args);
    va_end(args);
    fuzz_end(&b->fuzz, what == HAPPENING_HALT ? FUZZ_HALT : FUZZ_FAULT, 0, why);
    if (!policy_restarts(b->info->on, what))
        report_stop(what == HAPPENING_HALT ? GATE_STOP_POWER_OFF : GATE_STOP_FAULT, "%s", why);
    report("restart: %s", why);
    b->restart = b->wish = true;
}

/*
 * Code that cannot be read: the guest's page tables say why, or it is where no memory is. Bytes
 * read as FF there, which is no instruction.
 */
__attribute__((cold, noinline)) static void fault_fetch(const struct guest_access *a,
                                                        struct exit_page *page)
{
    struct emulate_fault fault = {.vector = VECTOR_UD};
    uint8_t bytes[DECODE_MAX_LENGTH];
    uint64_t linear = code_address(a->state), physical;

    linear += emulate_fetch((void *)a, linear, bytes);
    if (walk(&a->board->memory, a->state, linear, WALK_FETCH, &physical, &fault))
        report("the guest jumped to %lx, where it has no memory, at rip %lx: find out what led it "
               "there",
               physical, a->state->rip);
    reply_fault(page, &fault);
}

static void end_by_access(const struct guest_access *a, uint64_t address)
{
    report_state(a);
    end_guest(a->board, HAPPENING_FAULT,
              "the guest reached device memory at %lx with an instruction that is not emulated, "
              "at rip %lx: use plain loads and stores there",
              address, a->state->rip);
}

/* An instruction that is not emulated: what is there is the processor's again, at first. */
static void refuse(const struct guest_access *a, struct exit_page *page)
{
    struct board *b = a->board;
    uint64_t linear = code_address(a->state);
    uint8_t bytes[DECODE_MAX_LENGTH] = {0};

    emulate_fetch((void *)a, linear, bytes);
    page->reply = REPLY_DONE;
    if (refused_for_good(&b->refused[a->vcpu], linear, bytes, gate_tsc(),
                         b->process->tsc_khz * REFUSED_MS))
        end_by_access(a, page->mmio.address);
}

/* Anything but an instruction that is done and has changed no segment. */
__attribute__((cold, noinline)) static void reply_otherwise(struct guest_access *a,
                                                            struct exit_page *page,
                                                            enum emulate_result result,
                                                            const struct emulate_fault *fault)
{
    switch (result) {
    case EMULATE_SEGMENTS:
        page->reply = REPLY_SEGMENTS;
        return;
    case EMULATE_STACK_SEGMENT:
        page->reply = REPLY_STACK_SEGMENT;
        return;
    case EMULATE_UNREADABLE:
        fault_fetch(a, page);
        break;
    case EMULATE_UNSUPPORTED:
        refuse(a, page);
        break;
    default:
        if (fault->vector == REPLY_NO_VECTOR)
            refuse(a, page);
        else
            reply_fault(page, fault);
    }
    a->breakpoints = 0; /* an instruction that faults meets none */
}

static void on_mmio(struct board *b, unsigned vcpu, struct exit_page *page)
{
    struct guest_access a = {
        .board = b,
        .vcpu = vcpu,
        .state = &page->state,
        .device_linear = page->mmio.linear_valid && !breakpoints_on(&page->state)
                             ? page->mmio.linear
                             : GUEST_NO_PAGE,
        .device_physical = page->mmio.address,
        .device_write = page->mmio.write,
    };
    struct emulate_fault fault;
    enum emulate_result result;

    if (page->mmio.fetch) {
        fault_fetch(&a, page);
        return;
    }
    result = emulate(&page->state, &a, &fault);
    if (result == EMULATE_DONE)
        page->reply = REPLY_STATE;
    else
        reply_otherwise(&a, page, result, &fault);
    page->reply_breakpoints = a.breakpoints;
}

/* R17 */
static void on_task_switch(struct board *b, unsigned vcpu, struct exit_page *page)
{
    struct guest_access a = {b, vcpu, &page->state, .device_linear = GUEST_NO_PAGE};
    const struct exit_task cause = page->task;
    struct emulate_fault fault;

    if (page->state.cr4 & CR4_CET) {
        page->reply = REPLY_DONE;
        end_guest(b, HAPPENING_FAULT,
                  "the guest switches tasks with CR4.CET at rip %lx, which needs its shadow stack "
                  "and is not done: use no task gates with it",
                  page->state.rip);
        return;
    }
    enum task_result result = task_switch(&page->state, &a, &cause, &fault);

    reply_fault(page, &fault);
    if (result == TASK_SWITCHED)
        page->reply_vector = REPLY_NO_VECTOR;
    if (result != TASK_REFUSED)
        page->reply = REPLY_TASK;
}

static void on_eoi(struct board *b, unsigned vcpu, struct exit_page *page)
{
    ioapic_end_of_interrupt(&b->ioapic, (uint8_t)page->eoi.vector);
    page->reply = REPLY_DONE;
}

/* R9: which of the processor's checks the VMCS of its guest did not pass. */
__attribute__((cold, noinline)) static void report_entry(const struct exit_page *page)
{
    const char *check = entry_check(&page->vmcs);

    report("%s: %s",
           page->shutdown.detail == VM_ERROR_ENTRY_CONTROLS
               ? "VM entry: VM entry with invalid control fields"
               : exit_reason_name(page->shutdown.detail),
           check ? check : "no check that Lintel knows fails");
}

static void on_shutdown(struct board *b, unsigned vcpu, struct exit_page *page)
{
    static const struct {
        enum happening what;
        const char *words;
    } reasons[] = {
        [SHUTDOWN_TRIPLE_FAULT] = {HAPPENING_TRIPLE_FAULT, "a triple fault: an exception while it "
                                                           "was delivering a double fault"},
        [SHUTDOWN_UNSUPPORTED] = {HAPPENING_FAULT, "an exit that is not supported"},
        [SHUTDOWN_ENTRY_FAILED] = {HAPPENING_FAULT, "state that cannot be entered; see the log"},
    };
    struct guest_access a = {b, vcpu, &page->state, .device_linear = GUEST_NO_PAGE};
    uint32_t reason = page->shutdown.reason;

    if (reason == SHUTDOWN_ENTRY_FAILED)
        report_entry(page);
    if (reason == SHUTDOWN_UNSUPPORTED)
        report("no handler for exit %u, %s", page->shutdown.detail,
               exit_reason_name(page->shutdown.detail));
    report_state(&a);
    report("gdtr %lx limit %lx, idtr %lx limit %lx", page->state.gdtr.base, page->state.gdtr.limit,
           page->state.idtr.base, page->state.idtr.limit);
    bool known = reason < ARRAY_SIZE(reasons);
    end_guest(b, known ? reasons[reason].what : HAPPENING_FAULT,
              "the guest stopped at rip %lx: %s (reason %u, detail %u)", page->state.rip,
              known ? reasons[reason].words : "unknown", reason, page->shutdown.detail);
}

typedef void handler(struct board *b, unsigned vcpu, struct exit_page *page);

static handler *const handlers[] = {
    [EXIT_EVENTS] = on_events,
    [EXIT_IO] = on_io,
    [EXIT_IO_STRING] = string_io,
    [EXIT_MMIO] = on_mmio,
    [EXIT_EOI] = on_eoi,
    [EXIT_SHUTDOWN] = on_shutdown,
    [EXIT_IO_WATCHED] = on_io_watched,
    [EXIT_TASK_SWITCH] = on_task_switch,
};

/* It has halted with IF=0, behind a HLT. */
static void on_halt(struct board *b, const struct guest_state *s)
{
    if (ioapic_wakes_any(&b->ioapic))
        return;
    if (b->info->on[PLAN_ON_HALT] != PLAN_AS_A_PC || b->fuzz.runs)
        end_guest(b, HAPPENING_HALT, "the guest halts for ever, at rip %lx", s->rip - 1);
    else if (!b->halt_told)
        report("the guest halts for ever, with interrupts off, at rip %lx", s->rip - 1);
    b->halt_told = true;
}

static void __attribute__((noreturn)) end_by_wish(struct board *b, enum fuzz_state how,
                                                  const char *why)
{
    fuzz_end(&b->fuzz, how, b->verdict.status, why);
    report_stop(GATE_STOP_POWER_OFF, "%s", why);
}

/* What the guest asked for by a port, or by what it did. */
static void follow_wishes(struct board *b, unsigned vcpu, struct exit_page *page)
{
    char status[32];

    b->wish = false;
    format(status, sizeof(status), "exit status %u", b->verdict.status);
    if (b->verdict.exited)
        end_by_wish(b, FUZZ_EXIT, status);
    if (b->verdict.panicked)
        end_guest(b, HAPPENING_FAULT, "the guest's kernel says that it panicked (pvpanic)");
    if (b->pm.power_off)
        end_by_wish(b, FUZZ_POWER_OFF, "the guest switched itself off");
    if (b->reset.requested) {
        if (b->fuzz.runs || !policy_restarts(b->info->on, HAPPENING_RESET))
            end_by_wish(b, FUZZ_RESET, "the guest reset itself");
        report("restart");
        b->restart = true;
    }
    if (b->restart)
        machine_restart(b, page - vcpu);
}

/* Each vCPU says where it is when it comes here. */
static void ask_all(struct board *b)
{
    uint64_t asked = (uint64_t)gate_ask();

    for (unsigned i = 0; i < b->info->vcpus; i++)
        if (!(asked >> i & 1))
            report("vcpu %u: off: it waits for a SIPI", i);
    b->console.asked = false;
}

/* What the page has may be the reply to an instruction that has been done, which would be done
 * again. */
static void report_where(struct board *b, unsigned vcpu, struct exit_page *page)
{
    const struct guest_state replied = page->state;

    gate_state();
    report_state(&(struct guest_access){b, vcpu, &page->state, .device_linear = GUEST_NO_PAGE});
    page->state = replied;
}

static void on_any_events(struct board *b, unsigned vcpu, struct exit_page *page)
{
    board_events(b, page->events);
    if (page->events & (EVENT_CLOCK | EVENT_WALL_CLOCK))
        kvmclock_events(&b->kvmclock, &b->memory, page->events, &page->clock);
    if (page->events & EVENT_KICK)
        board_kicks(b, page->kicks);
    if (page->events & EVENT_HALT) {
        gate_state();
        on_halt(b, &page->state);
    }
    if (b->console.asked)
        ask_all(b);
    if (page->events & EVENT_ASKED)
        report_where(b, vcpu, page);
    if (page->events & EVENT_RESET) {
        report("restart: who controls the VM asks for it");
        b->restart = b->wish = true;
    }
}

/* Behind few exits: off the way of the others. */
__attribute__((cold, noinline)) static void finish(struct board *b, unsigned vcpu,
                                                   struct exit_page *page)
{
    if (page->events != 0)
        on_any_events(b, vcpu, page);
    if (b->wish)
        follow_wishes(b, vcpu, page);
}

void exit_handle(struct board *b, unsigned vcpu, struct exit_page *page)
{
    if (page->kind >= ARRAY_SIZE(handlers))
        report_stop(GATE_STOP_FAULT,
                    "exit kind %u is not known: the hypervisor and the monitor "
                    "are of different versions, build the image again",
                    page->kind);
    handlers[page->kind](b, vcpu, page);
    if (__builtin_expect((page->events | b->wish) != 0, 0))
        finish(b, vcpu, page);
}
