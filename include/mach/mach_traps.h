/* SPDX-License-Identifier: MIT */
/*
 * The kernel's traps as C functions (libmach/traps.S). Most programs want the
 * functions of the same meaning in <mach/mach.h>; those whose names begin
 * with syscall_ are the short way of a routine that also is a message. They
 * take the port of a task of which the caller has a send right, its own or
 * another.
 */

#ifndef MACH_MACH_TRAPS_H
#define MACH_MACH_TRAPS_H

#include <mach/kern_return.h>
#include <mach/message.h>
#include <mach/port.h>
#include <mach/syscall_numbers.h>
#include <mach/vm_types.h>
#include <stddef.h>

/* Does nothing: what a visit to the kernel costs. */
kern_return_t mach_null_trap(void);

/* A new receive right, for replies; MACH_PORT_NULL if there is no room. */
mach_port_name_t mach_reply_port(void);

/* Each call gives one more user reference to a send right. */
mach_port_name_t mach_thread_self(void);
mach_port_name_t mach_task_self_trap(void);
mach_port_name_t mach_host_self_trap(void);

/*
 * sizes: send | receive << 32; names: receive | notify << 32; a null rcv_msg
 * receives into msg. In a program of this system the trap is part of its
 * caller: most of them pass constants. Only rbx, rbp and r12 to r15 are as
 * before.
 */
#ifdef __portolan__
extern __inline __attribute__((__gnu_inline__)) mach_msg_return_t
mach_msg_trap(mach_msg_header_t *msg, mach_msg_option_t option, uint64_t sizes,
              uint64_t names, mach_msg_timeout_t timeout,
              mach_msg_header_t *rcv_msg)
{
    register uint64_t r10 __asm__("r10") = names;
    register uint64_t r8 __asm__("r8") = timeout;
    register mach_msg_header_t *r9 __asm__("r9") = rcv_msg;
    uint64_t rsi = option;
    int64_t rax = MACH_TRAP_MSG; /* all 64 bits count */

    __asm__ volatile("syscall"
                     : "+a"(rax), "+D"(msg), "+S"(rsi), "+d"(sizes), "+r"(r10),
                       "+r"(r8), "+r"(r9)
                     :
                     : "rcx", "r11", "memory");
    return (mach_msg_return_t)rax;
}
#else
mach_msg_return_t
mach_msg_trap(mach_msg_header_t *msg, mach_msg_option_t option, uint64_t sizes,
              uint64_t names, mach_msg_timeout_t timeout,
              mach_msg_header_t *rcv_msg);
#endif

#define MACH_MSG_TRAP_PAIR(low, high) ((low) | ((uint64_t)(high) << 32))

/*
 * A message trap failed with mr: make it again if it was only interrupted
 * and the caller did not ask to be told. When the send half is done and the
 * receive half was interrupted, only the receive half is repeated.
 */
mach_msg_return_t
mach_msg_again(mach_msg_return_t mr, mach_msg_header_t *msg,
               mach_msg_option_t option, mach_msg_size_t send_size,
               mach_msg_size_t rcv_size, mach_port_name_t rcv_name,
               mach_msg_timeout_t timeout, mach_port_name_t notify,
               mach_msg_header_t *rcv_msg) __attribute__((__cold__));

/* mach_msg() as a part of its caller (libmach has it as a function too). */
#ifdef __portolan__
extern __inline __attribute__((__gnu_inline__)) mach_msg_return_t
mach_msg(mach_msg_header_t *msg, mach_msg_option_t option,
         mach_msg_size_t send_size, mach_msg_size_t rcv_size,
         mach_port_name_t rcv_name, mach_msg_timeout_t timeout,
         mach_port_name_t notify)
{
    mach_msg_return_t mr;

    mr = mach_msg_trap(msg, option, MACH_MSG_TRAP_PAIR(send_size, rcv_size),
                       MACH_MSG_TRAP_PAIR(rcv_name, notify), timeout, NULL);

    if (__builtin_expect(mr != MACH_MSG_SUCCESS, 0)) {
        mr = mach_msg_again(mr, msg, option, send_size, rcv_size, rcv_name,
                            timeout, notify, NULL);
    }

    return mr;
}
#endif

kern_return_t syscall_vm_allocate(mach_port_name_t task, vm_address_t *addressp,
                                  vm_size_t size, int flags);
kern_return_t syscall_vm_deallocate(mach_port_name_t task, vm_address_t address,
                                    vm_size_t size);
kern_return_t
syscall_vm_protect(mach_port_name_t task, vm_address_t address, vm_size_t size,
                   boolean_t set_maximum, int protection);
kern_return_t syscall_vm_map(struct mach_vm_map_args *args);
kern_return_t
syscall_vm_read_overwrite(mach_port_name_t task, vm_address_t address,
                          vm_size_t size, vm_address_t data,
                          vm_size_t *out_sizep);
kern_return_t syscall_vm_write(mach_port_name_t task, vm_address_t address,
                               vm_address_t data, vm_size_t size);

kern_return_t
syscall_mach_port_allocate(mach_port_name_t task, mach_port_right_t right,
                           mach_port_name_t *namep);
kern_return_t
syscall_mach_port_destroy(mach_port_name_t task, mach_port_name_t name);
kern_return_t
syscall_mach_port_deallocate(mach_port_name_t task, mach_port_name_t name);
kern_return_t
syscall_mach_port_mod_refs(mach_port_name_t task, mach_port_name_t name,
                           mach_port_right_t right, mach_port_delta_t delta);
kern_return_t
syscall_mach_port_insert_right(mach_port_name_t task, mach_port_name_t name,
                               mach_port_name_t right,
                               mach_msg_type_name_t type);

/* Give the processor away; TRUE if there was another thread to run. */
boolean_t swtch(void);
boolean_t swtch_pri(int priority);
kern_return_t
thread_switch(mach_port_name_t thread, int option, mach_msg_timeout_t time);

/* Wait while *word == value; wake who waits on it: <mach/gsync.h>. Results of
 * the wait: KERN_SUCCESS (woken), KERN_INVALID_ARGUMENT (another value),
 * KERN_OPERATION_TIMED_OUT, KERN_ABORTED. */
kern_return_t gsync_wait(mach_port_name_t task, const volatile uint32_t *word,
                         uint32_t value, mach_msg_timeout_t msec, int flags);
kern_return_t gsync_wake(mach_port_name_t task, volatile uint32_t *word,
                         uint32_t value, int flags);

/* The calling thread's fs base. */
kern_return_t thread_set_tls(void *base);

#endif /* MACH_MACH_TRAPS_H */
