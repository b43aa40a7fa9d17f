/* SPDX-License-Identifier: BSD-2-Clause */
/* What special_modes.c and the 32-bit code of special_modes_entry.S share. */
#pragma once

/* Behind the library's descriptors: what SYSENTER and SYSEXIT expect with SYSENTER_CS = CODE32. */
#define CODE32      0x48
#define DATA32      0x50
#define USER32_CODE (0x58 | 3)
#define USER32_DATA (0x60 | 3)
#define TSS16       0x68
#define CODE32_L    0x70 /* with L, which means nothing outside of IA-32e mode */
#define DATA_IOAPIC 0x78 /* begins 1000h below the IOAPIC */
#define DESCRIPTORS 16

/* Linear addresses that PAE paging maps by PDPTEs of their own. */
#define WINDOW       0x80000000 /* PDPTE 2: one of two directories */
#define DEVICE       0xd0000000 /* PDPTE 3: no device answers */
#define IOAPIC       0xfec00000
#define NOWHERE      0xe0000000 /* physical: no memory */
#define WINDOW_PDPTE 16         /* its offset in the table */

#define MARK_ONE 0x11111111
#define MARK_TWO 0x22222222

/* X(name): what the 32-bit code notes, in the order of the notes. A fault is noted as FAULT |
 * vector. */
#define FAULT 0x80000000
#define NOTES(X)                                                                                   \
    X(efer_paging_off)                                                                             \
    X(efer_written_off)                                                                            \
    X(efer_values_off)                                                                             \
    X(efer_lma_written)                                                                            \
    X(paging_without_pae)                                                                          \
    X(cr0_without_pae)                                                                             \
    X(pae_window)                                                                                  \
    X(pae_port)                                                                                    \
    X(pae_device)                                                                                  \
    X(pae_based)                                                                                   \
    X(pae_pdpte_changed)                                                                           \
    X(pae_cr3_loaded)                                                                              \
    X(pae_pge_toggled)                                                                             \
    X(pae_bad_pdpte)                                                                               \
    X(pae_nowhere)                                                                                 \
    X(pae_cr3_kept)                                                                                \
    X(pae_bad_paging)                                                                              \
    X(pae_paging_again)                                                                            \
    X(pae_efer_values)                                                                             \
    X(pae_lme)                                                                                     \
    X(pae_efer)                                                                                    \
    X(pae_syscall)                                                                                 \
    X(pae_sysenter_zero)                                                                           \
    X(pae_sysenter_cs)                                                                             \
    X(pae_sysenter_ss)                                                                             \
    X(pae_sysenter_esp)                                                                            \
    X(pae_sysenter_flags)                                                                          \
    X(pae_sysexit_cs)                                                                              \
    X(pae_sysexit_ss)                                                                              \
    X(pae_sysexit_zero)                                                                            \
    X(pae_swapgs)                                                                                  \
    X(efer_before_long)                                                                            \
    X(long_tss16)                                                                                  \
    X(long_tss16_without_ne)                                                                       \
    X(cr0_tss16)
