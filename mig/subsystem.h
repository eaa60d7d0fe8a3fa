/*
 * SPDX-License-Identifier: MIT
 *
 * The one subsystem that a file describes, and the statements that shape it.
 */

#ifndef MIG_SUBSYSTEM_H
#define MIG_SUBSYSTEM_H

#include <stdbool.h>

#include "routine.h"

#define SUBSYSTEM_SLOT_MAX 10000

enum import_side {
    IMPORT_BOTH,
    IMPORT_USER,
    IMPORT_SERVER,
    IMPORT_INTERNAL,
    IMPORT_DEFINES,
};

struct import {
    struct import *next;
    enum import_side side;
    const char *file; /* with its delimiters */
};

struct subsystem {
    const char *name; /* NULL until the statement was seen */
    struct source_pos pos;
    unsigned long base;
    bool kernel_user;
    bool kernel_server;
    const char *rcsid;
    const char *demux; /* NULL: the default */
    struct import *imports;
    struct import **imports_tail;
    struct routine *routines;
    struct routine **routines_tail;
    unsigned int slots; /* routines and skips */

    /* In force for the routines to come. */
    const char *user_prefix;
    const char *server_prefix;
    const char *wait_time;
    const char *send_time;
    const char *msg_option;
    const char *consume;
    bool kernel_sender;
    unsigned long native_limit; /* UserTypeLimit */
    unsigned long stack_limit;  /* OnStackLimit; 0: none */
};

extern struct subsystem subsystem;

void subsystem_setup(void);
void subsystem_set_name(const char *name, unsigned long base,
                        const struct source_pos *pos);
void subsystem_add_import(enum import_side side, const char *file);
void subsystem_skip(unsigned long slots, const struct source_pos *pos);
void subsystem_add_routine(struct routine *routine);

const char *subsystem_demux(void);

/* Ids of a routine's messages. */
unsigned long subsystem_request_id(const struct routine *routine);
unsigned long subsystem_reply_id(const struct routine *routine);

#endif /* MIG_SUBSYSTEM_H */
