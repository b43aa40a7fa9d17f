/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GUESTS_VICTIM_DISK_H
#define GUESTS_VICTIM_DISK_H

/* Writes pages of the VM's disk, if it has one, flushes, and reads them back, with one request at a
 * time: two tests. */
void victim_disk(void);

#endif
