/* SPDX-License-Identifier: MIT */
/* Waiting on a word of user memory: the traps of <mach/gsync.h>. */

#ifndef KERN_GSYNC_H
#define KERN_GSYNC_H

#include <mach/kern_return.h>
#include <mach/port.h>
#include <mach/vm_types.h>

void gsync_setup(void);

/*
 * Wait while the word at `address` holds `expected`.
 *
 * Returns: KERN_SUCCESS (woken), KERN_TIMED_OUT as KERN_OPERATION_TIMED_OUT,
 *          KERN_INVALID_ARGUMENT (the word differs, or is unaligned, or the
 *          flags are unknown), KERN_INVALID_ADDRESS, KERN_INVALID_TASK,
 *          KERN_ABORTED.
 */
kern_return_t gsync_wait_trap(mach_port_name_t task, vm_offset_t address,
                              uint32_t expected, uint32_t msec, int flags);

/* Wake one, or all with GSYNC_BROADCAST; GSYNC_MUTATE stores value first. */
kern_return_t gsync_wake_trap(mach_port_name_t task, vm_offset_t address,
                              uint32_t value, int flags);

#endif /* KERN_GSYNC_H */
