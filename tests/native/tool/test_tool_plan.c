/* SPDX-License-Identifier: BSD-2-Clause */
/* The hypervisor's check of the plan that the tool writes: what is wrong is found, and said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "abi/block.h"
#include "abi/console.h"
#include "hypervisor/boot/plan.h"
#include "hypervisor/cpu/layout.h"

#define MIB       (1ULL << 20)
#define FILE_SIZE 0x1800

struct boot {
    struct plan plan;
    uint64_t size; /* of the plan's module */
    struct boot_info info;
};

/* Two VMs with a kernel of their own, one with a disk and one with a console, as GRUB loads them.
 */
static void make_good(struct boot *b)
{
    *b = (struct boot){
        .plan = {.magic = PLAN_MAGIC,
                 .version = PLAN_VERSION,
                 .size = sizeof(struct plan),
                 .vm_count = 2,
                 .file_count = 2,
                 .process_count = 2,
                 .channel_count = 2,
                 .processes = {{.name = "disk",
                                .file = PLAN_NO_FILE,
                                .port_range_count = 1,
                                .ports = {{0x1f0, 8}},
                                .interrupt_count = 1,
                                .interrupts = {14},
                                .dma = 0x1000},
                               {.name = "console",
                                .file = PLAN_NO_FILE,
                                .grants = PLAN_GRANT_LOG,
                                .port_range_count = 1,
                                .ports = {{0x3f8, 8}},
                                .interrupt_count = 1,
                                .interrupts = {4}}},
                 .channels = {{PLAN_CHANNEL_BLOCK, 1, PLAN_PROCESS, 0, BLOCK_CHANNEL_SIZE,
                               "lintel-root"},
                              {PLAN_CHANNEL_CONSOLE, 0, PLAN_PROCESS + 1, 0, CONSOLE_CHANNEL_SIZE,
                               ""}}},
        .size = sizeof(struct plan),
        .info.module_count = PLAN_MODULE_FIRST_FILE + 2,
    };
    for (uint32_t i = 0; i < 2; i++) {
        b->plan.files[i] = (struct plan_file){FILE_SIZE, "kernel"};
        b->plan.vms[i] = (struct plan_vm){.name = {(char)('a' + i)},
                                          .memory = 64 * MIB,
                                          .vcpus = 1,
                                          .kernel = i,
                                          .initrd = PLAN_NO_FILE};
    }
    for (uint32_t i = 0; i < b->info.module_count; i++) {
        uint64_t start = MIB + i * 0x2000;
        b->info.modules[i] = (struct phys_range){start, start + FILE_SIZE};
    }
}

/* Each way to spoil it: SPOIL(name, statement, what the message must have). */
#define SPOILS                                                                                     \
    SPOIL(magic, b->plan.magic++, "no plan")                                                       \
    SPOIL(cut, b->size--, "no plan")                                                               \
    SPOIL(version, b->plan.version++, "version")                                                   \
    SPOIL(nothing, b->plan.vm_count = b->plan.process_count = b->plan.channel_count = 0,           \
          "neither a VM nor a process")                                                            \
    SPOIL(many_processes, b->plan.process_count = PLAN_MAX_PROCESSES + 1, "10 processes")          \
    SPOIL(many_channels, b->plan.channel_count = PLAN_MAX_CHANNELS + 1, "65 channels")             \
    SPOIL(process_name, b->plan.processes[0].name[0] = '\0', "process 0 of the plan has no name")  \
    SPOIL(process_twice, b->plan.processes[1] = b->plan.processes[0], "have the name disk")        \
    SPOIL(image, b->plan.processes[0].image = 2, "no file of the plan")                            \
    SPOIL(grant, b->plan.processes[0].grants = 4, "grants are unknown")                            \
    SPOIL(controls, b->plan.processes[0].controls = 4, "controls VMs that are not there")          \
    SPOIL(controls_twice, (b->plan.processes[0].controls = 1, b->plan.processes[1].controls = 2),  \
          "controls VMs already")                                                                  \
    SPOIL(controls_elsewhere, (b->plan.processes[0].controls = 3, b->plan.vms[1].cpus[0] = 1),     \
          "process disk: it controls vm b of another CPU: put both on one")                        \
    SPOIL(                                                                                         \
        controls_apart,                                                                            \
        (b->plan.processes[0].controls = 3, b->plan.vms[1].vcpus = 2, b->plan.vms[1].cpus[1] = 1), \
        "process disk: it controls vm b of another CPU: put both on one")                          \
    SPOIL(controls_and_dma,                                                                        \
          (b->plan.processes[0].controls = 1, b->plan.processes[0].grants |= PLAN_GRANT_PCI),      \
          "it controls VMs, and has a PCI function")                                               \
    SPOIL(home_of_vm, b->plan.vms[1].cpus[0] = CPUS_MAX,                                           \
          "b: its home is CPU 256; the last one is 255")                                           \
    SPOIL(home_of_process, b->plan.processes[1].cpu = UINT32_MAX,                                  \
          "console: its home is CPU 4294967295; the last one is 255")                              \
    SPOIL(consoles, b->plan.processes[0].grants = b->plan.processes[1].grants, "are the console")  \
    SPOIL(port_ranges, b->plan.processes[0].port_range_count = 5, "5 port ranges")                 \
    SPOIL(interrupts, b->plan.processes[0].interrupt_count = 5, "5 interrupts")                    \
    SPOIL(interrupts_and_function,                                                                 \
          (b->plan.processes[0].interrupt_count = 4, b->plan.processes[0].grants = 2),             \
          "4 interrupts beside those of its PCI function; at most 4 and 3")                        \
    SPOIL(same_function, (b->plan.processes[0].grants = b->plan.processes[1].grants = 2),          \
          "a PCI function in common")                                                              \
    SPOIL(no_ports, b->plan.processes[0].ports[0].count = 0, "port range 0 is none")               \
    SPOIL(port_end, b->plan.processes[0].ports[0].first = 0xfff9, "port range 0 is none")          \
    SPOIL(same_port, b->plan.processes[0].ports[0].first = 0x3ff, "a port in common")              \
    SPOIL(interrupt, b->plan.processes[0].interrupts[0] = 16, "interrupt 16 is no ISA")            \
    SPOIL(same_interrupt, b->plan.processes[0].interrupts[0] = 4, "an interrupt in common")        \
    SPOIL(dma, b->plan.processes[0].dma = 0x800, "whole pages")                                    \
    SPOIL(channel_kind, b->plan.channels[0].kind = 9, "of no kind")                                \
    SPOIL(client, b->plan.channels[0].client = 2, "no client")                                     \
    SPOIL(server, b->plan.channels[0].server = 0, "no server")                                     \
    SPOIL(itself, b->plan.channels[0].client = b->plan.channels[0].server, "no client")            \
    SPOIL(same_partition,                                                                          \
          (b->plan.channels[1] = b->plan.channels[0], b->plan.channels[1].client = 0,              \
           b->plan.channels[1].read_only = 1),                                                     \
          "channels 0 and 1 are about the same partition 'lintel-root' of disk")                   \
    SPOIL(channel_of_nothing, b->plan.channels[0].size = 0, "channel 0 of the plan has 0 bytes")   \
    SPOIL(channel_short, b->plan.channels[1].size -= 0x1000, "channel 1 of the plan has 12288")    \
    SPOIL(channel_odd, b->plan.channels[0].size += 0x800, "whole pages")                           \
    SPOIL(channel_long, b->plan.channels[0].size = 0x101000, "has 1052672 bytes")                  \
    SPOIL(little_budget, (b->plan.vms[1].budget = 249, b->plan.vms[1].period = 1000),              \
          "at least 250")                                                                          \
    SPOIL(no_budget, b->plan.processes[0].period = 1000, "disk: a budget of 0 us in each 1000 us") \
    SPOIL(no_period, b->plan.vms[0].budget = 250, "a: a budget of 250 us in each 0 us")            \
    SPOIL(long_period, (b->plan.vms[1].budget = 250, b->plan.vms[1].period = 100001), "no period") \
    SPOIL(promises,                                                                                \
          (b->plan.vms[1].budget = 500, b->plan.vms[1].period = 1000,                              \
           b->plan.processes[1].budget = 2001, b->plan.processes[1].period = 5000),                \
          "with console more than 90 %")                                                           \
    SPOIL(many_vms, b->plan.vm_count = PLAN_MAX_VMS + 1, "9 VMs")                                  \
    SPOIL(many_files, b->plan.file_count = PLAN_MAX_FILES + 1, "33 files")                         \
    SPOIL(module_missing, b->info.module_count--, "one is missing")                                \
    SPOIL(module_short, b->info.modules[3].end--, "truncated")                                     \
    SPOIL(file_without_end, memset(b->plan.files[1].name, 'x', PLAN_NAME_SIZE), "no name")         \
    SPOIL(unaligned, b->info.modules[1].start++, "did not align")                                  \
    SPOIL(backwards, b->info.modules[1].end = 0, "did not align")                                  \
    SPOIL(same_place, b->info.modules[3] = b->info.modules[2], "modules 2 and 3 overlap")          \
    SPOIL(last_byte, b->info.modules[0].end = b->info.modules[1].start + 1,                        \
          "modules 0 and 1 overlap, at 100000-102001 and 102000-103800")                           \
    SPOIL(inside, b->info.modules[1].end = MIB + 0x8000, "modules 1 and 2 overlap")                \
    SPOIL(vm_without_name, b->plan.vms[1].name[0] = '\0', "no name")                               \
    SPOIL(name_twice, b->plan.vms[1].name[0] = 'a', "two VMs have the name a")                     \
    SPOIL(cmdline_without_end, memset(b->plan.vms[0].cmdline, 'x', PLAN_CMDLINE_SIZE),             \
          "without an end")                                                                        \
    SPOIL(vcpus, b->plan.vms[1].vcpus = PLAN_MAX_VCPUS + 1, "vCPUs; this version runs 1 to")       \
    SPOIL(no_vcpu, b->plan.vms[1].vcpus = 0, "vm b: 0 vCPUs")                                      \
    SPOIL(no_memory, b->plan.vms[1].memory = 0, "0 bytes")                                         \
    SPOIL(odd_memory, b->plan.vms[1].memory += MIB, "multiple of 2 MiB")                           \
    SPOIL(kernel, b->plan.vms[1].kernel = 2, "no file of the plan")                                \
    SPOIL(no_kernel, b->plan.vms[1].kernel = PLAN_NO_FILE, "no file of the plan")                  \
    SPOIL(initrd, b->plan.vms[1].initrd = 2, "no file of the plan")                                \
    SPOIL(action, b->plan.vms[1].on[PLAN_ON_HALT] = PLAN_ACTION_COUNT, "action 3")

#define SPOIL(name, statement, says)                                                               \
    static void spoil_##name(struct boot *b)                                                       \
    {                                                                                              \
        statement;                                                                                 \
    }
SPOILS
#undef SPOIL

static const struct {
    const char *name;
    void (*spoil)(struct boot *b);
    const char *says;
} rows[] = {
#define SPOIL(name, statement, says) {#name, spoil_##name, says},
    SPOILS
#undef SPOIL
};

static const char *check(const struct boot *b)
{
    static char message[256];

    return plan_check(&b->plan, b->size, &b->info, message, sizeof(message));
}

static void a_good_plan_is_taken(void **state)
{
    struct boot b;

    make_good(&b);
    assert_null(check(&b));
    b.info.modules[0].end = b.info.modules[1].start; /* they may touch */
    assert_null(check(&b));
    b.plan.channels[1] = b.plan.channels[0];
    b.plan.channels[1].client = 0;
    b.plan.channels[1].label[8] = 'x'; /* another partition */
    assert_null(check(&b));
    b.plan.channels[1].label[8] = 'o'; /* the same, which both only read */
    b.plan.channels[0].read_only = b.plan.channels[1].read_only = 1;
    assert_null(check(&b));
}

static void each_fault_is_found_and_named(void **state)
{
    struct boot b;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        make_good(&b);
        rows[i].spoil(&b);
        const char *wrong = check(&b);
        if (!wrong || !strstr(wrong, rows[i].says))
            fail_msg("%s: %s", rows[i].name, wrong ? wrong : "taken as good");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_plan_is_taken),
        cmocka_unit_test(each_fault_is_found_and_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
