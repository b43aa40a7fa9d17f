/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plan OUTPUT WORD...: writes a plan for tests, from rows whose words follow each other. A
 * NAME=VALUE belongs to the last row. Files are numbered as they are named, and printed in this
 * order.
 *
 *   vm NAME KERNEL [cmdline=TEXT] [vcpu=N] with 16 MiB of memory, at home on CPU N
 *   process NAME IMAGE [class=N] [index=N] [dma=N] [file=FILE] [interrupt=N] [ports=FIRST:COUNT]
 *       [arguments=TEXT] [grants=N] [controls=N] [cpu=N]
 *   channel CLIENT SERVER LABEL            a disk's; an end is a process's number, or vN for a VM's
 *   network CLIENT SERVER LABEL            likewise
 *   console IMAGE                          a process, with a channel of each VM that is named
 * before
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "abi/block.h"
#include "abi/console.h"
#include "abi/net.h"
#include "abi/plan.h"

static struct plan plan = {.magic = PLAN_MAGIC, .version = PLAN_VERSION, .size = sizeof(plan)};

static _Noreturn void misused(const char *word)
{
    fprintf(stderr, "plan: '%s' is not understood here\n", word);
    exit(2);
}

static void copy(char *to, size_t size, const char *from)
{
    if ((size_t)snprintf(to, size, "%s", from) >= size)
        misused(from);
}

static uint32_t add_file(const char *path)
{
    struct plan_file *file = &plan.files[plan.file_count];
    const char *name = strrchr(path, '/');
    struct stat status;

    if (plan.file_count == PLAN_MAX_FILES || stat(path, &status) != 0)
        misused(path);
    file->size = (uint64_t)status.st_size;
    copy(file->name, sizeof(file->name), name == NULL ? path : name + 1);
    puts(path);
    return plan.file_count++;
}

static void add_vm(char *words[])
{
    struct plan_vm *vm = &plan.vms[plan.vm_count];

    if (plan.vm_count++ == PLAN_MAX_VMS)
        misused(words[0]);
    copy(vm->name, sizeof(vm->name), words[0]);
    vm->kernel = add_file(words[1]);
    vm->initrd = PLAN_NO_FILE;
    vm->memory = 0x1000000;
    vm->vcpus = 1;
}

static void add_process(char *words[])
{
    struct plan_process *p = &plan.processes[plan.process_count];

    if (plan.process_count++ == PLAN_MAX_PROCESSES)
        misused(words[0]);
    copy(p->name, sizeof(p->name), words[0]);
    p->image = add_file(words[1]);
    p->file = PLAN_NO_FILE;
    p->dma = 4096;
}

/* As lintel image makes it (tool/console_process.c). */
static void add_console(char *words[])
{
    struct plan_process *p = &plan.processes[plan.process_count];

    add_process((char *[]){"console", words[0]});
    p->dma = 0;
    p->grants = PLAN_GRANT_LOG;
    p->ports[p->port_range_count++] = (struct plan_ports){0x3f8, 8};
    p->interrupts[p->interrupt_count++] = 4;
    copy(p->arguments, sizeof(p->arguments), "console=lines");
    for (uint32_t vm = 0; vm < plan.vm_count; vm++)
        plan.channels[plan.channel_count++] =
            (struct plan_channel){.kind = PLAN_CHANNEL_CONSOLE,
                                  .size = CONSOLE_CHANNEL_SIZE,
                                  .client = vm,
                                  .server = PLAN_PROCESS | (plan.process_count - 1)};
}

static uint32_t end_of(const char *word)
{
    return word[0] == 'v' ? (uint32_t)strtoul(word + 1, NULL, 0)
                          : PLAN_PROCESS | (uint32_t)strtoul(word, NULL, 0);
}

static void add_channel(char *words[], enum plan_channel_kind kind)
{
    struct plan_channel *c = &plan.channels[plan.channel_count];

    if (plan.channel_count++ == PLAN_MAX_CHANNELS)
        misused(words[0]);
    c->kind = kind;
    c->size = kind == PLAN_CHANNEL_NET ? NET_CHANNEL_SIZE : BLOCK_CHANNEL_SIZE;
    c->client = end_of(words[0]);
    c->server = end_of(words[1]);
    copy(c->label, sizeof(c->label), words[2]);
}

/* NAME=VALUE of the last process, or of the last VM. */
static bool set(const char *word)
{
    if (strncmp(word, "cmdline=", 8) == 0 && plan.vm_count > 0) {
        struct plan_vm *vm = &plan.vms[plan.vm_count - 1];
        copy(vm->cmdline, sizeof(vm->cmdline), word + 8);
        return true;
    }
    struct plan_process *p = &plan.processes[plan.process_count - 1];
    const char *text = strchr(word, '=');
    char *end;
    uint64_t value;

    if (strncmp(word, "vcpu=", 5) == 0 && plan.vm_count > 0) {
        plan.vms[plan.vm_count - 1].cpus[0] = (uint32_t)strtoul(word + 5, NULL, 0);
        return true;
    }
    if (plan.process_count == 0 || text++ == NULL)
        return false;
    value = strtoull(text, &end, 0);
    if (strncmp(word, "class=", 6) == 0) {
        p->grants |= PLAN_GRANT_PCI;
        p->pci_class = (uint32_t)value;
    } else if (strncmp(word, "index=", 6) == 0) {
        p->pci_index = (uint32_t)value;
    } else if (strncmp(word, "grants=", 7) == 0) {
        p->grants |= (uint32_t)value;
    } else if (strncmp(word, "controls=", 9) == 0) {
        p->controls = (uint32_t)value;
    } else if (strncmp(word, "cpu=", 4) == 0) {
        p->cpu = (uint32_t)value;
    } else if (strncmp(word, "dma=", 4) == 0) {
        p->dma = value;
    } else if (strncmp(word, "interrupt=", 10) == 0) {
        p->interrupts[p->interrupt_count++] = (uint32_t)value;
    } else if (strncmp(word, "ports=", 6) == 0) {
        p->ports[p->port_range_count++] =
            (struct plan_ports){(uint16_t)value, (uint16_t)strtoul(end + 1, NULL, 0)};
    } else if (strncmp(word, "file=", 5) == 0) {
        p->file = add_file(text);
    } else if (strncmp(word, "arguments=", 10) == 0) {
        copy(p->arguments, sizeof(p->arguments), text);
    } else {
        return false;
    }
    return true;
}

int main(int argc, char *argv[])
{
    FILE *file;

    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "vm") == 0 && i + 2 < argc) {
            add_vm(argv + i + 1);
            i += 2;
        } else if (strcmp(argv[i], "process") == 0 && i + 2 < argc) {
            add_process(argv + i + 1);
            i += 2;
        } else if (strcmp(argv[i], "channel") == 0 && i + 3 < argc) {
            add_channel(argv + i + 1, PLAN_CHANNEL_BLOCK);
            i += 3;
        } else if (strcmp(argv[i], "network") == 0 && i + 3 < argc) {
            add_channel(argv + i + 1, PLAN_CHANNEL_NET);
            i += 3;
        } else if (strcmp(argv[i], "console") == 0 && i + 1 < argc) {
            add_console(argv + i + 1);
            i++;
        } else if (!set(argv[i])) {
            misused(argv[i]);
        }
    }
    file = argc > 1 ? fopen(argv[1], "w") : NULL;
    if (file == NULL || fwrite(&plan, sizeof(plan), 1, file) != 1 || fclose(file) != 0)
        misused(argc > 1 ? argv[1] : "");
    return 0;
}
