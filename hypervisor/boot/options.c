/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/boot/options.h"

#include "hypervisor/cpu/instructions.h"
#include "hypervisor/report/panic.h"
#include "hypervisor/vm/vm.h"
#include "hypervisor/vmx/caps.h"
#include "lib/bits.h"
#include "lib/string.h"

/* end=halt|bochs|qemu: what to do when all has ended. Bochs's port for ending a run: an exit code
 * of 0. */
static void end_bochs(void)
{
    outb(0x8900, 'D');
}

/* QEMU's isa-debug-exit device: an exit code of 2 * 16 + 1. */
static void end_qemu(void)
{
    outl(0xf4, 16);
}

struct options options;

static const struct {
    const char *word;
    bool *flag;
    bool value;
} flags[] = {
    {"caps", &options.caps, true},
    {"counters", &vm_options.counters, true},
    {"clear-memory=yes", &vm_options.keep_memory, false},
    {"clear-memory=no", &vm_options.keep_memory, true},
    {"bus-mastering=on", &options.stop_masters, false},
    {"bus-mastering=off", &options.stop_masters, true},
};

static const struct {
    const char *word;
    void (*end)(void);
} ends[] = {{"end=halt", NULL}, {"end=bochs", end_bochs}, {"end=qemu", end_qemu}};

static bool set_strategy(const char *name)
{
    for (unsigned i = 0; i < MSR_STRATEGY_COUNT; i++)
        if (strcmp(msr_strategy_names[i], name) == 0) {
            options.strategy = (enum msr_strategy)i;
            return true;
        }
    return false;
}

/* The rest of a word after its name, or NULL. */
static const char *value_of(const char *word, const char *name)
{
    size_t length = strlen(name);

    return strncmp(word, name, length) == 0 ? word + length : NULL;
}

/* Each word counts as a whole. */
static bool set_option(const char *word)
{
    const char *value;

    for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
        if (strcmp(flags[i].word, word) == 0) {
            *flags[i].flag = flags[i].value;
            return true;
        }
    for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
        if (strcmp(ends[i].word, word) == 0) {
            machine_end_word = ends[i].end;
            return true;
        }
    if ((value = value_of(word, "hide=")) != NULL)
        return vmx_control_parse(value, &options.hidden);
    value = value_of(word, "msr-switch=");
    return value != NULL && set_strategy(value);
}

const char *options_parse(const char *cmdline)
{
    static char word[256];

    while (*cmdline != '\0') {
        size_t length = 0;
        while (cmdline[length] != '\0' && cmdline[length] != ' ')
            length++;
        size_t kept = min_u64(length, sizeof(word) - 1);
        memcpy(word, cmdline, kept);
        word[kept] = '\0';
        if (length > 0 && !set_option(word))
            return word;
        cmdline += length;
        cmdline += *cmdline == ' ';
    }
    return NULL;
}
