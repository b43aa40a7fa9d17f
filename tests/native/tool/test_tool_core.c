/* SPDX-License-Identifier: BSD-2-Clause */
/* A core's linear addresses are those of the guest's page tables. */
#include <elf.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/procfs.h>
#include <sys/user.h>
#include <unistd.h>

#include "tool/core_file.h"

/* Behind report.h, which has a function of the name of a macro of cmocka's. */
#include <cmocka.h>

#define SIZE    0x800000ULL
#define PRESENT 1ULL
#define LARGE   0x80ULL
#define TABLE   0x10000ULL /* the first of the guest's */

static uint8_t *memory;
static char path[] = "/tmp/coreXXXXXX";

static const struct guest_state long_mode = {
    .cr0 = 1ULL << 31, .cr3 = TABLE, .efer = 1 << 10, .rip = 0x1234, .gpr = {[4] = 0x5678}};

static void set(uint64_t table, unsigned i, uint64_t entry)
{
    memcpy(memory + table + 8ULL * i, &entry, sizeof(entry));
}

static void begin(void)
{
    free(memory);
    memory = calloc(1, SIZE);
}

/* The core of what is in memory, with these vCPUs; the caller frees it. */
static uint8_t *make_with(const struct core_vcpu *vcpus, unsigned count, size_t *size)
{
    strcpy(path + sizeof(path) - 7, "XXXXXX");
    int file = mkstemp(path);

    assert_int_equal(pwrite(file, memory, SIZE, CORE_MEMORY_AT), SIZE);
    assert_int_equal(core_complete(file, path, SIZE, vcpus, count), LINTEL_OK);
    *size = (size_t)lseek(file, 0, SEEK_END);
    uint8_t *bytes = malloc(*size);
    assert_int_equal(pread(file, bytes, *size, 0), *size);
    close(file);
    unlink(path);
    return bytes;
}

static uint8_t *make(const struct guest_state *state, size_t *size)
{
    const struct core_vcpu vcpu = {.state = *state};

    return make_with(&vcpu, 1, size);
}

/* Where in the core a linear address lies, as a debugger finds it; 0: nowhere. */
static uint64_t place_of(const uint8_t *core, uint64_t linear)
{
    const Elf64_Ehdr *elf = (const void *)core;
    Elf64_Phdr h;

    for (unsigned i = 0; i < elf->e_phnum; i++) {
        memcpy(&h, core + elf->e_phoff + i * sizeof(h), sizeof(h));
        if (h.p_type == PT_LOAD && linear - h.p_vaddr < h.p_memsz)
            return h.p_offset + (linear - h.p_vaddr);
    }
    return 0;
}

static uint64_t loads(const uint8_t *core)
{
    return ((const Elf64_Ehdr *)(const void *)core)->e_phnum - 1u;
}

static void pages_of_each_size_are_found(void **state)
{
    size_t size;

    begin();
    set(TABLE, 0, 0x11000 | PRESENT);
    set(TABLE, 511, 0x12000 | PRESENT);
    set(0x11000, 0, 0x13000 | PRESENT);
    set(0x12000, 510, 0x13000 | PRESENT);
    set(0x13000, 0, 0x400000 | PRESENT | LARGE);
    set(0x13000, 1, 0x600000 | PRESENT | LARGE); /* follows: one piece */
    set(0x13000, 2, 0x14000 | PRESENT);
    set(0x14000, 5, 0x7000 | PRESENT);
    set(0x14000, 6, 0x3000 | PRESENT);
    set(0x14000, 7, 0x8000000 | PRESENT); /* no memory */
    set(0x14000, 8, 0x9000);              /* not present */
    uint8_t *core = make(&long_mode, &size);
    for (unsigned half = 0; half < 2; half++) {
        uint64_t base = half == 0 ? 0 : 0xffffffff80000000;
        assert_int_equal(place_of(core, base + 0x123), CORE_MEMORY_AT + 0x400123);
        assert_int_equal(place_of(core, base + 0x3fffff), CORE_MEMORY_AT + 0x7fffff);
        assert_int_equal(place_of(core, base + 0x405fff), CORE_MEMORY_AT + 0x7fff);
        assert_int_equal(place_of(core, base + 0x406000), CORE_MEMORY_AT + 0x3000);
        assert_int_equal(place_of(core, base + 0x407000), 0);
        assert_int_equal(place_of(core, base + 0x408000), 0);
        assert_int_equal(place_of(core, base + 0x400000), 0);
    }
    assert_int_equal(loads(core), 6);
    free(core);
}

/* A page may be larger than the memory, whose end is the core's. */
static void of_a_page_beyond_memory_is_what_is_there(void **state)
{
    size_t size;

    begin();
    set(TABLE, 0, 0x11000 | PRESENT);
    set(0x11000, 1, PRESENT | LARGE);
    set(0x11000, 2, 0x40000000 | PRESENT | LARGE); /* no memory at all */
    uint8_t *core = make(&long_mode, &size);
    assert_int_equal(loads(core), 1);
    assert_int_equal(place_of(core, 0x40000000), CORE_MEMORY_AT);
    assert_int_equal(place_of(core, 0x40000000 + SIZE - 1), CORE_MEMORY_AT + SIZE - 1);
    assert_int_equal(place_of(core, 0x40000000 + SIZE), 0);
    free(core);
}

/* Each vCPU's, whose number is the thread's less one; memory is as the first has it. */
static void the_registers_are_notes(void **state)
{
    struct core_vcpu vcpus[PLAN_MAX_VCPUS] = {{.state = long_mode}};
    struct elf_prstatus status;
    struct user_regs_struct registers;
    Elf64_Ehdr elf;
    Elf64_Phdr notes;
    size_t size;

    for (unsigned i = 1; i < PLAN_MAX_VCPUS; i++)
        vcpus[i] = (struct core_vcpu){.number = i + 1, .state = {.rip = i}};
    for (unsigned count = 1; count <= PLAN_MAX_VCPUS; count++) {
        begin();
        uint8_t *core = make_with(vcpus, count, &size);
        memcpy(&elf, core, sizeof(elf));
        memcpy(&notes, core + elf.e_phoff, sizeof(notes));
        assert_int_equal(notes.p_type, PT_NOTE);
        assert_int_equal(notes.p_offset, CORE_MEMORY_AT + SIZE);
        assert_int_equal(notes.p_filesz, count * (sizeof(Elf64_Nhdr) + 8 + sizeof(status)));
        assert_int_equal(elf.e_phoff, notes.p_offset + notes.p_filesz);
        const uint8_t *note = core + notes.p_offset;
        for (unsigned i = 0; i < count; i++, note += notes.p_filesz / count) {
            assert_memory_equal(note + sizeof(Elf64_Nhdr), "CORE\0\0\0", 8);
            memcpy(&status, note + sizeof(Elf64_Nhdr) + 8, sizeof(status));
            memcpy(&registers, &status.pr_reg, sizeof(registers));
            assert_int_equal(status.pr_pid, vcpus[i].number + 1);
            assert_int_equal(registers.rip, vcpus[i].state.rip);
            assert_int_equal(registers.rsp, vcpus[i].state.gpr[GPR_RSP]);
        }
        assert_int_equal(loads(core), 0);
        free(core);
    }
}

static void without_paging_linear_is_physical(void **state)
{
    const struct guest_state real = {0};
    size_t size;

    begin();
    uint8_t *core = make(&real, &size);
    assert_int_equal(loads(core), 1);
    assert_int_equal(place_of(core, SIZE - 1), CORE_MEMORY_AT + SIZE - 1);
    assert_int_equal(place_of(core, SIZE), 0);
    free(core);
}

/* A guest's tables may lead back to themselves, out of memory, or be noise. */
static void hostile_tables_end(void **state)
{
    struct guest_state wild = long_mode;
    size_t size;

    begin();
    for (unsigned i = 0; i < 512; i++) {
        set(TABLE, i, TABLE | PRESENT);
        set(0x11000, i, (i % 2 ? 0x12000 : 0xfffffff000) | PRESENT);
    }
    uint8_t *core = make(&wild, &size);
    assert_int_equal(loads(core), PN_XNUM - 2); /* as many as an ELF file has */
    free(core);
    for (unsigned i = 0; i < 512; i++) /* without an end, and without a page */
        set(TABLE, i, 0x11000 | PRESENT);
    for (unsigned i = 0; i < 512; i++) {
        set(0x11000, i, 0x12000 | PRESENT);
        set(0x12000, i, 0x13000 | PRESENT);
        set(0x13000, i, 0x7fffffff000 | PRESENT);
    }
    free(make(&wild, &size));
    wild.cr3 = 0xffffffffff000;
    free(make(&wild, &size));
    srand(1);
    for (unsigned round = 0; round < 4; round++) {
        for (uint64_t i = 0; i < SIZE / 8; i++)
            set(0, (unsigned)i,
                (uint64_t)rand() % (SIZE / 0x1000) * 0x1000 | (uint64_t)(rand() & 0x81));
        free(make(&long_mode, &size));
    }
}

static void the_hole_is_no_memory(void **state)
{
    const uint64_t gib = 1ULL << 30;

    assert_int_equal(core_offset(SIZE, SIZE), UINT64_MAX);
    assert_int_equal(core_offset(3 * gib - 1, 4 * gib), 3 * gib - 1);
    assert_int_equal(core_offset(3 * gib, 4 * gib), UINT64_MAX);
    assert_int_equal(core_offset(4 * gib, 4 * gib), 3 * gib);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_of_each_size_are_found),
        cmocka_unit_test(of_a_page_beyond_memory_is_what_is_there),
        cmocka_unit_test(the_registers_are_notes),
        cmocka_unit_test(without_paging_linear_is_physical),
        cmocka_unit_test(hostile_tables_end),
        cmocka_unit_test(the_hole_is_no_memory),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    free(memory);
    return failed;
}
