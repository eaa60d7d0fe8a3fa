/*
 * SPDX-License-Identifier: MIT
 *
 * Client stubs: fill in a request, send it, wait for the reply, check it,
 * take it apart.
 *
 * A stub is a straight line when all goes well. What to do when it does not
 * is in two functions at the top of the file, kept out of line.
 */

#include <string.h>

#include "gen.h"
#include "gen_user.h"
#include "options.h"
#include "pool.h"
#include "subsystem.h"

/* The one routine that the file is about; NULL: all of them. */
static const struct routine *gen_user_only;

static bool
gen_user_is_wanted(const struct routine *routine)
{
    return gen_user_only == NULL || gen_user_only == routine;
}

static bool
gen_user_any_twoway(void)
{
    const struct routine *routine;

    for (routine = subsystem.routines; routine != NULL;
         routine = routine->next) {
        if (!routine->oneway && gen_user_is_wanted(routine)) {
            return true;
        }
    }

    return false;
}

/* True if the stub receives at a port of its own thread. */
bool
gen_user_owns_port(const struct routine *routine)
{
    return !routine->oneway && routine->user_reply_port == NULL &&
           !subsystem.kernel_user;
}

bool
gen_user_any_owner(void)
{
    const struct routine *routine;

    for (routine = subsystem.routines; routine != NULL;
         routine = routine->next) {
        if (gen_user_owns_port(routine) && gen_user_is_wanted(routine)) {
            return true;
        }
    }

    return false;
}

/*
 * The run-time library of this system keeps the port where it is found again
 * for the cost of a load.
 */
const char *
gen_user_own_port(void)
{
    return (options.runtime_prefix[0] == '\0') ? "mig_same_reply_port()"
                                               : "reply_port";
}

const char *
gen_user_trailer(const struct routine *routine)
{
    if (routine->user_audit != NULL) {
        return "audit";
    }

    return (routine->user_token != NULL) ? "security" : NULL;
}

const char *
gen_user_destroy(void)
{
    return subsystem.kernel_user ? "mach_msg_destroy_from_kernel"
                                 : "mach_msg_destroy";
}

static void
gen_user_kernel_externs(struct text *text)
{
    emit(text, "extern mach_msg_return_t\n"
               "mach_msg_rpc_from_kernel(mach_msg_header_t *msg,\n"
               "                         mach_msg_size_t send_size,\n"
               "                         mach_msg_size_t rcv_size);\n"
               "extern mach_msg_return_t\n"
               "mach_msg_send_from_kernel(mach_msg_header_t *msg,\n"
               "                          mach_msg_size_t send_size);\n"
               "extern void\n"
               "mach_msg_destroy_from_kernel(mach_msg_header_t *msg);\n\n");
}

static void
gen_user_failed(struct text *text)
{
    emit(text,
         "/*\n"
         " * The message was not exchanged. If it never left, no reply can\n"
         " * come and the reply port is as good as before.\n"
         " */\n"
         "static MIG_COLD mach_msg_return_t\n"
         "mig_failed(mach_msg_return_t mr, mach_port_t reply_port)\n"
         "{\n"
         "    if (mr == MACH_SEND_INVALID_DATA ||\n"
         "        mr == MACH_SEND_INVALID_DEST ||\n"
         "        mr == MACH_SEND_INVALID_HEADER) {\n");
    emit(text, "        %smig_put_reply_port(reply_port);\n",
         options.runtime_prefix);
    emit(text,
         "    } else {\n"
         "        %smig_dealloc_reply_port(reply_port);\n",
         options.runtime_prefix);
    emit(text, "    }\n\n"
               "    return mr;\n"
               "}\n\n");
}

static void
gen_user_bad_reply(struct text *text)
{
    const char *error;

    error = options.ndr ? "mig_reply_error_ndr_t" : "mig_reply_error_t";

    emit(text,
         "/*\n"
         " * A reply that is not a success: an error reply, whose code is the\n"
         " * result, or something that must not be looked into.\n"
         " */\n"
         "static MIG_COLD kern_return_t\n"
         "mig_bad_reply(mach_msg_header_t *HeadP, mach_msg_id_t id%s)\n"
         "{\n",
         gen_user_any_owner() ? ", mach_port_t reply_port" : "");
    emit(text,
         "    const %s *ErrorP = (const void *)HeadP;\n"
         "    kern_return_t kr;\n\n",
         error);
    emit(text, "    if (HeadP->msgh_id == id) {\n"
               "        if (!(HeadP->msgh_bits & MACH_MSGH_BITS_COMPLEX) &&\n"
               "            HeadP->msgh_remote_port == MACH_PORT_NULL &&\n"
               "            HeadP->msgh_size == sizeof(*ErrorP) &&\n"
               "            ErrorP->RetCode != KERN_SUCCESS) {\n"
               "            return ErrorP->RetCode;\n"
               "        }\n\n"
               "        kr = MIG_TYPE_ERROR;\n"
               "    } else if (HeadP->msgh_id == MACH_NOTIFY_SEND_ONCE) {\n"
               "        kr = MIG_SERVER_DIED;\n"
               "    } else {\n"
               "        kr = MIG_REPLY_MISMATCH;\n");

    if (gen_user_any_owner()) {
        emit(text,
             "\n"
             "        /* The true reply may still come: not to this port. */\n"
             "        if (reply_port != MACH_PORT_NULL) {\n"
             "            %smig_dealloc_reply_port(reply_port);\n"
             "        }\n",
             options.runtime_prefix);
    }

    emit(text,
         "    }\n\n"
         "    %s(HeadP);\n"
         "    return kr;\n"
         "}\n\n",
         gen_user_destroy());
}

/* True if the message is too large for the stack. */
static bool
gen_user_is_big(const struct routine *routine)
{
    unsigned long limit;

    limit = options.stack_limit;

    if (limit == 0) {
        limit = subsystem.stack_limit;
    }

    return limit != 0 && !subsystem.kernel_user &&
           (routine->request.max_size > limit ||
            routine->reply.max_size > limit);
}

/* What the buffer's members are written behind. */
static const char *
gen_user_mess(const struct routine *routine)
{
    return gen_user_is_big(routine) ? "MessP->" : "Mess.";
}

static void
gen_user_buffer(struct text *text, const struct routine *routine)
{
    const char *in, *out;
    bool big;

    in = gen_struct(routine, "Request", 0);
    out = gen_struct(routine, "Reply", 0);
    big = gen_user_is_big(routine);

    emit(text, "    union {\n        %s In;\n", in);

    if (!routine->oneway) {
        emit(text,
             "        struct {\n"
             "            %s Data;\n"
             "            mach_msg_%s%strailer_t Trailer;\n"
             "        } Out;\n",
             out,
             (gen_user_trailer(routine) != NULL) ? gen_user_trailer(routine)
                                                 : "",
             (gen_user_trailer(routine) != NULL) ? "_" : "");
    }

    if (routine->retcode != NULL) {
        emit(text, "        mig_reply_error%s_t Error;\n",
             options.ndr ? "_ndr" : "");
    }

    emit(text, "    } %s;\n", big ? "*MessP" : "Mess");

    if (big) {
        emit(text, "    struct mig_buffer Buffer MIG_BUFFER_SCOPE =\n"
                   "        mig_buffer_allocate(sizeof(*MessP));\n");
        emit(text, "    %s *InP;\n", in);
    } else {
        emit(text, "    %s *InP = &Mess.In;\n", in);
    }

    if (!routine->oneway) {
        emit(text, "    %s *OutP%s;\n", out, big ? "" : " = &Mess.Out.Data");
    }
}

static void
gen_user_locals(struct text *text, const struct routine *routine)
{
    gen_user_buffer(text, routine);
    gen_tail_pointers(text, routine, &routine->request, "Request", "In");

    if (!routine->oneway) {
        gen_tail_pointers(text, routine, &routine->reply, "Reply", "Out");
    }

    if (gen_user_owns_port(routine)) {
        emit(text, "    mach_port_t reply_port;\n");
    }

    if (gen_user_trailer(routine) != NULL) {
        emit(text, "    mach_msg_%s_trailer_t *TrailerP;\n",
             gen_user_trailer(routine));
    }

    if (layout_is_variable(&routine->request)) {
        emit(text, "    mach_msg_size_t msgh_size;\n");
    }

    if (layout_is_variable(&routine->reply)) {
        emit(text, "    mach_msg_size_t slack, bytes;\n");
    }
}

/* A buffer that is not on the stack must be there first. */
static void
gen_user_use_buffer(struct text *text, const struct routine *routine)
{
    if (!gen_user_is_big(routine)) {
        return;
    }

    emit(text, "    if (Buffer.address == NULL) {\n"
               "        return KERN_RESOURCE_SHORTAGE;\n"
               "    }\n\n"
               "    MessP = (void *)Buffer.address;\n"
               "    InP = &MessP->In;\n");

    if (!routine->oneway) {
        emit(text, "    OutP = &MessP->Out.Data;\n");
    }

    emit(text, "\n");
}

static bool
gen_user_may_truncate(const struct routine *routine)
{
    const struct arg *arg;

    for (arg = routine->args; arg != NULL; arg = arg->next) {
        if (arg->out && arg->type->form == TYPE_FORM_VARRAY) {
            return true;
        }
    }

    return false;
}

/* The reply port's disposition, and the port itself. */
static const char *
gen_user_reply_bits(const struct routine *routine)
{
    const struct arg *arg;

    arg = routine->user_reply_port;

    if (arg == NULL) {
        return routine->oneway ? "0" : "MACH_MSG_TYPE_MAKE_SEND_ONCE";
    }

    if (arg->user_poly) {
        return pool_printf("%sPoly", arg->name);
    }

    return gen_sent(arg, false);
}

/* SIZE: an expression. */
static void
gen_user_head(struct text *text, const struct routine *routine, bool complex,
              const char *size)
{
    const struct arg *request;
    const char *local;

    request = routine->request_port;

    if (routine->user_reply_port != NULL) {
        local = routine->user_reply_port->name;
    } else if (gen_user_owns_port(routine)) {
        emit(text, "    reply_port = %s;\n",
             (options.runtime_prefix[0] == '\0')
                 ? "mig_reply_port()"
                 : pool_printf("%smig_get_reply_port()",
                               options.runtime_prefix));
        local = "reply_port";
    } else {
        local = "MACH_PORT_NULL";
    }

    emit(text,
         "    InP->Head.msgh_bits = %sMACH_MSGH_BITS(\n        %s, %s);\n",
         complex ? "MACH_MSGH_BITS_COMPLEX | " : "",
         request->user_poly ? pool_printf("%sPoly", request->name)
                            : gen_sent(request, false),
         gen_user_reply_bits(routine));

    emit(text, "    InP->Head.msgh_size = %s;\n", size);
    emit(text, "    InP->Head.msgh_remote_port = %s;\n", request->name);
    emit(text, "    InP->Head.msgh_local_port = %s;\n", local);
    emit(text, "    InP->Head.msgh_voucher_port = 0;\n");
    emit(text, "    InP->Head.msgh_id = %lu;\n\n",
         subsystem_request_id(routine));
}

/* Which halves of mach_msg a trap does. */
enum gen_user_half {
    GEN_USER_SEND = 1,
    GEN_USER_RECEIVE = 2,
    GEN_USER_BOTH = 3,
};

/* The options for that, and the timeout they mean. */
static const char *
gen_user_options(const struct routine *routine, enum gen_user_half half,
                 const char **timeoutp)
{
    static const char *const halves[] = {
        [GEN_USER_SEND] = "MACH_SEND_MSG",
        [GEN_USER_RECEIVE] = "MACH_RCV_MSG",
        [GEN_USER_BOTH] = "MACH_SEND_MSG | MACH_RCV_MSG",
    };
    const char *list;
    bool receive;

    list = halves[half];
    *timeoutp = "MACH_MSG_TIMEOUT_NONE";
    receive = (half & GEN_USER_RECEIVE) != 0;

    if (routine->wait_arg != NULL) {
        *timeoutp = routine->wait_arg->name;
    } else if (routine->send_arg != NULL) {
        *timeoutp = routine->send_arg->name;
        receive = false;
    } else if (routine->wait_time != NULL) {
        *timeoutp = routine->wait_time;
    } else if (routine->send_time != NULL) {
        *timeoutp = routine->send_time;
        receive = false;
    } else {
        goto out_options;
    }

    if ((half & GEN_USER_SEND) != 0) {
        list = pool_printf("%s | MACH_SEND_TIMEOUT", list);
    }

    if (receive) {
        list = pool_printf("%s | MACH_RCV_TIMEOUT", list);
    }

out_options:
    if (gen_user_trailer(routine) != NULL && (half & GEN_USER_RECEIVE) != 0) {
        list = pool_printf("%s |\n            MACH_RCV_TRAILER_ELEMENTS("
                           "MACH_RCV_TRAILER_%s)",
                           list,
                           (routine->user_audit != NULL) ? "AUDIT" : "SENDER");
    }

    if (routine->msg_option != NULL) {
        list = pool_printf("%s | %s", list, routine->msg_option);
    }

    if (routine->option_arg != NULL) {
        list = pool_printf("%s |\n            (mach_msg_option_t)%s", list,
                           routine->option_arg->name);
    }

    return list;
}

static void
gen_user_hook(struct text *text, const struct routine *routine,
              const char *when)
{
    emit(text, "    __%sSend%s(%lu, \"%s\")\n", when,
         routine->oneway ? "Simple" : "Rpc", subsystem_request_id(routine),
         routine->name);
}

static const char *
gen_user_sender(const struct routine *routine)
{
    return (gen_user_owns_port(routine) && options.runtime_prefix[0] == '\0')
               ? "mig_rpc"
               : "mig_mach_msg";
}

static void
gen_user_trap(struct text *text, const struct routine *routine,
              enum gen_user_half half, const char *size)
{
    const char *timeout, *list, *port;
    bool receives;

    receives = (half & GEN_USER_RECEIVE) != 0;
    list = gen_user_options(routine, half, &timeout);
    port = gen_user_owns_port(routine) ? "reply_port"
                                       : "InP->Head.msgh_local_port";

    emit(text, "    mr = %s(\n        &InP->Head,\n        %s,\n",
         receives ? gen_user_sender(routine) : "mig_mach_msg", list);
    emit(text, "        %s, %s, %s, %s);\n", size,
         receives ? pool_printf("sizeof(%sOut)", gen_user_mess(routine)) : "0",
         receives ? port : "MACH_PORT_NULL", timeout);
}

static void
gen_user_send(struct text *text, const struct routine *routine,
              const char *size)
{
    gen_user_hook(text, routine, "Before");

    if (subsystem.kernel_user && routine->oneway) {
        emit(text, "    mr = mach_msg_send_from_kernel(&InP->Head, %s);\n",
             size);
    } else if (subsystem.kernel_user) {
        emit(text,
             "    mr = mach_msg_rpc_from_kernel(&InP->Head, %s,\n"
             "                                  sizeof(Mess.Out));\n",
             size);
    } else if (routine->oneway) {
        gen_user_trap(text, routine, GEN_USER_SEND, size);
    } else if (options.two_traps) {
        gen_user_trap(text, routine, GEN_USER_SEND, size);
        emit(text, "\n    if (mr == MACH_MSG_SUCCESS) {\n");
        gen_user_trap(text, routine, GEN_USER_RECEIVE, "0");
        emit(text, "    }\n\n");
    } else {
        gen_user_trap(text, routine, GEN_USER_BOTH, size);
    }

    gen_user_hook(text, routine, "After");
    emit(text, "\n");
}

/*
 * A simpleroutine with a `retcode' argument is a reply sent by hand. A failure
 * is told as every server tells it, by an error reply; nothing else is sent,
 * and what the arguments hold stays the caller's.
 */
static void
gen_user_retcode(struct text *text, const struct routine *routine)
{
    const char *name;

    if (routine->retcode == NULL) {
        return;
    }

    name = routine->retcode->name;
    emit(text, "    if (MIG_UNLIKELY(%s != KERN_SUCCESS)) {\n", name);

    if (options.ndr) {
        emit(text, "    %sError.NDR = NDR_record;\n", gen_user_mess(routine));
    }

    emit(text, "    %sError.RetCode = %s;\n", gen_user_mess(routine), name);
    gen_user_head(text, routine, false,
                  pool_printf("sizeof(%sError)", gen_user_mess(routine)));
    gen_user_send(text, routine,
                  pool_printf("sizeof(%sError)", gen_user_mess(routine)));
    emit(text, "    return mr;\n    }\n\n");
}

static void
gen_user_consume(struct text *text, const struct routine *routine)
{
    if (routine->consume == NULL) {
        return;
    }

    emit(text, "        if (mr == MACH_SEND_TIMED_OUT%s) {\n",
         (routine->consume[0] == 'A' || routine->consume[0] == 'a')
             ? " ||\n            mr == MACH_SEND_INVALID_DEST"
             : "");
    emit(text,
         "            %s(&InP->Head);\n"
         "        }\n\n",
         gen_user_destroy());
}

static void
gen_user_check_send(struct text *text, const struct routine *routine)
{
    if (routine->oneway && routine->consume == NULL) {
        emit(text, "    return mr;\n");
        return;
    }

    emit(text, "    if (MIG_UNLIKELY(mr != MACH_MSG_SUCCESS)) {\n");
    gen_user_consume(text, routine);

    if (gen_user_owns_port(routine)) {
        emit(text, "        return mig_failed(mr, %s);\n", gen_user_own_port());
    } else {
        emit(text, "        return mr;\n");
    }

    emit(text, "    }\n\n");

    if (routine->oneway) {
        emit(text, "    return KERN_SUCCESS;\n");
    }
}

/* The kernel's send functions take neither options nor timeouts. */
static void
gen_user_unused(struct text *text, const struct routine *routine)
{
    const struct arg *const args[] = { routine->wait_arg, routine->send_arg,
                                       routine->option_arg };
    size_t i;

    for (i = 0; i < sizeof(args) / sizeof(args[0]); i++) {
        if (args[i] != NULL) {
            emit(text, "    (void)%s;\n", args[i]->name);
        }
    }
}

static void
gen_user_token(struct text *text, const struct routine *routine)
{
    if (routine->user_token != NULL) {
        emit(text, "    mig_copy(%s, &TrailerP->msgh_sender, 8);\n",
             routine->user_token->name);
    }

    if (routine->user_audit != NULL) {
        emit(text, "    mig_copy(%s, &TrailerP->msgh_audit, 32);\n",
             routine->user_audit->name);
    }
}

static void
gen_user_routine(struct text *text, const struct routine *routine)
{
    const char *size;
    bool truncates;

    truncates = gen_user_may_truncate(routine);
    size = layout_is_variable(&routine->request) ? "msgh_size" : "sizeof(*InP)";

    emit(text, "mig_external ");
    gen_prototype(text, routine, false);
    emit(text, "\n{\n");
    gen_user_locals(text, routine);
    emit(text, "    mach_msg_return_t mr;\n");

    if (truncates) {
        emit(text, "    kern_return_t kr = KERN_SUCCESS;\n");
    }

    emit(text, "    __DeclareSend%s(%lu, \"%s\")\n\n",
         routine->oneway ? "Simple" : "Rpc", subsystem_request_id(routine),
         routine->name);

    if (subsystem.kernel_user) {
        gen_user_unused(text, routine);
    }

    gen_user_use_buffer(text, routine);
    gen_user_retcode(text, routine);
    gen_user_check_counts(text, routine);
    gen_user_pack(text, routine);
    gen_user_head(text, routine, routine->request.complex, size);
    gen_user_send(text, routine, size);
    gen_user_check_send(text, routine);

    if (!routine->oneway) {
        gen_user_check_reply(text, routine);
        gen_user_check_room(text, routine);
        gen_user_unpack(text, routine);
        gen_user_token(text, routine);
        emit(text, "    return %s;\n", truncates ? "kr" : "KERN_SUCCESS");
    }

    emit(text, "}\n\n");
}

static void
gen_user_file(struct text *text, const char *file)
{
    const struct routine *routine;

    gen_banner(text, "Client stubs");

    if (options_wants(options.user_header)) {
        if (options.split_headers) {
            gen_includes(text, false);
        }

        gen_own_header(text, file, options.user_header);
        emit(text, "#include <stddef.h>\n#include <stdint.h>\n\n");
    } else {
        emit(text, "#include <stddef.h>\n");
        gen_includes(text, false);
        gen_user_interface(text);
    }

    gen_type_check(text);
    gen_runtime(text);
    gen_hooks(text, "Send");
    emit(text, "#ifndef mig_external\n#define mig_external\n#endif\n\n");

    if (subsystem.rcsid != NULL && gen_user_only == NULL) {
        emit(text, "const char %s_user_rcsid[] = %s;\n\n", subsystem.name,
             subsystem.rcsid);
    }

    gen_message_asserts(text, false);

    if (subsystem.kernel_user) {
        gen_user_kernel_externs(text);
    }

    if (gen_user_any_owner()) {
        gen_user_failed(text);
    }

    if (gen_user_any_twoway()) {
        gen_user_bad_reply(text);
    }

    for (routine = subsystem.routines; routine != NULL;
         routine = routine->next) {
        if (gen_user_is_wanted(routine)) {
            gen_user_routine(text, routine);
        }
    }
}

void
gen_user(struct text *text)
{
    gen_user_only = NULL;
    gen_user_file(text, options.user_file);
}

void
gen_user_one(struct text *text, const struct routine *routine, const char *file)
{
    gen_user_only = routine;
    gen_user_file(text, file);
}
