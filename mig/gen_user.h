/*
 * SPDX-License-Identifier: MIT
 *
 * What the three parts of the client back end share.
 */

#ifndef MIG_GEN_USER_H
#define MIG_GEN_USER_H

#include <stdbool.h>

#include "emit.h"
#include "routine.h"

/* gen_user.c */

/* True if the stub receives at a port of its own thread. */
bool gen_user_owns_port(const struct routine *routine);
bool gen_user_any_owner(void);

/* That port, where the stub needs it after the message was sent. */
const char *gen_user_own_port(void);

/* The trailer that the stub wants to look into: "audit", "security"; NULL:
 * none. */
const char *gen_user_trailer(const struct routine *routine);

/* The function that releases what a message holds. */
const char *gen_user_destroy(void);

/* gen_user_request.c */
void gen_user_check_counts(struct text *text, const struct routine *routine);
void gen_user_pack(struct text *text, const struct routine *routine);

/* gen_user_reply.c */
void gen_user_check_reply(struct text *text, const struct routine *routine);
void gen_user_check_room(struct text *text, const struct routine *routine);
void gen_user_unpack(struct text *text, const struct routine *routine);

#endif /* MIG_GEN_USER_H */
