/*
 * SPDX-License-Identifier: MIT
 *
 * Server stubs and the demultiplexer.
 *
 * A stub checks the request, calls the server's function with pointers into
 * the request and, where it can, into the reply, and completes the reply. If
 * the function fails, only the error is left there: whoever received the
 * request still has all that it carried, and destroys it. That is also why
 * nothing after the call may fail: the function has taken what was sent.
 */

#include <string.h>

#include "gen.h"
#include "gen_server.h"
#include "options.h"
#include "pool.h"
#include "subsystem.h"

/* Bytes of an array that are cleared before the function is called. */
#define GEN_SERVER_CLEAR_MAX 1024

/* Where the header of a received request has which port. */
const char *
gen_server_request_port(void)
{
    return subsystem.kernel_server ? "InHeadP->msgh_remote_port"
                                   : "InHeadP->msgh_local_port";
}

const char *
gen_server_reply_port(void)
{
    return subsystem.kernel_server ? "InHeadP->msgh_local_port"
                                   : "InHeadP->msgh_remote_port";
}

const char *
gen_server_request_bits(void)
{
    return subsystem.kernel_server ? "MACH_MSGH_BITS_REMOTE(InHeadP->msgh_bits)"
                                   : "MACH_MSGH_BITS_LOCAL(InHeadP->msgh_bits)";
}

const char *
gen_server_reply_bits(void)
{
    return subsystem.kernel_server
               ? "MACH_MSGH_BITS_LOCAL(InHeadP->msgh_bits)"
               : "MACH_MSGH_BITS_REMOTE(InHeadP->msgh_bits)";
}

/* Variables are called as the arguments, unless that hides a function. */
const char *
gen_server_local(const struct routine *routine, const struct arg *arg)
{
    const struct type *type;

    type = arg->type;

    if (strcmp(arg->name, routine->server_name) == 0 ||
        (type->intran.function != NULL &&
         strcmp(arg->name, type->intran.function) == 0) ||
        (type->outtran.function != NULL &&
         strcmp(arg->name, type->outtran.function) == 0) ||
        (type->destructor.function != NULL &&
         strcmp(arg->name, type->destructor.function) == 0)) {
        return pool_printf("%s_", arg->name);
    }

    return arg->name;
}

const struct field *
gen_server_value(const struct layout *layout, const struct arg *arg)
{
    const struct field *field;

    for (field = layout->fields; field != NULL; field = field->next) {
        if (field->arg == arg && field->kind != FIELD_COUNT &&
            field->kind != FIELD_CAPACITY && field->kind != FIELD_OFFSET &&
            field->kind != FIELD_PRESENT) {
            return field;
        }
    }

    return NULL;
}

/*
 * True if the function may work right in the message: the value is where it
 * will stay, and as aligned as C wants it.
 */
static bool
gen_server_in_place(const struct layout *layout, const struct arg *arg,
                    bool reply)
{
    const struct field *field;

    field = gen_server_value(layout, arg);

    if (field == NULL || !type_is_inline(arg->type) ||
        arg->type->form == TYPE_FORM_NATIVE ||
        !layout_is_aligned(field, arg->type->align)) {
        return false;
    }

    return !reply || field->segment == 0;
}

bool
gen_server_out_in_place(const struct routine *routine, const struct arg *arg)
{
    return arg->type->outtran.function == NULL && arg->direction == ARG_OUT &&
           gen_server_in_place(&routine->reply, arg, true);
}

/* A request port may come as the word that its receiver bound to it. */
bool
gen_server_takes_payload(const struct arg *arg)
{
    return arg->direction == ARG_REQUESTPORT &&
           arg->type->payload.function != NULL;
}

/* An in-line argument that the function needs in a variable of its own. */
static bool
gen_server_needs_copy(const struct routine *routine, const struct arg *arg)
{
    return arg->type->form == TYPE_FORM_NATIVE ||
           (type_is_array(arg->type) &&
            !gen_server_in_place(&routine->request, arg, false));
}

bool
gen_server_needs_local(const struct routine *routine, const struct arg *arg)
{
    const struct type *type;

    type = arg->type;

    if (arg->out) {
        return !gen_server_out_in_place(routine, arg);
    }

    if (arg->in && gen_server_needs_copy(routine, arg)) {
        return true;
    }

    return arg_is_server(arg) &&
           (type->intran.function != NULL || gen_server_takes_payload(arg));
}

void
gen_server_declare_arg(struct text *text, const struct routine *routine,
                       const struct arg *arg)
{
    const struct type *type;
    const char *name;

    type = arg->type;
    name = gen_server_local(routine, arg);

    if (gen_server_needs_local(routine, arg)) {
        switch (type->form) {
        case TYPE_FORM_VARRAY:
            emit(text, "    %s %s[%u];\n", type_element_ctype(type, true), name,
                 type->count);
            break;
        case TYPE_FORM_PORTS:
        case TYPE_FORM_VPORTS:
            emit(text, "    %s %s[%u] = { MACH_PORT_NULL };\n",
                 type_element_ctype(type, true), name, type->count);
            break;
        case TYPE_FORM_OOLS:
        case TYPE_FORM_VOOLS:
            emit(text, "    %s %s[%u] = { 0 };\n",
                 type_element_ctype(type, true), name, type->count);
            break;
        case TYPE_FORM_STRING:
        case TYPE_FORM_VSTRING:
            emit(text, "    char %s[%u];\n", name, type->count);
            break;
        default:
            emit(text, "    %s %s%s;\n", gen_ctype(arg, true), name,
                 (arg->direction == ARG_OUT && type->form != TYPE_FORM_DATA &&
                  type->form != TYPE_FORM_ARRAY &&
                  type->form != TYPE_FORM_NATIVE)
                     ? " = 0"
                     : "");
            break;
        }
    }

    if (arg_has_subs(arg)) {
        emit(text, "    mach_msg_type_number_t %sSubs[%u] = { 0 };\n", name,
             type->count);
    }

    if (!arg->out) {
        return;
    }

    if (arg->server_poly) {
        emit(text, "    mach_msg_type_name_t %sPoly;\n", name);
    }

    if (arg_has_count(arg)) {
        emit(text, "    mach_msg_type_number_t %sCnt;\n", name);
    }

    if (arg_has_dealloc(arg)) {
        emit(text, "    boolean_t %sDealloc;\n", name);
    }
}

/* The trailer that the routine wants to look into; NULL: none. */
static const char *
gen_server_trailer(const struct routine *routine)
{
    if (routine->server_audit != NULL) {
        return "mach_msg_audit_trailer_t";
    }

    if (routine->server_token != NULL) {
        return "mach_msg_security_trailer_t";
    }

    return (routine->seqno_arg != NULL) ? "mach_msg_seqno_trailer_t" : NULL;
}

static void
gen_server_declare(struct text *text, const struct routine *routine)
{
    const struct arg *arg;
    const char *reply;

    emit(text, "    %s *InP = (void *)InHeadP;\n",
         gen_struct(routine, "Request", 0));

    if (!routine->oneway) {
        reply = gen_struct(routine, "Reply", 0);
        emit(text, "    %s *OutP = (void *)OutHeadP;\n", reply);
        gen_tail_pointers(text, routine, &routine->reply, "Reply", "Out");
    }

    gen_tail_pointers(text, routine, &routine->request, "Request", "In");

    for (arg = routine->args; arg != NULL; arg = arg->next) {
        gen_server_declare_arg(text, routine, arg);
    }

    if (gen_server_trailer(routine) != NULL) {
        emit(text,
             "    %s *TrailerP = (void *)((char *)InHeadP +\n"
             "        ((InHeadP->msgh_size + 3) & ~3u));\n",
             gen_server_trailer(routine));
    }

    if (layout_is_variable(&routine->request)) {
        emit(text, "    mach_msg_size_t slack, bytes;\n");
    }

    if (routine->retcode != NULL) {
        emit(text, "    const mig_reply_error%s_t *ErrorP = (void *)InHeadP;\n",
             options.ndr ? "_ndr" : "");
    }

    emit(text, "    kern_return_t kr;\n");
}

/* A macro that the including code may have defined. */
static void
gen_server_hook(struct text *text, const struct routine *routine,
                const char *when)
{
    emit(text, "    __%sRcv%s(%lu, \"%s\")\n", when,
         routine->oneway ? "Simple" : "Rpc", subsystem_request_id(routine),
         routine->name);
}

static const char *
gen_server_refusal(const char *code)
{
    return pool_printf("        mig_refuse(OutHeadP, %s);\n"
                       "        return;\n",
                       code);
}

/* Before anything in the message is believed, an error that it reports too. */
static void
gen_server_check_sender(struct text *text, const struct routine *routine)
{
    if (routine->kernel_sender) {
        emit(text,
             "    if (MIG_UNLIKELY(\n"
             "            !(InHeadP->msgh_bits & MACH_MSGH_BITS_KERNEL))) {\n"
             "%s    }\n\n",
             gen_server_refusal("MIG_BAD_ID"));
    }
}

static void
gen_server_check(struct text *text, const struct routine *routine)
{
    struct gen_check check = {
        .routine = routine,
        .layout = &routine->request,
        .reply = false,
        .base = "In",
        .bad_arguments = gen_server_refusal("MIG_BAD_ARGUMENTS"),
        .bad_type = gen_server_refusal("MIG_TYPE_ERROR"),
    };
    struct gen_condition condition;

    gen_condition_begin(&condition, text, "__MigTypeCheck && ");
    gen_check_header(&condition, &check);
    gen_condition_end(&condition, check.bad_arguments);

    if (gen_server_trailer(routine) != NULL) {
        gen_condition_begin(&condition, text, "__MigTypeCheck && ");
        gen_condition_add(&condition, "TrailerP->msgh_trailer_type != "
                                      "MACH_MSG_TRAILER_FORMAT_0");
        gen_condition_add(&condition, "TrailerP->msgh_trailer_size < "
                                      "sizeof(*TrailerP)");
        gen_condition_end(&condition, gen_server_refusal("MIG_TRAILER_ERROR"));
    }

    gen_check_body(text, &check);
}

/*
 * The reply is a used buffer. What the function leaves out, such as padding
 * in a structure, must not show what an earlier client was told.
 */
static void
gen_server_clear(struct text *text, const struct routine *routine,
                 const struct arg *arg)
{
    const char *place, *address;

    place = gen_server_local(routine, arg);

    if (gen_server_out_in_place(routine, arg)) {
        place = gen_field("Out", gen_server_value(&routine->reply, arg));
    }

    address = type_is_array(arg->type) ? "" : "&";
    emit(text, "    mig_clear(%s%s, sizeof(%s));\n", address, place, place);
}

/*
 * A count that says how much room there is also says, if the function forgets
 * it, that all of the room was used. Large arrays are not worth that: they are
 * what files are read by.
 */
static void
gen_server_clear_room(struct text *text, const struct routine *routine,
                      const struct arg *arg)
{
    const char *place, *count;

    if (arg->count == NULL || arg->type->form != TYPE_FORM_VARRAY ||
        arg->type->size > GEN_SERVER_CLEAR_MAX) {
        return;
    }

    place = gen_server_local(routine, arg);
    count = pool_printf("%sCnt", gen_server_local(routine, arg->count));

    if ((arg->count->flags & ARG_FLAG_COUNTINOUT) == 0) {
        count = pool_printf("%u", arg_count_max(routine, arg));
    }

    if (gen_server_out_in_place(routine, arg)) {
        place = gen_field("Out", gen_server_value(&routine->reply, arg));
    }

    emit(text, "    mig_clear(%s, %s);\n", place, gen_bytes(arg, count));
}

/* What an out argument holds before the function was called. */
static void
gen_server_preset(struct text *text, const struct routine *routine,
                  const struct arg *arg)
{
    const struct type *type;
    const char *name, *place, *capacity;
    uint32_t max;

    type = arg->type;
    name = gen_server_local(routine, arg);

    if (type->form == TYPE_FORM_STRING || type->form == TYPE_FORM_VSTRING) {
        place = name;

        if (gen_server_out_in_place(routine, arg)) {
            place = gen_field("Out", gen_server_value(&routine->reply, arg));
        }

        emit(text, "    %s[0] = '\\0';\n", place);
    }

    if (type->form == TYPE_FORM_DATA || type->form == TYPE_FORM_ARRAY ||
        type->form == TYPE_FORM_NATIVE) {
        gen_server_clear(text, routine, arg);
    }

    if (arg->server_poly) {
        emit(text, "    %sPoly = MACH_MSG_TYPE_PORT_SEND;\n", name);
    }

    if (arg_has_dealloc(arg)) {
        emit(text, "    %sDealloc = %s;\n", name,
             (arg->flags & ARG_FLAG_DEALLOC) ? "TRUE" : "FALSE");
    }

    if (!arg_has_count(arg)) {
        gen_server_clear_room(text, routine, arg);
        return;
    }

    max = arg_count_max(routine, arg);

    if ((arg->flags & ARG_FLAG_COUNTINOUT) != 0) {
        capacity = gen_arg_field("In", &routine->request, arg, FIELD_CAPACITY);
        emit(text, "    %sCnt = %s;\n\n", name, capacity);
        emit(text,
             "    if (%sCnt > %u) {\n"
             "        %sCnt = %u;\n"
             "    }\n\n",
             name, max, name, max);
    } else {
        emit(text, "    %sCnt = %u;\n", name, max);
    }

    gen_server_clear_room(text, routine, arg);
}

/* The disposition that a request names for an argument. */
static const char *
gen_server_request_poly(const struct routine *routine, const struct arg *arg)
{
    const struct field *field;

    field = gen_server_value(&routine->request, arg);
    return pool_printf(
        "%s%s.disposition", gen_field("In", field),
        (field->kind == FIELD_PORTS || field->kind == FIELD_OOLS) ? "[0]" : "");
}

/* inout: the count, disposition and so on that came with the request. */
static void
gen_server_preset_inout(struct text *text, const struct routine *routine,
                        const struct arg *arg)
{
    const char *name;

    name = gen_server_local(routine, arg);

    if (arg->server_poly) {
        emit(text, "    %sPoly = %s;\n", name,
             gen_server_request_poly(routine, arg));
    }

    if (arg_has_count(arg)) {
        emit(text, "    %sCnt = %s;\n", name, gen_server_count(routine, arg));
    }

    if (arg_has_dealloc(arg)) {
        emit(text, "    %sDealloc = FALSE;\n", name);
    }
}

static void
gen_server_prepare(struct text *text, const struct routine *routine)
{
    const struct arg *arg;

    /* Beside what is cleared next: one store for both. */
    if (!routine->oneway && !routine->reply.complex) {
        emit(text, "    OutP->RetCode = KERN_SUCCESS;\n");
    }

    for (arg = routine->args; arg != NULL; arg = arg->next) {
        if (!arg_is_server(arg)) {
            continue;
        }

        if (arg->direction == ARG_OUT) {
            gen_server_preset(text, routine, arg);
        } else if (gen_server_needs_local(routine, arg)) {
            gen_server_load(text, routine, arg);
        }

        if (arg->direction == ARG_INOUT) {
            gen_server_preset_inout(text, routine, arg);
        }
    }
}

/* The function's actual argument. */
const char *
gen_server_actual(const struct routine *routine, const struct arg *arg)
{
    const char *name, *place;

    name = gen_server_local(routine, arg);

    if (arg->type->form == TYPE_FORM_NATIVE && !arg->type->native.by_value) {
        if (arg->type->native.absent == NULL) {
            return pool_printf("&%s", name);
        }

        return pool_printf(
            "%s ? &%s : (%s *)(%s)",
            gen_arg_field("In", &routine->request, arg, FIELD_PRESENT), name,
            type_server_ctype(arg->type), arg->type->native.absent);
    }

    if (gen_server_needs_local(routine, arg)) {
        return (arg->out && !type_is_array(arg->type))
                   ? pool_printf("&%s", name)
                   : name;
    }

    if (!arg->out) {
        place = gen_server_raw(routine, arg);

        if (arg->direction == ARG_SECTOKEN ||
            arg->direction == ARG_AUDITTOKEN) {
            return pool_printf("(void *)&%s", place);
        }

        return (arg->in && type_is_array(arg->type))
                   ? gen_server_array_pointer(arg, place)
                   : place;
    }

    place = gen_field("Out", gen_server_value(&routine->reply, arg));

    if (type_is_array(arg->type)) {
        return gen_server_array_pointer(arg, place);
    }

    return gen_server_array_pointer(arg, pool_printf("&%s", place));
}

const char *
gen_server_actual_poly(const struct routine *routine, const struct arg *arg)
{
    switch (arg->direction) {
    case ARG_REQUESTPORT:
        return gen_server_request_bits();
    case ARG_REPLYPORT:
    case ARG_SREPLYPORT:
        return gen_server_reply_bits();
    case ARG_OUT:
    case ARG_INOUT:
        return pool_printf("&%sPoly", gen_server_local(routine, arg));
    default:
        return gen_server_request_poly(routine, arg);
    }
}

static void
gen_server_call_arg(struct text *text, const struct routine *routine,
                    const struct arg *arg, const char *separator)
{
    const char *name;

    name = gen_server_local(routine, arg);
    emit(text, "%s\n        %s", separator, gen_server_actual(routine, arg));

    if (arg->server_poly) {
        emit(text, ",\n        %s", gen_server_actual_poly(routine, arg));
    }

    if (arg_has_count(arg)) {
        emit(text, ",\n        %s",
             arg->out ? pool_printf("&%sCnt", name)
                      : gen_server_count(routine, arg));
    }

    if (arg_has_subs(arg)) {
        emit(text, ",\n        %sSubs", name);
    }

    if (arg_has_dealloc(arg) && arg->out) {
        emit(text, ",\n        &%sDealloc", name);
    }

    if ((arg->flags & ARG_FLAG_SERVERCOPY) != 0) {
        emit(text, ",\n        %s",
             type_is_inline(arg->type) ? "TRUE" : "FALSE");
    }
}

static void
gen_server_call(struct text *text, const struct routine *routine)
{
    const struct arg *arg;
    const char *separator;

    emit(text, "    kr = %s%s(", options.prefix, routine->server_name);
    separator = "";

    for (arg = routine->args; arg != NULL; arg = arg->next) {
        if (arg_is_server(arg)) {
            gen_server_call_arg(text, routine, arg, separator);
            separator = ",";
        }
    }

    emit(text, ");\n\n");
}

/*
 * Regions that the function saw as if they were in the message. If it failed,
 * rights in them are still the request's: who destroys it needs the region.
 */
static void
gen_server_release_place(struct text *text, const struct arg *arg,
                         const char *place)
{
    const char *prefix;

    prefix = options.runtime_prefix;

    if (type_is_port(arg->type)) {
        emit(text,
             "    if (kr == KERN_SUCCESS || kr == MIG_NO_REPLY) {\n"
             "        %smig_deallocate(%s.address,\n"
             "            %s.count * sizeof(mach_port_t));\n"
             "    }\n\n",
             prefix, place, place);
        return;
    }

    emit(text, "    %smig_deallocate(%s.address, %s.size);\n", prefix, place,
         place);
    emit(text, "    %s.address = 0;\n    %s.size = 0;\n\n", place, place);
}

static void
gen_server_release_ool(struct text *text, const struct routine *routine,
                       const struct arg *arg)
{
    const struct field *field;
    const char *place;

    field = gen_server_value(&routine->request, arg);
    place = gen_field("In", field);

    if (field->kind != FIELD_OOLS) {
        gen_server_release_place(text, arg, place);
        return;
    }

    emit(text, "    for (unsigned int i = 0; i < %u; i++) {\n", field->number);
    gen_server_release_place(text, arg, pool_printf("%s[i]", place));
    emit(text, "    }\n\n");
}

static void
gen_server_release(struct text *text, const struct routine *routine)
{
    const struct type *type;
    const struct arg *arg;
    bool released;

    released = false;

    for (arg = routine->args; arg != NULL; arg = arg->next) {
        type = arg->type;

        if (!arg_is_server(arg) || arg->out) {
            continue;
        }

        if (type->destructor.function != NULL) {
            emit(text, "    %s(%s);\n", type->destructor.function,
                 gen_server_actual(routine, arg));
            released = true;
        }

        if (arg->in && type_is_ool(type) &&
            (type->like_inline || (arg->flags & ARG_FLAG_AUTO) != 0)) {
            gen_server_release_ool(text, routine, arg);
        }
    }

    if (released) {
        emit(text, "\n");
    }
}

static void
gen_server_routine(struct text *text, const struct routine *routine)
{
    if (routine->retcode != NULL) {
        gen_server_failed(text, routine);
    }

    emit(text,
         "mig_internal void\n"
         "_X%s(mach_msg_header_t *InHeadP, mach_msg_header_t *OutHeadP)\n"
         "{\n",
         routine->name);
    gen_server_declare(text, routine);
    gen_server_hook(text, routine, "Declare");
    emit(text, "\n");
    gen_server_hook(text, routine, "Before");

    gen_server_check_sender(text, routine);

    if (routine->retcode != NULL) {
        gen_server_check_failed(text, routine);
    }

    gen_server_check(text, routine);
    gen_server_prepare(text, routine);
    gen_server_call(text, routine);
    gen_server_hook(text, routine, "After");
    gen_server_release(text, routine);

    if (routine->oneway && routine->server_reply_port == NULL) {
        /*
         * A right to reply that was sent all the same must not stay here:
         * the result goes to it.
         */
        emit(text, "    mig_refuse(OutHeadP, kr);\n");
    } else if (routine->oneway) {
        emit(text, "    mig_refuse(OutHeadP, (kr == KERN_SUCCESS) "
                   "? MIG_NO_REPLY : kr);\n");
    } else {
        emit(text, "    if (kr != KERN_SUCCESS) {\n%s    }\n\n",
             gen_server_refusal("kr"));
        gen_server_store(text, routine);
    }

    emit(text, "}\n\n");
}

/* Functions that the server has not written yet, where it says so. */
static void
gen_server_defaults(struct text *text)
{
    const struct routine *routine;

    if (subsystem.routines == NULL) {
        return;
    }

    emit(text, "\n#ifdef MIG_EOPNOTSUPP\n"
               "#pragma GCC diagnostic ignored \"-Wunused-parameter\"\n\n");

    for (routine = subsystem.routines; routine != NULL;
         routine = routine->next) {
        emit(text, "__attribute__((__weak__)) ");
        gen_prototype(text, routine, true);
        emit(text, "\n{\n    return MIG_EOPNOTSUPP;\n}\n\n");
    }

    emit(text, "#endif\n");
}

void
gen_server(struct text *text)
{
    const struct routine *routine;

    gen_banner(text, "Server stubs");

    if (options_wants(options.server_header)) {
        if (options.split_headers) {
            gen_includes(text, true);
        }

        gen_own_header(text, options.server_file, options.server_header);
        emit(text, "#include <stddef.h>\n#include <stdint.h>\n\n");
    } else {
        emit(text, "#include <stddef.h>\n");
        gen_includes(text, true);
        gen_server_interface(text);
    }

    gen_type_check(text);
    gen_runtime(text);

    if (subsystem.rcsid != NULL) {
        emit(text, "const char %s_server_rcsid[] = %s;\n\n", subsystem.name,
             subsystem.rcsid);
    }

    gen_hooks(text, "Rcv");
    emit(text, "#ifndef mig_internal\n#define mig_internal static\n#endif\n\n");
    gen_message_asserts(text, true);
    gen_refuse(text);

    for (routine = subsystem.routines; routine != NULL;
         routine = routine->next) {
        gen_server_routine(text, routine);
    }

    gen_server_table(text);
    gen_server_lookup(text);
    gen_server_demux(text);
    gen_server_defaults(text);

    if (options.symbols) {
        gen_server_symbols(text);
    }
}
