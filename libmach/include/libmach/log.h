/* SPDX-License-Identifier: MIT */
/* Where a server's standard output goes; null: to bootstrap's log. */

#ifndef LIBMACH_LOG_H
#define LIBMACH_LOG_H

#include <stddef.h>

extern void (*machc_log)(const char *text, size_t size);

#endif /* LIBMACH_LOG_H */
