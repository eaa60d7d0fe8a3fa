/* SPDX-License-Identifier: MIT */
/* What a child created with inherited memory gets of a range. */

#ifndef MACH_VM_INHERIT_H
#define MACH_VM_INHERIT_H

typedef unsigned int vm_inherit_t;

#define VM_INHERIT_SHARE 0 /* the same memory */
#define VM_INHERIT_COPY 1  /* a copy-on-write copy */
#define VM_INHERIT_NONE 2  /* nothing: the range is free in the child */
#define VM_INHERIT_DEFAULT VM_INHERIT_COPY
#define VM_INHERIT_LAST_VALID VM_INHERIT_NONE

#endif /* MACH_VM_INHERIT_H */
