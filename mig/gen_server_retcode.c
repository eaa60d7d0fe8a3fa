/*
 * SPDX-License-Identifier: MIT
 *
 * Server stubs of replies that are sent by hand: a client with a `retcode'
 * argument reports a failure by an error reply in place of the request.
 */

#include "gen.h"
#include "gen_server.h"
#include "options.h"
#include "pool.h"

/* A zero of the argument's type, in a variable of its own. */
static void
gen_server_declare_zero(struct text *text, const struct routine *routine,
                        const struct arg *arg)
{
    const struct type *type;
    const char *name;

    type = arg->type;
    name = gen_server_local(routine, arg);

    switch (type->form) {
    case TYPE_FORM_VARRAY:
    case TYPE_FORM_PORTS:
    case TYPE_FORM_VPORTS:
    case TYPE_FORM_OOLS:
    case TYPE_FORM_VOOLS:
        emit(text, "    static %s %s[%u];\n", type_element_ctype(type, true),
             name, type->count);
        break;
    case TYPE_FORM_STRING:
    case TYPE_FORM_VSTRING:
        emit(text, "    static char %s[%u];\n", name, type->count);
        break;
    default:
        emit(text, "    static %s %s;\n", gen_ctype(arg, true), name);
        break;
    }

    if (arg_has_subs(arg)) {
        emit(text, "    static mach_msg_type_number_t %sSubs[%u];\n", name,
             type->count);
    }
}

static void
gen_server_zero_arg(struct text *text, const struct routine *routine,
                    const struct arg *arg, const char *separator)
{
    const char *name, *value;

    name = gen_server_local(routine, arg);

    if (arg == routine->retcode) {
        value = "code";
    } else if (!arg->in && !gen_server_needs_local(routine, arg)) {
        value = gen_server_raw(routine, arg);
    } else if (arg->type->form == TYPE_FORM_NATIVE &&
               !arg->type->native.by_value) {
        value = pool_printf("&%s", name);
    } else {
        value = name;
    }

    emit(text, "%s\n        %s", separator, value);

    if (arg->server_poly) {
        emit(text, ",\n        %s",
             arg->in ? "MACH_MSG_TYPE_PORT_NONE"
                     : gen_server_actual_poly(routine, arg));
    }

    if (arg_has_count(arg)) {
        emit(text, ",\n        0");
    }

    if (arg_has_subs(arg)) {
        emit(text, ",\n        %sSubs", name);
    }

    if ((arg->flags & ARG_FLAG_SERVERCOPY) != 0) {
        emit(text, ",\n        FALSE");
    }
}

/*
 * What a client with a `retcode' argument sends when it reports a failure: an
 * error reply. The function gets the code, and zeros for all that would have
 * come with success.
 */
void
gen_server_failed(struct text *text, const struct routine *routine)
{
    const struct arg *arg;
    const char *separator;

    emit(text,
         "static MIG_COLD void\n"
         "mig_%s_failed(mach_msg_header_t *InHeadP, "
         "mach_msg_header_t *OutHeadP,\n"
         "    kern_return_t code)\n"
         "{\n",
         routine->name);

    for (arg = routine->args; arg != NULL; arg = arg->next) {
        if (arg->in && arg != routine->retcode) {
            gen_server_declare_zero(text, routine, arg);
        } else if (!arg->in && gen_server_needs_local(routine, arg)) {
            gen_server_declare_arg(text, routine, arg);
        }
    }

    emit(text, "    kern_return_t kr;\n\n    (void)InHeadP;\n");

    for (arg = routine->args; arg != NULL; arg = arg->next) {
        if (!arg->in && gen_server_needs_local(routine, arg)) {
            gen_server_load(text, routine, arg);
        }
    }

    emit(text, "    kr = %s%s(", options.prefix, routine->server_name);
    separator = "";

    for (arg = routine->args; arg != NULL; arg = arg->next) {
        if (arg_is_server(arg)) {
            gen_server_zero_arg(text, routine, arg, separator);
            separator = ",";
        }
    }

    emit(text, ");\n");

    for (arg = routine->args; arg != NULL; arg = arg->next) {
        if (!arg->in && arg_is_server(arg) &&
            arg->type->destructor.function != NULL) {
            emit(text, "    %s(%s);\n", arg->type->destructor.function,
                 gen_server_actual(routine, arg));
        }
    }

    emit(text, "    mig_refuse(OutHeadP, kr);\n}\n\n");
}

void
gen_server_check_failed(struct text *text, const struct routine *routine)
{
    emit(text,
         "    if (MIG_UNLIKELY(mig_is_simple(InHeadP, sizeof(*ErrorP)) &&\n"
         "                     ErrorP->RetCode != KERN_SUCCESS)) {\n"
         "        mig_%s_failed(InHeadP, OutHeadP, ErrorP->RetCode);\n"
         "        return;\n"
         "    }\n\n",
         routine->name);
}
