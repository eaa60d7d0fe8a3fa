/* SPDX-License-Identifier: MIT */
/* The boot modules: files that the boot loader put into memory. */

#ifndef SERVERS_BOOTSTRAP_MODULE_H
#define SERVERS_BOOTSTRAP_MODULE_H

#include <mach/mach_types.h>

struct module {
    boot_module_name_t name; /* first word of its command line */
    mach_port_t entry;       /* a read-only memory entry */
    vm_size_t size;
};

void module_setup(mach_port_t host_priv);

/* Null if there is none of that name. */
const struct module *module_lookup(const char *name);

/* Map it read-only into this task: null if that fails. */
const char *module_map(const struct module *module);

#endif /* SERVERS_BOOTSTRAP_MODULE_H */
