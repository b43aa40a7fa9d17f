/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The gate: the calls that a monitor makes into the hypervisor, and what its address space looks
 * like.
 *
 * A call is SYSCALL with the number in RAX and up to three arguments in RDI, RSI and RDX; the
 * result is in RAX, negative for an error (enum gate_error). RCX, R11 and the other caller-saved
 * registers are lost. No call takes a pointer: what does not fit into registers goes through the
 * exit page or the text page.
 *
 * The x87, MMX, SSE and AVX registers, and XCR0, are the guest's own: a monitor reads and writes
 * them in place.
 */
#pragma once

#include <stdint.h>

#include "abi/exit.h"
#include "abi/plan.h"

#define GATE_VERSION 19

enum gate_call {
    /* (with): notifies the channels of `with`, a bit for each, and sends its message, if it has one
       (GATE_WITH_MESSAGE); answers the last exit, whose vCPU goes on. Waits for the next exit of
       any of the VM's vCPUs, and returns its number, that one's exit page filled. It is this vCPU
       that the other calls are about */
    GATE_RUN,
    /* (): takes the whole of exit_page.state as the vCPU's state after a reset, and the table
       of CPUID; drops an exit not answered. What the processor makes of it the first GATE_RUN
       tells. Only for vCPU 0: the others start when it sends them a SIPI */
    GATE_START,
    /* (address, data): an interrupt message in MSI format to the VM's local APICs; 1: one has
       accepted it, 0: none has */
    GATE_MESSAGE,
    /* (offset): a register of the xAPIC page, for MMIO; the 32-bit value */
    GATE_LAPIC_READ,
    /* (offset, value): likewise; an EOI or timer effect follows as usual */
    GATE_LAPIC_WRITE,
    /* (tsc): EVENT_TIMER when the TSC has reached this value; UINT64_MAX: never */
    GATE_TIMER,
    GATE_LOG, /* (length): one line of the text page to the hypervisor's log */
    /* (enum gate_stop): ends the VM; the text page holds a line that says why. No return */
    GATE_STOP,
    /* (): the segments and descriptor tables of exit_page.state, which an exit may leave out */
    GATE_SEGMENTS,
    GATE_STATE, /* (): all of exit_page.state, which few exits fill */
    /* (channels, interrupts): notifies these channels; these interrupts have been handled, their
       devices ask no more: a level-triggered line may interrupt again; a bit for each of both.
       Waits until something has happened, and returns what: EVENT_* of abi/process.h, which are not
       negative. Not for a monitor, which finds its events in its exit page */
    GATE_WAIT,
    /* (channels): EVENT_CHANNEL in the processes at the other ends of these channels: a bit for
       each */
    GATE_NOTIFY,
    /* (port, bit): from now on ring 0 answers the guest's OUT to this port: the monitor finds the
       bit set in its exit page's kicks, at its next exit or a little later. A bit of 64 or more:
       no longer. All such ports lie in one block of GATE_DOORBELLS, which begins at a multiple of
       it */
    GATE_DOORBELL,
    /* (vm, enum gate_control, argument): looks at a VM, or does this to it. For a process whose row
       of the plan has the VM in `controls`, and about no other one */
    GATE_CONTROL,
    /* (): no vCPU runs any more. Exits that have not been answered are dropped: the next GATE_START
       and GATE_RUN are vCPU 0's */
    GATE_RESET,
    GATE_KEYS, /* (): the guest's PKRU, and in the upper half its IA32_PKRS; never an error */
    GATE_ASK,  /* (): EVENT_ASKED for each vCPU that is not off; which these are, a bit for each */
    GATE_CALL_COUNT
};

#define GATE_DOORBELLS 0x400

/* What GATE_MESSAGE takes, together with channels in one word: the 20 bits of the address that
 * local APICs look at, and 16 of the data. What became of it is not told. */
#define GATE_WITH_MESSAGE(address, data)                                                           \
    (1ULL << 63 | ((address) & 0xfffffULL) << 16 | ((data) & 0xffffULL) << 36)
#define GATE_WITH_CHANNELS     0xffffULL
#define GATE_HAS_MESSAGE(with) ((with) >> 63 != 0)
#define GATE_ADDRESS_OF(with)  (0xfee00000ULL | ((with) >> 16 & 0xfffff))
#define GATE_DATA_OF(with)     ((with) >> 36 & 0xffff)
#define GATE_WITH_RESERVED     (0x7ffULL << 52)

enum gate_error {
    GATE_EINVAL = -1, /* an argument is out of range */
    GATE_ENOSYS = -2, /* no such call */
    GATE_ESTATE = -3, /* the vCPU has no state, or GATE_START's is refused: the log says why; or the
                         VM is not in the state for it */
};

enum gate_control {
    GATE_CONTROL_LOOK,  /* the text page holds a struct gate_vm */
    GATE_CONTROL_PAUSE, /* neither its guest nor its monitor runs until it is resumed */
    GATE_CONTROL_RESUME,
    GATE_CONTROL_RESET,     /* EVENT_RESET for its monitor */
    GATE_CONTROL_MEMORY,    /* (guest-physical): the text page holds that page of its memory */
    GATE_CONTROL_POWER_OFF, /* EVENT_POWER_BUTTON for its monitor */
    GATE_CONTROL_TRACE,     /* (1 or 0): it is traced from now on (abi/trace.h), or not any more */
    /* The number is that of a process of the plan, whatever VMs are controlled: the text page holds
       a struct gate_process */
    GATE_CONTROL_PROCESS,
    /* (1 or 0): likewise, such a process is traced; where all VMs are controlled */
    GATE_CONTROL_TRACE_PROCESS,
    GATE_CONTROL_POKE, /* (guest-physical | byte << 56): a byte of its memory */
    /* (n): of a VM that is paused, while its guest has the vCPU, piece n of its memory becomes its
       snapshot's, GATE_SNAPSHOT_PIECE bytes: 1; behind the last one all else does: 0. With
       GATE_SNAPSHOT_BACK it becomes what the snapshot has */
    GATE_CONTROL_SNAPSHOT,
    /* What follows is about a vCPU, which the argument's last byte says. */
    GATE_CONTROL_REGISTERS, /* the text page holds a struct gate_registers */
    /* Of one that a debugger has stopped: the text page's struct guest_state becomes its state.
       What cannot be entered ends the VM when it goes on, if it is not GATE_EINVAL at once */
    GATE_CONTROL_SET,
    GATE_CONTROL_DEBUG, /* (bits of enum gate_debug): the text page holds a struct gate_stopped */
    GATE_CONTROL_MSR,   /* (number): the text page holds its value */
    GATE_CONTROL_COUNT
};

#define GATE_SNAPSHOT_PIECE 0x40000ULL
#define GATE_SNAPSHOT_BACK  (1ULL << 32)

#define GATE_CONTROL_VCPU(argument) ((argument) >> 56)

struct gate_registers {
    struct guest_state state;
    uint8_t vectors[512]; /* what FXSAVE stores */
};

/*
 * A debugger at a vCPU: from GATE_DEBUG_STOP until GATE_DEBUG_END it stops at each #DB, #BP, #AC,
 * MOV DR and triple fault, and before its first instruction after a reset. Whose they are, and
 * whose values are in the debug registers, is the debugger's business.
 */
enum gate_debug {
    GATE_DEBUG_LOOK = 0,
    GATE_DEBUG_STOP = 1,    /* before its next instruction; when its monitor has answered */
    GATE_DEBUG_GO = 2,      /* it goes on, if it has been stopped; with others: */
    GATE_DEBUG_STEP = 4,    /* for one instruction, with no interrupt before it */
    GATE_DEBUG_REFLECT = 8, /* its last exit, which it has stopped at, has its effect first */
    GATE_DEBUG_END = 16,    /* without the debugger; of one that is off, too */
};

enum gate_stop_why {
    GATE_STOPPED_ASKED,
    GATE_STOPPED_EXIT, /* `reason` says by what */
    GATE_STOPPED_STEP,
    GATE_STOPPED_RESET,
    GATE_STOPPED_NOT, /* it runs, or has ended */
    GATE_STOPPED_OFF, /* it waits for a SIPI, and stops before its first instruction */
};

/* All but the first are VMCS fields of its last exit. */
struct gate_stopped {
    uint32_t why; /* enum gate_stop_why */
    uint32_t reason;
    uint32_t event; /* the interruption information */
    uint32_t length;
    uint64_t qualification;
};

enum gate_vm_state { GATE_VM_RUNS, GATE_VM_PAUSED, GATE_VM_ENDED };

#define GATE_EXIT_REASONS 96

/* What a VM has used since it was made. */
struct gate_used {
    uint64_t time; /* of CPUs, in ticks of the TSC: its guest, its ring 3, and ring 0 for both */
    /* to switch its MSRs: WRMSR and RDMSR, and values that were right already */
    uint64_t msr_writes, msr_reads, msr_skipped;
};

struct gate_vm {
    char name[PLAN_NAME_SIZE];
    uint64_t memory; /* bytes */
    uint32_t state;  /* enum gate_vm_state */
    uint32_t vcpus;
    uint64_t tsc; /* now */
    struct gate_used used;
    uint64_t exits[GATE_EXIT_REASONS]; /* by the basic exit reason, since it was made */
};

struct gate_process {
    char name[PLAN_NAME_SIZE];
    uint64_t tsc;  /* now */
    uint64_t time; /* as in gate_used */
};

/* How a call enters ring 0: process_info.gate says which one this hypervisor answers. */
enum gate_entry {
    GATE_SYSCALL, /* as above */
    /* SYSENTER with the return address in R11 and the stack pointer in RCX; the rest is the same */
    GATE_SYSENTER,
};

enum gate_stop {
    GATE_STOP_POWER_OFF, /* the guest switched itself off */
    GATE_STOP_FAULT,     /* the guest or the monitor cannot go on */
};

/*
 * What a monitor's address space has beside what is every process's (abi/process.h). Everything is
 * mapped before the monitor starts and nothing changes later. The monitor's own image lies below
 * MONITOR_INFO, where its ELF file says.
 */
#define MONITOR_INFO  0x0000100000000000ULL /* struct monitor_info, read-only */
#define MONITOR_EXIT  0x0000100000200000ULL /* an exit page for each vCPU, read-write */
#define MONITOR_CPUID 0x0000100000280000ULL /* struct cpuid_table, read-write */
#define MONITOR_FILES 0x0000200000000000ULL /* kernel and initrd, read-only */
/* guest-physical 0, read-write; the hole stays unmapped */
#define MONITOR_MEMORY 0x0000400000000000ULL

struct monitor_file {
    uint64_t address; /* in the monitor's address space; 0: there is none */
    uint64_t size;    /* bytes */
};

/* Seconds to register B. */
#define MONITOR_RTC_REGISTERS 12

struct monitor_info {
    uint32_t vcpus;
    uint32_t on[PLAN_EVENT_COUNT]; /* enum plan_action */
    uint64_t memory;               /* bytes of guest RAM */
    /* the first registers of the host's RTC when the TSC read rtc_tsc; all 0: it has none */
    uint8_t rtc[MONITOR_RTC_REGISTERS];
    uint8_t rdtscp, invpcid; /* 1: guests may have these instructions */
    /* 1: the TSC's frequency is exact to a few ppm: a guest need not calibrate */
    uint8_t tsc_exact;
    uint8_t pks; /* 1: guests may have it */
    uint64_t rtc_tsc;
    uint64_t xcr0; /* what guests may set of XCR0 */
    uint64_t xss;  /* and of IA32_XSS: the states of CET, where guests may have that */
    struct monitor_file kernel, initrd;
    char cmdline[PLAN_CMDLINE_SIZE];
};

_Static_assert(sizeof(struct monitor_info) == 96 + 2048, "the info page's layout is ABI");
_Static_assert(sizeof(struct monitor_info) <= 4096, "it is one page");
