/* SPDX-License-Identifier: MIT */
/*
 * The message server loop. A server is never blocked by its client: replies
 * are sent with a zero timeout (a send-once right always has room), and a
 * reply that nobody takes is destroyed with all that it holds.
 */

#include <mach/mach_init.h>
#include <mach/mach_traps.h>
#include <mach/mig_support.h>
#include <mach/server.h>

#define SERVER_TRAILER_MAX 64 /* room for any trailer, and rounding */

static vm_size_t
server_buffer_size(mach_msg_size_t size)
{
    vm_size_t bytes = (vm_size_t)size + SERVER_TRAILER_MAX;

    return (bytes + PAGE_MASK) & ~PAGE_MASK;
}

void
mig_reply_setup(const mach_msg_header_t *request, mach_msg_header_t *reply)
{
    mig_reply_error_t *error = (mig_reply_error_t *)reply;
    mach_msg_bits_t bits = request->msgh_bits;

    reply->msgh_bits = MACH_MSGH_BITS(MACH_MSGH_BITS_REMOTE(bits), 0);
    reply->msgh_size = sizeof(*error);
    reply->msgh_remote_port = request->msgh_remote_port;
    reply->msgh_local_port = MACH_PORT_NULL;
    reply->msgh_voucher_port = 0;
    reply->msgh_id = (mach_msg_id_t)(request->msgh_id + 100u);
    error->RetCode = MIG_BAD_ID;
}

boolean_t
mig_demux(const mig_routine_fn_t *routines, mach_msg_header_t *request,
          mach_msg_header_t *reply)
{
    mig_reply_setup(request, reply);

    for (; *routines != NULL; routines++) {
        mig_stub_fn_t stub = (*routines)(request);

        if (stub != NULL) {
            stub(request, reply);
            return TRUE;
        }
    }

    return FALSE;
}

/* The reply could not be sent: its rights and regions are still ours. */
static void
server_send(mach_msg_header_t *reply)
{
    mach_msg_return_t mr;

    mr = mach_msg(reply, MACH_SEND_MSG | MACH_SEND_TIMEOUT, reply->msgh_size, 0,
                  MACH_PORT_NULL, 0, MACH_PORT_NULL);

    if (mr != MACH_MSG_SUCCESS) {
        mach_msg_destroy(reply);
    }
}

/*
 * Decide what becomes of a request that was served: TRUE if there is a reply
 * to send.
 */
static boolean_t
server_finish(mach_msg_header_t *request, mach_msg_header_t *reply)
{
    kern_return_t code = KERN_SUCCESS;

    if (!MACH_MSGH_BITS_IS_COMPLEX(reply->msgh_bits)) {
        code = ((mig_reply_error_t *)reply)->RetCode;
    }

    if (code == MIG_NO_REPLY) {
        return FALSE;
    }

    if (code != KERN_SUCCESS) {
        /* The right to reply carries the error: all else goes. */
        request->msgh_remote_port = MACH_PORT_NULL;
        mach_msg_destroy(request);
    }

    if (!MACH_PORT_VALID(reply->msgh_remote_port)) {
        mach_msg_destroy(reply);
        return FALSE;
    }

    return TRUE;
}

void
mach_msg_serve(mach_msg_demux_fn_t demux, mach_msg_header_t *request,
               mach_msg_header_t *reply)
{
    (void)demux(request, reply);

    if (server_finish(request, reply)) {
        server_send(reply);
    }
}

#define SERVER_RESULT(mr)                                                      \
    ((mr) & ~(MACH_MSG_IPC_SPACE | MACH_MSG_VM_SPACE | MACH_MSG_IPC_KERNEL |   \
              MACH_MSG_VM_KERNEL))
#define SERVER_IS_SEND(mr) (((mr)&0x4000) == 0)

/* A server's two buffers and where it receives. */
struct server {
    mach_msg_header_t *request;
    mach_msg_header_t *reply;
    mach_msg_size_t size;
    mach_port_t rcv_name;
    mach_msg_option_t options;
    mach_msg_timeout_t timeout;
};

static mach_msg_return_t
server_receive(const struct server *server)
{
    return mach_msg(server->request, MACH_RCV_MSG | server->options, 0,
                    server->size, server->rcv_name, server->timeout,
                    MACH_PORT_NULL);
}

/*
 * One trap sends the reply and takes the next request into the other buffer,
 * so that a reply that could not be sent is still whole.
 */
static mach_msg_return_t
server_reply_receive(const struct server *server)
{
    const mach_msg_option_t option =
        MACH_SEND_MSG | MACH_SEND_TIMEOUT | MACH_RCV_MSG | server->options;
    const mach_msg_size_t size = server->reply->msgh_size;
    mach_msg_return_t mr;

    mr = mach_msg_trap(server->reply, option,
                       MACH_MSG_TRAP_PAIR(size, server->size), server->rcv_name,
                       0, server->request);

    if (mr == MACH_MSG_SUCCESS) {
        return mr;
    }

    mr = mach_msg_again(mr, server->reply, option, size, server->size,
                        server->rcv_name, 0, MACH_PORT_NULL, server->request);

    if (mr != MACH_MSG_SUCCESS && SERVER_IS_SEND(mr)) {
        mach_msg_destroy(server->reply);
        mr = server_receive(server);
    }

    return mr;
}

/* Whether the server goes on after a receive that failed: the request was
 * too large, or there was no room for all that it brought. */
static boolean_t
server_recover(const struct server *server, mach_msg_return_t mr)
{
    switch (SERVER_RESULT(mr)) {
    case MACH_RCV_TOO_LARGE:
        return (server->options & MACH_RCV_LARGE) == 0;
    case MACH_RCV_HEADER_ERROR:
        return TRUE;
    case MACH_RCV_BODY_ERROR:
        mach_msg_destroy(server->request);
        return TRUE;
    default:
        return FALSE;
    }
}

static mach_msg_return_t
server_setup(struct server *server, mach_msg_size_t size)
{
    vm_size_t bytes = server_buffer_size(size);
    vm_address_t buffers;

    if (size > MACH_MSG_SIZE_MAX || mig_allocate(&buffers, 2 * bytes) != 0) {
        return MACH_RCV_INVALID_DATA | MACH_MSG_VM_SPACE;
    }

    server->request = (mach_msg_header_t *)buffers;
    server->reply = (mach_msg_header_t *)(buffers + bytes);
    server->size = (mach_msg_size_t)bytes;
    return MACH_MSG_SUCCESS;
}

mach_msg_return_t
mach_msg_server(mach_msg_demux_fn_t demux, mach_msg_size_t size,
                mach_port_t rcv_name, mach_msg_option_t options)
{
    struct server server = { .rcv_name = rcv_name, .options = options };
    mach_msg_return_t mr;

    mr = server_setup(&server, size);

    if (mr != MACH_MSG_SUCCESS) {
        return mr;
    }

    mr = server_receive(&server);

    for (;;) {
        if (mr != MACH_MSG_SUCCESS) {
            if (!server_recover(&server, mr)) {
                break;
            }

            mr = server_receive(&server);
            continue;
        }

        (void)demux(server.request, server.reply);

        if (server_finish(server.request, server.reply)) {
            mr = server_reply_receive(&server);
        } else {
            mr = server_receive(&server);
        }
    }

    mig_deallocate((vm_address_t)server.request, 2 * (vm_size_t)server.size);
    return mr;
}

mach_msg_return_t
mach_msg_server_once(mach_msg_demux_fn_t demux, mach_msg_size_t size,
                     mach_port_t rcv_name, mach_msg_option_t options,
                     mach_msg_timeout_t timeout)
{
    struct server server = { .rcv_name = rcv_name,
                             .options = options,
                             .timeout = timeout };
    mach_msg_return_t mr;

    mr = server_setup(&server, size);

    if (mr != MACH_MSG_SUCCESS) {
        return mr;
    }

    mr = server_receive(&server);

    if (mr == MACH_MSG_SUCCESS) {
        mach_msg_serve(demux, server.request, server.reply);
    } else {
        (void)server_recover(&server, mr);
    }

    mig_deallocate((vm_address_t)server.request, 2 * (vm_size_t)server.size);
    return mr;
}

void
mig_reply_error(mach_port_t reply_port, mach_msg_type_name_t type,
                mach_msg_id_t request_id, kern_return_t code)
{
    mig_reply_error_t reply = {
        .Head = { .msgh_bits = MACH_MSGH_BITS(type, 0),
                  .msgh_size = sizeof(reply),
                  .msgh_remote_port = reply_port,
                  .msgh_id = request_id + 100 },
        .RetCode = code,
    };

    if (MACH_PORT_VALID(reply_port)) {
        server_send(&reply.Head);
    }
}
