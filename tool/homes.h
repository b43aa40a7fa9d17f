/* SPDX-License-Identifier: BSD-2-Clause */
/* Which CPUs of the machine VMs and processes are at home on: the keys cpus, alone and vcpus of a
 * VM, cpu of a disk or a network, and cpus of the host. */
#pragma once

#include <stdint.h>

#include "tool/loading.h"

/*
 * Reads the keys of the host and of all VMs into the plan and the machine. Where a VM does not say,
 * it is at home on loading->common: the first CPU that no VM has alone.
 */
void homes_load(struct loading *loading);

/* The home that the entry `where` of the host says for its process, or loading->common where `word`
 * is NULL, or after a message: there all interrupts of devices come to one CPU, and no VM is
 * disturbed that has one for itself. */
uint32_t home_load(struct loading *loading, const char *where, const char *word);

/* Where the description does not say how many CPUs the machine has, it has as many as the plan
 * needs. */
void homes_count(struct machine *machine);
