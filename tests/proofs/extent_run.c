/* SPDX-License-Identifier: BSD-2-Clause */
/* What of a segment is in one piece lies in one extent, whole, or in the bounce pages: for all
 * segments, from any sector of theirs on, and all extents. */
#include "tests/proofs/request.h"

void proof(void)
{
    uint64_t segment = nondet_u64();
    uint32_t sectors = nondet_u32();
    struct disk_run run;

    share_make(MOST_EXTENTS, 4096);
    suppose(sectors < (segment & 0xffff));
    if (find_run(&share, segment, sectors, &run)) {
        prove(run_is_right(&run, segment, sectors));
        prove(run.bytes / 512 <= (segment & 0xffff) - sectors);
    }
}
