/* SPDX-License-Identifier: MIT */
/*
 * Messages to standard error with the program's name in front.
 */

#include <err.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const char *__progname;

static __attribute__((__format__(__printf__, 1, 0))) void
err_print(const char *format, va_list args, const char *reason)
{
    fprintf(stderr, "%s: ", __progname);

    if (format != NULL) {
        vfprintf(stderr, format, args);
    }

    if (reason != NULL) {
        fprintf(stderr, "%s%s", (format != NULL) ? ": " : "", reason);
    }

    fputc('\n', stderr);
}

void
vwarn(const char *format, va_list args)
{
    err_print(format, args, strerror(errno));
}

void
vwarnx(const char *format, va_list args)
{
    err_print(format, args, NULL);
}

void
verr(int status, const char *format, va_list args)
{
    vwarn(format, args);
    exit(status);
}

void
verrx(int status, const char *format, va_list args)
{
    vwarnx(format, args);
    exit(status);
}

void
warn(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vwarn(format, args);
    va_end(args);
}

void
warnx(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vwarnx(format, args);
    va_end(args);
}

void
err(int status, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    verr(status, format, args);
}

void
errx(int status, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    verrx(status, format, args);
}
