/* SPDX-License-Identifier: MIT */
/* Time as Mach interfaces give it: seconds and microseconds. */

#ifndef MACH_TIME_VALUE_H
#define MACH_TIME_VALUE_H

#include <mach/vm_types.h>

typedef struct {
    int64_t seconds;
    int64_t microseconds; /* 0 to 999,999 */
} time_value_t;

#endif /* MACH_TIME_VALUE_H */
