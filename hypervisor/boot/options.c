/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/boot/options.h"

#include "hypervisor/report/panic.h"
#include "hypervisor/vm/vm.h"
#include "lib/bits.h"
#include "lib/string.h"
#include "lib/vmx_caps.h"

struct options options;

static const struct {
    const char *word;
    uint32_t *option, value;
} words[] = {
    {"caps", &options.caps, true},
    {"counters", &vm_options.counters, true},
    {"clear-memory=yes", &vm_options.keep_memory, false},
    {"clear-memory=no", &vm_options.keep_memory, true},
    {"bus-mastering=on", &options.stop_masters, false},
    {"bus-mastering=off", &options.stop_masters, true},
    {"end=halt", &machine_end_port, 0},
    {"end=bochs", &machine_end_port, 0x8900},
    {"end=qemu", &machine_end_port, 0xf4},
#define MSR_STRATEGY(id, name, ...) {"msr-switch=" name, &options.strategy, MSR_SWITCH_##id},
#include "abi/strategies.def"
#undef MSR_STRATEGY
#define MITIGATION(id, name, ...)                                                                  \
    {"mitigations=-" name, &options.unmitigated[MITIGATION_##id], true},
#define MISSING(...)
#include "lib/mitigations.def"
};

#define HIDE "hide="

/* Each word counts as a whole. */
static bool set_option(const char *word)
{
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strcmp(words[i].word, word) == 0) {
            *words[i].option = words[i].value;
            return true;
        }
    return strncmp(word, HIDE, strlen(HIDE)) == 0 &&
           vmx_control_parse(word + strlen(HIDE), &options.hidden);
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
