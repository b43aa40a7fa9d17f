/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A disk by AHCI: the first port that has one. Names and section numbers are of Serial ATA AHCI
 * 1.3.1; what is said to the disk is of ATA/ATAPI Command Set 3.
 *
 * The process's last window is BAR5, the last one that a function can have; interrupt 0 is the
 * HBA's. The DMA area is a struct dma_area.
 *
 * The HBA has one command at a time: it would give the disk no more either (no NCQ), an error is
 * then that command's, and nothing is under way where the port is stopped after it. Not every HBA
 * stops by itself, as 6.2.2.1 says, when others are issued: QEMU's goes on with them, and crashes
 * if the port is started again meanwhile.
 *
 * A disk without 48-bit commands, or whose sectors are not 512 bytes, is refused.
 */
#include "abi/block.h"
#include "abi/process.h"
#include "drivers/disk.h"
#include "lib/bits.h"
#include "lib/string.h"
#include "runtime/device.h"
#include "runtime/gate.h"
#include "runtime/io.h"
#include "runtime/log.h"

#define MAX_SECTORS 0x8000u   /* of a command; 16 bits hold it, for DATA SET MANAGEMENT too */
#define MAX_PRD     0x400000u /* bytes of a PRDT entry */
#define PRDS        (DISK_RUNS + 8u)
#define SLOT        1u /* of the command list, as a bit: the first */

/* How long is waited, in milliseconds: 10.4.3, 10.6.3, 10.1.2 (with a margin), 10.3.1, and for
 * a disk to spin up, and to say what it is. */
enum { RESET_MS = 1000, HANDOFF_MS = 2000, PRESENT_MS = 100, STOP_MS = 500, READY_MS = 30000 };

/* Generic host control (3.1), by offset. */
enum reg { CAP = 0x00, GHC = 0x04, IS = 0x08, PI = 0x0c, CAP2 = 0x24, BOHC = 0x28, PORTS = 0x100 };

/* A port's registers (3.3), by offset in its PORT_SIZE bytes. */
enum port_reg {
    PX_CLB = 0x00,
    PX_CLBU = 0x04,
    PX_FB = 0x08,
    PX_FBU = 0x0c,
    PX_IS = 0x10,
    PX_IE = 0x14,
    PX_CMD = 0x18,
    PX_TFD = 0x20,
    PX_SIG = 0x24,
    PX_SSTS = 0x28,
    PX_SERR = 0x30,
    PX_CI = 0x38,
    PORT_SIZE = 0x80,
};

#define CAP_S64A        BIT(31)
#define GHC_HR          1u
#define GHC_IE          2u
#define GHC_AE          0x80000000u
#define CAP2_BOH        1u
#define BOHC_BOS        1u
#define BOHC_OOS        2u
#define PX_CMD_ST       (1u << 0)
#define PX_CMD_POWER_UP (3u << 1) /* SUD and POD */
#define PX_CMD_FRE      (1u << 4)
#define PX_CMD_CR       (1u << 15)
#define PX_TFD_BUSY     0x88u /* BSY or DRQ */
#define PX_TFD_FAILED   0x21u /* ERR or DF */
#define PX_SSTS_DET     0xfu
#define PX_SSTS_UP      3u
#define PX_SIG_DISK     0x101u
#define PX_IS_DHRS      (1u << 0)    /* a command has ended */
#define PX_IS_ERRORS    (0xfu << 27) /* TFES, HBFS, HBDS, IFS: the port has stopped */

#define ATA_IDENTIFY 0xecu
#define ATA_TRIM     1u /* the feature of DATA SET MANAGEMENT */

static const uint8_t opcodes[BLOCK_OP_COUNT] = {
    [BLOCK_READ] = 0x25,    /* READ DMA EXT */
    [BLOCK_WRITE] = 0x35,   /* WRITE DMA EXT */
    [BLOCK_FLUSH] = 0xea,   /* FLUSH CACHE EXT */
    [BLOCK_DISCARD] = 0x06, /* DATA SET MANAGEMENT */
};

struct header { /* 4.2.2 */
    uint32_t flags, transferred;
    uint64_t table;
    uint32_t reserved[4];
};

#define HEADER_FIS     5u /* double words of a register FIS */
#define HEADER_WRITE   (1u << 6)
#define HEADER_PRDS(n) ((uint32_t)(n) << 16)

struct table {   /* 4.2.3 */
    struct fis { /* register FIS, host to device: Serial ATA 10.5.5 */
        uint8_t type, flags, command, feature;
        uint8_t sector[3], device, sector_high[3], feature_high;
        uint16_t count, reserved;
        uint32_t auxiliary;
    } fis;
    uint8_t reserved[128 - sizeof(struct fis)];
    struct prd {
        uint64_t physical;
        uint32_t reserved;
        uint32_t last; /* bytes, less one */
    } prd[PRDS];
};

#define FIS_REGISTER   0x27
#define FIS_COMMAND    0x80
#define FIS_DEVICE_LBA 0x40

struct dma_area {
    _Alignas(1024) struct header list[32]; /* the first one is used */
    _Alignas(256) uint8_t received[256];
    _Alignas(512) uint16_t identify[256];
    _Alignas(512) uint64_t ranges[64]; /* of TRIM: the first one is used */
    _Alignas(128) struct table table;
};

_Static_assert(sizeof(struct header) == 32, "4.2.2");
_Static_assert(sizeof(struct fis) == 20 && sizeof(struct table) % 128 == 0, "4.2.3");
_Static_assert(PRDS >= DISK_RUNS + MAX_SECTORS / (MAX_PRD / BLOCK_SECTOR), "each run may be cut");

static struct {
    uint32_t port_count; /* of those whose registers are in the window */
    uint32_t ports;      /* those that are there, as bits */
    uint32_t port;       /* its registers, from the window */
    uint16_t serial_number[10];
    bool alive;
    bool busy; /* a command is under way, with tag 0 */
} ahci;

static struct dma_area *const area = (struct dma_area *)PROCESS_DMA;

static uint32_t read_port(enum port_reg reg)
{
    return device_read32(ahci.port + reg);
}

static void write_port(enum port_reg reg, uint32_t value)
{
    device_write32(ahci.port + reg, value);
}

/* Takes the HBA over from the firmware (10.6.3), and resets it (10.4.3): it forgets what it did for
 * anybody, and its ports touch no memory. */
static bool reset(void)
{
    if (device_read32(CAP2) & CAP2_BOH) {
        device_write32(BOHC, device_read32(BOHC) | BOHC_OOS);
        device_wait(BOHC, BOHC_BOS, 0, HANDOFF_MS);
    }
    device_write32(GHC, GHC_AE);
    device_write32(GHC, GHC_AE | GHC_HR);
    if (!device_wait(GHC, GHC_HR, 0, RESET_MS))
        return false;
    device_write32(GHC, GHC_AE);
    return true;
}

/* Powers a port up that was reset (10.1.2). Whether a disk answers there. */
static bool port_up(void)
{
    write_port(PX_CLB, (uint32_t)device_physical(area->list));
    write_port(PX_CLBU, (uint32_t)(device_physical(area->list) >> 32));
    write_port(PX_FB, (uint32_t)device_physical(area->received));
    write_port(PX_FBU, (uint32_t)(device_physical(area->received) >> 32));
    write_port(PX_CMD, read_port(PX_CMD) | PX_CMD_FRE | PX_CMD_POWER_UP);
    if (!device_wait(ahci.port + PX_SSTS, PX_SSTS_DET, PX_SSTS_UP, PRESENT_MS))
        return false;
    /* The disk's first FIS is taken only after DIAG.X was cleared. */
    write_port(PX_SERR, UINT32_MAX);
    return device_wait(ahci.port + PX_TFD, PX_TFD_BUSY, 0, READY_MS) &&
           read_port(PX_SIG) == PX_SIG_DISK;
}

/* Has a port's disk that is not busy take commands (10.3.1). */
static void port_start(void)
{
    write_port(PX_SERR, UINT32_MAX);
    write_port(PX_IS, UINT32_MAX);
    write_port(PX_IE, PX_IS_DHRS | PX_IS_ERRORS);
    write_port(PX_CMD, read_port(PX_CMD) | PX_CMD_ST);
}

/* Stops the port and starts it (6.2.2.1): no command is issued then. False: only a reset helps. */
static bool port_restart(void)
{
    write_port(PX_CMD, read_port(PX_CMD) & ~PX_CMD_ST);
    if (!device_wait(ahci.port + PX_CMD, PX_CMD_CR, 0, STOP_MS) ||
        !device_wait(ahci.port + PX_TFD, PX_TFD_BUSY, 0, STOP_MS))
        return false;
    port_start();
    return true;
}

/* Fills the slot with a command. */
static void fill(uint8_t opcode, uint8_t feature, uint64_t sector, uint32_t sectors)
{
    struct table *table = &area->table;

    table->fis = (struct fis){.type = FIS_REGISTER,
                              .flags = FIS_COMMAND,
                              .command = opcode,
                              .feature = feature,
                              .device = FIS_DEVICE_LBA,
                              .count = (uint16_t)sectors};
    memcpy(table->fis.sector, &sector, 3);
    memcpy(table->fis.sector_high, (const uint8_t *)&sector + 3, 3);
    area->list[0] = (struct header){.flags = HEADER_FIS, .table = device_physical(table)};
}

/* Adds memory to the command. */
static void add(uint64_t physical, uint32_t bytes)
{
    struct header *header = &area->list[0];

    while (bytes > 0) {
        uint32_t size = (uint32_t)min_u64(bytes, MAX_PRD);
        area->table.prd[header->flags >> 16] = (struct prd){.physical = physical, .last = size - 1};
        header->flags += HEADER_PRDS(1);
        physical += size;
        bytes -= size;
    }
}

/* Gives the command to the HBA. */
static void issue(void)
{
    io_fence();
    write_port(PX_CI, SLOT);
}

static uint64_t identified(unsigned word, unsigned words)
{
    uint64_t value = 0;

    memcpy(&value, &area->identify[word], words * sizeof(uint16_t));
    return value;
}

/* Asks the disk what it is: IDENTIFY DEVICE, waited for. */
static bool identify(struct disk *disk)
{
    fill(ATA_IDENTIFY, 0, 0, 0);
    add(device_physical(area->identify), sizeof(area->identify));
    issue();
    if (!device_wait(ahci.port + PX_CI, SLOT, 0, READY_MS) || (read_port(PX_TFD) & PX_TFD_FAILED)) {
        log_line("the disk does not say what it is (PxTFD %x)", read_port(PX_TFD));
        return false;
    }
    io_fence();
    if (!(identified(83, 1) & BIT(10)) || (identified(106, 1) & 0xd000) == 0x5000) {
        log_line("the disk has no 48-bit commands, or sectors that are not 512 bytes");
        return false;
    }
    disk->sectors = identified(100, 4);
    disk->flags = BLOCK_CAN_WRITE | (identified(169, 1) & 1 ? BLOCK_CAN_DISCARD : 0);
    return true;
}

/* The first of the ports that has a disk. */
static bool find(void)
{
    for (unsigned port = 0; port < ahci.port_count; port++) {
        ahci.port = PORTS + port * PORT_SIZE;
        if ((ahci.ports & BIT(port)) && port_up())
            return true;
    }
    return false;
}

/* The HBA and its disk, from their reset on until they take commands. */
static bool start(struct disk *disk)
{
    ahci.alive = false;
    if (!reset()) {
        log_line("it does not end its reset (GHC %x)", device_read32(GHC));
        return false;
    }
    if (!find()) {
        log_line("no port has a disk that answers (PI %x)", device_read32(PI));
        return false;
    }
    port_start();
    ahci.alive = identify(disk);
    device_write32(GHC, GHC_AE | GHC_IE);
    return ahci.alive;
}

/* Resets all of it while the process runs: all commands are over. */
static void restart(void)
{
    struct disk again = {0};

    if (start(&again) &&
        memcmp(ahci.serial_number, &area->identify[10], sizeof(ahci.serial_number)) != 0) {
        log_line("there is another disk now");
        ahci.alive = false;
    }
}

bool disk_start(const struct process_info *info, struct disk *disk)
{
    unsigned window = info->window_count - 1;
    uint32_t cap;

    if (info->window_count == 0 || info->windows[window].size < PORTS + PORT_SIZE ||
        info->dma_size < sizeof(struct dma_area) + DISK_SERVER_DMA) {
        log_line("no controller was granted, or too small a DMA area");
        return false;
    }
    memset(&ahci, 0, sizeof(ahci));
    device_open(info, window);
    device_write32(GHC, GHC_AE); /* before any other register is used (3.1.2) */
    cap = device_read32(CAP);
    if (cap == UINT32_MAX) {
        log_line("it does not answer");
        return false;
    }
    ahci.ports = device_read32(PI);
    ahci.port_count = (unsigned)min_u64(32, (info->windows[window].size - PORTS) / PORT_SIZE);
    disk->depth = 1;
    disk->max_runs = DISK_RUNS;
    disk->max_sectors = MAX_SECTORS;
    disk->last_physical = cap & CAP_S64A ? UINT64_MAX : UINT32_MAX;
    if (!start(disk))
        return false;
    memcpy(ahci.serial_number, &area->identify[10], sizeof(ahci.serial_number));
    return true;
}

enum disk_submitted disk_submit(unsigned tag, const struct disk_command *command)
{
    bool discard = command->op == BLOCK_DISCARD;

    if (!ahci.alive)
        return DISK_FAILED;
    if (discard) {
        fill(opcodes[BLOCK_DISCARD], ATA_TRIM, 0, 1); /* one block of ranges */
        memset(area->ranges, 0, sizeof(area->ranges));
        area->ranges[0] = command->sector | (uint64_t)command->sectors << 48;
        add(device_physical(area->ranges), sizeof(area->ranges));
    } else {
        fill(opcodes[command->op], 0, command->sector, command->sectors);
    }
    for (unsigned i = 0; i < command->run_count; i++)
        add(command->runs[i].physical, command->runs[i].bytes);
    if (command->op == BLOCK_WRITE || discard)
        area->list[0].flags |= HEADER_WRITE;
    ahci.busy = true;
    issue();
    return DISK_UNDER_WAY;
}

static void end(bool good)
{
    if (!ahci.busy)
        return;
    ahci.busy = false;
    disk_done(0, good);
}

/* Something has failed, and the port has stopped. */
static void recover(void)
{
    if (!port_restart())
        restart();
    end(false);
}

void disk_interrupt(void)
{
    uint32_t status, issued;

    if (!ahci.alive)
        return;
    /* In this order: what ends later sets PxIS again, and what is not in PxCI has set it. */
    status = read_port(PX_IS);
    write_port(PX_IS, status);
    device_write32(IS, UINT32_MAX);
    issued = read_port(PX_CI);
    io_fence();
    if ((status | read_port(PX_IS)) & PX_IS_ERRORS)
        recover();
    else if (!(issued & SLOT))
        end(true);
}

void disk_reset(void)
{
    log_line("reset (PxTFD %x, PxCI %x)", read_port(PX_TFD), read_port(PX_CI));
    ahci.busy = false;
    restart();
}
