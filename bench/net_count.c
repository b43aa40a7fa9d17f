/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net-count: prints "count", the TSC, how many frames eth0, a virtio-net, has sent, and how often
 * its driver has told the device of frames to send, and of room for frames.
 */
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define COUNTERS_MAX 256

static struct {
    struct ethtool_gstrings head;
    char name[COUNTERS_MAX][ETH_GSTRING_LEN];
} names;
static struct {
    struct ethtool_stats head;
    __u64 count[COUNTERS_MAX];
} counts;

static int ask(int s, void *what)
{
    struct ifreq request = {.ifr_name = "eth0", .ifr_data = what};

    return ioctl(s, SIOCETHTOOL, &request);
}

/* Prints how often the driver has told the device of what is new in the queues of this direction:
 * "tx" or "rx". The counter is tx_queue_0_kicks, to newer kernels tx0_kicks. */
static bool print_kicks(const char *direction)
{
    unsigned long long sum = 0;
    unsigned found = 0;

    for (unsigned i = 0; i < counts.head.n_stats; i++) {
        const char *end = strstr(names.name[i], "_kicks");

        if (end && strcmp(end, "_kicks") == 0 && strncmp(names.name[i], direction, 2) == 0) {
            sum += counts.count[i];
            found++;
        }
    }
    printf(" %llu", sum);
    return found > 0;
}

int main(void)
{
    struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
    unsigned long long tsc = __builtin_ia32_rdtsc(), frames = 0;
    FILE *file = fopen("/sys/class/net/eth0/statistics/tx_packets", "r");
    int s = socket(AF_INET, SOCK_DGRAM, 0);

    names.head.cmd = ETHTOOL_GSTRINGS;
    names.head.string_set = ETH_SS_STATS;
    counts.head.cmd = ETHTOOL_GSTATS;
    if (!file || fscanf(file, "%llu", &frames) != 1 || ask(s, &info) != 0 ||
        info.n_stats > COUNTERS_MAX)
        return EXIT_FAILURE;
    names.head.len = counts.head.n_stats = info.n_stats;
    if (ask(s, &names) != 0 || ask(s, &counts) != 0)
        return EXIT_FAILURE;
    printf("count %llu %llu", tsc, frames);
    bool all = print_kicks("tx") && print_kicks("rx");

    printf("\n");
    return all ? EXIT_SUCCESS : EXIT_FAILURE;
}
