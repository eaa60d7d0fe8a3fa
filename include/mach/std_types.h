/* SPDX-License-Identifier: MIT */
/* What the types of std_types.defs are in C. */

#ifndef MACH_STD_TYPES_H
#define MACH_STD_TYPES_H

#include <mach/boolean.h>
#include <mach/kern_return.h>
#include <mach/message.h>
#include <mach/port.h>
#include <mach/vm_types.h>

typedef vm_offset_t pointer_t;

#endif /* MACH_STD_TYPES_H */
