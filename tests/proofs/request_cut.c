/* SPDX-License-Identifier: BSD-2-Clause */
/* One run of a command for the device, from any place in the first segment of a request that
 * passed: it is, or begins, the one that the proof extent_run is of, the command takes no more than
 * the device does, and the next run goes on where this one ends. */
#include "tests/proofs/request.h"

struct request nondet_request(void);

void proof(void)
{
    static struct disk_command command;
    static struct request r;
    struct disk disk = {.max_runs = 1, .max_sectors = nondet_u32()};
    struct disk_run run;
    uint32_t at, sectors_at, before, length;
    bool more;

    r = nondet_request();
    share_make(1, 4096);
    suppose(disk.max_sectors >= 1 && r.head.op == BLOCK_WRITE);
    at = r.at = 0;
    sectors_at = r.sectors_at;
    before = r.sectors;
    suppose(before < r.head.sectors && at < r.head.segment_count && at < BLOCK_SEGMENTS);
    length = r.segment[at] & 0xffff;
    /* What request_check has seen to. */
    suppose(sectors_at < length && find_run(&share, r.segment[at], sectors_at, &run));
    more = request_cut(&r, &share, &disk, &command);
    prove(command.run_count == 1 && command.op == BLOCK_WRITE);
    prove(command.runs[0].physical == run.physical && command.runs[0].bytes <= run.bytes);
    prove(command.runs[0].bytes == command.sectors * 512 && command.sectors >= 1);
    prove(command.sectors <= disk.max_sectors && command.sectors <= r.head.sectors - before);
    prove(command.sectors <= length - sectors_at);
    prove(r.sectors == before + command.sectors && more == (r.sectors < r.head.sectors));
    if (command.sectors < length - sectors_at)
        prove(r.at == at && r.sectors_at == sectors_at + command.sectors);
    else
        prove(r.at == at + 1 && r.sectors_at == 0);
}
