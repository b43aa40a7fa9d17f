/* SPDX-License-Identifier: BSD-2-Clause */
/* MSI-X: see msix.h. */
#include "monitor/msix.h"

#include "lib/string.h"
#include "monitor/gate.h"

#define AREA_PENDING  0x800u
#define VECTOR_MASKED 1u

static uint32_t control(const struct msix *m)
{
    return pci_get(m->function, m->capability + PCI_MSIX_CONTROL, 2);
}

bool msix_enabled(const struct msix *m)
{
    return control(m) & PCI_MSIX_ENABLE;
}

static bool held_back(const struct msix *m, unsigned vector)
{
    return !msix_enabled(m) || control(m) & PCI_MSIX_MASK_ALL ||
           m->vectors[vector].control & VECTOR_MASKED || !pci_is_master(m->function);
}

/* A message is a write to memory; one that goes anywhere but to local APICs is lost. */
static void send(struct msix *m, unsigned vector)
{
    const struct msix_vector *e = &m->vectors[vector];

    if (held_back(m, vector)) {
        m->pending |= 1u << vector;
        return;
    }
    m->pending &= ~(1u << vector);
    gate_post_message((uint64_t)e->address[1] << 32 | e->address[0], e->data);
}

void msix_look(struct msix *m)
{
    for (uint32_t left = m->pending; left != 0; left &= left - 1)
        send(m, (unsigned)__builtin_ctz(left));
}

void msix_forget(struct msix *m)
{
    m->pending = 0;
}

void msix_send(struct msix *m, uint16_t vector)
{
    if (vector < m->count)
        send(m, vector);
}

uint32_t msix_load(const struct msix *m, uint32_t offset, unsigned size)
{
    uint32_t value = 0, table_size = m->count * (uint32_t)sizeof(m->vectors[0]);

    if (offset < table_size)
        memcpy(&value, (const uint8_t *)m->vectors + offset, size);
    else if (offset >= AREA_PENDING && offset - AREA_PENDING < sizeof(m->pending))
        memcpy(&value, (const uint8_t *)&m->pending + (offset - AREA_PENDING), size);
    return value;
}

void msix_store(struct msix *m, uint32_t offset, uint32_t value)
{
    if (offset >= m->count * sizeof(m->vectors[0]))
        return;
    memcpy((uint8_t *)m->vectors + offset, &value, sizeof(value));
    msix_look(m);
}

void msix_init(struct msix *m, struct pci_function *f, unsigned capability, unsigned next,
               unsigned count, unsigned bar, uint32_t at)
{
    *m = (struct msix){.function = f, .capability = capability, .count = count};
    for (unsigned i = 0; i < count; i++)
        m->vectors[i].control = VECTOR_MASKED;
    pci_set(f, capability, 4, PCI_CAPABILITY_MSIX | next << 8 | (count - 1) << 16);
    pci_set(f, capability + PCI_MSIX_TABLE, 4, at | bar);
    pci_set(f, capability + PCI_MSIX_PENDING, 4, (at + AREA_PENDING) | bar);
    pci_set_writable(f, capability + PCI_MSIX_CONTROL, 2, PCI_MSIX_ENABLE | PCI_MSIX_MASK_ALL);
}
