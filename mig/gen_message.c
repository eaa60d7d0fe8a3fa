/*
 * SPDX-License-Identifier: MIT
 *
 * The structures of the messages. Each routine has one for its request and
 * one for its reply, in which variable fields stand at their full size; what
 * follows a variable field is declared again as a structure of its own, to be
 * laid over the place where it really is.
 */

#include "gen.h"
#include "options.h"
#include "subsystem.h"

static void
gen_message_bytes(struct text *text, const struct field *field)
{
    /* A multiple of 4, so that the padding is inside. */
    emit(text, "    char %s[%u];\n", gen_field_name(field),
         field->size + field->pad);
}

static void
gen_message_array(struct text *text, const struct field *field, bool server)
{
    const struct type *type;
    uint32_t count, unit;

    type = field->arg->type;
    unit = type->unit;
    count = type->count;

    if ((field->pad % unit) == 0) {
        emit(text, "    %s %s[%u];\n", type_element_ctype(type, server),
             gen_field_name(field), count + field->pad / unit);
        return;
    }

    emit(text, "    %s %s[%u];\n", type_element_ctype(type, server),
         gen_field_name(field), count);
    emit(text, "    char %sPad[%u];\n", field->arg->name, field->pad);
}

static void
gen_message_data(struct text *text, const struct field *field, bool server)
{
    const struct type *type;

    type = field->arg->type;
    emit(text, "    %s %s;\n",
         server ? type_server_ctype(type) : type_user_ctype(type),
         gen_field_name(field));

    if (field->pad != 0) {
        emit(text, "    char %sPad[%u];\n", field->arg->name, field->pad);
    }
}

static void
gen_message_field(struct text *text, const struct field *field, bool server)
{
    const char *name;

    name = gen_field_name(field);

    switch (field->kind) {
    case FIELD_PORT:
        emit(text, "    mach_msg_port_descriptor_t %s;\n", name);
        break;
    case FIELD_PORTS:
        emit(text, "    mach_msg_port_descriptor_t %s[%u];\n", name,
             field->number);
        break;
    case FIELD_OOL:
        emit(text, "    mach_msg_ool_descriptor_t %s;\n", name);
        break;
    case FIELD_OOL_PORTS:
        emit(text, "    mach_msg_ool_ports_descriptor_t %s;\n", name);
        break;
    case FIELD_OOLS:
        emit(text, "    mach_msg_ool_%sdescriptor_t %s[%u];\n",
             type_is_port(field->arg->type) ? "ports_" : "", name,
             field->number);
        break;
    case FIELD_NDR:
        emit(text, "    NDR_record_t %s;\n", name);
        break;
    case FIELD_RETCODE:
        emit(text, "    kern_return_t %s;\n", name);
        break;
    case FIELD_COUNT:
    case FIELD_CAPACITY:
    case FIELD_PRESENT:
    case FIELD_OFFSET:
        emit(text, "    mach_msg_type_number_t %s;\n", name);
        break;
    case FIELD_STRING:
    case FIELD_VSTRING:
    case FIELD_NATIVE:
        gen_message_bytes(text, field);
        break;
    case FIELD_VARRAY:
        gen_message_array(text, field, server);
        break;
    case FIELD_DATA:
    case FIELD_ARRAY:
        gen_message_data(text, field, server);
        break;
    }
}

static void
gen_message_struct(struct text *text, const struct routine *routine,
                   const struct layout *layout, const char *which, bool server)
{
    const struct field *field;
    unsigned int segment;

    emit(text, "typedef struct {\n    mach_msg_header_t Head;\n");

    if (layout->complex) {
        emit(text, "    mach_msg_body_t msgh_body;\n");
    }

    for (field = layout->fields; field != NULL; field = field->next) {
        gen_message_field(text, field, server);
    }

    emit(text, "} __attribute__((__may_alias__)) %s;\n\n",
         gen_struct(routine, which, 0));

    for (segment = 1; segment < layout->segments; segment++) {
        if (!gen_has_segment(layout, segment)) {
            continue;
        }

        emit(text, "typedef struct {\n");

        for (field = layout->fields; field != NULL; field = field->next) {
            if (field->segment == segment) {
                gen_message_field(text, field, server);
            }
        }

        emit(text, "} __attribute__((__may_alias__)) %s;\n\n",
             gen_struct(routine, which, segment));
    }
}

static void
gen_message_union(struct text *text, const char *which, bool reply)
{
    const struct routine *routine;

    emit(text, "union __%sUnion__%s%s_subsystem {\n", which, options.prefix,
         subsystem.name);

    for (routine = subsystem.routines; routine != NULL;
         routine = routine->next) {
        if (!reply || !routine->oneway) {
            emit(text, "    %s %s_%s;\n", gen_struct(routine, which, 0), which,
                 routine->name);
        }
    }

    if (reply) {
        emit(text, "    mig_reply_error%s_t Error;\n",
             options.ndr ? "_ndr" : "");
    } else if (subsystem.routines == NULL) {
        emit(text, "    mach_msg_header_t Head;\n");
    }

    emit(text, "};\n\n");

    /* The name that other tools give it. */
    if (subsystem.user_prefix[0] != '\0') {
        emit(text, "#define __%sUnion__%s%s_subsystem ", which,
             subsystem.user_prefix, subsystem.name);
        emit(text, "__%sUnion__%s%s_subsystem\n\n", which, options.prefix,
             subsystem.name);
    }
}

void
gen_message_types(struct text *text, bool server)
{
    const struct routine *routine;

    emit(text, "#ifndef __messages__%s_subsystem__defined\n", subsystem.name);
    emit(text, "#define __messages__%s_subsystem__defined\n\n", subsystem.name);
    emit(text, "#pragma pack(push, 4)\n\n");

    for (routine = subsystem.routines; routine != NULL;
         routine = routine->next) {
        gen_message_struct(text, routine, &routine->request, "Request", server);

        if (!routine->oneway) {
            gen_message_struct(text, routine, &routine->reply, "Reply", server);
        }
    }

    emit(text, "#pragma pack(pop)\n\n");
    gen_message_union(text, "Request", false);
    gen_message_union(text, "Reply", true);
    emit(text, "#endif /* __messages__%s_subsystem__defined */\n\n",
         subsystem.name);
}

static void
gen_message_assert_struct(struct text *text, const struct routine *routine,
                          const struct layout *layout, const char *which)
{
    const struct field *field;
    const char *name;

    name = gen_struct(routine, which, 0);
    emit(text,
         "_Static_assert(sizeof(%s) == %u,\n"
         "               \"size of %s\");\n",
         name, layout->max_size, name);

    for (field = layout->fields; field != NULL; field = field->next) {
        name = gen_struct(routine, which, field->segment);
        emit(text,
             "_Static_assert(offsetof(%s, %s) == %u,\n"
             "               \"place of %s\");\n",
             name, gen_field_name(field), field->offset, gen_field_name(field));
    }
}

static void
gen_message_assert_arg(struct text *text, const struct arg *arg, bool server)
{
    const struct type *type;
    const char *name;

    type = arg->type;
    name = server ? type_server_ctype(type) : type_user_ctype(type);

    switch (type->form) {
    case TYPE_FORM_DATA:
        emit(text,
             "_Static_assert(_Alignof(%s) <= %u,\n"
             "               \"alignment of %s\");\n",
             name, type->align, name);
        break;
    case TYPE_FORM_ARRAY:
    case TYPE_FORM_PORT:
        break;
    case TYPE_FORM_VARRAY:
        name = type_element_ctype(type, server);
        emit(text,
             "_Static_assert(sizeof(%s) == %u,\n"
             "               \"size of %s\");\n",
             name, type->unit, name);
        return;
    case TYPE_FORM_NATIVE:
        emit(text,
             "_Static_assert(sizeof(%s) <= %u,\n"
             "               \"UserTypeLimit is too low for %s\");\n",
             name, type->size, name);
        return;
    default:
        return;
    }

    emit(text,
         "_Static_assert(sizeof(%s) == %u,\n"
         "               \"size of %s\");\n",
         name, type->size, name);
}

void
gen_message_asserts(struct text *text, bool server)
{
    const struct routine *routine;
    const struct arg *arg;

    emit(text, "/* Both sides must see the same messages. */\n\n");

    for (routine = subsystem.routines; routine != NULL;
         routine = routine->next) {
        gen_message_assert_struct(text, routine, &routine->request, "Request");

        if (!routine->oneway) {
            gen_message_assert_struct(text, routine, &routine->reply, "Reply");
        }

        for (arg = routine->args; arg != NULL; arg = arg->next) {
            if (arg->in || arg->out) {
                gen_message_assert_arg(text, arg, server);
            }
        }

        emit(text, "\n");
    }
}
