/* SPDX-License-Identifier: MIT */
/*
 * The first task. The kernel starts it from the first boot module with its
 * two ports of privilege; it reads the manifest, starts the servers and
 * serves their requests (docs/manifest.md).
 */

#include <stdarg.h>
#include <stdio.h>

#include <mach/bootstrap_server.h>
#include <mach/exc_server.h>
#include <mach/mach.h>
#include <mach/notify_server.h>

#include "bootstrap.h"
#include "bootstrap_client.h"
#include "module.h"
#include "service.h"

#define MESSAGE_MAX 8192

mach_port_t bootstrap_host_priv_port;
mach_port_t bootstrap_host_security_port;
mach_port_t bootstrap_device_master_port;
mach_port_t bootstrap_port_set;
mach_port_t bootstrap_notify;

static struct manifest manifest;

void
bootstrap_panic(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");

    for (;;) {
        (void)host_reboot(bootstrap_host_priv_port, HOST_REBOOT_PANIC);
    }
}

mach_port_t
bootstrap_port_create(uint64_t payload)
{
    mach_port_t task = mach_task_self();
    mach_port_t port;
    kern_return_t kr;

    kr = mach_port_allocate(task, MACH_PORT_RIGHT_RECEIVE, &port);

    if (kr != KERN_SUCCESS) {
        return MACH_PORT_NULL;
    }

    kr = mach_port_move_member(task, port, bootstrap_port_set);

    if (kr == KERN_SUCCESS && payload != 0) {
        kr = mach_port_set_protected_payload(task, port, payload);
    }

    if (kr != KERN_SUCCESS) {
        (void)mach_port_mod_refs(task, port, MACH_PORT_RIGHT_RECEIVE, -1);
        return MACH_PORT_NULL;
    }

    return port;
}

/* The ports of privilege; then no task made here inherits them. */
static void
take_ports(void)
{
    mach_port_array_t ports;
    mach_msg_type_number_t count;

    if (mach_ports_lookup(mach_task_self(), &ports, &count) != KERN_SUCCESS ||
        count < 3) {
        __builtin_trap();
    }

    bootstrap_host_priv_port = ports[0];
    bootstrap_device_master_port = ports[1];
    bootstrap_host_security_port = ports[2];
    mig_deallocate((vm_address_t)ports, count * sizeof(*ports));

    if (mach_ports_register(mach_task_self(), NULL, 0) != KERN_SUCCESS) {
        __builtin_trap();
    }
}

static void
read_manifest(void)
{
    const struct module *module = module_lookup("manifest");
    struct manifest_error error;
    const char *text;

    if (module == NULL) {
        bootstrap_panic("there is no boot module `manifest'");
    }

    text = module_map(module);

    if (text == NULL) {
        bootstrap_panic("the manifest cannot be mapped");
    }

    if (!manifest_parse(text, module->size, &manifest, &error)) {
        bootstrap_panic("manifest:%u: %s", error.line, error.text);
    }
}

static boolean_t
demux(mach_msg_header_t *request, mach_msg_header_t *reply)
{
    static const mig_routine_fn_t routines[] = { bootstrap_server_routine,
                                                 notify_server_routine,
                                                 exc_server_routine, NULL };

    return mig_demux(routines, request, reply);
}

void
bootstrap_drain(mach_port_t port)
{
    if (mach_port_move_member(mach_task_self(), port, MACH_PORT_NULL) !=
        KERN_SUCCESS) {
        return;
    }

    for (unsigned int i = 0; i < MACH_PORT_QLIMIT_MAX; i++) {
        if (mach_msg_server_once(demux, MESSAGE_MAX, port, MACH_RCV_TIMEOUT,
                                 0) != MACH_MSG_SUCCESS) {
            return;
        }
    }
}

int
main(void)
{
    mach_msg_return_t mr;

    take_ports();
    log_setup(bootstrap_device_master_port);
    module_setup(bootstrap_host_priv_port);
    read_manifest();

    if (mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_PORT_SET,
                           &bootstrap_port_set) != KERN_SUCCESS) {
        bootstrap_panic("no port set");
    }

    bootstrap_notify = bootstrap_port_create(0);

    if (bootstrap_notify == MACH_PORT_NULL) {
        bootstrap_panic("no port for notifications");
    }

    service_setup(&manifest);
    client_setup(&manifest);
    client_continue();

    mr = mach_msg_server(demux, MESSAGE_MAX, bootstrap_port_set, 0);
    bootstrap_panic("the server loop ended: %s", mach_error_string(mr));
}
