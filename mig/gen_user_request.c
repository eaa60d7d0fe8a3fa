/*
 * SPDX-License-Identifier: MIT
 *
 * The first half of a client stub: arguments become a request. Every byte
 * that is sent is written, padding included, or it would carry what happened
 * to be on the stack.
 */

#include "gen.h"
#include "gen_user.h"
#include "pool.h"

/* An array that does not fit is refused before anything else happens. */
void
gen_user_check_counts(struct text *text, const struct routine *routine)
{
    const struct arg *arg;

    for (arg = routine->args; arg != NULL; arg = arg->next) {
        if (!arg->in || !type_is_variable(arg->type) || arg->type->count == 0) {
            continue;
        }

        emit(text,
             "    if (%s%sCnt > %u) {\n"
             "        return MIG_ARRAY_TOO_LARGE;\n"
             "    }\n\n",
             arg->out ? "*" : "", arg->count->name, arg->type->count);
    }
}

void
gen_user_pack(struct text *text, const struct routine *routine)
{
    struct gen_pack pack = { .routine = routine,
                             .layout = &routine->request,
                             .base = "In",
                             .size = "msgh_size" };

    gen_pack(text, &pack);

    if (routine->request.fields != NULL) {
        emit(text, "\n");
    }
}
