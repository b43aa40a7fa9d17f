/* SPDX-License-Identifier: BSD-2-Clause */
#include "ahci_device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "lib/bits.h"
#include "machine.h"
#include "simulated.h"

#define ALL_ONES UINT32_MAX
#define TICKS    7u

struct port {
    uint32_t clb, clbu, fb, fbu, is, ie, cmd, tfd, sig, ssts, serr, ci;
    unsigned link, first_fis; /* ticks until they come */
    bool stopped;             /* by an error, until ST is 0 */
};

struct ahci_device ahci_device;
unsigned ahci_resets, ahci_prds, ahci_errors;

static uint32_t ghc, bohc;
static unsigned resetting, handing_off;
static struct port ports[4];
static bool predecessor;

void ahci_new(void)
{
    simulated_new();
    /* 64 bits, AHCI only, 32 slots, 4 ports; hand-off */
    ahci_device = (struct ahci_device){.cap = BIT(31) | BIT(18) | 31 << 8 | 3,
                                       .cap2 = 1,
                                       .sectors = MEDIUM_SECTORS,
                                       .word83 = 0x7400,
                                       .word106 = 0x6003,
                                       .word169 = 1,
                                       .serial_number = 0x3131};
    ghc = BIT(31);
    bohc = 1;
    resetting = handing_off = 0;
    predecessor = false;
    ahci_resets = ahci_errors = 0;
    memset(ports, 0, sizeof(ports));
}

void ahci_predecessor(void)
{
    ports[2] = (struct port){.cmd = 0xc017, .ie = 1, .tfd = 0xd0, .ssts = 0x123, .ci = 1};
    ghc |= 2;
    predecessor = true;
}

bool ahci_predecessor_lives(void)
{
    return predecessor;
}

bool ahci_interrupts(void)
{
    bool any = false;

    for (unsigned i = 0; i < ARRAY_SIZE(ports); i++)
        any |= (ports[i].is & ports[i].ie) != 0;
    return any && (ghc & 2);
}

static void raise(struct port *p, unsigned bit)
{
    p->is |= 1u << bit;
}

static bool there(unsigned port)
{
    return port == 1 || (port == 2 && !ahci_device.no_disk);
}

static void hba_reset(void)
{
    ghc = BIT(31);
    predecessor = false;
    ahci_resets++;
    memset(ports, 0, sizeof(ports));
    for (unsigned i = 0; i < ARRAY_SIZE(ports); i++) {
        ports[i].tfd = 0x7f;
        ports[i].sig = ALL_ONES;
        ports[i].link = there(i) ? TICKS : 0;
    }
}

/* The link comes up, and then the device's first FIS, if it can be received. */
static void port_tick(unsigned port)
{
    struct port *p = &ports[port];

    if (p->link > 0 && --p->link == 0) {
        p->ssts = 0x123;
        p->serr |= BIT(26);
        p->first_fis = TICKS;
    }
    if (p->first_fis > 0 && (p->cmd & BIT(14)) && !(p->serr & BIT(26)) && --p->first_fis == 0) {
        p->tfd = port == 2 && ahci_device.stays_busy ? 0x80 : 0x50;
        p->sig = port == 1 ? 0xeb140101 : 0x101;
    }
    if (!(p->cmd & 1) && (p->cmd & BIT(15)) && !ahci_device.keeps_running)
        p->cmd &= ~(uint32_t)BIT(15);
}

void device_tick(void)
{
    if (handing_off > 0 && --handing_off == 0)
        bohc &= ~1u;
    if (resetting > 0 && !ahci_device.never_resets && --resetting == 0)
        hba_reset();
    for (unsigned i = 0; i < ARRAY_SIZE(ports); i++)
        port_tick(i);
}

/* Moves all of a command's memory. */
static bool transfer(const uint32_t *header, bool write, uint64_t sector, void *fixed)
{
    const uint32_t *prd = (const uint32_t *)machine_memory(header[2], 128) + 32;
    unsigned count = header[0] >> 16;
    bool good = true;
    uint8_t *at = fixed;

    assert_int_equal(header[0] >> 6 & 1, write);
    for (unsigned i = 0; i < count; i++, prd += 4) {
        uint64_t physical = prd[0] | (uint64_t)prd[1] << 32;
        uint32_t bytes = (prd[3] & 0x3fffff) + 1;
        assert_int_equal(prd[3] & 0x7fc00001, 1); /* an even number */
        assert_int_equal(physical % 2, 0);
        if (fixed == NULL) {
            good = good && medium_copy(write, sector, physical, bytes);
            sector += bytes / BLOCK_SECTOR;
        } else {
            uint8_t *memory = machine_memory(physical, bytes);
            memcpy(write ? at : memory, write ? memory : at, bytes);
            at += bytes;
        }
    }
    return good;
}

/* How many bytes a command's memory has. */
static uint32_t size(const uint32_t *header)
{
    const uint32_t *prd = (const uint32_t *)machine_memory(header[2], 128) + 32;
    uint32_t bytes = 0;

    ahci_prds = header[0] >> 16;
    for (unsigned i = 0; i < ahci_prds; i++)
        bytes += (prd[4 * i + 3] & 0x3fffff) + 1;
    return bytes;
}

static bool identify(const uint32_t *header)
{
    uint16_t words[256] = {0};

    words[10] = ahci_device.serial_number;
    words[83] = ahci_device.word83;
    words[106] = ahci_device.word106;
    words[169] = ahci_device.word169;
    memcpy(&words[100], &ahci_device.sectors, 8);
    return transfer(header, false, 0, words);
}

static bool trim(const uint32_t *header, uint32_t blocks)
{
    uint64_t ranges[64], sector, sectors;

    assert_int_equal(blocks, 1);
    assert_int_equal(size(header), sizeof(ranges));
    transfer(header, true, 0, ranges);
    for (unsigned i = 0; i < ARRAY_SIZE(ranges); i++) {
        sector = ranges[i] & 0xffffffffffff;
        sectors = ranges[i] >> 48;
        if (sectors != 0 && !medium_has(sector, sectors))
            return false;
        if (sectors != 0)
            memset(medium[sector], 0, sectors * BLOCK_SECTOR);
    }
    return true;
}

static bool execute(const struct port *p)
{
    const uint32_t *header = (const uint32_t *)machine_memory(p->clb, 32);
    const uint8_t *fis = machine_memory(header[2], 20);
    uint64_t sector = fis[4] | fis[5] << 8 | fis[6] << 16 | (uint64_t)fis[8] << 24 |
                      (uint64_t)fis[9] << 32 | (uint64_t)fis[10] << 40;
    uint32_t sectors = fis[12] | fis[13] << 8;

    assert_int_equal(p->clbu, 0);
    assert_int_equal(p->clb % 1024, 0);
    assert_int_equal(header[0] & 0x1f, 5);
    assert_int_equal(header[0] & 0xffa0, 0);
    assert_int_equal(header[1], 0);
    assert_int_equal(header[2] % 128, 0);
    assert_int_equal(header[3], 0);
    assert_true(fis[0] == 0x27 && fis[1] == 0x80 && fis[7] == 0x40);
    switch (fis[2]) {
    case 0xec:
        assert_int_equal(size(header), 512);
        return identify(header);
    case 0x25:
    case 0x35:
        assert_int_equal(size(header), (sectors == 0 ? 0x10000 : sectors) * BLOCK_SECTOR);
        return transfer(header, fis[2] == 0x35, sector, NULL);
    case 0xea:
        assert_int_equal(size(header), 0);
        flushes++;
        return true;
    case 0x06:
        assert_int_equal(fis[3], 1);
        return trim(header, sectors);
    }
    return false;
}

/* The command that is issued. */
static void work_one(struct port *p)
{
    if (execute(p)) {
        p->ci = 0;
        p->tfd = 0x50;
        raise(p, 0);
        return;
    }
    p->tfd = 0x4051;
    raise(p, 30);
    ahci_errors++;
    if (ahci_device.lenient)
        p->ci = 0;
    else
        p->stopped = true;
}

void device_work(void)
{
    struct port *p = &ports[2];

    if (p->ci != 0 && machine_random(2) == 0 && !p->stopped && !ahci_device.silent)
        work_one(p);
}

static uint32_t *port_register(struct port *p, uint64_t offset)
{
    uint32_t *registers[] = {&p->clb, &p->clbu, &p->fb,   &p->fbu, &p->is,   &p->ie, &p->cmd, NULL,
                             &p->tfd, &p->sig,  &p->ssts, NULL,    &p->serr, NULL,   &p->ci};

    assert_true(offset / 4 < ARRAY_SIZE(registers) && registers[offset / 4] != NULL);
    return registers[offset / 4];
}

uint32_t device_read(unsigned window, uint64_t offset)
{
    assert_int_equal(window, 1);
    assert_int_equal(offset % 4, 0);
    if (ahci_device.cap == ALL_ONES)
        return ALL_ONES;
    switch (offset) {
    case 0x00:
        return ahci_device.cap;
    case 0x04:
        return ghc;
    case 0x0c:
        return 0xf;
    case 0x24:
        return ahci_device.cap2;
    case 0x28:
        return bohc;
    }
    assert_true(offset >= 0x100 && offset < 0x100 + 4 * 0x80);
    if (ahci_device.racing && offset == 0x100 + 2 * 0x80 + 0x38)
        device_work(); /* something ends just before its driver looks */
    return *port_register(&ports[(offset - 0x100) / 0x80], offset % 0x80);
}

static void write_command(struct port *p, uint32_t value)
{
    value |= p->cmd & (BIT(14) | BIT(15));
    if ((value & BIT(4)) && p->fb % 256 == 0)
        value |= BIT(14);
    if ((value & 1) && !(p->cmd & 1)) { /* 10.3.1 */
        assert_true(value & BIT(14));
        assert_int_equal(p->tfd & 0x88, 0);
        assert_int_equal(p->ssts & 0xf, 3);
        assert_int_equal(value & BIT(15), 0);
        value |= BIT(15);
    }
    if (!(value & 1) && (p->cmd & 1)) {
        assert_true(p->ci == 0 || p->stopped); /* nothing is under way, as after an error */
        p->ci = 0;
        p->stopped = false;
    }
    p->cmd = value;
}

/* Whether slot 0 has a command that the driver waits for itself: IDENTIFY DEVICE. */
static bool waited_for(const struct port *p)
{
    const uint32_t *header = (const uint32_t *)machine_memory(p->clb, 32);

    return (p->ci & 1) && machine_memory(header[2], 128)[2] == 0xec;
}

static void write_port(struct port *p, uint64_t offset, uint32_t value)
{
    switch (offset) {
    case 0x10:
        p->is &= ~value;
        return;
    case 0x18:
        write_command(p, value);
        return;
    case 0x30:
        p->serr &= ~value;
        return;
    case 0x38:
        assert_true(p->cmd & 1);
        assert_int_equal(p->ci, 0); /* one at a time, in the slot that there always is */
        assert_int_equal(value, 1);
        p->ci = value;
        if (!ahci_device.silent && waited_for(p))
            work_one(p);
        return;
    case 0x00:
    case 0x04:
    case 0x08:
    case 0x0c:
        assert_int_equal(p->cmd & (1 | BIT(4)), 0);
    }
    *port_register(p, offset) = value;
}

void device_write(unsigned window, uint64_t offset, uint32_t value)
{
    assert_int_equal(window, 1);
    if (offset >= 0x100) {
        assert_true(offset < 0x100 + 4 * 0x80);
        assert_int_equal(resetting, 0);
        write_port(&ports[(offset - 0x100) / 0x80], offset % 0x80, value);
        return;
    }
    switch (offset) {
    case 0x04:
        assert_true(value & BIT(31));
        ghc = value;
        assert_true(!(value & 1) || !(ahci_device.cap2 & 1) || bohc == 2);
        if (value & 1)
            resetting = TICKS;
        return;
    case 0x08:
        return; /* it follows from the ports' PxIS */
    case 0x28:
        bohc = (bohc & 1) | (value & 2);
        handing_off = TICKS;
        return;
    }
    fail();
}
