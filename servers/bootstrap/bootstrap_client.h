/* SPDX-License-Identifier: MIT */
/*
 * One server of the manifest, as bootstrap sees it. Its bootstrap port is
 * made when it starts and dies with it; the port's protected payload is this
 * structure, which is how a request is known to come from it.
 */

#ifndef SERVERS_BOOTSTRAP_BOOTSTRAP_CLIENT_H
#define SERVERS_BOOTSTRAP_BOOTSTRAP_CLIENT_H

#include <stdbool.h>

#include <mach/bootstrap_types.h>
#include <mach/mach_types.h>

#include "log.h"
#include "manifest.h"

struct bootstrap_client {
    const struct manifest_server *grants;
    mach_port_t port;      /* receive right: requests of this server */
    mach_port_t exception; /* receive right: its exceptions */
    mach_port_t task;      /* null: it does not run */
    int restarts;          /* how often it was started again */
    int64_t restart_time;  /* when the first of the recent ones was, s */
    int recent;            /* their number */
    struct log_line line;
};

typedef struct bootstrap_client *bootstrap_client_t;

/* For the stubs: who sent a request. Null if it came without a payload. */
bootstrap_client_t bootstrap_client_from_port(mach_port_t port);
bootstrap_client_t bootstrap_client_from_payload(uint64_t payload);

/* Make the table, then start the servers in order as far as they need not
 * wait for each other; continue when something has happened. */
void client_setup(const struct manifest *manifest);
void client_continue(void);

/* What notifications and exceptions tell. */
void client_task_died(mach_port_t task);
bootstrap_client_t client_by_exception_port(mach_port_t port);

#endif /* SERVERS_BOOTSTRAP_BOOTSTRAP_CLIENT_H */
