/* SPDX-License-Identifier: BSD-2-Clause */
/* Network cards: see nics.h. */
#include "tool/nics.h"

#include <stdio.h>
#include <string.h>

#include "abi/net.h"
#include "tool/processes.h"

#define NIC_DRIVER "e1000"
#define NIC_CLASS  0x020000    /* an Ethernet controller */
#define NIC_DMA    0x102000ULL /* struct dma_area of drivers/e1000.c */

/* "host.networks[1].nic.index", in a buffer that the next call overwrites. */
static const char *at(unsigned i, const char *key)
{
    static char path[64];

    snprintf(path, sizeof(path), "host.networks[%u].nic%s", i, key);
    return path;
}

/* Which one of the machine's cards it is: the first, unless the description says another. False
 * after a message. */
static bool read_index(struct loading *loading, unsigned i, uint32_t *index)
{
    const char *word = loading->file.content->host.networks[i].nic->index;
    const struct machine *machine = loading->machine;

    *index = 0;
    if (word && !process_index_parse(word, index)) {
        description_error(&loading->file, at(i, ".index"),
                          "'%s' is no number; write 0 for the machine's first card", word);
        return false;
    }
    for (unsigned n = 0; n < machine->nic_count; n++) {
        const struct plan_process *other = &machine->plan.processes[machine->nics[n].process];
        if (other->pci_index != *index)
            continue;
        description_error(&loading->file, at(i, word ? ".index" : ""),
                          "'%s' is the driver of card %u already; name another by 'index'",
                          other->name, *index);
        return false;
    }
    return true;
}

void nic_load(struct loading *loading, unsigned i, uint32_t process)
{
    const struct nic_description *from = loading->file.content->host.networks[i].nic;
    struct machine *machine = loading->machine;
    struct plan *plan = &machine->plan;
    struct plan_process nic = {
        .file = PLAN_NO_FILE,
        .grants = PLAN_GRANT_PCI,
        .pci_class = NIC_CLASS,
        .dma = NIC_DMA,
    };

    if (!from->driver || !read_index(loading, i, &nic.pci_index))
        return;
    if (strcmp(from->driver, NIC_DRIVER) != 0) {
        description_error(&loading->file, at(i, ".driver"), "'%s' is no driver; write " NIC_DRIVER,
                          from->driver);
        return;
    }
    snprintf(nic.name, sizeof(nic.name), "%.27s.nic", plan->processes[process].name);
    int number = process_add(loading, at(i, ""), BUILT_E1000, &nic);
    if (number < 0)
        return;
    plan->channels[plan->channel_count++] = (struct plan_channel){
        .kind = PLAN_CHANNEL_NET,
        .client = PLAN_PROCESS | process,
        .server = PLAN_PROCESS | (uint32_t)number,
        .size = NET_CHANNEL_SIZE,
    };
    machine->nics[machine->nic_count++] =
        (struct machine_nic){.process = (uint32_t)number, .place = text("%s", at(i, ""))};
}
