/* SPDX-License-Identifier: BSD-2-Clause */
/* For each profile a line: the index of its way out of a guest (vmx/switch.S), without `eager`; its
 * way in; and its name. */
#include <stdio.h>

#include "hypervisor/vm/exit.h"
#include "tests/native/cpu/profiles.h"

int main(void)
{
    for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++) {
        uint32_t needed = profiles[i].needed;
        printf("%d %s %s\n",
               (needed & VERW ? VMX_EXIT_VERW : 0) + (needed & BHB ? VMX_EXIT_BHB : 0),
               needed & L1D    ? "vmx_enter_l1d"
               : needed & VERW ? "vmx_enter_verw"
                               : "vmx_enter",
               profiles[i].name);
    }
    return 0;
}
