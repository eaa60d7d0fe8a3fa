/* SPDX-License-Identifier: MIT */
/* Results that MIG stubs add to kern_return_t, and the error reply. */

#ifndef MACH_MIG_ERRORS_H
#define MACH_MIG_ERRORS_H

#include <mach/kern_return.h>
#include <mach/message.h>

#define MIG_TYPE_ERROR (-300)     /* an item has the wrong type */
#define MIG_REPLY_MISMATCH (-301) /* the reply has the wrong id */
#define MIG_REMOTE_ERROR (-302)
#define MIG_BAD_ID (-303)        /* no such routine */
#define MIG_BAD_ARGUMENTS (-304) /* the request is malformed */
#define MIG_NO_REPLY (-305)      /* the routine replies itself, later */
#define MIG_EXCEPTION (-306)
#define MIG_ARRAY_TOO_LARGE (-307)
#define MIG_SERVER_DIED (-308) /* the reply right was destroyed */
#define MIG_TRAILER_ERROR (-309)

/* A reply without results; also the head of every simple reply. */
typedef struct {
    mach_msg_header_t Head;
    kern_return_t RetCode;
} mig_reply_error_t;

_Static_assert(sizeof(mig_reply_error_t) == 28, "error reply layout");

#endif /* MACH_MIG_ERRORS_H */
