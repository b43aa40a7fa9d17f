/* SPDX-License-Identifier: BSD-2-Clause */
/* Choosing the emulator: see runner.h. */
#include "tool/runner.h"

#include <cpuid.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/x86.h"
#include "tool/process.h"

static const char *const names[RUNNER_COUNT] = {
    [RUNNER_BOCHS] = "bochs", [RUNNER_QEMU_KVM] = "qemu-kvm"};

const char *runner_kvm_obstacle(const struct runner_facts *facts)
{
    if (!facts->cpu_vmx)
        return "this CPU, or the virtual machine that this is, has no VT-x; use --on bochs";
    if (!facts->kvm_usable) {
        return "/dev/kvm cannot be used; load the module kvm_intel and join the group kvm, or use "
               "--on bochs";
    }
    if (!facts->nested)
        return "KVM's nesting is off; reload kvm_intel with nested=1, or use --on bochs";
    if (!facts->qemu) {
        return "qemu-system-x86_64 is missing; install the package qemu-system-x86, or use --on "
               "bochs";
    }
    return NULL;
}

enum runner runner_choose(const struct runner_facts *facts)
{
    return runner_kvm_obstacle(facts) ? RUNNER_BOCHS : RUNNER_QEMU_KVM;
}

const char *runner_name(enum runner runner)
{
    return names[runner];
}

bool runner_parse(const char *name, enum runner *runner)
{
    for (int i = 0; i < RUNNER_COUNT; i++) {
        if (strcmp(name, names[i]) == 0) {
            *runner = (enum runner)i;
            return true;
        }
    }
    return false;
}

static bool cpu_vmx(void)
{
    unsigned eax, ebx, ecx, edx;

    return __get_cpuid(1, &eax, &ebx, &ecx, &edx) && ecx & CPUID_1_ECX_VMX;
}

static bool kvm_usable(void)
{
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    bool usable = kvm >= 0 && ioctl(kvm, KVM_GET_API_VERSION, 0) == KVM_API_VERSION;

    if (kvm >= 0)
        close(kvm);
    return usable;
}

static bool nesting_on(void)
{
    char answer = 'N';
    int parameter = open("/sys/module/kvm_intel/parameters/nested", O_RDONLY | O_CLOEXEC);

    if (parameter < 0)
        return false;
    bool read_it = read(parameter, &answer, 1) == 1;
    close(parameter);
    return read_it && (answer == 'Y' || answer == '1');
}

struct runner_facts runner_look(void)
{
    return (struct runner_facts){
        .cpu_vmx = cpu_vmx(),
        .kvm_usable = kvm_usable(),
        .nested = nesting_on(),
        .qemu = program_exists("qemu-system-x86_64"),
    };
}
