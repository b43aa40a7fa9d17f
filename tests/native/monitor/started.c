/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/native/monitor/started.h"

#include <string.h>

#include "monitor/start.h"

/* A kernel of one instruction, as ELF. */
static const struct {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
    uint32_t segment_type, segment_flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
    uint8_t code[8];
} kernel = {
    .ident = {0x7f, 'E', 'L', 'F', 2, 1, 1},
    .type = 2,
    .machine = 62,
    .version = 1,
    .entry = CODE,
    .phoff = 64,
    .phentsize = 56,
    .phnum = 1,
    .segment_type = 1,
    .offset = 120,
    .paddr = CODE,
    .filesz = 8,
    .memsz = 8,
    .code = {0xf4, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77},
};

const uint8_t *const kernel_code = kernel.code;
struct monitor_info info;
struct board *b;
struct exit_page page;

int started_setup(void **state)
{
    b = fake_board(MEMORY);
    info = *b->info;
    info.kernel = (struct monitor_file){(uintptr_t)&kernel, sizeof(kernel)};
    b->info = &info;
    page = (struct exit_page){0};
    machine_start(b, &page);
    return 0;
}

int started_teardown(void **state)
{
    fake_board_free(b);
    return 0;
}

void code(const void *bytes, size_t size)
{
    memcpy(b->memory.base + CODE, bytes, size);
    page.kind = EXIT_MMIO;
    page.state.rip = CODE;
}
