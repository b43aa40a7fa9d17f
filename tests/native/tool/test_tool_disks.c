/* SPDX-License-Identifier: BSD-2-Clause */
/* From the disks of a description to the plan's processes and channels. */
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* before cmocka.h, which has a macro of the name of the tool's fail */
#include "abi/process.h"
#include "hypervisor/boot/plan.h"
#include "tool/console_process.h"
#include "tool/disk_file.h"
#include "tool/emulated_disk.h"
#include "tool/machine.h"
#include "tool/process.h"
#include "tool/size.h"

#include <cmocka.h>

static char folder[] = "/tmp/lintel-test-XXXXXX";

static void put(const char *name, const void *bytes, size_t size)
{
    FILE *file = fopen(name, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

/* An ELF file of a header and one segment, which has nothing in it but that: a kernel, or a
 * program. */
static void put_elf(const char *name)
{
    struct {
        Elf64_Ehdr header;
        Elf64_Phdr segment;
    } file = {
        .header = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, 1},
                   .e_type = ET_EXEC,
                   .e_machine = EM_X86_64,
                   .e_version = 1,
                   .e_entry = PROCESS_IMAGE_START,
                   .e_phoff = sizeof(Elf64_Ehdr),
                   .e_ehsize = sizeof(Elf64_Ehdr),
                   .e_phentsize = sizeof(Elf64_Phdr),
                   .e_phnum = 1},
        .segment = {.p_type = PT_LOAD,
                    .p_flags = PF_R | PF_X,
                    .p_vaddr = PROCESS_IMAGE_START,
                    .p_paddr = PROCESS_IMAGE_START,
                    .p_filesz = sizeof(file),
                    .p_memsz = 4096},
    };

    put(name, &file, sizeof(file));
}

static int make_files(void **state)
{
    static const char *const programs[] = {"LINTEL_ATA", "LINTEL_AHCI",    "LINTEL_NVME",
                                           "LINTEL_RAM", "LINTEL_CONSOLE", "LINTEL_CONTROL"};
    static const char ram[8192];

    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
        put_elf(programs[i]);
        setenv(programs[i], programs[i], 1);
    }
    put("ram.img", ram, sizeof(ram));
    put_elf("kernel");
    return 0;
}

static int remove_files(void **state)
{
    path_remove(folder);
    return 0;
}

/* The hypervisor takes the plan, with modules as GRUB loads them. */
static void check_plan(const struct plan *plan)
{
    struct boot_info info = {.module_count = PLAN_MODULE_FIRST_FILE + plan->file_count};
    uint64_t start = MIB;
    char text[256];

    for (uint32_t i = 0; i < info.module_count; i++) {
        uint64_t size = i < PLAN_MODULE_FIRST_FILE ? sizeof(*plan)
                                                   : plan->files[i - PLAN_MODULE_FIRST_FILE].size;
        info.modules[i] = (struct phys_range){start, start + size};
        start += (size + MIB) & ~(MIB - 1);
    }
    assert_null(plan_check(plan, sizeof(*plan), &info, text, sizeof(text)));
}

static void load(struct machine *machine, const char *host, const char *disk_a, const char *disk_b)
{
    FILE *file = fopen("vm.yaml", "w");

    fprintf(file,
            "host: {disks: [%s]}\n"
            "vms:\n"
            "  - {name: a, kernel: kernel, memory: 8M%s%s}\n"
            "  - {name: b, kernel: kernel, memory: 8M%s%s}\n",
            host, *disk_a ? ", disk: " : "", disk_a, *disk_b ? ", disk: " : "", disk_b);
    fclose(file);
    assert_int_equal(machine_load("vm.yaml", MACHINE_EMULATED, machine), LINTEL_OK);
    check_plan(&machine->plan);
}

/* Before the disks come the console, and its channels to both VMs. */
#define FIRST 1
#define VMS   2

static void check_channel(const struct plan *plan, uint32_t i, uint32_t vm, const char *label,
                          uint32_t process, uint32_t read_only)
{
    const struct plan_channel *channel = &plan->channels[VMS + i];

    assert_int_equal(channel->kind, PLAN_CHANNEL_BLOCK);
    assert_int_equal(channel->client, vm);
    assert_int_equal(channel->server, PLAN_PROCESS | (FIRST + process));
    assert_int_equal(channel->read_only, read_only);
    assert_string_equal(channel->label, label);
}

static void without_disks(void **state)
{
    struct machine machine;

    load(&machine, "", "", "");
    assert_int_equal(machine.plan.process_count, FIRST);
    assert_int_equal(machine.plan.channel_count, VMS);
    machine_free(&machine);
}

static void by_ata(void **state)
{
    struct machine machine;

    load(&machine, "{name: d, driver: ata}", "{on: d, partition: root}", "{on: d, read-only: yes}");
    const struct plan *plan = &machine.plan;
    const struct plan_process *process = &plan->processes[FIRST];
    assert_int_equal(plan->process_count, FIRST + 1);
    assert_string_equal(process->name, "d");
    assert_string_equal(plan->files[process->image].name, "LINTEL_ATA");
    assert_int_equal(process->file, PLAN_NO_FILE);
    assert_int_equal(process->grants, PLAN_GRANT_PCI);
    assert_int_equal(process->pci_class, 0x010180);
    assert_int_equal(process->pci_index, 0);
    assert_int_equal(process->port_range_count, 2);
    assert_int_equal(process->ports[0].first, 0x1f0);
    assert_int_equal(process->ports[0].count, 8);
    assert_int_equal(process->ports[1].first, 0x3f6);
    assert_int_equal(process->ports[1].count, 1);
    assert_int_equal(process->interrupt_count, 1);
    assert_int_equal(process->interrupts[0], 14);
    assert_true(process->dma >= 128 * 1024 && process->dma % 4096 == 0);
    assert_int_equal(plan->channel_count, VMS + 2);
    check_channel(plan, 0, 0, "lintel-root", 0, 0);
    check_channel(plan, 1, 1, "lintel-b", 0, 1);
    machine_free(&machine);
}

static void several_controllers(void **state)
{
    static const uint32_t classes[] = {0x010802, 0x010601, 0x010802, 0x010802},
                          indexes[] = {0, 0, 2, 1};
    struct machine machine;

    load(&machine,
         "{name: c, driver: nvme}, {name: d, driver: ahci},"
         "{name: e, driver: nvme, index: 2}, {name: f, driver: nvme}",
         "", "{on: f}");
    assert_int_equal(machine.plan.process_count, FIRST + 4);
    for (uint32_t i = 0; i < 4; i++) {
        const struct plan_process *process = &machine.plan.processes[FIRST + i];
        assert_int_equal(process->pci_class, classes[i]);
        assert_int_equal(process->pci_index, indexes[i]);
        assert_int_equal(process->port_range_count, 0);
        assert_int_equal(process->interrupt_count, 0);
    }
    check_channel(&machine.plan, 0, 1, "lintel-b", 3, 0);
    machine_free(&machine);
}

static void ram_disks(void **state)
{
    struct machine machine;

    load(&machine, "", "{file: ram.img, read-only: true}", "{file: ram.img}");
    const struct plan *plan = &machine.plan;
    assert_int_equal(plan->process_count, FIRST + 2);
    for (uint32_t i = 0; i < 2; i++) {
        const struct plan_process *process = &plan->processes[FIRST + i];
        assert_string_equal(process->name, i ? "b.disk" : "a.disk");
        assert_string_equal(plan->files[process->image].name, "LINTEL_RAM");
        assert_string_equal(plan->files[process->file].name, "ram.img");
        assert_int_equal(process->grants, 0);
        check_channel(plan, i, i, "", i, !i);
    }
    /* what is written needs room */
    assert_true(plan->processes[FIRST + 1].dma >= plan->processes[FIRST].dma + 8192 + 4096);
    machine_free(&machine);
}

/* A machine that gets what is needed gets the disks' memory as well. */
static void memory(void **state)
{
    struct machine without, with;
    FILE *big = fopen("big.img", "w");

    assert_int_equal(ftruncate(fileno(big), 256 * MIB), 0);
    fclose(big);
    load(&without, "", "", "");
    load(&with, "", "{file: big.img}", "");
    assert_true(with.memory >= without.memory + 256 * MIB);
    machine_free(&without);
    machine_free(&with);
}

/* QEMU's words, each with a blank behind it. */
static void in_qemu(void **state)
{
    static struct machine machine = {
        .disks = {{.driver = DISK_ATA}, {.driver = DISK_AHCI}, {.driver = DISK_NVME}},
        .disk_count = 3,
        .partitions = {{.disk = 0}, {.disk = 1, .read_only = true}, {.disk = 2}},
        .partition_count = 3,
    };
    const char *words[EMULATED_DISK_WORDS];
    char line[1024] = "";
    size_t count = emulated_disks_qemu(&machine, words);

    for (size_t i = 0; i < count; i++) {
        strcat(strcat(line, words[i]), " ");
        if (words[i][0] != '-')
            free((char *)words[i]);
    }
    assert_string_equal(
        line, "-drive if=none,id=disk-0,format=raw,file.locking=off,file=disk-0 "
              "-device ide-hd,drive=disk-0,bus=ide.0,unit=0 "
              "-drive if=none,id=disk-1,format=raw,file.locking=off,file=disk-1,snapshot=on "
              "-device ich9-ahci,id=ahci-1 -device ide-hd,drive=disk-1,bus=ahci-1.0 "
              "-drive if=none,id=disk-2,format=raw,file.locking=off,file=disk-2 "
              "-device nvme,drive=disk-2,serial=disk-2 ");
}

static void console(void **state)
{
    static struct vm_description vms[] = {
        {.console = NULL}, {.console = "none"}, {.console = "serial"}, {.console = "virtio"}};
    static struct description content = {.vms = vms, .vms_count = 4};
    static struct loading loading = {.file.content = &content};
    static struct machine machine;
    struct plan *plan = &machine.plan;

    loading.machine = &machine;
    plan->vm_count = 4;
    console_process_load(&loading);
    const struct plan_process *process = &plan->processes[0];
    assert_int_equal(plan->process_count, 1);
    assert_string_equal(process->name, "console");
    assert_string_equal(process->arguments, "console=focus");
    assert_int_equal(process->grants, PLAN_GRANT_LOG);
    assert_int_equal(process->file, PLAN_NO_FILE);
    assert_int_equal(process->dma, 0);
    assert_int_equal(process->port_range_count, 1);
    assert_int_equal(process->ports[0].first, 0x3f8);
    assert_int_equal(process->ports[0].count, 8);
    assert_int_equal(process->interrupt_count, 1);
    assert_int_equal(process->interrupts[0], 4);
    assert_int_equal(plan->channel_count, 4);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(plan->channels[i].kind, PLAN_CHANNEL_CONSOLE);
        assert_int_equal(plan->channels[i].client, i);
        assert_int_equal(plan->channels[i].server, PLAN_PROCESS);
        assert_int_equal(plan->channels[i].read_only, i == 1);
        assert_string_equal(plan->channels[i].label, i == 3 ? "virtio" : "");
    }
    console_process_set_lines(plan, true);
    assert_string_equal(process->arguments, "console=lines");
    machine_free(&machine);
}

/* Who controls VMs is the console's client for those that it may control and that have a share of
 * the line, and for no others. */
static void watched_consoles(void **state)
{
    static const char description[] =
        "vms:\n"
        "  - {name: a, kernel: kernel, memory: 8M, control: no}\n"
        "  - {name: b, kernel: kernel, memory: 8M}\n"
        "  - {name: c, kernel: kernel, memory: 8M, console: none}\n"
        "  - {name: d, kernel: kernel, memory: 8M, console: virtio}\n";
    static const char *const labels[] = {"1", "3"};
    struct machine machine;

    put("vm.yaml", description, sizeof(description) - 1);
    assert_int_equal(machine_load("vm.yaml", MACHINE_EMULATED | MACHINE_CONTROLLED, &machine),
                     LINTEL_OK);
    const struct plan *plan = &machine.plan;
    check_plan(plan);
    assert_int_equal(plan->processes[FIRST].controls, 2 + 4 + 8);
    assert_int_equal(plan->channel_count, 4 + 2);
    for (unsigned i = 0; i < 2; i++) {
        const struct plan_channel *channel = &plan->channels[4 + i];
        assert_int_equal(channel->kind, PLAN_CHANNEL_CONSOLE);
        assert_int_equal(channel->client, PLAN_PROCESS | FIRST);
        assert_int_equal(channel->server, PLAN_PROCESS | 0);
        assert_string_equal(channel->label, labels[i]);
    }
    machine_free(&machine);
}

static void console_words(void **state)
{
    static const struct {
        const char *words;
        enum console_words mean;
    } rows[] = {
        {NULL, CONSOLE_WORDS_NONE},
        {"", CONSOLE_WORDS_NONE},
        {"counters", CONSOLE_WORDS_NONE},
        {"hide=console=lines", CONSOLE_WORDS_NONE},
        {"counters console=lines", CONSOLE_WORDS_LINES},
        {"console=lines  console=focus hide=", CONSOLE_WORDS_FOCUS},
        {"console=linesx", CONSOLE_WORDS_WRONG},
        {"console= console=lines", CONSOLE_WORDS_WRONG},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(console_words_read(rows[i].words), rows[i].mean);
}

/* Sizes in MiB of a disk, of what VM a and VM b say for themselves, and what they get. */
static void shares(void **state)
{
    static const struct {
        uint64_t disk, says[2], get[2], least;
    } rows[] = {
        {10, {0, 0}, {4, 4}, 4}, {11, {0, 0}, {4, 4}, 4},
        {4, {0, 0}, {1, 1}, 4},  {3, {0, 0}, {0, 0}, 4},
        {10, {3, 0}, {3, 5}, 6}, {10, {4, 4}, {4, 4}, 10},
        {9, {4, 4}, {4, 4}, 10}, {100, {4, 4}, {4, 4}, 10},
        {6, {0, 4}, {0, 4}, 7},  {1 << 20, {0, 7}, {(1 << 20) - 9, 7}, 10},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct machine machine = {
            .disks = {{.size = 99 * MIB}, {.size = rows[i].disk * MIB}},
            .disk_count = 2,
            .partitions = {{.disk = 1, .size = rows[i].says[0] * MIB},
                           {.disk = 0},
                           {.disk = 1, .size = rows[i].says[1] * MIB}},
            .partition_count = 3,
        };
        uint64_t least;
        assert_int_equal(disk_file_share(&machine, 1, &least), rows[i].disk >= rows[i].least);
        assert_int_equal(least, rows[i].least * MIB);
        assert_int_equal(machine.partitions[0].size, rows[i].get[0] * MIB);
        assert_int_equal(machine.partitions[1].size, 0);
        assert_int_equal(machine.partitions[2].size, rows[i].get[1] * MIB);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_disks),
        cmocka_unit_test(by_ata),
        cmocka_unit_test(several_controllers),
        cmocka_unit_test(ram_disks),
        cmocka_unit_test(memory),
        cmocka_unit_test(shares),
        cmocka_unit_test(in_qemu),
        cmocka_unit_test(console),
        cmocka_unit_test(watched_consoles),
        cmocka_unit_test(console_words),
    };

    return cmocka_run_group_tests(tests, make_files, remove_files);
}
