/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Work whose pace is known (lib/pace.h): what share of the CPU does a VM get beside a hostile one,
 * or beside a hostile process (docs/bounds.md)? And does its disk keep what it writes? The command
 * line may be "input": then the kernel waits for a line and answers it; or a number: the share in
 * thousandths that it shall have.
 */
#include "guests/lib/guest.h"
#include "guests/lib/pace.h"
#include "guests/victim_disk.h"
#include "guests/victim_net.h"
#include "lib/string.h"

#define WINDOW_MS   100
#define LEAST_SHARE 450 /* thousandths */
#define TIMING_LEAF 0x40000010

/* Work that its monitor does: it shall not be starved either. */
static uint64_t ask_device(void)
{
    uint64_t start = rdtsc();

    for (unsigned i = 0; i < 200; i++)
        inb(UART_SCR);
    return rdtsc() - start;
}

static uint64_t wanted_share(const char *word)
{
    uint64_t number = 0;

    for (; *word >= '0' && *word <= '9'; word++)
        number = number * 10 + (uint64_t)(*word - '0');
    return number > 0 ? number : LEAST_SHARE;
}

static void answer(void)
{
    uint8_t c;

    serial_write("say something: ");
    do {
        while (!(inb(UART_LSR) & 1))
            cpu_relax();
        c = inb(UART_DATA);
    } while (c != '\n' && c != '\r');
    ok(true, "a typed line is answered");
}

void guest_main(void)
{
    if (strcmp(command_line(), "input") == 0)
        answer();
    victim_disk();
    victim_net();
    uint64_t wanted = wanted_share(command_line());
    uint64_t device = ask_device();
    uint64_t took = pace_work(), chunk = pace_chunk(),
             window = (uint64_t)cpuid(TIMING_LEAF, 0).eax * WINDOW_MS,
             share = pace_least_share(window);

    diag("worst window %lu, whole %lu thousandths; 200 INs took %lu, chunk %lu", share,
         chunk * PACE_CHUNKS * 1000 / took, device, chunk);
    victim_net_end();
    ok(share >= wanted, "in each window of 100 ms the VM gets %lu %% of the CPU at least",
       wanted / 10);
    ok(took * wanted <= chunk * PACE_CHUNKS * 1000, "and over the whole time");
}
