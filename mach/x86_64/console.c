/* SPDX-License-Identifier: MIT */
/*
 * The boot console: where the kernel's words go. Always to QEMU's debug
 * console; to the first serial port and the VGA text screen until a driver
 * takes them over, and again in a panic.
 */

#include <debug/console.h>
#include <kern/spinlock.h>
#include <kern/string.h>
#include <machine/cpu.h>
#include <machine/layout.h>

#define DEBUG_PORT 0xe9

#define SERIAL_PORT 0x3f8
#define SERIAL_LINE_STATUS 5
#define SERIAL_TRANSMIT_EMPTY 0x20

#define VGA_TEXT 0xb8000
#define VGA_COLUMNS 80
#define VGA_ROWS 25
#define VGA_ATTRIBUTE 0x0700

static bool console_devices;
static unsigned int vga_column;

static void
vga_newline(void)
{
    uint16_t *screen = phys_to_direct(VGA_TEXT);

    vga_column = 0;
    memmove(screen, screen + VGA_COLUMNS,
            sizeof(*screen) * VGA_COLUMNS * (VGA_ROWS - 1));

    for (unsigned int i = 0; i < VGA_COLUMNS; i++) {
        screen[VGA_COLUMNS * (VGA_ROWS - 1) + i] = VGA_ATTRIBUTE | ' ';
    }
}

static void
vga_putc(char c)
{
    uint16_t *last =
        (uint16_t *)phys_to_direct(VGA_TEXT) + VGA_COLUMNS * (VGA_ROWS - 1);

    if (c == '\n' || vga_column == VGA_COLUMNS) {
        vga_newline();
    }

    if (c >= ' ') {
        last[vga_column] = (uint16_t)(VGA_ATTRIBUTE | (unsigned char)c);
        vga_column++;
    }
}

/* Bounded: a missing port reads as all ones, a stuck one must not hang us. */
static void
serial_putc(char c)
{
    for (unsigned int i = 0; i < 100000; i++) {
        if (cpu_in8(SERIAL_PORT + SERIAL_LINE_STATUS) & SERIAL_TRANSMIT_EMPTY) {
            break;
        }
    }

    cpu_out8(SERIAL_PORT, (uint8_t)c);
}

void
console_putc(char c)
{
    cpu_out8(DEBUG_PORT, (uint8_t)c);

    if (console_devices) {
        if (c == '\n') {
            serial_putc('\r');
        }

        serial_putc(c);
        vga_putc(c);
    }
}

void
console_take_devices(bool take)
{
    console_devices = take;
}
