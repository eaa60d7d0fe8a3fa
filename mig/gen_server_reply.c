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

static const char *
gen_server_disposition(const struct routine *routine, const struct arg *arg)
{
    const char *sent;

    sent = gen_sent(arg, true);

    if (sent == NULL) {
        return pool_printf("(uint8_t)%sPoly", gen_server_local(routine, arg));
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

    emit(text, "    for (unsigned int i = 0; i < %u; i++) {\n", field->number);
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
            emit(text, "    mig_copy(%s, %s, %u);\n", place,
                 gen_server_local(routine, field->arg), field->size);
        } else {
            emit(text, "    %s = %s;\n", place,
                 gen_server_out_value(routine, field->arg));
        }
    }

    gen_clear_holes(text, field, place);

    if (field->pad != 0) {
        emit(text, "    mig_clear(%sPad, %u);\n", place, field->pad);
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
        emit(text, "    (void)mig_string_fill(%s, %s, %u);\n", place, name,
             field->size);
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
        emit(text, "    %s = %s;\n", next, gen_behind("Out", field, bytes));
    } else {
        emit(text,
             "    OutP->Head.msgh_size = (mach_msg_size_t)\n"
             "        ((char *)%s - (char *)OutP);\n",
             gen_behind("Out", field, bytes));
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
    bytes = gen_bytes(
        arg, pool_printf("%sCnt", gen_server_local(routine, arg->count)));

    if (!gen_server_out_in_place(routine, arg)) {
        emit(text, "    mig_copy(%s, %s, %s);\n", place,
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
        emit(text, "    %s = mig_string_end(%s, %u);\n", count, place,
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
        break; /* since before the call */
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
