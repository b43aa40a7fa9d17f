/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The instructions of device_segments.def on an operand that is partly in device memory where
 * nothing is, and on the same bytes in RAM: the processor must be in the same state afterwards.
 */
#include "guests/lib/guest.h"
#include "lib/string.h"

#define UNCLAIMED 0xd0000000ULL

/* Three pages each: without memory, with the operand's other bytes, and again without. */
#define DEVICE_PAGES MAP_BASE
#define RAM_PAGES    (MAP_BASE + 0x10000)

/* The low bytes of the selectors from ff00h on. LDTs and TSSs have 16 bytes. */
#define LOW_DATA        0x08ULL
#define LOW_ABSENT      0x10ULL
#define LOW_EXECUTE     0x18ULL
#define LOW_STACK       0x20ULL
#define LOW_LDT         0x28ULL
#define LOW_TASK        0x38ULL
#define LOW_BUSY        0x48ULL
#define LOW_RING_3      0x58ULL
#define LOW_CODE        0x60ULL
#define LOW_ABSENT_CODE 0x68ULL
#define LOW_RING_3_CODE 0x70ULL
#define LOW_BOTH_SIZES  0x78ULL
#define LOW_BAD_LDT     0x80ULL

#define TYPE_BUSY (2ULL << 40)

extern uint64_t gdt[];

static uint64_t table[0x10000 / 8]; /* the last one is beyond the limit */
static uint64_t local_table[] = {0, 0x55cf92abcdef1234};
static uint64_t *const high = &table[0xff00 / 8]; /* descriptors that LOW_ names */
static struct descriptor_table interrupts;
static const struct descriptor_table all = {sizeof(table) - 9, (uintptr_t)table};

static uint64_t table_linear(void)
{
    return (uintptr_t)table;
}

static uint64_t interrupts_linear(void)
{
    return interrupts.base;
}

#define FORM(name, text)                                                                           \
    __asm__(".pushsection .text\nform_" #name ": " TRY(text) "\nret\n.popsection");                \
    extern const uint8_t form_##name[];
#define ENDS(name, in_ram, content, text)   FORM(name, text)
#define BEGINS(name, beyond, content, text) FORM(name, text)
#include "guests/device_segments.def"

extern const uint8_t form_jmp_far_to[], form_call_far_to[];

struct form {
    const char *name;
    const uint8_t *code;
    bool begins; /* beyond RAM, with `bytes` there; or those in RAM */
    unsigned bytes;
    uint64_t content;
};

struct outcome {
    struct trap trap;
    uint64_t rax, fs_base, gs_base;
    uint16_t selector[8];
    struct descriptor_table gdt, idt;
    uint64_t descriptors[32];
    uint8_t ram[PAGE_SIZE];
};

static void save(struct outcome *o)
{
    o->trap = trap_taken;
    __asm__("movw %%ds, %0" : "=m"(o->selector[0]));
    __asm__("movw %%es, %0" : "=m"(o->selector[1]));
    __asm__("movw %%fs, %0" : "=m"(o->selector[2]));
    __asm__("movw %%gs, %0" : "=m"(o->selector[3]));
    __asm__("movw %%ss, %0" : "=m"(o->selector[4]));
    __asm__("movw %%cs, %0" : "=m"(o->selector[5]));
    __asm__("sldt %0" : "=m"(o->selector[6]));
    __asm__("str %0" : "=m"(o->selector[7]));
    __asm__("sgdt %0" : "=m"(o->gdt));
    __asm__("sidt %0" : "=m"(o->idt));
    o->fs_base = rdmsr(MSR_IA32_FS_BASE);
    o->gs_base = rdmsr(MSR_IA32_GS_BASE);
    memcpy(o->descriptors, high, sizeof(o->descriptors));
}

/* The descriptors as they are at first, and the registers as the kernel had them. */
static void restore(void)
{
    uint64_t task = gdt[TASK_STATE / 8] & ~TYPE_BUSY;
    uint64_t ldt = (uintptr_t)local_table & 0xffffff;

    memcpy(table, gdt, TASK_STATE + 16);
    table[TASK_STATE / 8] = task;
    high[LOW_DATA / 8] = 0x12cf92345678abcd;
    high[LOW_ABSENT / 8] = 0x00cf12000000ffff;
    high[LOW_EXECUTE / 8] = 0x00af98000000ffff;
    high[LOW_STACK / 8] = 0x00cf92000000ffff;
    high[LOW_LDT / 8] = (sizeof(local_table) - 1) | ldt << 16 | 0x82ULL << 40;
    high[LOW_BAD_LDT / 8] = high[LOW_LDT / 8];
    high[LOW_BAD_LDT / 8 + 1] = 0x8000;
    high[LOW_TASK / 8] = task;
    high[LOW_BUSY / 8] = task | TYPE_BUSY;
    high[LOW_RING_3 / 8] = 0x00cff2000000ffff;
    high[LOW_CODE / 8] = 0x00af9a000000ffff;
    high[LOW_ABSENT_CODE / 8] = 0x00af1a000000ffff;
    high[LOW_RING_3_CODE / 8] = 0x00affa000000ffff;
    high[LOW_BOTH_SIZES / 8] = 0x00ef9a000000ffff;
    __asm__ volatile("lgdt %0; lidt %1; lldt %w2; ltr %w3"
                     :
                     : "m"(all), "m"(interrupts), "r"(0), "r"(TASK_STATE));
    __asm__ volatile("movw %w0, %%ds; movw %w0, %%es; movw %w0, %%fs; movw %w0, %%gs;"
                     "movw %w0, %%ss; pushq %1; leaq 1f(%%rip), %%rax; pushq %%rax; lretq; 1:"
                     :
                     : "r"(KERNEL_DATA), "i"(KERNEL_CODE)
                     : "rax", "memory");
}

static void run(const struct form *form, uint64_t pages, uint8_t *ram, struct outcome *o)
{
    uint64_t place = pages + (form->begins ? PAGE_SIZE : 2 * PAGE_SIZE) - form->bytes;

    restore();
    memset(ram, 0, PAGE_SIZE);
    memcpy(form->begins ? ram : ram + PAGE_SIZE - form->bytes, &form->content,
           form->begins || form->bytes > 8 ? 8 : form->bytes);
    memset(o, 0, sizeof(*o));
    trap_taken = (struct trap){.vector = NO_TRAP};
    o->rax = 0x1122334455667788;
    __asm__ volatile("call *%[code]"
                     : "+a"(o->rax), "+D"(place)
                     : [code] "r"(form->code)
                     : "memory", "cc");
    save(o);
    o->trap.rip = 0;
    memcpy(o->ram, ram, PAGE_SIZE);
}

static void compare(const struct form *form, uint8_t *ram, uint8_t *other)
{
    static struct outcome device, memory;

    run(form, RAM_PAGES, other, &memory);
    run(form, DEVICE_PAGES, ram, &device);
    restore();
    if (ok(memcmp(&memory, &device, sizeof(memory)) == 0, "%s", form->name))
        return;
    for (const struct outcome *o = &memory; o != NULL; o = o == &memory ? &device : NULL)
        diag("%s: vector %d error code %x rax %lx fs %x base %lx ds %x ss %x cs %x ldtr %x tr %x",
             o == &memory ? "RAM" : "device", (int)o->trap.vector, o->trap.error_code, o->rax,
             o->selector[2], o->fs_base, o->selector[0], o->selector[4], o->selector[5],
             o->selector[6], o->selector[7]);
}

static unsigned steps;
static uint64_t stepped_at;

static void on_debug(struct interrupt_frame *frame)
{
    steps++;
    stepped_at = frame->rip;
    frame->rflags &= ~RFLAGS_TF;
}

/* A load of SS holds the trap back for one instruction. */
static void test_single_step(uint8_t *ram)
{
    uint64_t place = DEVICE_PAGES + 2 * PAGE_SIZE - 1, behind;

    restore();
    ram[PAGE_SIZE - 1] = LOW_STACK;
    interrupt_handle(VECTOR_DB, on_debug);
    __asm__ volatile("pushfq; orq %[tf], (%%rsp); leaq 1f(%%rip), %[at]; popfq;"
                     "movw (%[place]), %%ss; nop; 1: nop"
                     : [at] "=&r"(behind)
                     : [tf] "i"(RFLAGS_TF), [place] "r"(place)
                     : "cc", "memory");
    ok(steps == 1 && stepped_at == behind, "a single step behind a load of SS");
    restore();
}

static uint8_t *map(uint64_t pages, uint64_t ones)
{
    uint8_t *ram = page_alloc();

    map_page(pages, ones, PAGE_PRESENT | PAGE_WRITE);
    map_page(pages + PAGE_SIZE, (uintptr_t)ram, PAGE_PRESENT | PAGE_WRITE);
    map_page(pages + 2 * PAGE_SIZE, ones, PAGE_PRESENT | PAGE_WRITE);
    return ram;
}

void guest_main(void)
{
    uint8_t *ones = page_alloc();
    uint8_t *ram = map(DEVICE_PAGES, UNCLAIMED), *other = map(RAM_PAGES, (uintptr_t)ones);
    const struct form forms[] = {
#define ENDS(name, in_ram, content, text)   {#name, form_##name, false, in_ram, content},
#define BEGINS(name, beyond, content, text) {#name, form_##name, true, beyond, content},
#include "guests/device_segments.def"
    };

    __asm__ volatile("sidt %0" : "=m"(interrupts));
    for (unsigned i = 0; i < ARRAY_SIZE(forms); i++) {
        memset(ones, 0xff, PAGE_SIZE);
        compare(&forms[i], ram, other);
    }
    test_single_step(ram);
}
