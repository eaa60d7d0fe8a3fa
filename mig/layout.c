/*
 * SPDX-License-Identifier: MIT
 *
 * The order of a message's parts is: header; if anything is described, the
 * body and the descriptors; then, if any data follows, the NDR record; the
 * return code of a simple reply; the data, each item padded to 4 bytes.
 */

#include "layout.h"

#include <stddef.h>

#include "pool.h"
#include "routine.h"

/* A layout under construction. */
struct layout_builder {
    struct layout *layout;
    struct field **tail;
    uint32_t offset; /* in the current segment */
};

static struct field *
layout_add(struct layout_builder *builder, enum field_kind kind,
           const struct arg *arg, uint32_t size)
{
    struct layout *layout;
    struct field *field;

    layout = builder->layout;
    field = pool_alloc(sizeof(*field));
    field->kind = kind;
    field->arg = arg;
    field->number = 1;
    field->segment = layout->segments - 1;
    field->offset = builder->offset;
    field->size = size;
    field->pad = -size & 3;

    if (size > LAYOUT_SIZE_MAX - layout->max_size) {
        layout->too_large = true;
        return field;
    }

    *builder->tail = field;
    builder->tail = &field->next;

    builder->offset += size + field->pad;
    layout->max_size += size + field->pad;
    layout->min_size += size + field->pad;
    return field;
}

static void
layout_add_variable(struct layout_builder *builder, enum field_kind kind,
                    const struct arg *arg)
{
    struct field *field;

    field = layout_add(builder, kind, arg, arg->type->size);

    if (builder->layout->too_large) {
        return;
    }

    builder->layout->min_size -= field->size + field->pad;
    builder->layout->segments++;
    builder->offset = 0;
}

static void
layout_add_descriptors(struct layout_builder *builder, const struct arg *arg)
{
    const struct type *type;
    struct field *field;

    type = arg->type;

    switch (type->form) {
    case TYPE_FORM_PORT:
        layout_add(builder, FIELD_PORT, arg, LAYOUT_PORT_SIZE);
        break;
    case TYPE_FORM_PORTS:
    case TYPE_FORM_VPORTS:
        field = layout_add(builder, FIELD_PORTS, arg,
                           LAYOUT_PORT_SIZE * type->count);
        field->number = type->count;
        builder->layout->descriptors += type->count - 1;
        break;
    case TYPE_FORM_OOL:
    case TYPE_FORM_VOOL:
        layout_add(builder, FIELD_OOL, arg, LAYOUT_OOL_SIZE);
        break;
    case TYPE_FORM_OOL_PORTS:
    case TYPE_FORM_VOOL_PORTS:
        layout_add(builder, FIELD_OOL_PORTS, arg, LAYOUT_OOL_SIZE);
        break;
    case TYPE_FORM_OOLS:
    case TYPE_FORM_VOOLS:
        field =
            layout_add(builder, FIELD_OOLS, arg, LAYOUT_OOL_SIZE * type->count);
        field->number = type->count;
        builder->layout->descriptors += type->count - 1;
        break;
    default:
        return;
    }

    builder->layout->descriptors++;
}

static void
layout_add_data(struct layout_builder *builder, const struct arg *arg)
{
    const struct type *type;

    type = arg->type;

    if (type->form == TYPE_FORM_VSTRING) {
        layout_add(builder, FIELD_OFFSET, arg, LAYOUT_WORD_SIZE);
        layout_add(builder, FIELD_COUNT, arg, LAYOUT_WORD_SIZE);
        layout_add_variable(builder, FIELD_VSTRING, arg);
        return;
    }

    if (type_is_variable(type) && arg_has_count(arg)) {
        layout_add(builder, FIELD_COUNT, arg, LAYOUT_WORD_SIZE);
    }

    switch (type->form) {
    case TYPE_FORM_DATA:
        layout_add(builder, FIELD_DATA, arg, type->size);
        break;
    case TYPE_FORM_ARRAY:
        layout_add(builder, FIELD_ARRAY, arg, type->size);
        break;
    case TYPE_FORM_STRING:
        layout_add(builder, FIELD_STRING, arg, type->size);
        break;
    case TYPE_FORM_VARRAY:
        layout_add_variable(builder, FIELD_VARRAY, arg);
        break;
    case TYPE_FORM_NATIVE:
        if (type->native.absent != NULL) {
            layout_add(builder, FIELD_PRESENT, arg, LAYOUT_WORD_SIZE);
        }

        layout_add_variable(builder, FIELD_NATIVE, arg);
        break;
    default:
        break;
    }
}

/* An argument that is a return code stands where replies have theirs. */
static bool
layout_holds(const struct routine *routine, const struct arg *arg, bool reply)
{
    return reply ? arg->out : (arg->in && arg != routine->retcode);
}

static bool
layout_has_data(const struct routine *routine, bool reply)
{
    const struct arg *arg;

    for (arg = routine->args; arg != NULL; arg = arg->next) {
        if (!reply && (arg->flags & ARG_FLAG_COUNTINOUT) != 0) {
            return true;
        }

        if (!layout_holds(routine, arg, reply)) {
            continue;
        }

        if (type_is_inline(arg->type) ||
            (type_is_variable(arg->type) && arg_has_count(arg))) {
            return true;
        }
    }

    return false;
}

static void
layout_message(struct routine *routine, struct layout *layout, bool reply,
               bool ndr)
{
    struct layout_builder builder = { layout, &layout->fields, 0 };
    const struct arg *arg;

    layout->segments = 1;
    layout->min_size = LAYOUT_HEADER_SIZE;
    layout->max_size = LAYOUT_HEADER_SIZE;
    builder.offset = LAYOUT_HEADER_SIZE;

    for (arg = routine->args; arg != NULL; arg = arg->next) {
        if ((reply ? arg->out : arg->in) && !type_is_inline(arg->type)) {
            if (!layout->complex) {
                layout->complex = true;
                layout->min_size += LAYOUT_BODY_SIZE;
                layout->max_size += LAYOUT_BODY_SIZE;
                builder.offset += LAYOUT_BODY_SIZE;
            }

            layout_add_descriptors(&builder, arg);
        }
    }

    if (ndr && (layout_has_data(routine, reply) ||
                ((reply || routine->retcode != NULL) && !layout->complex))) {
        layout_add(&builder, FIELD_NDR, NULL, LAYOUT_NDR_SIZE);
    }

    if (reply && !layout->complex) {
        layout_add(&builder, FIELD_RETCODE, NULL, LAYOUT_WORD_SIZE);
    }

    if (!reply && routine->retcode != NULL && !layout->complex) {
        layout_add_data(&builder, routine->retcode);
    }

    for (arg = routine->args; arg != NULL; arg = arg->next) {
        if (layout_holds(routine, arg, reply)) {
            layout_add_data(&builder, arg);
        }

        if (!reply && (arg->flags & ARG_FLAG_COUNTINOUT) != 0) {
            layout_add(&builder, FIELD_CAPACITY, arg, LAYOUT_WORD_SIZE);
        }
    }
}

void
layout_routine(struct routine *routine, bool ndr)
{
    layout_message(routine, &routine->request, false, ndr);

    if (!routine->oneway) {
        layout_message(routine, &routine->reply, true, ndr);
    }
}

const struct field *
layout_find(const struct layout *layout, const struct arg *arg,
            enum field_kind kind)
{
    const struct field *field;

    for (field = layout->fields; field != NULL; field = field->next) {
        if (field->arg == arg && field->kind == kind) {
            return field;
        }
    }

    return NULL;
}

bool
layout_is_aligned(const struct field *field, uint32_t align)
{
    if (align <= LAYOUT_WORD_SIZE) {
        return true;
    }

    return field->segment == 0 && (field->offset % align) == 0;
}

bool
layout_is_variable(const struct layout *layout)
{
    return layout->segments > 1;
}
