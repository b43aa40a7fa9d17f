/* SPDX-License-Identifier: BSD-2-Clause */
/* Which emulator runs an image on this machine. */
#pragma once

#include <stdbool.h>

enum runner { RUNNER_BOCHS, RUNNER_QEMU_KVM, RUNNER_COUNT };

/* What decides. That /dev/kvm exists proves nothing: a guest of KVM sees VT-x only when nesting is
 * on. */
struct runner_facts {
    bool cpu_vmx;    /* CPUID says VMX */
    bool kvm_usable; /* /dev/kvm can be opened and speaks KVM's API */
    bool nested;     /* kvm_intel's parameter */
    bool qemu;       /* qemu-system-x86_64 is installed */
};

/* NULL when qemu-kvm can run Lintel, or what stands against it and what to do. */
const char *runner_kvm_obstacle(const struct runner_facts *facts);

/* The runner for a machine about which this is known. */
enum runner runner_choose(const struct runner_facts *facts);

/* "bochs" or "qemu-kvm". */
const char *runner_name(enum runner runner);

/* False when no runner has this name. */
bool runner_parse(const char *name, enum runner *runner);

/* Looks at this machine. */
struct runner_facts runner_look(void);
