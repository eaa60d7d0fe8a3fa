/* SPDX-License-Identifier: MIT */
/* Types and results of the name service. */

#ifndef MACH_BOOTSTRAP_TYPES_H
#define MACH_BOOTSTRAP_TYPES_H

#include <mach/port.h>
#include <mach/vm_types.h>

#define BOOTSTRAP_NAME_MAX 64
#define BOOTSTRAP_TEXT_MAX 4096
#define BOOTSTRAP_LOG_MAX 512

typedef char service_name_t[BOOTSTRAP_NAME_MAX];
typedef char bootstrap_text_t[BOOTSTRAP_TEXT_MAX];
typedef char bootstrap_log_t[BOOTSTRAP_LOG_MAX];

#define BOOTSTRAP_SUCCESS 0
#define BOOTSTRAP_NOT_PRIVILEGED 1100 /* the manifest does not grant it */
#define BOOTSTRAP_NAME_IN_USE 1101
#define BOOTSTRAP_UNKNOWN_SERVICE 1102
#define BOOTSTRAP_SERVICE_ACTIVE 1103 /* checked in already */
#define BOOTSTRAP_BAD_NAME 1104
#define BOOTSTRAP_NO_MEMORY 1106

#define BOOTSTRAP_STATUS_INACTIVE 0  /* granted to a server that is not up */
#define BOOTSTRAP_STATUS_ACTIVE 1    /* checked in or registered */
#define BOOTSTRAP_STATUS_ON_DEMAND 2 /* its server runs, not checked in yet */

#endif /* MACH_BOOTSTRAP_TYPES_H */
