/* SPDX-License-Identifier: MIT */
/* The truth type that MIG interfaces carry: 32 bits wide on the wire. */

#ifndef MACH_BOOLEAN_H
#define MACH_BOOLEAN_H

typedef int boolean_t;

#ifndef TRUE
#define TRUE 1
#define FALSE 0
#endif

#endif /* MACH_BOOLEAN_H */
