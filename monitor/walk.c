/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's page tables, walked in software: 4-level, PAE, 32-bit and no paging. An access that
 * faults sets no flags.
 */
#include "monitor/walk.h"

#include "monitor/gate.h"
#include "monitor/x86.h"

#define ENTRY_PAT_LARGE (1ULL << 12)
#define ENTRY_HIGH      0x7ff0000000000000ULL /* reserved with PAE; of these, with four levels: */
#define ENTRY_KEY(e)    ((e) >> 59 & 0xf)

/* The two bits of a key in PKRU and IA32_PKRS. */
#define KEY_ACCESS_DISABLE 1
#define KEY_WRITE_DISABLE  2

#define PML4_SHIFT      39
#define PDPT_SHIFT      30
#define PDPTE_HIGH      0xfff0000000000000ULL /* reserved */
#define DIRECTORY_SHIFT 21

/* 32-bit paging: a 4 MiB page has bits 39:32 of its address in bits 20:13. */
#define ENTRY4M_BASE       0xffc00000u
#define ENTRY4M_HIGH_SHIFT 19
#define ENTRY4M_BITS       0x003fe000u
#define ENTRY4M_NEVER      (1ULL << 40) /* bit 21 is no address bit */

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
        if (rights & ENTRY_XD && s->efer & EFER_NXE)
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

/*
 * What the leaf's protection key adds to the cause of a fault (SDM volume 3, "Protection Keys"):
 * with four levels, for data, of user pages by PKRU and of the others by IA32_PKRS. A page of a
 * shadow stack is data like another one here: a write, which is none of a shadow stack's, finds
 * that it is read-only.
 */
__attribute__((cold, noinline)) static uint32_t cause_by_key(const struct walker *w, uint64_t leaf,
                                                             bool user_page)
{
    const struct guest_state *s = w->state;
    bool write = w->access == WALK_WRITE && (w->user || s->cr0 & CR0_WP);

    if (w->access == WALK_FETCH || !(s->efer & EFER_LMA) ||
        !(s->cr4 & (user_page ? CR4_PKE : CR4_PKS)))
        return 0;
    uint64_t keys = gate_keys(), of_all = user_page ? keys : keys >> 32,
             of_this = of_all >> 2 * ENTRY_KEY(leaf);

    return of_this & (KEY_ACCESS_DISABLE | (write ? KEY_WRITE_DISABLE : 0)) ? PF_KEY : 0;
}

static inline uint64_t leaf_flags(const struct walker *w)
{
    return w->access == WALK_WRITE ? ENTRY_A | ENTRY_D : ENTRY_A;
}

/* Reserved in every entry of 64 bits (SDM volume 3, "PAE Paging" and "4-Level Paging": the
 * tables), beside what the mode reserves. */
static uint64_t always_reserved(const struct walker *w, uint64_t by_mode)
{
    return w->memory->beyond | (w->state->efer & EFER_NXE ? 0 : ENTRY_XD) | by_mode;
}

/* What PS makes reserved: itself where there are no pages of this size, and address bits. */
static uint64_t reserved_if_large(const struct walker *w, unsigned shift)
{
    if (shift == PML4_SHIFT || (shift == PDPT_SHIFT && !w->memory->pages_1g))
        return ENTRY_PS;
    return GUEST_ADDRESS_BITS & ((1ULL << shift) - 1) & ~ENTRY_PAT_LARGE;
}

static inline void note(const struct walker *w, uint64_t *at, uint64_t entry)
{
    w->path->step[w->path->count++] = (struct walk_step){at, entry};
}

/* Sets the flags that using an entry sets. False: another vCPU has changed it since it was read; it
 * may be no entry any more. */
static inline bool mark(struct walk_step *step, uint64_t flags)
{
    uint64_t read = step->value;

    step->value |= flags;
    return step->value == read || step->at == NULL ||
           __atomic_compare_exchange_n(step->at, &read, step->value, false, __ATOMIC_SEQ_CST,
                                       __ATOMIC_RELAXED);
}

__attribute__((cold, noinline)) static bool walk_again(const struct walker *w, uint64_t *physical)
{
    return walk_along(w->memory, w->state, w->linear, w->access, physical, w->fault, w->path);
}

/* The last entry on the path maps the page. `rights`: what all allow. */
static bool finish_64(const struct walker *w, unsigned shift, uint64_t rights, uint64_t *physical)
{
    struct walk_step *leaf = &w->path->step[w->path->count - 1];
    uint64_t offset = (1ULL << shift) - 1;
    uint32_t cause = PF_PRESENT;

    if (__builtin_expect((w->state->cr4 & (CR4_PKE | CR4_PKS)) != 0, 0))
        cause |= cause_by_key(w, leaf->value, rights & ENTRY_US);
    if (!allowed(w, rights) || cause & PF_KEY)
        return page_fault(w, cause);
    for (struct walk_step *step = w->path->step; step < leaf; step++)
        if (!mark(step, ENTRY_A))
            return walk_again(w, physical);
    if (!mark(leaf, leaf_flags(w)))
        return walk_again(w, physical);
    *physical = (leaf->value & GUEST_ADDRESS_BITS & ~offset) | (w->linear & offset);
    return true;
}

/* Entries of 64 bits, from the level whose entries map 1 << shift bytes on; shift 12 is the page
 * table. */
static bool walk_64(const struct walker *w, uint64_t table, unsigned shift, uint64_t by_mode,
                    uint64_t *physical)
{
    const uint64_t reserved = always_reserved(w, by_mode);
    uint64_t all = UINT64_MAX, any = 0;

    for (;; shift -= 9) {
        uint64_t *at = guest_memory_at(w->memory, table + (w->linear >> shift & 0x1ff) * 8, 8);
        uint64_t entry = at == NULL ? UINT64_MAX : __atomic_load_n(at, __ATOMIC_RELAXED);
        bool large = entry & ENTRY_PS && shift > 12;

        if (!(entry & ENTRY_P))
            return page_fault(w, 0);
        if (entry & reserved || (large && entry & reserved_if_large(w, shift)))
            return page_fault(w, PF_PRESENT | PF_RESERVED);
        table = entry & GUEST_ADDRESS_BITS;
        all &= entry;
        any |= entry;
        note(w, at, entry);
        if (large || shift == 12)
            return finish_64(w, shift, (all & (ENTRY_RW | ENTRY_US)) | (any & ENTRY_XD), physical);
    }
}

/* The four PDPTEs are registers of the processor, checked when they were loaded; they have no
 * rights and no accessed flag. */
static bool walk_pae(const struct walker *w, uint64_t *physical)
{
    uint64_t pdpte = w->state->pdpte[w->linear >> PDPT_SHIFT & 3];

    if (!(pdpte & ENTRY_P))
        return page_fault(w, 0);
    bool good = walk_64(w, pdpte & GUEST_ADDRESS_BITS, DIRECTORY_SHIFT, ENTRY_HIGH, physical);

    w->path->count = 0;
    return good;
}

static uint32_t *entry_32(const struct walker *w, uint64_t table, unsigned shift, uint32_t *entry)
{
    uint32_t *at = guest_memory_at(w->memory, table + (w->linear >> shift & 0x3ff) * 4, 4);

    *entry = at == NULL ? UINT32_MAX : __atomic_load_n(at, __ATOMIC_RELAXED);
    return at;
}

static bool mark_32(uint32_t *at, uint32_t read, uint64_t flags)
{
    uint32_t marked = read | (uint32_t)flags;

    return marked == read || at == NULL ||
           __atomic_compare_exchange_n(at, &read, marked, false, __ATOMIC_SEQ_CST,
                                       __ATOMIC_RELAXED);
}

/* A 4 MiB page. Of the address bits above 32 the processor may lack some (SDM volume 3, "32-Bit
 * Paging"). */
static bool finish_4m(const struct walker *w, uint32_t *at, uint32_t pde, uint64_t *physical)
{
    uint64_t high = (uint64_t)(pde & ENTRY4M_BITS) << ENTRY4M_HIGH_SHIFT;

    if (high & (w->memory->beyond | ENTRY4M_NEVER))
        return page_fault(w, PF_PRESENT | PF_RESERVED);
    if (!allowed(w, pde & (ENTRY_RW | ENTRY_US)))
        return page_fault(w, PF_PRESENT);
    if (!mark_32(at, pde, leaf_flags(w)))
        return walk_again(w, physical);
    *physical = (pde & ENTRY4M_BASE) | high | (w->linear & 0x3fffff);
    return true;
}

static bool walk_32(const struct walker *w, uint64_t *physical)
{
    uint32_t pde, pte;
    uint32_t *at = entry_32(w, w->state->cr3 & 0xfffff000u, 22, &pde), *at_pte;

    if (!(pde & ENTRY_P))
        return page_fault(w, 0);
    if (pde & ENTRY_PS && w->state->cr4 & CR4_PSE)
        return finish_4m(w, at, pde, physical);
    at_pte = entry_32(w, pde & 0xfffff000u, 12, &pte);
    if (!(pte & ENTRY_P))
        return page_fault(w, 0);
    if (!allowed(w, pde & pte & (ENTRY_RW | ENTRY_US)))
        return page_fault(w, PF_PRESENT);
    if (!mark_32(at, pde, ENTRY_A) || !mark_32(at_pte, pte, leaf_flags(w)))
        return walk_again(w, physical);
    *physical = (pte & 0xfffff000u) | (w->linear & 0xfff);
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
        return walk_64(&w, state->cr3 & GUEST_ADDRESS_BITS, PML4_SHIFT, 0, physical);
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

bool walk_pdptes(const struct guest_memory *memory, uint64_t cr3, uint64_t pdpte[4])
{
    const uint64_t reserved = PDPTE_HIGH | PDPTE_RESERVED | memory->beyond;
    uint64_t read[4];
    const void *at = guest_memory_at(memory, cr3 & 0xffffffe0, sizeof(read));

    if (at == NULL)
        return false;
    __builtin_memcpy(read, at, sizeof(read));
    for (unsigned i = 0; i < 4; i++)
        if (read[i] & ENTRY_P && read[i] & reserved)
            return false;
    __builtin_memcpy(pdpte, read, sizeof(read));
    return true;
}
