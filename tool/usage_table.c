/* SPDX-License-Identifier: BSD-2-Clause */
/* What is known of a VM in words, and what happened between two looks: see usage.h. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/bits.h"
#include "lib/exit_reasons.h"
#include "tool/usage.h"

#define WIDTH   400 /* of a line, at most */
#define REASONS 4   /* shown of each VM */

const char *usage_state(const struct control_vm *vm)
{
    static const char *const states[CONTROL_VM_STATE_COUNT] = {
        [CONTROL_VM_RUNS] = "running",
        [CONTROL_VM_PAUSED] = "paused",
        [CONTROL_VM_ENDED] = "ended",
        [CONTROL_VM_STOPPED] = "stopped",
    };

    return vm->state < CONTROL_VM_STATE_COUNT ? states[vm->state] : "unknown";
}

uint64_t usage_exits(const struct control_vm *vm)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < GATE_EXIT_REASONS; i++)
        sum += vm->exits[i];
    return sum;
}

struct interval {
    uint64_t tsc_khz, tsc; /* ticks */
};

/* What is counted on another CPU may be told late, and seem to go back. */
static uint64_t grown(uint64_t before, uint64_t now)
{
    return now > before ? now - before : 0;
}

static uint64_t per_second(const struct interval *t, uint64_t count)
{
    return t->tsc == 0 ? 0 : (uint64_t)((double)count * (double)t->tsc_khz * 1000 / (double)t->tsc);
}

static double percent(const struct interval *t, uint64_t time)
{
    return t->tsc == 0 ? 0 : (double)time * 100 / (double)t->tsc;
}

/* The reasons of most exits, "CPUID 1200, I/O 30". */
static void put_reasons(char *text, size_t size, const struct control_vm *before,
                        const struct control_vm *now, const struct interval *t)
{
    bool shown[GATE_EXIT_REASONS] = {false};
    size_t length = 0;

    text[0] = '\0';
    for (unsigned n = 0; n < REASONS; n++) {
        uint64_t most = 0;
        unsigned which = 0;
        for (unsigned i = 0; i < GATE_EXIT_REASONS; i++) {
            uint64_t count = grown(before->exits[i], now->exits[i]);
            if (!shown[i] && count > most) {
                most = count;
                which = i;
            }
        }
        if (most == 0 || length >= size)
            break;
        shown[which] = true;
        length += (size_t)snprintf(text + length, size - length, "%s%s %" PRIu64, n > 0 ? ", " : "",
                                   exit_reason_name(which), per_second(t, most));
    }
}

static void show(unsigned width, void (*line)(const char *), char text[WIDTH + 1])
{
    text[min_u64(width, WIDTH)] = '\0';
    line(text);
}

static void show_vm(const struct control_vm *before, const struct control_vm *now, uint64_t tsc_khz,
                    unsigned width, void (*line)(const char *))
{
    const struct interval t = {tsc_khz, grown(before->tsc, now->tsc)};
    uint64_t switches = grown(before->used.msr_writes + before->used.msr_reads,
                              now->used.msr_writes + now->used.msr_reads);
    char text[WIDTH + 1], reasons[WIDTH / 2];

    put_reasons(reasons, sizeof(reasons), before, now, &t);
    snprintf(text, sizeof(text), "%-20s %-8s %6.1f %9" PRIu64 " %9" PRIu64 "  %s", now->name,
             usage_state(now), percent(&t, grown(before->used.time, now->used.time)),
             per_second(&t, grown(usage_exits(before), usage_exits(now))), per_second(&t, switches),
             reasons);
    show(width, line, text);
}

void usage_table(const struct usage *before, const struct usage *now, unsigned width,
                 void (*line)(const char *text))
{
    char text[WIDTH + 1];

    snprintf(text, sizeof(text), "%-20s %-8s %6s %9s %9s  %s", "NAME", "STATE", "CPU%", "EXITS/s",
             "MSRS/s", "EXITS/s BY REASON");
    show(width, line, text);
    for (unsigned i = 0; i < now->vm_count; i++)
        show_vm(i < before->vm_count ? &before->vms[i] : &now->vms[i], &now->vms[i], now->tsc_khz,
                width, line);
    for (unsigned i = 0; i < now->process_count; i++) {
        const struct gate_process *is = &now->processes[i],
                                  *was = i < before->process_count ? &before->processes[i] : is;
        const struct interval t = {now->tsc_khz, grown(was->tsc, is->tsc)};
        snprintf(text, sizeof(text), "%-20s %-8s %6.1f", is->name, "process",
                 percent(&t, grown(was->time, is->time)));
        show(width, line, text);
    }
}
