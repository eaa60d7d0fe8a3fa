/* SPDX-License-Identifier: MIT */
/*
 * Starting a server: an empty task gets the module's segments, a stack with
 * its arguments, its priority, the I/O ports that the manifest grants, and
 * two ports: the way to bootstrap and, unseen by the server itself, the one
 * to which the kernel reports its exceptions. It gets nothing else.
 */

#include <stdio.h>
#include <string.h>

#include <libmach/elf_load.h>
#include <libmach/stack.h>
#include <mach/mach.h>

#include "bootstrap.h"
#include "launch.h"
#include "module.h"

#define STACK_TOP 0x00007fffff000000UL
#define STACK_SIZE (256 * 1024UL)

static bool
launch_check(const struct bootstrap_client *client, kern_return_t kr,
             const char *what)
{
    if (kr != KERN_SUCCESS) {
        printf("cannot start %s: %s: %s\n", client->grants->name, what,
               mach_error_string(kr));
    }

    return kr == KERN_SUCCESS;
}

static bool
launch_load(struct bootstrap_client *client, mach_port_t task,
            struct mach_elf_image *image)
{
    const struct module *module = module_lookup(client->grants->module);
    enum mach_elf_error error;
    kern_return_t kr;

    if (module == NULL) {
        printf("cannot start %s: there is no boot module `%s'\n",
               client->grants->name, client->grants->module);
        return false;
    }

    kr = mach_elf_read(module->entry, module->size, image, &error);

    if (!launch_check(client, kr, "reading its module")) {
        return false;
    }

    if (error != MACH_ELF_OK) {
        printf("cannot start %s: its module: %s\n", client->grants->name,
               mach_elf_error_string(error));
        return false;
    }

    kr = mach_elf_map(task, module->entry, image);
    return launch_check(client, kr, "mapping its module");
}

static void
launch_random(uint8_t random[16])
{
    for (int i = 0; i < 16; i++) {
        uint32_t low, high;

        __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
        random[i] = (uint8_t)((low * 0x9e3779b1u) >> 24);
    }
}

static bool
launch_stack(struct bootstrap_client *client, mach_port_t task,
             const struct mach_elf_image *image, vm_address_t *rspp)
{
    static uint64_t buffer[PAGE_SIZE / 8];
    char strings[MANIFEST_NAME_MAX + MANIFEST_ARGUMENTS_MAX];
    const struct manifest_server *grants = client->grants;
    const struct mach_auxv auxv[] = {
        { ELF_AT_PHDR, image->phdr },
        { ELF_AT_PHENT, sizeof(struct elf64_program_header) },
        { ELF_AT_PHNUM, image->phnum },
        { ELF_AT_PAGESZ, PAGE_SIZE },
        { ELF_AT_ENTRY, image->entry },
    };
    struct mach_stack_args args = {
        .strings = strings, .argc = grants->argc + 1, .auxv = auxv, .auxc = 5
    };
    vm_address_t bottom = STACK_TOP - STACK_SIZE;
    size_t name_size = strlen(grants->name) + 1;
    kern_return_t kr;

    memcpy(strings, grants->name, name_size);
    memcpy(strings + name_size, grants->arguments, grants->arguments_size);
    args.strings_size = name_size + grants->arguments_size;
    launch_random(args.random);
    kr = mach_stack_build(buffer, sizeof(buffer), STACK_TOP, &args, rspp);

    if (kr == KERN_SUCCESS) {
        kr = vm_allocate(task, &bottom, STACK_SIZE, VM_FLAGS_FIXED);
    }

    if (kr == KERN_SUCCESS) {
        kr = syscall_vm_write(task, STACK_TOP - sizeof(buffer),
                              (vm_address_t)buffer, sizeof(buffer));
    }

    return launch_check(client, kr, "its stack");
}

static kern_return_t
launch_io_ports(const struct manifest_server *grants, mach_port_t task)
{
    kern_return_t kr = KERN_SUCCESS;

    for (unsigned int i = 0; i < grants->port_count; i++) {
        mach_port_t io_perm;

        kr =
            io_perm_create(bootstrap_device_master_port, grants->ports[i].first,
                           grants->ports[i].last, &io_perm);

        if (kr != KERN_SUCCESS) {
            return kr;
        }

        kr = io_perm_modify(task, io_perm, TRUE);
        (void)mach_port_deallocate(mach_task_self(), io_perm);

        if (kr != KERN_SUCCESS) {
            return kr;
        }
    }

    return kr;
}

/* One more reference of a send right made from our receive right: the
 * routine it is given to takes it. */
static kern_return_t
launch_make_send(mach_port_t port)
{
    return mach_port_insert_right(mach_task_self(), port, port,
                                  MACH_MSG_TYPE_MAKE_SEND);
}

static kern_return_t
launch_ports(struct bootstrap_client *client, mach_port_t task)
{
    kern_return_t kr;

    kr = launch_make_send(client->port);

    if (kr == KERN_SUCCESS) {
        kr = task_set_special_port(task, TASK_BOOTSTRAP_PORT, client->port);
    }

    if (kr == KERN_SUCCESS) {
        kr = launch_make_send(client->exception);
    }

    if (kr == KERN_SUCCESS) {
        kr = task_set_exception_ports(task, EXC_MASK_ALL, client->exception,
                                      EXCEPTION_STATE, x86_THREAD_STATE64);
        (void)mach_port_deallocate(mach_task_self(), client->exception);
    }

    return kr;
}

static bool
launch_privileges(struct bootstrap_client *client, mach_port_t task)
{
    const struct manifest_server *grants = client->grants;
    kern_return_t kr;

    kr = host_task_privilege(bootstrap_host_priv_port, task, grants->priority,
                             grants->vm_privilege);

    if (!launch_check(client, kr, "its privileges")) {
        return false;
    }

    kr = task_priority(task, grants->priority, TRUE);

    if (!launch_check(client, kr, "its priority")) {
        return false;
    }

    if (!launch_check(client, launch_io_ports(grants, task), "its I/O ports")) {
        return false;
    }

    return launch_check(client, launch_ports(client, task), "its ports");
}

static bool
launch_thread(struct bootstrap_client *client, mach_port_t task,
              vm_address_t entry, vm_address_t rsp)
{
    x86_thread_state64_t state = { .rip = entry, .rsp = rsp };
    mach_port_t thread, previous;
    kern_return_t kr;

    kr = thread_create(task, &thread);

    if (!launch_check(client, kr, "its thread")) {
        return false;
    }

    kr = thread_set_state(thread, x86_THREAD_STATE64, (thread_state_t)&state,
                          x86_THREAD_STATE64_COUNT);

    if (kr == KERN_SUCCESS) {
        kr = mach_port_request_notification(
            mach_task_self(), task, MACH_NOTIFY_DEAD_NAME, 0, bootstrap_notify,
            MACH_MSG_TYPE_MAKE_SEND_ONCE, &previous);
    }

    if (kr == KERN_SUCCESS) {
        kr = thread_resume(thread);
    }

    (void)mach_port_deallocate(mach_task_self(), thread);
    return launch_check(client, kr, "its thread");
}

bool
launch(struct bootstrap_client *client)
{
    struct mach_elf_image image;
    vm_address_t rsp;
    mach_port_t task;
    kern_return_t kr;

    kr = task_create(mach_task_self(), FALSE, &task);

    if (!launch_check(client, kr, "no task")) {
        return false;
    }

    if (!launch_load(client, task, &image) ||
        !launch_stack(client, task, &image, &rsp) ||
        !launch_privileges(client, task) ||
        !launch_thread(client, task, image.entry, rsp)) {
        (void)task_terminate(task);
        (void)mach_port_deallocate(mach_task_self(), task);
        return false;
    }

    client->task = task;
    return true;
}
