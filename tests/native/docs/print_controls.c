/* SPDX-License-Identifier: BSD-2-Clause */
/* Prints docs/controls.md, made from abi/controls.def (R10). */
#include <stdio.h>

#include "lib/vmx_caps.h"

static const char *const head =
    "# The VMX controls that Lintel uses\n"
    "\n"
    "Made from `abi/controls.def` by `print_controls`; a test fails when this page\n"
    "is stale. The names are those that `lintel caps` prints, and that `host.hide` in a VM\n"
    "description and `hide=` on the hypervisor's command line take. Without a needed control\n"
    "Lintel stops with a verdict; without a wanted one it goes on. A control that is used only\n"
    "together with another one is absent when that one is.\n"
    "\n"
    "| name | field and bit | need | used as | together with | without it |\n"
    "|---|---|---|---|---|---|\n";

/* The field of the VMCS, or the MSR, that a row's bit is in. */
static const char *const words[] = {
    [CONTROL_WORD_PIN] = "pin-based",
    [CONTROL_WORD_PROC] = "primary processor-based",
    [CONTROL_WORD_PROC2] = "secondary processor-based",
    [CONTROL_WORD_EXIT] = "VM-exit",
    [CONTROL_WORD_ENTRY] = "VM-entry",
    [CONTROL_WORD_EPT_VPID] = "IA32_VMX_EPT_VPID_CAP",
};

static const char *const uses[] = {
    [CONTROL_SET] = "1",
    [CONTROL_TOGGLED] = "0 or 1, as needed",
    [CONTROL_CLEAR] = "0",
    [CONTROL_PRESENT] = "a capability",
};

static void print_page(void)
{
    fputs(head, stdout);
    for (unsigned id = 0; id < CONTROL_COUNT; id++) {
        const struct control_row *row = &control_rows[id];
        const char *with = row->with == CONTROL_NONE ? "" : control_rows[row->with].name;

        printf("| %s | %s %u | %s | %s | %s | %s |\n", row->name, words[row->word], row->bit,
               row->need == CONTROL_NEEDED ? "needed" : "wanted", uses[row->use], with, row->lost);
    }
}

int main(void)
{
    print_page();
    return ferror(stdout) ? 1 : 0;
}
