/* SPDX-License-Identifier: BSD-2-Clause */
/* Networks: see networks.h. */
#include "tool/networks.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/net.h"
#include "monitor/board.h"
#include "tool/homes.h"
#include "tool/name.h"
#include "tool/nics.h"
#include "tool/processes.h"
#include "tool/promise.h"

#define MAC_SIZE   18 /* of one as text */
#define MAC_GROUP  1u /* in the first byte: it is of several machines (IEEE 802) */
#define MAC_LOCAL  2u /* nobody's who sells cards */
#define NO_NETWORK UINT32_MAX

/* The network that need not be described: it reaches the world by the machine's first card. */
#define WORLD "user"

/* "host.networks[1].name", in a buffer that the next call overwrites. */
static const char *at(const char *where, const char *key)
{
    static char path[64];

    snprintf(path, sizeof(path), "%s%s", where, key);
    return path;
}

/* Likewise "vms[1].networks[0].on"; or "vms[1].net", which says it all. */
static const char *at_vm(const struct loading *loading, unsigned vm, unsigned i, const char *key)
{
    static char path[64];

    if (loading->file.content->vms[vm].net)
        snprintf(path, sizeof(path), "vms[%u].net", vm);
    else
        snprintf(path, sizeof(path), "vms[%u].networks[%u]%s", vm, i, key);
    return path;
}

/* How many networks a VM is on. */
static unsigned count_of(const struct vm_description *vm)
{
    return vm->net ? 1 : vm->networks_count;
}

static struct vm_network_description network_of(const struct vm_description *vm, unsigned i)
{
    return vm->net ? (struct vm_network_description){.on = vm->net} : vm->networks[i];
}

/* The first place where a VM says that it is on a network; NULL: none does. */
static const char *first_use(const struct loading *loading, const char *name)
{
    const struct description *content = loading->file.content;

    for (unsigned vm = 0; vm < content->vms_count; vm++)
        for (unsigned i = 0; i < count_of(&content->vms[vm]); i++) {
            const char *on = network_of(&content->vms[vm], i).on;
            if (on && strcmp(on, name) == 0)
                return at_vm(loading, vm, i, ".on");
        }
    return NULL;
}

/* A network with its switch and, if it has one, its card, described at `where`. */
static void load_network(struct loading *loading, const struct network_description *from,
                         const char *where)
{
    struct plan_process process = {.file = PLAN_NO_FILE};
    char nic_at[64];

    if (!from->name ||
        !name_check(&loading->file, at(where, ".name"), from->name, PLAN_NAME_SIZE - 1))
        return;
    if (!first_use(loading, from->name)) {
        description_error(&loading->file, at(where, ".name"),
                          "no VM is on the network '%s'; name it in a VM's networks, or remove it",
                          from->name);
    }
    process.cpu = home_load(loading, at(where, ".cpu"), from->cpu);
    promise_load(loading, where, from->budget, from->period, &process.cpu, 1, &process.budget,
                 &process.period);
    snprintf(process.name, sizeof(process.name), "%s", from->name);
    int number = process_add(loading, at(where, ".name"), BUILT_SWITCH, &process);
    snprintf(nic_at, sizeof(nic_at), "%s.nic", where);
    if (number >= 0 && from->nic)
        nic_load(loading, from->nic, nic_at, (uint32_t)number);
}

/* Whether host.networks has a network of this name. */
static bool is_described(const struct loading *loading, const char *name)
{
    const struct host_description *host = &loading->file.content->host;

    for (unsigned i = 0; i < host->networks_count; i++)
        if (host->networks[i].name && strcmp(host->networks[i].name, name) == 0)
            return true;
    return false;
}

/* The network that is there when a VM is on it. */
static void load_world(struct loading *loading)
{
    static char name[] = WORLD, driver[] = NIC_DRIVER;
    static struct nic_description nic = {.driver = driver};
    static const struct network_description world = {.name = name, .nic = &nic};
    const char *use = first_use(loading, WORLD);
    char where[64];

    if (!use || is_described(loading, WORLD))
        return;
    snprintf(where, sizeof(where), "%s", use);
    load_network(loading, &world, where);
}

/* The process of the network that a VM names; NO_NETWORK after a message. */
static uint32_t find_network(struct loading *loading, unsigned vm, unsigned i)
{
    const char *name = network_of(&loading->file.content->vms[vm], i).on;
    const struct plan *plan = &loading->machine->plan;

    if (!is_described(loading, name) && strcmp(name, WORLD) != 0) {
        description_error(&loading->file, at_vm(loading, vm, i, ".on"),
                          "no entry of host.networks is named '%s'; name one that is there, or "
                          "add it, or write " WORLD " for the network of who runs this",
                          name);
        return NO_NETWORK;
    }
    for (uint32_t p = 0; p < plan->process_count; p++)
        if (strcmp(plan->processes[p].name, name) == 0)
            return p;
    return NO_NETWORK; /* it is wrong itself, and that is said */
}

/* The address that a VM has on a network, of its own: the same each time, so that guests which know
 * their cards by them find them again (FNV-1a). */
static void derive_mac(const char *vm, const char *network, char mac[MAC_SIZE])
{
    uint64_t hash = 0xcbf29ce484222325ULL;

    for (const char *c = vm; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 0x100000001b3ULL;
    hash *= 0x100000001b3ULL;
    for (const char *c = network; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 0x100000001b3ULL;
    snprintf(mac, MAC_SIZE, "%02x:%02x:%02x:%02x:%02x:%02x",
             (unsigned)(hash >> 40 & 0xff & ~MAC_GROUP) | MAC_LOCAL, (unsigned)(hash >> 32 & 0xff),
             (unsigned)(hash >> 24 & 0xff), (unsigned)(hash >> 16 & 0xff),
             (unsigned)(hash >> 8 & 0xff), (unsigned)(hash & 0xff));
}

/* Reads a VM's own word for it. False after a message. */
static bool read_mac(struct loading *loading, unsigned vm, unsigned i, char mac[MAC_SIZE])
{
    static const char form[] = "xx:xx:xx:xx:xx:xx";
    const char *word = loading->file.content->vms[vm].networks[i].mac;
    bool good = strlen(word) == sizeof(form) - 1;

    for (unsigned c = 0; good && c < sizeof(form); c++) {
        good = form[c] == 'x' ? isxdigit((unsigned char)word[c]) != 0 : word[c] == form[c];
        mac[c] = (char)tolower((unsigned char)word[c]);
    }
    if (!good) {
        description_error(&loading->file, at_vm(loading, vm, i, ".mac"),
                          "'%s' is no address; write for example 02:00:00:00:00:01", word);
    } else if (strtoul(mac, NULL, 16) & MAC_GROUP || strcmp(mac, "00:00:00:00:00:00") == 0) {
        description_error(&loading->file, at_vm(loading, vm, i, ".mac"),
                          "'%s' is no machine's address; the first byte of one is even, and 02 is "
                          "for those that you choose",
                          word);
        good = false;
    }
    return good;
}

/* Whether nobody else on the network has the address, and the VM is on it for the first time. */
static bool is_new(struct loading *loading, unsigned vm, unsigned i, uint32_t process,
                   const char *mac)
{
    const struct plan *plan = &loading->machine->plan;
    const char *name = plan->processes[process].name;

    for (uint32_t n = 0; n < plan->channel_count; n++) {
        const struct plan_channel *c = &plan->channels[n];

        if (c->server != (PLAN_PROCESS | process))
            continue;
        if (c->client == vm) {
            description_error(&loading->file, at_vm(loading, vm, i, ".on"),
                              "this VM is on '%s' already; remove one", name);
            return false;
        }
        if (strcmp(c->label, mac) == 0) {
            description_error(
                &loading->file, at_vm(loading, vm, i, ".mac"),
                "vms[%u] has the address %s on '%s' already; give one of them another", c->client,
                mac, name);
            return false;
        }
    }
    return true;
}

static void load_vm_network(struct loading *loading, unsigned vm, unsigned i)
{
    const struct vm_network_description from = network_of(&loading->file.content->vms[vm], i);
    struct plan *plan = &loading->machine->plan;
    uint32_t process = from.on ? find_network(loading, vm, i) : NO_NETWORK;
    char mac[MAC_SIZE];

    if (from.mac && !read_mac(loading, vm, i, mac))
        return;
    if (process == NO_NETWORK || !plan->vms[vm].name[0])
        return;
    if (!from.mac)
        derive_mac(plan->vms[vm].name, from.on, mac);
    if (!is_new(loading, vm, i, process, mac))
        return;
    struct plan_channel *channel = &plan->channels[plan->channel_count++];

    *channel = (struct plan_channel){
        .kind = PLAN_CHANNEL_NET,
        .client = vm,
        .server = PLAN_PROCESS | process,
        .size = NET_CHANNEL_SIZE,
    };
    strcpy(channel->label, mac);
}

_Static_assert(PLAN_MAX_VMS * (2 + BOARD_NETS) + PLAN_MAX_PROCESSES <= PLAN_MAX_CHANNELS,
               "there is a channel for each console, disk and network of all VMs, and each card");

void networks_load(struct loading *loading)
{
    const struct description *content = loading->file.content;

    for (unsigned i = 0; i < content->host.networks_count; i++) {
        char where[32];

        snprintf(where, sizeof(where), "host.networks[%u]", i);
        load_network(loading, &content->host.networks[i], where);
    }
    load_world(loading);
    for (unsigned vm = 0; vm < loading->machine->plan.vm_count; vm++) {
        unsigned count = count_of(&content->vms[vm]);

        if (content->vms[vm].net && content->vms[vm].networks_count > 0) {
            description_error(&loading->file, at_vm(loading, vm, 0, ""),
                              "it has 'networks' as well; keep 'net' for one network, or "
                              "'networks' for a list");
        }
        if (count > BOARD_NETS) {
            description_error(&loading->file, at_vm(loading, vm, BOARD_NETS, ""),
                              "a VM is on %u networks at most; remove the others", BOARD_NETS);
            count = BOARD_NETS;
        }
        for (unsigned i = 0; i < count; i++)
            load_vm_network(loading, vm, i);
    }
}
