/* SPDX-License-Identifier: MIT */
/* C's view of the types in osf.mig and cmu.mig. */

#ifndef TESTS_HOST_MIG_DIALECT_TYPES_H
#define TESTS_HOST_MIG_DIALECT_TYPES_H

#include <stdint.h>
#include <sys/types.h>

#include <mach/std_types.h>

typedef char name_t[128];
typedef char *chunk_t;
typedef int *ints_t, *masks_t;
typedef natural_t *reference_t;
typedef signed char *buffer_t;
typedef mach_port_t *handlers_t;
typedef uint64_t list_t[512];
typedef vm_address_t arguments_t;
typedef int *loose_t;
typedef mach_port_t *names_t;
typedef buffer_t array_of_regions_t[4];

typedef struct {
    int words[2];
} quality_t;

struct point {
    int x, y, z;
};

#if KERNEL_SERVER
typedef struct object *object_t;
#else
typedef mach_port_t object_t;
#endif

object_t object_from_port(mach_port_t port);
mach_port_t object_to_port(object_t object);
void object_release(object_t object);

typedef mach_port_t file_t;
typedef char *data_t;
typedef char string_t[1024];
typedef mach_port_t *rights_t;
typedef int *ids_t;
typedef double reals_t[6];
typedef char word_t[32];
typedef int old_t;
typedef void *region_t;

typedef struct {
    int words[32];
} status_t;

typedef struct {
    char text[5 * 65];
} system_t;

typedef struct {
    char text[512];
} text_t;

typedef struct {
    int words[4];
} blob_t;

typedef struct {
    int64_t seconds;
    int nanoseconds;
    char flag;
} time_spec_t;

mach_port_t port_from_payload(unsigned long payload);

struct node;

struct node *node_from_port(mach_port_t port);
struct node *node_from_payload(unsigned long payload);
void node_release(struct node *node);

typedef struct node *node_t;

#endif /* TESTS_HOST_MIG_DIALECT_TYPES_H */
