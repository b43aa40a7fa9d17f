/* SPDX-License-Identifier: BSD-2-Clause */
/* A reset by port 0xcf9: the machine starts again from the beginning. CMOS RAM survives and tells
 * the second start. */
#include "guests/lib/guest.h"

#define CMOS_FREE 0x60
#define MARK      0xa7

#define VECTOR 0x77

static uint32_t memory = 1;

/* In x2APIC mode, where the CPU has it, a pending interrupt is the processor's own. */
static void leave_pending(void)
{
    apic_enable(has_x2apic() ? APIC_X2 : APIC_MEMORY);
    apic_write(APIC_TPR, 0x90);
    apic_self_ipi(VECTOR);
}

void guest_main(void)
{
    if (cmos_read(CMOS_FREE) != MARK) {
        diag("first start");
        cmos_write(CMOS_FREE, MARK);
        memory = 2;
        wrmsr(MSR_IA32_LSTAR, 0x1234);
        wrmsr(MSR_IA32_SYSENTER_EIP, 0x1234);
        write_dr0(0x1234);
        if (has_tsc_adjust())
            wrmsr(MSR_IA32_TSC_ADJUST, BIT(40));
        leave_pending();
        reset();
    }
    cmos_write(CMOS_FREE, 0);
    ok(true, "the machine starts again");
    is(memory, 1, "the kernel was loaded again");
    is(rdmsr(MSR_IA32_LSTAR), 0, "LSTAR has its reset value");
    is(rdmsr(MSR_IA32_SYSENTER_EIP), 0, "SYSENTER_EIP has its reset value");
    is(read_dr0(), 0, "DR0 has its reset value");
    if (has_tsc_adjust() && has_hypervisor()) /* the bare emulator keeps it over a reset */
        is(rdmsr(MSR_IA32_TSC_ADJUST), 0, "IA32_TSC_ADJUST has its reset value");
    is(rdmsr(MSR_IA32_APIC_BASE) & APIC_BASE_X2APIC, 0, "the local APIC is not in x2APIC mode");
    is(apic_vector_bit(APIC_IRR, VECTOR), 0, "nothing is pending in it");
    is(read_cr8(), 0, "CR8 has its reset value");
}
