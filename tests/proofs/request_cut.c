/* SPDX-License-Identifier: BSD-2-Clause */
/* One run of a command for the device, from any place in the first segment of a request that
 * passed, if it has one: it is, or begins, the one that the proof extent_run is of, the command
 * takes no more than the device does, and the next run goes on where this one ends. There is no
 * command where there is no such run, nor a last one that leaves segments over. */
#include "tests/proofs/request.h"

struct request nondet_request(void);

void proof(void)
{
    static struct disk_command command;
    static struct request r;
    struct disk disk = {.max_runs = 1, .max_sectors = nondet_u32()};
    struct disk_run run;
    uint32_t at, sectors_at, before, length;
    enum request_part part;
    bool there;

    r = nondet_request();
    share_make(1, 4096);
    suppose(disk.max_sectors >= 1 && r.head.op == BLOCK_WRITE);
    suppose(r.head.segment_count <= BLOCK_SEGMENTS);
    at = r.at = 0;
    sectors_at = r.sectors_at;
    before = r.sectors;
    length = at < r.head.segment_count ? r.segment[at] & 0xffff : 0;
    suppose(before < r.head.sectors && (sectors_at == 0 || sectors_at < length));
    there = at < r.head.segment_count && find_run(&share, r.segment[at], sectors_at, &run);
    part = request_cut(&r, &share, &disk, &command);
    if (!there) {
        prove(part == REQUEST_WRONG);
        return;
    }
    prove(part != REQUEST_MORE || r.sectors < r.head.sectors);
    prove(part != REQUEST_LAST ||
          (r.sectors == r.head.sectors && r.at == r.head.segment_count && r.sectors_at == 0));
    if (part == REQUEST_WRONG) {
        prove(r.sectors == r.head.sectors && r.at != r.head.segment_count);
        return;
    }
    prove(command.run_count == 1 && command.op == BLOCK_WRITE);
    prove(command.runs[0].physical == run.physical && command.runs[0].bytes <= run.bytes);
    prove(command.runs[0].bytes == command.sectors * 512 && command.sectors >= 1);
    prove(command.sectors <= disk.max_sectors && command.sectors <= r.head.sectors - before);
    prove(command.sectors <= length - sectors_at);
    prove(r.sectors == before + command.sectors);
    if (command.sectors < length - sectors_at)
        prove(r.at == at && r.sectors_at == sectors_at + command.sectors);
    else
        prove(r.at == at + 1 && r.sectors_at == 0);
}
