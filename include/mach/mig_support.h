/* SPDX-License-Identifier: MIT */
/*
 * What the stubs that MIG generates call, and what servers do with requests
 * and replies.
 */

#ifndef MACH_MIG_SUPPORT_H
#define MACH_MIG_SUPPORT_H

#include <mach/message.h>
#include <mach/mig_errors.h>
#include <mach/ndr.h>

/* The calling thread's reply port: made when first needed. */
mach_port_t mig_get_reply_port(void);

/* The call is over and the port still good. */
void mig_put_reply_port(mach_port_t reply_port);

/* A call failed so that a late reply may yet come: forget the port. */
void mig_dealloc_reply_port(mach_port_t reply_port);

/* Copy at most size bytes, the last of them 0: the length with its 0 byte.
 * mig_strncpy_zerofill also clears the rest. */
mach_msg_size_t mig_strncpy(char *to, const char *from, mach_msg_size_t size);
mach_msg_size_t mig_strncpy_zerofill(char *to, const char *from,
                                     mach_msg_size_t size);

/* Whole pages of the calling task. */
kern_return_t mig_allocate(vm_address_t *addressp, vm_size_t size);
void mig_deallocate(vm_address_t address, vm_size_t size);

/* For messages too large for the stack; null when there is no memory. */
char *mig_user_allocate(vm_size_t size);
void mig_user_deallocate(char *address, vm_size_t size);

#endif /* MACH_MIG_SUPPORT_H */
