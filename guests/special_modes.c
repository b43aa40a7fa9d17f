/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Out of long mode and back (R13, R23, R29, R30, R33): EFER's bits with paging off, CR0.PG with
 * each EFER.LME, a 32-bit part with PAE paging whose PDPTEs are loaded and refused as the SDM says
 * (volume 3, "PDPTE Registers"), with its ports, device memory, SYSENTER and SYSEXIT.
 */
#include "guests/special_modes.h"

#include "guests/lib/guest.h"

#define VISITS             3
#define GATE32_INTERRUPT   0x8e00
#define PAE_LARGE          0x87 /* page size, user, write, present */
#define PAE_DIRECTORY_SIZE 0x40000000ULL
#define LARGE_PAGE         0x200000ULL
#define FLAGS_OF_USER32    0x8d7 /* OF, SF, ZF, AF, PF, CF; not IF */

extern uint64_t gdt[];
extern const char trap32_ud[], trap32_gp[], trap32_other[];
void legacy_run(void);

#define X(name) NOTE_##name,
enum note { NOTES(X) NOTE_COUNT };
#undef X

uint32_t notes[NOTE_COUNT];
uint64_t idt32[32];
uint64_t pae_pointers[4] __attribute__((aligned(32)));
uint64_t pae_one, pae_two;

uint64_t descriptors[DESCRIPTORS];

static void load_descriptors(void)
{
    const struct descriptor_table pointer = {sizeof(descriptors) - 1, (uintptr_t)descriptors};

    for (unsigned i = 0; i < CODE32 / 8; i++)
        descriptors[i] = gdt[i];
    descriptors[CODE32 / 8] = 0x00cf9b000000ffff;
    descriptors[DATA32 / 8] = 0x00cf93000000ffff;
    descriptors[USER32_CODE / 8] = 0x00cffb000000ffff;
    descriptors[USER32_DATA / 8] = 0x00cff3000000ffff;
    descriptors[CODE32_L / 8] = 0x00ef9b000000ffff;
    descriptors[DATA_IOAPIC / 8] = 0xfecf93bff000ffff;
    descriptors[TSS16 / 8] = 0x000081000000002b; /* at 0: nothing uses it */
    lgdt(&pointer);
}

static uint64_t gate32(const char *handler)
{
    uint64_t at = (uintptr_t)handler;

    return (at >> 16) << 48 | (uint64_t)GATE32_INTERRUPT << 32 | CODE32 << 16 | (at & 0xffff);
}

static void make_idt32(void)
{
    for (unsigned vector = 0; vector < ARRAY_SIZE(idt32); vector++)
        idt32[vector] = gate32(trap32_other);
    idt32[VECTOR_UD] = gate32(trap32_ud);
    idt32[VECTOR_GP] = gate32(trap32_gp);
}

/* A directory that maps 1 GiB, from physical `start` on. */
static uint64_t *make_directory(uint64_t start)
{
    uint64_t *directory = page_alloc();

    for (unsigned i = 0; i < 512; i++)
        directory[i] = (start + i * LARGE_PAGE) | PAE_LARGE;
    return directory;
}

/* A directory whose first large page has this mark where WINDOW begins. */
static uint64_t make_window(uint64_t large_page, uint32_t mark)
{
    uint64_t *directory = make_directory(0);

    directory[0] = large_page | PAE_LARGE;
    *(uint32_t *)large_page = mark;
    return (uintptr_t)directory | PAGE_PRESENT;
}

static void make_pae_tables(void)
{
    for (unsigned i = 0; i < 4; i++)
        pae_pointers[i] = (uintptr_t)make_directory(i * PAE_DIRECTORY_SIZE) | PAGE_PRESENT;
    pae_one =
        make_window(3 * LARGE_PAGE, MARK_ONE); /* free: the kernel lies at 4 MiB, and is small */
    pae_two = make_window(4 * LARGE_PAGE, MARK_TWO);
    pae_pointers[WINDOW_PDPTE / 8] = pae_one;
}

static void test_notes(void)
{
    static const struct {
        uint32_t expected;
        const char *name;
    } rows[NOTE_COUNT] = {
        [NOTE_efer_paging_off] = {EFER_LME | EFER_NXE, "clearing PG clears LMA and keeps LME"},
        [NOTE_efer_written_off] = {EFER_NXE | EFER_SCE, "LME can be cleared with paging off"},
        [NOTE_efer_values_off] = {0, "SCE, LME and NXE in all ways with paging off, LMA in none"},
        [NOTE_efer_lma_written] = {EFER_LME | EFER_NXE, "LMA cannot be written with paging off"},
        [NOTE_paging_without_pae] = {FAULT | VECTOR_GP, "PG with LME and without PAE: #GP(0)"},
        [NOTE_cr0_without_pae] = {CR0_WP | 0x33, "CR0 is unchanged then"},
        [NOTE_pae_window] = {MARK_ONE, "PAE paging maps by its PDPTEs"},
        [NOTE_pae_port] = {0x5a, "a port answers a 32-bit program"},
        [NOTE_pae_device] = {0xffffffff, "device memory is read with PAE paging"},
        [NOTE_pae_based] = {1, "a store to device memory by a segment's base, with CS.L set"},
        [NOTE_pae_pdpte_changed] = {MARK_ONE, "a PDPTE changed in memory has no effect"},
        [NOTE_pae_cr3_loaded] = {MARK_TWO, "MOV to CR3 loads the PDPTEs"},
        [NOTE_pae_pge_toggled] = {MARK_ONE, "a change of CR4.PGE loads the PDPTEs"},
        [NOTE_pae_bad_pdpte] = {FAULT | VECTOR_GP, "MOV to CR3, a reserved bit in a PDPTE: #GP(0)"},
        [NOTE_pae_nowhere] = {FAULT | VECTOR_GP, "MOV to CR3, PDPTEs where no memory is: #GP(0)"},
        [NOTE_pae_cr3_kept] = {0, "CR3 is unchanged then"},
        [NOTE_pae_bad_paging] = {FAULT | VECTOR_GP, "PG, a reserved bit in a PDPTE: #GP(0)"},
        [NOTE_pae_paging_again] = {MARK_ONE, "PG loads the PDPTEs"},
        [NOTE_pae_efer_values] = {0, "SCE and NXE in all ways with PAE paging, LMA in none"},
        [NOTE_pae_lme] = {FAULT | VECTOR_GP, "setting LME with PAE paging on: #GP(0)"},
        [NOTE_pae_efer] = {EFER_NXE | EFER_SCE, "EFER is unchanged then"},
        [NOTE_pae_syscall] = {FAULT | VECTOR_UD, "SYSCALL in protected mode is undefined"},
        [NOTE_pae_sysenter_zero] = {FAULT | VECTOR_GP, "SYSENTER in protected mode, CS 0: #GP(0)"},
        [NOTE_pae_sysenter_cs] = {CODE32, "SYSENTER in protected mode: CS"},
        [NOTE_pae_sysenter_ss] = {DATA32, "SYSENTER in protected mode: SS"},
        [NOTE_pae_sysenter_esp] = {0, "SYSENTER in protected mode: ESP"},
        [NOTE_pae_sysenter_flags] = {FLAGS_OF_USER32, "SYSENTER in protected mode: EFLAGS"},
        [NOTE_pae_sysexit_cs] = {USER32_CODE, "SYSEXIT in protected mode: CS"},
        [NOTE_pae_sysexit_ss] = {USER32_DATA, "SYSEXIT in protected mode: SS"},
        [NOTE_pae_sysexit_zero] = {FAULT | VECTOR_GP, "SYSEXIT in protected mode, CS 0: #GP(0)"},
        [NOTE_pae_swapgs] = {FAULT | VECTOR_UD, "SWAPGS outside of 64-bit mode is undefined"},
        [NOTE_efer_before_long] = {EFER_LME | EFER_NXE, "LME alone does not make long mode"},
        [NOTE_long_tss16] = {FAULT | VECTOR_GP, "PG with LME and a 16-bit TSS: #GP(0)"},
        [NOTE_long_tss16_without_ne] = {FAULT | VECTOR_GP, "the same, and NE off: #GP(0)"},
        [NOTE_cr0_tss16] = {CR0_WP | 0x33, "CR0 is unchanged then"},
    };

    for (unsigned i = 0; i < NOTE_COUNT; i++) {
        uint32_t expected = rows[i].expected;
        if (i == NOTE_pae_cr3_kept)
            expected = (uint32_t)(uintptr_t)pae_pointers;
        if (i == NOTE_pae_sysenter_esp)
            expected = (uint32_t)rdmsr(MSR_IA32_SYSENTER_ESP);
        is(notes[i], expected, "%s", rows[i].name);
    }
}

void guest_main(void)
{
    load_descriptors();
    make_idt32();
    make_pae_tables();
    for (unsigned visit = 1; visit <= VISITS; visit++) {
        wrmsr(MSR_IA32_KERNEL_GS_BASE, 0xffff800000001000);
        wrmsr(MSR_IA32_LSTAR, 0xffff800000002000);
        legacy_run();
        is(rdmsr(MSR_IA32_EFER), EFER_NXE | EFER_LMA | EFER_LME, "long mode is back");
        is(rdmsr(MSR_IA32_KERNEL_GS_BASE), 0xffff800000001000, "KERNEL_GS_BASE has all its bits");
        is(rdmsr(MSR_IA32_LSTAR), 0xffff800000002000, "LSTAR has all its bits");
        test_notes();
    }
}
