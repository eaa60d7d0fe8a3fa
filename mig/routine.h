/*
 * SPDX-License-Identifier: MIT
 *
 * Routines and their arguments, as they were written and as the checker
 * completes them.
 */

#ifndef MIG_ROUTINE_H
#define MIG_ROUTINE_H

#include <stdbool.h>
#include <stdint.h>

#include "layout.h"
#include "source.h"
#include "type.h"

enum arg_direction {
    ARG_DEFAULT, /* none written: request port or in */
    ARG_IN,
    ARG_OUT,
    ARG_INOUT,
    ARG_REQUESTPORT,
    ARG_REPLYPORT,
    ARG_SREPLYPORT,
    ARG_UREPLYPORT,
    ARG_WAITTIME,
    ARG_SENDTIME,
    ARG_MSGOPTION,
    ARG_MSGSEQNO,
    ARG_SECTOKEN,
    ARG_SERVERSECTOKEN,
    ARG_USERSECTOKEN,
    ARG_AUDITTOKEN,
    ARG_SERVERAUDITTOKEN,
    ARG_USERAUDITTOKEN,
    ARG_CONTEXTTOKEN,
    ARG_UNSUPPORTED, /* known to the language, reported and dropped */
};

enum arg_flag {
    ARG_FLAG_DEALLOC = 1 << 0,
    ARG_FLAG_DEALLOC_DYNAMIC = 1 << 1, /* dealloc[] */
    ARG_FLAG_NOTDEALLOC = 1 << 2,
    ARG_FLAG_COUNTINOUT = 1 << 3,
    ARG_FLAG_SAMECOUNT = 1 << 4,
    ARG_FLAG_CONST = 1 << 5,
    ARG_FLAG_PHYSICALCOPY = 1 << 6,
    ARG_FLAG_AUTO = 1 << 7,
    ARG_FLAG_SERVERCOPY = 1 << 8,
    ARG_FLAG_RETCODE = 1 << 9,
    ARG_FLAG_OVERWRITE = 1 << 10,
    ARG_FLAG_ISLONG = 1 << 11, /* and isnotlong: no effect */
};

struct arg {
    struct arg *next;
    const char *name;
    struct source_pos pos;
    struct source_pos type_pos;
    enum arg_direction direction;
    unsigned int flags;
    const struct type *type;

    /* Completed by the checker. */
    bool in;                 /* travels in the request */
    bool out;                /* travels in the reply */
    const struct arg *count; /* whose count is used; NULL: has none */
    bool user_poly;          /* the sender passes the disposition */
    bool server_poly;        /* the receiver is told the disposition */
};

struct routine {
    struct routine *next;
    const char *name;
    struct source_pos pos;
    bool oneway;
    bool kernel_sender; /* accept requests from the kernel only */
    bool broken;        /* an error was reported among its arguments */
    struct arg *args;
    unsigned int number; /* slot in the subsystem */

    /* The statements in force where the routine stands; NULL: none. */
    const char *user_name;
    const char *server_name;
    const char *wait_time;
    const char *send_time;
    const char *msg_option;
    const char *consume;

    /* Completed by the checker; NULL: the routine has no such argument. */
    const struct arg *request_port;
    const struct arg *user_reply_port;
    const struct arg *server_reply_port;
    const struct arg *wait_arg;
    const struct arg *send_arg;
    const struct arg *option_arg;
    const struct arg *seqno_arg;
    const struct arg *user_token;
    const struct arg *server_token;
    const struct arg *user_audit;
    const struct arg *server_audit;
    const struct arg *retcode; /* see gen_user_retcode() */

    struct layout request;
    struct layout reply;
};

/* A word for messages to the user, such as "inout". */
const char *arg_direction_name(enum arg_direction direction);

/* True if the argument appears in the C prototype of that side. */
bool arg_is_user(const struct arg *arg);
bool arg_is_server(const struct arg *arg);

/*
 * The most elements that a result may have, whose count several arrays may
 * share; 0 if there is no limit.
 */
uint32_t arg_count_max(const struct routine *routine, const struct arg *arg);

/* True if the argument has a C count, a Dealloc flag, of its own. */
bool arg_has_count(const struct arg *arg);
bool arg_has_dealloc(const struct arg *arg);

/* True if each region of a row of them has a count; else their size is this,
 * in bytes or rights. */
bool arg_has_subs(const struct arg *arg);
uint32_t arg_ool_size(const struct arg *arg);

#endif /* MIG_ROUTINE_H */
