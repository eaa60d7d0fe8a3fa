/* SPDX-License-Identifier: MIT */
/* What the boot loader brought beside the kernel. */

#ifndef KERN_BOOT_MODULE_H
#define KERN_BOOT_MODULE_H

#include <stdint.h>

#include <kern/macros.h>
#include <mach/kern_return.h>

struct memory_entry;

#define BOOT_MODULES_MAX 64

struct boot_module {
    const char *command_line; /* in memory of the boot loader, kept */
    uint64_t physical;
    uint64_t size;              /* bytes */
    struct memory_entry *entry; /* once asked for */
};

/* During the reading of the boot information. */
void
boot_module_add(const char *command_line, uint64_t physical, uint64_t size);
void boot_command_line_set(const char *text);

/* NULL past the last. */
struct boot_module *boot_module_get(unsigned int index);
const char *boot_command_line(void);

/* Make sure that the module has its memory entry. */
MUST_CHECK kern_return_t boot_module_open(struct boot_module *module);

#endif /* KERN_BOOT_MODULE_H */
