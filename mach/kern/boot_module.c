/* SPDX-License-Identifier: MIT */
/* See kern/boot_module.h. */

#include <debug/panic.h>
#include <kern/boot_module.h>
#include <machine/layout.h>
#include <vm/memory_entry.h>

static struct boot_module modules[BOOT_MODULES_MAX];
static unsigned int module_count;
static const char *command_line = "";

void
boot_module_add(const char *text, uint64_t physical, uint64_t size)
{
    if (module_count == BOOT_MODULES_MAX) {
        panic("boot: more than %d modules", BOOT_MODULES_MAX);
    }

    modules[module_count] = (struct boot_module){
        .command_line = text,
        .physical = physical,
        .size = size,
    };
    module_count++;
}

void
boot_command_line_set(const char *text)
{
    command_line = text;
}

const char *
boot_command_line(void)
{
    return command_line;
}

struct boot_module *
boot_module_get(unsigned int index)
{
    return index < module_count ? &modules[index] : NULL;
}

kern_return_t
boot_module_open(struct boot_module *module)
{
    vm_size_t size = (module->size + PAGE_MASK) & ~PAGE_MASK;

    if (module->entry != NULL) {
        return KERN_SUCCESS;
    }

    return memory_entry_create_from_frames(
        module->physical, size, VM_PROT_READ | VM_PROT_EXECUTE, &module->entry);
}
