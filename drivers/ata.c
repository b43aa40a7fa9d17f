/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first disk of a PIIX-compatible IDE controller, by bus-master DMA (ATA/ATAPI-6; "Programming
 * Interface for Bus Master IDE Controller", revision 1.0). Its ports are where a PC has had them
 * since the AT: ports[0] the disk's, ports[1] the control port, ports[2] the bus master's. The
 * firmware has set the transfer mode.
 */
#include <stddef.h>

#include "drivers/disk.h"
#include "lib/bits.h"
#include "runtime/gate.h"
#include "runtime/io.h"
#include "runtime/log.h"

/* Registers, from ports[0] on. */
enum {
    DATA,
    FEATURES,
    COUNT,
    LBA_LOW,
    LBA_MIDDLE,
    LBA_HIGH,
    DEVICE,
    COMMAND, /* to write; the status, to read, which ends the interrupt */
    STATUS = COMMAND,
};

#define STATUS_ERROR 0x01
#define STATUS_DRQ   0x08
#define STATUS_FAULT 0x20
#define STATUS_BUSY  0x80

#define CONTROL_RESET 0x04

#define DEVICE_LBA 0xe0

/* Registers of the bus master, from ports[2] on. */
enum { BUS_COMMAND = 0, BUS_STATUS = 2, BUS_TABLE = 4 };

#define BUS_START     0x01
#define BUS_TO_MEMORY 0x08

#define BUS_ACTIVE    0x01
#define BUS_ERROR     0x02
#define BUS_INTERRUPT 0x04
#define BUS_SETUP     0x60 /* bits that are kept, for the firmware */

enum ata_command {
    READ_DMA_EXT = 0x25,
    WRITE_DMA_EXT = 0x35,
    READ_DMA = 0xc8,
    WRITE_DMA = 0xca,
    FLUSH_CACHE = 0xe7,
    FLUSH_CACHE_EXT = 0xea,
    IDENTIFY_DEVICE = 0xec,
};

/* Words of IDENTIFY DEVICE's answer, and bits of them. */
#define ID_MODEL        27
#define ID_MODEL_WORDS  20
#define ID_CAPABILITIES 49
#define ID_SECTORS      60
#define ID_COMMAND_SETS 83
#define ID_SECTORS_EXT  100
#define ID_SECTOR_SIZE  106
#define ID_WORDS        256
#define CAPABILITY_DMA  BIT(8)
#define CAPABILITY_LBA  BIT(9)
#define SET_IS_VALID    (BIT(15) | BIT(14))
#define SET_VALID       BIT(14)
#define SET_LBA48       BIT(10)
#define SET_FLUSH_EXT   BIT(13)
#define SIZE_NOT_512    BIT(12)

/* What the bus master takes: pieces that cross no 64 KiB. */
struct descriptor {
    uint32_t address;
    uint16_t bytes; /* 0: 64 KiB */
    uint16_t flags;
};

#define DESCRIPTOR_LAST 0x8000
#define DESCRIPTOR_SPAN 0x10000u
#define DESCRIPTORS     (PAGE_SIZE / sizeof(struct descriptor))
#define SECTORS_LBA28   256u
#define SECTORS_LBA48   2048u

/* A run has at most one piece more than 64 KiB go into it, and a last one. */
_Static_assert(SECTORS_LBA48 *BLOCK_SECTOR / DESCRIPTOR_SPAN + 2 * DISK_RUNS <= DESCRIPTORS,
               "the table has room for each command");

#define RESET_MS    10000u
#define IDENTIFY_MS 1000u

static uint16_t port, control, bus;
static uint64_t tsc_khz;
static uint64_t table_physical;
static bool ready; /* it takes commands */
static bool lba48, flush_ext;

static bool busy;   /* a command is under way, with tag 0 */
static bool moving; /* it moves data */

static struct descriptor *table(void)
{
    return (struct descriptor *)PROCESS_DMA;
}

static void pause_us(uint64_t us)
{
    uint64_t end = gate_tsc() + tsc_khz * us / 1000;

    while (gate_tsc() < end)
        ;
}

/* Waits until the disk is no longer busy. False: it still is. */
static bool wait_ms(uint64_t ms)
{
    uint64_t end = gate_tsc() + tsc_khz * ms;

    while (inb(control) & STATUS_BUSY)
        if (gate_tsc() > end)
            return false;
    return true;
}

static void clear_bus(void)
{
    outb(bus + BUS_COMMAND, 0);
    outb(bus + BUS_STATUS, (inb(bus + BUS_STATUS) & BUS_SETUP) | BUS_ERROR | BUS_INTERRUPT);
}

static bool reset(void)
{
    clear_bus();
    busy = false;
    /* The firmware may have left device 1 selected, whose status is 0 where there is none: the disk
     * would seem to be done with its reset. */
    outb(port + DEVICE, DEVICE_LBA);
    outb(control, CONTROL_RESET);
    pause_us(5);
    outb(control, 0);
    pause_us(2000);
    if (!wait_ms(RESET_MS))
        return false;
    outb(port + DEVICE, DEVICE_LBA);
    pause_us(1);
    inb(port + STATUS);
    return true;
}

static bool identify(uint16_t *id)
{
    uint8_t status;

    outb(port + COMMAND, IDENTIFY_DEVICE);
    pause_us(1);
    if (!wait_ms(IDENTIFY_MS))
        return false;
    status = inb(port + STATUS);
    if ((status & STATUS_ERROR) || !(status & STATUS_DRQ))
        return false;
    for (unsigned i = 0; i < ID_WORDS; i++)
        id[i] = inw(port + DATA);
    return true;
}

/* Text is big endian in each word, and padded with blanks. */
static void model_name(char *to, const uint16_t *id)
{
    size_t length = 0;

    for (unsigned i = 0; i < 2 * ID_MODEL_WORDS; i++) {
        uint16_t word = id[ID_MODEL + i / 2];
        char c = (char)(i % 2 ? word : word >> 8);

        to[i] = c >= ' ' && c <= '~' ? c : '?';
        if (c != ' ')
            length = i + 1;
    }
    to[length] = '\0';
}

static bool has(uint16_t word, uint64_t bits)
{
    return (word & bits) == bits;
}

/* Fills the disk from what it says of itself. NULL, or what is wrong with it. */
static const char *understand(const uint16_t *id, struct disk *disk)
{
    uint16_t sets = id[ID_COMMAND_SETS];
    bool valid = (sets & SET_IS_VALID) == SET_VALID;

    if (!has(id[ID_CAPABILITIES], CAPABILITY_DMA | CAPABILITY_LBA))
        return "it has no DMA";
    if ((id[ID_SECTOR_SIZE] & SET_IS_VALID) == SET_VALID && has(id[ID_SECTOR_SIZE], SIZE_NOT_512))
        return "its sectors do not have 512 bytes";
    lba48 = valid && has(sets, SET_LBA48);
    flush_ext = lba48 && has(sets, SET_FLUSH_EXT);
    disk->sectors = (uint64_t)id[ID_SECTORS] | (uint64_t)id[ID_SECTORS + 1] << 16;
    if (lba48) {
        disk->sectors = 0;
        for (unsigned i = 0; i < 4; i++)
            disk->sectors |= (uint64_t)id[ID_SECTORS_EXT + i] << 16 * i;
    }
    if (disk->sectors == 0 || disk->sectors >= BIT(48))
        return "it does not say its size";
    return NULL;
}

bool disk_start(const struct process_info *info, struct disk *disk)
{
    static uint16_t id[ID_WORDS];
    char model[2 * ID_MODEL_WORDS + 1];
    const char *error;

    if (info->ports[2].count < 8 || info->dma_size < PAGE_SIZE + DISK_SERVER_DMA) {
        log_line("the driver was not granted an IDE controller: its class is 010180h");
        return false;
    }
    port = info->ports[0].first;
    control = info->ports[1].first;
    bus = info->ports[2].first;
    tsc_khz = info->tsc_khz;
    table_physical = info->dma_physical;
    if (!reset() || !identify(id)) {
        log_line("no disk answers at port %xh", port);
        return false;
    }
    model_name(model, id);
    error = understand(id, disk);
    if (error) {
        log_line("the disk '%s' cannot be used: %s", model, error);
        return false;
    }
    log_line("disk '%s', %lu MiB", model, (unsigned long)(disk->sectors >> 11));
    disk->flags = BLOCK_CAN_WRITE;
    disk->depth = 1;
    disk->max_runs = DISK_RUNS;
    disk->max_sectors = lba48 ? SECTORS_LBA48 : SECTORS_LBA28;
    disk->last_physical = UINT32_MAX;
    ready = true;
    return true;
}

static void fill_table(const struct disk_command *command)
{
    struct descriptor *d = table();

    for (uint32_t i = 0; i < command->run_count; i++) {
        uint32_t address = (uint32_t)command->runs[i].physical, left = command->runs[i].bytes;

        while (left > 0) {
            uint32_t room = DESCRIPTOR_SPAN - address % DESCRIPTOR_SPAN;
            uint32_t bytes = left < room ? left : room;

            *d++ = (struct descriptor){.address = address, .bytes = (uint16_t)bytes};
            address += bytes;
            left -= bytes;
        }
    }
    d[-1].flags = DESCRIPTOR_LAST;
}

/* A 48-bit command takes each register twice, what is more significant first. */
static void set_range(uint64_t sector, uint32_t sectors)
{
    if (lba48) {
        outb(port + COUNT, (uint8_t)(sectors >> 8));
        outb(port + LBA_LOW, (uint8_t)(sector >> 24));
        outb(port + LBA_MIDDLE, (uint8_t)(sector >> 32));
        outb(port + LBA_HIGH, (uint8_t)(sector >> 40));
    }
    outb(port + COUNT, (uint8_t)sectors);
    outb(port + LBA_LOW, (uint8_t)sector);
    outb(port + LBA_MIDDLE, (uint8_t)(sector >> 8));
    outb(port + LBA_HIGH, (uint8_t)(sector >> 16));
    outb(port + DEVICE, lba48 ? DEVICE_LBA : DEVICE_LBA | (sector >> 24 & 0xf));
}

enum disk_submitted disk_submit(unsigned tag, const struct disk_command *command)
{
    uint8_t direction = command->op == BLOCK_READ ? BUS_TO_MEMORY : 0;

    if (!ready || inb(control) & (STATUS_BUSY | STATUS_DRQ))
        return DISK_FAILED;
    busy = true;
    moving = command->op != BLOCK_FLUSH;
    if (!moving) {
        outb(port + COMMAND, flush_ext ? FLUSH_CACHE_EXT : FLUSH_CACHE);
        pause_us(1); /* until the status says that it is busy */
        return DISK_UNDER_WAY;
    }
    fill_table(command);
    io_fence();
    clear_bus();
    outl(bus + BUS_TABLE, (uint32_t)table_physical);
    outb(bus + BUS_COMMAND, direction);
    set_range(command->sector, command->sectors);
    if (command->op == BLOCK_READ)
        outb(port + COMMAND, lba48 ? READ_DMA_EXT : READ_DMA);
    else
        outb(port + COMMAND, lba48 ? WRITE_DMA_EXT : WRITE_DMA);
    outb(bus + BUS_COMMAND, direction | BUS_START);
    return DISK_UNDER_WAY;
}

void disk_interrupt(void)
{
    uint8_t bus_status = inb(bus + BUS_STATUS), status;
    bool was_busy = busy;

    if (busy && moving && !(bus_status & (BUS_INTERRUPT | BUS_ERROR)))
        return;
    if (inb(control) & STATUS_BUSY && !(bus_status & BUS_ERROR))
        return;
    clear_bus();
    status = inb(port + STATUS);
    busy = false;
    if (bus_status & BUS_ERROR)
        ready = reset(); /* the disk still waits for the data */
    /* Still active: the disk has ended it before all was moved, whatever its status says. */
    if (was_busy)
        disk_done(0, !(status & (STATUS_ERROR | STATUS_FAULT)) &&
                         !(bus_status & (BUS_ERROR | BUS_ACTIVE)));
}

void disk_reset(void)
{
    ready = reset();
    if (!ready)
        log_line("the disk does not come back from its reset");
}
