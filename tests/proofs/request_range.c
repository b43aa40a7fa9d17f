/* SPDX-License-Identifier: BSD-2-Clause */
/* The next command of a request without segments, wherever it is: of the request's range, which is
 * within the partition. */
#include "tests/proofs/request.h"

struct request nondet_request(void);

void proof(void)
{
    static struct disk_command command;
    static struct request r;
    struct disk disk = {.max_runs = 1, .max_sectors = nondet_u32()};
    uint32_t before;
    enum request_part part;

    r = nondet_request();
    share_make(0, 4096);
    suppose(disk.max_sectors >= 1);
    suppose(r.head.op == BLOCK_DISCARD || r.head.op == BLOCK_ZERO || r.head.op == BLOCK_FLUSH);
    suppose(request_check(&r.head, &share) == BLOCK_DONE);
    before = r.sectors;
    suppose(r.head.op == BLOCK_FLUSH || before < r.head.sectors);
    suppose(r.at == 0);
    part = request_cut(&r, &share, &disk, &command);
    prove(command.run_count == 0 && command.op == r.head.op);
    if (r.head.op == BLOCK_FLUSH) {
        prove(command.sectors == 0 && part == REQUEST_LAST);
        return;
    }
    prove(1 <= command.sectors && command.sectors <= disk.max_sectors);
    prove(r.sectors == before + command.sectors && r.sectors <= r.head.sectors);
    prove(part == (r.sectors < r.head.sectors ? REQUEST_MORE : REQUEST_LAST));
    prove(command.sector == share.first + r.head.sector + before);
    prove(r.head.sector < share.sectors && r.head.sectors <= share.sectors - r.head.sector);
}
