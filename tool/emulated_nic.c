/* SPDX-License-Identifier: BSD-2-Clause */
/* A network card in Bochs and QEMU: see emulated_nic.h. */
#include "tool/emulated_nic.h"

#include "tool/report.h"

/* The card's lines and the ISA interrupts that they come to, by the emulators' own firmware: the
 * cards have no MSI. */
#define BOCHS_SLOT "slot1"
#define QEMU_PLACE "addr=5"

/* A port of this machine, a guest's address and its port, as both emulators write that. */
#define FORWARD "tcp:127.0.0.1:%u-%s:%u"

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

bool emulated_nic_bochs(const struct machine *machine, FILE *config)
{
    if (machine->nic_count == 0)
        return true;
    fprintf(config, "pci: enabled=1, chipset=i440fx, " BOCHS_SLOT "=e1000\n");
    fprintf(config,
            "e1000: card=0, enabled=1, mac=52:54:00:12:34:56, ethmod=slirp, script=slirp.conf\n");
    FILE *script = fopen("slirp.conf", "w");

    if (!script)
        return false;
    fprintf(script, "# slirp config\n"); /* by which Bochs knows such a file */
    for (unsigned i = 0; i < machine->forward_count; i++) {
        const struct machine_forward *forward = &machine->forwards[i];
        fprintf(script, "hostfwd = " FORWARD "\n", forward->port, forward->address,
                forward->guest_port);
    }
    return fclose(script) == 0;
}

size_t emulated_nic_qemu(const struct machine *machine,
                         const char *words[static EMULATED_NIC_WORDS])
{
    if (machine->nic_count == 0)
        return 0;
    char *user = text("user,id=nic");

    for (unsigned i = 0; i < machine->forward_count; i++) {
        const struct machine_forward *forward = &machine->forwards[i];
        user =
            text("%s,hostfwd=" FORWARD, user, forward->port, forward->address, forward->guest_port);
    }
    words[0] = "-netdev";
    words[1] = user;
    words[2] = "-device";
    words[3] = "e1000,netdev=nic," QEMU_PLACE;
    return 4;
}
