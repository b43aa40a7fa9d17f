/* SPDX-License-Identifier: BSD-2-Clause */
#include "monitor/fuzz.h"

#include "lib/format.h"
#include "monitor/gate.h"
#include "monitor/report.h"
#include "monitor/smbios/smbios.h"

_Static_assert(FUZZ_PAGE >= SMBIOS_BASE + SMBIOS_SIZE, "the page is nobody else's");

/* Guest memory: whatever is read there, the guest or who controls the VM may have written. */
static struct fuzz_page *page_of(const struct fuzz *f)
{
    return guest_memory_at(f->memory, FUZZ_PAGE, sizeof(struct fuzz_page));
}

void fuzz_reset(struct fuzz *f, const struct guest_memory *memory)
{
    *f = (struct fuzz){.memory = memory};
    *page_of(f) = (struct fuzz_page){.state = FUZZ_NONE};
}

/* A VM is kept while its guest asks here again and again. */
static uint32_t take_input(struct fuzz *f)
{
    struct fuzz_page *page = page_of(f);
    uint32_t given = page->given;

    if (f->runs || page->state != FUZZ_READY || !(given & FUZZ_GIVEN))
        return 0;
    page->state = FUZZ_RUNS;
    f->runs = true;
    return given;
}

static void become_ready(struct fuzz *f, uint32_t room)
{
    if (f->runs)
        return;
    if (!guest_memory_has(f->memory, f->buffer, room)) {
        if (!f->told)
            report("the guest is ready for inputs of %u bytes at %x, where it has no memory", room,
                   f->buffer);
        f->told = true;
        return;
    }
    *page_of(f) = (struct fuzz_page){.state = FUZZ_READY, .buffer = f->buffer, .room = room};
}

uint32_t fuzz_read(struct fuzz *f, uint16_t port)
{
    return port == FUZZ_INPUT_PORT ? take_input(f) : 0;
}

void fuzz_write(struct fuzz *f, uint16_t port, uint32_t value)
{
    if (port == FUZZ_BUFFER_PORT)
        f->buffer = value;
    if (port == FUZZ_ROOM_PORT)
        become_ready(f, value);
    if (port == FUZZ_DONE_PORT)
        fuzz_end(f, FUZZ_DONE, value, "");
}

void fuzz_end(struct fuzz *f, enum fuzz_state how, uint32_t value, const char *why)
{
    struct fuzz_page *page = page_of(f);

    if (!f->runs)
        return;
    page->value = value;
    format(page->why, sizeof(page->why), "%s", why);
    __atomic_store_n(&page->state, how, __ATOMIC_RELEASE);
    for (;;)
        gate_spin(UINT64_MAX);
}
