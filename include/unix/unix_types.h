/* SPDX-License-Identifier: MIT */
/* The C types of the Unix server's interface. */

#ifndef UNIX_UNIX_TYPES_H
#define UNIX_UNIX_TYPES_H

#include <mach/thread_status.h>

#include <unix/abi.h>
#include <unix/error.h>
#include <unix/file.h>
#include <unix/process.h>
#include <unix/signal.h>
#include <unix/tty.h>

typedef x86_thread_state64_t unix_registers_t;
typedef struct unix_stat unix_stat_t;
typedef struct unix_statvfs unix_statvfs_t;
typedef struct unix_timespec unix_timespec_t;
typedef struct unix_pollfd unix_pollfd_t;
typedef unix_pollfd_t *unix_pollfd_array_t;
typedef struct unix_flock unix_flock_t;
typedef struct unix_rusage unix_rusage_t;
typedef struct unix_rlimit unix_rlimit_t;
typedef struct unix_itimer unix_itimer_t;
typedef struct unix_sigaction unix_sigaction_t;
typedef struct unix_sigstack unix_sigstack_t;
typedef struct unix_siginfo unix_siginfo_t;
typedef struct unix_termios unix_termios_t;
typedef struct unix_winsize unix_winsize_t;
typedef char unix_path_t[UNIX_PATH_MAX];
typedef char unix_name_t[256];
typedef char *unix_data_t;
typedef uint32_t *unix_gid_array_t;

#endif /* UNIX_UNIX_TYPES_H */
