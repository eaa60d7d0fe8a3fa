/* SPDX-License-Identifier: MIT */
/*
 * The manifest: which servers there are, in the order in which they start,
 * and what each of them may do (docs/manifest.md). The parser is pure: text
 * in, a structure or the first error out.
 */

#ifndef SERVERS_BOOTSTRAP_MANIFEST_H
#define SERVERS_BOOTSTRAP_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MANIFEST_SERVERS_MAX 32
#define MANIFEST_NAME_MAX 32
#define MANIFEST_GRANTS_MAX 8 /* of each kind */
#define MANIFEST_ARGUMENTS_MAX 512

#define MANIFEST_RESTART_ALWAYS (-1)

typedef char manifest_name_t[MANIFEST_NAME_MAX];

/* Both ends included. */
struct manifest_ports {
    uint16_t first;
    uint16_t last;
};

struct manifest_memory {
    uint64_t address;
    uint64_t size;
};

enum manifest_wait {
    MANIFEST_WAIT_NONE,
    MANIFEST_WAIT_CHECK_IN, /* until all its services are checked in */
    MANIFEST_WAIT_EXIT,     /* until it has ended */
};

struct manifest_server {
    unsigned int line; /* where it stands */
    manifest_name_t name;
    manifest_name_t module;
    char arguments[MANIFEST_ARGUMENTS_MAX]; /* one after the other */
    size_t arguments_size;
    unsigned int argc;
    int priority;
    int restart; /* how often, or MANIFEST_RESTART_ALWAYS */
    enum manifest_wait wait;
    bool essential;
    bool host_priv;
    bool host_security;
    bool device_master;
    bool vm_privilege;

    unsigned int port_count;
    struct manifest_ports ports[MANIFEST_GRANTS_MAX];
    unsigned int interrupt_count;
    unsigned int interrupts[MANIFEST_GRANTS_MAX];
    unsigned int memory_count;
    struct manifest_memory memory[MANIFEST_GRANTS_MAX];
    unsigned int check_in_count;
    manifest_name_t check_in[MANIFEST_GRANTS_MAX];
    unsigned int look_up_count;
    manifest_name_t look_up[MANIFEST_GRANTS_MAX];
    unsigned int module_count;
    manifest_name_t modules[MANIFEST_GRANTS_MAX];
};

struct manifest {
    unsigned int count;
    struct manifest_server servers[MANIFEST_SERVERS_MAX];
};

struct manifest_error {
    unsigned int line; /* 0: of the whole */
    char text[128];
};

/* On an error the manifest is unusable. */
bool manifest_parse(const char *text, size_t size, struct manifest *manifest,
                    struct manifest_error *errorp);

/* What a server is granted. */
bool manifest_may_check_in(const struct manifest_server *server,
                           const char *service);
bool
manifest_may_look_up(const struct manifest_server *server, const char *service);
bool
manifest_may_interrupt(const struct manifest_server *server, unsigned int line);
bool manifest_may_map(const struct manifest_server *server, uint64_t address,
                      uint64_t size);
bool manifest_may_read_module(const struct manifest_server *server,
                              const char *module);

#endif /* SERVERS_BOOTSTRAP_MANIFEST_H */
