/* SPDX-License-Identifier: BSD-2-Clause */
/* The log lines that a process can cause: none fills the log, or makes another one wait for it. */
#include "hypervisor/cpu/instructions.h"
#include "hypervisor/cpu/tsc.h"
#include "hypervisor/process/process.h"
#include "hypervisor/report/log.h"
#include "lib/format.h"

/* Where a vCPU is takes eight, and a VM has eight vCPUs. */
#define BURST      64
#define PER_SECOND 5

void process_log_left_out(struct process *p)
{
    if (p->log_left_out > 0)
        log_record(LOG_LINE, p->vm, "%s %s: too many lines: %u left out", process_kind(p),
                   p->info->name, p->log_left_out);
    p->log_left_out = 0;
}

/* Whatever it has said before somebody asked. */
static void refill(struct process *p)
{
    uint64_t asked = __atomic_load_n(&log_pages.reader.asked, __ATOMIC_RELAXED);

    if (p->log_asked != asked)
        p->log = (struct bucket){0};
    p->log_asked = asked;
}

void process_log(struct process *p, const char *fmt, ...)
{
    char text[LOG_LINE_MAX];
    va_list args;

    refill(p);
    if (log_room() < 2 * (sizeof(struct log_record) + LOG_LINE_MAX) ||
        !bucket_take(&p->log, rdtsc(), tsc_khz() * 1000 / PER_SECOND, BURST)) {
        p->log_left_out++;
        return;
    }
    process_log_left_out(p);
    va_start(args, fmt);
    vformat(text, sizeof(text), fmt, args);
    va_end(args);
    log_record(LOG_LINE, p->vm, "%s %s: %s", process_kind(p), p->info->name, text);
}
