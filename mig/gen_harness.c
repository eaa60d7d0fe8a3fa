/*
 * SPDX-License-Identifier: MIT
 *
 * A test of the stubs: what a harness must know to call every client stub,
 * to be every server function, and to spoil every field of every message.
 *
 * The file has two halves, compiled one at a time, because a client stub and
 * a server function may have the same name. Each includes the stubs of its
 * side and ends with the same tables. All that is not about this subsystem is
 * in the harness (harness.h), which the including build provides.
 */

#include <string.h>

#include "diag.h"
#include "gen.h"
#include "options.h"
#include "pool.h"
#include "subsystem.h"

/* The place of an argument in the routine's table. */
static int
gen_harness_index(const struct routine *routine, const struct arg *arg)
{
    const struct arg *other;
    int index;

    index = 0;

    for (other = routine->args; other != NULL; other = other->next) {
        if (other == arg) {
            return index;
        }

        index++;
    }

    return -1;
}

static const char *
gen_harness_form(const struct type *type)
{
    static const char *const names[] = {
        [TYPE_FORM_DATA] = "DATA",
        [TYPE_FORM_ARRAY] = "ARRAY",
        [TYPE_FORM_VARRAY] = "VARRAY",
        [TYPE_FORM_STRING] = "STRING",
        [TYPE_FORM_VSTRING] = "VSTRING",
        [TYPE_FORM_PORT] = "PORT",
        [TYPE_FORM_PORTS] = "PORTS",
        [TYPE_FORM_VPORTS] = "VPORTS",
        [TYPE_FORM_OOL] = "OOL",
        [TYPE_FORM_VOOL] = "VOOL",
        [TYPE_FORM_OOL_PORTS] = "OOL_PORTS",
        [TYPE_FORM_VOOL_PORTS] = "VOOL_PORTS",
        [TYPE_FORM_OOLS] = "OOLS",
        [TYPE_FORM_VOOLS] = "VOOLS",
    };

    return names[type->form];
}

/* Regions in a row, each with a descriptor of its own. */
static bool
gen_harness_is_row(const struct type *type)
{
    return type->form == TYPE_FORM_OOLS || type->form == TYPE_FORM_VOOLS;
}

/* A structure in line, which may have holes. */
static bool
gen_harness_is_structure(const struct type *type)
{
    return type->form == TYPE_FORM_DATA && type->structure;
}

static const char *
gen_harness_field_kind(const struct field *field)
{
    static const char *const names[] = {
        [FIELD_PORT] = "PORT",     [FIELD_PORTS] = "PORTS",
        [FIELD_OOL] = "OOL",       [FIELD_OOL_PORTS] = "OOL_PORTS",
        [FIELD_NDR] = "NDR",       [FIELD_RETCODE] = "RETCODE",
        [FIELD_COUNT] = "COUNT",   [FIELD_CAPACITY] = "CAPACITY",
        [FIELD_OFFSET] = "OFFSET", [FIELD_DATA] = "DATA",
        [FIELD_ARRAY] = "DATA",    [FIELD_STRING] = "STRING",
        [FIELD_VARRAY] = "VARRAY", [FIELD_VSTRING] = "VSTRING",
        [FIELD_OOLS] = "OOLS",
    };

    return names[field->kind];
}

static const char *
gen_harness_direction(const struct arg *arg)
{
    switch (arg->direction) {
    case ARG_REQUESTPORT:
        return "REQUESTPORT";
    case ARG_REPLYPORT:
    case ARG_SREPLYPORT:
    case ARG_UREPLYPORT:
        return "REPLYPORT";
    case ARG_WAITTIME:
    case ARG_SENDTIME:
        return "TIMEOUT";
    case ARG_MSGOPTION:
        return "OPTION";
    case ARG_MSGSEQNO:
        return "SEQNO";
    case ARG_SECTOKEN:
    case ARG_SERVERSECTOKEN:
    case ARG_USERSECTOKEN:
        return "TOKEN";
    case ARG_AUDITTOKEN:
    case ARG_SERVERAUDITTOKEN:
    case ARG_USERAUDITTOKEN:
        return "AUDIT";
    case ARG_CONTEXTTOKEN:
        return "CONTEXT";
    default:
        return "BODY";
    }
}

/*
 * Translations. They keep the value, so that the server's function can be
 * seen to get what was sent, and are counted.
 */

/* A function is written once, however many types use it. */
struct gen_harness_seen {
    struct gen_harness_seen *next;
    const char *name;
};

static struct gen_harness_seen *gen_harness_functions;

static bool
gen_harness_is_new(const char *name)
{
    struct gen_harness_seen *seen;

    if (name == NULL) {
        return false;
    }

    for (seen = gen_harness_functions; seen != NULL; seen = seen->next) {
        if (strcmp(seen->name, name) == 0) {
            return false;
        }
    }

    seen = pool_alloc(sizeof(*seen));
    seen->name = name;
    seen->next = gen_harness_functions;
    gen_harness_functions = seen;
    return true;
}

static void
gen_harness_tran(struct text *text, const char *function, const char *to,
                 const char *from, const char *how)
{
    emit(text,
         "%s\n%s(%s from)\n{\n"
         "    %s to;\n\n"
         "    %s(&to, sizeof(to), &from, sizeof(from));\n"
         "    return to;\n"
         "}\n\n",
         to, function, from, to, how);
}

static void
gen_harness_trans(struct text *text, const struct type *type)
{
    if (gen_harness_is_new(type->intran.function)) {
        gen_harness_tran(text, type->intran.function, type->intran.type,
                         type->intran.raw, "harness_intran");
    }

    if (gen_harness_is_new(type->payload.function)) {
        gen_harness_tran(text, type->payload.function, type->payload.type,
                         "uint64_t", "harness_intran");
    }

    if (gen_harness_is_new(type->outtran.function)) {
        gen_harness_tran(text, type->outtran.function, type->outtran.raw,
                         type->outtran.type, "harness_outtran");
    }

    if (gen_harness_is_new(type->destructor.function)) {
        emit(text,
             "void\n%s(%s from)\n{\n"
             "    harness_destroy(&from, sizeof(from));\n"
             "}\n\n",
             type->destructor.function, type->destructor.type);
    }
}

/* What the server's function does with one of its parameters. */
static void
gen_harness_server_arg(struct text *text, const struct arg *arg, int index)
{
    const char *name, *address, *size;
    const char *poly, *count, *dealloc;
    bool pointer;

    name = arg->name;
    pointer = arg->out || gen_is_token(arg, true);
    address = (pointer || type_is_array(arg->type)) ? "" : "&";
    size = type_is_array(arg->type)
               ? "0"
               : pool_printf("sizeof(%s%s)", pointer ? "*" : "", name);
    poly = arg->server_poly ? pool_printf("%sPoly", name) : NULL;
    count = arg_has_count(arg) ? pool_printf("%sCnt", name) : NULL;
    dealloc = (arg_has_dealloc(arg) && arg->out)
                  ? pool_printf("%sDealloc", name)
                  : "NULL";

    if (arg_has_subs(arg)) {
        emit(text, "    harness_row(%d, %sSubs);\n", index, name);
    }

    if (arg->direction != ARG_OUT) {
        emit(text, "    harness_in(%d, %s%s, %s, %s%s, %s%s);\n", index,
             address, name, size, (arg->out && poly != NULL) ? "*" : "",
             (poly != NULL) ? poly : "0",
             (arg->out && count != NULL) ? "*" : "",
             (count != NULL) ? count : "0");
    }

    if (arg->out) {
        emit(text, "    harness_out(%d, %s, %s, %s, %s, %s);\n", index, name,
             size, (poly != NULL) ? poly : "NULL",
             (count != NULL) ? count : "NULL", dealloc);
    }

    if (arg->out && gen_harness_is_structure(arg->type) &&
        arg->type->outtran.function == NULL) {
        emit(text, "    __typeof__(*%s) clean%d = *%s;\n", name, index, name);
        emit(text,
             "    mig_clear_holes(&clean%d);\n"
             "    harness_clean(%d, &clean%d, sizeof(clean%d));\n",
             index, index, index, index);
    }
}

static void
gen_harness_server_function(struct text *text, const struct routine *routine,
                            unsigned int number)
{
    const struct arg *arg;

    gen_prototype(text, routine, true);
    emit(text, "\n{\n    harness_enter(%u);\n", number);

    for (arg = routine->args; arg != NULL; arg = arg->next) {
        if (arg_is_server(arg)) {
            gen_harness_server_arg(text, arg, gen_harness_index(routine, arg));
        }

        if (arg_is_server(arg) && (arg->flags & ARG_FLAG_SERVERCOPY) != 0) {
            emit(text, "    (void)%sSCopy;\n", arg->name);
        }
    }

    emit(text, "    return harness_leave();\n}\n\n");
}

/* The actual parameters of a client stub. */
static void
gen_harness_client_arg(struct text *text, const struct arg *arg, int index,
                       const char *separator)
{
    bool pointer;

    pointer = arg->out || type_is_array(arg->type) || gen_is_token(arg, false);

    if (pointer) {
        emit(text, "%s\n        harness_value(%d)", separator, index);
    } else {
        emit(text, "%s\n        *(%s *)harness_value(%d)", separator,
             gen_ctype(arg, false), index);
    }

    if (arg->user_poly) {
        emit(text, ",\n        %sharness_poly(%d)", arg->out ? "" : "*", index);
    }

    if (arg_has_count(arg)) {
        emit(text, ",\n        %sharness_count(%d)", arg->out ? "" : "*",
             index);
    }

    if (arg_has_subs(arg)) {
        emit(text, ",\n        harness_subs(%d)", index);
    }

    if (arg_has_dealloc(arg) && arg->in) {
        emit(text, ",\n        *harness_dealloc(%d)", index);
    }
}

static void
gen_harness_call(struct text *text, const struct routine *routine,
                 unsigned int number)
{
    const struct arg *arg;
    const char *separator;

    emit(text, "static kern_return_t\nharness_call_%u(void)\n{\n", number);

    for (arg = routine->args; arg != NULL; arg = arg->next) {
        if (arg->in && gen_harness_is_structure(arg->type)) {
            emit(text, "    mig_clear_holes((%s *)harness_value(%d));\n",
                 gen_ctype(arg, false), gen_harness_index(routine, arg));
        }
    }

    emit(text, "    return %s%s(", options.prefix, routine->user_name);
    separator = "";

    for (arg = routine->args; arg != NULL; arg = arg->next) {
        if (arg_is_user(arg)) {
            gen_harness_client_arg(text, arg, gen_harness_index(routine, arg),
                                   separator);
            separator = ",";
        }
    }

    emit(text, ");\n}\n\n");
}

/* The tables. */

static void
gen_harness_flag(struct text *text, bool set, const char *name)
{
    if (set) {
        emit(text, " | HARNESS_%s", name);
    }
}

static void
gen_harness_arg(struct text *text, const struct routine *routine,
                const struct arg *arg)
{
    const struct type *type;
    const char *sent, *received, *answer;

    type = arg->type;
    sent = "0";
    received = "0";
    answer = "0";

    if (type_is_port(type)) {
        sent = (gen_sent(arg, false) == NULL) ? "0" : gen_sent(arg, false);
        answer = (gen_sent(arg, true) == NULL) ? "0" : gen_sent(arg, true);
        received = (gen_received(arg) == NULL) ? "0" : gen_received(arg);
    }

    emit(text,
         "    { .name = \"%s\",\n      .form = HARNESS_FORM_%s,\n"
         "      .direction = HARNESS_%s,\n      .flags = 0",
         arg->name, gen_harness_form(type), gen_harness_direction(arg));
    gen_harness_flag(text, arg->in, "IN");
    gen_harness_flag(text, arg->out, "OUT");
    gen_harness_flag(text, arg_is_user(arg), "USER");
    gen_harness_flag(text, arg_is_server(arg), "SERVER");
    gen_harness_flag(text, arg->user_poly, "USER_POLY");
    gen_harness_flag(text, arg->server_poly, "SERVER_POLY");
    gen_harness_flag(text, (arg->flags & ARG_FLAG_DEALLOC) != 0, "DEALLOC");
    gen_harness_flag(text, arg_has_dealloc(arg), "DEALLOC_DYNAMIC");
    gen_harness_flag(text, (arg->flags & ARG_FLAG_COUNTINOUT) != 0,
                     "COUNTINOUT");
    gen_harness_flag(
        text,
        !arg->out && (type->like_inline || (arg->flags & ARG_FLAG_AUTO) != 0),
        "AUTO");
    gen_harness_flag(text, type->intran.function != NULL, "INTRAN");
    gen_harness_flag(text, type->outtran.function != NULL, "OUTTRAN");
    gen_harness_flag(text, type->destructor.function != NULL && !arg->out,
                     "DESTRUCTOR");
    gen_harness_flag(text, type->payload.function != NULL, "PAYLOAD");
    gen_harness_flag(text, gen_harness_is_row(type) && type_is_port(type),
                     "RIGHTS");
    gen_harness_flag(text, arg_has_subs(arg), "SUBS");
    emit(text, ",\n      .unit = %u, .count = %u, .size = %u, .align = %u,\n",
         type->unit, type->count, type->size, type->align);

    if (gen_harness_is_row(type)) {
        emit(text, "      .each = %u,\n",
             arg_has_subs(arg) ? type->element->count : arg_ool_size(arg));
    }

    emit(text, "      .counter = %d,\n",
         gen_harness_index(routine, arg->count));
    emit(text, "      .sent = %s,\n      .answer = %s,\n", sent, answer);
    emit(text, "      .received = %s },\n", received);
}

static void
gen_harness_fields(struct text *text, const struct routine *routine,
                   const struct layout *layout, const char *which,
                   unsigned int number)
{
    const struct field *field;

    emit(text, "static const struct harness_field harness_%s_%u[] = {\n", which,
         number);

    for (field = layout->fields; field != NULL; field = field->next) {
        emit(text, "    { HARNESS_FIELD_%s, %d, %u, %u, %u, %u, %u },\n",
             gen_harness_field_kind(field),
             gen_harness_index(routine, field->arg), field->number,
             field->segment, field->offset, field->size, field->pad);
    }

    emit(text, "    { HARNESS_FIELD_END, -1, 0, 0, 0, 0, 0 },\n};\n\n");
}

static void
gen_harness_layout(struct text *text, const struct layout *layout,
                   const char *which, unsigned int number)
{
    emit(text,
         "      .%s = { .fields = harness_%s_%u, .complex = %s,\n"
         "                   .descriptors = %u, .min_size = %u,\n"
         "                   .max_size = %u },\n",
         which, which, number, layout->complex ? "true" : "false",
         layout->descriptors, layout->min_size, layout->max_size);
}

static void
gen_harness_routine_tables(struct text *text, const struct routine *routine,
                           unsigned int number)
{
    const struct arg *arg;

    emit(text, "static const struct harness_arg harness_args_%u[] = {\n",
         number);

    for (arg = routine->args; arg != NULL; arg = arg->next) {
        gen_harness_arg(text, routine, arg);
    }

    emit(text, "};\n\n");
    gen_harness_fields(text, routine, &routine->request, "request", number);

    if (!routine->oneway) {
        gen_harness_fields(text, routine, &routine->reply, "reply", number);
    }
}

static const char *
gen_harness_consume(const struct routine *routine)
{
    if (routine->consume == NULL) {
        return "NONE";
    }

    return (routine->consume[0] == 'A' || routine->consume[0] == 'a')
               ? "ANY"
               : "TIMEOUT";
}

/* Bytes of the trailer that the arguments are in. */
static const char *
gen_harness_trailer(const struct arg *audit, const struct arg *token,
                    const struct arg *seqno)
{
    if (audit != NULL) {
        return "sizeof(mach_msg_audit_trailer_t)";
    }

    if (token != NULL) {
        return "sizeof(mach_msg_security_trailer_t)";
    }

    return (seqno != NULL) ? "sizeof(mach_msg_seqno_trailer_t)" : "0";
}

static void
gen_harness_routine(struct text *text, const struct routine *routine,
                    unsigned int number)
{
    const struct arg *last;
    int count;

    last = routine->args;

    while (last != NULL && last->next != NULL) {
        last = last->next;
    }

    count = gen_harness_index(routine, last) + 1;
    emit(text,
         "    { .name = \"%s\",\n      .id = %lu,\n      .oneway = %s,\n"
         "      .kernel_sender = %s,\n",
         routine->name, subsystem_request_id(routine),
         routine->oneway ? "true" : "false",
         routine->kernel_sender ? "true" : "false");
    emit(text, "      .consume = HARNESS_CONSUME_%s,\n",
         gen_harness_consume(routine));
    emit(text, "      .args = harness_args_%u,\n      .arg_count = %d,\n",
         number, count);
    emit(text,
         "      .request_port = %d, .user_reply_port = %d,\n"
         "      .server_reply_port = %d,\n",
         gen_harness_index(routine, routine->request_port),
         gen_harness_index(routine, routine->user_reply_port),
         gen_harness_index(routine, routine->server_reply_port));
    emit(text, "      .retcode = %d,\n",
         gen_harness_index(routine, routine->retcode));
    emit(text, "      .server_trailer = %s,\n      .client_trailer = %s,\n",
         gen_harness_trailer(routine->server_audit, routine->server_token,
                             routine->seqno_arg),
         gen_harness_trailer(routine->user_audit, routine->user_token, NULL));
    gen_harness_layout(text, &routine->request, "request", number);

    if (!routine->oneway) {
        gen_harness_layout(text, &routine->reply, "reply", number);
    }

    emit(text, "      .call = HARNESS_CALL(%u) },\n", number);
}

static void
gen_harness_tables(struct text *text)
{
    const struct routine *routine;
    unsigned int number;

    number = 0;

    for (routine = subsystem.routines; routine != NULL;
         routine = routine->next) {
        gen_harness_routine_tables(text, routine, number);
        number++;
    }

    emit(text, "static const struct harness_routine harness_routines[] = {\n");
    number = 0;

    for (routine = subsystem.routines; routine != NULL;
         routine = routine->next) {
        gen_harness_routine(text, routine, number);
        number++;
    }

    emit(text, "};\n\n");
    emit(text,
         "const struct harness_side HARNESS_SIDE = {\n"
         "    .name = \"%s\",\n    .base = %lu,\n    .slots = %u,\n"
         "    .ndr = %s,\n    .kernel = HARNESS_KERNEL,\n"
         "    .routines = harness_routines,\n    .routine_count = %u,\n",
         subsystem.name, subsystem.base, subsystem.slots,
         options.ndr ? "true" : "false", number);
    emit(text,
         "#ifdef HARNESS_IS_SERVER\n"
         "    .demux = %s%s,\n    .subsystem = &%s%s_subsystem,\n"
         "#endif\n};\n",
         options.prefix, subsystem_demux(), subsystem.server_prefix,
         subsystem.name);
}

static void
gen_harness_client_half(struct text *text)
{
    const struct routine *routine;
    unsigned int number;

    emit(text, "#ifdef HARNESS_IS_CLIENT\n\n"
               "#define mig_external static\n");
    gen_own_header(text, options.harness_file, options.user_file);
    emit(text, "#include \"harness.h\"\n\n");
    number = 0;

    for (routine = subsystem.routines; routine != NULL;
         routine = routine->next) {
        gen_harness_call(text, routine, number);
        number++;
    }

    emit(text,
         "#define HARNESS_SIDE harness_client\n"
         "#define HARNESS_CALL(number) harness_call_##number\n"
         "#define HARNESS_KERNEL %s\n\n"
         "#endif /* HARNESS_IS_CLIENT */\n\n",
         subsystem.kernel_user ? "true" : "false");
}

static void
gen_harness_server_half(struct text *text)
{
    const struct routine *routine;
    const struct arg *arg;
    unsigned int number;

    emit(text, "#ifdef HARNESS_IS_SERVER\n\n");
    gen_own_header(text, options.harness_file, options.server_file);
    emit(text, "#include \"harness.h\"\n\n");
    number = 0;

    for (routine = subsystem.routines; routine != NULL;
         routine = routine->next) {
        for (arg = routine->args; arg != NULL; arg = arg->next) {
            gen_harness_trans(text, arg->type);
        }
    }

    for (routine = subsystem.routines; routine != NULL;
         routine = routine->next) {
        gen_harness_server_function(text, routine, number);
        number++;
    }

    emit(text,
         "#define HARNESS_SIDE harness_server\n"
         "#define HARNESS_CALL(number) NULL\n"
         "#define HARNESS_KERNEL %s\n\n"
         "#endif /* HARNESS_IS_SERVER */\n\n",
         subsystem.kernel_server ? "true" : "false");
}

void
gen_harness_check(void)
{
    const struct routine *routine;
    const struct arg *arg;

    for (routine = subsystem.routines; routine != NULL;
         routine = routine->next) {
        for (arg = routine->args; arg != NULL; arg = arg->next) {
            if (arg->type->form == TYPE_FORM_NATIVE ||
                (arg->flags & ARG_FLAG_OVERWRITE) != 0) {
                diag_error(&arg->pos, "the harness cannot test %s",
                           (arg->type->form == TYPE_FORM_NATIVE)
                               ? type_describe(arg->type)
                               : "`overwrite'");
            }
        }
    }
}

void
gen_harness(struct text *text)
{
    gen_harness_functions = NULL;
    gen_banner(text, "Test harness");

    if (options_wants(options.user_file)) {
        gen_harness_client_half(text);
    }

    if (options_wants(options.server_file)) {
        gen_harness_server_half(text);
    }

    gen_harness_tables(text);
}
