/* SPDX-License-Identifier: BSD-2-Clause */
/* The start and the restart of the virtual machine. */
#include "monitor/start.h"

#include "monitor/acpi/acpi.h"
#include "monitor/gate.h"
#include "monitor/load.h"
#include "monitor/report.h"
#include "monitor/smbios/smbios.h"

static struct load_file file(const struct monitor_file *f)
{
    return (struct load_file){(const uint8_t *)f->address, f->size};
}

void machine_start(struct board *b, struct exit_page *page)
{
    const struct monitor_info *info = b->info;
    struct load load = {
        .memory = &b->memory,
        .kernel = file(&info->kernel),
        .initrd = file(&info->initrd),
        .cmdline = info->cmdline,
        .rsdp = ACPI_BASE,
    };

    b->started = gate_tsc();
    board_reset(b);
    if (!load_guest(&load))
        report_stop(GATE_STOP_FAULT, "%s: %s", load_part_name(load.wrong), load.error);
    acpi_build(&b->memory, info->vcpus);
    smbios_build(&b->memory, b->process, info);
    page->state = load_state(&load);
    if (gate_start() != 0)
        report_stop(GATE_STOP_FAULT, "the hypervisor refused the start state; see its log");
}

/* A machine takes a second or more for that. What a start does, the log's line first of all, is
 * also others' time. */
#define RESTART_MS 100

void machine_restart(struct board *b, struct exit_page *page)
{
    uint64_t earliest = b->started + b->process->tsc_khz * RESTART_MS;

    if (gate_tsc() < earliest)
        report("the start is held back until %u ms after the last one", RESTART_MS);
    gate_reset();
    gate_spin(earliest);
    machine_start(b, page);
}
