/* SPDX-License-Identifier: MIT */
/* The table of boot modules, read once from the kernel. */

#include <stdio.h>
#include <string.h>

#include <mach/mach.h>

#include "module.h"

#define MODULES_MAX 64

static struct module modules[MODULES_MAX];
static unsigned int module_count;

void
module_setup(mach_port_t host_priv)
{
    while (module_count < MODULES_MAX) {
        struct module *module = &modules[module_count];

        if (host_get_boot_module(host_priv, module_count, module->name,
                                 &module->entry,
                                 &module->size) != KERN_SUCCESS) {
            return;
        }

        module->name[sizeof(module->name) - 1] = '\0';
        module->name[strcspn(module->name, " ")] = '\0';
        module_count++;
    }

    printf("more than %d boot modules: the rest is not seen\n", MODULES_MAX);
}

const struct module *
module_lookup(const char *name)
{
    for (unsigned int i = 0; i < module_count; i++) {
        if (strcmp(modules[i].name, name) == 0) {
            return &modules[i];
        }
    }

    return NULL;
}

const char *
module_map(const struct module *module)
{
    vm_size_t size = (module->size + PAGE_MASK) & ~PAGE_MASK;
    vm_address_t address = 0;

    if (vm_map(mach_task_self(), &address, size, 0, VM_FLAGS_ANYWHERE,
               module->entry, 0, FALSE, VM_PROT_READ, VM_PROT_READ,
               VM_INHERIT_NONE) != KERN_SUCCESS) {
        return NULL;
    }

    return (const char *)address;
}
