/* SPDX-License-Identifier: BSD-2-Clause */
/* The log lines that a VM can cause: no VM fills the log, or makes another one wait for it. */
#include "hypervisor/cpu/instructions.h"
#include "hypervisor/cpu/tsc.h"
#include "hypervisor/report/log.h"
#include "hypervisor/vm/vm.h"
#include "lib/format.h"

/* The report of a fault has eight. */
#define BURST      50
#define PER_SECOND 5

void vm_log_left_out(struct vm *vm)
{
    if (vm->log_left_out > 0)
        log_line("vm %s: too many lines: %u left out", vm->plan->name, vm->log_left_out);
    vm->log_left_out = 0;
}

void vm_log(struct vm *vm, const char *fmt, ...)
{
    char text[LOG_LINE_SIZE];
    va_list args;

    if (log_room() < 2 * LOG_LINE_SIZE ||
        !bucket_take(&vm->log, rdtsc(), tsc_khz() * 1000 / PER_SECOND, BURST)) {
        vm->log_left_out++;
        return;
    }
    vm_log_left_out(vm);
    va_start(args, fmt);
    vformat(text, sizeof(text), fmt, args);
    va_end(args);
    log_line("vm %s: %s", vm->plan->name, text);
}
