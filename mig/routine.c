/*
 * SPDX-License-Identifier: MIT
 *
 * Questions about arguments that several back ends ask.
 */

#include "routine.h"

#include <stddef.h>

const char *
arg_direction_name(enum arg_direction direction)
{
    static const char *const names[] = {
        [ARG_DEFAULT] = "in",
        [ARG_IN] = "in",
        [ARG_OUT] = "out",
        [ARG_INOUT] = "inout",
        [ARG_REQUESTPORT] = "requestport",
        [ARG_REPLYPORT] = "replyport",
        [ARG_SREPLYPORT] = "sreplyport",
        [ARG_UREPLYPORT] = "ureplyport",
        [ARG_WAITTIME] = "waittime",
        [ARG_SENDTIME] = "sendtime",
        [ARG_MSGOPTION] = "msgoption",
        [ARG_MSGSEQNO] = "msgseqno",
        [ARG_SECTOKEN] = "sectoken",
        [ARG_SERVERSECTOKEN] = "serversectoken",
        [ARG_USERSECTOKEN] = "usersectoken",
        [ARG_AUDITTOKEN] = "audittoken",
        [ARG_SERVERAUDITTOKEN] = "serveraudittoken",
        [ARG_USERAUDITTOKEN] = "useraudittoken",
        [ARG_CONTEXTTOKEN] = "servercontexttoken",
        [ARG_UNSUPPORTED] = "unsupported",
    };

    return names[direction];
}

bool
arg_is_user(const struct arg *arg)
{
    switch (arg->direction) {
    case ARG_SREPLYPORT:
    case ARG_MSGSEQNO:
    case ARG_SERVERSECTOKEN:
    case ARG_SERVERAUDITTOKEN:
    case ARG_CONTEXTTOKEN:
    case ARG_UNSUPPORTED:
        return false;
    default:
        return true;
    }
}

bool
arg_is_server(const struct arg *arg)
{
    switch (arg->direction) {
    case ARG_UREPLYPORT:
    case ARG_WAITTIME:
    case ARG_SENDTIME:
    case ARG_MSGOPTION:
    case ARG_USERSECTOKEN:
    case ARG_USERAUDITTOKEN:
    case ARG_UNSUPPORTED:
        return false;
    default:
        return true;
    }
}

uint32_t
arg_count_max(const struct routine *routine, const struct arg *arg)
{
    const struct arg *other;
    uint32_t max;

    max = 0;

    for (other = routine->args; other != NULL; other = other->next) {
        if (other->count == arg->count && other->type->count != 0 &&
            (max == 0 || other->type->count < max)) {
            max = other->type->count;
        }
    }

    return max;
}

bool
arg_has_count(const struct arg *arg)
{
    return arg->count == arg;
}

bool
arg_has_dealloc(const struct arg *arg)
{
    return (arg->flags & ARG_FLAG_DEALLOC_DYNAMIC) != 0;
}

bool
arg_has_subs(const struct arg *arg)
{
    const struct type *type;

    type = arg->type;
    return (type->form == TYPE_FORM_OOLS || type->form == TYPE_FORM_VOOLS) &&
           type_is_variable(type->element);
}

uint32_t
arg_ool_size(const struct arg *arg)
{
    const struct type *element;

    element = arg->type->element;
    return type_is_port(element) ? element->count : element->size;
}
