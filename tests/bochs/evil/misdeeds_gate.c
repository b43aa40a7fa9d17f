/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls in the wrong order, with wrong numbers and arguments, and in states that
 * no compiler makes. */
#include "lib/bits.h"
#include "lib/string.h"
#include "monitor/entry/checks.h"
#include "monitor/exit.h"
#include "monitor/gate.h"
#include "monitor/start.h"
#include "tests/bochs/evil/evil.h"

#define APIC_PAGE  0x1000
#define DATA_RING3 0x00cff3000000ffffULL /* a descriptor that ring 3 could use */
#define FLAG_CALLS 50

void misdeed_run_before_start(struct board *board, struct exit_page *page)
{
    expect(gate_run() == GATE_ESTATE, "GATE_RUN works before GATE_START");
    expect(gate_segments() == 0, "GATE_SEGMENTS fails before GATE_START");
    expect(gate_keys() == 0, "GATE_KEYS tells of keys before GATE_START");
    expect(gate_ask() == 1, "GATE_ASK fails before GATE_START");
    machine_start(board, page);
}

/* Whether the processor has refused the last entry, and the monitor finds out why. */
static bool refused(const struct exit_page *page)
{
    if (page->kind != EXIT_SHUTDOWN || page->shutdown.reason != SHUTDOWN_ENTRY_FAILED)
        return false;
    expect(entry_check(&page->vmcs) != NULL, "no check explains why the entry failed");
    return true;
}

/* What the console has posted meanwhile is told first. */
static int64_t run_after_events(const struct exit_page *page)
{
    int64_t result;

    do
        result = gate_run();
    while (result == 0 && page->kind == EXIT_EVENTS);
    return result;
}

void misdeed_start_badly(struct board *board, struct exit_page *page)
{
    machine_start(board, page);
    page->state.cr4 = UINT64_MAX;
    expect(gate_start() == GATE_ESTATE, "GATE_START takes bits of CR4 that CPUID does not offer");
    expect(gate_run() == GATE_ESTATE, "GATE_RUN works after a GATE_START that failed");
    machine_start(board, page);
    page->state.rflags = 0;
    expect(gate_start() == 0, "GATE_START checks what the processor does");
    expect(run_after_events(page) == 0 && refused(page),
           "RFLAGS with a reserved bit wrong can be entered");
    expect(strcmp(entry_check(&page->vmcs), "guest RFLAGS: bit 1 is 0") == 0,
           "another check than that on RFLAGS failed");
    for (unsigned i = VMCS_INDEX_HOST_CR0; i <= VMCS_INDEX_HOST_SSP_TABLE_ADDRESS; i++)
        expect(page->vmcs.field[i] == 0, "ring 0 tells of itself");
    expect(gate_run() == GATE_ESTATE, "GATE_RUN works after an entry that failed");
    machine_start(board, page);
}

/* Each word of the state with values that few fields can take; the guest may run, but
 * not for long. */
void misdeed_start_with_anything(struct board *board, struct exit_page *page)
{
    static const uint64_t values[] = {0, UINT64_MAX, 1ULL << 63, 0x8000000000000000ULL >> 16};
    const size_t words = sizeof(page->state) / sizeof(uint64_t);

    machine_start(board, page);
    const struct guest_state good = page->state;
    unsigned failed = 0;
    for (size_t word = 0; word < words; word++)
        for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
            page->state = good;
            ((uint64_t *)&page->state)[word] = values[i];
            int64_t started = gate_start();
            expect(started == 0 || started == GATE_ESTATE, "GATE_START knows another error");
            gate_timer(gate_tsc() + 20 * board->process->tsc_khz); /* far behind the entry */
            expect(gate_run() == started, "GATE_RUN does not agree with GATE_START");
            failed += started == 0 && refused(page);
        }
    expect(failed > words / 2, "the processor refuses little");
    gate_timer(UINT64_MAX);
    machine_start(board, page);
}

/* Everything, nothing, and each of CPUID's rules where no leaf has it; the guest may run, but not
 * for long. What ring 0 lets it do does not follow from that. */
void misdeed_offer_anything(struct board *board, struct exit_page *page)
{
    static struct cpuid_table good;
    uint32_t *words = (uint32_t *)gate_cpuid();

    good = *gate_cpuid();
    for (uint32_t value = 0; value < 16; value++) {
        for (size_t i = 0; i < sizeof(good) / sizeof(*words); i++)
            words[i] = value < 8 ? value : UINT32_MAX << (value - 8) * 4;
        machine_start(board, page);
        gate_timer(gate_tsc() + 20 * board->process->tsc_khz);
        expect(gate_run() == 0, "GATE_RUN looks into CPUID's table");
        page->state.cr4 = 1 << 22; /* PKE */
        expect(gate_start() == GATE_ESTATE, "CR4 follows CPUID's table");
    }
    gate_timer(UINT64_MAX);
    *gate_cpuid() = good;
    machine_start(board, page);
}

void misdeed_call_wrongly(struct board *board, struct exit_page *page)
{
    static const uint64_t numbers[] = {GATE_WAIT,  GATE_CALL_COUNT, 255,       1ULL << 32,
                                       1ULL << 61, 1ULL << 63,      UINT64_MAX};
    static const struct odd_call calls[] = {
        {.number = GATE_RUN, .a = UINT64_MAX},
        {.number = GATE_MESSAGE, .a = 0, .b = 0x41},
        {.number = GATE_MESSAGE, .a = UINT64_MAX, .b = UINT64_MAX},
        {.number = GATE_LAPIC_READ, .a = APIC_PAGE},
        {.number = GATE_LAPIC_READ, .a = UINT64_MAX},
        {.number = GATE_LAPIC_WRITE, .a = APIC_PAGE},
        {.number = GATE_LAPIC_WRITE, .a = 1ULL << 32},
        {.number = GATE_LOG, .a = PROCESS_TEXT_SIZE + 1},
        {.number = GATE_DOORBELL, .a = 0x10000, .b = 0},
        {.number = GATE_DOORBELL, .a = UINT64_MAX, .b = 0},
        {.number = GATE_NOTIFY, .a = 2}, /* it has no channel but the console's */
        {.number = GATE_RUN, .a = 2},
        {.number = GATE_RUN, .a = 1ULL << 52},
        {.number = GATE_RUN, .a = GATE_WITH_MESSAGE(0, 0x41) | 2},
        {.number = GATE_NOTIFY, .a = UINT64_MAX},
    };

    machine_start(board, page);
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
        expect(odd_call(&(struct odd_call){.number = numbers[i]}) == GATE_ENOSYS,
               "a call that does not exist");
    for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
        expect(odd_call(&calls[i]) == GATE_EINVAL, "an argument that is out of range");
}

/* What this asks for, an IPI of any kind or a timer, is the guest's own trouble; starting it again
 * ends that. */
void misdeed_write_apic_wildly(struct board *board, struct exit_page *page)
{
    static const uint32_t values[] = {UINT32_MAX, 0, 1, 0x500, 0x600, 0xc4500, 0x200fe};

    machine_start(board, page);
    for (uint32_t offset = 0; offset < APIC_PAGE; offset++)
        for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
            gate_lapic_write(offset, values[i]);
            gate_lapic_read(offset);
        }
    machine_start(board, page);
}

void misdeed_call_with_odd_flags(struct board *board, struct exit_page *page)
{
    static const uint64_t flags[] = {RFLAGS_AC, RFLAGS_NT, RFLAGS_DF,
                                     RFLAGS_AC | RFLAGS_NT | RFLAGS_DF};

    machine_start(board, page);
    for (unsigned i = 0; i < FLAG_CALLS; i++) {
        struct odd_call call = {.number = GATE_RUN, .flags = flags[i % ARRAY_SIZE(flags)] | 2};
        expect(odd_call(&call) == 0, "GATE_RUN fails");
        exit_handle(board, 0, page);
    }
}

void misdeed_call_in_single_step(struct board *board, struct exit_page *page)
{
    machine_start(board, page);
    expect(odd_call(&(struct odd_call){.number = GATE_RUN, .flags = RFLAGS_TF | 2}) == 0,
           "GATE_RUN fails");
    exit_handle(board, 0, page);
}

/* Once the guest has run, because the MSRs of that way in may be the guest's. */
void misdeed_call_by_other_gate(struct board *board, struct exit_page *page)
{
    run_to(board, page, EXIT_IO);
    odd_call(&(struct odd_call){.number = GATE_LOG, .flags = 2, .other_gate = true});
    expect(false, "there are two ways in");
}

void misdeed_return_to_high_bits(struct board *board, struct exit_page *page)
{
    expect(odd_call(&(struct odd_call){
               .number = GATE_LAPIC_READ, .flags = 2, .high = 0xffff8ULL << 44}) == 0,
           "the local APIC's first word is not 0");
    machine_start(board, page);
}

void misdeed_return_to_nowhere(struct board *board, struct exit_page *page)
{
    odd_call(&(struct odd_call){.number = GATE_LAPIC_READ, .flags = 2, .high = UINT64_MAX});
    machine_start(board, page);
}

/* What a call leaves on ring 0's stack, not far behind the GDT, is of ring 3's choice. */
void misdeed_look_behind_gdt(struct board *board, struct exit_page *page)
{
    run_to(board, page, EXIT_IO);
    odd_call(&(struct odd_call){.number = GATE_LOG, .flags = 2, .registers = DATA_RING3});
    expect(descriptors_behind_gdt() == 0, "ring 3 finds descriptors behind the GDT");
    exit_handle(board, 0, page);
}

void misdeed_load_segments(struct board *board, struct exit_page *page)
{
    load_segments();
    machine_start(board, page);
}
