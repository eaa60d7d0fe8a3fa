/* SPDX-License-Identifier: MIT */
/*
 * The C library's state of a thread, errno among it. It stands in
 * thread-local storage and is set up when the thread first asks for it; only
 * the first thread has the one that newlib reserves for it, whose streams
 * exit() flushes. crt0 asks before main, so that the first is the first.
 */

#include <reent.h>
#include <stdbool.h>
#include <string.h>

static __thread struct _reent *reent;
static __thread struct _reent reent_other;
static bool reent_first_done;

static struct _reent *
reent_init(void)
{
    if (!__atomic_exchange_n(&reent_first_done, true, __ATOMIC_RELAXED)) {
        return _GLOBAL_REENT;
    }

    _REENT_INIT_PTR(&reent_other);
    return &reent_other;
}

struct _reent *
__getreent(void)
{
    if (reent == NULL) {
        reent = reent_init();
    }

    return reent;
}
