/* SPDX-License-Identifier: BSD-2-Clause */
/* A request that passes is about sectors of its partition, has segments only to move something, and
 * changes nothing without leave. */
#include "tests/proofs/request.h"

struct request nondet_request(void);

void proof(void)
{
    static struct request r;
    const struct block_request *head = &r.head;
    bool moves;

    r = nondet_request();
    share_make(0, 4096);
    moves = head->op == BLOCK_READ || head->op == BLOCK_WRITE;
    if (request_check(head, &share) != BLOCK_DONE)
        return;
    prove(share.present && head->op <= BLOCK_ZERO && head->reserved == 0);
    prove(head->op != BLOCK_WRITE || share.flags & BLOCK_CAN_WRITE);
    prove(head->op != BLOCK_DISCARD || share.flags & BLOCK_CAN_DISCARD);
    prove(head->op != BLOCK_ZERO || share.flags & BLOCK_CAN_ZERO);
    if (head->op != BLOCK_INFO && head->op != BLOCK_FLUSH)
        prove(head->sectors > 0 && head->sector < share.sectors &&
              head->sectors <= share.sectors - head->sector);
    prove(head->segment_count <= (moves ? BLOCK_SEGMENTS : 0));
}
