/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's page tables, walked in software: 4-level, PAE, 32-bit and no paging.
 *
 * Address bits above the processor's physical width are not checked: such an address is no RAM, and
 * reads as all ones.
 */
#include "monitor/walk.h"

#include "monitor/x86.h"

#define ENTRY_P         (1ULL << 0)
#define ENTRY_RW        (1ULL << 1)
#define ENTRY_US        (1ULL << 2)
#define ENTRY_A         (1ULL << 5)
#define ENTRY_D         (1ULL << 6)
#define ENTRY_PS        (1ULL << 7)
#define ENTRY_PAT_LARGE (1ULL << 12)
#define ENTRY_NX        (1ULL << 63)
#define ENTRY_ADDRESS   0x000ffffffffff000ULL

#define PML4_SHIFT      39
#define DIRECTORY_SHIFT 21

/* 32-bit paging: a 4 MiB page has bits 39:32 of its address in bits 20:13, and bit
 * 21 is reserved. */
#define ENTRY4M_BASE     0xffc00000u
#define ENTRY4M_HIGH     0x001fe000u
#define ENTRY4M_RESERVED (1u << 21)

struct walker {
    const struct guest_memory *memory;
    const struct guest_state *state;
    uint64_t linear;
    enum walk_access access;
    bool user;
    struct emulate_fault *fault;
    struct walk_path *path;
};

static bool page_fault(const struct walker *w, uint32_t cause)
{
    const struct guest_state *s = w->state;
    bool fetch_told = (s->cr4 & CR4_PAE && s->efer & EFER_NXE) || s->cr4 & CR4_SMEP;

    if (w->access == WALK_WRITE)
        cause |= PF_WRITE;
    if (w->access == WALK_FETCH && fetch_told)
        cause |= PF_FETCH;
    if (w->user)
        cause |= PF_USER;
    *w->fault = (struct emulate_fault){
        .vector = VECTOR_PF, .has_error_code = true, .error_code = cause, .cr2 = w->linear};
    return false;
}

/* What all levels together allow: `rights` is the AND of the entries, with NX as the OR (SDM,
 * "Access Rights"). */
static bool allowed(const struct walker *w, uint64_t rights)
{
    const struct guest_state *s = w->state;
    bool user_page = rights & ENTRY_US;

    if (w->user && !user_page)
        return false;
    switch (w->access) {
    case WALK_FETCH:
        if (rights & ENTRY_NX && s->efer & EFER_NXE)
            return false;
        return w->user || !user_page || !(s->cr4 & CR4_SMEP);
    case WALK_WRITE:
        if (!(rights & ENTRY_RW) && (w->user || s->cr0 & CR0_WP))
            return false;
        break;
    case WALK_READ:
        break;
    }
    return w->user || !user_page || !(s->cr4 & CR4_SMAP) || s->rflags & RFLAGS_AC;
}

/* The flags that using an entry sets. Other processors may change the entry at the same time. */
static inline void mark(uint64_t *at, uint64_t entry, uint64_t flags)
{
    if ((entry & flags) != flags)
        __atomic_fetch_or(at, flags, __ATOMIC_SEQ_CST);
}

static inline uint64_t leaf_flags(const struct walker *w)
{
    return w->access == WALK_WRITE ? ENTRY_A | ENTRY_D : ENTRY_A;
}

static bool reserved_bits(const struct walker *w, uint64_t entry, unsigned shift)
{
    if (entry & ENTRY_NX && !(w->state->efer & EFER_NXE))
        return true;
    if (shift == PML4_SHIFT)
        return entry & ENTRY_PS;
    return shift > 12 && entry & ENTRY_PS &&
           entry & ENTRY_ADDRESS & ((1ULL << shift) - 1) & ~ENTRY_PAT_LARGE;
}

static inline void note(const struct walker *w, const uint64_t *at, uint64_t value)
{
    w->path->step[w->path->count++] = (struct walk_step){at, value};
}

/* What the leaf allows in the end; `all` is the AND of the entries, `any` the OR. */
static bool finish_64(const struct walker *w, uint64_t *at, uint64_t entry, unsigned shift,
                      uint64_t all, uint64_t any, uint64_t *physical)
{
    uint64_t offset = (1ULL << shift) - 1;

    if (!allowed(w, (all & (ENTRY_RW | ENTRY_US)) | (any & ENTRY_NX)))
        return page_fault(w, PF_PRESENT);
    mark(at, entry, leaf_flags(w));
    note(w, at, entry | leaf_flags(w));
    *physical = (entry & ENTRY_ADDRESS & ~offset) | (w->linear & offset);
    return true;
}

/* Entries of 64 bits, from the level whose entries map 1 << shift bytes on; shift 12 is the page
 * table. */
static bool walk_64(const struct walker *w, uint64_t table, unsigned shift, uint64_t *physical)
{
    const uint64_t checked = ENTRY_P | ENTRY_A | ENTRY_PS | ENTRY_NX;
    uint64_t all = UINT64_MAX, any = 0;

    for (;; shift -= 9) {
        uint64_t *at = guest_memory_at(w->memory, table + (w->linear >> shift & 0x1ff) * 8, 8);

        /* A table outside of RAM reads as all ones: present, with reserved bits. */
        if (at == NULL)
            return page_fault(w, PF_PRESENT | PF_RESERVED);
        uint64_t entry = __atomic_load_n(at, __ATOMIC_RELAXED);

        table = entry & ENTRY_ADDRESS;
        all &= entry;
        any |= entry;
        if ((entry & checked) == (ENTRY_P | ENTRY_A) && shift > 12) {
            note(w, at, entry);
            continue; /* the common case: one more table that was used before */
        }
        if (!(entry & ENTRY_P))
            return page_fault(w, 0);
        if (entry & (ENTRY_NX | ENTRY_PS) && reserved_bits(w, entry, shift))
            return page_fault(w, PF_PRESENT | PF_RESERVED);
        if (shift == 12 || entry & ENTRY_PS)
            return finish_64(w, at, entry, shift, all, any, physical);
        mark(at, entry, ENTRY_A);
        note(w, at, entry | ENTRY_A);
    }
}

/* The four PDPTEs have no rights and no accessed flag. The processor holds copies; here memory is
 * what counts. */
static bool walk_pae(const struct walker *w, uint64_t *physical)
{
    uint64_t at = (w->state->cr3 & 0xffffffe0u) + (w->linear >> 30 & 3) * 8;
    const uint64_t *pdpte = guest_memory_at(w->memory, at, 8);

    if (pdpte == NULL || !(*pdpte & ENTRY_P))
        return page_fault(w, 0);
    bool good = walk_64(w, *pdpte & ENTRY_ADDRESS, DIRECTORY_SHIFT, physical);

    w->path->count = 0;
    return good;
}

static void mark_32(uint32_t *entry, uint64_t flags)
{
    if ((*entry & flags) != flags)
        __atomic_fetch_or(entry, (uint32_t)flags, __ATOMIC_SEQ_CST);
}

static bool walk_32(const struct walker *w, uint64_t *physical)
{
    uint64_t table = w->state->cr3 & 0xfffff000u;
    uint32_t *pde = guest_memory_at(w->memory, table + (w->linear >> 22 & 0x3ff) * 4, 4);

    /* All ones is present; its reserved bit counts only where CR4.PSE makes it a large page. */
    if (pde == NULL)
        return page_fault(w, PF_PRESENT | PF_RESERVED);
    if (!(*pde & ENTRY_P))
        return page_fault(w, 0);
    if (*pde & ENTRY_PS && w->state->cr4 & CR4_PSE) {
        if (*pde & ENTRY4M_RESERVED)
            return page_fault(w, PF_PRESENT | PF_RESERVED);
        if (!allowed(w, *pde & (ENTRY_RW | ENTRY_US)))
            return page_fault(w, PF_PRESENT);
        mark_32(pde, leaf_flags(w));
        *physical =
            (*pde & ENTRY4M_BASE) | (uint64_t)(*pde & ENTRY4M_HIGH) << 19 | (w->linear & 0x3fffff);
        return true;
    }
    mark_32(pde, ENTRY_A);
    uint32_t *pte =
        guest_memory_at(w->memory, (*pde & 0xfffff000u) + (w->linear >> 12 & 0x3ff) * 4, 4);

    if (pte == NULL || !(*pte & ENTRY_P))
        return page_fault(w, 0);
    if (!allowed(w, *pde & *pte & (ENTRY_RW | ENTRY_US)))
        return page_fault(w, PF_PRESENT);
    mark_32(pte, leaf_flags(w));
    *physical = (*pte & 0xfffff000u) | (w->linear & 0xfff);
    return true;
}

bool walk_along(const struct guest_memory *memory, const struct guest_state *state, uint64_t linear,
                enum walk_access access, uint64_t *physical, struct emulate_fault *fault,
                struct walk_path *path)
{
    struct walker w = {memory, state, linear, access, current_privilege(state) == 3, fault, path};

    path->count = 0;
    if (state->efer & EFER_LMA) {
        if (!is_canonical(linear)) {
            *fault = (struct emulate_fault){.vector = VECTOR_GP, .has_error_code = true};
            return false;
        }
        return walk_64(&w, state->cr3 & ENTRY_ADDRESS, PML4_SHIFT, physical);
    }
    w.linear = (uint32_t)linear;
    if (!(state->cr0 & CR0_PG)) {
        *physical = w.linear;
        return true;
    }
    return state->cr4 & CR4_PAE ? walk_pae(&w, physical) : walk_32(&w, physical);
}

bool walk(const struct guest_memory *memory, const struct guest_state *state, uint64_t linear,
          enum walk_access access, uint64_t *physical, struct emulate_fault *fault)
{
    struct walk_path path;

    return walk_along(memory, state, linear, access, physical, fault, &path);
}
