/* SPDX-License-Identifier: BSD-2-Clause */
#include "services/console/port.h"

#include "lib/bits.h"
#include "lib/string.h"
#include "lib/uart.h"
#include "runtime/io.h"

#define NO_DEVICE 0xff

static uint16_t base;
static struct log_reader *queue; /* the queue in it */
static uint8_t interrupts;       /* as in UART_INTERRUPT_ENABLE */
static bool asks_input, asks_output;

static uint8_t status(void)
{
    return inb((uint16_t)(base + UART_LINE_STATUS));
}

void port_init(uint16_t first, struct log_reader *at)
{
    base = first;
    queue = at;
    if (port_queued() > LOG_QUEUE_SIZE) /* whoever was here before has died of it */
        queue->sent = queue->queued;
    asks_input = asks_output = false;
    interrupts = 0;
    outb((uint16_t)(base + UART_INTERRUPT_ENABLE), 0);
}

static void update_interrupts(void)
{
    uint8_t want = (asks_input ? UART_RECEIVE_INTERRUPT : 0) |
                   (asks_output && port_queued() > 0 ? UART_TRANSMIT_INTERRUPT : 0);

    if (interrupts != want) {
        interrupts = want;
        outb((uint16_t)(base + UART_INTERRUPT_ENABLE), want);
    }
}

void port_ask(bool input, bool output)
{
    asks_input = input;
    asks_output = output;
    update_interrupts();
}

void port_write(const char *text, size_t length)
{
    size_t left = min_u64(length, port_room());

    for (size_t n; left > 0; text += n, left -= n) {
        n = min_u64(left, LOG_QUEUE_SIZE - queue->queued % LOG_QUEUE_SIZE);
        memcpy(&queue->queue[queue->queued % LOG_QUEUE_SIZE], text, n);
        __atomic_store_n(&queue->queued, queue->queued + (uint32_t)n, __ATOMIC_RELEASE);
    }
}

char port_last(void)
{
    return queue->queued == 0 ? '\n' : queue->queue[(queue->queued - 1) % LOG_QUEUE_SIZE];
}

size_t port_room(void)
{
    return LOG_QUEUE_SIZE - port_queued();
}

size_t port_queued(void)
{
    return queue->queued - queue->sent;
}

void port_push(void)
{
    if (port_queued() > 0 && status() & UART_TRANSMIT_EMPTY)
        for (int i = 0; i < UART_FIFO_SIZE && port_queued() > 0; i++)
            outb((uint16_t)(base + UART_DATA),
                 (uint8_t)queue->queue[queue->sent++ % LOG_QUEUE_SIZE]);
    update_interrupts();
}

bool port_sent(void)
{
    return port_queued() == 0 && status() & UART_TRANSMITTER_EMPTY;
}

bool port_pending(void)
{
    return !(inb((uint16_t)(base + UART_INTERRUPT_ID)) & UART_NOT_PENDING);
}

int port_read(void)
{
    uint8_t now = status();

    return now & UART_DATA_READY && now != NO_DEVICE ? inb((uint16_t)(base + UART_DATA)) : -1;
}
