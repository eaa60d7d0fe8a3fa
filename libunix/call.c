/* SPDX-License-Identifier: MIT */
/*
 * What happens when a call fails.
 */

#include <errno.h>

#include "call.h"

/* ERESTART that was not followed by a restart is an interrupted call; an
 * error of Mach's own (no server, a broken message) is an I/O error. */
int
unix_errno(kern_return_t kr)
{
    if (!UNIX_ERROR_IS(kr)) {
        return EIO;
    }

    if (kr == UNIX_ERROR(UNIX_ERESTART)) {
        return EINTR;
    }

    return UNIX_ERROR_NUMBER(kr);
}

long
unix_fail(kern_return_t kr)
{
    errno = unix_errno(kr);
    return -1;
}
