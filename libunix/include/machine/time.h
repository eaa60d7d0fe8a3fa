/* SPDX-License-Identifier: MIT */
/*
 * The machine's part of <time.h>: clock() counts microseconds, as XSI asks.
 */

#ifndef MACHINE_TIME_H
#define MACHINE_TIME_H

#define _CLOCKS_PER_SEC_ 1000000

#endif /* MACHINE_TIME_H */
