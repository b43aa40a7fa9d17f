/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The peer of the benchmarks: init of a Linux that loads KVM and runs a test kernel (guests/) under
 * it, then switches the machine off. What the guest writes to its UART goes to the console. Devices
 * that KVM does not have itself read as ones, but for the UART, which is always ready and has its
 * scratch register.
 *
 * The guest starts as Linux's 64-bit boot protocol says: the memory map in boot_params, long mode
 * with paging.
 *
 * From Linux's command line, by way of the environment: memory=MIB[,MIB]... asks for a VM for each
 * size of memory, in a process of its own; kvm_intel= has the options of this module.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#define MIB         (1UL << 20)
#define PAGE_MAP    0x1000
#define BOOT_PARAMS 0x4000
#define E820_COUNT  0x1e8
#define E820        0x2d0
#define E820_RAM    1

/* KVM's own pages, below the firmware's place. */
#define IDENTITY_MAP 0xfffbc000UL
#define TASK_STATES  0xfffbd000UL

#define PAGE_TABLE         0x003ULL /* write, present */
#define PAGE_LARGE         0x083ULL
#define LARGE_SIZE         0x200000ULL
#define CR0_LONG           0x80010033ULL
#define CR4_PAE            0x20ULL
#define EFER_LONG          0x500ULL
#define CPUID_X2APIC       (1U << 21)
#define CPUID_TSC_DEADLINE (1U << 24)
#define CPUID_HYPERVISOR   (1U << 31)

#define UART       0x3f8
#define UART_END   0x400
#define UART_LSR   5
#define UART_SCR   7
#define UART_IDLE  0x60
#define POWER_PORT 0xb004

static int vm, vcpu;
static uint8_t *memory;
static size_t memory_size;

static _Noreturn void power_off(void)
{
    fflush(stdout);
    tcdrain(STDOUT_FILENO);
    reboot(RB_POWER_OFF);
    for (;;)
        pause();
}

static _Noreturn void die(const char *what)
{
    printf("runner: %s: %s\n", what, strerror(errno));
    power_off();
}

static int control(int file, unsigned long request, void *argument, const char *what)
{
    int result = ioctl(file, request, argument);

    if (result < 0)
        die(what);
    return result;
}

static void load_module(const char *path, const char *options)
{
    int file = open(path, O_RDONLY);

    if (file < 0 || syscall(SYS_finit_module, file, options, 0) != 0)
        die(path);
    close(file);
}

/* A file's bytes, mapped. */
static const uint8_t *map_file(const char *path)
{
    struct stat info;
    int file = open(path, O_RDONLY);

    if (file < 0 || fstat(file, &info) != 0)
        die(path);
    void *bytes = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    if (bytes == MAP_FAILED)
        die(path);
    return bytes;
}

/* Copies the segments; returns the entry. */
static uint64_t load_kernel(const char *path)
{
    const uint8_t *bytes = map_file(path);
    const Elf64_Ehdr *header = (const void *)bytes;
    const Elf64_Phdr *segment = (const void *)(bytes + header->e_phoff);

    for (unsigned i = 0; i < header->e_phnum; i++)
        if (segment[i].p_type == PT_LOAD)
            memcpy(memory + segment[i].p_paddr, bytes + segment[i].p_offset, segment[i].p_filesz);
    return header->e_entry;
}

/* The first GiB, linear = physical; the memory map of boot_params has one entry. */
static void describe_memory(void)
{
    uint64_t *tables = (void *)(memory + PAGE_MAP), entry[2] = {0, memory_size};
    uint32_t type = E820_RAM;

    tables[0] = (PAGE_MAP + 0x1000) | PAGE_TABLE;
    tables[512] = (PAGE_MAP + 0x2000) | PAGE_TABLE;
    for (unsigned i = 0; i < 512; i++)
        tables[1024 + i] = i * LARGE_SIZE | PAGE_LARGE;
    memory[BOOT_PARAMS + E820_COUNT] = 1;
    memcpy(memory + BOOT_PARAMS + E820, entry, sizeof(entry));
    memcpy(memory + BOOT_PARAMS + E820 + sizeof(entry), &type, sizeof(type));
}

static void create_vm(int kvm)
{
    uint64_t identity_map = IDENTITY_MAP;
    struct kvm_pit_config pit = {.flags = 0};

    vm = control(kvm, KVM_CREATE_VM, NULL, "KVM_CREATE_VM");
    if (ioctl(vm, KVM_SET_TSS_ADDR, TASK_STATES) != 0)
        die("KVM_SET_TSS_ADDR");
    control(vm, KVM_SET_IDENTITY_MAP_ADDR, &identity_map, "KVM_SET_IDENTITY_MAP_ADDR");
    control(vm, KVM_CREATE_IRQCHIP, NULL, "KVM_CREATE_IRQCHIP");
    control(vm, KVM_CREATE_PIT2, &pit, "KVM_CREATE_PIT2");
    memory = mmap(NULL, memory_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        die("the guest's memory");
    struct kvm_userspace_memory_region region = {
        .memory_size = memory_size,
        .userspace_addr = (uintptr_t)memory,
    };
    control(vm, KVM_SET_USER_MEMORY_REGION, &region, "KVM_SET_USER_MEMORY_REGION");
}

/* All that KVM supports, and what it leaves to the caller. */
static void set_cpuid(int kvm)
{
    enum { ENTRIES = 100 };
    struct kvm_cpuid2 *table =
        calloc(1, sizeof(*table) + ENTRIES * sizeof(struct kvm_cpuid_entry2));

    table->nent = ENTRIES;
    control(kvm, KVM_GET_SUPPORTED_CPUID, table, "KVM_GET_SUPPORTED_CPUID");
    for (unsigned i = 0; i < table->nent; i++)
        if (table->entries[i].function == 1)
            table->entries[i].ecx |= CPUID_X2APIC | CPUID_TSC_DEADLINE | CPUID_HYPERVISOR;
    control(vcpu, KVM_SET_CPUID2, table, "KVM_SET_CPUID2");
    free(table);
}

static void set_registers(uint64_t entry)
{
    struct kvm_sregs system;
    struct kvm_regs general = {.rip = entry, .rsi = BOOT_PARAMS, .rflags = 2};
    struct kvm_segment flat = {.limit = 0xffffffff, .present = 1, .s = 1, .g = 1};

    control(vcpu, KVM_GET_SREGS, &system, "KVM_GET_SREGS");
    system.cs = system.ds = flat;
    system.cs.selector = 0x08;
    system.cs.type = 11;
    system.cs.l = 1;
    system.ds.selector = 0x10;
    system.ds.type = 3;
    system.ds.db = 1;
    system.es = system.fs = system.gs = system.ss = system.ds;
    system.cr0 = CR0_LONG;
    system.cr3 = PAGE_MAP;
    system.cr4 = CR4_PAE;
    system.efer = EFER_LONG;
    control(vcpu, KVM_SET_SREGS, &system, "KVM_SET_SREGS");
    control(vcpu, KVM_SET_REGS, &general, "KVM_SET_REGS");
}

static void uart(const struct kvm_run *run, uint8_t *byte)
{
    static uint8_t registers[UART_END - UART];
    unsigned reg = run->io.port - UART;

    if (run->io.direction == KVM_EXIT_IO_IN)
        *byte = reg == UART_LSR ? UART_IDLE : registers[reg];
    else if (reg == 0)
        putchar(*byte);
    else
        registers[reg] = *byte;
}

/* Returns when the guest has switched itself off. */
static void run_guest(struct kvm_run *run)
{
    for (;;) {
        control(vcpu, KVM_RUN, NULL, "KVM_RUN");
        uint8_t *data = (uint8_t *)run + run->io.data_offset;
        if (run->exit_reason == KVM_EXIT_MMIO) {
            memset(run->mmio.data, 0xff, sizeof(run->mmio.data));
        } else if (run->exit_reason != KVM_EXIT_IO) {
            printf("runner: exit %u, which it does not know\n", run->exit_reason);
            return;
        } else if (run->io.port >= UART && run->io.port < UART_END) {
            uart(run, data);
        } else if (run->io.port == POWER_PORT && run->io.direction == KVM_EXIT_IO_OUT) {
            return;
        } else if (run->io.direction == KVM_EXIT_IO_IN) {
            memset(data, 0xff, (size_t)run->io.size * run->io.count);
        }
    }
}

/* Returns when the guest has switched itself off. */
static void run_vm(void)
{
    int kvm = open("/dev/kvm", O_RDWR);

    if (kvm < 0)
        die("/dev/kvm");
    create_vm(kvm);
    describe_memory();
    uint64_t entry = load_kernel("/kernel.elf");
    vcpu = control(vm, KVM_CREATE_VCPU, NULL, "KVM_CREATE_VCPU");
    set_cpuid(kvm);
    set_registers(entry);
    size_t size = (size_t)control(kvm, KVM_GET_VCPU_MMAP_SIZE, NULL, "KVM_GET_VCPU_MMAP_SIZE");
    struct kvm_run *run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
    if (run == MAP_FAILED)
        die("the vCPU's page");
    run_guest(run);
}

/* The size for this process's VM. The last one is init's, and a child is made for each before. */
static void choose_memory(char *sizes)
{
    do
        memory_size = strtoul(sizes, &sizes, 10) * MIB;
    while (*sizes++ == ',' && fork() != 0);
}

int main(void)
{
    const char *options = getenv("kvm_intel");
    char *sizes = getenv("memory");

    if (sizes == NULL || options == NULL)
        die("Linux's command line wants memory= and kvm_intel=");
    mount("dev", "/dev", "devtmpfs", 0, NULL);
    load_module("/irqbypass.ko", "");
    load_module("/kvm.ko", "halt_poll_ns=0");
    load_module("/kvm-intel.ko", options);
    choose_memory(sizes);
    run_vm();
    power_off();
}
