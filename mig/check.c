/*
 * SPDX-License-Identifier: MIT
 *
 * One small function per rule. An argument of a wrong type was reported when
 * its type was built and is skipped here.
 */

#include "check.h"

#include <stddef.h>
#include <string.h>

#include "diag.h"
#include "pool.h"
#include "routine.h"
#include "subsystem.h"

static void
check_request_port(const struct routine *routine, const struct arg *arg)
{
    const struct type *type;

    type = arg->type;

    if (type->form == TYPE_FORM_PORT &&
        strstr(type->sent->name, "RECEIVE") == NULL &&
        strstr(type->received->name, "RECEIVE") == NULL) {
        return;
    }

    diag_error(&arg->type_pos,
               "`%s' is not a proper request port for `%s': it must be one "
               "send or send-once right",
               arg->name, routine->name);
}

static void
check_reply_port(const struct arg *arg)
{
    if (arg->type->form != TYPE_FORM_PORT) {
        diag_error(&arg->type_pos, "a reply port must be one port right");
    }
}

static void
check_scalar(const struct arg *arg)
{
    if (arg->type->form != TYPE_FORM_DATA || arg->type->size != 4) {
        diag_error(&arg->type_pos, "`%s' argument must be a 32-bit integer",
                   arg_direction_name(arg->direction));
    }
}

/* What the kernel says of the sender: two words, or eight. */
static void
check_token(const struct routine *routine, const struct arg *arg)
{
    uint32_t size;

    size = (arg->direction == ARG_AUDITTOKEN ||
            arg->direction == ARG_SERVERAUDITTOKEN ||
            arg->direction == ARG_USERAUDITTOKEN)
               ? 32
               : 8;

    if (arg->type->form != TYPE_FORM_DATA || arg->type->size != size) {
        diag_error(&arg->type_pos, "`%s' argument must have %u bytes",
                   arg_direction_name(arg->direction), size);
    }

    if (arg->direction == ARG_CONTEXTTOKEN) {
        return;
    }

    if (routine->oneway && arg->direction != ARG_SERVERSECTOKEN &&
        arg->direction != ARG_SERVERAUDITTOKEN) {
        diag_error(&arg->pos, "a simpleroutine has no reply to return `%s'",
                   arg->name);
    }

    if (subsystem.kernel_server || subsystem.kernel_user) {
        diag_error(&arg->pos, "messages inside the kernel have no trailer");
    }
}

static void
check_set_special(const struct arg **place, const struct arg *arg)
{
    if (*place != NULL) {
        diag_warning(&arg->pos, "`%s' replaces `%s'", arg->name,
                     (*place)->name);
        diag_note(&(*place)->pos, "the other one is here");
    }

    *place = arg;
}

/* Give the first plain argument its role. */
static void
check_directions(struct routine *routine)
{
    struct arg *arg;
    bool explicit;

    explicit = false;

    for (arg = routine->args; arg != NULL; arg = arg->next) {
        explicit = explicit || (arg->direction == ARG_REQUESTPORT);
    }

    for (arg = routine->args; arg != NULL; arg = arg->next) {
        if (arg->direction != ARG_DEFAULT) {
            continue;
        }

        if (explicit) {
            arg->direction = ARG_IN;
        } else {
            arg->direction = ARG_REQUESTPORT;
            explicit = true;
        }
    }

    if (!explicit) {
        diag_error(&routine->pos, "`%s' has no request port", routine->name);
    }
}

static void
check_audit(struct routine *routine, const struct arg *arg)
{
    switch (arg->direction) {
    case ARG_AUDITTOKEN:
        check_token(routine, arg);
        check_set_special(&routine->user_audit, arg);
        check_set_special(&routine->server_audit, arg);
        break;
    case ARG_USERAUDITTOKEN:
        check_token(routine, arg);
        check_set_special(&routine->user_audit, arg);
        break;
    case ARG_SERVERAUDITTOKEN:
        check_token(routine, arg);
        check_set_special(&routine->server_audit, arg);
        break;
    case ARG_CONTEXTTOKEN:
        check_token(routine, arg);
        break;
    default:
        break;
    }
}

static void
check_special(struct routine *routine, const struct arg *arg)
{
    switch (arg->direction) {
    case ARG_REQUESTPORT:
        check_request_port(routine, arg);
        check_set_special(&routine->request_port, arg);
        break;
    case ARG_REPLYPORT:
        check_reply_port(arg);
        check_set_special(&routine->user_reply_port, arg);
        check_set_special(&routine->server_reply_port, arg);
        break;
    case ARG_UREPLYPORT:
        check_reply_port(arg);
        check_set_special(&routine->user_reply_port, arg);
        break;
    case ARG_SREPLYPORT:
        check_reply_port(arg);
        check_set_special(&routine->server_reply_port, arg);
        break;
    case ARG_WAITTIME:
        check_scalar(arg);
        check_set_special(&routine->wait_arg, arg);
        break;
    case ARG_SENDTIME:
        check_scalar(arg);
        check_set_special(&routine->send_arg, arg);
        break;
    case ARG_MSGOPTION:
        check_scalar(arg);
        check_set_special(&routine->option_arg, arg);
        break;
    case ARG_MSGSEQNO:
        check_scalar(arg);
        check_set_special(&routine->seqno_arg, arg);
        break;
    case ARG_SECTOKEN:
        check_token(routine, arg);
        check_set_special(&routine->user_token, arg);
        check_set_special(&routine->server_token, arg);
        break;
    case ARG_USERSECTOKEN:
        check_token(routine, arg);
        check_set_special(&routine->user_token, arg);
        break;
    case ARG_SERVERSECTOKEN:
        check_token(routine, arg);
        check_set_special(&routine->server_token, arg);
        break;
    default:
        check_audit(routine, arg);
        break;
    }
}

/*
 * A disposition chosen at run time is told to C: by the one who sends, to the
 * one who receives.
 */
static void
check_poly(struct arg *arg)
{
    const struct type *type;
    bool both;

    type = arg->type;

    if (!type_is_port(type)) {
        return;
    }

    both = type->sent->polymorphic || type->received->polymorphic;

    switch (arg->direction) {
    case ARG_INOUT:
        arg->user_poly = both;
        arg->server_poly = both;
        break;
    case ARG_OUT:
        arg->user_poly = type->received->polymorphic;
        arg->server_poly = type->sent->polymorphic;
        break;
    default:
        arg->user_poly = type->sent->polymorphic;
        arg->server_poly = type->received->polymorphic;
        break;
    }
}

static void
check_count(struct arg *arg, const struct arg *previous)
{
    if ((arg->flags & ARG_FLAG_SAMECOUNT) != 0) {
        if (!type_is_variable(arg->type) || previous == NULL ||
            previous->in != arg->in || previous->out != arg->out) {
            diag_error(&arg->pos,
                       "`samecount' needs a variable array after another one "
                       "of the same direction");
            return;
        }

        arg->count = previous;
        return;
    }

    if (type_is_variable(arg->type)) {
        arg->count = arg;
    }
}

static void
check_no_effect(const struct arg *arg, const char *flag, const char *why)
{
    diag_warning(&arg->pos, "`%s' has no effect: %s", flag, why);
}

static void
check_flags(struct arg *arg)
{
    unsigned int dealloc;

    dealloc = ARG_FLAG_DEALLOC | ARG_FLAG_DEALLOC_DYNAMIC;

    if (arg->type->dealloc && (arg->flags & ARG_FLAG_NOTDEALLOC) == 0 &&
        type_is_ool(arg->type)) {
        arg->flags |= ARG_FLAG_DEALLOC;
    }

    if ((arg->flags & dealloc) != 0 && !type_is_ool(arg->type)) {
        check_no_effect(arg, "dealloc", "the argument is not out of line");
        arg->flags &= ~dealloc;
    }

    if ((arg->flags & ARG_FLAG_COUNTINOUT) != 0 &&
        (arg->direction != ARG_OUT || !arg_has_count(arg) ||
         type_is_ool(arg->type))) {
        diag_error(&arg->pos,
                   "`countinout' is for variable in-line `out' arrays");
        arg->flags &= ~(unsigned int)ARG_FLAG_COUNTINOUT;
    }

    if ((arg->flags & ARG_FLAG_OVERWRITE) != 0 &&
        (arg->direction != ARG_OUT || (arg->type->form != TYPE_FORM_OOL &&
                                       arg->type->form != TYPE_FORM_VOOL))) {
        check_no_effect(arg, "overwrite", "not out-of-line `out' memory");
        arg->flags &= ~(unsigned int)ARG_FLAG_OVERWRITE;
    }

    if ((arg->flags & ARG_FLAG_AUTO) != 0 &&
        (!arg->in || arg->out || !type_is_ool(arg->type))) {
        check_no_effect(arg, "auto", "not an out-of-line `in' argument");
        arg->flags &= ~(unsigned int)ARG_FLAG_AUTO;
    }
}

static void
check_retcode(struct routine *routine, const struct arg *arg)
{
    if ((arg->flags & ARG_FLAG_RETCODE) == 0) {
        return;
    }

    if (!routine->oneway) {
        check_no_effect(arg, "retcode", "every routine has a return code");
    } else if (arg->direction != ARG_IN || arg->type->form != TYPE_FORM_DATA ||
               arg->type->size != 4) {
        diag_error(&arg->type_pos, "a `retcode' argument must be `in' and a "
                                   "32-bit integer");
    } else {
        check_set_special(&routine->retcode, arg);
    }
}

static void
check_native(const struct arg *arg)
{
    const struct type_native *native;

    native = &arg->type->native;

    if (native->name == NULL) {
        return;
    }

    if (arg->out && (native->by_value || native->absent != NULL)) {
        diag_error(&arg->pos, "`%s' can only be `in'",
                   native->by_value ? "ValueOf" : "PointerToIfNot");
    }
}

static void
check_translations(const struct arg *arg)
{
    const struct type *type;

    type = arg->type;

    if (type->intran.function == NULL && type->outtran.function == NULL &&
        type->destructor.function == NULL && type->payload.function == NULL) {
        return;
    }

    if (type_is_array(type) || type_is_variable(type) ||
        type->form == TYPE_FORM_NATIVE) {
        diag_error(&arg->type_pos, "%s cannot be translated",
                   type_describe(type));
    }

    if (arg->direction == ARG_INOUT &&
        (type->intran.function == NULL) != (type->outtran.function == NULL)) {
        diag_error(&arg->type_pos, "an `inout' argument needs both `intran' "
                                   "and `outtran' or none");
    }
}

static void
check_value(const struct routine *routine, const struct arg *arg)
{
    const struct type *type;

    type = arg->type;

    if (routine->oneway && arg->out) {
        diag_error(&arg->pos, "a simpleroutine has no reply to return `%s'",
                   arg->name);
    }

    if (arg->direction == ARG_INOUT && type_is_inline_variable(type)) {
        diag_error(&arg->pos, "%s cannot be `inout'", type_describe(type));
    }

    if (arg->direction == ARG_INOUT && type_is_port(type) && diag_is_strict()) {
        diag_error(&arg->pos, "a port right cannot be `inout': nobody could "
                              "say whose reference it is");
    }

    if (arg->direction == ARG_INOUT &&
        (type->form == TYPE_FORM_OOLS || type->form == TYPE_FORM_VOOLS)) {
        diag_error(&arg->pos, "%s cannot be `inout'", type_describe(type));
    }

    if ((type->form == TYPE_FORM_VARRAY || type->form == TYPE_FORM_VPORTS ||
         type->form == TYPE_FORM_PORTS) &&
        type_element_ctype(type, true) == NULL) {
        diag_error(&arg->type_pos,
                   "the elements of the array `%s' need a "
                   "type with a name",
                   arg->name);
    }

    if (type->like_inline && subsystem.kernel_server && arg->in) {
        diag_error(&arg->type_pos, "an unbounded array cannot look in-line "
                                   "inside the kernel; write `^array[]'");
    }
}

/*
 * Names that generated stubs use themselves, members that every message has,
 * and words that C keeps for itself.
 */
static const char *const check_taken[] = {
    "ErrorP",   "Head",      "InHeadP",  "InP",      "Mess",       "NDR",
    "Out",      "OutHeadP",  "OutP",     "TrailerP", "auto",       "break",
    "bytes",    "case",      "char",     "const",    "continue",   "default",
    "do",       "double",    "else",     "enum",     "extern",     "float",
    "for",      "goto",      "i",        "if",       "inline",     "int",
    "kr",       "long",      "memcpy",   "memset",   "mr",         "msgh_body",
    "register", "msgh_size", "restrict", "return",   "reply_port", "routine",
    "short",    "signed",    "sizeof",   "slack",    "static",     "struct",
    "switch",   "typedef",   "union",    "unsigned", "void",       "volatile",
    "while",
};

/* In1P, Out2P and so on are pointers to the tails of messages. */
static bool
check_is_tail(const char *name)
{
    size_t length;

    length = strlen(name);

    return length > 3 && name[length - 1] == 'P' && name[length - 2] >= '0' &&
           name[length - 2] <= '9' &&
           (strncmp(name, "In", 2) == 0 || strncmp(name, "Out", 3) == 0);
}

/*
 * An argument with such a name is called otherwise in C, where the names of
 * parameters are nobody else's business.
 */
static void
check_rename(struct arg *arg)
{
    bool taken;
    size_t i;

    taken = check_is_tail(arg->name) ||
            (arg->out && strcmp(arg->name, "RetCode") == 0);

    for (i = 0; i < sizeof(check_taken) / sizeof(check_taken[0]); i++) {
        taken = taken || strcmp(arg->name, check_taken[i]) == 0;
    }

    if (taken) {
        arg->name = pool_printf("%s_", arg->name);
    }
}

static void
check_name(const struct routine *routine, const struct arg *arg)
{
    const struct arg *other;

    for (other = routine->args; other != arg; other = other->next) {
        if (strcmp(other->name, arg->name) == 0) {
            diag_error(&arg->pos, "two arguments are called `%s'", arg->name);
            diag_note(&other->pos, "the other one is here");
            return;
        }
    }

    if (arg->type->name == NULL && arg->type->native.name == NULL) {
        diag_error(&arg->type_pos,
                   "the type of `%s' has no C name; write "
                   "`name = ...'",
                   arg->name);
    }
}

static void
check_arg(struct routine *routine, struct arg *arg, const struct arg *previous)
{
    check_name(routine, arg);
    check_special(routine, arg);

    arg->in = (arg->direction == ARG_IN || arg->direction == ARG_INOUT);
    arg->out = (arg->direction == ARG_OUT || arg->direction == ARG_INOUT);

    check_rename(arg);
    check_poly(arg);
    check_translations(arg);

    if (arg->in || arg->out) {
        check_count(arg, previous);
        check_flags(arg);
        check_retcode(routine, arg);
        check_native(arg);
        check_value(routine, arg);
    } else if ((arg->flags & ~(unsigned int)ARG_FLAG_ISLONG) != 0) {
        diag_warning(&arg->pos, "flags have no effect on this argument");
    }
}

static void
check_routine(struct routine *routine)
{
    const struct routine *other;
    const struct arg *counted;
    struct arg *arg;

    for (other = subsystem.routines; other != routine; other = other->next) {
        if (strcmp(other->name, routine->name) == 0) {
            diag_error(&routine->pos, "a second routine called `%s'",
                       routine->name);
            diag_note(&other->pos, "the first is here");
            break;
        }
    }

    check_directions(routine);
    counted = NULL;

    for (arg = routine->args; arg != NULL; arg = arg->next) {
        if (arg->type->form == TYPE_FORM_ERROR) {
            continue;
        }

        check_arg(routine, arg, counted);

        if (arg_has_count(arg)) {
            counted = arg;
        }
    }

    if (routine->retcode != NULL &&
        (routine->seqno_arg != NULL || routine->server_token != NULL ||
         routine->server_audit != NULL)) {
        diag_error(&routine->retcode->pos,
                   "`retcode' and what a trailer tells do not go together");
    }
}

void
check_subsystem(void)
{
    static const struct source_pos nowhere;
    struct routine *routine;

    if (subsystem.name == NULL && diag_error_count() == 0) {
        diag_error(&nowhere, "the file has no `subsystem' statement");
    }

    for (routine = subsystem.routines; routine != NULL;
         routine = routine->next) {
        if (!routine->broken) {
            check_routine(routine);
        }
    }
}
