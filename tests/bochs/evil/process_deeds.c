/* SPDX-License-Identifier: BSD-2-Clause */
/* What a process has no business to do, and what it may do. */
#include "abi/log.h"
#include "lib/bits.h"
#include "lib/string.h"
#include "runtime/call.h"
#include "runtime/gate.h"
#include "runtime/io.h"
#include "runtime/log.h"
#include "tests/bochs/evil/odd_call.h"
#include "tests/bochs/evil/process.h"

#define POISON     0x6e6e6e6e6e6e6e6eULL
#define POISONINGS 200
#define PAST       20000
#define LOG_LINES  2000
#define PIT        0x40
#define RTC_DATA   0x71

static const uint64_t values[] = {0,          1,          2,      3,          64,
                                  0xfff,      0x1000,     0x1001, 1ULL << 31, 1ULL << 32,
                                  1ULL << 47, 1ULL << 63, POISON, UINT64_MAX};

/* The first and the last byte; what is read-only is read. */
static void use(uint64_t address, uint64_t size, bool writable)
{
    volatile uint8_t *bytes = (volatile uint8_t *)address;
    uint8_t first = bytes[0], last = bytes[size - 1];

    if (writable) {
        bytes[0] = first;
        bytes[size - 1] = last;
    }
}

void deed_use_all_that_is_granted(void)
{
    const struct process_info *info = INFO;

    use(PROCESS_INFO, PAGE_SIZE, false);
    use(PROCESS_TEXT, PROCESS_TEXT_SIZE, true);
    use(PROCESS_STACK - PROCESS_STACK_SIZE, PROCESS_STACK_SIZE, true);
    use(PROCESS_FILE, info->file_size, false);
    use(PROCESS_DMA, info->dma_size, true);
    for (uint32_t n = 0; n < info->channel_count; n++) {
        use(PROCESS_CHANNEL + n * PROCESS_CHANNEL_STRIDE, info->channels[n].size, true);
        use(PROCESS_EXTENT + n * PAGE_SIZE, PAGE_SIZE, false);
    }
    for (uint64_t at = align_up(info->file_size, 8); at < PAGE_SIZE; at += 8)
        expect(*(const uint64_t *)(PROCESS_FILE + at) == 0, "something lies behind the file");
}

static bool is_own(uint64_t number)
{
    return number == GATE_TIMER || number == GATE_LOG || number == GATE_STOP ||
           number == GATE_WAIT || number == GATE_NOTIFY;
}

/* A monitor's calls and those that do not exist, with each kind of number in each place. */
void deed_call_what_there_is_not(void)
{
    uint64_t numbers[GATE_CALL_COUNT + 6] = {GATE_CALL_COUNT,         255,        1ULL << 32,
                                             (1ULL << 32) | GATE_LOG, 1ULL << 63, UINT64_MAX};

    for (uint64_t i = 0; i < GATE_CALL_COUNT; i++)
        numbers[6 + i] = i;
    for (size_t n = 0; n < ARRAY_SIZE(numbers); n++)
        for (size_t i = 0; !is_own(numbers[n]) && i < 3 * ARRAY_SIZE(values); i++) {
            struct odd_call call = {.number = numbers[n], .flags = 2};
            *(i % 3 == 0 ? &call.a : i % 3 == 1 ? &call.b : &call.c) = values[i / 3];
            expect(odd_call(&call) == GATE_ENOSYS, "a call that is not a process's");
        }
}

/* Of all numbers but those that are its own to use. */
void deed_control_with_any_argument(void)
{
    for (size_t vm = 0; vm < ARRAY_SIZE(values); vm++)
        for (size_t what = 0; what < ARRAY_SIZE(values); what++)
            for (size_t i = 0; i < ARRAY_SIZE(values); i++)
                if (values[vm] != 1 || values[what] >= GATE_CONTROL_COUNT)
                    expect(gate_call(GATE_CONTROL, values[vm], values[what], values[i]) ==
                               GATE_EINVAL,
                           "another VM is controlled, or by a call there is not");
    for (size_t i = 0; i < ARRAY_SIZE(values); i++)
        expect(gate_control(PLAN_MAX_PROCESSES, GATE_CONTROL_PROCESS, values[i]) == GATE_EINVAL,
               "a process is seen that is not there");
    for (size_t i = 0; i < PLAN_MAX_PROCESSES; i++)
        expect(gate_control((unsigned)i, GATE_CONTROL_TRACE_PROCESS, 1) == GATE_EINVAL,
               "a process is traced that works for another VM");
    for (size_t i = 0; i < ARRAY_SIZE(values); i++)
        if (values[i] >= 0x1000000)
            expect(gate_control(1, GATE_CONTROL_MEMORY, values[i]) == GATE_EINVAL,
                   "memory that is not its VM's is read");
    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        uint64_t address = values[i] & 0xffffffffffffff;
        if (address >= 0x1000000)
            expect(gate_control(1, GATE_CONTROL_POKE, values[i]) == GATE_EINVAL,
                   "memory that is not its VM's is written");
        expect(gate_control(1, GATE_CONTROL_SET, values[i]) < 0,
               "a VM that no debugger has stopped is changed");
        if (GATE_CONTROL_VCPU(values[i]) != 0)
            expect(gate_control(1, GATE_CONTROL_DEBUG, values[i]) == GATE_EINVAL,
                   "a vCPU that is not there is stopped");
    }
}

/* To and fro, as often as it can: the VM itself loses time, and nobody else notices. */
void deed_control_the_own_vm(void)
{
    for (unsigned i = 0; i < POISONINGS; i++) {
        expect(gate_control(1, GATE_CONTROL_PAUSE, 0) == 0, "its VM is not paused");
        expect(gate_control(1, GATE_CONTROL_PAUSE, 0) == GATE_ESTATE, "it is paused twice");
        if (i % 16 == 0)
            rest(1);
        expect(gate_control(1, GATE_CONTROL_LOOK, 0) == 0 &&
                   ((const struct gate_vm *)gate_text())->state == GATE_VM_PAUSED,
               "what is paused runs");
        expect(gate_control(1, GATE_CONTROL_TRACE, i & 1) == 0, "it is not traced");
        expect(gate_control(1, GATE_CONTROL_REGISTERS, 0) == 0, "its registers are not there");
        expect(gate_control(1, GATE_CONTROL_MEMORY, 0x100000 + i) == 0, "its memory is not there");
        expect(gate_control(1, GATE_CONTROL_RESUME, 0) == 0, "its VM does not go on");
        expect(gate_control(1, GATE_CONTROL_RESUME, 0) == GATE_ESTATE, "it goes on twice");
    }
}

void deed_read_log(void)
{
    use(PROCESS_LOG + LOG_READER_SIZE, sizeof(struct log_ring), false);
}

static void call_with(uint64_t number, uint64_t good)
{
    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        struct odd_call call = {.number = number, .a = values[i], .b = POISON, .flags = 2};
        int64_t expected = values[i] < good ? 0 : GATE_EINVAL;
        expect(odd_call(&call) == expected, "an argument that is out of range");
    }
}

void deed_call_with_any_argument(void)
{
    call_with(GATE_NOTIFY, BIT(INFO->channel_count));
    for (size_t i = 0; i < ARRAY_SIZE(values); i++)
        if (values[i] >= BIT(INFO->channel_count))
            expect(gate_call(GATE_WAIT, values[i], 0, 0) == GATE_EINVAL, "a channel there is not");
    for (size_t i = 0; i < ARRAY_SIZE(values); i++)
        if (values[i] >= BIT(INFO->interrupt_count))
            expect(gate_call(GATE_WAIT, 0, values[i], 0) == GATE_EINVAL,
                   "an interrupt there is not");
    *gate_text() = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(values); i++)
        if (values[i] > PROCESS_TEXT_SIZE)
            expect(gate_log(values[i]) == GATE_EINVAL, "a line that is longer than the page");
}

void deed_call_with_odd_flags(void)
{
    static const uint64_t flags[] = {RFLAGS_AC, RFLAGS_NT, RFLAGS_DF, RFLAGS_IOPL,
                                     RFLAGS_AC | RFLAGS_NT | RFLAGS_DF | RFLAGS_IOPL};

    for (unsigned i = 0; i < 10 * ARRAY_SIZE(flags); i++) {
        struct odd_call call = {
            .number = GATE_NOTIFY, .a = 1, .flags = flags[i % ARRAY_SIZE(flags)] | 2};
        expect(odd_call(&call) == 0, "a call with odd flags fails");
    }
}

/* The stack pointer is the call's business on neither way. */
static int64_t call_on_stack(uint64_t stack)
{
    int64_t result = GATE_NOTIFY;

    if (gate_entry == GATE_SYSENTER)
        __asm__ volatile(
            "movq %%rsp, %%rbx; movq %1, %%rcx; movq %1, %%rsp; leaq 1f(%%rip), %%r11\n\t"
            "sysenter\n1:\tmovq %%rbx, %%rsp"
            : "+a"(result)
            : "r"(stack), "D"(1ULL)
            : "rbx", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "cc", "memory");
    else
        __asm__ volatile("movq %%rsp, %%rbx; movq %1, %%rsp; syscall; movq %%rbx, %%rsp"
                         : "+a"(result)
                         : "r"(stack), "D"(1ULL)
                         : "rbx", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "cc", "memory");
    return result;
}

void deed_call_with_odd_stack(void)
{
    static const uint64_t stacks[] = {
        0, 1, 0x800000000000, 0xffff800000100000, 0xffffffff80000000, POISON, UINT64_MAX};

    for (size_t i = 0; i < ARRAY_SIZE(stacks); i++)
        expect(call_on_stack(stacks[i]) == 0, "a call with an odd stack pointer fails");
}

/* POPF leaves what ring 3 may not set. */
void deed_want_more_flags(void)
{
    uint64_t flags = RFLAGS_IOPL | 2; /* and no IF */

    __asm__ volatile("pushq %0; popfq; pushfq; popq %0" : "+r"(flags) : : "cc", "memory");
    expect((flags & RFLAGS_IOPL) == 0, "ring 3 sets IOPL");
    expect(flags & BIT(9), "ring 3 clears IF");
}

/* They stay for a while: whoever has the CPU then does not find them. */
void deed_load_own_segments(void)
{
    load_segments();
    for (unsigned i = 0; i < POISONINGS; i++) {
        gate_notify(0);
        load_segments();
        rest(0);
    }
}

void deed_find_no_descriptor(void)
{
    struct odd_call call = {
        .number = GATE_NOTIFY, .a = 1, .flags = 2, .registers = 0x00cff3000000ffff};

    odd_call(&call);
    expect(descriptors_behind_gdt() == 0, "ring 3 finds descriptors behind the GDT");
}

/* Others have the CPU next, with what is left in the registers. */
void deed_fill_registers(void)
{
    for (unsigned i = 0; i < POISONINGS; i++) {
        struct odd_call call = {.number = i % 2 == 0 ? GATE_NOTIFY : GATE_WAIT,
                                .a = 1,
                                .b = i % 2 == 0 ? POISON : 0,
                                .c = POISON,
                                .flags = 0x8d7, /* all that arithmetic sets */
                                .registers = POISON};

        gate_timer(0);
        expect(odd_call(&call) >= 0, "a call fails");
    }
}

void deed_set_timers(void)
{
    for (unsigned i = 0; i < PAST; i++)
        expect(gate_timer(i % 3 == 0 ? 0 : i % 3 == 1 ? gate_tsc() : 1) == 0, "GATE_TIMER fails");
    for (unsigned i = 0; i < PAST; i++)
        gate_timer(UINT64_MAX - i);
    rest(0); /* whoever watches calls, too */
}

void deed_call_by_other_gate(void)
{
    odd_call(&(struct odd_call){.number = GATE_NOTIFY, .a = 1, .flags = 2, .other_gate = true});
}

void deed_overflow_own_stack(void)
{
    overflow_stack();
}

void deed_use_x87(void)
{
    __asm__ volatile("fninit");
}

void deed_use_vectors(void)
{
    __asm__ volatile("movq %xmm0, %rax");
}

void deed_use_wide_vectors(void)
{
    __asm__ volatile("vmovdqu %ymm0, -64(%rsp)");
}

void deed_read_control_word(void)
{
    __asm__ volatile("stmxcsr -8(%rsp)");
}

void deed_call_in_single_step(void)
{
    struct odd_call call = {.number = GATE_NOTIFY, .a = 1, .flags = RFLAGS_TF | 2};

    expect(odd_call(&call) == 0, "a call in a single step fails");
}

void deed_return_to_high_bits(void)
{
    struct odd_call call = {.number = GATE_NOTIFY, .a = 1, .flags = 2, .high = 0xffff8ULL << 44};

    expect(odd_call(&call) == 0, "a call with a high address fails");
}

void deed_return_to_nowhere(void)
{
    odd_call(&(struct odd_call){.number = GATE_NOTIFY, .a = 1, .flags = 2, .high = UINT64_MAX});
}

void deed_die_again(void)
{
    --*NEXT_ROW;
    __builtin_trap();
}

void deed_flood_log(void)
{
    for (unsigned i = 0; i < LOG_LINES; i++)
        log_line("line %u\r\nlintel: end: 0 VMs, 0 faults\033[2J", i);
}

void deed_behind_channel(void)
{
    *(volatile uint8_t *)(PROCESS_CHANNEL + INFO->channels[0].size) = 0;
}

void deed_use_window(void)
{
    expect(INFO->window_count == 1, "there is another number of windows");
    use(PROCESS_WINDOW, INFO->windows[0].size, false);
}

void deed_use_ports(void)
{
    (void)inb(PIT);
    (void)inw(PIT);
    (void)inl(PIT);
    (void)inw(PIT + 2);
    (void)inb(PIT + 3);
}

void deed_port_below(void)
{
    (void)inb(PIT - 1);
}

void deed_port_above(void)
{
    (void)inb(PIT + 4);
}

void deed_word_from_below(void)
{
    (void)inw(PIT - 1);
}

void deed_word_over_the_end(void)
{
    outw(PIT + 3, 0);
}

void deed_words_over_the_end(void)
{
    (void)inl(PIT + 1);
}

void deed_string_over_the_end(void)
{
    uint16_t words[2];
    uint16_t *to = words;
    uint64_t count = ARRAY_SIZE(words);

    __asm__ volatile("rep insw" : "+D"(to), "+c"(count) : "d"(PIT + 3) : "memory");
}

/* The one that watches calls, too. */
static int64_t wait_for_interrupt_or_timer(uint64_t ms)
{
    int64_t events = 0;

    gate_timer(gate_tsc() + ms * INFO->tsc_khz);
    while (events == 0)
        events = gate_wait() & (int64_t)(EVENT_INTERRUPT(0) | EVENT_TIMER);
    return events;
}

/* It is not heard of again before it says that it has answered, which it never has. */
void deed_leave_interrupt_unanswered(void)
{
    outw(INFO->ports[0].first + 2, 1);
    for (unsigned i = 0; i < 5; i++) {
        expect(wait_for_interrupt_or_timer(5000) == (int64_t)EVENT_INTERRUPT(0),
               "the line does not ask again");
        expect(wait_for_interrupt_or_timer(1) == (int64_t)EVENT_TIMER,
               "the line asks before it was answered");
        gate_interrupts_done(1);
    }
}

void deed_port_before(void)
{
    (void)inb(RTC_DATA);
    (void)inb(RTC_DATA - 1);
}

void deed_port_behind(void)
{
    (void)inb(RTC_DATA + 1);
}

void deed_word_of_a_byte(void)
{
    (void)inw(RTC_DATA);
}
