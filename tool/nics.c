/* SPDX-License-Identifier: BSD-2-Clause */
/* Network cards: see nics.h. */
#include "tool/nics.h"

#include <stdio.h>
#include <string.h>

#include "abi/net.h"
#include "tool/forwards.h"
#include "tool/processes.h"

#define NIC_CLASS 0x020000    /* an Ethernet controller */
#define NIC_DMA   0x102000ULL /* struct dma_area of drivers/e1000.c */

void nic_load(struct loading *loading, const struct nic_description *from, const char *where,
              uint32_t process)
{
    struct machine *machine = loading->machine;
    struct plan *plan = &machine->plan;
    char driver_at[64], index_at[64];
    struct plan_process nic = {
        .file = PLAN_NO_FILE,
        .grants = PLAN_GRANT_PCI,
        .pci_class = NIC_CLASS,
        .dma = NIC_DMA,
        .cpu = plan->processes[process].cpu, /* what it takes and gives is its switch's */
    };

    snprintf(driver_at, sizeof(driver_at), "%s.driver", where);
    snprintf(index_at, sizeof(index_at), "%s.index", where);
    forwards_load(loading, where, from);
    if (!from->driver || !process_index_load(loading, index_at, from->index, &nic))
        return;
    if (strcmp(from->driver, NIC_DRIVER) != 0) {
        description_error(&loading->file, driver_at, "'%s' is no driver; write " NIC_DRIVER,
                          from->driver);
        return;
    }
    snprintf(nic.name, sizeof(nic.name), "%.27s.nic", plan->processes[process].name);
    int number = process_add(loading, where, BUILT_E1000, &nic);
    if (number < 0)
        return;
    plan->channels[plan->channel_count++] = (struct plan_channel){
        .kind = PLAN_CHANNEL_NET,
        .client = PLAN_PROCESS | process,
        .server = PLAN_PROCESS | (uint32_t)number,
        .size = NET_CHANNEL_SIZE,
    };
    machine->nics[machine->nic_count++] =
        (struct machine_nic){.process = (uint32_t)number, .place = text("%s", where)};
}
