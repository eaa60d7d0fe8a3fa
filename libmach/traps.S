/* SPDX-License-Identifier: MIT */
/*
 * The trap stubs. A C call has its fourth argument in rcx, which `syscall`
 * overwrites: the kernel expects it in r10. All else stays where it is.
 */

#include <mach/syscall_numbers.h>

        .macro TRAP name, number
        .text
        .globl \name
        .type \name, @function
        .balign 16
\name:
        movq    %rcx, %r10
        movq    $\number, %rax
        syscall
        ret
        .size \name, . - \name
        .endm

        TRAP mach_null_trap, MACH_TRAP_NULL
        TRAP mach_reply_port, MACH_TRAP_REPLY_PORT
        TRAP mach_thread_self, MACH_TRAP_THREAD_SELF
        TRAP mach_task_self_trap, MACH_TRAP_TASK_SELF
        TRAP mach_host_self_trap, MACH_TRAP_HOST_SELF
        TRAP mach_msg_trap, MACH_TRAP_MSG
        TRAP syscall_vm_allocate, MACH_TRAP_VM_ALLOCATE
        TRAP syscall_vm_deallocate, MACH_TRAP_VM_DEALLOCATE
        TRAP syscall_vm_protect, MACH_TRAP_VM_PROTECT
        TRAP syscall_vm_map, MACH_TRAP_VM_MAP
        TRAP syscall_vm_read_overwrite, MACH_TRAP_VM_READ_OVERWRITE
        TRAP syscall_vm_write, MACH_TRAP_VM_WRITE
        TRAP syscall_mach_port_allocate, MACH_TRAP_PORT_ALLOCATE
        TRAP syscall_mach_port_destroy, MACH_TRAP_PORT_DESTROY
        TRAP syscall_mach_port_deallocate, MACH_TRAP_PORT_DEALLOCATE
        TRAP syscall_mach_port_mod_refs, MACH_TRAP_PORT_MOD_REFS
        TRAP syscall_mach_port_insert_right, MACH_TRAP_PORT_INSERT_RIGHT
        TRAP swtch_pri, MACH_TRAP_SWTCH_PRI
        TRAP swtch, MACH_TRAP_SWTCH
        TRAP thread_switch, MACH_TRAP_THREAD_SWITCH
        TRAP gsync_wait, MACH_TRAP_GSYNC_WAIT
        TRAP gsync_wake, MACH_TRAP_GSYNC_WAKE
        TRAP thread_set_tls, MACH_TRAP_THREAD_SET_TLS

        .section .note.GNU-stack, "", @progbits
