/*
 * SPDX-License-Identifier: MIT
 *
 * The MACH_MSG_TYPE_* names: what a thing is called when it is sent, and what
 * the receiver finds it called.
 */

#ifndef MIG_IPC_NAME_H
#define MIG_IPC_NAME_H

#include <stdbool.h>

enum ipc_class {
    IPC_CLASS_SCALAR,
    IPC_CLASS_BLOB,   /* has no size of its own */
    IPC_CLASS_STRING, /* as a blob, and ends with a NUL */
    IPC_CLASS_PORT,
};

struct ipc_name {
    const char *name;
    enum ipc_class class;
    unsigned int bits;    /* 0 when a size must be given */
    const char *received; /* NULL: as sent */
    bool polymorphic;     /* chosen at run time when sent */
};

/* NULL if there is no such name. Mach 2.5's MSG_TYPE_* names are known too. */
const struct ipc_name *ipc_name_lookup(const char *name);

/* A name that could have been meant; NULL: there is none. */
const struct ipc_name *ipc_name_lookup_like(const char *name);

/* What a name stood for in typed messages; NULL: nothing. */
const struct ipc_name *ipc_name_by_code(unsigned long code);

/* What the receiver of NAME sees. */
const struct ipc_name *ipc_name_received(const struct ipc_name *name);

/* What has to be sent for the receiver to see NAME. */
const struct ipc_name *ipc_name_sent(const struct ipc_name *name);

/* True for a name of the Mach 2.5 set. */
bool ipc_name_is_old(const char *name);

#endif /* MIG_IPC_NAME_H */
