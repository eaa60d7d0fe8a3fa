/* SPDX-License-Identifier: MIT */
/*
 * The times of a file, in whole seconds.
 */

#ifndef SYS_UTIME_H
#define SYS_UTIME_H

#include <sys/cdefs.h>
#include <sys/types.h>

__BEGIN_DECLS

struct utimbuf {
    time_t actime;
    time_t modtime;
};

int utime(const char *, const struct utimbuf *);

__END_DECLS

#endif /* SYS_UTIME_H */
