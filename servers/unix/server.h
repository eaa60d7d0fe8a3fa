/* SPDX-License-Identifier: MIT */
/*
 * What every module of the server uses: the lock, results, the clock, the
 * journal.
 *
 * A function that can fail returns an errno, 0 for success; UNIX_ERESTART is
 * one more (<unix/error.h>).
 */

#ifndef UNIX_SERVER_H
#define UNIX_SERVER_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mach/kern_return.h>

#include <unix/error.h>
#include <unix/file.h>

#define MUST_CHECK __attribute__((warn_unused_result))

#define NS_PER_SECOND 1000000000L

struct mach_condition;

/* Guards all state of the server: docs/unix-locking.md. unlock and wait first
 * finish what the holder has set off: calls to attempt, processes to end. wait
 * may return early: look again. */
void server_lock(void);
void server_unlock(void);
void server_wait(struct mach_condition *condition);

/* What a routine of the .defs returns. */
static inline kern_return_t
unix_result(int error)
{
    return error == 0 ? KERN_SUCCESS : UNIX_ERROR(error);
}

/* What a program is told when the kernel refused the server something. */
int error_from_kernel(kern_return_t kr);

/* Nanoseconds since boot, and since 1970. */
uint64_t clock_uptime(void);
int64_t clock_realtime(void);
/* The memory entry of the kernel's clock page. */
unsigned int clock_page_entry(void);
void clock_timespec(struct unix_timespec *time);

/* A line for whoever looks after the machine. */
void server_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The server can't go on. */
_Noreturn void
server_panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Unpredictable bytes. */
void random_fill(void *data, size_t size);
void random_stir(uint64_t word);

#endif /* UNIX_SERVER_H */
