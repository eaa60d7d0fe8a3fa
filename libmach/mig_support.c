/* SPDX-License-Identifier: MIT */
/*
 * Run-time support of the stubs that MIG generates. Each thread keeps one
 * reply port in its control block, so that a call costs no allocation.
 */

#include <mach/mach_init.h>
#include <mach/mach_traps.h>
#include <mach/mig_support.h>
#include <mach/vm_region.h>

NDR_record_t NDR_record = { 0, 0, 0, 0, 1, 0, 0, 0 };

mach_port_t
mig_get_reply_port(void)
{
    struct mach_tcb *tcb = mach_tcb_self();

    if (tcb->reply == MACH_PORT_NULL) {
        tcb->reply = mach_reply_port();
    }

    return tcb->reply;
}

void
mig_put_reply_port(mach_port_t reply_port)
{
    (void)reply_port;
}

void
mig_dealloc_reply_port(mach_port_t reply_port)
{
    struct mach_tcb *tcb = mach_tcb_self();

    if (!MACH_PORT_VALID(reply_port)) {
        return;
    }

    if (tcb->reply == reply_port) {
        tcb->reply = MACH_PORT_NULL;
    }

    (void)syscall_mach_port_mod_refs(mach_task_self(), reply_port,
                                     MACH_PORT_RIGHT_RECEIVE, -1);
}

mach_msg_size_t
mig_strncpy(char *to, const char *from, mach_msg_size_t size)
{
    mach_msg_size_t i;

    if (size == 0) {
        return 0;
    }

    for (i = 0; i < size - 1 && from[i] != '\0'; i++) {
        to[i] = from[i];
    }

    to[i] = '\0';
    return i + 1;
}

mach_msg_size_t
mig_strncpy_zerofill(char *to, const char *from, mach_msg_size_t size)
{
    mach_msg_size_t length = mig_strncpy(to, from, size);

    for (mach_msg_size_t i = length; i < size; i++) {
        to[i] = '\0';
    }

    return length;
}

kern_return_t
mig_allocate(vm_address_t *addressp, vm_size_t size)
{
    return syscall_vm_allocate(mach_task_self(), addressp, size,
                               VM_FLAGS_ANYWHERE);
}

void
mig_deallocate(vm_address_t address, vm_size_t size)
{
    if (size != 0) {
        (void)syscall_vm_deallocate(mach_task_self(), address, size);
    }
}

char *
mig_user_allocate(vm_size_t size)
{
    vm_address_t address;

    if (mig_allocate(&address, size) != KERN_SUCCESS) {
        return NULL;
    }

    return (char *)address;
}

void
mig_user_deallocate(char *address, vm_size_t size)
{
    mig_deallocate((vm_address_t)address, size);
}
