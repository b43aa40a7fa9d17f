/* SPDX-License-Identifier: BSD-2-Clause */
/* The I/O APIC: 24 interrupt lines in, messages to the local APICs out (Intel 82093AA, and the EOI
 * register since ICH). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define IOAPIC_BASE 0xfec00000ULL
#define IOAPIC_SIZE 0x1000ULL
#define IOAPIC_PINS 24

struct ioapic {
    uint64_t redirection[IOAPIC_PINS];
    uint32_t driven; /* as ioapic_reset has it */
    uint32_t lines;  /* a bit for each pin: its electrical level */
    uint32_t edges;  /* likewise: an edge that no local APIC has taken yet */
    uint32_t id;
    uint8_t select;
};

/* driven: a bit for each pin that a device is connected to, and drives low; the others are
 * inactive. */
void ioapic_reset(struct ioapic *io, uint32_t driven);

/* 32-bit registers at an offset into the page; other offsets read as all ones. */
uint32_t ioapic_read(const struct ioapic *io, uint64_t offset);
void ioapic_write(struct ioapic *io, uint64_t offset, uint32_t value);

/* A device drives its line high or low; a message goes out where the pin's entry says so. */
void ioapic_set_line(struct ioapic *io, unsigned pin, bool high);

/* The local APICs may take now what they have refused. */
void ioapic_try_again(struct ioapic *io);

/* Whether a line that rises can wake a vCPU with IF=0: by an NMI or an INIT. */
bool ioapic_wakes_any(const struct ioapic *io);

/* A local APIC ended a level-triggered interrupt (R41). */
void ioapic_end_of_interrupt(struct ioapic *io, uint8_t vector);
