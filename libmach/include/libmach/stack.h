/* SPDX-License-Identifier: MIT */
/*
 * A program's first stack, as the System V ABI for x86-64 lays it out (3.4.1):
 *
 *     top   strings, random bytes
 *           auxiliary vector, ended by AT_NULL
 *           environment pointers, null
 *           argument pointers, null
 *     rsp-> argc                            16-byte aligned
 */

#ifndef LIBMACH_STACK_H
#define LIBMACH_STACK_H

#include <mach/kern_return.h>
#include <mach/vm_types.h>

struct mach_auxv {
    uint64_t type;
    uint64_t value;
};

#define MACH_STACK_AUXV_MAX 24

/*
 * Strings are given as one run: argc arguments, then envc "NAME=VALUE", each
 * ended by its 0 byte. auxv needs no AT_NULL; AT_RANDOM and AT_EXECFN are
 * added here (execfn may be null).
 */
struct mach_stack_args {
    const char *strings;
    vm_size_t strings_size;
    uint32_t argc;
    uint32_t envc;
    const struct mach_auxv *auxv;
    uint32_t auxc;
    const char *execfn;
    uint8_t random[16];
};

/*
 * Lay the stack out in a buffer that stands for the `size` bytes below `top`
 * (16-byte aligned) of another address space.
 *
 * Returns: KERN_SUCCESS and the stack pointer (all of the buffer from its
 *          image on is to be copied); KERN_NO_SPACE (does not fit);
 *          KERN_INVALID_ARGUMENT (strings are not argc + envc).
 */
kern_return_t
mach_stack_build(void *buffer, vm_size_t size, vm_address_t top,
                 const struct mach_stack_args *args, vm_address_t *rspp);

/* What mach_stack_build needs for them, rounded up. */
vm_size_t mach_stack_size(const struct mach_stack_args *args);

#endif /* LIBMACH_STACK_H */
