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
        value = pool_printf("(i < %s%sCnt) ? %s : MACH_PORT_NULL",
                            arg->out ? "*" : "", arg->count->name, value);
    }

    emit(text, "    for (unsigned int i = 0; i < %u; i++) {\n", field->number);
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
        emit(text, "    mig_clear(%sPad, %u);\n", gen_field("In", field),
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
        emit(text, "    %s = %s;\n", next, gen_behind("In", field, bytes));
    } else {
        emit(text,
             "    msgh_size = (mach_msg_size_t)\n"
             "        ((char *)%s - (char *)InP);\n",
             gen_behind("In", field, bytes));
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
         "        mig_copy(%s, %s, %s);\n"
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
gen_user_pack_descriptor(struct text *text, const struct field *field)
{
    const struct arg *arg;

    arg = field->arg;

    switch (field->kind) {
    case FIELD_PORT:
        gen_user_pack_port(text, field, gen_field("In", field),
                           pool_printf("%s%s", arg->out ? "*" : "", arg->name));
        break;
    case FIELD_PORTS:
        gen_user_pack_ports(text, field);
        break;
    default:
        gen_user_pack_ool(text, field);
        break;
    }
}

/* Counts, and the room that the client has for a result. */
static void
gen_user_pack_count(struct text *text, const struct routine *routine,
                    const struct field *field)
{
    const struct arg *arg;
    const char *place;
    uint32_t max;

    arg = field->arg;
    place = gen_field("In", field);

    switch (field->kind) {
    case FIELD_OFFSET:
        emit(text, "    %s = 0;\n", place);
        break;
    case FIELD_CAPACITY:
        max = arg_count_max(routine, arg);
        emit(text, "    %s = (*%sCnt < %u) ? *%sCnt : %u;\n", place, arg->name,
             max, arg->name, max);
        break;
    default:
        if (arg->type->form != TYPE_FORM_VSTRING) {
            emit(text, "    %s = %s%sCnt;\n", place, arg->out ? "*" : "",
                 arg->name);
        }

        break;
    }
}

static void
gen_user_pack_data(struct text *text, const struct routine *routine,
                   const struct field *field)
{
    const char *place, *name;

    place = gen_field("In", field);
    name = field->arg->name;

    switch (field->kind) {
    case FIELD_ARRAY:
        emit(text, "    mig_copy(%s, %s, %u);\n", place, name, field->size);
        gen_user_pack_pad(text, field);
        break;
    case FIELD_STRING:
        emit(text, "    (void)mig_string_fill(%s, %s, %u);\n", place, name,
             field->size);

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
    default:
        emit(text, "    %s = %s%s;\n", place, field->arg->out ? "*" : "", name);
        gen_clear_holes(text, field, place);
        gen_user_pack_pad(text, field);
        break;
    }
}

static void
gen_user_pack_field(struct text *text, const struct routine *routine,
                    const struct field *field)
{
    switch (field->kind) {
    case FIELD_PORT:
    case FIELD_PORTS:
    case FIELD_OOL:
    case FIELD_OOL_PORTS:
        gen_user_pack_descriptor(text, field);
        break;
    case FIELD_NDR:
        emit(text, "    InP->NDR = NDR_record;\n");
        break;
    case FIELD_RETCODE:
        break;
    case FIELD_COUNT:
    case FIELD_CAPACITY:
    case FIELD_OFFSET:
        gen_user_pack_count(text, routine, field);
        break;
    default:
        gen_user_pack_data(text, routine, field);
        break;
    }
}

void
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
