/* SPDX-License-Identifier: BSD-2-Clause */
#include "monitor/gate.h"

#include "runtime/call.h"

int64_t gate_run(void)
{
    return gate_call(GATE_RUN, gate_take_notified(), 0, 0);
}

/* What does not wait for gate_run. */
static void send_posted(void)
{
    uint64_t with = gate_notified;

    gate_notified &= GATE_WITH_CHANNELS;
    if (GATE_HAS_MESSAGE(with))
        gate_message(GATE_ADDRESS_OF(with), (uint32_t)GATE_DATA_OF(with));
}

void gate_post_message(uint64_t address, uint32_t data)
{
    send_posted();
    if (address >> 20 == GATE_ADDRESS_OF(0) >> 20)
        gate_notified |= GATE_WITH_MESSAGE(address, data);
}

int64_t gate_start(void)
{
    send_posted();
    return gate_call(GATE_START, 0, 0, 0);
}

int64_t gate_reset(void)
{
    send_posted();
    return gate_call(GATE_RESET, 0, 0, 0);
}

int64_t gate_segments(void)
{
    return gate_call(GATE_SEGMENTS, 0, 0, 0);
}

int64_t gate_state(void)
{
    return gate_call(GATE_STATE, 0, 0, 0);
}

uint64_t gate_keys(void)
{
    return (uint64_t)gate_call(GATE_KEYS, 0, 0, 0);
}

int64_t gate_ask(void)
{
    return gate_call(GATE_ASK, 0, 0, 0);
}

int64_t gate_message(uint64_t address, uint32_t data)
{
    return gate_call(GATE_MESSAGE, address, data, 0);
}

int64_t gate_lapic_read(uint32_t offset)
{
    return gate_call(GATE_LAPIC_READ, offset, 0, 0);
}

int64_t gate_lapic_write(uint32_t offset, uint32_t value)
{
    return gate_call(GATE_LAPIC_WRITE, offset, value, 0);
}

int64_t gate_doorbell(uint16_t port, unsigned bit)
{
    return gate_call(GATE_DOORBELL, port, bit, 0);
}

void gate_spin(uint64_t tsc)
{
    send_posted();
    gate_send();
    while (gate_tsc() < tsc)
        __asm__ volatile("pause");
}

struct cpuid_table *gate_cpuid(void)
{
    return (struct cpuid_table *)MONITOR_CPUID;
}

const struct process_info *gate_process(void)
{
    return (const struct process_info *)PROCESS_INFO;
}

void *gate_channel(unsigned n)
{
    return (void *)(PROCESS_CHANNEL + n * PROCESS_CHANNEL_STRIDE);
}
