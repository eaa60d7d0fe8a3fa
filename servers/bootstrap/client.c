/* SPDX-License-Identifier: MIT */
/*
 * The servers' lives: started in the manifest's order, noticed when they die,
 * started again as the manifest says.
 */

#include <stdio.h>

#include <mach/mach.h>

#include "bootstrap.h"
#include "bootstrap_client.h"
#include "launch.h"
#include "service.h"

/* A server that dies more often than this is given up, `always' or not. */
#define RECENT_MAX 5
#define RECENT_SECONDS 10

static struct bootstrap_client clients[MANIFEST_SERVERS_MAX];
static unsigned int client_count;
static unsigned int client_next; /* the next to be started */

bootstrap_client_t
bootstrap_client_from_port(mach_port_t port)
{
    (void)port;
    return NULL; /* all client ports have a payload */
}

bootstrap_client_t
bootstrap_client_from_payload(uint64_t payload)
{
    return (bootstrap_client_t)payload;
}

bootstrap_client_t
client_by_exception_port(mach_port_t port)
{
    for (unsigned int i = 0; i < client_count; i++) {
        if (clients[i].exception == port) {
            return &clients[i];
        }
    }

    return NULL;
}

void
client_setup(const struct manifest *manifest)
{
    for (unsigned int i = 0; i < manifest->count; i++) {
        clients[i].grants = &manifest->servers[i];
        clients[i].line.writer = manifest->servers[i].name;
    }

    client_count = manifest->count;
}

static void
client_drop_ports(struct bootstrap_client *client)
{
    if (client->port != MACH_PORT_NULL) {
        (void)mach_port_mod_refs(mach_task_self(), client->port,
                                 MACH_PORT_RIGHT_RECEIVE, -1);
    }

    if (client->exception != MACH_PORT_NULL) {
        (void)mach_port_mod_refs(mach_task_self(), client->exception,
                                 MACH_PORT_RIGHT_RECEIVE, -1);
    }

    client->port = MACH_PORT_NULL;
    client->exception = MACH_PORT_NULL;
}

static bool
client_start(struct bootstrap_client *client)
{
    client->port = bootstrap_port_create((uint64_t)client);
    client->exception = bootstrap_port_create(0);

    if (client->port == MACH_PORT_NULL || client->exception == MACH_PORT_NULL ||
        !launch(client)) {
        client_drop_ports(client);
        return false;
    }

    return true;
}

/* Whether the next server may start, as far as this one is concerned. */
static bool
client_is_settled(const struct bootstrap_client *client)
{
    if (client->task == MACH_PORT_NULL) {
        return true;
    }

    switch (client->grants->wait) {
    case MANIFEST_WAIT_CHECK_IN:
        return service_all_active(client->grants);
    case MANIFEST_WAIT_EXIT:
        return false;
    default:
        return true;
    }
}

void
client_continue(void)
{
    while (client_next < client_count) {
        struct bootstrap_client *client = &clients[client_next];

        if (client_next > 0 && !client_is_settled(client - 1)) {
            return;
        }

        client_next++;

        if (!client_start(client) && client->grants->essential) {
            bootstrap_panic("%s is essential", client->grants->name);
        }
    }
}

/* Count the restarts of the last seconds. */
static bool
client_dies_too_often(struct bootstrap_client *client)
{
    time_value_t now = { 0 };

    (void)host_get_time(mach_host_self(), &now);

    if (client->recent == 0 ||
        now.seconds - client->restart_time > RECENT_SECONDS) {
        client->restart_time = now.seconds;
        client->recent = 0;
    }

    client->recent++;
    return client->recent > RECENT_MAX;
}

static bool
client_restart(struct bootstrap_client *client)
{
    int restart = client->grants->restart;

    if (restart != MANIFEST_RESTART_ALWAYS && client->restarts >= restart) {
        return false;
    }

    if (client_dies_too_often(client)) {
        printf("%s died %d times in %d seconds\n", client->grants->name,
               RECENT_MAX + 1, RECENT_SECONDS);
        return false;
    }

    client->restarts++;
    printf("%s has ended: starting it again\n", client->grants->name);
    return client_start(client);
}

void
client_task_died(mach_port_t task)
{
    for (unsigned int i = 0; i < client_count; i++) {
        struct bootstrap_client *client = &clients[i];

        if (client->task != task) {
            continue;
        }

        (void)mach_port_deallocate(mach_task_self(), task);
        client->task = MACH_PORT_NULL;

        /* Its last words may still be on the way. */
        bootstrap_drain(client->port);
        log_flush(&client->line);
        client_drop_ports(client);

        if (!client_restart(client) && client->grants->essential) {
            bootstrap_panic("%s, which is essential, has ended",
                            client->grants->name);
        }

        client_continue();
        return;
    }
}
