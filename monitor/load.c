/* SPDX-License-Identifier: BSD-2-Clause */
/* What is the same for all kinds of kernel: initrd, command line, memory map, page tables and the
 * first state. */
#include "monitor/load.h"

#include <stdarg.h>

#include "lib/format.h"
#include "lib/string.h"
#include "monitor/x86.h"

#define VGA_MODE_NORMAL 0xffff

/* The boot protocol's selectors. */
#define BOOT_CS 0x10
#define BOOT_DS 0x18

#define CODE_64         (0xbu | ACCESS_S | ACCESS_P | ACCESS_L | ACCESS_G)
#define DATA            (0x3u | ACCESS_S | ACCESS_P | ACCESS_DB | ACCESS_G)
#define BUSY_TSS        (0xbu | ACCESS_P)
#define DESCRIPTOR_FLAT 0x008f00000000ffffULL /* base 0, limit 4 GiB, G */

#define ENTRY_TABLE 0x03ULL /* present, writable */
#define ENTRY_LARGE 0x83ULL
#define MAPPED_GIB  4

const char *load_part_name(enum load_part part)
{
    static const char *const names[] = {"kernel", "initrd", "cmdline", "memory"};

    return names[part];
}

bool load_fail(struct load *load, enum load_part part, const char *fmt, ...)
{
    va_list args;

    load->wrong = part;
    va_start(args, fmt);
    vformat(load->error, sizeof(load->error), fmt, args);
    va_end(args);
    return false;
}

uint8_t *load_room(struct load *load, const char *what, uint64_t physical, uint64_t size)
{
    if (physical < LOAD_KERNEL_MIN || physical >= PLAN_HOLE_START ||
        size > PLAN_HOLE_START - physical) {
        load_fail(
            load, LOAD_PART_KERNEL,
            "%s needs %lu bytes of memory at %lx, and a kernel can have it from %llx to %llx: "
            "link it elsewhere",
            what, size, physical, LOAD_KERNEL_MIN, PLAN_HOLE_START);
        return NULL;
    }
    uint8_t *to = guest_memory_at(load->memory, physical, size);

    if (to == NULL)
        load_fail(load, LOAD_PART_MEMORY,
                  "%s needs memory from %lx to %lx, the guest's ends at %lx: give the VM at least "
                  "%lu MiB",
                  what, physical, physical + size, load->memory->low_end,
                  align_up(physical + size, PLAN_MEMORY_UNIT) >> 20);
    return to;
}

static bool load_kernel(struct load *load)
{
    if (load->kernel.bytes == NULL)
        return load_fail(load, LOAD_PART_KERNEL, "there is none: name one in the description");
    if (load_linux_matches(load))
        return load_linux(load);
    if (load_elf_matches(load))
        return load_elf(load);
    return load_fail(load, LOAD_PART_KERNEL,
                     "it is neither a Linux bzImage nor an ELF64 executable: name another file");
}

/* As high as it may be, out of the way of a kernel that grows. */
static bool load_initrd(struct load *load)
{
    uint64_t size = load->initrd.size, limit = min_u64(load->initrd_max + 1, PLAN_HOLE_START);
    uint64_t need = size < limit ? load->kernel_end + align_up(size, PAGE_SIZE) : size;
    uint64_t end = min_u64(limit, load->memory->low_end);

    if (load->initrd.bytes == NULL || size == 0)
        return true;
    if (end < size || align_down(end - size, PAGE_SIZE) < load->kernel_end)
        return load_fail(load, need > limit ? LOAD_PART_INITRD : LOAD_PART_MEMORY,
                         "the initrd's %lu bytes do not fit between the kernel's end at %lx and "
                         "%lx: %s",
                         size, load->kernel_end, end,
                         need > limit ? "this kernel wants a smaller one"
                                      : "give the VM more memory");
    uint64_t address = align_down(end - size, PAGE_SIZE);

    load_place(load->memory->base + address, size, load->initrd.bytes, size);
    load->params.hdr.ramdisk_image = (uint32_t)address;
    load->params.hdr.ramdisk_size = (uint32_t)size;
    return true;
}

static void add_range(struct boot_params *p, uint64_t start, uint64_t end, uint32_t type)
{
    if (start < end)
        p->e820_table[p->e820_entries++] = (struct e820_entry){start, end - start, type};
}

static void write_params(struct load *load)
{
    struct boot_params *p = &load->params;
    const struct guest_memory *m = load->memory;

    add_range(p, 0, LOAD_LOW_RAM_END, E820_RAM);
    add_range(p, LOAD_LOW_RAM_END, LOAD_KERNEL_MIN, E820_RESERVED);
    add_range(p, LOAD_KERNEL_MIN, m->low_end, E820_RAM);
    add_range(p, LOAD_DEVICES, PLAN_HOLE_END, E820_RESERVED);
    add_range(p, PLAN_HOLE_END, m->high_end, E820_RAM);
    p->acpi_rsdp_addr = load->rsdp;
    p->hdr.vid_mode = VGA_MODE_NORMAL;
    p->hdr.type_of_loader = SETUP_LOADER_UNKNOWN;
    p->hdr.cmd_line_ptr = LOAD_CMDLINE;
    memcpy(m->base + LOAD_CMDLINE, load->cmdline, strlen(load->cmdline) + 1);
    memcpy(m->base + LOAD_PARAMS, p, sizeof(*p));
}

/* The first 4 GiB mapped to themselves by large pages. */
static void write_page_tables(const struct guest_memory *m)
{
    uint64_t *pml4 = (uint64_t *)(m->base + LOAD_PAGE_TABLES);
    uint64_t *pdpt = pml4 + 512, *directory = pdpt + 512;

    memset(pml4, 0, 2 * PAGE_SIZE);
    pml4[0] = (LOAD_PAGE_TABLES + PAGE_SIZE) | ENTRY_TABLE;
    for (uint64_t i = 0; i < MAPPED_GIB; i++)
        pdpt[i] = (LOAD_PAGE_TABLES + (2 + i) * PAGE_SIZE) | ENTRY_TABLE;
    for (uint64_t i = 0; i < MAPPED_GIB * 512; i++)
        directory[i] = i * LARGE_PAGE | ENTRY_LARGE;
}

static uint64_t descriptor(uint32_t access)
{
    return DESCRIPTOR_FLAT | (uint64_t)access << 40;
}

static void write_gdt(const struct guest_memory *m)
{
    uint64_t gdt[] = {0, 0, descriptor(CODE_64), descriptor(DATA)};

    memcpy(m->base + LOAD_GDT, gdt, sizeof(gdt));
}

bool load_guest(struct load *load)
{
    load->params = (struct boot_params){0};
    load->kernel_end = 0;
    if (load->memory->low_end < LOAD_KERNEL_MIN)
        return load_fail(load, LOAD_PART_MEMORY,
                         "%lu bytes are too few: give the VM at least 2 MiB",
                         load->memory->low_end);
    if (strlen(load->cmdline) >= LOAD_PAGE_TABLES - LOAD_CMDLINE)
        return load_fail(load, LOAD_PART_CMDLINE,
                         "it has %zu characters, there is room for %llu: shorten it",
                         strlen(load->cmdline), LOAD_PAGE_TABLES - LOAD_CMDLINE - 1);
    if (!load_kernel(load) || !load_initrd(load))
        return false;
    write_params(load);
    write_page_tables(load->memory);
    write_gdt(load->memory);
    return true;
}

struct guest_state load_state(const struct load *load)
{
    struct segment_state data = {0, UINT32_MAX, BOOT_DS, DATA};
    struct guest_state s = {
        .rip = load->entry,
        .rflags = RFLAGS_FIXED,
        .cr0 = CR0_PE | CR0_ET | CR0_NE | CR0_PG,
        .cr3 = LOAD_PAGE_TABLES,
        .cr4 = CR4_PAE,
        .efer = EFER_LME | EFER_LMA,
        .gdtr = {LOAD_GDT, 4 * 8 - 1},
    };

    s.gpr[GPR_RSI] = LOAD_PARAMS;
    s.segment[SEG_ES] = s.segment[SEG_SS] = s.segment[SEG_DS] = data;
    s.segment[SEG_FS] = s.segment[SEG_GS] = data;
    s.segment[SEG_CS] = (struct segment_state){0, UINT32_MAX, BOOT_CS, CODE_64};
    s.segment[SEG_LDTR].access = SEGMENT_UNUSABLE;
    s.segment[SEG_TR] = (struct segment_state){0, 0x67, 0, BUSY_TSS};
    return s;
}
