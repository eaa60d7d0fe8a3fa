/*
 * SPDX-License-Identifier: MIT
 *
 * The end of a server stub: the function succeeded, its results become the
 * reply. Nothing here can fail any more, because what the request carried is
 * now the server's; a count that is too large is cut.
 */

#include "gen.h"
#include "gen_server.h"
#include "pool.h"

/* A server that claims more than there is room for gets what there is. */
static void
gen_server_clamp(struct text *text, const struct routine *routine)
{
    const struct arg *arg;
    const char *name, *room;
    uint32_t max;

    for (arg = routine->args; arg != NULL; arg = arg->next) {
        if (!arg->out || !arg_has_count(arg)) {
            continue;
        }

        max = arg_count_max(routine, arg);

        if (max == 0) {
            continue;
        }

        name = gen_server_local(routine, arg);
        emit(text,
             "    if (MIG_UNLIKELY(%sCnt > %u)) {\n"
             "        %sCnt = %u;\n"
             "    }\n\n",
             name, max, name, max);

        if ((arg->flags & ARG_FLAG_COUNTINOUT) != 0) {
            room = gen_arg_field("In", &routine->request, arg, FIELD_CAPACITY);
            emit(text,
                 "    if (MIG_UNLIKELY(%sCnt > %s)) {\n"
                 "        %sCnt = %s;\n"
                 "    }\n\n",
                 name, room, name, room);
        }
    }
}

void
gen_server_store(struct text *text, const struct routine *routine)
{
    struct gen_pack pack = { .routine = routine,
                             .layout = &routine->reply,
                             .base = "Out",
                             .size = "OutP->Head.msgh_size",
                             .server = true };

    gen_server_clamp(text, routine);

    if (routine->reply.complex) {
        emit(text, "    OutP->Head.msgh_bits |= MACH_MSGH_BITS_COMPLEX;\n");
    }

    gen_pack(text, &pack);

    if (routine->reply.segments == 1) {
        emit(text, "    OutP->Head.msgh_size = sizeof(*OutP);\n");
    }
}
