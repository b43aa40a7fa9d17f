/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net-count: prints "count", the TSC, how often the driver of eth0, a virtio-net, has told the
 * device of frames to send and of room for frames, and how many frames it has sent.
 */
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
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

/* The driver's counter with this name (SIOCETHTOOL). */
static unsigned long long counter(const char *name)
{
    for (unsigned i = 0; i < counts.head.n_stats; i++)
        if (strncmp(names.name[i], name, ETH_GSTRING_LEN) == 0)
            return counts.count[i];
    return 0;
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
    printf("count %llu %llu %llu %llu\n", tsc, counter("tx_queue_0_kicks"),
           counter("rx_queue_0_kicks"), frames);
    return EXIT_SUCCESS;
}
