/*
 * SPDX-License-Identifier: MIT
 *
 * Checks on a received message, the same for requests and replies.
 *
 * The order is what makes them sound. First the size is at least that of a
 * message whose variable fields are all empty, so that every fixed field can
 * be read. From then on `slack' holds the bytes not yet accounted for: each
 * variable field must find its own among them, and the last one must use them
 * up.
 */

#include "gen.h"

#include <stddef.h>

#include "pool.h"
#include "subsystem.h"

#define GEN_CHECK_GUARD "__MigTypeCheck && "

/* Beyond what a request has: no right in the header, the id, success. */
static void
gen_check_reply(struct gen_condition *condition, const struct gen_check *check)
{
    const struct layout *layout;
    unsigned long id;

    layout = check->layout;
    id = subsystem_reply_id(check->routine);

    if (layout_is_variable(layout)) {
        gen_condition_add(condition,
                          "OutP->Head.msgh_remote_port != MACH_PORT_NULL");
    }

    if (layout->complex) {
        gen_condition_add(condition, "!mig_has_id(&OutP->Head, %lu, %u)", id,
                          layout->descriptors);
    } else if (layout_find(layout, NULL, FIELD_NDR) == NULL) {
        gen_condition_add(condition,
                          "!mig_has_id(&OutP->Head, %lu, KERN_SUCCESS)", id);
    } else {
        gen_condition_add(condition, "OutP->Head.msgh_id != %lu", id);
        gen_condition_add(condition, "OutP->RetCode != KERN_SUCCESS");
    }
}

void
gen_check_header(struct gen_condition *condition, const struct gen_check *check)
{
    const struct layout *layout;
    const char *base;

    layout = check->layout;
    base = check->base;

    if (layout_is_variable(layout)) {
        gen_condition_add(condition,
                          "%s(%sP->Head.msgh_bits & MACH_MSGH_BITS_COMPLEX)",
                          layout->complex ? "!" : "", base);
        gen_condition_add(condition, "%sP->Head.msgh_size < %u", base,
                          layout->min_size);
    } else {
        gen_condition_add(condition, "!mig_%sis_%s(&%sP->Head, sizeof(*%sP))",
                          check->reply ? "reply_" : "",
                          layout->complex ? "complex" : "simple", base, base);
    }

    if (check->reply) {
        gen_check_reply(condition, check);
    } else if (layout->complex) {
        gen_condition_add(condition,
                          "%sP->msgh_body.msgh_descriptor_count != %u", base,
                          layout->descriptors);
    }
}

static void
gen_check_disposition(struct gen_condition *condition,
                      const struct field *field, const char *place)
{
    const char *received;

    received = gen_received(field->arg);

    if (received != NULL) {
        gen_condition_add(condition, "%s.disposition != %s", place, received);
    }
}

static void
gen_check_descriptor(struct gen_condition *condition,
                     const struct gen_check *check, const struct field *field)
{
    const struct type *type;
    const char *place;

    type = field->arg->type;
    place = gen_field(check->base, field);

    switch (field->kind) {
    case FIELD_PORT:
        gen_condition_add(condition, "%s.type != MACH_MSG_PORT_DESCRIPTOR",
                          place);
        gen_check_disposition(condition, field, place);
        break;
    case FIELD_OOL:
        gen_condition_add(condition, "%s.type != MACH_MSG_OOL_DESCRIPTOR",
                          place);

        if (field->arg->count == NULL) {
            gen_condition_add(condition, "%s.size != %u", place, type->size);
        }

        break;
    case FIELD_OOL_PORTS:
        gen_condition_add(condition, "%s.type != MACH_MSG_OOL_PORTS_DESCRIPTOR",
                          place);
        gen_check_disposition(condition, field, place);

        if (field->arg->count == NULL) {
            gen_condition_add(condition, "%s.count != %u", place, type->count);
        }

        break;
    default:
        break;
    }
}

/* A row of port descriptors: all of them, used or not, must be alike. */
static void
gen_check_ports(struct text *text, const struct gen_check *check,
                const struct field *field)
{
    const char *place, *received;

    place = gen_field(check->base, field);
    received = gen_received(field->arg);

    if (received == NULL) {
        received = pool_printf("%s[0].disposition", place);
    }

    emit(text, "    for (unsigned int i = 0; i < %u; i++) {\n", field->number);
    emit(text,
         "        if (" GEN_CHECK_GUARD "MIG_UNLIKELY(\n"
         "                %s[i].type != MACH_MSG_PORT_DESCRIPTOR ||\n"
         "                %s[i].disposition != %s)) {\n",
         place, place, received);
    emit(text,
         "    %s"
         "        }\n"
         "    }\n\n",
         check->bad_type);
}

/* A row of regions: each of the type and size that are declared. */
static void
gen_check_ools(struct text *text, const struct gen_check *check,
               const struct field *field)
{
    struct gen_condition condition;
    const struct arg *arg;
    const char *place, *size;
    bool ports;

    arg = field->arg;
    ports = type_is_port(arg->type);
    place = pool_printf("%s[i]", gen_field(check->base, field));
    size = pool_printf("%s.%s", place, ports ? "count" : "size");

    emit(text, "    for (unsigned int i = 0; i < %u; i++) {\n", field->number);
    gen_condition_begin(&condition, text, GEN_CHECK_GUARD);
    gen_condition_add(&condition, "%s.type != MACH_MSG_OOL_%sDESCRIPTOR", place,
                      ports ? "PORTS_" : "");

    if (ports) {
        gen_check_disposition(&condition, field, place);
    }

    if (arg_has_subs(arg)) {
        if (!ports && arg->type->unit > 1) {
            gen_condition_add(&condition, "%s %% %u != 0", size,
                              arg->type->unit);
        }

        if (arg->type->element->count != 0) {
            gen_condition_add(&condition, "%s > %u", size,
                              arg->type->element->count *
                                  (ports ? 1 : arg->type->unit));
        }
    } else if (arg->count == NULL) {
        gen_condition_add(&condition, "%s != %u", size, arg_ool_size(arg));
    }

    gen_condition_end(&condition, check->bad_type);
    emit(text, "    }\n\n");
}

/* Regions behind the count are empty, the others of their fixed size. */
static void
gen_check_used_ools(struct text *text, const struct gen_check *check,
                    const struct arg *arg, const char *count)
{
    struct gen_condition condition;
    const struct field *field;
    const char *place, *size;

    field = layout_find(check->layout, arg, FIELD_OOLS);
    place = pool_printf("%s[i]", gen_field(check->base, field));
    size =
        pool_printf("%s.%s", place, type_is_port(arg->type) ? "count" : "size");

    emit(text, "    for (unsigned int i = 0; i < %u; i++) {\n", field->number);
    gen_condition_begin(&condition, text, GEN_CHECK_GUARD);
    gen_condition_add(&condition, "(i >= %s && %s != 0)", count, size);

    if (!arg_has_subs(arg)) {
        gen_condition_add(&condition, "(i < %s && %s != %u)", count, size,
                          arg_ool_size(arg));
    }

    gen_condition_end(&condition, check->bad_type);
    emit(text, "    }\n\n");
}

static void
gen_check_descriptors(struct text *text, const struct gen_check *check)
{
    struct gen_condition condition;
    const struct field *field;

    gen_condition_begin(&condition, text, GEN_CHECK_GUARD);

    for (field = check->layout->fields; field != NULL; field = field->next) {
        if (field->arg != NULL) {
            gen_check_descriptor(&condition, check, field);
        }
    }

    gen_condition_end(&condition, check->bad_type);

    for (field = check->layout->fields; field != NULL; field = field->next) {
        if (field->kind == FIELD_PORTS) {
            gen_check_ports(text, check, field);
        } else if (field->kind == FIELD_OOLS) {
            gen_check_ools(text, check, field);
        }
    }
}

/* Names behind the count would be rights that nobody looks at. */
static void
gen_check_unused_ports(struct text *text, const struct gen_check *check,
                       const struct arg *arg, const char *count)
{
    const struct field *field;

    field = layout_find(check->layout, arg, FIELD_PORTS);
    emit(text,
         "    for (unsigned int i = %s; i < %u; i++) {\n"
         "        if (" GEN_CHECK_GUARD "MIG_UNLIKELY(\n"
         "                %s[i].name != MACH_PORT_NULL)) {\n",
         count, field->number, gen_field(check->base, field));
    emit(text,
         "    %s"
         "        }\n"
         "    }\n\n",
         check->bad_type);
}

static void
gen_check_counted(struct text *text, const struct gen_check *check,
                  const struct arg *arg, const char *count)
{
    struct gen_condition condition;
    const struct type *type;

    type = arg->type;
    gen_condition_begin(&condition, text, GEN_CHECK_GUARD);

    if (type->form != TYPE_FORM_VARRAY && type->count != 0) {
        gen_condition_add(&condition, "%s > %u", count, type->count);
    }

    if (type->form == TYPE_FORM_VOOL) {
        gen_condition_add(
            &condition, "%s.size != (uint64_t)%s",
            gen_arg_field(check->base, check->layout, arg, FIELD_OOL),
            gen_bytes(arg, count));
    } else if (type->form == TYPE_FORM_VOOL_PORTS) {
        gen_condition_add(
            &condition, "%s.count != %s",
            gen_arg_field(check->base, check->layout, arg, FIELD_OOL_PORTS),
            count);
    }

    gen_condition_end(&condition, check->bad_type);

    if (type->form == TYPE_FORM_VPORTS) {
        gen_check_unused_ports(text, check, arg, count);
    } else if (type->form == TYPE_FORM_VOOLS) {
        gen_check_used_ools(text, check, arg, count);
    }
}

/* What a count says must agree with the descriptors that it is about. */
static void
gen_check_count(struct text *text, const struct gen_check *check,
                const struct field *field)
{
    const struct arg *arg;
    bool present;

    for (arg = check->routine->args; arg != NULL; arg = arg->next) {
        present = check->reply ? arg->out : arg->in;

        if (present && arg->count == field->arg) {
            gen_check_counted(text, check, arg, gen_field(check->base, field));
        }
    }
}

/* The bytes of a variable field are found: what comes behind them? */
static void
gen_check_advance(struct text *text, const struct gen_check *check,
                  const struct field *field, bool last)
{
    if (!last) {
        emit(text, "    slack -= bytes;\n");
    }

    if (gen_has_segment(check->layout, field->segment + 1)) {
        emit(text, "    %s = %s;\n\n",
             gen_pointer(check->base, field->segment + 1),
             gen_behind(check->base, field, "bytes"));
    } else if (!last) {
        emit(text, "\n");
    }
}

static void
gen_check_native(struct text *text, const struct gen_check *check,
                 const struct field *field, bool last)
{
    struct gen_condition condition;
    const struct field *present;
    const char *size, *word;

    size = pool_printf("MIG_ROUND(%s)", gen_native_size(field->arg));
    present = layout_find(check->layout, field->arg, FIELD_PRESENT);
    word = (present != NULL) ? gen_field(check->base, present) : NULL;

    emit(text, "    bytes = %s;\n\n",
         (word != NULL) ? pool_printf("%s ? %s : 0", word, size) : size);
    gen_condition_begin(&condition, text, GEN_CHECK_GUARD);

    if (word != NULL) {
        gen_condition_add(&condition, "%s > 1", word);
    }

    gen_condition_add(&condition, "bytes %s slack", last ? "!=" : ">");
    gen_condition_end(&condition, check->bad_arguments);
    gen_check_advance(text, check, field, last);
}

static void
gen_check_variable(struct text *text, const struct gen_check *check,
                   const struct field *field)
{
    struct gen_condition condition;
    const struct arg *arg;
    const char *count, *place;
    bool last;

    arg = field->arg;
    place = gen_field(check->base, field);
    last = (field->segment + 2 == check->layout->segments);

    if (field->kind == FIELD_NATIVE) {
        gen_check_native(text, check, field, last);
        return;
    }

    count = gen_arg_field(check->base, check->layout,
                          (field->kind == FIELD_VSTRING) ? arg : arg->count,
                          FIELD_COUNT);

    if ((arg->type->unit % 4) == 0) {
        emit(text, "    bytes = %s;\n\n", gen_bytes(arg, count));
    } else {
        emit(text, "    bytes = (%s + 3) & ~3u;\n\n", gen_bytes(arg, count));
    }

    gen_condition_begin(&condition, text, GEN_CHECK_GUARD);

    if (field->kind == FIELD_VSTRING) {
        gen_condition_add(&condition, "%s == 0", count);
    }

    gen_condition_add(&condition, "%s > %u", count, arg->type->count);
    gen_condition_add(&condition, "bytes %s slack", last ? "!=" : ">");

    if (field->kind == FIELD_VSTRING) {
        gen_condition_add(&condition, "%s[%s - 1] != '\\0'", place, count);
    }

    gen_condition_end(&condition, check->bad_arguments);
    gen_check_advance(text, check, field, last);
}

static void
gen_check_string(struct text *text, const struct gen_check *check,
                 const struct field *field)
{
    struct gen_condition condition;

    gen_condition_begin(&condition, text, GEN_CHECK_GUARD);
    gen_condition_add(&condition, "mig_string_size(%s, %u) == 0",
                      gen_field(check->base, field), field->size);
    gen_condition_end(&condition, check->bad_arguments);
}

void
gen_check_body(struct text *text, const struct gen_check *check)
{
    const struct field *field;

    gen_check_descriptors(text, check);

    if (layout_is_variable(check->layout)) {
        emit(text, "    slack = %sP->Head.msgh_size - %u;\n", check->base,
             check->layout->min_size);
    }

    for (field = check->layout->fields; field != NULL; field = field->next) {
        switch (field->kind) {
        case FIELD_COUNT:
            gen_check_count(text, check, field);
            break;
        case FIELD_STRING:
            if (!check->reply) {
                gen_check_string(text, check, field);
            }

            break;
        case FIELD_VARRAY:
        case FIELD_VSTRING:
        case FIELD_NATIVE:
            gen_check_variable(text, check, field);
            break;
        default:
            break;
        }
    }
}
