/* SPDX-License-Identifier: MIT */
/*
 * The C library's state of a thread, errno among it. It stands in
 * thread-local storage, so finding it is one load; it is set up when the
 * thread first asks for it.
 */

#include <reent.h>
#include <stdbool.h>
#include <string.h>

static __thread struct _reent reent;
static __thread bool reent_ready;

struct _reent *
__getreent(void)
{
    if (!reent_ready) {
        reent_ready = true;
        _REENT_INIT_PTR(&reent);
    }

    return &reent;
}
