/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/boot/options.h"

#include "hypervisor/cpu/instructions.h"
#include "hypervisor/report/console.h"
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
    const char *name;
    void (*end)(void);
} ends[] = {{"halt", NULL}, {"bochs", end_bochs}, {"qemu", end_qemu}};

static bool set_end(const char *value)
{
    for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
        if (strcmp(ends[i].name, value) == 0) {
            machine_end_word = ends[i].end;
            return true;
        }
    return false;
}

static bool set_hide(const char *value)
{
    return vmx_control_parse(value, &options.hidden);
}

static bool set_caps(const char *value)
{
    options.caps = true;
    return *value == '\0';
}

static bool set_counters(const char *value)
{
    vm_options.counters = true;
    return *value == '\0';
}

static bool set_console(const char *value)
{
    console_lines = strcmp(value, "lines") == 0;
    return console_lines || strcmp(value, "focus") == 0;
}

static bool set_clear_memory(const char *value)
{
    vm_options.keep_memory = strcmp(value, "no") == 0;
    return vm_options.keep_memory || strcmp(value, "yes") == 0;
}

static bool set_bus_mastering(const char *value)
{
    options.stop_masters = strcmp(value, "off") == 0;
    return options.stop_masters || strcmp(value, "on") == 0;
}

static bool set_strategy(const char *value)
{
    for (unsigned i = 0; i < MSR_STRATEGY_COUNT; i++)
        if (strcmp(msr_strategy_names[i], value) == 0) {
            options.strategy = (enum msr_strategy)i;
            return true;
        }
    return false;
}

static const struct {
    const char *name;
    bool (*set)(const char *value);
} table[] = {
    {"end", set_end},
    {"hide", set_hide},
    {"caps", set_caps},
    {"counters", set_counters},
    {"console", set_console},
    {"msr-switch", set_strategy},
    {"clear-memory", set_clear_memory},
    {"bus-mastering", set_bus_mastering},
};

static bool set_option(char *word)
{
    char *value = strchr(word, '=');

    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        size_t length = strlen(table[i].name);
        if (strncmp(word, table[i].name, length) == 0 &&
            (word[length] == '=' || word[length] == '\0'))
            return table[i].set(value != NULL ? value + 1 : "");
    }
    return false;
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
