/*
 * SPDX-License-Identifier: MIT
 *
 * The C back end: one function per kind of output, and what they share.
 */

#ifndef MIG_GEN_H
#define MIG_GEN_H

#include <stdbool.h>

#include "emit.h"
#include "layout.h"
#include "routine.h"

/* Outputs. */
void gen_user_header(struct text *text);
void gen_server_header(struct text *text);
void gen_internal_header(struct text *text);
void gen_defines_header(struct text *text);
void gen_user(struct text *text);
void gen_user_one(struct text *text, const struct routine *routine,
                  const char *file);
void gen_server(struct text *text);
void gen_list(struct text *text);
void gen_json(struct text *text);
void gen_harness(struct text *text);

/* Report what the harness has no way with. */
void gen_harness_check(void);

/* gen_message.c: the structures of all messages, and checks on them. */
void gen_message_types(struct text *text, bool server);
void gen_message_asserts(struct text *text, bool server);

/* gen_header.c: what a header holds between its guards. */
void gen_user_interface(struct text *text);
void gen_server_interface(struct text *text);

/* gen.c: the same text in several outputs. */
void gen_banner(struct text *text, const char *what);
void gen_includes(struct text *text, bool server);
void gen_own_header(struct text *text, const char *file, const char *header);
void gen_type_check(struct text *text);
void gen_runtime(struct text *text); /* declarations that -subrprefix needs */
void gen_hooks(struct text *text, const char *what); /* "Send" or "Rcv" */
void gen_refuse(struct text *text);

/* A C prototype without its end, `;' or body to follow. */
void
gen_prototype(struct text *text, const struct routine *routine, bool server);
unsigned int gen_parameter_count(const struct routine *routine, bool server);

/* Names of the C type of a function's argument, without pointer. */
const char *gen_ctype(const struct arg *arg, bool server);

/* True if the argument is passed as a pointer to a token: the client gets it,
 * and so does the server, if both do. */
bool gen_is_token(const struct arg *arg, bool server);

/* Name of a field in its structure, and an expression that denotes it. */
const char *gen_field_name(const struct field *field);
const char *gen_pointer(const char *base, unsigned int segment);
const char *gen_field(const char *base, const struct field *field);

/* The place so many bytes behind the field's start. */
const char *
gen_behind(const char *base, const struct field *field, const char *bytes);

/* The same for a field that is known to exist. */
const char *gen_arg_field(const char *base, const struct layout *layout,
                          const struct arg *arg, enum field_kind kind);

/* See that what C leaves undefined in a structure is not sent. */
void gen_clear_holes(struct text *text, const struct field *field,
                     const char *place);

/* Name of a structure: "Request" or "Reply"; with a segment, of its tail. */
const char *gen_struct(const struct routine *routine, const char *which,
                       unsigned int segment);

/* True if the segment holds a field. */
bool gen_has_segment(const struct layout *layout, unsigned int segment);

/* Bytes that the variable field takes for the count in the expression. */
const char *gen_bytes(const struct arg *arg, const char *count);

/* Elements of a region, as its descriptor says: "size / 8", "count". */
const char *gen_ool_number(const struct arg *arg);

/* Bytes of a native C type, as C says it. */
const char *gen_native_size(const struct arg *arg);

/* Disposition of a right when it is sent, and when it is received. */
const char *gen_sent(const struct arg *arg, bool server);
const char *gen_received(const struct arg *arg);

/* Declare pointers to the tails that a message has. */
void gen_tail_pointers(struct text *text, const struct routine *routine,
                       const struct layout *layout, const char *which,
                       const char *base);

/* A list of conditions, joined with || in an if statement. */
struct gen_condition {
    struct text *text;
    unsigned int terms;
    const char *prefix;
};

void gen_condition_begin(struct gen_condition *condition, struct text *text,
                         const char *prefix);
void gen_condition_add(struct gen_condition *condition, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void gen_condition_end(struct gen_condition *condition, const char *action);

/* gen_pack.c: a message out of the arguments, on either side. */
struct gen_pack {
    const struct routine *routine;
    const struct layout *layout;
    const char *base; /* "In" or "Out" */
    const char *size; /* where the size of a variable message goes */
    bool server;
};

void gen_pack(struct text *text, const struct gen_pack *pack);

/* gen_check.c: what must hold of a message from the other side. */
struct gen_check {
    const struct routine *routine;
    const struct layout *layout;
    bool reply;
    const char *base;          /* "In" or "Out" */
    const char *bad_arguments; /* statements for either kind of failure */
    const char *bad_type;
};

/* Terms on the complex bit, the size and the number of descriptors. */
void gen_check_header(struct gen_condition *condition,
                      const struct gen_check *check);

/* Descriptors, counts, strings; sets the tail pointers. */
void gen_check_body(struct text *text, const struct gen_check *check);

#endif /* MIG_GEN_H */
