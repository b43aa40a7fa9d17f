/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Work whose pace is known: what share of the CPU does a VM get beside a hostile one
 * (docs/bounds.md)?
 *
 * A chunk of work takes as many TSC ticks as the quickest did. So many chunks as end within a
 * window of 100 ms, wherever it begins, are the VM's share of that window; in the emulator, whose
 * TSC counts instructions, of the machine's instructions. The command line may be "input": then the
 * kernel waits for a line and answers it; or a number: the share in thousandths that it shall have.
 */
#include "guests/lib/guest.h"
#include "lib/string.h"

#define CHUNKS      20000
#define LOOPS       500 /* two instructions each */
#define WINDOW_MS   100
#define LEAST_SHARE 450 /* thousandths */
#define TIMING_LEAF 0x40000010

static uint64_t begins[CHUNKS], ends[CHUNKS];

static void work(void)
{
    for (unsigned i = 0; i < CHUNKS; i++) {
        unsigned loops = LOOPS;

        begins[i] = rdtsc();
        __asm__ volatile("1: decl %0; jnz 1b" : "+r"(loops));
        ends[i] = rdtsc();
    }
}

static uint64_t quickest(void)
{
    uint64_t least = UINT64_MAX;

    for (unsigned i = 1; i < CHUNKS; i++)
        least = min_u64(least, begins[i] - begins[i - 1]);
    return least;
}

/* Thousandths of the worst window. The first chunks may still see the other VM's start. */
static uint64_t least_share(uint64_t chunk, uint64_t window)
{
    uint64_t least = UINT64_MAX;

    for (unsigned first = 0, end = 0; first < CHUNKS; first++) {
        while (end < CHUNKS && ends[end] <= ends[first] + window)
            end++;
        if (end == CHUNKS)
            break;
        least = min_u64(least, (end - first - 1) * chunk * 1000 / window);
    }
    return least;
}

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
    uint64_t wanted = wanted_share(command_line());
    uint64_t device = ask_device();
    work();
    uint64_t chunk = quickest(), window = (uint64_t)cpuid(TIMING_LEAF, 0).eax * WINDOW_MS,
             share = least_share(chunk, window), took = ends[CHUNKS - 1] - begins[0];

    diag("worst window %lu, whole %lu thousandths; 200 INs took %lu, chunk %lu", share,
         chunk * CHUNKS * 1000 / took, device, chunk);
    ok(share >= wanted, "in each window of 100 ms the VM gets %lu %% of the CPU at least",
       wanted / 10);
    ok(took <= chunk * CHUNKS * 11 / 5, "its work takes at most 2.2 times what it takes alone");
}
