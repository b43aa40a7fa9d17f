/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/* Writes pages of the VM's disk, if it has one, flushes, and reads them back, with one request at a
 * time: two tests. */
void victim_disk(void);
