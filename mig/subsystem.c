/*
 * SPDX-License-Identifier: MIT
 *
 * A file has exactly one subsystem, so it is a global structure that the
 * parser fills and everything behind it reads.
 */

#include "subsystem.h"

#include <stddef.h>
#include <string.h>

#include "diag.h"
#include "pool.h"

#define SUBSYSTEM_REPLY_OFFSET 100
#define SUBSYSTEM_NATIVE_LIMIT 2048

struct subsystem subsystem;

void
subsystem_setup(void)
{
    memset(&subsystem, 0, sizeof(subsystem));
    subsystem.imports_tail = &subsystem.imports;
    subsystem.routines_tail = &subsystem.routines;
    subsystem.native_limit = SUBSYSTEM_NATIVE_LIMIT;
    subsystem.user_prefix = "";
    subsystem.server_prefix = "";
}

void
subsystem_set_name(const char *name, unsigned long base,
                   const struct source_pos *pos)
{
    if (subsystem.name != NULL) {
        diag_warning(pos, "a second subsystem statement replaces the first");
        diag_note(&subsystem.pos, "the first is here");
    }

    if (base > INT32_MAX - 2 * SUBSYSTEM_SLOT_MAX) {
        diag_error(pos, "message id %lu is too large", base);
        base = 0;
    }

    subsystem.name = name;
    subsystem.base = base;
    subsystem.pos = *pos;
}

void
subsystem_add_import(enum import_side side, const char *file)
{
    struct import *import;

    import = pool_alloc(sizeof(*import));
    import->side = side;
    import->file = file;
    *subsystem.imports_tail = import;
    subsystem.imports_tail = &import->next;
}

void
subsystem_skip(unsigned long slots, const struct source_pos *pos)
{
    if (slots > SUBSYSTEM_SLOT_MAX - subsystem.slots) {
        diag_error(pos, "a subsystem has at most %d routines",
                   SUBSYSTEM_SLOT_MAX);
        return;
    }

    subsystem.slots += (unsigned int)slots;
}

void
subsystem_add_routine(struct routine *routine)
{
    routine->number = subsystem.slots;
    subsystem_skip(1, &routine->pos);

    routine->user_name =
        pool_printf("%s%s", subsystem.user_prefix, routine->name);
    routine->server_name =
        pool_printf("%s%s", subsystem.server_prefix, routine->name);
    routine->wait_time = subsystem.wait_time;
    routine->send_time = subsystem.send_time;
    routine->msg_option = subsystem.msg_option;
    routine->consume = subsystem.consume;
    routine->kernel_sender = subsystem.kernel_sender;

    *subsystem.routines_tail = routine;
    subsystem.routines_tail = &routine->next;
}

const char *
subsystem_demux(void)
{
    if (subsystem.demux != NULL) {
        return subsystem.demux;
    }

    return pool_printf("%s_server", subsystem.name);
}

unsigned long
subsystem_request_id(const struct routine *routine)
{
    return subsystem.base + routine->number;
}

unsigned long
subsystem_reply_id(const struct routine *routine)
{
    return subsystem_request_id(routine) + SUBSYSTEM_REPLY_OFFSET;
}
