/* SPDX-License-Identifier: MIT */
/*
 * A task's start: the first thread's control block, the cached ports. The
 * first thread's block is a region of its own like that of any other thread.
 */

#include <libmach/thread.h>
#include <mach/mach_init.h>
#include <mach/mach_traps.h>
#include <mach/task.h>
#include <mach/task_info.h>

mach_port_t mach_task_self_;

static mach_port_t mach_host_self_;
static mach_port_t mach_bootstrap_port_;

/* Used only if the kernel has no memory to give: the ports still work. */
static struct mach_tcb mach_init_tcb;

void
mach_init_library(size_t tcb_size, void (*setup)(struct mach_tcb *tcb))
{
    struct mach_tcb *tcb;

    mach_task_self_ = mach_task_self_trap();
    mach_tcb_configure(tcb_size, setup);
    tcb = mach_tcb_create();

    if (tcb == NULL) {
        tcb = &mach_init_tcb;
        tcb->self = tcb;
    }

    (void)thread_set_tls(tcb);
}

void
mach_init(void)
{
    mach_init_library(sizeof(struct mach_tcb), NULL);
}

void
mach_init_child(void)
{
    struct mach_tcb *tcb = mach_tcb_self();

    tcb->reply = MACH_PORT_NULL;
    tcb->thread = MACH_PORT_NULL;
    mach_host_self_ = MACH_PORT_NULL;
    mach_bootstrap_port_ = MACH_PORT_NULL;
    mach_task_self_ = mach_task_self_trap();
}

mach_port_t
mach_host_self(void)
{
    if (mach_host_self_ == MACH_PORT_NULL) {
        mach_host_self_ = mach_host_self_trap();
    }

    return mach_host_self_;
}

mach_port_t
mach_bootstrap_port(void)
{
    if (mach_bootstrap_port_ == MACH_PORT_NULL) {
        mach_port_t port;

        if (task_get_special_port(mach_task_self(), TASK_BOOTSTRAP_PORT,
                                  &port) == KERN_SUCCESS) {
            mach_bootstrap_port_ = port;
        }
    }

    return mach_bootstrap_port_;
}
