/*
 * SPDX-License-Identifier: MIT
 *
 * What a server stub takes out of a request: the places of its values, and
 * copies of those that the function cannot use where they are.
 */

#include "gen.h"
#include "gen_server.h"
#include "pool.h"

/* The value of an argument as it stands in the request. */
const char *
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
        return "TrailerP->msgh_seqno";
    case ARG_SERVERSECTOKEN:
    case ARG_SECTOKEN:
        return "TrailerP->msgh_sender";
    case ARG_SERVERAUDITTOKEN:
    case ARG_AUDITTOKEN:
        return "TrailerP->msgh_audit";
    case ARG_CONTEXTTOKEN:
        return "mig_context(InHeadP)";
    default:
        break;
    }

    field = gen_server_value(&routine->request, arg);

    if (field == NULL) {
        return "KERN_SUCCESS"; /* a return code that only errors carry */
    }

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
const char *
gen_server_array_pointer(const struct arg *arg, const char *place)
{
    if (arg->type->align > LAYOUT_WORD_SIZE) {
        return pool_printf("(void *)%s", place);
    }

    return place;
}

const char *
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
    emit(text, "    for (unsigned int i = 0; i < %u; i++) {\n", field->number);
    emit(text,
         "        %s[i] = %s[i].name;\n"
         "    }\n\n",
         gen_server_local(routine, arg), gen_field("In", field));
}

static void
gen_server_copy_ools(struct text *text, const struct routine *routine,
                     const struct arg *arg)
{
    const struct field *field;
    const char *name, *place;

    field = gen_server_value(&routine->request, arg);
    name = gen_server_local(routine, arg);
    place = gen_field("In", field);
    emit(text, "    for (unsigned int i = 0; i < %u; i++) {\n", field->number);
    emit(text, "        %s[i] = (%s)(uintptr_t)%s[i].address;\n", name,
         type_element_ctype(arg->type, true), place);

    if (arg_has_subs(arg)) {
        emit(text, "        %sSubs[i] = %s[i].%s;\n", name, place,
             gen_ool_number(arg));
    }

    emit(text, "    }\n\n");
}

/* A value that C may align as it likes; if it was left out, its place stays
 * empty. */
static void
gen_server_copy_native(struct text *text, const struct routine *routine,
                       const struct arg *arg)
{
    const char *name;

    name = gen_server_local(routine, arg);

    if (arg->type->native.absent == NULL) {
        emit(text, "    mig_copy(&%s, %s, sizeof(%s));\n", name,
             gen_server_raw(routine, arg), name);
        return;
    }

    emit(text, "    mig_clear(&%s, sizeof(%s));\n\n", name, name);
    emit(text,
         "    if (%s) {\n"
         "        mig_copy(&%s, %s, sizeof(%s));\n"
         "    }\n\n",
         gen_arg_field("In", &routine->request, arg, FIELD_PRESENT), name,
         gen_server_raw(routine, arg), name);
}

/* Fill in a variable whose value comes from the request. */
void
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

    if (type->form == TYPE_FORM_OOLS || type->form == TYPE_FORM_VOOLS) {
        gen_server_copy_ools(text, routine, arg);
        return;
    }

    if (type->form == TYPE_FORM_NATIVE) {
        gen_server_copy_native(text, routine, arg);
        return;
    }

    raw = gen_server_raw(routine, arg);

    switch (type->form) {
    case TYPE_FORM_ARRAY:
    case TYPE_FORM_STRING:
        emit(text, "    mig_copy(%s, %s, %u);\n", name, raw, type->size);
        return;
    case TYPE_FORM_VARRAY:
        emit(text, "    mig_copy(%s, %s, %s);\n", name, raw,
             gen_bytes(arg, gen_server_count(routine, arg)));
        return;
    default:
        break;
    }

    if (type->intran.function != NULL) {
        raw = pool_printf("%s(%s)", type->intran.function, raw);
    }

    if (gen_server_takes_payload(arg)) {
        emit(text,
             "    if (%s ==\n"
             "        MACH_MSG_TYPE_PROTECTED_PAYLOAD) {\n",
             gen_server_request_bits());
        emit(text,
             "        %s = %s(mach_msg_payload(InHeadP));\n"
             "    } else {\n"
             "        %s = %s;\n"
             "    }\n\n",
             name, type->payload.function, name, raw);
        return;
    }

    emit(text, "    %s = %s;\n", name, raw);
}
