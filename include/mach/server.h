/* SPDX-License-Identifier: MIT */
/*
 * Message servers: receive a request, let the stubs that MIG generates serve
 * it, send the reply.
 *
 * Who owns what is in a request: a routine that returns KERN_SUCCESS or
 * MIG_NO_REPLY has taken it all (with MIG_NO_REPLY the right to reply too);
 * after any other result nothing was taken, and the loop destroys it.
 */

#ifndef MACH_SERVER_H
#define MACH_SERVER_H

#include <mach/message.h>
#include <mach/mig_errors.h>

typedef boolean_t (*mach_msg_demux_fn_t)(mach_msg_header_t *request,
                                         mach_msg_header_t *reply);

/* A subsystem's stub for a request's id, or null. */
typedef void (*mig_stub_fn_t)(mach_msg_header_t *request,
                              mach_msg_header_t *reply);
typedef mig_stub_fn_t (*mig_routine_fn_t)(mach_msg_header_t *request);

/*
 * Serve requests that arrive at a port or port set; size: the longest request
 * and reply, trailer not included. Longer requests are lost to who sent them.
 * Options are those of mach_msg. Returns only with a receive error.
 */
mach_msg_return_t
mach_msg_server(mach_msg_demux_fn_t demux, mach_msg_size_t size,
                mach_port_t rcv_name, mach_msg_option_t options);

/* The same for one request; with MACH_RCV_TIMEOUT it waits that long. */
mach_msg_return_t
mach_msg_server_once(mach_msg_demux_fn_t demux, mach_msg_size_t size,
                     mach_port_t rcv_name, mach_msg_option_t options,
                     mach_msg_timeout_t timeout);

/* What both do with a request that is already there. */
void mach_msg_serve(mach_msg_demux_fn_t demux, mach_msg_header_t *request,
                    mach_msg_header_t *reply);

/*
 * A demux for a server of several subsystems: tries the generated
 * X_server_routine functions in order, the last of them null. A request that
 * nobody knows is answered with MIG_BAD_ID.
 */
boolean_t mig_demux(const mig_routine_fn_t *routines,
                    mach_msg_header_t *request, mach_msg_header_t *reply);

/* Prepare a reply to a request: its id, the right to reply, MIG_BAD_ID. */
void
mig_reply_setup(const mach_msg_header_t *request, mach_msg_header_t *reply);

/*
 * Answer a parked request with an error. type: what kind of right the reply
 * port is, as the server stub got it; it is consumed, whatever happens.
 */
void mig_reply_error(mach_port_t reply_port, mach_msg_type_name_t type,
                     mach_msg_id_t request_id, kern_return_t code);

#endif /* MACH_SERVER_H */
