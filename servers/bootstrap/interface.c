/* SPDX-License-Identifier: MIT */
/*
 * The routines of bootstrap.defs. Each asks the manifest first: the client is
 * whoever the request's port was made for.
 */

#include <string.h>

#include <mach/bootstrap_server.h>
#include <mach/mach.h>

#include "bootstrap.h"
#include "module.h"
#include "service.h"

kern_return_t
do_bootstrap_check_in(bootstrap_client_t client, service_name_t name,
                      mach_port_t *receivep)
{
    struct service *service;
    kern_return_t kr;

    if (client == NULL || !manifest_may_check_in(client->grants, name)) {
        return BOOTSTRAP_NOT_PRIVILEGED;
    }

    service = service_lookup(name);
    kr = service_check_in(service, receivep);

    if (kr == KERN_SUCCESS) {
        client_continue();
    }

    return kr;
}

kern_return_t
do_bootstrap_register(bootstrap_client_t client, service_name_t name,
                      mach_port_t port)
{
    kern_return_t kr;

    if (client == NULL || !manifest_may_check_in(client->grants, name)) {
        return BOOTSTRAP_NOT_PRIVILEGED;
    }

    kr = service_register(service_lookup(name), port);

    if (kr == KERN_SUCCESS) {
        client_continue();
    }

    return kr;
}

kern_return_t
do_bootstrap_look_up(bootstrap_client_t client, service_name_t name,
                     mach_port_t *portp)
{
    struct service *service;

    if (client == NULL) {
        return BOOTSTRAP_NOT_PRIVILEGED;
    }

    service = service_lookup(name);

    if (service == NULL) {
        return BOOTSTRAP_UNKNOWN_SERVICE;
    }

    if (!manifest_may_look_up(client->grants, name)) {
        return BOOTSTRAP_NOT_PRIVILEGED;
    }

    *portp = service->port;
    return KERN_SUCCESS;
}

kern_return_t
do_bootstrap_status(bootstrap_client_t client, service_name_t name,
                    integer_t *statep)
{
    const struct service *service;

    if (client == NULL) {
        return BOOTSTRAP_NOT_PRIVILEGED;
    }

    service = service_lookup(name);

    if (service == NULL || (!manifest_may_look_up(client->grants, name) &&
                            !manifest_may_check_in(client->grants, name))) {
        return BOOTSTRAP_UNKNOWN_SERVICE;
    }

    *statep =
        service->active ? BOOTSTRAP_STATUS_ACTIVE : BOOTSTRAP_STATUS_INACTIVE;
    return KERN_SUCCESS;
}

kern_return_t
do_bootstrap_info(bootstrap_client_t client, bootstrap_text_t text,
                  mach_msg_type_number_t *textCnt)
{
    if (client == NULL) {
        return BOOTSTRAP_NOT_PRIVILEGED;
    }

    *textCnt = (mach_msg_type_number_t)service_list(client->grants, text,
                                                    BOOTSTRAP_TEXT_MAX);
    return KERN_SUCCESS;
}

kern_return_t
do_bootstrap_host_priv(bootstrap_client_t client, mach_port_t *portp)
{
    if (client == NULL || !client->grants->host_priv) {
        return BOOTSTRAP_NOT_PRIVILEGED;
    }

    *portp = bootstrap_host_priv_port;
    return KERN_SUCCESS;
}

kern_return_t
do_bootstrap_host_security(bootstrap_client_t client, mach_port_t *portp)
{
    if (client == NULL || !client->grants->host_security) {
        return BOOTSTRAP_NOT_PRIVILEGED;
    }

    *portp = bootstrap_host_security_port;
    return KERN_SUCCESS;
}

kern_return_t
do_bootstrap_device_master(bootstrap_client_t client, mach_port_t *portp)
{
    if (client == NULL || !client->grants->device_master) {
        return BOOTSTRAP_NOT_PRIVILEGED;
    }

    *portp = bootstrap_device_master_port;
    return KERN_SUCCESS;
}

kern_return_t
do_bootstrap_interrupt(bootstrap_client_t client, natural_t line,
                       mach_port_t *interruptp)
{
    if (client == NULL || !manifest_may_interrupt(client->grants, line)) {
        return BOOTSTRAP_NOT_PRIVILEGED;
    }

    return interrupt_create(bootstrap_device_master_port, line, interruptp);
}

kern_return_t
do_bootstrap_device_memory(bootstrap_client_t client, vm_offset_t physical,
                           vm_size_t size, mach_port_t *entryp)
{
    if (client == NULL || !manifest_may_map(client->grants, physical, size)) {
        return BOOTSTRAP_NOT_PRIVILEGED;
    }

    return device_memory_create(bootstrap_device_master_port, physical, size,
                                entryp);
}

kern_return_t
do_bootstrap_module(bootstrap_client_t client, service_name_t name,
                    mach_port_t *entryp, vm_size_t *sizep)
{
    const struct module *module;

    if (client == NULL || !manifest_may_read_module(client->grants, name)) {
        return BOOTSTRAP_NOT_PRIVILEGED;
    }

    module = module_lookup(name);

    if (module == NULL) {
        return BOOTSTRAP_UNKNOWN_SERVICE;
    }

    *sizep = module->size;
    *entryp = module->entry;
    return KERN_SUCCESS;
}

kern_return_t
do_bootstrap_log(bootstrap_client_t client, bootstrap_log_t text,
                 mach_msg_type_number_t textCnt)
{
    if (client == NULL) {
        return BOOTSTRAP_NOT_PRIVILEGED;
    }

    log_write(&client->line, text, textCnt);
    return KERN_SUCCESS;
}
