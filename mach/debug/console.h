/* SPDX-License-Identifier: MIT */
/* The boot console, offered by the processor's folder. */

#ifndef DEBUG_CONSOLE_H
#define DEBUG_CONSOLE_H

#include <stdbool.h>

void console_putc(char c);

/* Write to the serial port and the screen too, or leave them to a driver. */
void console_take_devices(bool take);

#endif /* DEBUG_CONSOLE_H */
