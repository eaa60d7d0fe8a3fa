/*
 * SPDX-License-Identifier: MIT
 *
 * Client stubs: fill in a request, send it, wait for the reply, check it,
 * take it apart.
 *
 * A stub is a straight line when all goes well. What to do when it does not
 * is in two functions at the top of the file, kept out of line.
 */

#include <string.h>

#include "gen.h"
#include "options.h"
#include "pool.h"
#include "subsystem.h"

static bool
gen_user_any_twoway(void)
{
    const struct routine *routine;

    for (routine = subsystem.routines; routine != NULL;
         routine = routine->next) {
        if (!routine->oneway) {
            return true;
        }
    }

    return false;
}

/* True if the stub receives at a port of its own thread. */
static bool
gen_user_owns_port(const struct routine *routine)
{
    return !routine->oneway && routine->user_reply_port == NULL &&
           !subsystem.kernel_user;
}

static bool
gen_user_any_owner(void)
{
    const struct routine *routine;

    for (routine = subsystem.routines; routine != NULL;
         routine = routine->next) {
        if (gen_user_owns_port(routine)) {
            return true;
        }
    }

    return false;
}

static const char *
gen_user_destroy(void)
{
    return subsystem.kernel_user ? "mach_msg_destroy_from_kernel"
                                 : "mach_msg_destroy";
}

static void
gen_user_kernel_externs(struct text *text)
{
    emit(text,
         "extern mach_msg_return_t\n"
         "mach_msg_rpc_from_kernel(mach_msg_header_t *msg,\n"
         "                         mach_msg_size_t send_size,\n"
         "                         mach_msg_size_t rcv_size);\n"
         "extern mach_msg_return_t\n"
         "mach_msg_send_from_kernel(mach_msg_header_t *msg,\n"
         "                          mach_msg_size_t send_size);\n"
         "extern void\n"
         "mach_msg_destroy_from_kernel(mach_msg_header_t *msg);\n\n");
}

static void
gen_user_failed(struct text *text)
{
    emit(text,
         "/*\n"
         " * The message was not exchanged. If it never left, no reply can\n"
         " * come and the reply port is as good as before.\n"
         " */\n"
         "static MIG_COLD mach_msg_return_t\n"
         "mig_failed(mach_msg_return_t mr, mach_port_t reply_port)\n"
         "{\n"
         "    if (mr == MACH_SEND_INVALID_DATA ||\n"
         "        mr == MACH_SEND_INVALID_DEST ||\n"
         "        mr == MACH_SEND_INVALID_HEADER) {\n");
    emit(text, "        %smig_put_reply_port(reply_port);\n",
         options.runtime_prefix);
    emit(text, "    } else {\n"
               "        %smig_dealloc_reply_port(reply_port);\n",
         options.runtime_prefix);
    emit(text, "    }\n\n"
               "    return mr;\n"
               "}\n\n");
}

static void
gen_user_bad_reply(struct text *text)
{
    const char *error;

    error = options.ndr ? "mig_reply_error_ndr_t" : "mig_reply_error_t";

    emit(text,
         "/*\n"
         " * A reply that is not a success: an error reply, whose code is the\n"
         " * result, or something that must not be looked into.\n"
         " */\n"
         "static MIG_COLD kern_return_t\n"
         "mig_bad_reply(mach_msg_header_t *HeadP, mach_msg_id_t id%s)\n"
         "{\n",
         gen_user_any_owner() ? ", mach_port_t reply_port" : "");
    emit(text,
         "    const %s *ErrorP = (const void *)HeadP;\n"
         "    kern_return_t kr;\n\n",
         error);
    emit(text,
         "    if (HeadP->msgh_id == id) {\n"
         "        if (!(HeadP->msgh_bits & MACH_MSGH_BITS_COMPLEX) &&\n"
         "            HeadP->msgh_remote_port == MACH_PORT_NULL &&\n"
         "            HeadP->msgh_size == sizeof(*ErrorP) &&\n"
         "            ErrorP->RetCode != KERN_SUCCESS) {\n"
         "            return ErrorP->RetCode;\n"
         "        }\n\n"
         "        kr = MIG_TYPE_ERROR;\n"
         "    } else if (HeadP->msgh_id == MACH_NOTIFY_SEND_ONCE) {\n"
         "        kr = MIG_SERVER_DIED;\n"
         "    } else {\n"
         "        kr = MIG_REPLY_MISMATCH;\n");

    if (gen_user_any_owner()) {
        emit(text,
             "\n"
             "        /* The true reply may still come: not to this port. */\n"
             "        if (reply_port != MACH_PORT_NULL) {\n"
             "            %smig_dealloc_reply_port(reply_port);\n"
             "        }\n",
             options.runtime_prefix);
    }

    emit(text,
         "    }\n\n"
         "    %s(HeadP);\n"
         "    return kr;\n"
         "}\n\n",
         gen_user_destroy());
}

/* The function's result for a reply that is not as expected. */
static const char *
gen_user_bad_call(const struct routine *routine)
{
    const char *port;

    if (!gen_user_any_owner()) {
        port = "";
    } else if (gen_user_owns_port(routine)) {
        port = ", reply_port";
    } else {
        port = ", MACH_PORT_NULL";
    }

    return pool_printf("        return mig_bad_reply(&OutP->Head, %lu%s);\n",
                       subsystem_reply_id(routine), port);
}

static void
gen_user_locals(struct text *text, const struct routine *routine)
{
    const char *out;

    out = routine->oneway ? "" : gen_struct(routine, "Reply", 0);

    emit(text, "    union {\n        %s In;\n",
         gen_struct(routine, "Request", 0));

    if (!routine->oneway) {
        emit(text,
             "        struct {\n"
             "            %s Data;\n"
             "            mach_msg_trailer_t Trailer;\n"
             "        } Out;\n",
             out);
    }

    emit(text, "    } Mess;\n    %s *InP = &Mess.In;\n",
         gen_struct(routine, "Request", 0));

    if (!routine->oneway) {
        emit(text, "    %s *OutP = &Mess.Out.Data;\n", out);
    }

    gen_tail_pointers(text, routine, &routine->request, "Request", "In");

    if (!routine->oneway) {
        gen_tail_pointers(text, routine, &routine->reply, "Reply", "Out");
    }

    if (gen_user_owns_port(routine)) {
        emit(text, "    mach_port_t reply_port;\n");
    }

    if (layout_is_variable(&routine->request)) {
        emit(text, "    mach_msg_size_t msgh_size;\n");
    }

    if (layout_is_variable(&routine->reply)) {
        emit(text, "    mach_msg_size_t slack, bytes;\n");
    }
}

static bool
gen_user_may_truncate(const struct routine *routine)
{
    const struct arg *arg;

    for (arg = routine->args; arg != NULL; arg = arg->next) {
        if (arg->out && arg->type->form == TYPE_FORM_VARRAY) {
            return true;
        }
    }

    return false;
}

/* An array that does not fit is refused before anything else happens. */
static void
gen_user_check_counts(struct text *text, const struct routine *routine)
{
    const struct arg *arg;

    for (arg = routine->args; arg != NULL; arg = arg->next) {
        if (!arg->in || !type_is_variable(arg->type) ||
            arg->type->count == 0) {
            continue;
        }

        emit(text,
             "    if (%sCnt > %u) {\n"
             "        return MIG_ARRAY_TOO_LARGE;\n"
             "    }\n\n",
             arg->count->name, arg->type->count);
    }
}

static const char *
gen_user_disposition(const struct arg *arg, const char *star)
{
    const char *sent;

    sent = gen_sent(arg, false);

    if (sent == NULL) {
        return pool_printf("(uint8_t)%s%sPoly", star, arg->name);
    }

    return sent;
}

static void
gen_user_pack_port(struct text *text, const struct field *field,
                   const char *place, const char *value)
{
    const char *star;

    star = field->arg->out ? "*" : "";
    emit(text, "    %s.name = %s;\n", place, value);
    emit(text, "    %s.pad1 = 0;\n    %s.pad2 = 0;\n", place, place);
    emit(text, "    %s.disposition = %s;\n", place,
         gen_user_disposition(field->arg, star));
    emit(text, "    %s.type = MACH_MSG_PORT_DESCRIPTOR;\n\n", place);
}

static void
gen_user_pack_ports(struct text *text, const struct field *field)
{
    const struct arg *arg;
    const char *place, *value;

    arg = field->arg;
    place = gen_field("In", field);
    value = pool_printf("%s[i]", arg->name);

    if (type_is_variable(arg->type)) {
        value = pool_printf("(i < %sCnt) ? %s : MACH_PORT_NULL",
                            arg->count->name, value);
    }

    emit(text, "    for (unsigned int i = 0; i < %u; i++) {\n",
         field->number);
    emit(text, "        %s[i].name = %s;\n", place, value);
    emit(text, "        %s[i].pad1 = 0;\n        %s[i].pad2 = 0;\n", place,
         place);
    emit(text, "        %s[i].disposition = %s;\n", place,
         gen_user_disposition(arg, arg->out ? "*" : ""));
    emit(text,
         "        %s[i].type = MACH_MSG_PORT_DESCRIPTOR;\n"
         "    }\n\n",
         place);
}

static void
gen_user_pack_ool(struct text *text, const struct field *field)
{
    const struct arg *arg;
    const struct type *type;
    const char *place, *star, *count;

    arg = field->arg;
    type = arg->type;
    place = gen_field("In", field);
    star = arg->out ? "*" : "";

    emit(text, "    %s.address = (uintptr_t)%s%s;\n", place, star, arg->name);

    if (arg_has_dealloc(arg)) {
        emit(text, "    %s.deallocate = %sDealloc != FALSE;\n", place,
             arg->name);
    } else {
        emit(text, "    %s.deallocate = %s;\n", place,
             (arg->flags & ARG_FLAG_DEALLOC) ? "TRUE" : "FALSE");
    }

    emit(text, "    %s.copy = %s;\n", place,
         (arg->flags & ARG_FLAG_PHYSICALCOPY) ? "MACH_MSG_PHYSICAL_COPY"
                                              : "MACH_MSG_VIRTUAL_COPY");

    if (arg->count != NULL) {
        count = pool_printf("%s%sCnt", star, arg->count->name);
    } else {
        count = pool_printf("%u", type->count);
    }

    if (field->kind == FIELD_OOL_PORTS) {
        emit(text, "    %s.disposition = %s;\n", place,
             gen_user_disposition(arg, star));
        emit(text, "    %s.type = MACH_MSG_OOL_PORTS_DESCRIPTOR;\n", place);
        emit(text, "    %s.count = %s;\n\n", place, count);
        return;
    }

    emit(text, "    %s.pad1 = 0;\n", place);
    emit(text, "    %s.type = MACH_MSG_OOL_DESCRIPTOR;\n", place);

    if (arg->count != NULL) {
        emit(text, "    %s.size = %s;\n\n", place, gen_bytes(arg, count));
    } else {
        emit(text, "    %s.size = %u;\n\n", place, type->size);
    }
}

static void
gen_user_pack_pad(struct text *text, const struct field *field)
{
    if (field->pad != 0) {
        emit(text, "    memset(%sPad, 0, %u);\n", gen_field("In", field),
             field->pad);
    }
}

/* Behind a variable field: find where the next segment lies. */
static void
gen_user_advance(struct text *text, const struct routine *routine,
                 const struct field *field, const char *bytes)
{
    const char *next;

    if (gen_has_segment(&routine->request, field->segment + 1)) {
        next = gen_pointer("In", field->segment + 1);
        emit(text, "    %s = (void *)((char *)%s + %s);\n", next,
             gen_field("In", field), bytes);
    } else {
        emit(text,
             "    msgh_size = (mach_msg_size_t)\n"
             "        ((char *)%s + %s - (char *)InP);\n",
             gen_field("In", field), bytes);
    }
}

static void
gen_user_pack_varray(struct text *text, const struct routine *routine,
                     const struct field *field)
{
    const struct arg *arg;
    const char *place, *bytes;

    arg = field->arg;
    place = gen_field("In", field);
    bytes = gen_bytes(arg, pool_printf("%sCnt", arg->count->name));

    emit(text,
         "    if (%sCnt != 0) {\n"
         "        memcpy(%s, %s, %s);\n"
         "    }\n\n",
         arg->count->name, place, arg->name, bytes);

    if ((arg->type->unit % 4) != 0) {
        bytes = pool_printf("mig_pad(%s, %s)", place, bytes);
    }

    gen_user_advance(text, routine, field, bytes);
}

static void
gen_user_pack_vstring(struct text *text, const struct routine *routine,
                      const struct field *field)
{
    const char *place, *count;

    place = gen_field("In", field);
    count = gen_arg_field("In", &routine->request, field->arg, FIELD_COUNT);

    emit(text, "    %s = mig_string_copy(%s, %s, %u);\n", count, place,
         field->arg->name, field->size);
    gen_user_advance(text, routine, field,
                     pool_printf("mig_pad(%s, %s)", place, count));
}

static void
gen_user_pack_field(struct text *text, const struct routine *routine,
                    const struct field *field)
{
    const char *place, *name;

    place = gen_field("In", field);
    name = (field->arg == NULL) ? "" : field->arg->name;

    switch (field->kind) {
    case FIELD_PORT:
        gen_user_pack_port(text, field, place,
                           pool_printf("%s%s", field->arg->out ? "*" : "",
                                       name));
        break;
    case FIELD_PORTS:
        gen_user_pack_ports(text, field);
        break;
    case FIELD_OOL:
    case FIELD_OOL_PORTS:
        gen_user_pack_ool(text, field);
        break;
    case FIELD_NDR:
        emit(text, "    InP->NDR = NDR_record;\n");
        break;
    case FIELD_RETCODE:
        break;
    case FIELD_COUNT:
        if (field->arg->type->form != TYPE_FORM_VSTRING) {
            emit(text, "    %s = %s%sCnt;\n", place,
                 field->arg->out ? "*" : "", name);
        }
        break;
    case FIELD_CAPACITY:
        if (field->arg->type->count != 0) {
            emit(text, "    %s = (*%sCnt < %u) ? *%sCnt : %u;\n", place,
                 name, field->arg->type->count, name,
                 field->arg->type->count);
        }
        break;
    case FIELD_OFFSET:
        emit(text, "    %s = 0;\n", place);
        break;
    case FIELD_DATA:
        emit(text, "    %s = %s%s;\n", place, field->arg->out ? "*" : "",
             name);
        gen_user_pack_pad(text, field);
        break;
    case FIELD_ARRAY:
        emit(text, "    memcpy(%s, %s, %u);\n", place, name, field->size);
        gen_user_pack_pad(text, field);
        break;
    case FIELD_STRING:
        emit(text, "    (void)mig_string_fill(%s, %s, %u);\n", place,
             name, field->size);
        if (field->pad != 0) {
            emit(text, "    (void)mig_pad(%s, %u);\n", place, field->size);
        }
        break;
    case FIELD_VARRAY:
        gen_user_pack_varray(text, routine, field);
        break;
    case FIELD_VSTRING:
        gen_user_pack_vstring(text, routine, field);
        break;
    }
}

static void
gen_user_pack(struct text *text, const struct routine *routine)
{
    const struct layout *layout;
    const struct field *field;
    unsigned int last;

    layout = &routine->request;

    if (layout->complex) {
        emit(text, "    InP->msgh_body.msgh_descriptor_count = %u;\n\n",
             layout->descriptors);
    }

    for (field = layout->fields; field != NULL; field = field->next) {
        gen_user_pack_field(text, routine, field);
    }

    last = layout->segments - 1;

    if (last != 0 && gen_has_segment(layout, last)) {
        emit(text,
             "    msgh_size = (mach_msg_size_t)\n"
             "        ((char *)(%s + 1) - (char *)InP);\n",
             gen_pointer("In", last));
    }

    if (layout->fields != NULL) {
        emit(text, "\n");
    }
}

/* The reply port's disposition, and the port itself. */
static const char *
gen_user_reply_bits(const struct routine *routine)
{
    const struct arg *arg;

    arg = routine->user_reply_port;

    if (arg == NULL) {
        return routine->oneway ? "0" : "MACH_MSG_TYPE_MAKE_SEND_ONCE";
    }

    if (arg->user_poly) {
        return pool_printf("%sPoly", arg->name);
    }

    return gen_sent(arg, false);
}

static void
gen_user_head(struct text *text, const struct routine *routine)
{
    const struct arg *request;
    const char *local;

    request = routine->request_port;

    if (routine->user_reply_port != NULL) {
        local = routine->user_reply_port->name;
    } else if (gen_user_owns_port(routine)) {
        emit(text, "    reply_port = %smig_get_reply_port();\n",
             options.runtime_prefix);
        local = "reply_port";
    } else {
        local = "MACH_PORT_NULL";
    }

    emit(text, "    InP->Head.msgh_bits = %sMACH_MSGH_BITS(\n        %s, %s);\n",
         routine->request.complex ? "MACH_MSGH_BITS_COMPLEX | " : "",
         request->user_poly ? pool_printf("%sPoly", request->name)
                            : gen_sent(request, false),
         gen_user_reply_bits(routine));

    if (layout_is_variable(&routine->request)) {
        emit(text, "    InP->Head.msgh_size = msgh_size;\n");
    } else {
        emit(text, "    InP->Head.msgh_size = sizeof(*InP);\n");
    }

    emit(text, "    InP->Head.msgh_remote_port = %s;\n", request->name);
    emit(text, "    InP->Head.msgh_local_port = %s;\n", local);
    emit(text, "    InP->Head.msgh_voucher_port = 0;\n");
    emit(text, "    InP->Head.msgh_id = %lu;\n\n",
         subsystem_request_id(routine));
}

/* Options beyond MACH_SEND_MSG | MACH_RCV_MSG, and the timeout they mean. */
static const char *
gen_user_options(const struct routine *routine, const char **timeoutp)
{
    const char *list;
    bool receive;

    list = routine->oneway ? "MACH_SEND_MSG" : "MACH_SEND_MSG | MACH_RCV_MSG";
    *timeoutp = "MACH_MSG_TIMEOUT_NONE";
    receive = true;

    if (routine->wait_arg != NULL) {
        *timeoutp = routine->wait_arg->name;
    } else if (routine->send_arg != NULL) {
        *timeoutp = routine->send_arg->name;
        receive = false;
    } else if (routine->wait_time != NULL) {
        *timeoutp = routine->wait_time;
    } else if (routine->send_time != NULL) {
        *timeoutp = routine->send_time;
        receive = false;
    } else {
        receive = false;
        goto out_options;
    }

    list = pool_printf("%s | MACH_SEND_TIMEOUT", list);

    if (receive && !routine->oneway) {
        list = pool_printf("%s | MACH_RCV_TIMEOUT", list);
    }

out_options:
    if (routine->msg_option != NULL) {
        list = pool_printf("%s | %s", list, routine->msg_option);
    }

    if (routine->option_arg != NULL) {
        list = pool_printf("%s |\n            (mach_msg_option_t)%s", list,
                           routine->option_arg->name);
    }

    return list;
}

static void
gen_user_hook(struct text *text, const struct routine *routine,
              const char *when)
{
    emit(text, "    __%sSend%s(%lu, \"%s\")\n", when,
         routine->oneway ? "Simple" : "Rpc", subsystem_request_id(routine),
         routine->name);
}

static void
gen_user_send(struct text *text, const struct routine *routine)
{
    const char *size, *timeout, *list, *port;

    size = layout_is_variable(&routine->request) ? "msgh_size"
                                                 : "sizeof(*InP)";
    gen_user_hook(text, routine, "Before");

    if (subsystem.kernel_user) {
        if (routine->oneway) {
            emit(text, "    mr = mach_msg_send_from_kernel(&InP->Head, %s);\n",
                 size);
        } else {
            emit(text,
                 "    mr = mach_msg_rpc_from_kernel(&InP->Head, %s,\n"
                 "                                  sizeof(Mess.Out));\n",
                 size);
        }
    } else {
        list = gen_user_options(routine, &timeout);
        port = gen_user_owns_port(routine) ? "reply_port"
                                           : "InP->Head.msgh_local_port";

        emit(text, "    mr = mach_msg(\n        &InP->Head,\n        %s,\n",
             list);
        emit(text, "        %s, %s, %s,\n        %s, MACH_PORT_NULL);\n",
             size, routine->oneway ? "0" : "sizeof(Mess.Out)",
             routine->oneway ? "MACH_PORT_NULL" : port, timeout);
    }

    gen_user_hook(text, routine, "After");
    emit(text, "\n");
}

static void
gen_user_consume(struct text *text, const struct routine *routine)
{
    if (routine->consume == NULL) {
        return;
    }

    emit(text, "        if (mr == MACH_SEND_TIMED_OUT%s) {\n",
         (routine->consume[0] == 'A' || routine->consume[0] == 'a')
             ? " ||\n            mr == MACH_SEND_INVALID_DEST"
             : "");
    emit(text,
         "            %s(&InP->Head);\n"
         "        }\n\n",
         gen_user_destroy());
}

static void
gen_user_check_send(struct text *text, const struct routine *routine)
{
    if (routine->oneway && routine->consume == NULL) {
        emit(text, "    return mr;\n");
        return;
    }

    emit(text, "    if (MIG_UNLIKELY(mr != MACH_MSG_SUCCESS)) {\n");
    gen_user_consume(text, routine);

    if (gen_user_owns_port(routine)) {
        emit(text, "        return mig_failed(mr, reply_port);\n");
    } else {
        emit(text, "        return mr;\n");
    }

    emit(text, "    }\n\n");

    if (routine->oneway) {
        emit(text, "    return KERN_SUCCESS;\n");
    }
}

static void
gen_user_check_reply(struct text *text, const struct routine *routine)
{
    struct gen_check check = {
        .routine = routine,
        .layout = &routine->reply,
        .reply = true,
        .base = "Out",
        .bad_arguments = gen_user_bad_call(routine),
        .bad_type = gen_user_bad_call(routine),
    };
    struct gen_condition condition;

    gen_condition_begin(&condition, text, "");
    gen_condition_add(&condition, "OutP->Head.msgh_id != %lu",
                      subsystem_reply_id(routine));
    gen_check_header(&condition, &check);
    gen_condition_add(&condition,
                      "OutP->Head.msgh_remote_port != MACH_PORT_NULL");

    if (!routine->reply.complex) {
        gen_condition_add(&condition, "OutP->RetCode != KERN_SUCCESS");
    }

    gen_condition_end(&condition, check.bad_type);
    gen_check_body(text, &check);
}

/* Rights that the caller has no room for would be lost: give all of them up. */
static void
gen_user_check_room(struct text *text, const struct routine *routine)
{
    const struct arg *arg;
    const char *count;

    for (arg = routine->args; arg != NULL; arg = arg->next) {
        if (!arg->out || arg->type->form != TYPE_FORM_VPORTS ||
            !arg_has_count(arg)) {
            continue;
        }

        count = gen_arg_field("Out", &routine->reply, arg, FIELD_COUNT);
        emit(text, "    if (MIG_UNLIKELY(%s > *%sCnt)) {\n", count,
             arg->name);
        emit(text,
             "        *%sCnt = %s;\n"
             "        %s(&OutP->Head);\n"
             "        return MIG_ARRAY_TOO_LARGE;\n"
             "    }\n\n",
             arg->name, count, gen_user_destroy());
    }
}

static void
gen_user_unpack_ports(struct text *text, const struct routine *routine,
                      const struct field *field)
{
    const struct arg *arg;
    const char *count;

    arg = field->arg;
    count = (arg->count == NULL)
                ? pool_printf("%u", field->number)
                : gen_arg_field("Out", &routine->reply, arg->count,
                                FIELD_COUNT);
    emit(text, "    for (unsigned int i = 0; i < %s; i++) {\n", count);
    emit(text,
         "        %s[i] = %s[i].name;\n"
         "    }\n\n",
         arg->name, gen_field("Out", field));
}

/* What fits is copied; the count says how much there was. */
static void
gen_user_unpack_varray(struct text *text, const struct routine *routine,
                       const struct field *field)
{
    const struct arg *arg;
    const char *place, *count;

    arg = field->arg;
    place = gen_field("Out", field);
    count =
        gen_arg_field("Out", &routine->reply, arg->count, FIELD_COUNT);

    emit(text, "    bytes = %s;\n\n", gen_bytes(arg, count));

    if (arg_has_count(arg)) {
        emit(text, "    if (MIG_UNLIKELY(%s > *%sCnt)) {\n", count,
             arg->name);
        emit(text,
             "        bytes = %s;\n"
             "        kr = MIG_ARRAY_TOO_LARGE;\n"
             "    }\n\n",
             gen_bytes(arg, pool_printf("*%sCnt", arg->name)));
    }

    emit(text,
         "    if (bytes != 0) {\n"
         "        memcpy(%s, %s, bytes);\n"
         "    }\n\n",
         arg->name, place);
}

static void
gen_user_unpack_field(struct text *text, const struct routine *routine,
                      const struct field *field)
{
    const struct arg *arg;
    const char *place;

    arg = field->arg;
    place = gen_field("Out", field);

    switch (field->kind) {
    case FIELD_PORT:
        emit(text, "    *%s = %s.name;\n", arg->name, place);
        break;
    case FIELD_PORTS:
        gen_user_unpack_ports(text, routine, field);
        break;
    case FIELD_OOL:
    case FIELD_OOL_PORTS:
        emit(text, "    *%s = (%s)(uintptr_t)%s.address;\n", arg->name,
             type_user_ctype(arg->type), place);
        break;
    case FIELD_DATA:
        emit(text, "    *%s = %s;\n", arg->name, place);
        break;
    case FIELD_ARRAY:
        emit(text, "    memcpy(%s, %s, %u);\n", arg->name, place,
             field->size);
        break;
    case FIELD_STRING:
    case FIELD_VSTRING:
        emit(text, "    (void)mig_string_copy(%s, %s, %u);\n", arg->name, place,
             field->size);
        break;
    case FIELD_VARRAY:
        gen_user_unpack_varray(text, routine, field);
        break;
    default:
        break;
    }

    if (arg != NULL && arg->user_poly && field->kind != FIELD_COUNT) {
        emit(text, "    *%sPoly = %s%s.disposition;\n", arg->name, place,
             (field->kind == FIELD_PORTS) ? "[0]" : "");
    }
}

static void
gen_user_unpack(struct text *text, const struct routine *routine)
{
    const struct field *field;

    for (field = routine->reply.fields; field != NULL; field = field->next) {
        gen_user_unpack_field(text, routine, field);
    }

    /* Counts last: until then they say what room there is. */
    for (field = routine->reply.fields; field != NULL; field = field->next) {
        if (field->kind == FIELD_COUNT &&
            field->arg->type->form != TYPE_FORM_VSTRING) {
            emit(text, "    *%sCnt = %s;\n", field->arg->name,
                 gen_field("Out", field));
        }
    }
}

static void
gen_user_routine(struct text *text, const struct routine *routine)
{
    bool truncates;

    truncates = gen_user_may_truncate(routine);

    emit(text, "mig_external ");
    gen_prototype(text, routine, false);
    emit(text, "\n{\n");
    gen_user_locals(text, routine);
    emit(text, "    mach_msg_return_t mr;\n");

    if (truncates) {
        emit(text, "    kern_return_t kr = KERN_SUCCESS;\n");
    }

    emit(text, "    __DeclareSend%s(%lu, \"%s\")\n\n",
         routine->oneway ? "Simple" : "Rpc", subsystem_request_id(routine),
         routine->name);

    gen_user_check_counts(text, routine);
    gen_user_pack(text, routine);
    gen_user_head(text, routine);
    gen_user_send(text, routine);
    gen_user_check_send(text, routine);

    if (!routine->oneway) {
        gen_user_check_reply(text, routine);
        gen_user_check_room(text, routine);
        gen_user_unpack(text, routine);
        emit(text, "    return %s;\n", truncates ? "kr" : "KERN_SUCCESS");
    }

    emit(text, "}\n\n");
}

static void
gen_user_hooks(struct text *text)
{
    static const char *const hooks[] = {
        "DeclareSendRpc",    "BeforeSendRpc",    "AfterSendRpc",
        "DeclareSendSimple", "BeforeSendSimple", "AfterSendSimple",
    };
    size_t i;

    emit(text, "/* Hooks that the including code may define. */\n");

    for (i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++) {
        emit(text, "#ifndef __%s\n#define __%s(id, name)\n#endif\n",
             hooks[i], hooks[i]);
    }

    emit(text, "\n");
}

void
gen_user(struct text *text)
{
    const struct routine *routine;

    gen_banner(text, "Client stubs");

    if (options_wants(options.user_header)) {
        gen_own_header(text, options.user_file, options.user_header);
        emit(text, "#include <stddef.h>\n#include <stdint.h>\n\n");
    } else {
        emit(text, "#include <stddef.h>\n");
        gen_user_interface(text);
    }

    gen_type_check(text);
    gen_user_hooks(text);
    emit(text, "#ifndef mig_external\n#define mig_external\n#endif\n\n");

    if (subsystem.rcsid != NULL) {
        emit(text, "const char %s_user_rcsid[] = %s;\n\n", subsystem.name,
             subsystem.rcsid);
    }

    gen_message_asserts(text, false);

    if (subsystem.kernel_user) {
        gen_user_kernel_externs(text);
    }

    if (gen_user_any_owner()) {
        gen_user_failed(text);
    }

    if (gen_user_any_twoway()) {
        gen_user_bad_reply(text);
    }

    for (routine = subsystem.routines; routine != NULL;
         routine = routine->next) {
        gen_user_routine(text, routine);
    }
}
