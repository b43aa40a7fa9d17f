/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests that use up what all VMs share, each in the way that its command line names
 * (hostile.def); none of them ends. */
#include "guests/hostile_rows.h"
#include "guests/lib/fuzz.h"
#include "guests/lib/guest.h"
#include "guests/lib/virtio.h"
#include "lib/string.h"

#define TIMER_VECTOR     0x41
#define ILLEGAL_VECTOR   0x02
#define LEVEL_VECTOR     0x74
#define TURN_TICKS       29000
#define LEAST_TURN_TICKS 9000
#define SHORT            300
#define LONG             2000000 /* a fifth of a second */

#define IOAPIC             0xfec00000ULL
#define NO_MEMORY          0xd0000000ULL
#define IOAPIC_WINDOW      0x10
#define IOAPIC_REDIRECTION 0x10
#define REDIRECTION_LEVEL  0x8000
#define UART_PIN           4
#define UART_MCR_OUT2      0x08
#define UART_IER_THRE      0x02
#define CHAIN              64 /* pieces, as many as one takes */

static void on_interrupt(struct interrupt_frame *frame)
{
    apic_eoi();
}

static void use_apic(void)
{
    apic_enable(has_x2apic() ? APIC_X2 : APIC_MEMORY);
    interrupt_handle(TIMER_VECTOR, on_interrupt);
    apic_write(APIC_DIVIDE, DIVIDE_BY_1);
}

static void start_timer(uint8_t vector)
{
    apic_write(APIC_LVT_TIMER, LVT_TIMER_PERIODIC | vector);
    apic_write(APIC_INITIAL_COUNT, 1);
}

static void set_deadline(uint64_t ticks)
{
    wrmsr(MSR_IA32_TSC_DEADLINE, rdtsc() + ticks);
}

static void spin(void)
{
    interrupts_on();
    for (;;)
        ;
}

static void pause(void)
{
    for (;;)
        cpu_relax();
}

/* Lets the others run as a guest that spins for a lock does, and then wants all of that back. */
static void pause_and_work(void)
{
    for (;;) {
        for (uint64_t start = rdtsc(); rdtsc() - start < LONG;)
            cpu_relax();
        for (uint64_t start = rdtsc(); rdtsc() - start < LONG;)
            ;
    }
}

static void halt_between(uint64_t busy, uint64_t idle)
{
    apic_write(APIC_LVT_TIMER, LVT_TIMER_DEADLINE | TIMER_VECTOR);
    for (;;) {
        for (uint64_t start = rdtsc(); rdtsc() - start < busy;)
            ;
        set_deadline(idle);
        sti_hlt_cli();
    }
}

/* Gives up the CPU just before its turn is over, to be woken with the rest of it. */
static void yield_late(void)
{
    halt_between(TURN_TICKS, SHORT);
}

static void wake_often(void)
{
    halt_between(0, SHORT);
}

/* As often as the least turn of the other one allows, and with the CPU's half of the time. */
static void wake_and_work(void)
{
    halt_between(LEAST_TURN_TICKS, SHORT);
}

/* Nothing can be delivered. */
static void timer_masked(void)
{
    start_timer(TIMER_VECTOR);
    for (;;)
        __asm__ volatile("cli; hlt");
}

static void timer_held_back(void)
{
    write_cr8(15);
    start_timer(TIMER_VECTOR);
    for (;;)
        __asm__ volatile("sti; hlt");
}

/* An error each time, which is no interrupt. */
static void timer_illegal(void)
{
    start_timer(ILLEGAL_VECTOR);
    for (;;)
        __asm__ volatile("sti; hlt");
}

static void timer_wakes(void)
{
    start_timer(TIMER_VECTOR);
    for (;;)
        __asm__ volatile("sti; hlt");
}

static void timer_interrupts(void)
{
    start_timer(TIMER_VECTOR);
    spin();
}

static void on_rearm(struct interrupt_frame *frame)
{
    wrmsr(MSR_IA32_TSC_DEADLINE, 1);
    apic_eoi();
}

static void timer_rearmed(void)
{
    interrupt_handle(TIMER_VECTOR, on_rearm);
    apic_write(APIC_LVT_TIMER, LVT_TIMER_DEADLINE | TIMER_VECTOR);
    wrmsr(MSR_IA32_TSC_DEADLINE, 1);
    spin();
}

static void tsc_jumps(void)
{
    apic_write(APIC_LVT_TIMER, LVT_TIMER_DEADLINE | TIMER_VECTOR);
    interrupts_on();
    for (;;) {
        set_deadline(BIT(62));
        wrmsr(MSR_IA32_TSC, rdtsc() + BIT(62) + SHORT);
    }
}

static void self_ipis(void)
{
    interrupts_on();
    for (;;)
        apic_self_ipi(TIMER_VECTOR);
}

/* The UART's line stays high: its interrupt comes again with each EOI. */
static void level_interrupts(void)
{
    interrupt_handle(LEVEL_VECTOR, on_interrupt);
    *(volatile uint32_t *)IOAPIC = IOAPIC_REDIRECTION + 2 * UART_PIN;
    *(volatile uint32_t *)(IOAPIC + IOAPIC_WINDOW) = REDIRECTION_LEVEL | LEVEL_VECTOR;
    outb(UART_MCR, UART_MCR_OUT2);
    outb(UART_IER, UART_IER_THRE);
    spin();
}

/* With IF=1: otherwise Bochs keeps the interrupt of the console out, by which the victim's verdict
 * comes (docs/emulator.md). */
static void exits(void)
{
    interrupts_on();
    for (;;)
        cpuid(0, 0);
}

static void faults(void)
{
    for (;;)
        try_wrmsr(0x12345678, 0);
}

static void port_string(void)
{
    static uint8_t bytes[0x10000];

    for (;;) {
        void *to = bytes;
        uint64_t count = sizeof(bytes);
        __asm__ volatile("rep insb" : "+D"(to), "+c"(count) : "d"(UART_SCR) : "memory");
    }
}

static void device_memory(void)
{
    for (;;)
        *(volatile uint32_t *)IOAPIC = 0;
}

static void console(void)
{
    for (;;)
        serial_write("a line of nothing but noise, which its VM's console has to carry\n");
}

/* Its driver's buffers are never used up: each head leads to a table of as many as a chain can
 * have, and is offered again as soon as it is used. */
static void virtio_console(void)
{
    static struct virtio v;
    static struct virtq q;
    struct virtq_descriptor *table = page_alloc();
    char *noise = page_alloc();
    uint32_t written;

    if (!virtio_find(&v, VIRTIO_ID_CONSOLE) ||
        !virtio_negotiate(&v, VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC) ||
        !virtio_add_queue(&v, &q, 1, VIRTIO_NO_VECTOR) || !virtio_driver_ok(&v))
        bail_out("there is no virtio console");
    for (unsigned i = 0; i < PAGE_SIZE; i++)
        noise[i] = i % 64 == 63 ? '\n' : 'x';
    for (uint16_t i = 0; i < CHAIN; i++)
        table[i] = (struct virtq_descriptor){(uintptr_t)noise, PAGE_SIZE,
                                             i < CHAIN - 1 ? VIRTQ_NEXT : 0, (uint16_t)(i + 1)};
    for (uint16_t i = 0; i < VIRTQ_SIZE; i++) {
        q.descriptors[i] =
            (struct virtq_descriptor){(uintptr_t)table, CHAIN * sizeof(*table), VIRTQ_INDIRECT, 0};
        virtq_offer(&v, &q, i);
    }
    for (;;) {
        int head = virtq_take(&q, &written);

        if (head >= 0)
            virtq_offer(&v, &q, (uint16_t)head);
    }
}

static void go_there_again(struct interrupt_frame *frame)
{
}

/* Each jump to where no memory is has a line in the log. */
static void log_lines(void)
{
    interrupt_handle(VECTOR_UD, go_there_again);
    __asm__ volatile("jmp *%0" : : "r"(NO_MEMORY));
}

static void resets(void)
{
    reset();
}

/* As one that is fuzzed does behind an input, which it has given itself. */
static void stands(void)
{
    static uint8_t buffer[16];

    fuzz_ready(buffer, sizeof(buffer));
    ((volatile struct fuzz_page *)FUZZ_PAGE)->given = FUZZ_GIVEN;
    fuzz_input();
    fuzz_done(0);
}

static const struct {
    const char *name;
    void (*run)(void);
} rows[] = {
#define HOSTILE(name)       {#name, name},
#define HOSTILE_CPUS(name)  {#name, name},
#define HOSTILE_DISK(name)  {#name, name},
#define HOSTILE_FLAWS(name) {#name, name},
#define HOSTILE_NET(name)   {#name, name},
#include "guests/hostile.def"
#undef HOSTILE
#undef HOSTILE_CPUS
#undef HOSTILE_DISK
#undef HOSTILE_FLAWS
#undef HOSTILE_NET
};

void guest_main(void)
{
    use_apic();
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
        if (strcmp(rows[i].name, command_line()) == 0)
            rows[i].run();
    bail_out("no such row: %s", command_line());
}
