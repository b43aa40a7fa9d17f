/* SPDX-License-Identifier: BSD-2-Clause */
/* What `monitor` in gdb asks of a VM, in words. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "abi/vmcs.h"
#include "lib/exit_reasons.h"
#include "tool/gdb_commands.h"

static const struct {
    const char *name;
    uint32_t index;
} msrs[] = {
#define MSR(id, index, name, ...)            {name, index},
#define MSR_BANK(id, first, last, name, ...) {name, first},
#define MSR_RANGE(id, first, last, name, ...)
#include "hypervisor/msr/table.def"
#undef MSR
#undef MSR_BANK
#undef MSR_RANGE
};

struct text {
    char *to;
    size_t size;
};

static void __attribute__((format(printf, 2, 3))) say(struct text *t, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    int length = vsnprintf(t->to, t->size, format, arguments);
    va_end(arguments);
    size_t used = length < 0 ? 0 : (size_t)length < t->size ? (size_t)length : t->size - 1;
    t->to += used;
    t->size -= used;
}

static void say_exit(struct gdb_target *t, const char *word, struct text *to)
{
    const struct gate_stopped *is = &t->stopped[t->vcpu];

    say(to, "exit reason %u (%s), qualification %" PRIx64 "\n", is->reason & EXIT_REASON_BASIC,
        exit_reason_name(is->reason), is->qualification);
}

/* As in the table, with or without what it begins with, or by its number. */
static void say_msr(struct gdb_target *t, const char *word, struct text *to)
{
    char *end;
    uint64_t value;
    uint32_t index = (uint32_t)strtoul(word, &end, 0);

    if (end == word || *end) {
        size_t i = 0;
        while (i < sizeof(msrs) / sizeof(msrs[0]) && strcasecmp(msrs[i].name, word) != 0 &&
               !(strchr(msrs[i].name, '_') && strcasecmp(strchr(msrs[i].name, '_') + 1, word) == 0))
            i++;
        if (i == sizeof(msrs) / sizeof(msrs[0])) {
            say(to, "%s: no MSR has this name; see docs/msrs.md\n", word);
            return;
        }
        index = msrs[i].index;
    }
    if (gdb_target_msr(t, index, &value))
        say(to, "MSR %x: %" PRIx64 "\n", index, value);
    else
        say(to, "MSR %x: to read it gives #GP\n", index);
}

static void say_registers(struct gdb_target *t, const char *word, struct text *to)
{
    static const char *const names[SEG_COUNT] = {"es", "cs", "ss", "ds", "fs", "gs", "ldtr", "tr"};
    const struct gate_registers *r = gdb_target_registers(t);

    if (!r)
        return;
    const struct guest_state *s = &r->state;
    say(to, "cr0 %" PRIx64 " cr2 %" PRIx64 " cr3 %" PRIx64 " cr4 %" PRIx64 " efer %" PRIx64 "\n",
        s->cr0, s->cr2, s->cr3, s->cr4, s->efer);
    for (unsigned i = 0; i < SEG_COUNT; i++)
        say(to, "%-4s %04x base %" PRIx64 " limit %x access %x%s\n", names[i],
            s->segment[i].selector, s->segment[i].base, s->segment[i].limit, s->segment[i].access,
            s->segment[i].access & SEGMENT_UNUSABLE ? " (unusable)" : "");
    say(to, "gdtr base %" PRIx64 " limit %" PRIx64 "\nidtr base %" PRIx64 " limit %" PRIx64 "\n",
        s->gdtr.base, s->gdtr.limit, s->idtr.base, s->idtr.limit);
    say(to,
        "the guest's own: dr0 %" PRIx64 " dr1 %" PRIx64 " dr2 %" PRIx64 " dr3 %" PRIx64
        " dr6 %" PRIx64 " dr7 %" PRIx64 "\n",
        s->dr[0], s->dr[1], s->dr[2], s->dr[3], s->dr6, s->dr7);
}

static void set_physical(struct gdb_target *t, const char *word, struct text *to)
{
    if (strcmp(word, "on") == 0 || strcmp(word, "off") == 0)
        t->physical = word[1] == 'n';
    say(to, "addresses are %s\n", t->physical ? "guest-physical" : "linear");
}

static const struct {
    const char *name, *what;
    void (*say)(struct gdb_target *t, const char *word, struct text *to);
} commands[] = {
    {"exit", "the reason of the vCPU's last exit", say_exit},
    {"msr", "NAME|NUMBER: an MSR of the guest's", say_msr},
    {"regs", "control registers, segments, tables, and the guest's own debug registers",
     say_registers},
    {"physical", "on|off: addresses of memory are guest-physical, or linear", set_physical},
};

void gdb_monitor(struct gdb_target *t, const char *command, char *to, size_t size)
{
    struct text text = {to, size};
    size_t length = strcspn(command, " ");
    const char *word = command + length + strspn(command + length, " ");

    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (strlen(commands[i].name) == length && strncmp(command, commands[i].name, length) == 0) {
            commands[i].say(t, word, &text);
            return;
        }
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        say(&text, "monitor %-9s %s\n", commands[i].name, commands[i].what);
}
