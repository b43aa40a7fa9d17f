/* SPDX-License-Identifier: BSD-2-Clause */
/* A request that passes is about sectors of its partition and about memory of its client, as many
 * here as there; it changes nothing without leave. */
#include "tests/proofs/request.h"

#define MOST 2u /* extents, segments */

struct request nondet_request(void);

void proof(void)
{
    static struct request r;
    const struct block_request *head = &r.head;
    uint64_t sum = 0;
    bool moves;

    r = nondet_request();
    share_make(MOST, 4096);
    moves = head->op == BLOCK_READ || head->op == BLOCK_WRITE;
    for (unsigned i = 0; i < MOST; i++) {
        suppose((r.segment[i] & 0xffff) <= 9);
        sum += i < head->segment_count ? r.segment[i] & 0xffff : 0;
    }
    suppose(head->segment_count <= MOST || head->segment_count > BLOCK_SEGMENTS);
    if (request_check(&r, &share) != BLOCK_DONE)
        return;
    prove(share.present && head->op <= BLOCK_ZERO && head->reserved == 0);
    prove(head->op != BLOCK_WRITE || share.flags & BLOCK_CAN_WRITE);
    prove(head->op != BLOCK_DISCARD || share.flags & BLOCK_CAN_DISCARD);
    prove(head->op != BLOCK_ZERO || share.flags & BLOCK_CAN_ZERO);
    if (head->op != BLOCK_INFO && head->op != BLOCK_FLUSH)
        prove(head->sectors > 0 && head->sector < share.sectors &&
              head->sectors <= share.sectors - head->sector);
    prove(sum == (moves ? head->sectors : 0) && head->segment_count <= BLOCK_SEGMENTS);
}
