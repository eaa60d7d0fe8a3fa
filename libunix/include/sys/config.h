/* SPDX-License-Identifier: MIT */
/*
 * What the C library is told about this system. It takes the place of
 * newlib's file of the same name, which knows its targets one by one.
 *
 * Every thread has its own struct _reent, found by __getreent(), but stdin,
 * stdout and stderr are the process's; read() and write() have their POSIX
 * types.
 */

#ifndef SYS_CONFIG_H
#define SYS_CONFIG_H

#include <machine/ieeefp.h>
#include <sys/features.h>

#define __DYNAMIC_REENT__ 1
#define _REENT_GLOBAL_STDIO_STREAMS 1
#define _READ_WRITE_RETURN_TYPE _ssize_t
#define _READ_WRITE_BUFSIZE_TYPE __size_t

#define _POINTER_INT long
#define __RAND_MAX 0x7fffffff
#define __FILENAME_MAX__ 4096
#define __EXPORT
#define __IMPORT

#ifdef _MB_EXTENDED_CHARSETS_ALL
#define _MB_EXTENDED_CHARSETS_ISO 1
#define _MB_EXTENDED_CHARSETS_WINDOWS 1
#endif

/* The POSIX options that are really here; see <unistd.h>. */
#if __POSIX_VISIBLE
#define _POSIX_VERSION 200809L
#define _POSIX2_VERSION 200809L
#define _POSIX_JOB_CONTROL 1
#define _POSIX_SAVED_IDS 1
#define _POSIX_CHOWN_RESTRICTED 1
#define _POSIX_NO_TRUNC 1
#define _POSIX_VDISABLE 0
#define _POSIX_FSYNC 200809L
#define _POSIX_REGEXP 1
#define _POSIX_SHELL 1
#define _POSIX_SPAWN 200809L
#define _POSIX_THREAD_SAFE_FUNCTIONS 200809L
#define _POSIX_TIMERS 200809L
#define _POSIX_MONOTONIC_CLOCK 200809L
#define _POSIX_CLOCK_SELECTION 200809L
#define _POSIX_CPUTIME 200809L
#define _POSIX_REALTIME_SIGNALS 200809L
#endif

#if __XSI_VISIBLE
#define _XOPEN_VERSION 700
#endif

#endif /* SYS_CONFIG_H */
