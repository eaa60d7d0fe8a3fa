/*
 * SPDX-License-Identifier: MIT
 *
 * Where everything stands in a message.
 *
 * A message is a list of fields. Descriptors come first, in argument order,
 * whatever the order among the data. Behind each field of variable length a
 * new segment starts: offsets in it count from there, and generated code
 * reaches it through a pointer of its own ("tail"). Everything is computed
 * here for the target; nothing depends on the host's types.
 */

#ifndef MIG_LAYOUT_H
#define MIG_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#define LAYOUT_HEADER_SIZE 24
#define LAYOUT_BODY_SIZE 4
#define LAYOUT_PORT_SIZE 12
#define LAYOUT_OOL_SIZE 16
#define LAYOUT_NDR_SIZE 8
#define LAYOUT_WORD_SIZE 4
#define LAYOUT_SIZE_MAX (1U << 30) /* of any message */

struct arg;
struct routine;

enum field_kind {
    FIELD_PORT, /* descriptors */
    FIELD_PORTS,
    FIELD_OOL,
    FIELD_OOL_PORTS,
    FIELD_OOLS, /* a row of one or the other */
    FIELD_NDR,
    FIELD_RETCODE,
    FIELD_COUNT,    /* of a variable argument */
    FIELD_CAPACITY, /* countinout: the caller's room, in the request */
    FIELD_PRESENT,  /* whether a native value follows */
    FIELD_OFFSET,   /* unused word before a variable string's length */
    FIELD_DATA,
    FIELD_ARRAY,
    FIELD_STRING,
    FIELD_VARRAY,
    FIELD_VSTRING,
    FIELD_NATIVE,
};

struct field {
    struct field *next;
    enum field_kind kind;
    const struct arg *arg; /* NULL: NDR, RETCODE */
    uint32_t number;       /* of descriptors */
    unsigned int segment;
    uint32_t offset; /* in the segment */
    uint32_t size;   /* the most, for a variable field */
    uint32_t pad;    /* bytes behind the field up to 4 */
};

struct layout {
    struct field *fields;
    bool complex;
    unsigned int descriptors;
    unsigned int segments; /* at least 1 */
    uint32_t min_size;     /* every variable field empty */
    uint32_t max_size;
    bool too_large; /* some fields were left out */
};

/* Lay out a checked routine's messages. NDR: records are sent. */
void layout_routine(struct routine *routine, bool ndr);

const struct field *layout_find(const struct layout *layout,
                                const struct arg *arg, enum field_kind kind);

/* True if the field lies at a multiple of ALIGN in every such message. */
bool layout_is_aligned(const struct field *field, uint32_t align);

bool layout_is_variable(const struct layout *layout);

#endif /* MIG_LAYOUT_H */
