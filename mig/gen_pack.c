/*
 * SPDX-License-Identifier: MIT
 *
 * Arguments become a message: a client's request, or a server's reply. Every
 * byte that is sent is written, padding included, or it would carry what
 * happened to be in the buffer.
 */

#include "gen.h"
#include "gen_server.h"
#include "pool.h"

static const char *
gen_pack_name(const struct gen_pack *pack, const struct arg *arg)
{
    return pack->server ? gen_server_local(pack->routine, arg) : arg->name;
}

/* The client has results by pointer, also those that go both ways. */
static const char *
gen_pack_star(const struct gen_pack *pack, const struct arg *arg)
{
    return (arg->out && !pack->server) ? "*" : "";
}

static const char *
gen_pack_value(const struct gen_pack *pack, const struct arg *arg)
{
    const char *name;

    name = gen_pack_name(pack, arg);

    if (pack->server && arg->type->outtran.function != NULL) {
        return pool_printf("%s(%s)", arg->type->outtran.function, name);
    }

    return pool_printf("%s%s", gen_pack_star(pack, arg), name);
}

static const char *
gen_pack_count(const struct gen_pack *pack, const struct arg *arg)
{
    return pool_printf("%s%sCnt", gen_pack_star(pack, arg->count),
                       gen_pack_name(pack, arg->count));
}

static const char *
gen_pack_disposition(const struct gen_pack *pack, const struct arg *arg)
{
    const char *sent;

    sent = gen_sent(arg, pack->server);

    if (sent == NULL) {
        return pool_printf("(uint8_t)%s%sPoly", gen_pack_star(pack, arg),
                           gen_pack_name(pack, arg));
    }

    return sent;
}

static bool
gen_pack_in_place(const struct gen_pack *pack, const struct arg *arg)
{
    return pack->server && gen_server_out_in_place(pack->routine, arg);
}

/* A port descriptor; INDENT deeper inside a loop. */
static void
gen_pack_port(struct text *text, const struct gen_pack *pack,
              const struct field *field, const char *place, const char *value,
              const char *indent)
{
    emit(text, "%s%s.name = %s;\n", indent, place, value);
    emit(text, "%s%s.pad1 = 0;\n%s%s.pad2 = 0;\n", indent, place, indent,
         place);
    emit(text, "%s%s.disposition = %s;\n", indent, place,
         gen_pack_disposition(pack, field->arg));
    emit(text, "%s%s.type = MACH_MSG_PORT_DESCRIPTOR;\n", indent, place);
}

static void
gen_pack_ports(struct text *text, const struct gen_pack *pack,
               const struct field *field)
{
    const struct arg *arg;
    const char *value;

    arg = field->arg;
    value = pool_printf("%s[i]", gen_pack_name(pack, arg));

    if (arg->count != NULL) {
        value = pool_printf("(i < %s) ? %s : MACH_PORT_NULL",
                            gen_pack_count(pack, arg), value);
    }

    emit(text, "    for (unsigned int i = 0; i < %u; i++) {\n", field->number);
    gen_pack_port(text, pack, field,
                  pool_printf("%s[i]", gen_field(pack->base, field)), value,
                  "        ");
    emit(text, "    }\n\n");
}

/* What an out-of-line descriptor says beside where and how much. */
static void
gen_pack_ool_kind(struct text *text, const struct gen_pack *pack,
                  const struct field *field, const char *place,
                  const char *indent)
{
    const struct arg *arg;

    arg = field->arg;

    if (arg_has_dealloc(arg)) {
        emit(text, "%s%s.deallocate = %sDealloc != FALSE;\n", indent, place,
             gen_pack_name(pack, arg));
    } else {
        emit(text, "%s%s.deallocate = %s;\n", indent, place,
             (arg->flags & ARG_FLAG_DEALLOC) ? "TRUE" : "FALSE");
    }

    emit(text, "%s%s.copy = %s;\n", indent, place,
         (arg->flags & ARG_FLAG_PHYSICALCOPY) ? "MACH_MSG_PHYSICAL_COPY"
                                              : "MACH_MSG_VIRTUAL_COPY");

    if (type_is_port(arg->type)) {
        emit(text, "%s%s.disposition = %s;\n", indent, place,
             gen_pack_disposition(pack, arg));
        emit(text, "%s%s.type = MACH_MSG_OOL_PORTS_DESCRIPTOR;\n", indent,
             place);
    } else {
        emit(text, "%s%s.pad1 = 0;\n", indent, place);
        emit(text, "%s%s.type = MACH_MSG_OOL_DESCRIPTOR;\n", indent, place);
    }
}

static void
gen_pack_ool(struct text *text, const struct gen_pack *pack,
             const struct field *field)
{
    const struct arg *arg;
    const char *place, *count;

    arg = field->arg;
    place = gen_field(pack->base, field);
    count = (arg->count != NULL) ? gen_pack_count(pack, arg) : NULL;

    emit(text, "    %s.address = (uintptr_t)%s;\n", place,
         gen_pack_value(pack, arg));
    gen_pack_ool_kind(text, pack, field, place, "    ");

    if (field->kind == FIELD_OOL_PORTS) {
        emit(text, "    %s.count = %s;\n\n", place,
             (count != NULL) ? count : pool_printf("%u", arg->type->count));
    } else {
        emit(text, "    %s.size = %s;\n\n", place,
             (count != NULL) ? gen_bytes(arg, count)
                             : pool_printf("%u", arg->type->size));
    }
}

/* A row of regions: those behind the count are empty. */
static void
gen_pack_ools(struct text *text, const struct gen_pack *pack,
              const struct field *field)
{
    const struct arg *arg;
    const char *name, *place, *size, *used;

    arg = field->arg;
    name = gen_pack_name(pack, arg);
    place = pool_printf("%s[i]", gen_field(pack->base, field));
    size = pool_printf("%u", arg_ool_size(arg));

    if (arg_has_subs(arg)) {
        size = pool_printf("%sSubs[i]", name);
        size = type_is_port(arg->type) ? size : gen_bytes(arg, size);
    }

    used = "";

    if (arg->count != NULL) {
        used = pool_printf("(i >= %s) ? 0 : ", gen_pack_count(pack, arg));
    }

    emit(text, "    for (unsigned int i = 0; i < %u; i++) {\n", field->number);
    emit(text, "        %s.address = %s(uintptr_t)%s[i];\n", place, used, name);
    gen_pack_ool_kind(text, pack, field, place, "        ");
    emit(text, "        %s.%s = %s%s;\n    }\n\n", place,
         type_is_port(arg->type) ? "count" : "size", used, size);
}

/* Behind a variable field: the next segment, or the end of the message. */
static void
gen_pack_advance(struct text *text, const struct gen_pack *pack,
                 const struct field *field, const char *bytes)
{
    const char *next;

    if (gen_has_segment(pack->layout, field->segment + 1)) {
        next = gen_pointer(pack->base, field->segment + 1);
        emit(text, "    %s = %s;\n", next,
             gen_behind(pack->base, field, bytes));
    } else {
        emit(text,
             "    %s = (mach_msg_size_t)\n"
             "        ((char *)%s - (char *)%sP);\n",
             pack->size, gen_behind(pack->base, field, bytes), pack->base);
    }
}

static void
gen_pack_varray(struct text *text, const struct gen_pack *pack,
                const struct field *field)
{
    const struct arg *arg;
    const char *place, *count, *bytes;

    arg = field->arg;
    place = gen_field(pack->base, field);
    count = gen_pack_count(pack, arg);
    bytes = gen_bytes(arg, count);

    if (!gen_pack_in_place(pack, arg)) {
        emit(text,
             "    if (%s != 0) {\n"
             "        mig_copy(%s, %s, %s);\n"
             "    }\n\n",
             count, place, gen_pack_name(pack, arg), bytes);
    }

    if ((arg->type->unit % 4) != 0) {
        bytes = pool_printf("mig_pad(%s, %s)", place, bytes);
    }

    gen_pack_advance(text, pack, field, bytes);
}

static void
gen_pack_vstring(struct text *text, const struct gen_pack *pack,
                 const struct field *field)
{
    const char *place, *count;

    place = gen_field(pack->base, field);
    count = gen_arg_field(pack->base, pack->layout, field->arg, FIELD_COUNT);

    if (gen_pack_in_place(pack, field->arg)) {
        emit(text, "    %s = mig_string_end(%s, %u);\n", count, place,
             field->size);
    } else {
        emit(text, "    %s = mig_string_copy(%s, %s, %u);\n", count, place,
             gen_pack_name(pack, field->arg), field->size);
    }

    gen_pack_advance(text, pack, field,
                     pool_printf("mig_pad(%s, %s)", place, count));
}

static void
gen_pack_string(struct text *text, const struct gen_pack *pack,
                const struct field *field)
{
    const char *place;

    place = gen_field(pack->base, field);

    if (gen_pack_in_place(pack, field->arg)) {
        emit(text, "    (void)mig_string_seal(%s, %u);\n", place, field->size);
    } else {
        emit(text, "    (void)mig_string_fill(%s, %s, %u);\n", place,
             gen_pack_name(pack, field->arg), field->size);
    }

    if (field->pad != 0) {
        emit(text, "    (void)mig_pad(%s, %u);\n", place, field->size);
    }
}

static void
gen_pack_data(struct text *text, const struct gen_pack *pack,
              const struct field *field)
{
    const char *place;

    place = gen_field(pack->base, field);

    if (gen_pack_in_place(pack, field->arg)) {
        /* It is there already. */
    } else if (field->kind == FIELD_ARRAY) {
        emit(text, "    mig_copy(%s, %s, %u);\n", place,
             gen_pack_name(pack, field->arg), field->size);
    } else {
        emit(text, "    %s = %s;\n", place, gen_pack_value(pack, field->arg));
    }

    gen_clear_holes(text, field, place);

    if (field->pad != 0) {
        emit(text, "    mig_clear(%sPad, %u);\n", place, field->pad);
    }
}

/* A C value whose size only the C compiler knows. */
static void
gen_pack_native(struct text *text, const struct gen_pack *pack,
                const struct field *field)
{
    const struct arg *arg;
    const char *place, *name, *address, *bytes;

    arg = field->arg;
    place = gen_field(pack->base, field);
    name = gen_pack_name(pack, arg);
    address = (arg->type->native.by_value || pack->server) ? "&" : "";
    bytes = gen_native_size(arg);

    if (arg->type->native.absent == NULL) {
        emit(text, "    mig_copy(%s, %s%s, %s);\n", place, address, name,
             bytes);
        gen_pack_advance(text, pack, field,
                         pool_printf("mig_pad(%s, %s)", place, bytes));
        return;
    }

    emit(text,
         "    if (%s) {\n"
         "        mig_copy(%s, %s%s, %s);\n"
         "        (void)mig_pad(%s, %s);\n"
         "    }\n\n",
         gen_arg_field(pack->base, pack->layout, arg, FIELD_PRESENT), place,
         address, name, bytes, place, bytes);
    gen_pack_advance(
        text, pack, field,
        pool_printf("(%s ? MIG_ROUND(%s) : 0)",
                    gen_arg_field(pack->base, pack->layout, arg, FIELD_PRESENT),
                    bytes));
}

/* Words that say something of an argument; those of strings come later. */
static void
gen_pack_word(struct text *text, const struct gen_pack *pack,
              const struct field *field)
{
    const struct arg *arg;
    const char *place;
    uint32_t max;

    arg = field->arg;
    place = gen_field(pack->base, field);

    switch (field->kind) {
    case FIELD_OFFSET:
        emit(text, "    %s = 0;\n", place);
        break;
    case FIELD_PRESENT:
        emit(text, "    %s = %s != (%s *)(%s);\n", place, arg->name,
             type_user_ctype(arg->type), arg->type->native.absent);
        break;
    case FIELD_CAPACITY:
        max = arg_count_max(pack->routine, arg);
        emit(text, "    %s = (*%sCnt < %u) ? *%sCnt : %u;\n", place, arg->name,
             max, arg->name, max);
        break;
    default:
        if (arg->type->form != TYPE_FORM_VSTRING) {
            emit(text, "    %s = %s;\n", place, gen_pack_count(pack, arg));
        }

        break;
    }
}

static void
gen_pack_field(struct text *text, const struct gen_pack *pack,
               const struct field *field)
{
    switch (field->kind) {
    case FIELD_PORT:
        gen_pack_port(text, pack, field, gen_field(pack->base, field),
                      gen_pack_value(pack, field->arg), "    ");
        emit(text, "\n");
        break;
    case FIELD_PORTS:
        gen_pack_ports(text, pack, field);
        break;
    case FIELD_OOL:
    case FIELD_OOL_PORTS:
        gen_pack_ool(text, pack, field);
        break;
    case FIELD_OOLS:
        gen_pack_ools(text, pack, field);
        break;
    case FIELD_NDR:
        emit(text, "    %sP->NDR = NDR_record;\n", pack->base);
        break;
    case FIELD_RETCODE:
        break; /* a server's stub wrote it before the call */
    case FIELD_COUNT:
    case FIELD_CAPACITY:
    case FIELD_OFFSET:
    case FIELD_PRESENT:
        gen_pack_word(text, pack, field);
        break;
    case FIELD_DATA:
    case FIELD_ARRAY:
        gen_pack_data(text, pack, field);
        break;
    case FIELD_STRING:
        gen_pack_string(text, pack, field);
        break;
    case FIELD_VARRAY:
        gen_pack_varray(text, pack, field);
        break;
    case FIELD_VSTRING:
        gen_pack_vstring(text, pack, field);
        break;
    case FIELD_NATIVE:
        gen_pack_native(text, pack, field);
        break;
    }
}

void
gen_pack(struct text *text, const struct gen_pack *pack)
{
    const struct layout *layout;
    const struct field *field;
    unsigned int last;

    layout = pack->layout;

    if (layout->complex) {
        emit(text, "    %sP->msgh_body.msgh_descriptor_count = %u;\n\n",
             pack->base, layout->descriptors);
    }

    for (field = layout->fields; field != NULL; field = field->next) {
        gen_pack_field(text, pack, field);
    }

    last = layout->segments - 1;

    if (last != 0 && gen_has_segment(layout, last)) {
        emit(text,
             "    %s = (mach_msg_size_t)\n"
             "        ((char *)(%s + 1) - (char *)%sP);\n",
             pack->size, gen_pointer(pack->base, last), pack->base);
    }
}
