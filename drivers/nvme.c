/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A disk by NVM Express: namespace 1, with one queue pair. Names, numbers and "figures" are of the
 * NVM Express Base Specification 2.0 and its NVM Command Set Specification; what is used is in
 * version 1.0 already, but for WRITE ZEROES and DATASET MANAGEMENT.
 *
 * Window 0 is BAR0; interrupt 0 is the first message, or INTA; the DMA area is a struct dma_area.
 *
 * A tag has one command on the device at a time, whose identifier it is, so that the queues never
 * overflow. What one command cannot take goes in pieces, one after the other: PRP entries describe
 * memory without gaps inside of pages (4.1.1), and the controller has a largest transfer (MDTS).
 *
 * A namespace whose blocks are not 512 bytes is refused: a request for half a block would have to
 * be read, changed and written back, which a power cut tears. `nvme format --lbaf` makes such a
 * disk usable.
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

#define ENTRIES      (DISK_DEPTH + 1u) /* of a queue: one is free when it is full */
#define LIST_ENTRIES ((uint32_t)(PAGE_SIZE / sizeof(uint64_t)))
/* What PRP1 and one list, without a link to a second one, hold wherever the data begin. */
#define LIST_BYTES  (LIST_ENTRIES * (uint32_t)PAGE_SIZE)
#define MAX_SECTORS 0x10000u /* of a request: what a client waits for in one */
#define MIN_WAIT_MS 2000u    /* for a command of the admin queue, whatever CAP.TO says */

/* Controller registers (figure "Property Definition"), by their offsets. */
enum reg {
    CAP = 0x00, /* 64 bits */
    CC = 0x14,
    CSTS = 0x1c,
    AQA = 0x24,
    ASQ = 0x28, /* 64 bits */
    ACQ = 0x30, /* 64 bits */
    DOORBELLS = 0x1000,
};

#define CAP_MQES(cap)   ((uint32_t)(cap) & 0xffff)       /* entries of a queue, less one */
#define CAP_TO(cap)     ((uint32_t)((cap) >> 24) & 0xff) /* in units of 500 ms */
#define CAP_DSTRD(cap)  ((uint32_t)((cap) >> 32) & 0xf)
#define CAP_NVM         BIT(37)
#define CAP_MPSMIN(cap) ((uint32_t)((cap) >> 48) & 0xf) /* pages of 4 KiB << this */
#define CC_EN           1u
#define CC_ENTRY_SIZES  (6u << 16 | 4u << 20) /* of 64 and 16 bytes */
#define CSTS_RDY        1u
#define CSTS_CFS        2u

enum admin_opcode { CREATE_SQ = 0x01, CREATE_CQ = 0x05, IDENTIFY = 0x06, SET_FEATURES = 0x09 };
enum { IDENTIFY_NAMESPACE = 0, IDENTIFY_CONTROLLER = 1, NUMBER_OF_QUEUES = 7 };

#define QUEUE_CONTIGUOUS 1u
#define QUEUE_INTERRUPTS 2u
#define DSM_DEALLOCATE   4u
#define NAMESPACE        1u
#define IO_QUEUE         1u

static const uint8_t opcodes[BLOCK_OP_COUNT] = {
    [BLOCK_READ] = 0x02,    [BLOCK_WRITE] = 0x01, [BLOCK_FLUSH] = 0x00,
    [BLOCK_DISCARD] = 0x09, [BLOCK_ZERO] = 0x08,
};

struct submission {
    uint8_t opcode, flags;
    uint16_t id;
    uint32_t namespace;
    uint64_t reserved, metadata, prp1, prp2;
    uint32_t dword10, dword11, dword12, dword13, dword14, dword15;
};

struct completion {
    uint32_t result, reserved;
    uint16_t head, queue, id;
    uint16_t status; /* bit 0 is the phase */
};

struct range { /* of DATASET MANAGEMENT */
    uint32_t attributes, blocks;
    uint64_t first;
};

_Static_assert(sizeof(struct submission) == 64 && sizeof(struct completion) == 16, "CC says so");

/* Each queue and each list begins a page. */
struct dma_area {
    struct queue_memory {
        _Alignas(PAGE_SIZE) struct submission submission[ENTRIES];
        _Alignas(PAGE_SIZE) struct completion completion[ENTRIES];
    } queue[2]; /* of the admin queue and of the I/O queue */
    _Alignas(PAGE_SIZE) uint8_t identify[PAGE_SIZE];
    uint64_t list[DISK_DEPTH][LIST_ENTRIES]; /* of a tag: PRP entries, or its range */
};

struct queue {
    uint32_t id, entries;
    uint32_t tail, head; /* of the submissions, of the completions */
    uint16_t phase;      /* of a completion that is new */
};

/* What is left of a tag's command. */
struct work {
    bool busy;
    struct disk_command command; /* sector and sectors: from where the next piece begins */
    uint32_t run, offset;        /* likewise, in bytes of the run */
    uint32_t piece;              /* sectors of the piece that is on the device */
};

static struct {
    uint32_t stride;  /* of the doorbells, bytes */
    uint32_t wait_ms; /* how long the controller may take to get ready */
    uint32_t entries; /* of the I/O queue */
    uint32_t limit;   /* bytes of one command */
    bool alive;
    struct queue admin, io;
    struct work work[DISK_DEPTH];
} nvme;

static struct dma_area *const area = (struct dma_area *)PROCESS_DMA;

static uint64_t read_reg64(enum reg reg)
{
    return device_read32(reg) | (uint64_t)device_read32(reg + 4) << 32;
}

static void write_reg64(enum reg reg, uint64_t value)
{
    device_write32(reg, (uint32_t)value);
    device_write32(reg + 4, (uint32_t)(value >> 32));
}

/* The doorbell of a queue's submissions, or of its completions. */
static void ring(const struct queue *q, bool completions, uint32_t value)
{
    device_write32(DOORBELLS + (2 * q->id + completions) * nvme.stride, value);
}

static void queue_put(struct queue *q, const struct submission *command)
{
    area->queue[q->id].submission[q->tail] = *command;
    q->tail = (q->tail + 1) % q->entries;
    io_fence();
    ring(q, false, q->tail);
}

/* Takes a completion, if there is a new one; the doorbell of completions is the caller's. */
static bool queue_get(struct queue *q, struct completion *out)
{
    const volatile struct completion *new = &area->queue[q->id].completion[q->head];
    uint16_t status = new->status;

    if ((status & 1) != q->phase)
        return false;
    io_fence();
    *out = (struct completion){.id = new->id, .status = status >> 1};
    q->head = (q->head + 1) % q->entries;
    q->phase ^= q->head == 0;
    return true;
}

static void queue_reset(struct queue *q, uint32_t id, uint32_t entries)
{
    *q = (struct queue){.id = id, .entries = entries, .phase = 1};
    memset(&area->queue[id], 0, sizeof(struct queue_memory));
}

/* Waits until CSTS.RDY is as wanted. False: not within the time, or the controller has failed. */
static bool wait_ready(uint32_t wanted)
{
    uint64_t end = device_deadline(nvme.wait_ms);

    do {
        uint32_t csts = device_read32(CSTS);
        if (csts == UINT32_MAX) /* it is gone */
            return false;
        if ((csts & CSTS_RDY) == wanted)
            return true;
        if (wanted && (csts & CSTS_CFS))
            return false;
    } while (gate_tsc() < end);
    return false;
}

/*
 * Stops the controller, whatever it does, and starts it with an admin queue (3.5.1, 3.6). When
 * RDY is 0 it has forgotten the commands of before, a predecessor's too, and touches no memory.
 */
static bool restart(void)
{
    /* EN may go to 0 only when the controller has got ready, or has failed. */
    if (device_read32(CC) & CC_EN) {
        wait_ready(CSTS_RDY);
        device_write32(CC, device_read32(CC) & ~CC_EN);
    }
    if (!wait_ready(0))
        return false;
    queue_reset(&nvme.admin, 0, ENTRIES);
    device_write32(AQA, (ENTRIES - 1) << 16 | (ENTRIES - 1));
    write_reg64(ASQ, device_physical(&area->queue[0].submission));
    write_reg64(ACQ, device_physical(&area->queue[0].completion));
    io_fence();
    device_write32(CC, CC_ENTRY_SIZES | CC_EN);
    return wait_ready(CSTS_RDY);
}

/* A command of the admin queue, waited for. */
static bool admin(struct submission command)
{
    struct completion done;
    uint64_t end = device_deadline(nvme.wait_ms);

    queue_put(&nvme.admin, &command);
    while (!queue_get(&nvme.admin, &done))
        if (gate_tsc() >= end)
            return false;
    ring(&nvme.admin, true, nvme.admin.head);
    return done.status == 0;
}

static bool identify(uint32_t what, uint32_t namespace)
{
    return admin((struct submission){.opcode = IDENTIFY,
                                     .namespace = namespace,
                                     .prp1 = device_physical(&area->identify),
                                     .dword10 = what});
}

/* The I/O queue, with the first interrupt. */
static bool create_queue(void)
{
    uint32_t size_and_id = (nvme.entries - 1) << 16 | IO_QUEUE;

    queue_reset(&nvme.io, IO_QUEUE, nvme.entries);
    return admin((struct submission){.opcode = SET_FEATURES, .dword10 = NUMBER_OF_QUEUES}) &&
           admin((struct submission){.opcode = CREATE_CQ,
                                     .prp1 = device_physical(&area->queue[1].completion),
                                     .dword10 = size_and_id,
                                     .dword11 = QUEUE_INTERRUPTS | QUEUE_CONTIGUOUS}) &&
           admin((struct submission){.opcode = CREATE_SQ,
                                     .prp1 = device_physical(&area->queue[1].submission),
                                     .dword10 = size_and_id,
                                     .dword11 = IO_QUEUE << 16 | QUEUE_CONTIGUOUS});
}

static uint64_t identified(unsigned offset, unsigned size)
{
    uint64_t value = 0;

    memcpy(&value, &area->identify[offset], size);
    return value;
}

/* What the controller can: its largest transfer (MDTS) and commands (ONCS). */
static bool identify_controller(struct disk *disk)
{
    uint64_t mdts, oncs;

    if (!identify(IDENTIFY_CONTROLLER, 0))
        return false;
    mdts = identified(77, 1);
    oncs = identified(520, 2);
    nvme.limit = LIST_BYTES;
    if (mdts != 0 && mdts < 9) /* pages << mdts; 9 is a list's */
        nvme.limit = (uint32_t)(PAGE_SIZE << mdts);
    disk->flags = (oncs & BIT(2) ? BLOCK_CAN_DISCARD : 0) | (oncs & BIT(3) ? BLOCK_CAN_ZERO : 0);
    return true;
}

static bool identify_namespace(struct disk *disk)
{
    uint64_t format, block;

    if (!identify(IDENTIFY_NAMESPACE, NAMESPACE))
        return false;
    disk->sectors = identified(0, 8); /* NSZE */
    format = identified(26, 1);       /* FLBAS: the low bits, then two more */
    format = identified(128 + 4 * ((format & 0xf) | (format >> 1 & 0x30)), 4);
    block = BIT(format >> 16 & 0x3f);
    if (disk->sectors == 0) {
        log_line("it has no namespace 1");
        return false;
    }
    if (block != BLOCK_SECTOR || (format & 0xffff) != 0) {
        log_line("its blocks are of %u bytes with %u of metadata: format it with 512 and none "
                 "(nvme format --lbaf)",
                 (unsigned)block, (unsigned)(format & 0xffff));
        return false;
    }
    if (!(identified(99, 1) & 1)) /* NSATTR: write protected now */
        disk->flags |= BLOCK_CAN_WRITE;
    return true;
}

/* Whether the controller can be used, from what its registers say and what the process has. */
static bool usable(const struct process_info *info, uint64_t cap)
{
    const char *problem = NULL;

    if (cap == UINT64_MAX)
        problem = "it does not answer";
    else if (!(cap & CAP_NVM) || CAP_MPSMIN(cap) != 0 || CAP_MQES(cap) == 0)
        problem = "it has no NVM commands, or not with pages of 4 KiB";
    else if (info->windows[0].size < DOORBELLS + (uint64_t)nvme.stride * 2 * (IO_QUEUE + 1))
        problem = "its registers do not lie in the process's window";
    else if (info->dma_size < sizeof(struct dma_area) + DISK_SERVER_DMA)
        problem = "the process's DMA area is too small";
    if (problem != NULL)
        log_line("%s (CAP %llx)", problem, (unsigned long long)cap);
    return problem == NULL;
}

/* The controller from its reset on until it takes requests. */
static bool start(struct disk *disk)
{
    nvme.alive = false;
    if (!restart()) {
        log_line("it does not get ready in %u ms (CSTS %x)", nvme.wait_ms, device_read32(CSTS));
        return false;
    }
    if (!identify_controller(disk) || !create_queue()) {
        log_line("it does not take the commands of its start (CSTS %x)", device_read32(CSTS));
        return false;
    }
    nvme.alive = identify_namespace(disk);
    return nvme.alive;
}

bool disk_start(const struct process_info *info, struct disk *disk)
{
    uint64_t cap;

    if (info->window_count == 0) {
        log_line("no controller was granted");
        return false;
    }
    memset(&nvme, 0, sizeof(nvme));
    device_open(info, 0);
    cap = read_reg64(CAP);
    nvme.stride = 4u << CAP_DSTRD(cap);
    nvme.wait_ms = (uint32_t)max_u64(CAP_TO(cap) * 500, MIN_WAIT_MS);
    if (!usable(info, cap))
        return false;
    nvme.entries = (uint32_t)min_u64(ENTRIES, CAP_MQES(cap) + 1);
    disk->depth = nvme.entries - 1;
    disk->max_runs = DISK_RUNS;
    disk->max_sectors = MAX_SECTORS;
    disk->last_physical = UINT64_MAX;
    return start(disk);
}

/*
 * Describes the request's memory from where it is, as far as one command can take it: PRP1 begins
 * anywhere, each further entry begins a page, and only the last one may end inside of one. Returns
 * the sectors, and moves the place in the runs.
 */
static uint32_t describe(struct work *w, struct submission *command, uint64_t *list)
{
    const struct disk_command *c = &w->command;
    uint32_t bytes = 0, entries = 0;
    uint64_t end = 0;

    while (w->run < c->run_count && bytes < nvme.limit && end % PAGE_SIZE == 0) {
        const struct disk_run *run = &c->runs[w->run];
        uint64_t begin = run->physical + w->offset;
        uint64_t size = min_u64(run->bytes - w->offset, PAGE_SIZE - begin % PAGE_SIZE);
        if (entries > 0 && begin % PAGE_SIZE != 0)
            break;
        size = min_u64(size, nvme.limit - bytes);
        end = begin + size;
        bytes += (uint32_t)size;
        if (entries == 0)
            command->prp1 = begin;
        else
            list[entries - 1] = begin;
        entries++;
        w->offset += (uint32_t)size;
        if (w->offset == run->bytes) {
            w->run++;
            w->offset = 0;
        }
    }
    command->prp2 = entries > 2 ? device_physical(list) : entries == 2 ? list[0] : 0;
    return bytes / BLOCK_SECTOR;
}

/* Gives the device what one command can take of what is left of a tag's request. */
static void put_piece(unsigned tag)
{
    struct work *w = &nvme.work[tag];
    const struct disk_command *c = &w->command;
    struct submission command = {
        .opcode = opcodes[c->op], .id = (uint16_t)tag, .namespace = NAMESPACE};

    w->piece = c->sectors;
    if (c->op == BLOCK_DISCARD) {
        *(struct range *)area->list[tag] = (struct range){.blocks = c->sectors, .first = c->sector};
        command.prp1 = device_physical(area->list[tag]);
        command.dword11 = DSM_DEALLOCATE; /* dword10: one range, less one */
    } else if (c->op != BLOCK_FLUSH) {
        if (c->op == BLOCK_ZERO)
            w->piece = (uint32_t)min_u64(c->sectors, nvme.limit / BLOCK_SECTOR);
        else
            w->piece = describe(w, &command, area->list[tag]);
        command.dword10 = (uint32_t)c->sector;
        command.dword11 = (uint32_t)(c->sector >> 32);
        command.dword12 = w->piece - 1;
    }
    queue_put(&nvme.io, &command);
}

enum disk_submitted disk_submit(unsigned tag, const struct disk_command *command)
{
    struct work *w = &nvme.work[tag];

    if (!nvme.alive)
        return DISK_FAILED;
    memcpy(&w->command, command,
           offsetof(struct disk_command, runs) + command->run_count * sizeof(struct disk_run));
    w->run = 0;
    w->offset = 0;
    w->busy = true;
    put_piece(tag);
    return DISK_UNDER_WAY;
}

/* The piece of a tag is done, or has failed, and with it the request. */
static void end_piece(unsigned tag, bool good)
{
    struct work *w = &nvme.work[tag];

    w->command.sector += w->piece;
    w->command.sectors -= w->piece;
    if (good && w->command.sectors > 0) {
        put_piece(tag);
        return;
    }
    w->busy = false;
    disk_done(tag, good);
}

void disk_interrupt(void)
{
    struct completion done;
    bool any = false;

    while (nvme.alive && queue_get(&nvme.io, &done)) {
        any = true;
        if (done.id < DISK_DEPTH && nvme.work[done.id].busy)
            end_piece(done.id, done.status == 0);
    }
    if (any)
        ring(&nvme.io, true, nvme.io.head);
}

void disk_reset(void)
{
    struct disk again = {0};

    log_line("reset (CSTS %x)", device_read32(CSTS));
    for (unsigned tag = 0; tag < DISK_DEPTH; tag++)
        nvme.work[tag].busy = false;
    start(&again);
}
