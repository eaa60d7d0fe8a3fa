/* SPDX-License-Identifier: MIT */
/*
 * Messages to standard error with the program's name in front: the functions
 * of 4.4BSD. Those with an x add no text for errno.
 */

#ifndef ERR_H
#define ERR_H

#include <stdarg.h>
#include <sys/cdefs.h>

__BEGIN_DECLS

void err(int, const char *, ...)
    __attribute__((__noreturn__, __format__(__printf__, 2, 3)));
void errx(int, const char *, ...)
    __attribute__((__noreturn__, __format__(__printf__, 2, 3)));
void warn(const char *, ...) __attribute__((__format__(__printf__, 1, 2)));
void warnx(const char *, ...) __attribute__((__format__(__printf__, 1, 2)));
void verr(int, const char *, va_list)
    __attribute__((__noreturn__, __format__(__printf__, 2, 0)));
void verrx(int, const char *, va_list)
    __attribute__((__noreturn__, __format__(__printf__, 2, 0)));
void vwarn(const char *, va_list) __attribute__((__format__(__printf__, 1, 0)));
void
vwarnx(const char *, va_list) __attribute__((__format__(__printf__, 1, 0)));

__END_DECLS

#endif /* ERR_H */
