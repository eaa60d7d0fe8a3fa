/* SPDX-License-Identifier: MIT */
/* Results as text. */

#ifndef MACH_MACH_ERROR_H
#define MACH_MACH_ERROR_H

#include <mach/kern_return.h>

/* A text for a result of any family: kernel, message, MIG, bootstrap and
 * device. Never null. */
const char *mach_error_string(kern_return_t code);

#endif /* MACH_MACH_ERROR_H */
