/* SPDX-License-Identifier: BSD-2-Clause */
/* INS and OUTS (SDM volume 2, "INS" and "OUTS"; volume 1, "String Operations"). */
#include "monitor/string_io.h"

#include "monitor/breakpoint.h"
#include "monitor/guest_access.h"
#include "monitor/linear.h"
#include "monitor/reply.h"
#include "monitor/x86.h"

/* How many elements are moved before the guest may take an interrupt. */
#define MAX_ELEMENTS 1024

static uint64_t address_mask(unsigned address_size)
{
    return UINT64_MAX >> (64 - 8 * address_size);
}

/* Writes a register by the address size: 4 bytes clear the upper half, 2 bytes leave the rest. */
static void set_register(struct guest_state *s, enum gpr gpr, uint64_t value, unsigned address_size)
{
    if (address_size == 2)
        value = (s->gpr[gpr] & ~0xffffULL) | (value & 0xffff);
    else
        value &= address_mask(address_size);
    s->gpr[gpr] = value;
}

/* The place is found before the port is read: what a device gave away would be lost by a page
 * fault. */
static bool move_element(struct guest_access *a, const struct exit_page *page,
                         struct emulate_fault *fault)
{
    const struct guest_state *s = &page->state;
    bool in = page->io.in;
    enum segment segment = in ? SEG_ES : (enum segment)page->io.segment;
    unsigned size = page->io.size;
    uint64_t offset = s->gpr[in ? GPR_RDI : GPR_RSI] & address_mask(page->io.address_size), linear;
    struct guest_place place;

    if (!linear_address(s, segment, offset, size, in, &linear, fault))
        return false;
    if (!guest_translate(a, linear, size, in ? WALK_WRITE : WALK_READ, &place, fault))
        return false;
    if (breakpoints_on(s))
        a->breakpoints |= breakpoints_met(s, BREAKPOINT_PORT, page->io.port, size);
    if (in)
        guest_store(a, &place, board_in(a->board, a->vcpu, page->io.port, size));
    else
        board_out(a->board, a->vcpu, page->io.port, size, (uint32_t)guest_load(a, &place));
    return true;
}

void string_io(struct board *board, unsigned vcpu, struct exit_page *page)
{
    struct guest_state *s = &page->state;
    struct guest_access a = {board, vcpu, s, .device_linear = GUEST_NO_PAGE};
    unsigned address_size = page->io.address_size;
    enum gpr index = page->io.in ? GPR_RDI : GPR_RSI;
    uint64_t step = s->rflags & RFLAGS_DF ? -(uint64_t)page->io.size : page->io.size;
    uint64_t left = page->io.rep ? s->gpr[GPR_RCX] & address_mask(address_size) : 1;
    unsigned most = traps_between(s) ? 1 : MAX_ELEMENTS;
    struct emulate_fault fault;

    for (unsigned n = 0; left > 0 && n < most; n++) {
        if (!move_element(&a, page, &fault)) {
            reply_fault(page, &fault);
            return;
        }
        left--;
        set_register(s, index, s->gpr[index] + step, address_size);
        if (page->io.rep)
            set_register(s, GPR_RCX, left, address_size);
    }
    /* RF is set between iterations and cleared behind the instruction, as for
     * those of emulate.c. */
    s->rflags = left == 0 ? s->rflags & ~(uint64_t)RFLAGS_RF : s->rflags | RFLAGS_RF;
    if (left == 0)
        s->rip += page->io.length;
    page->reply = REPLY_STATE;
    page->reply_breakpoints = a.breakpoints;
}
