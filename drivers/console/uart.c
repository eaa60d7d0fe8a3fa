/* SPDX-License-Identifier: MIT */
/* The 16550's registers. */

#include "uart.h"

#define RBR 0 /* receive buffer, read */
#define THR 0 /* transmit holding, write */
#define DLL 0 /* divisor, while LCR_DLAB */
#define IER 1
#define DLM 1
#define IIR 2 /* read */
#define FCR 2 /* write */
#define LCR 3
#define MCR 4
#define LSR 5
#define MSR 6
#define SCR 7

#define IER_RECEIVE 0x01
#define IER_TRANSMIT 0x02
#define IIR_NONE 0x01
#define FCR_ENABLE 0x01
#define FCR_TRIGGER_14 0xc0
#define LCR_8N1 0x03
#define LCR_DLAB 0x80
#define MCR_DTR 0x01
#define MCR_RTS 0x02
#define MCR_OUT2 0x08 /* on a PC: lets the interrupt through */
#define LSR_READY 0x01
#define LSR_OVERRUN 0x02
#define LSR_EMPTY 0x20

static uint8_t
uart_read(const struct uart *uart, unsigned int reg)
{
    uint8_t value;

    __asm__ volatile("inb %1, %0"
                     : "=a"(value)
                     : "Nd"((uint16_t)(uart->base + reg)));
    return value;
}

static void
uart_write(const struct uart *uart, unsigned int reg, uint8_t value)
{
    __asm__ volatile("outb %0, %1"
                     :
                     : "a"(value), "Nd"((uint16_t)(uart->base + reg)));
}

/* The scratch register keeps what is written to it. */
static bool
uart_present(const struct uart *uart)
{
    uart_write(uart, SCR, 0x5a);

    if (uart_read(uart, SCR) != 0x5a) {
        return false;
    }

    uart_write(uart, SCR, 0xa5);
    return uart_read(uart, SCR) == 0xa5;
}

bool
uart_setup(struct uart *uart, uint16_t base)
{
    unsigned int divisor = 115200 / UART_SPEED;

    uart->base = base;
    uart->interrupts = 0;
    uart->overruns = 0;

    if (!uart_present(uart)) {
        return false;
    }

    /* What came before us is not thrown away: FIFOs are only enabled. */
    uart_write(uart, IER, 0);
    uart_write(uart, LCR, LCR_DLAB | LCR_8N1);
    uart_write(uart, DLL, (uint8_t)divisor);
    uart_write(uart, DLM, (uint8_t)(divisor >> 8));
    uart_write(uart, LCR, LCR_8N1);
    uart_write(uart, FCR, FCR_ENABLE | FCR_TRIGGER_14);
    uart_write(uart, MCR, MCR_DTR | MCR_RTS | MCR_OUT2);
    return true;
}

size_t
uart_receive(struct uart *uart, char *data, size_t size)
{
    size_t count = 0;

    while (count < size) {
        uint8_t status = uart_read(uart, LSR);

        if (status & LSR_OVERRUN) {
            uart->overruns++;
        }

        if ((status & LSR_READY) == 0) {
            break;
        }

        data[count] = (char)uart_read(uart, RBR);
        count++;
    }

    return count;
}

size_t
uart_transmit(struct uart *uart, const char *data, size_t size)
{
    if ((uart_read(uart, LSR) & LSR_EMPTY) == 0) {
        return 0;
    }

    if (size > UART_FIFO_SIZE) {
        size = UART_FIFO_SIZE;
    }

    for (size_t i = 0; i < size; i++) {
        uart_write(uart, THR, (uint8_t)data[i]);
    }

    return size;
}

void
uart_want(struct uart *uart, bool receive, bool transmit)
{
    uint8_t interrupts = 0;

    if (receive) {
        interrupts |= IER_RECEIVE;
    }

    if (transmit) {
        interrupts |= IER_TRANSMIT;
    }

    if (interrupts != uart->interrupts) {
        uart->interrupts = interrupts;
        uart_write(uart, IER, interrupts);
    }
}

bool
uart_pending(struct uart *uart)
{
    return (uart_read(uart, IIR) & IIR_NONE) == 0;
}

unsigned int
uart_modem(struct uart *uart)
{
    return uart_read(uart, MSR) >> 4;
}
