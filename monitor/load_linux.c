/* SPDX-License-Identifier: BSD-2-Clause */
/* A bzImage, entered at its 64-bit entry (Linux, "The Linux/x86 Boot Protocol", "64-bit BOOT
 * PROTOCOL"). */
#include "lib/string.h"
#include "monitor/load.h"

#define SECTOR               512u
#define SETUP_SECTS_DEFAULT  4 /* what 0 means */
#define SETUP_HEADER_JUMP    0x202
#define SETUP_CMDLINE_UNSAID 255

/* The header counts as far as the file says that it goes; the rest of the structure stays 0. */
static void copy_header(const struct load *load, struct setup_header *h)
{
    uint64_t end = SETUP_HEADER_JUMP + (uint64_t)load->kernel.bytes[SETUP_HEADER_JUMP - 1];
    uint64_t size = min_u64(end - SETUP_HEADER_OFFSET, sizeof(*h));

    *h = (struct setup_header){0};
    memcpy(h, load->kernel.bytes + SETUP_HEADER_OFFSET, size);
}

bool load_linux_matches(const struct load *load)
{
    struct setup_header h;

    if (load->kernel.size < SETUP_HEADER_OFFSET + sizeof(h))
        return false;
    copy_header(load, &h);
    return h.boot_flag == SETUP_BOOT_FLAG && h.header == SETUP_MAGIC;
}

static bool check_header(struct load *load, const struct setup_header *h)
{
    if (h->version < SETUP_VERSION_64)
        return load_fail(load, LOAD_PART_KERNEL,
                         "boot protocol %u.%02u is too old, 2.12 is needed: use Linux 3.8 or newer",
                         h->version >> 8, h->version & 0xff);
    if (!(h->loadflags & SETUP_LOADED_HIGH))
        return load_fail(load, LOAD_PART_KERNEL, "it is a zImage: build a bzImage");
    if (!(h->xloadflags & XLF_KERNEL_64))
        return load_fail(load, LOAD_PART_KERNEL, "it has no 64-bit entry: use a kernel for x86-64");
    if (h->kernel_alignment == 0 || (h->kernel_alignment & (h->kernel_alignment - 1)) != 0)
        return load_fail(load, LOAD_PART_KERNEL,
                         "its setup header is damaged (alignment %x): fetch it again",
                         h->kernel_alignment);
    uint32_t cmdline_max = h->cmdline_size != 0 ? h->cmdline_size : SETUP_CMDLINE_UNSAID;

    if (strlen(load->cmdline) > cmdline_max)
        return load_fail(load, LOAD_PART_CMDLINE,
                         "it has %zu characters, the kernel takes %u: shorten it",
                         strlen(load->cmdline), cmdline_max);
    return true;
}

/* The preferred address; decompression moves a kernel that lies lower up to there in any case. */
static uint64_t choose_address(const struct setup_header *h)
{
    uint64_t address = min_u64(max_u64(h->pref_address, LOAD_KERNEL_MIN), PLAN_HOLE_START);

    return h->relocatable_kernel ? align_up(address, h->kernel_alignment) : address;
}

bool load_linux(struct load *load)
{
    struct setup_header *h = &load->params.hdr;

    copy_header(load, h);
    if (!check_header(load, h))
        return false;
    uint64_t setup = (1u + (h->setup_sects != 0 ? h->setup_sects : SETUP_SECTS_DEFAULT)) * SECTOR;
    uint64_t size = h->syssize * SETUP_PARAGRAPH;

    /* The last paragraph may be a part of one. */
    if (size == 0 || setup + size >= load->kernel.size + SETUP_PARAGRAPH)
        return load_fail(load, LOAD_PART_KERNEL,
                         "the file has %lu bytes, its header speaks of %lu: it is "
                         "truncated, fetch it again",
                         load->kernel.size, setup + size);
    uint64_t address = choose_address(h), need = max_u64(h->init_size, size);
    uint8_t *to = load_room(load, "the kernel", address, need);

    if (to == NULL)
        return false;
    load_place(to, size, load->kernel.bytes + setup, min_u64(size, load->kernel.size - setup));
    load->entry = address + SETUP_ENTRY_64;
    load->kernel_end = address + need;
    load->initrd_max = h->initrd_addr_max;
    h->code32_start = (uint32_t)address;
    return true;
}
