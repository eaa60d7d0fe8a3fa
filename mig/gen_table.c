/*
 * SPDX-License-Identifier: MIT
 *
 * Tables of an interface for other programs: a list of ids as lines of text,
 * and all messages in full as JSON.
 */

#include "gen.h"
#include "options.h"
#include "subsystem.h"

void
gen_list(struct text *text)
{
    const struct routine *routine;

    for (routine = subsystem.routines; routine != NULL;
         routine = routine->next) {
        emit(text, "%s %lu %s %u %lu %lu\n", subsystem.name, subsystem.base,
             routine->name, routine->number, subsystem_request_id(routine),
             routine->oneway ? 0 : subsystem_reply_id(routine));
    }
}

static const char *
gen_json_kind(const struct field *field)
{
    static const char *const kinds[] = {
        [FIELD_PORT] = "port",     [FIELD_PORTS] = "port",
        [FIELD_OOL] = "ool",       [FIELD_OOL_PORTS] = "ool_ports",
        [FIELD_NDR] = "ndr",       [FIELD_RETCODE] = "retcode",
        [FIELD_COUNT] = "count",   [FIELD_CAPACITY] = "capacity",
        [FIELD_OFFSET] = "unused", [FIELD_DATA] = "data",
        [FIELD_ARRAY] = "array",   [FIELD_STRING] = "string",
        [FIELD_VARRAY] = "array",  [FIELD_VSTRING] = "string",
        [FIELD_OOLS] = "ool",      [FIELD_PRESENT] = "present",
        [FIELD_NATIVE] = "native",
    };

    if (field->kind == FIELD_OOLS && type_is_port(field->arg->type)) {
        return "ool_ports";
    }

    return kinds[field->kind];
}

static void
gen_json_field(struct text *text, const struct field *field)
{
    const struct arg *arg;

    arg = field->arg;
    emit(text, "\n          { \"name\": \"%s\", \"kind\": \"%s\"",
         gen_field_name(field), gen_json_kind(field));
    emit(text, ", \"segment\": %u, \"offset\": %u, \"size\": %u",
         field->segment, field->offset, field->size);

    if (field->kind == FIELD_PORTS || field->kind == FIELD_OOLS) {
        emit(text, ", \"number\": %u", field->number);
    }

    if (arg != NULL && field->kind != FIELD_COUNT &&
        field->kind != FIELD_CAPACITY && field->kind != FIELD_OFFSET) {
        emit(text, ", \"type\": \"%s\", \"unit\": %u",
             type_user_ctype(arg->type), arg->type->unit);

        if (field->kind == FIELD_VSTRING) {
            emit(text, ", \"counted_by\": \"%sCnt\"", arg->name);
        } else if (arg->count != NULL) {
            emit(text, ", \"counted_by\": \"%sCnt\"", arg->count->name);
        }
    }

    emit(text, " }");
}

/* What the arguments are in C, in their order. */
static void
gen_json_args(struct text *text, const struct routine *routine)
{
    const struct arg *arg;

    emit(text, ",\n      \"arguments\": [");

    for (arg = routine->args; arg != NULL; arg = arg->next) {
        emit(text, "\n        { \"name\": \"%s\", \"direction\": \"%s\"",
             arg->name,
             (arg == routine->request_port)
                 ? "requestport"
                 : arg_direction_name(arg->direction));
        emit(text, ", \"form\": \"%s\", \"client\": \"%s\"",
             type_describe(arg->type), gen_ctype(arg, false));
        emit(text, ", \"server\": \"%s\"", gen_ctype(arg, true));

        if (type_is_port(arg->type)) {
            emit(text, ", \"sent\": \"%s\", \"received\": \"%s\"",
                 arg->type->sent->name, arg->type->received->name);
        }

        if (arg->count != NULL) {
            emit(text, ", \"counted_by\": \"%sCnt\"", arg->count->name);
        }

        emit(text, " }%s", (arg->next == NULL) ? "\n      " : ",");
    }

    emit(text, "]");
}

static void
gen_json_message(struct text *text, const char *name,
                 const struct layout *layout, unsigned long id)
{
    const struct field *field;

    emit(text, ",\n      \"%s\": {\n        \"id\": %lu,\n", name, id);
    emit(text, "        \"complex\": %s, \"descriptors\": %u,\n",
         layout->complex ? "true" : "false", layout->descriptors);
    emit(text, "        \"min_size\": %u, \"max_size\": %u,\n",
         layout->min_size, layout->max_size);
    emit(text, "        \"fields\": [");

    for (field = layout->fields; field != NULL; field = field->next) {
        gen_json_field(text, field);
        emit(text, "%s", (field->next == NULL) ? "\n        " : ",");
    }

    emit(text, "]\n      }");
}

void
gen_json(struct text *text)
{
    const struct routine *routine;

    emit(text, "{\n  \"subsystem\": \"%s\",\n  \"base\": %lu,\n",
         subsystem.name, subsystem.base);
    emit(text, "  \"slots\": %u,\n  \"ndr\": %s,\n  \"routines\": [",
         subsystem.slots, options.ndr ? "true" : "false");

    for (routine = subsystem.routines; routine != NULL;
         routine = routine->next) {
        emit(text,
             "\n    {\n      \"name\": \"%s\", \"number\": %u, "
             "\"oneway\": %s",
             routine->name, routine->number,
             routine->oneway ? "true" : "false");
        gen_json_args(text, routine);
        gen_json_message(text, "request", &routine->request,
                         subsystem_request_id(routine));

        if (!routine->oneway) {
            gen_json_message(text, "reply", &routine->reply,
                             subsystem_reply_id(routine));
        }

        emit(text, "\n    }%s", (routine->next == NULL) ? "\n  " : ",");
    }

    emit(text, "]\n}\n");
}
