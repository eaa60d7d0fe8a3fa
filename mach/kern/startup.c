/* SPDX-License-Identifier: MIT */
/*
 * From the boot code to the first task: one visible list of what comes up, in
 * order. Interrupts stay off until the scheduler runs.
 */

#include <debug/console.h>
#include <debug/printf.h>
#include <device/grant.h>
#include <device/interrupt.h>
#include <ipc/ipc_kmsg.h>
#include <ipc/ipc_notify.h>
#include <ipc/ipc_port.h>
#include <ipc/ipc_pset.h>
#include <ipc/ipc_space.h>
#include <kern/bootstrap.h>
#include <kern/clock.h>
#include <kern/gsync.h>
#include <kern/host.h>
#include <kern/sched.h>
#include <kern/slab.h>
#include <kern/stack.h>
#include <kern/task.h>
#include <kern/thread.h>
#include <kern/timer.h>
#include <kern/wait.h>
#include <machine/context.h>
#include <machine/cpu.h>
#include <machine/ioapic.h>
#include <machine/lapic.h>
#include <machine/layout.h>
#include <machine/pmap.h>
#include <machine/setup.h>
#include <vm/vm_init.h>
#include <vm/vm_page.h>

NORETURN void startup(uint64_t information);

extern char boot_stack_top[];

/* The boot code becomes this processor's idle thread. */
NORETURN static void
startup_idle(void)
{
    struct cpu *cpu = cpu_self();
    struct thread *idle;

    idle = thread_create_kernel(sched_idle_loop, 0);
    idle->state = THREAD_RUNNING;
    atomic_store(&idle->on_cpu, true);
    idle->continuation = NULL;
    cpu->idle = idle;
    cpu->thread = idle;
    idle->cpu_time = -cpu_tsc();
    bootstrap_start();
    sched_idle_loop(idle);
}

void
startup(uint64_t information)
{
    cpu_setup_gs();               /* locks and canaries need struct cpu */
    multiboot_setup(information); /* which memory is there */
    cpu_setup();                  /* faults get reported from here on */
    pmap_bootstrap();             /* final page tables */
    vm_page_setup();              /* frames */
    slab_setup();                 /* kernel objects */
    pmap_setup();
    vm_setup();
    wait_setup();
    timer_setup();
    stack_setup();
    context_setup();
    ioapic_setup();             /* all lines masked */
    clock_setup(lapic_setup()); /* time */
    sched_setup_cpu(cpu_self());
    ipc_port_setup();
    ipc_pset_setup();
    ipc_kmsg_setup();
    ipc_notify_setup();
    ipc_space_setup();
    thread_setup();
    task_setup(); /* the kernel task */
    host_setup(); /* its ports */
    interrupt_setup();
    grant_setup();
    gsync_setup();
    cpu_self()->stack_top = (uint64_t)(uintptr_t)boot_stack_top;
    startup_idle(); /* the first user task */
}
