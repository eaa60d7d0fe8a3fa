/* SPDX-License-Identifier: MIT */
/* C's view of the types in rpc.defs. */

#ifndef TESTS_HOST_MIG_RPC_TYPES_H
#define TESTS_HOST_MIG_RPC_TYPES_H

#include <stdint.h>

#include <mach/std_types.h>

typedef uint16_t small_t;
typedef char three_t[3];
typedef int five_t[5];
typedef int64_t longs_t[3];
typedef int *ints_t;
typedef char *bytes_t;
typedef uint64_t *wides_t;

typedef struct {
    int x, y, z;
} point_t;

typedef point_t *points_t;

typedef struct {
    uint64_t words[4];
} big_t;

typedef struct {
    char a;
    int64_t b;
    short c;
} mixed_t;

typedef char name_t[13];
typedef char path_t[30];
typedef mach_port_t *ports_t;
typedef mach_port_t pair_t[2];
typedef mach_port_t pair_poly_t[2];

typedef vm_address_t row_t[2];
typedef void *rows_t[3];
typedef mach_port_array_t right_rows_t[2];
typedef vm_address_t page_row_t[2];
typedef uint64_t context_t;
typedef kern_return_t code_t;
typedef int old_int_t;

struct odd {
    char bytes[7];
};

/* What a port or payload is turned into for the server's functions. */
typedef struct object *object_t;
typedef long scaled_t;

object_t object_from_port(mach_port_t port);
object_t object_from_payload(uint64_t payload);
mach_port_t object_to_port(object_t object);
void object_release(object_t object);
scaled_t scaled_in(int value);
int scaled_out(scaled_t value);

#endif /* TESTS_HOST_MIG_RPC_TYPES_H */
