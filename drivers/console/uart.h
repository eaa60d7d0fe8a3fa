/* SPDX-License-Identifier: MIT */
/*
 * The 16550 UART (National Semiconductor PC16550D): registers, its two FIFOs
 * of 16 bytes, and which interrupts it may raise. Nothing is queued here.
 */

#ifndef DRIVERS_CONSOLE_UART_H
#define DRIVERS_CONSOLE_UART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct uart {
    uint16_t base;      /* I/O port of its first register */
    uint8_t interrupts; /* what the IER register holds */
    unsigned int overruns;
};

#define UART_SPEED 115200
#define UART_FIFO_SIZE 16

/* False if there is no UART at those ports. */
bool uart_setup(struct uart *uart, uint16_t base);

/* Bytes that came: at most size. */
size_t uart_receive(struct uart *uart, char *data, size_t size);

/* Put bytes into the transmit FIFO if it is empty: how many. */
size_t uart_transmit(struct uart *uart, const char *data, size_t size);

/* Whether to be interrupted by bytes that came, by an empty FIFO. */
void uart_want(struct uart *uart, bool receive, bool transmit);

/* Whether it asks for an interrupt; taking the cause off also ends a
 * transmit interrupt. */
bool uart_pending(struct uart *uart);

/* The modem status register's upper half: TTY_MODEM_*. */
unsigned int uart_modem(struct uart *uart);

#endif /* DRIVERS_CONSOLE_UART_H */
