/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes docs/mitigations.md from lib/mitigations.def. */
#include <stdio.h>

static const char *const head =
    "# What is done against the flaws of CPUs\n"
    "\n"
    "Made from `lib/mitigations.def` by `print_mitigations`; a test fails when this "
    "page is stale.\n"
    "A CPU that tells one VM of another by what it guesses has one or more of these flaws, and "
    "often a means against\n"
    "them. Which a CPU needs it says itself, in CPUID leaf 7 and IA32_ARCH_CAPABILITIES "
    "(`mitigations_needed` in `lib/mitigations.h`), and the log\n"
    "of the boot has a line for each that is done, as `lintel caps` has for each. "
    "`mitigations=-NAME` on the hypervisor's command line leaves one out.\n"
    "\n"
    "| name | against | when | how | cost |\n"
    "|---|---|---|---|---|\n";

static const char *const tail =
    "\n"
    "Beside these, IBRS and BHI_DIS_S are set whoever runs, where the CPU has them at all times "
    "([IA32_SPEC_CTRL](msr-switching.md#ia32_spec_ctrl)).\n"
    "\n"
    "A CPU that needs nothing executes nothing: there is a way out of a guest and into it for each "
    "need, and which of them a vCPU takes is\n"
    "chosen when it is made (`choose_entry` and `exit_stub` in `hypervisor/vm/vcpu.c`); "
    "`tests/native/vmx/entries.sh` disassembles the ways that each of twelve\n"
    "CPUs has. Only a change of vCPU looks whether there is something to do.\n"
    "\n"
    "Returns that are predicted from what a guest has left (RSB, and PBRSB) need nothing: ring 0 "
    "returns only to what it has called since the exit, because an\n"
    "exit, a system call and the scheduler begin on an empty stack, and go into a guest or to ring "
    "3 without a RET; the same test finds none in the assembly, but in\n"
    "what clears the branch history. How deep calls go before a guest's own returns would be asked "
    "for is not looked at: a CPU that then guesses by its branch\n"
    "predictor (RSBA, RRSBA) has IBRS, or what is said below.\n"
    "\n"
    "SRBDS and GDS are mended by microcode alone. No emulator has one of these flaws: what is "
    "tested is that the right thing is done at the right place, not that it helps.\n"
    "\n"
    "## Not done\n"
    "\n"
    "| what | on which CPUs | why |\n"
    "|---|---|---|\n"
    "| what has no means | those whose microcode is older than the flaw | nothing says that the "
    "flaw is there, then |\n"
    "| what one thread of a core tells the other | those with hyper-threading on | a VM would have "
    "to have both: switch it off in the firmware's setup |\n"
    "| what ring 0 leaves in the L1 data cache while it answers an exit by itself | those with "
    "L1TF | emptying it at each entry costs more than most exits |\n";

static const char *const missing =
    "\n"
    "These are missing, and where one is needed, the log of the boot says `mitigation NAME: "
    "missing`, and `lintel caps` likewise:\n"
    "\n"
    "| name | flaw | why |\n"
    "|---|---|---|\n";

int main(void)
{
    fputs(head, stdout);
#define MITIGATION(id, name, needed, flaw, when, how, cost)                                        \
    printf("| `%s` | %s | %s | %s | %s |\n", name, flaw, when, how, cost);
#define MISSING(...)
#include "lib/mitigations.def"
    fputs(tail, stdout);
    fputs(missing, stdout);
#define MITIGATION(...)
#define MISSING(id, name, needed, flaw, why) printf("| `%s` | %s | %s |\n", name, flaw, why);
#include "lib/mitigations.def"
    return 0;
}
