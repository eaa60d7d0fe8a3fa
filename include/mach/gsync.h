/* SPDX-License-Identifier: MIT */
/*
 * Waiting on a word of memory (in the manner of GNU Mach's gsync and Linux's
 * futex). The word is 32 bits and aligned. Shared waits meet through the
 * memory object behind the address, private ones through the task.
 */

#ifndef MACH_GSYNC_H
#define MACH_GSYNC_H

#define GSYNC_SHARED 0x01    /* the word is in memory shared with others */
#define GSYNC_TIMED 0x04     /* the wait ends after msec milliseconds */
#define GSYNC_BROADCAST 0x08 /* wake all, not one */
#define GSYNC_MUTATE 0x10    /* store val in the word before waking */

#endif /* MACH_GSYNC_H */
