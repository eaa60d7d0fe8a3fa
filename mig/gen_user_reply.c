/*
 * SPDX-License-Identifier: MIT
 *
 * The second half of a client stub: a reply is checked as a whole, and only
 * then taken apart.
 */

#include "gen.h"
#include "gen_user.h"
#include "options.h"
#include "pool.h"
#include "subsystem.h"

/* The function's result for a reply that is not as expected. */
static const char *
gen_user_bad_call(const struct routine *routine)
{
    const char *port;

    if (!gen_user_any_owner()) {
        port = "";
    } else if (gen_user_owns_port(routine)) {
        port = pool_printf(", %s", gen_user_own_port());
    } else {
        port = ", MACH_PORT_NULL";
    }

    return pool_printf("        return mig_bad_reply(&OutP->Head, %lu%s);\n",
                       subsystem_reply_id(routine), port);
}

void
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
    gen_check_header(&condition, &check);
    gen_condition_end(&condition, check.bad_type);
    gen_check_body(text, &check);

    if (gen_user_trailer(routine) == NULL) {
        return;
    }

    emit(text, "    TrailerP = (void *)((char *)OutP +\n"
               "        ((OutP->Head.msgh_size + 3) & ~3u));\n\n");
    gen_condition_begin(&condition, text, "__MigTypeCheck && ");
    gen_condition_add(&condition, "TrailerP->msgh_trailer_type != "
                                  "MACH_MSG_TRAILER_FORMAT_0");
    gen_condition_add(&condition, "TrailerP->msgh_trailer_size < "
                                  "sizeof(*TrailerP)");
    gen_condition_end(&condition,
                      pool_printf("        %s(&OutP->Head);\n"
                                  "        return MIG_TRAILER_ERROR;\n",
                                  gen_user_destroy()));
}

/* Rights that the caller has no room for would be lost: give all of them up. */
void
gen_user_check_room(struct text *text, const struct routine *routine)
{
    const struct arg *arg, *owner;
    const char *count;

    for (arg = routine->args; arg != NULL; arg = arg->next) {
        if (!arg->out || (arg->type->form != TYPE_FORM_VPORTS &&
                          arg->type->form != TYPE_FORM_VOOLS)) {
            continue;
        }

        owner = arg->count;
        count = gen_arg_field("Out", &routine->reply, owner, FIELD_COUNT);
        emit(text, "    if (MIG_UNLIKELY(%s > *%sCnt)) {\n", count,
             owner->name);
        emit(text,
             "        *%sCnt = %s;\n"
             "        %s(&OutP->Head);\n"
             "        return MIG_ARRAY_TOO_LARGE;\n"
             "    }\n\n",
             owner->name, count, gen_user_destroy());
    }
}

static void
gen_user_unpack_ports(struct text *text, const struct routine *routine,
                      const struct field *field)
{
    const struct arg *arg;
    const char *count;

    arg = field->arg;
    count = (arg->count == NULL) ? pool_printf("%u", field->number)
                                 : gen_arg_field("Out", &routine->reply,
                                                 arg->count, FIELD_COUNT);
    emit(text, "    for (unsigned int i = 0; i < %s; i++) {\n", count);
    emit(text,
         "        %s[i] = %s[i].name;\n"
         "    }\n\n",
         arg->name, gen_field("Out", field));
}

static void
gen_user_unpack_ools(struct text *text, const struct routine *routine,
                     const struct field *field)
{
    const struct arg *arg;
    const char *count, *place;

    arg = field->arg;
    place = gen_field("Out", field);
    count = (arg->count == NULL) ? pool_printf("%u", field->number)
                                 : gen_arg_field("Out", &routine->reply,
                                                 arg->count, FIELD_COUNT);
    emit(text, "    for (unsigned int i = 0; i < %s; i++) {\n", count);
    emit(text, "        %s[i] = (%s)(uintptr_t)%s[i].address;\n", arg->name,
         type_element_ctype(arg->type, false), place);

    if (arg_has_subs(arg)) {
        emit(text, "        %sSubs[i] = %s[i].%s;\n", arg->name, place,
             gen_ool_number(arg));
    }

    emit(text, "    }\n\n");
}

/*
 * `overwrite': the caller says where the data is to go and how much room there
 * is. What does not fit stays where it arrived.
 */
static void
gen_user_unpack_overwrite(struct text *text, const struct routine *routine,
                          const struct field *field)
{
    const struct arg *arg;
    const char *place, *ctype, *count;

    arg = field->arg;
    place = gen_field("Out", field);
    ctype = type_user_ctype(arg->type);

    if (arg->count != NULL) {
        count = gen_arg_field("Out", &routine->reply, arg->count, FIELD_COUNT);
        emit(text, "    if (%s != 0 && %s <= *%sCnt) {\n", count, count,
             arg->count->name);
    } else {
        emit(text, "    {\n");
    }

    emit(text,
         "        mig_copy((void *)(uintptr_t)*%s,\n"
         "            (const void *)(uintptr_t)%s.address, %s.size);\n"
         "        %smig_deallocate(%s.address, %s.size);\n",
         arg->name, place, place, options.runtime_prefix, place, place);

    if (arg->count != NULL) {
        emit(text, "    } else {\n        *%s = (%s)(uintptr_t)%s.address;\n",
             arg->name, ctype, place);
    }

    emit(text, "    }\n\n");
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
    count = gen_arg_field("Out", &routine->reply, arg->count, FIELD_COUNT);

    emit(text, "    bytes = %s;\n\n", gen_bytes(arg, count));
    emit(text, "    if (MIG_UNLIKELY(%s > *%sCnt)) {\n", count,
         arg->count->name);
    emit(text,
         "        bytes = %s;\n"
         "        kr = MIG_ARRAY_TOO_LARGE;\n"
         "    }\n\n",
         gen_bytes(arg, pool_printf("*%sCnt", arg->count->name)));
    emit(text,
         "    if (bytes != 0) {\n"
         "        mig_copy(%s, %s, bytes);\n"
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
    case FIELD_OOLS:
        gen_user_unpack_ools(text, routine, field);
        break;
    case FIELD_NATIVE:
        emit(text, "    mig_copy(%s, %s, %s);\n", arg->name, place,
             gen_native_size(arg));
        break;
    case FIELD_OOL:
        if ((arg->flags & ARG_FLAG_OVERWRITE) != 0) {
            gen_user_unpack_overwrite(text, routine, field);
            break;
        }

        __attribute__((fallthrough));
    case FIELD_OOL_PORTS:
        emit(text, "    *%s = (%s)(uintptr_t)%s.address;\n", arg->name,
             type_user_ctype(arg->type), place);
        break;
    case FIELD_DATA:
        emit(text, "    *%s = %s;\n", arg->name, place);
        break;
    case FIELD_ARRAY:
        emit(text, "    mig_copy(%s, %s, %u);\n", arg->name, place,
             field->size);
        break;
    case FIELD_VSTRING:
        emit(text, "    mig_copy(%s, %s, %s);\n", arg->name, place,
             gen_arg_field("Out", &routine->reply, arg, FIELD_COUNT));
        break;
    case FIELD_STRING:
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
             (field->kind == FIELD_PORTS || field->kind == FIELD_OOLS) ? "[0]"
                                                                       : "");
    }
}

void
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
