/* SPDX-License-Identifier: BSD-2-Clause */
/* Ports: unclaimed ones, sizes, the string instructions, and the small devices behind them. */
#include "guests/lib/guest.h"
#include "lib/string.h"

#define UNCLAIMED             0x7000
#define PCI_ADDRESS           0xcf8
#define PCI_DATA              0xcfc
#define PCI_ENABLE            0x80000000u
#define PCI_440FX             0x12378086
#define PCI_VENDOR_VIRTIO     0x1af4
#define PCI_CLASS             0x08
#define PCI_CLASS_HOST_BRIDGE 0x0600
#define PIC1_DATA             0x21
#define MCR_LOOPBACK          0x10
#define MCR_ALL_LINES         0x0f
#define MSR_ALL_LINES         0xf0
#define LSR_DATA_READY        0x01
#define IER_TRANSMITTER       0x02
#define IIR_NONE              0x01
#define IIR_TRANSMITTER       0x02
#define IIR_FIFOS             0xc0
#define RTC_SECONDS           0x00
#define RTC_A                 0x0a
#define RTC_D                 0x0d
#define RTC_A_UPDATING        0x80
#define RTC_D_VALID           0x80
#define CMOS_FREE             0x60
#define KBC_DATA              0x60
#define KBC_COMMAND           0x64
#define KBC_OUTPUT_FULL       0x01
#define KBC_SELF_TEST         0xaa
#define KBC_SELF_TEST_GOOD    0x55
#define SYSTEM_PORT_A         0x92

static void test_unclaimed(void)
{
    is(inb(UNCLAIMED), 0xff, "an unclaimed port reads all ones, 8 bits");
    is(inw(UNCLAIMED), 0xffff, "an unclaimed port reads all ones, 16 bits");
    is(inl(UNCLAIMED), 0xffffffff, "an unclaimed port reads all ones, 32 bits");
    is(inw(UNCLAIMED + 1), 0xffff, "an unaligned unclaimed port too");
    outb(UNCLAIMED, 0);
    outw(UNCLAIMED, 0);
    outl(UNCLAIMED, 0);
    ok(true, "writes to an unclaimed port are dropped");
}

static void test_registers(void)
{
    uint64_t rax = 0x1122334455667788;

    __asm__ volatile("inb %%dx, %%al" : "+a"(rax) : "d"(UNCLAIMED));
    is(rax, 0x11223344556677ff, "IN to AL keeps the rest of RAX");
    rax = 0x1122334455667788;
    __asm__ volatile("inw %%dx, %%ax" : "+a"(rax) : "d"(UNCLAIMED));
    is(rax, 0x112233445566ffff, "IN to AX keeps the rest of RAX");
    rax = 0x1122334455667788;
    __asm__ volatile("inl %%dx, %%eax" : "+a"(rax) : "d"(UNCLAIMED));
    is(rax, 0xffffffff, "IN to EAX clears the upper half of RAX");
    rax = 0x1122334455667788;
    __asm__ volatile("inb $0x77, %%al" : "+a"(rax));
    ok((rax & ~0xffULL) == 0x1122334455667700, "IN with an immediate port keeps the rest of RAX");
}

/* INS and OUTS with the direction flag clear or set; returns RDI or RSI and the count
 * that is left. */
struct string_result {
    uint64_t address, count;
};

static struct string_result rep_insb(void *to, uint64_t count, bool down)
{
    struct string_result r = {(uintptr_t)to, count};

    if (down)
        __asm__ volatile("std; rep insb; cld"
                         : "+D"(r.address), "+c"(r.count)
                         : "d"(UNCLAIMED)
                         : "memory");
    else
        __asm__ volatile("rep insb" : "+D"(r.address), "+c"(r.count) : "d"(UNCLAIMED) : "memory");
    return r;
}

static void test_ins(void)
{
    uint8_t *page = page_alloc();
    uint64_t far = MAP_BASE;
    struct string_result r = rep_insb(page + 16, 8, false);

    is(r.address - (uintptr_t)page, 24, "REP INSB advances RDI");
    is(r.count, 0, "REP INSB counts RCX down");
    ok(page[15] == 0 && page[16] == 0xff && page[23] == 0xff && page[24] == 0,
       "REP INSB writes its bytes and no others");
    r = rep_insb(page + 64, 4, true);
    is(r.address - (uintptr_t)page, 60, "REP INSB goes down with DF set");
    ok(page[60] == 0 && page[61] == 0xff && page[64] == 0xff && page[65] == 0,
       "REP INSB downwards writes its bytes and no others");
    r = rep_insb(page, 0, false);
    ok(r.address == (uintptr_t)page && page[0] == 0, "REP INSB with RCX 0 does nothing");
    map_page(far, (uintptr_t)page_alloc(), PAGE_WRITE);
    map_page(far + PAGE_SIZE, (uintptr_t)page_alloc(), PAGE_WRITE);
    r = rep_insb((void *)(far + PAGE_SIZE - 5), 10, false);
    ok(*(uint8_t *)(far + PAGE_SIZE - 5) == 0xff && *(uint8_t *)(far + PAGE_SIZE + 4) == 0xff &&
           *(uint8_t *)(far + PAGE_SIZE + 5) == 0,
       "REP INSB crosses into another page");
    __asm__ volatile("insl" : "+D"((uint64_t){(uintptr_t)page + 100}) : "d"(UNCLAIMED) : "memory");
    is(*(uint32_t *)(page + 100), 0xffffffff, "INSD without REP");
}

static void test_ins_fault(void)
{
    uint64_t far = MAP_BASE + 0x10000;
    uint64_t address = far + PAGE_SIZE - 4, count = 8;
    struct trap trap;

    map_page(far, (uintptr_t)page_alloc(), PAGE_WRITE);
    trap = TRY_ASM("rep insb", "+D"(address), "+c"(count) : "d"(UNCLAIMED));
    is_trap(trap, VECTOR_PF, 2, "REP INSB into an unmapped page is a page fault");
    is(trap.cr2, far + PAGE_SIZE, "CR2 is the first unmapped byte");
    is(count, 4, "RCX is what is left");
    is(address, far + PAGE_SIZE, "RDI is the byte that faulted");
}

static void test_outs(void)
{
    static const char text[] = "abcdef";
    uint64_t address = (uintptr_t)text, count = 6;

    __asm__ volatile("rep outsb" : "+S"(address), "+c"(count) : "d"(UART_SCR) : "memory");
    is(inb(UART_SCR), 'f', "REP OUTSB writes the last byte last");
    ok(address == (uintptr_t)text + 6 && count == 0, "REP OUTSB advances RSI and counts RCX down");
    address = (uintptr_t)text + 2;
    __asm__ volatile("outsb" : "+S"(address) : "d"(UART_SCR) : "memory");
    is(inb(UART_SCR), 'c', "OUTSB without REP");
    wrmsr(MSR_IA32_FS_BASE, (uintptr_t)text);
    address = 3;
    __asm__ volatile("fs outsb" : "+S"(address) : "d"(UART_SCR) : "memory");
    is(inb(UART_SCR), 'd', "OUTSB with an FS prefix");
    address = 0xffffffff00000000 | (uintptr_t)text;
    __asm__ volatile("addr32 outsb" : "+S"(address) : "d"(UART_SCR) : "memory");
    is(inb(UART_SCR), 'a', "OUTSB with 32-bit addresses");
    is(address, (uintptr_t)text + 1, "OUTSB with 32-bit addresses clears RSI's upper half");
}

static void wait_until_sent(void)
{
    while (!(inb(UART_LSR) & UART_LSR_TEMT))
        cpu_relax();
}

static void test_uart(void)
{
    uint8_t low, high, divisor;

    outb(UART_SCR, 0x5a);
    is(inb(UART_SCR), 0x5a, "the UART's scratch register keeps a byte");
    wait_until_sent();
    is(inb(UART_LSR), UART_LSR_THRE | UART_LSR_TEMT, "the line status of an idle UART");
    wait_until_sent();
    outb(UART_LCR, UART_LCR_8N1 | UART_LCR_DLAB);
    low = inb(UART_DLL);
    high = inb(UART_DLM);
    outb(UART_DLM, 0x12);
    divisor = inb(UART_DLM);
    outb(UART_DLL, low);
    outb(UART_DLM, high);
    outb(UART_LCR, UART_LCR_8N1);
    is(divisor, 0x12, "the divisor is behind DLAB");
    is(inb(UART_LCR), UART_LCR_8N1, "the line control reads back");
    is(inb(UART_IER), 0, "no interrupt is enabled");
    outb(UART_FCR, 0x07);
    is(inb(UART_IIR) & IIR_FIFOS, IIR_FIFOS, "enabled FIFOs show in IIR");
    outb(UART_FCR, 0);
    is(inb(UART_IIR) & IIR_FIFOS, 0, "disabled FIFOs show in IIR");
}

static void test_uart_interrupt(void)
{
    uint8_t idle, raised, cleared;

    wait_until_sent();
    idle = inb(UART_IIR) & 0x0f;
    outb(UART_IER, IER_TRANSMITTER);
    raised = inb(UART_IIR) & 0x0f;
    cleared = inb(UART_IIR) & 0x0f;
    outb(UART_IER, 0);
    is(idle, IIR_NONE, "no interrupt is pending");
    is(raised, IIR_TRANSMITTER, "enabling the transmitter interrupt raises it");
    is(cleared, IIR_NONE, "reading IIR clears it");
}

static void test_uart_loopback(void)
{
    uint8_t lines_up, lines_down, ready, data, after, last;

    wait_until_sent();
    outb(UART_MCR, MCR_LOOPBACK | MCR_ALL_LINES);
    lines_up = inb(UART_MSR) & MSR_ALL_LINES;
    outb(UART_MCR, MCR_LOOPBACK);
    lines_down = inb(UART_MSR) & MSR_ALL_LINES;
    outb(UART_DATA, 0xa5);
    for (unsigned i = 0; i < 100000 && !(inb(UART_LSR) & LSR_DATA_READY); i++)
        cpu_relax();
    ready = inb(UART_LSR) & LSR_DATA_READY;
    data = inb(UART_DATA);
    after = inb(UART_LSR) & LSR_DATA_READY;
    for (uint8_t byte = 1; byte <= 2; byte++) {
        wait_until_sent();
        outb(UART_DATA, byte);
    }
    wait_until_sent();
    for (unsigned i = 0; i < 10000; i++)
        cpu_relax();
    last = inb(UART_DATA);
    outb(UART_MCR, 0);
    is(lines_up, MSR_ALL_LINES, "loopback turns the modem lines around");
    is(lines_down, 0, "loopback follows them down");
    is(ready, LSR_DATA_READY, "loopback receives what it sends");
    is(data, 0xa5, "loopback gives the byte");
    is(after, 0, "reading the byte clears data-ready");
    is(last, 2, "without FIFOs the next byte destroys one that was not read");
}

/* What software that knows the PC does before it uses the controller, or with A20. */
static void test_keyboard_controller(void)
{
    unsigned reads = 0, waits = 0;
    uint8_t port_a;

    for (; inb(KBC_COMMAND) & KBC_OUTPUT_FULL && reads < 10000; reads++)
        inb(KBC_DATA);
    ok(reads < 10000, "the keyboard controller's output is empty after some reads");
    outb(KBC_COMMAND, KBC_SELF_TEST);
    for (; !(inb(KBC_COMMAND) & KBC_OUTPUT_FULL) && waits < 100000; waits++)
        cpu_relax();
    is(inb(KBC_DATA), KBC_SELF_TEST_GOOD, "the keyboard controller passes its self-test");
    port_a = inb(SYSTEM_PORT_A);
    outb(SYSTEM_PORT_A, (uint8_t)((port_a | 2) & ~1));
    is(inb(SYSTEM_PORT_A) & 3, 2, "port 92h: A20 is on, no reset");
}

static void pci_select(uint32_t device, uint32_t offset)
{
    outl(PCI_ADDRESS, PCI_ENABLE | device << 11 | offset);
}

static uint32_t pci_read(uint32_t device)
{
    pci_select(device, 0);
    return inl(PCI_DATA);
}

/* An operating system's probe for the bus looks for it. */
static void test_pci_bridge(void)
{
    is(pci_read(0), PCI_440FX, "a host bridge is the bus's first device");
    outl(PCI_DATA, 0);
    is(inl(PCI_DATA), PCI_440FX, "its ids do not change");
    is(inw(PCI_DATA + 2), PCI_440FX >> 16, "a word of its configuration space");
    is(inb(PCI_DATA + 1), PCI_440FX >> 8 & 0xff, "a byte of its configuration space");
    pci_select(0, PCI_CLASS);
    is(inw(PCI_DATA + 2), PCI_CLASS_HOST_BRIDGE, "its class says what it is");
    outl(PCI_ADDRESS, 0);
    is(inl(PCI_DATA), 0xffffffff, "without the enable bit nothing is selected");
}

static void test_pci(void)
{
    bool known = true;

    is(pci_read(31), 0xffffffff, "an empty PCI slot reads all ones");
    is(inl(PCI_ADDRESS), PCI_ENABLE | 31u << 11, "the PCI address register reads back");
    is(inb(PCI_DATA + 3), 0xff, "a byte of an empty slot reads all ones");
    is(inw(PCI_DATA + 2), 0xffff, "a word of an empty slot reads all ones");
    if (!has_hypervisor()) {
        skip("the bare machine has others", "the bus holds virtio devices, and nothing else");
        return;
    }
    for (uint32_t device = 1; device < 32; device++)
        known = known && (pci_read(device) == 0xffffffff ||
                          (pci_read(device) & 0xffff) == PCI_VENDOR_VIRTIO);
    ok(known, "the bus holds virtio devices, and nothing else");
}

static bool is_bcd(uint8_t value)
{
    return (value & 0x0f) <= 9 && value >> 4 <= 9;
}

static void test_rtc(void)
{
    bool bcd = true, wrote = true;
    uint8_t before, second;

    is(cmos_read(RTC_D) & RTC_D_VALID, RTC_D_VALID, "the RTC's time is valid");
    while (cmos_read(RTC_A) & RTC_A_UPDATING)
        cpu_relax();
    static const uint8_t clock[] = {0, 2, 4, 7, 8, 9};
    for (unsigned i = 0; i < ARRAY_SIZE(clock); i++)
        bcd = bcd && is_bcd(cmos_read(clock[i]) & 0x7f);
    ok(bcd, "the RTC's time is in BCD");
    before = cmos_read(CMOS_FREE);
    for (unsigned value = 0; value < 256; value += 85) {
        cmos_write(CMOS_FREE, (uint8_t)value);
        wrote = wrote && cmos_read(CMOS_FREE) == value;
    }
    cmos_write(CMOS_FREE, before);
    ok(wrote, "CMOS RAM keeps what is written");
    second = cmos_read(RTC_SECONDS);
    uint32_t start = inl(PM_TIMER) & 0xffffff, passed = 0;
    while (cmos_read(RTC_SECONDS) == second && passed < 2 * 3579545)
        passed = (inl(PM_TIMER) - start) & 0xffffff;
    ok(passed < 3579545 * 11 / 10, "the RTC's second goes on within a second of the PM timer");
}

static void test_pm_timer(void)
{
    uint32_t a = inl(PM_TIMER), b;

    for (unsigned i = 0; i < 1000; i++)
        cpu_relax();
    b = inl(PM_TIMER);
    ok(((b - a) & 0xffffff) > 0 && ((b - a) & 0xffffff) < 0x100000, "the PM timer runs");
}

/* The IOAPIC takes all interrupts; an operating system finds no 8259 and goes without. */
static void test_pic(void)
{
    outb(PIC1_DATA, 0);
    if (has_hypervisor())
        is(inb(PIC1_DATA), 0xff, "there is no 8259");
    else
        skip("the bare machine has one", "there is no 8259");
    outb(PIC1_DATA, 0xff);
}

void guest_main(void)
{
    test_unclaimed();
    test_registers();
    test_ins();
    test_ins_fault();
    test_outs();
    test_uart();
    test_uart_interrupt();
    test_uart_loopback();
    test_keyboard_controller();
    test_pci();
    test_pci_bridge();
    test_rtc();
    test_pm_timer();
    test_pic();
}
