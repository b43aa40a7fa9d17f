/* SPDX-License-Identifier: BSD-2-Clause */
/* What is in a header that was found good, and that nothing outside of its sector was looked at. */
#include "tests/proofs/gpt.h"

static struct sector sector;
static uint64_t asked;

static const uint8_t *read(uint64_t lba)
{
    prove(lba == asked);
    sector = nondet_sector();
    return nondet_bool() ? sector.bytes : NULL;
}

void proof(void)
{
    uint64_t sectors = nondet_u64();
    struct header h;

    asked = nondet_u64();
    suppose(sectors >= 3);
    if (!read_header(&h, asked, sectors, read))
        prove(header_is_sound(&h, sectors));
}
