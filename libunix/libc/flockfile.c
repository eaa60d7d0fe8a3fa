/* SPDX-License-Identifier: MIT */
/*
 * The lock of a stream, in the program's hands.
 */

#include <stdio.h>
#include <sys/lock.h>

void
flockfile(FILE *stream)
{
    __lock_acquire_recursive(stream->_lock);
}

int
ftrylockfile(FILE *stream)
{
    return (__lock_try_acquire_recursive(stream->_lock) != 0) ? 0 : -1;
}

void
funlockfile(FILE *stream)
{
    __lock_release_recursive(stream->_lock);
}
