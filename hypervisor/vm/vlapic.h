/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtual local APIC of one vCPU (R40, R41, R42; SDM volume 3, "Advanced Programmable Interrupt
 * Controller").
 *
 * The registers live in a page in the architected layout, so that the page can be the VMCS's
 * virtual-APIC page. All functions are pure: the guest's TSC is an argument. A vlapic is touched
 * only by the CPU that runs its vCPU; what another CPU wants delivered reaches it as a message.
 *
 * The timer's clock is the TSC: one tick of the undivided timer is one tick of the guest's TSC.
 * CPUID leaf 15h says so, by a core crystal clock that equals the TSC (see monitor/cpuid_table.c).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/local_apic.h"

#define VLAPIC_NEVER UINT64_MAX
#define VLAPIC_NONE  (-1)

/* The first MSR of x2APIC mode; register offset >> 4 is added to it. */
#define X2APIC_MSR_FIRST 0x800
#define X2APIC_MSR_LAST  0x8ff

enum vlapic_mode { VLAPIC_DISABLED, VLAPIC_XAPIC, VLAPIC_X2APIC };

/* The encodings of the ICR, the LVT and interrupt messages. */
enum apic_delivery {
    APIC_FIXED,
    APIC_LOWEST_PRIORITY,
    APIC_SMI,
    APIC_RESERVED,
    APIC_NMI,
    APIC_INIT,
    APIC_SIPI,
    APIC_EXTINT,
};
enum apic_shorthand { APIC_TO_DESTINATION, APIC_TO_SELF, APIC_TO_ALL, APIC_TO_OTHERS };

/* An interrupt on its way: an IPI, or what a device or an IOAPIC sent. */
struct apic_message {
    uint32_t destination;
    uint8_t vector;
    uint8_t delivery;  /* enum apic_delivery */
    uint8_t shorthand; /* enum apic_shorthand */
    bool logical;      /* destination is a logical one */
    bool x2apic;       /* destination has 32 bits: broadcast is ffffffffh, not ffh */
    bool level;        /* level-triggered: its EOI is reported */
    bool lowest;       /* one of the matching APICs is enough */
};

/* What a write asks its caller to do. */
#define VLAPIC_EFFECT_EOI   (1u << 0) /* tell the IOAPICs: level-triggered eoi_vector has ended */
#define VLAPIC_EFFECT_IPI   (1u << 1) /* send ipi */
#define VLAPIC_EFFECT_TIMER (1u << 2) /* vlapic_timer_left may have changed */
/* vlapic_can_hand_over, or which messages are accepted, may have changed */
#define VLAPIC_EFFECT_ENABLE (1u << 3)
struct vlapic_effect {
    uint32_t what; /* VLAPIC_EFFECT_* */
    uint8_t eoi_vector;
    struct apic_message ipi; /* never a fixed one to itself alone: that is already delivered */
};

enum vlapic_result { VLAPIC_OK, VLAPIC_GP };

struct vlapic {
    uint32_t *page; /* 4 KiB, 4 KiB aligned: the registers, offset / 4 is the index */
    uint64_t base;  /* IA32_APIC_BASE, as RDMSR reads it */
    /* the vector that the CPU would take now, or VLAPIC_NONE; while the processor delivers, the
     * highest that it has not been told of */
    int32_t pending;
    uint32_t id; /* the x2APIC id; its low 8 bits are the xAPIC id after reset */
    /*
     * The timer, by what is left of a time and never by what it ends at, which may lie behind the
     * end of the TSC: the guest's TSC when the current count was loaded or the TSC deadline was
     * written, and after how many ticks from there the next interrupt is due, or VLAPIC_NEVER.
     */
    uint64_t start, due;
    uint64_t least_period; /* interrupts of a periodic timer are not closer, TSC ticks; the owner's
                              to set */
    bool counting;     /* the counter has been loaded, and no change of mode has found it at 0 */
    uint32_t errors;   /* errors since the last write to ESR */
    uint8_t irr_words; /* bit n: IRR word n has a bit set; nothing while the processor delivers */
    uint8_t isr_words; /* likewise for ISR */
    bool handed_over;  /* the processor delivers: vlapic_hand_over */
    /* TMR has changed since vlapic_hand_over, or since the caller cleared this */
    bool levels_changed;
};

/*
 * Power-up reset: page is zeroed and filled, the APIC is enabled in xAPIC mode, software-disabled.
 * bsp: this is the bootstrap processor. page must stay valid as long as l.
 */
void vlapic_reset(struct vlapic *l, uint32_t *page, uint32_t id, bool bsp);

/* INIT: all but the APIC id and IA32_APIC_BASE goes back to its reset value ("Local APIC State
 * After INIT"). */
void vlapic_init(struct vlapic *l);

/* The mode that IA32_APIC_BASE selects. */
static inline enum vlapic_mode vlapic_mode(const struct vlapic *l)
{
    if (!(l->base & APIC_BASE_ENABLE))
        return VLAPIC_DISABLED;
    return l->base & APIC_BASE_X2APIC ? VLAPIC_X2APIC : VLAPIC_XAPIC;
}

/*
 * WRMSR IA32_APIC_BASE. VLAPIC_GP: reserved bits, a transition that "x2APIC State Transitions"
 * forbids, or another address: the registers do not move.
 */
enum vlapic_result vlapic_write_base(struct vlapic *l, uint64_t value);

/* RDMSR and WRMSR of 800h-8ffh. VLAPIC_GP: what the SDM's table of x2APIC registers says faults, or
 * another mode. */
enum vlapic_result vlapic_read_msr(const struct vlapic *l, uint32_t msr, uint64_t now,
                                   uint64_t *value);
enum vlapic_result vlapic_write_msr(struct vlapic *l, uint32_t msr, uint64_t value, uint64_t now,
                                    struct vlapic_effect *effect);

/*
 * A 32-bit access to the xAPIC page, offset 0-fffh. A wrong one is no fault: reads give 0, writes
 * are dropped, and ESR says so. In another mode than xAPIC nothing decodes the address: reads give
 * ones, writes are dropped.
 */
uint32_t vlapic_read_mmio(struct vlapic *l, uint32_t offset, uint64_t now);
void vlapic_write_mmio(struct vlapic *l, uint32_t offset, uint32_t value, uint64_t now,
                       struct vlapic_effect *effect);

/* Whether it takes fixed interrupts; other CPUs may ask. */
bool vlapic_accepts(const struct vlapic *l);

/*
 * A fixed interrupt arrives (lowest priority too, once the target is chosen). False: not accepted,
 * because the APIC is disabled or the vector is below 16 (then ESR says so). One that is already in
 * IRR merges with it: true.
 */
bool vlapic_deliver(struct vlapic *l, uint8_t vector, bool level);

/* The vector that the CPU takes as soon as IF and blocking allow it (R40), or VLAPIC_NONE. */
static inline int vlapic_highest_pending(const struct vlapic *l)
{
    return l->pending;
}

/* The CPU takes `vector`, which vlapic_highest_pending has given: IRR to ISR. */
void vlapic_accept(struct vlapic *l, uint8_t vector);

/* EOI. Returns the vector if it was level-triggered, otherwise VLAPIC_NONE. */
int vlapic_eoi(struct vlapic *l);

/* MOV to and from CR8; value is 0-15, the caller has refused others. */
void vlapic_write_cr8(struct vlapic *l, uint64_t value);
uint64_t vlapic_read_cr8(const struct vlapic *l);

/* Whether a vCPU that halted with IF = 1 has something to wake up for. */
bool vlapic_wakes(const struct vlapic *l);

/*
 * Virtual-interrupt delivery (vlapic_virtual.c; SDM volume 3, "APIC Virtualization and Virtual
 * Interrupts"). From vlapic_hand_over to vlapic_take_back or vlapic_init the processor keeps TPR,
 * PPR, IRR and ISR in the page, and takes and ends interrupts by itself. The caller then never uses
 * vlapic_accept, vlapic_eoi and CR8 here; all else goes on as before.
 *
 * status is the guest interrupt status of the VMCS: RVI in its low byte, SVI in its high byte.
 */

/* In x2APIC mode and software-enabled: a processor that delivers knows of no software-disabled
 * APIC, and has no xAPIC page here. */
bool vlapic_can_hand_over(const struct vlapic *l);

/* Returns the status to begin with. */
uint16_t vlapic_hand_over(struct vlapic *l);

/* What is kept beside the page follows from it again. */
void vlapic_take_back(struct vlapic *l);

/* Tells the processor what has been delivered since: returns the status for the next entry. */
uint16_t vlapic_request(struct vlapic *l, uint16_t status);

/* The guest has halted with this status: what is in IRR already counts for vlapic_wakes. */
void vlapic_halted(struct vlapic *l, uint16_t status);

/* One of the four EOI-exit bitmaps: the level-triggered vectors from 64 * n on. */
uint64_t vlapic_eoi_exits(const struct vlapic *l, unsigned n);

/* Whether the processor answers RDMSR or WRMSR of an x2APIC register by itself. */
bool vlapic_is_virtualized(uint32_t msr, bool write);

/*
 * IA32_TSC_DEADLINE: outside TSC-deadline mode a write is ignored and a read gives 0. A write
 * delivers first what is due at now; vlapic_timer_left may change. A deadline in the past is
 * accepted: vlapic_expire is due at once.
 */
void vlapic_write_tsc_deadline(struct vlapic *l, uint64_t tsc, uint64_t now);
uint64_t vlapic_read_tsc_deadline(const struct vlapic *l, uint64_t now);

/* Whether vlapic_expire has something to do now. */
static inline bool vlapic_timer_due(const struct vlapic *l, uint64_t now)
{
    return now - l->start >= l->due; /* so many ticks as VLAPIC_NEVER do not pass */
}

/* TSC ticks from now until vlapic_expire has something to do; 0: it has now; or VLAPIC_NEVER. */
static inline uint64_t vlapic_timer_left(const struct vlapic *l, uint64_t now)
{
    if (l->due == VLAPIC_NEVER)
        return VLAPIC_NEVER;
    return vlapic_timer_due(l, now) ? 0 : l->start + l->due - now;
}

/* Delivers the timer's interrupt if it is due at now, and finds out when the next one is. */
void vlapic_expire(struct vlapic *l, uint64_t now);

/*
 * The guest's TSC jumps by `delta` from `now` (a write to IA32_TIME_STAMP_COUNTER or
 * IA32_TSC_ADJUST). What is due before the jump is delivered. A count goes on as if nothing had
 * happened; a TSC deadline stays where it is, because it is an absolute TSC.
 */
void vlapic_tsc_moved(struct vlapic *l, uint64_t now, uint64_t delta);

/*
 * Decodes an interrupt message (SDM volume 3, "Message Signalled Interrupts"). False: the address
 * is not in fee00000h-feefffffh, or the data are of a kind that is reserved or has no effect.
 */
bool vlapic_message(uint64_t address, uint32_t data, struct apic_message *message);

/*
 * Which of the VM's vCPUs get a message: a mask of indices into apics, count is at most 64. source
 * is the index of the sender of an IPI, or VLAPIC_NONE for a device. With lowest priority it is the
 * enabled one with the lowest PPR, the first of equals. What a target does with it: fixed and
 * lowest priority are vlapic_deliver, the rest is the caller's.
 */
uint64_t vlapic_targets(const struct vlapic *const *apics, unsigned count, int source,
                        const struct apic_message *message);
