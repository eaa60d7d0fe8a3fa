/*
 * SPDX-License-Identifier: MIT
 *
 * The types of the language.
 *
 * A type answers two questions: what travels in the message (its form and
 * sizes) and what C calls it (its names and translations). A type that is
 * wrong has form TYPE_FORM_ERROR; whatever is built from it is wrong too and
 * says nothing more, so that one mistake gives one message.
 */

#ifndef MIG_TYPE_H
#define MIG_TYPE_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc_name.h"
#include "source.h"

#define TYPE_SIZE_MAX (1U << 24)

enum type_form {
    TYPE_FORM_ERROR,
    TYPE_FORM_DATA,       /* a C value: scalar or structure */
    TYPE_FORM_ARRAY,      /* a C array */
    TYPE_FORM_VARRAY,     /* a C array with a count */
    TYPE_FORM_STRING,     /* a buffer that holds a terminated string */
    TYPE_FORM_VSTRING,    /* the same, only the used part is sent */
    TYPE_FORM_PORT,       /* one right */
    TYPE_FORM_PORTS,      /* that many port descriptors */
    TYPE_FORM_VPORTS,     /* the same, with a count of those in use */
    TYPE_FORM_OOL,        /* out-of-line memory of a fixed size */
    TYPE_FORM_VOOL,       /* out-of-line memory with a count */
    TYPE_FORM_OOL_PORTS,  /* an out-of-line array of rights, fixed number */
    TYPE_FORM_VOOL_PORTS, /* the same, with a count */
    TYPE_FORM_OOLS,       /* that many out-of-line descriptors */
    TYPE_FORM_VOOLS,      /* the same, with a count of those in use */
    TYPE_FORM_NATIVE,     /* a C type whose size only C knows */
};

/* `S function(R)`: a translation as it was written. */
struct type_tran {
    const char *type; /* S; NULL if the clause is absent */
    const char *function;
    const char *raw; /* R */
};

/* PointerTo, ValueOf, PointerToIfNot: a C type as it was written. */
struct type_native {
    const char *name;   /* NULL: not such a type */
    const char *absent; /* the pointer that sends nothing; NULL: none */
    bool by_value;
};

struct type {
    struct type *next; /* in the table of named types */
    const char *name;  /* NULL: has none */
    struct source_pos pos;
    enum type_form form;
    bool predefined;
    bool like_inline; /* array[]: out of line, in-line interface */
    bool dealloc;     /* sent with its memory or rights moved */
    bool structure;   /* in C there may be holes between its members */
    const struct ipc_name *sent;
    const struct ipc_name *received;
    const struct type *element; /* what the count counts */
    uint32_t unit;              /* bytes of one element */
    uint32_t count; /* elements; maximum of a variable type, 0 if none */
    uint32_t size;  /* bytes in line, or out of line if fixed */
    uint32_t align; /* the most that its C type may ask for */

    const char *user_name;   /* cusertype */
    const char *server_name; /* cservertype, or the R of a translation */
    struct type_tran intran;
    struct type_tran outtran;
    struct type_tran destructor;
    struct type_tran payload;
    struct type_native native;
};

/* Constructors. All of them accept types of form TYPE_FORM_ERROR. */
struct type *type_error(const struct source_pos *pos);
struct type *
type_primitive(const struct source_pos *pos, const struct ipc_name *sent,
               const struct ipc_name *received);
struct type *type_sized(const struct source_pos *pos, const struct type *base,
                        unsigned long bits);
struct type *type_copy(const struct source_pos *pos, const struct type *old);
struct type *type_array(const struct source_pos *pos, unsigned long count,
                        const struct type *element);
/* COUNT 0: no bound. */
struct type *type_varray(const struct source_pos *pos, unsigned long count,
                         const struct type *element);
struct type *type_struct_array(const struct source_pos *pos,
                               unsigned long count, const struct type *element);
struct type *
type_pointer(const struct source_pos *pos, const struct type *target);
struct type *
type_string(const struct source_pos *pos, unsigned long size, bool variable);

/* LIMIT: bytes that are set apart for it in a message. */
struct type *type_native(const struct source_pos *pos,
                         struct type_native native, unsigned long limit);

/* struct { ... }, member by member. */
struct type *type_struct_begin(const struct source_pos *pos);
void type_struct_add(struct type *type, const struct type *member,
                     const struct source_pos *pos);
void type_struct_end(struct type *type);

/* The table of named types. */
void type_setup(void);
void type_set_name(struct type *type, const char *name);
void type_declare(struct type *type);
struct type *type_lookup(const char *name);

/* A type whose name could have been meant; NULL: there is none. */
struct type *type_lookup_like(const char *name);
const struct type *type_first(void);

/* Predicates over forms. */
bool type_is_variable(const struct type *type); /* has a C count */
bool type_is_inline(const struct type *type);   /* bytes among the data */
bool type_is_inline_variable(const struct type *type);
bool type_is_ool(const struct type *type);
bool type_is_port(const struct type *type);  /* rights, in any form */
bool type_is_array(const struct type *type); /* C passes a pointer to it */

/* C names: on each side of the wire, and as the server's function sees it. */
const char *type_user_ctype(const struct type *type);
const char *type_server_ctype(const struct type *type);
const char *type_element_ctype(const struct type *type, bool server);

/* A word for messages to the user. */
const char *type_describe(const struct type *type);

#endif /* MIG_TYPE_H */
