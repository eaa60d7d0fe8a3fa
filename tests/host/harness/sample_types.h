/* SPDX-License-Identifier: MIT */
/* C's view of the types in tests/host/mig/golden/sample.defs. */

#ifndef TESTS_HOST_HARNESS_SAMPLE_TYPES_H
#define TESTS_HOST_HARNESS_SAMPLE_TYPES_H

#include <mach/std_types.h>

typedef mach_port_t object_t;
typedef int *words_t;
typedef char path_t[64];

object_t object_from_port(mach_port_t port);
void object_release(object_t object);

#endif /* TESTS_HOST_HARNESS_SAMPLE_TYPES_H */
