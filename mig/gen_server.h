/*
 * SPDX-License-Identifier: MIT
 *
 * What the parts of the server back end share.
 */

#ifndef MIG_GEN_SERVER_H
#define MIG_GEN_SERVER_H

#include <stdbool.h>

#include "emit.h"
#include "layout.h"
#include "routine.h"

/* gen_server.c */

/* Name of the stub's variable for an argument. */
const char *
gen_server_local(const struct routine *routine, const struct arg *arg);

/* The field that holds an argument's value; NULL: not in the message. */
const struct field *
gen_server_value(const struct layout *layout, const struct arg *arg);

/* True if the function writes the argument right into the reply. */
bool
gen_server_out_in_place(const struct routine *routine, const struct arg *arg);

/* True if the stub has a variable for the argument; its declaration. */
bool
gen_server_needs_local(const struct routine *routine, const struct arg *arg);
void gen_server_declare_arg(struct text *text, const struct routine *routine,
                            const struct arg *arg);

/* What the function is called with. */
const char *
gen_server_actual(const struct routine *routine, const struct arg *arg);
const char *
gen_server_actual_poly(const struct routine *routine, const struct arg *arg);

/* A request port may come as the word that its receiver bound to it. */
bool gen_server_takes_payload(const struct arg *arg);

/* Where a request's header has which port. */
const char *gen_server_request_port(void);
const char *gen_server_request_bits(void);
const char *gen_server_reply_port(void);
const char *gen_server_reply_bits(void);

/* gen_server_load.c */

/* The value of an argument as it stands in the request, as a pointer if it is
 * an array; its count. */
const char *
gen_server_raw(const struct routine *routine, const struct arg *arg);
const char *gen_server_array_pointer(const struct arg *arg, const char *place);
const char *
gen_server_count(const struct routine *routine, const struct arg *arg);

/* Fill in a variable whose value comes from the request. */
void gen_server_load(struct text *text, const struct routine *routine,
                     const struct arg *arg);

/* gen_server_retcode.c */
void gen_server_failed(struct text *text, const struct routine *routine);
void gen_server_check_failed(struct text *text, const struct routine *routine);

/* gen_server_reply.c */
void gen_server_store(struct text *text, const struct routine *routine);

/* gen_server_table.c */
void gen_server_table(struct text *text);
void gen_server_lookup(struct text *text);
void gen_server_demux(struct text *text);
void gen_server_symbols(struct text *text);

#endif /* MIG_GEN_SERVER_H */
