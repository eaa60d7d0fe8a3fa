/*
 * SPDX-License-Identifier: MIT
 *
 * One table. A right that only a receiver can see (PORT_SEND and the like)
 * says nothing about how to send it, so sending it is polymorphic.
 */

#include "ipc_name.h"

#include <stddef.h>
#include <string.h>

#include "word.h"

#define IPC_NEW "MACH_MSG_TYPE_"
#define IPC_OLD "MSG_TYPE_"

static const struct ipc_name ipc_names[] = {
    { IPC_NEW "BIT", IPC_CLASS_SCALAR, 1, NULL, false },
    { IPC_NEW "BOOLEAN", IPC_CLASS_SCALAR, 32, NULL, false },
    { IPC_NEW "BYTE", IPC_CLASS_SCALAR, 8, NULL, false },
    { IPC_NEW "CHAR", IPC_CLASS_SCALAR, 8, NULL, false },
    { IPC_NEW "INTEGER_8", IPC_CLASS_SCALAR, 8, NULL, false },
    { IPC_NEW "INTEGER_16", IPC_CLASS_SCALAR, 16, NULL, false },
    { IPC_NEW "INTEGER_32", IPC_CLASS_SCALAR, 32, NULL, false },
    { IPC_NEW "INTEGER_64", IPC_CLASS_SCALAR, 64, NULL, false },
    { IPC_NEW "PORT_NAME", IPC_CLASS_SCALAR, 32, NULL, false },
    { IPC_NEW "REAL_32", IPC_CLASS_SCALAR, 32, NULL, false },
    { IPC_NEW "REAL_64", IPC_CLASS_SCALAR, 64, NULL, false },
    { IPC_NEW "REAL", IPC_CLASS_BLOB, 0, NULL, false },
    { IPC_NEW "UNSTRUCTURED", IPC_CLASS_BLOB, 0, NULL, false },
    { IPC_NEW "STRING", IPC_CLASS_BLOB, 0, NULL, false },
    { IPC_NEW "STRING_C", IPC_CLASS_STRING, 0, NULL, false },
    { IPC_NEW "COPY_SEND", IPC_CLASS_PORT, 32, IPC_NEW "PORT_SEND", false },
    { IPC_NEW "MAKE_SEND", IPC_CLASS_PORT, 32, IPC_NEW "PORT_SEND", false },
    { IPC_NEW "MOVE_SEND", IPC_CLASS_PORT, 32, IPC_NEW "PORT_SEND", false },
    { IPC_NEW "MAKE_SEND_ONCE", IPC_CLASS_PORT, 32, IPC_NEW "PORT_SEND_ONCE",
      false },
    { IPC_NEW "MOVE_SEND_ONCE", IPC_CLASS_PORT, 32, IPC_NEW "PORT_SEND_ONCE",
      false },
    { IPC_NEW "MOVE_RECEIVE", IPC_CLASS_PORT, 32, IPC_NEW "PORT_RECEIVE",
      false },
    { IPC_NEW "PORT_SEND", IPC_CLASS_PORT, 32, NULL, false },
    { IPC_NEW "PORT_SEND_ONCE", IPC_CLASS_PORT, 32, NULL, false },
    { IPC_NEW "PORT_RECEIVE", IPC_CLASS_PORT, 32, NULL, false },
    { IPC_NEW "POLYMORPHIC", IPC_CLASS_PORT, 32, NULL, true },
};

#define IPC_NAME_COUNT (sizeof(ipc_names) / sizeof(ipc_names[0]))

/* Mach 2.5 names that are not the new name without its prefix. */
static const struct {
    const char *old;
    const char *new;
} ipc_old_names[] = {
    { IPC_OLD "PORT", IPC_NEW "COPY_SEND" },
    { IPC_OLD "PORT_ALL", IPC_NEW "MOVE_RECEIVE" },
};

static const struct ipc_name *
ipc_name_find(const char *suffix)
{
    size_t i;

    for (i = 0; i < IPC_NAME_COUNT; i++) {
        if (strcmp(ipc_names[i].name + strlen(IPC_NEW), suffix) == 0) {
            return &ipc_names[i];
        }
    }

    return NULL;
}

bool
ipc_name_is_old(const char *name)
{
    return strncmp(name, IPC_OLD, strlen(IPC_OLD)) == 0;
}

const struct ipc_name *
ipc_name_lookup(const char *name)
{
    size_t i;

    for (i = 0; i < sizeof(ipc_old_names) / sizeof(ipc_old_names[0]); i++) {
        if (strcmp(ipc_old_names[i].old, name) == 0) {
            return ipc_name_lookup(ipc_old_names[i].new);
        }
    }

    if (ipc_name_is_old(name)) {
        return ipc_name_find(name + strlen(IPC_OLD));
    }

    if (strncmp(name, IPC_NEW, strlen(IPC_NEW)) == 0) {
        return ipc_name_find(name + strlen(IPC_NEW));
    }

    return NULL;
}

const struct ipc_name *
ipc_name_lookup_like(const char *name)
{
    size_t i;

    for (i = 0; i < IPC_NAME_COUNT; i++) {
        if (word_is_like(name, ipc_names[i].name)) {
            return &ipc_names[i];
        }
    }

    return NULL;
}

const struct ipc_name *
ipc_name_by_code(unsigned long code)
{
    static const char *const names[] = {
        [0] = "UNSTRUCTURED",  [1] = "INTEGER_16", [2] = "INTEGER_32",
        [8] = "CHAR",          [9] = "BYTE",       [10] = "REAL_32",
        [11] = "INTEGER_64",   [12] = "STRING_C",  [15] = "PORT_NAME",
        [16] = "MOVE_RECEIVE", [17] = "MOVE_SEND", [18] = "MOVE_SEND_ONCE",
        [19] = "COPY_SEND",    [20] = "MAKE_SEND", [21] = "MAKE_SEND_ONCE",
        [25] = "REAL_64",
    };

    if (code >= sizeof(names) / sizeof(names[0]) || names[code] == NULL) {
        return NULL;
    }

    return ipc_name_find(names[code]);
}

const struct ipc_name *
ipc_name_received(const struct ipc_name *name)
{
    return (name->received == NULL) ? name : ipc_name_lookup(name->received);
}

const struct ipc_name *
ipc_name_sent(const struct ipc_name *name)
{
    if (name->class == IPC_CLASS_PORT && name->received == NULL) {
        return ipc_name_lookup(IPC_NEW "POLYMORPHIC");
    }

    return name;
}
