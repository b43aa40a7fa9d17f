/* SPDX-License-Identifier: BSD-2-Clause */
/* A network card in Bochs and QEMU: see emulated_nic.h. */
#include "tool/emulated_nic.h"

#include "tool/report.h"

/* The card's lines and the ISA interrupts that they come to, by the emulators' own firmware: the
 * cards have no MSI. */
#define BOCHS_SLOT "slot1"
#define QEMU_PLACE "addr=5"

static const uint32_t interrupts[RUNNER_COUNT] = {[RUNNER_BOCHS] = 9, [RUNNER_QEMU_KVM] = 10};

enum exit_code emulated_nic_prepare(struct machine *machine, enum runner runner)
{
    if (machine->nic_count == 0)
        return LINTEL_OK;
    struct plan_process *nic = &machine->plan.processes[machine->nics[0].process];

    if (machine->nic_count > 1 || nic->pci_index != 0) {
        return fail(LINTEL_DESCRIPTION,
                    "%s: an emulated machine has one network card; leave one 'nic' there, without "
                    "'index'",
                    machine->nics[machine->nic_count - 1].place);
    }
    nic->interrupt_count = 1;
    nic->interrupts[0] = interrupts[runner];
    return LINTEL_OK;
}

void emulated_nic_bochs(const struct machine *machine, FILE *config)
{
    if (machine->nic_count == 0)
        return;
    fprintf(config, "pci: enabled=1, chipset=i440fx, " BOCHS_SLOT "=e1000\n");
    fprintf(config, "e1000: card=0, enabled=1, mac=52:54:00:12:34:56, ethmod=slirp\n");
}

size_t emulated_nic_qemu(const struct machine *machine,
                         const char *words[static EMULATED_NIC_WORDS])
{
    if (machine->nic_count == 0)
        return 0;
    words[0] = "-netdev";
    words[1] = "user,id=nic";
    words[2] = "-device";
    words[3] = "e1000,netdev=nic," QEMU_PLACE;
    return 4;
}
