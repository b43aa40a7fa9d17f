/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The CPUs of the machine. Number 0 is the one that booted; the others follow in the order of the
 * MADT. One that is not used sleeps with machine checks on (R44).
 */
#pragma once

#include <stdint.h>

#include "hypervisor/cpu/acpi.h"
#include "hypervisor/cpu/cpu.h"
#include "lib/phys_map.h"

/* Blocks for `number` CPUs beside this one; first of all in the arena, which begins aligned. */
void cpus_allocate(uint32_t number);

/*
 * Starts the CPUs that ACPI names, one after the other (SDM volume 3, "Multiple-Processor (MP)
 * Initialization"), by way of a page below 1 MiB; PHYS_MAP_NONE: there is none. One that does not
 * come, or is not as this one is (R18), is named in the log, and not used. The others call take_up
 * on their own stacks, and then what cpus_run says. After apic_init.
 */
void cpus_start(const struct acpi_info *acpi, uint64_t page, void (*take_up)(void));
void cpus_run(void (*run)(void));

/* The block of a CPU; NULL: there is none of this number, or it is not used. */
struct cpu_block *cpu_block(uint32_t number);
uint32_t cpu_apic_id(const struct cpu_block *block);

/* Sends it VECTOR_KICK; cpu_kicked is called there. Set once, before that. */
void cpu_kick(const struct cpu_block *block);
extern void (*cpu_kicked)(void);

/* start.S: a CPU has come. */
void __attribute__((noreturn)) cpu_arrived(void);

/* An NMI has come: does not return where another CPU ends the machine. */
void cpu_stop_if_told(void);
