/*
 * SPDX-License-Identifier: MIT
 *
 * What the three parts of the server back end share.
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

/* Where a request's header has the reply port. */
const char *gen_server_reply_port(void);
const char *gen_server_reply_bits(void);

/* gen_server_reply.c */
void gen_server_store(struct text *text, const struct routine *routine);

/* gen_server_table.c */
void gen_server_table(struct text *text);
void gen_server_lookup(struct text *text);
void gen_server_demux(struct text *text);
void gen_server_symbols(struct text *text);

#endif /* MIG_GEN_SERVER_H */
