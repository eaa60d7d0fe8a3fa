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
#include "options.h"
#include "pool.h"
#include "subsystem.h"

/* Where the header of a received request has which port. */
static const char *
gen_server_request_port(void)
{
    return subsystem.kernel_server ? "InHeadP->msgh_remote_port"
                                   : "InHeadP->msgh_local_port";
}

static const char *
gen_server_reply_port(void)
{
    return subsystem.kernel_server ? "InHeadP->msgh_local_port"
                                   : "InHeadP->msgh_remote_port";
}

static const char *
gen_server_request_bits(void)
{
    return subsystem.kernel_server
               ? "MACH_MSGH_BITS_REMOTE(InHeadP->msgh_bits)"
               : "MACH_MSGH_BITS_LOCAL(InHeadP->msgh_bits)";
}

static const char *
gen_server_reply_bits(void)
{
    return subsystem.kernel_server
               ? "MACH_MSGH_BITS_LOCAL(InHeadP->msgh_bits)"
               : "MACH_MSGH_BITS_REMOTE(InHeadP->msgh_bits)";
}

/* Variables are called as the arguments, unless that hides a function. */
static const char *
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

static const struct field *
gen_server_value(const struct layout *layout, const struct arg *arg)
{
    const struct field *field;

    for (field = layout->fields; field != NULL; field = field->next) {
        if (field->arg == arg && field->kind != FIELD_COUNT &&
            field->kind != FIELD_CAPACITY && field->kind != FIELD_OFFSET) {
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
        !layout_is_aligned(field, arg->type->align)) {
        return false;
    }

    return !reply || field->segment == 0;
}

static bool
gen_server_out_in_place(const struct routine *routine, const struct arg *arg)
{
    return arg->type->outtran.function == NULL &&
           arg->direction == ARG_OUT &&
           gen_server_in_place(&routine->reply, arg, true);
}

/* An in-line argument that the function needs in a variable of its own. */
static bool
gen_server_needs_copy(const struct routine *routine, const struct arg *arg)
{
    return type_is_array(arg->type) &&
           !gen_server_in_place(&routine->request, arg, false);
}

static bool
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

    return arg_is_server(arg) && type->intran.function != NULL;
}

static void
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
        case TYPE_FORM_PORTS:
        case TYPE_FORM_VPORTS:
            emit(text, "    %s %s[%u];\n", type_element_ctype(type, true),
                 name, type->count);
            break;
        case TYPE_FORM_STRING:
        case TYPE_FORM_VSTRING:
            emit(text, "    char %s[%u];\n", name, type->count);
            break;
        default:
            emit(text, "    %s %s;\n", gen_ctype(arg, true), name);
            break;
        }
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

static void
gen_server_declare(struct text *text, const struct routine *routine)
{
    const struct arg *arg;
    const char *reply;
    bool variable;

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

    variable = layout_is_variable(&routine->request);

    if (variable) {
        emit(text, "    mach_msg_size_t slack, bytes;\n");
    }

    emit(text, "    kern_return_t kr;\n\n");
}

static const char *
gen_server_refusal(const char *code)
{
    return pool_printf("        mig_refuse(OutHeadP, %s);\n"
                       "        return;\n",
                       code);
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

    if (routine->kernel_sender) {
        emit(text,
             "    if (MIG_UNLIKELY(\n"
             "            !(InHeadP->msgh_bits & MACH_MSGH_BITS_KERNEL))) {\n"
             "%s    }\n\n",
             gen_server_refusal("MIG_BAD_ID"));
    }

    gen_condition_begin(&condition, text, "__MigTypeCheck && ");
    gen_check_header(&condition, &check);
    gen_condition_end(&condition, check.bad_arguments);
    gen_check_body(text, &check);
}

/* The value of an argument as it stands in the request. */
static const char *
gen_server_raw(const struct routine *routine, const struct arg *arg)
{
    const struct field *field;
    const char *place;

    switch (arg->direction) {
    case ARG_REQUESTPORT:
        return gen_server_request_port();
    case ARG_REPLYPORT:
    case ARG_SREPLYPORT:
        return gen_server_reply_port();
    case ARG_MSGSEQNO:
        return "((mach_msg_seqno_trailer_t *)(void *)((char *)InHeadP +\n"
               "            ((InHeadP->msgh_size + 3) & ~3u)))->msgh_seqno";
    default:
        break;
    }

    field = gen_server_value(&routine->request, arg);
    place = gen_field("In", field);

    switch (field->kind) {
    case FIELD_PORT:
        return pool_printf("%s.name", place);
    case FIELD_OOL:
    case FIELD_OOL_PORTS:
        return pool_printf("(%s)(uintptr_t)%s.address",
                           type_server_ctype(arg->type), place);
    default:
        return place;
    }
}

/* An array of 8-byte things at a place that C could not use directly. */
static const char *
gen_server_array_pointer(const struct arg *arg, const char *place)
{
    if (arg->type->align > LAYOUT_WORD_SIZE) {
        return pool_printf("(void *)%s", place);
    }

    return place;
}

static const char *
gen_server_count(const struct routine *routine, const struct arg *arg)
{
    return gen_arg_field("In", &routine->request, arg->count, FIELD_COUNT);
}

static void
gen_server_copy_ports(struct text *text, const struct routine *routine,
                      const struct arg *arg)
{
    const struct field *field;

    field = gen_server_value(&routine->request, arg);
    emit(text, "    for (unsigned int i = 0; i < %u; i++) {\n",
         field->number);
    emit(text,
         "        %s[i] = %s[i].name;\n"
         "    }\n\n",
         gen_server_local(routine, arg), gen_field("In", field));
}

/* Fill in a variable whose value comes from the request. */
static void
gen_server_load(struct text *text, const struct routine *routine,
                const struct arg *arg)
{
    const struct type *type;
    const char *name, *raw;

    type = arg->type;
    name = gen_server_local(routine, arg);

    if (type->form == TYPE_FORM_PORTS || type->form == TYPE_FORM_VPORTS) {
        gen_server_copy_ports(text, routine, arg);
        return;
    }

    raw = gen_server_raw(routine, arg);

    switch (type->form) {
    case TYPE_FORM_ARRAY:
    case TYPE_FORM_STRING:
        emit(text, "    memcpy(%s, %s, %u);\n", name, raw, type->size);
        return;
    case TYPE_FORM_VARRAY:
        emit(text, "    memcpy(%s, %s, %s);\n", name, raw,
             gen_bytes(arg, gen_server_count(routine, arg)));
        return;
    default:
        break;
    }

    if (type->intran.function == NULL) {
        emit(text, "    %s = %s;\n", name, raw);
        return;
    }

    if (type->payload.function != NULL &&
        arg->direction == ARG_REQUESTPORT) {
        emit(text,
             "    if (%s ==\n"
             "        MACH_MSG_TYPE_PROTECTED_PAYLOAD) {\n",
             gen_server_request_bits());
        emit(text,
             "        %s = %s(mach_msg_payload(InHeadP));\n"
             "    } else {\n"
             "        %s = %s(%s);\n"
             "    }\n\n",
             name, type->payload.function, name, type->intran.function, raw);
        return;
    }

    emit(text, "    %s = %s(%s);\n", name, type->intran.function, raw);
}

/* What an out argument holds before the function was called. */
static void
gen_server_preset(struct text *text, const struct routine *routine,
                  const struct arg *arg)
{
    const struct type *type;
    const char *name, *place, *capacity;

    type = arg->type;
    name = gen_server_local(routine, arg);

    if (type->form == TYPE_FORM_STRING || type->form == TYPE_FORM_VSTRING) {
        place = name;

        if (gen_server_out_in_place(routine, arg)) {
            place = gen_field("Out", gen_server_value(&routine->reply, arg));
        }

        emit(text, "    %s[0] = '\\0';\n", place);
    }

    if (arg->server_poly) {
        emit(text, "    %sPoly = MACH_MSG_TYPE_PORT_SEND;\n", name);
    }

    if (arg_has_dealloc(arg)) {
        emit(text, "    %sDealloc = %s;\n", name,
             (arg->flags & ARG_FLAG_DEALLOC) ? "TRUE" : "FALSE");
    }

    if (!arg_has_count(arg)) {
        return;
    }

    if ((arg->flags & ARG_FLAG_COUNTINOUT) != 0) {
        capacity = gen_arg_field("In", &routine->request, arg,
                                 FIELD_CAPACITY);
        emit(text, "    %sCnt = %s;\n\n", name, capacity);
        emit(text,
             "    if (%sCnt > %u) {\n"
             "        %sCnt = %u;\n"
             "    }\n\n",
             name, type->count, name, type->count);
    } else {
        emit(text, "    %sCnt = %u;\n", name, type->count);
    }
}

/* inout: the count, disposition and so on that came with the request. */
static void
gen_server_preset_inout(struct text *text, const struct routine *routine,
                        const struct arg *arg)
{
    const char *name;

    name = gen_server_local(routine, arg);

    if (arg->server_poly) {
        emit(text, "    %sPoly = %s.disposition;\n", name,
             gen_field("In", gen_server_value(&routine->request, arg)));
    }

    if (arg_has_count(arg)) {
        emit(text, "    %sCnt = %s;\n", name,
             gen_server_count(routine, arg));
    }

    if (arg_has_dealloc(arg)) {
        emit(text, "    %sDealloc = FALSE;\n", name);
    }
}

static void
gen_server_prepare(struct text *text, const struct routine *routine)
{
    const struct arg *arg;

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
static const char *
gen_server_actual(const struct routine *routine, const struct arg *arg)
{
    const char *name, *place;

    name = gen_server_local(routine, arg);

    if (gen_server_needs_local(routine, arg)) {
        return (arg->out && !type_is_array(arg->type))
                   ? pool_printf("&%s", name)
                   : name;
    }

    if (!arg->out) {
        place = gen_server_raw(routine, arg);
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

static const char *
gen_server_actual_poly(const struct routine *routine, const struct arg *arg)
{
    const struct field *field;

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
        field = gen_server_value(&routine->request, arg);
        return pool_printf("%s%s.disposition", gen_field("In", field),
                           (field->kind == FIELD_PORTS) ? "[0]" : "");
    }
}

static void
gen_server_call_arg(struct text *text, const struct routine *routine,
                    const struct arg *arg, const char *separator)
{
    const char *name;

    name = gen_server_local(routine, arg);
    emit(text, "%s\n        %s", separator,
         gen_server_actual(routine, arg));

    if (arg->server_poly) {
        emit(text, ",\n        %s", gen_server_actual_poly(routine, arg));
    }

    if (arg_has_count(arg)) {
        emit(text, ",\n        %s",
             arg->out ? pool_printf("&%sCnt", name)
                      : gen_server_count(routine, arg));
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

/* Regions that the function saw as if they were in the message. */
static void
gen_server_release_ool(struct text *text, const struct routine *routine,
                       const struct arg *arg)
{
    const char *place, *size;

    place = gen_field("In", gen_server_value(&routine->request, arg));

    if (type_is_port(arg->type)) {
        size = pool_printf("%s.count * sizeof(mach_port_t)", place);
    } else {
        size = pool_printf("%s.size", place);
    }

    emit(text, "    %smig_deallocate(%s.address, %s);\n",
         options.runtime_prefix, place, size);
    emit(text, "    %s.address = 0;\n", place);
    emit(text, "    %s.%s = 0;\n\n", place,
         type_is_port(arg->type) ? "count" : "size");
}

static void
gen_server_release(struct text *text, const struct routine *routine)
{
    const struct type *type;
    const struct arg *arg;

    for (arg = routine->args; arg != NULL; arg = arg->next) {
        type = arg->type;

        if (!arg_is_server(arg) || arg->out) {
            continue;
        }

        if (type->destructor.function != NULL) {
            emit(text, "    %s(%s);\n", type->destructor.function,
                 gen_server_actual(routine, arg));
        }

        if (arg->in && type_is_ool(type) &&
            (type->like_inline || (arg->flags & ARG_FLAG_AUTO) != 0)) {
            gen_server_release_ool(text, routine, arg);
        }
    }
}

static const char *
gen_server_disposition(const struct routine *routine, const struct arg *arg)
{
    const char *sent;

    sent = gen_sent(arg, true);

    if (sent == NULL) {
        return pool_printf("(uint8_t)%sPoly",
                           gen_server_local(routine, arg));
    }

    return sent;
}

static const char *
gen_server_out_value(const struct routine *routine, const struct arg *arg)
{
    const char *name;

    name = gen_server_local(routine, arg);

    if (arg->type->outtran.function != NULL) {
        return pool_printf("%s(%s)", arg->type->outtran.function, name);
    }

    return name;
}

static void
gen_server_store_port(struct text *text, const struct routine *routine,
                      const struct field *field)
{
    const char *place;

    place = gen_field("Out", field);
    emit(text, "    %s.name = %s;\n", place,
         gen_server_out_value(routine, field->arg));
    emit(text, "    %s.pad1 = 0;\n    %s.pad2 = 0;\n", place, place);
    emit(text, "    %s.disposition = %s;\n", place,
         gen_server_disposition(routine, field->arg));
    emit(text, "    %s.type = MACH_MSG_PORT_DESCRIPTOR;\n\n", place);
}

static void
gen_server_store_ports(struct text *text, const struct routine *routine,
                       const struct field *field)
{
    const struct arg *arg;
    const char *place, *value, *name;

    arg = field->arg;
    name = gen_server_local(routine, arg);
    place = gen_field("Out", field);
    value = pool_printf("%s[i]", name);

    if (arg->count != NULL) {
        value = pool_printf("(i < %sCnt) ? %s : MACH_PORT_NULL",
                            gen_server_local(routine, arg->count), value);
    }

    emit(text, "    for (unsigned int i = 0; i < %u; i++) {\n",
         field->number);
    emit(text, "        %s[i].name = %s;\n", place, value);
    emit(text, "        %s[i].pad1 = 0;\n        %s[i].pad2 = 0;\n", place,
         place);
    emit(text, "        %s[i].disposition = %s;\n", place,
         gen_server_disposition(routine, arg));
    emit(text,
         "        %s[i].type = MACH_MSG_PORT_DESCRIPTOR;\n"
         "    }\n\n",
         place);
}

static void
gen_server_store_ool(struct text *text, const struct routine *routine,
                     const struct field *field)
{
    const struct arg *arg;
    const struct type *type;
    const char *place, *count, *name;

    arg = field->arg;
    type = arg->type;
    name = gen_server_local(routine, arg);
    place = gen_field("Out", field);

    emit(text, "    %s.address = (uintptr_t)%s;\n", place,
         gen_server_out_value(routine, arg));

    if (arg_has_dealloc(arg)) {
        emit(text, "    %s.deallocate = %sDealloc != FALSE;\n", place, name);
    } else {
        emit(text, "    %s.deallocate = %s;\n", place,
             (arg->flags & ARG_FLAG_DEALLOC) ? "TRUE" : "FALSE");
    }

    emit(text, "    %s.copy = %s;\n", place,
         (arg->flags & ARG_FLAG_PHYSICALCOPY) ? "MACH_MSG_PHYSICAL_COPY"
                                              : "MACH_MSG_VIRTUAL_COPY");

    count = (arg->count == NULL)
                ? NULL
                : pool_printf("%sCnt", gen_server_local(routine, arg->count));

    if (field->kind == FIELD_OOL_PORTS) {
        emit(text, "    %s.disposition = %s;\n", place,
             gen_server_disposition(routine, arg));
        emit(text, "    %s.type = MACH_MSG_OOL_PORTS_DESCRIPTOR;\n", place);
        emit(text, "    %s.count = %s;\n\n", place,
             (count != NULL) ? count : pool_printf("%u", type->count));
        return;
    }

    emit(text, "    %s.pad1 = 0;\n", place);
    emit(text, "    %s.type = MACH_MSG_OOL_DESCRIPTOR;\n", place);
    emit(text, "    %s.size = %s;\n\n", place,
         (count != NULL) ? gen_bytes(arg, count)
                         : pool_printf("%u", type->size));
}

static void
gen_server_store_data(struct text *text, const struct routine *routine,
                      const struct field *field)
{
    const char *place;

    place = gen_field("Out", field);

    if (!gen_server_out_in_place(routine, field->arg)) {
        if (field->kind == FIELD_ARRAY) {
            emit(text, "    memcpy(%s, %s, %u);\n", place,
                 gen_server_local(routine, field->arg), field->size);
        } else {
            emit(text, "    %s = %s;\n", place,
                 gen_server_out_value(routine, field->arg));
        }
    }

    if (field->pad != 0) {
        emit(text, "    memset(%sPad, 0, %u);\n", place, field->pad);
    }
}

static void
gen_server_store_string(struct text *text, const struct routine *routine,
                        const struct field *field)
{
    const char *place, *name;

    place = gen_field("Out", field);
    name = gen_server_local(routine, field->arg);

    if (gen_server_out_in_place(routine, field->arg)) {
        emit(text, "    (void)mig_string_seal(%s, %u);\n", place, field->size);
    } else {
        emit(text, "    (void)mig_string_fill(%s, %s, %u);\n", place,
             name, field->size);
    }

    if (field->pad != 0) {
        emit(text, "    (void)mig_pad(%s, %u);\n", place, field->size);
    }
}

/* Behind a variable field: the next segment, or the end of the message. */
static void
gen_server_advance(struct text *text, const struct routine *routine,
                   const struct field *field, const char *bytes)
{
    const char *next;

    if (gen_has_segment(&routine->reply, field->segment + 1)) {
        next = gen_pointer("Out", field->segment + 1);
        emit(text, "    %s = (void *)((char *)%s + %s);\n", next,
             gen_field("Out", field), bytes);
    } else {
        emit(text,
             "    OutP->Head.msgh_size = (mach_msg_size_t)\n"
             "        ((char *)%s + %s - (char *)OutP);\n",
             gen_field("Out", field), bytes);
    }
}

static void
gen_server_store_varray(struct text *text, const struct routine *routine,
                        const struct field *field)
{
    const struct arg *arg;
    const char *place, *bytes;

    arg = field->arg;
    place = gen_field("Out", field);
    bytes = gen_bytes(arg, pool_printf("%sCnt", gen_server_local(
                                                    routine, arg->count)));

    if (!gen_server_out_in_place(routine, arg)) {
        emit(text, "    memcpy(%s, %s, %s);\n", place,
             gen_server_local(routine, arg), bytes);
    }

    if ((arg->type->unit % 4) != 0) {
        bytes = pool_printf("mig_pad(%s, %s)", place, bytes);
    }

    gen_server_advance(text, routine, field, bytes);
}

static void
gen_server_store_vstring(struct text *text, const struct routine *routine,
                         const struct field *field)
{
    const char *place, *count;

    place = gen_field("Out", field);
    count = gen_arg_field("Out", &routine->reply, field->arg, FIELD_COUNT);

    if (gen_server_out_in_place(routine, field->arg)) {
        emit(text, "    %s = mig_string_seal(%s, %u);\n", count, place,
             field->size);
    } else {
        emit(text, "    %s = mig_string_copy(%s, %s, %u);\n", count, place,
             gen_server_local(routine, field->arg), field->size);
    }

    gen_server_advance(text, routine, field,
                       pool_printf("mig_pad(%s, %s)", place, count));
}

static void
gen_server_store_field(struct text *text, const struct routine *routine,
                       const struct field *field)
{
    switch (field->kind) {
    case FIELD_PORT:
        gen_server_store_port(text, routine, field);
        break;
    case FIELD_PORTS:
        gen_server_store_ports(text, routine, field);
        break;
    case FIELD_OOL:
    case FIELD_OOL_PORTS:
        gen_server_store_ool(text, routine, field);
        break;
    case FIELD_NDR:
        emit(text, "    OutP->NDR = NDR_record;\n");
        break;
    case FIELD_RETCODE:
        emit(text, "    OutP->RetCode = KERN_SUCCESS;\n");
        break;
    case FIELD_COUNT:
        if (field->arg->type->form != TYPE_FORM_VSTRING) {
            emit(text, "    %s = %sCnt;\n", gen_field("Out", field),
                 gen_server_local(routine, field->arg));
        }

        break;
    case FIELD_CAPACITY:
        break;
    case FIELD_OFFSET:
        emit(text, "    %s = 0;\n", gen_field("Out", field));
        break;
    case FIELD_DATA:
    case FIELD_ARRAY:
        gen_server_store_data(text, routine, field);
        break;
    case FIELD_STRING:
        gen_server_store_string(text, routine, field);
        break;
    case FIELD_VARRAY:
        gen_server_store_varray(text, routine, field);
        break;
    case FIELD_VSTRING:
        gen_server_store_vstring(text, routine, field);
        break;
    }
}

/* A server that claims more than there is room for gets what there is. */
static void
gen_server_clamp(struct text *text, const struct routine *routine)
{
    const struct arg *arg;
    const char *name, *limit;

    for (arg = routine->args; arg != NULL; arg = arg->next) {
        if (!arg->out || !arg_has_count(arg) || arg->type->count == 0) {
            continue;
        }

        name = gen_server_local(routine, arg);
        limit = pool_printf("%u", arg->type->count);
        emit(text,
             "    if (MIG_UNLIKELY(%sCnt > %s)) {\n"
             "        %sCnt = %s;\n"
             "    }\n\n",
             name, limit, name, limit);
    }
}

static void
gen_server_store(struct text *text, const struct routine *routine)
{
    const struct layout *layout;
    const struct field *field;
    unsigned int last;

    layout = &routine->reply;
    gen_server_clamp(text, routine);

    if (layout->complex) {
        emit(text, "    OutP->Head.msgh_bits |= MACH_MSGH_BITS_COMPLEX;\n");
        emit(text, "    OutP->msgh_body.msgh_descriptor_count = %u;\n\n",
             layout->descriptors);
    }

    for (field = layout->fields; field != NULL; field = field->next) {
        gen_server_store_field(text, routine, field);
    }

    last = layout->segments - 1;

    if (last == 0) {
        emit(text, "    OutP->Head.msgh_size = sizeof(*OutP);\n");
    } else if (gen_has_segment(layout, last)) {
        emit(text,
             "    OutP->Head.msgh_size = (mach_msg_size_t)\n"
             "        ((char *)(%s + 1) - (char *)OutP);\n",
             gen_pointer("Out", last));
    }
}

static void
gen_server_routine(struct text *text, const struct routine *routine)
{
    emit(text,
         "static void\n"
         "_X%s(mach_msg_header_t *InHeadP, mach_msg_header_t *OutHeadP)\n"
         "{\n",
         routine->name);
    gen_server_declare(text, routine);
    gen_server_check(text, routine);
    gen_server_prepare(text, routine);
    gen_server_call(text, routine);
    gen_server_release(text, routine);

    if (routine->oneway && routine->server_reply_port == NULL) {
        /* A right to reply that was sent all the same must not stay here:
         * the result goes to it. */
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

static uint32_t
gen_server_reply_max(const struct routine *routine)
{
    uint32_t error;

    error = LAYOUT_HEADER_SIZE + LAYOUT_WORD_SIZE +
            (options.ndr ? LAYOUT_NDR_SIZE : 0);

    if (routine == NULL || routine->oneway ||
        routine->reply.max_size < error) {
        return error;
    }

    return routine->reply.max_size;
}

static void
gen_server_table(struct text *text)
{
    const struct routine *routine;
    uint32_t size;
    unsigned int number, descriptors;

    size = gen_server_reply_max(NULL);

    for (routine = subsystem.routines; routine != NULL;
         routine = routine->next) {
        if (gen_server_reply_max(routine) > size) {
            size = gen_server_reply_max(routine);
        }
    }

    emit(text, "const struct mig_subsystem %s%s_subsystem = {\n",
         subsystem.server_prefix, subsystem.name);
    emit(text, "    .server = %s%s_routine,\n", options.prefix,
         subsystem_demux());
    emit(text, "    .start = %lu,\n    .end = %lu,\n    .maxsize = %u,\n",
         subsystem.base, subsystem.base + subsystem.slots, size);
    emit(text, "    .routine = {\n");
    number = 0;

    for (routine = subsystem.routines; routine != NULL;
         routine = routine->next) {
        for (; number < routine->number; number++) {
            emit(text, "        { NULL, NULL, 0, 0, NULL, 0 },\n");
        }

        descriptors = routine->request.descriptors;

        if (routine->reply.descriptors > descriptors) {
            descriptors = routine->reply.descriptors;
        }

        emit(text, "        { NULL, _X%s, %u, %u, NULL, %u },\n",
             routine->name, gen_parameter_count(routine, true), descriptors,
             gen_server_reply_max(routine));
        number++;
    }

    for (; number < subsystem.slots || number == 0; number++) {
        emit(text, "        { NULL, NULL, 0, 0, NULL, 0 },\n");
    }

    emit(text, "    },\n};\n\n");
}

static void
gen_server_lookup(struct text *text)
{
    const char *table;

    table = pool_printf("%s%s_subsystem", subsystem.server_prefix,
                        subsystem.name);

    emit(text,
         "mig_routine_t\n"
         "%s%s_routine(mach_msg_header_t *InHeadP)\n"
         "{\n",
         options.prefix, subsystem_demux());
    emit(text,
         "    unsigned int index;\n\n"
         "    index = (unsigned int)InHeadP->msgh_id - %lu;\n\n",
         subsystem.base);
    emit(text,
         "    if (MIG_UNLIKELY(index >= %u)) {\n"
         "        return NULL;\n"
         "    }\n\n"
         "    return %s.routine[index].stub_routine;\n"
         "}\n\n",
         subsystem.slots, table);
}

static void
gen_server_demux(struct text *text)
{
    emit(text,
         "boolean_t\n"
         "%s%s(mach_msg_header_t *InHeadP, mach_msg_header_t *OutHeadP)\n"
         "{\n"
         "    mig_routine_t routine;\n\n",
         options.prefix, subsystem_demux());
    emit(text,
         "    OutHeadP->msgh_bits = MACH_MSGH_BITS(\n"
         "        %s, 0);\n"
         "    OutHeadP->msgh_size = sizeof(mig_reply_error%s_t);\n",
         gen_server_reply_bits(), options.ndr ? "_ndr" : "");
    emit(text,
         "    OutHeadP->msgh_remote_port = %s;\n"
         "    OutHeadP->msgh_local_port = MACH_PORT_NULL;\n"
         "    OutHeadP->msgh_voucher_port = 0;\n"
         "    OutHeadP->msgh_id = InHeadP->msgh_id + 100;\n\n",
         gen_server_reply_port());
    emit(text,
         "    routine = %s%s_routine(InHeadP);\n\n"
         "    if (MIG_UNLIKELY(routine == NULL)) {\n"
         "        mig_refuse(OutHeadP, MIG_BAD_ID);\n"
         "        return FALSE;\n"
         "    }\n\n"
         "    routine(InHeadP, OutHeadP);\n"
         "    return TRUE;\n"
         "}\n",
         options.prefix, subsystem_demux());
}

static void
gen_server_symbols(struct text *text)
{
    const struct routine *routine;

    emit(text, "\nconst struct {\n"
               "    const char *name;\n"
               "    mach_msg_id_t id;\n"
               "    mig_routine_t routine;\n");
    emit(text, "} _%sSymTab[] = {\n", subsystem.name);

    for (routine = subsystem.routines; routine != NULL;
         routine = routine->next) {
        emit(text, "    { \"%s\", %lu, _X%s },\n", routine->name,
             subsystem_request_id(routine), routine->name);
    }

    emit(text, "    { NULL, 0, NULL },\n};\n");
}

void
gen_server(struct text *text)
{
    const struct routine *routine;

    gen_banner(text, "Server stubs");

    if (options_wants(options.server_header)) {
        gen_own_header(text, options.server_file, options.server_header);
        emit(text, "#include <stddef.h>\n#include <stdint.h>\n\n");
    } else {
        emit(text, "#include <stddef.h>\n");
        gen_server_interface(text);
    }

    gen_type_check(text);

    if (subsystem.rcsid != NULL) {
        emit(text, "const char %s_server_rcsid[] = %s;\n\n", subsystem.name,
             subsystem.rcsid);
    }

    gen_message_asserts(text, true);
    gen_refuse(text);

    for (routine = subsystem.routines; routine != NULL;
         routine = routine->next) {
        gen_server_routine(text, routine);
    }

    gen_server_table(text);
    gen_server_lookup(text);
    gen_server_demux(text);

    if (options.symbols) {
        gen_server_symbols(text);
    }
}
