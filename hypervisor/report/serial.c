/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's serial port. Output goes through a queue, because at 115200 baud the processor would
 * spend more time waiting for the port than booting; who must be sure that it is out calls
 * serial_flush.
 */
#include "hypervisor/report/serial.h"

#include "lib/bits.h"
#include "lib/port.h"

#define PORT 0x3f8

enum serial_register {
    DATA,
    INTERRUPT_ENABLE,
    FIFO_CONTROL,
    INTERRUPT_ID = FIFO_CONTROL,
    LINE_CONTROL,
    MODEM_CONTROL,
    LINE_STATUS
};

#define NO_DEVICE          0xff
#define NOT_PENDING        0x01
#define DATA_READY         0x01
#define TRANSMIT_EMPTY     0x20 /* the FIFO */
#define TRANSMITTER_EMPTY  0x40 /* the FIFO and the shift register */
#define TRANSMIT_FIFO_SIZE 16
#define RECEIVE_INTERRUPT  0x01
#define TRANSMIT_INTERRUPT 0x02

/* How often a status is asked for: longer than a full FIFO takes, at the speed of a processor or of
 * an emulated one. */
#define PATIENCE 0x100000u

#define QUEUE_SIZE 0x10000u /* a power of two */

static char queue[QUEUE_SIZE];
static uint32_t queue_head, queue_tail; /* free-running */
static uint8_t interrupts;              /* as in INTERRUPT_ENABLE */
static bool asks;

void serial_init(void)
{
    outb(PORT + INTERRUPT_ENABLE, 0);
    outb(PORT + LINE_CONTROL, 0x80); /* divisor latch: 1 is 115200 baud */
    outb(PORT + DATA, 1);
    outb(PORT + INTERRUPT_ENABLE, 0);
    outb(PORT + LINE_CONTROL, 0x03);  /* 8N1 */
    outb(PORT + FIFO_CONTROL, 0xc7);  /* on, cleared, receive at 14 bytes or a pause */
    outb(PORT + MODEM_CONTROL, 0x0b); /* DTR, RTS, OUT2: the interrupt line */
}

/* The transmit interrupt is on exactly while something is queued. */
static void update_interrupts(void)
{
    uint8_t want =
        asks ? RECEIVE_INTERRUPT | (queue_head != queue_tail ? TRANSMIT_INTERRUPT : 0) : 0;

    if (interrupts != want) {
        interrupts = want;
        outb(PORT + INTERRUPT_ENABLE, want);
    }
}

void serial_ask(bool on)
{
    asks = on;
    update_interrupts();
}

bool serial_push(void)
{
    uint32_t before = queue_head;

    if (queue_head != queue_tail && inb(PORT + LINE_STATUS) & TRANSMIT_EMPTY)
        for (int i = 0; i < TRANSMIT_FIFO_SIZE && queue_head != queue_tail; i++)
            outb(PORT + DATA, (uint8_t)queue[queue_head++ % QUEUE_SIZE]);
    update_interrupts();
    return queue_head != before;
}

bool serial_queued(void)
{
    return queue_head != queue_tail;
}

size_t serial_room(void)
{
    return QUEUE_SIZE - (queue_tail - queue_head);
}

size_t serial_write(const char *text, size_t length)
{
    size_t n = min_u64(length, serial_room());

    for (size_t i = 0; i < n; i++)
        queue[queue_tail++ % QUEUE_SIZE] = text[i];
    serial_push();
    return n;
}

void serial_flush(void)
{
    for (uint32_t i = 0; i < PATIENCE && queue_head != queue_tail; i++)
        if (serial_push())
            i = 0;
    queue_head = queue_tail; /* a port that takes nothing holds nobody up */
    for (uint32_t i = 0; i < PATIENCE && !(inb(PORT + LINE_STATUS) & TRANSMITTER_EMPTY); i++)
        ;
}

int serial_read(void)
{
    uint8_t status = inb(PORT + LINE_STATUS);

    return status & DATA_READY && status != NO_DEVICE ? inb(PORT + DATA) : -1;
}

bool serial_pending(void)
{
    uint8_t id = inb(PORT + INTERRUPT_ID);

    return !(id & NOT_PENDING);
}
