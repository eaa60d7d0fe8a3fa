/* SPDX-License-Identifier: MIT */
/*
 * Trap numbers: rax of `syscall`, negative for Mach. Arguments are in rdi,
 * rsi, rdx, r10, r8, r9; the result comes back in rax; rcx and r11 are lost.
 * Where an OSF trap of the same meaning exists, it has the same number.
 */

#ifndef MACH_SYSCALL_NUMBERS_H
#define MACH_SYSCALL_NUMBERS_H

#define MACH_TRAP_NULL (-1)
#define MACH_TRAP_VM_ALLOCATE (-10)
#define MACH_TRAP_VM_DEALLOCATE (-12)
#define MACH_TRAP_VM_PROTECT (-14)
#define MACH_TRAP_VM_MAP (-15)
#define MACH_TRAP_PORT_ALLOCATE (-16)
#define MACH_TRAP_PORT_DESTROY (-17)
#define MACH_TRAP_PORT_DEALLOCATE (-18)
#define MACH_TRAP_PORT_MOD_REFS (-19)
#define MACH_TRAP_PORT_INSERT_RIGHT (-21)
#define MACH_TRAP_REPLY_PORT (-26)
#define MACH_TRAP_THREAD_SELF (-27)
#define MACH_TRAP_TASK_SELF (-28)
#define MACH_TRAP_HOST_SELF (-29)
#define MACH_TRAP_MSG (-31)
#define MACH_TRAP_VM_READ_OVERWRITE (-50)
#define MACH_TRAP_VM_WRITE (-51)
#define MACH_TRAP_SWTCH_PRI (-59)
#define MACH_TRAP_SWTCH (-60)
#define MACH_TRAP_THREAD_SWITCH (-61)
#define MACH_TRAP_GSYNC_WAIT (-70)
#define MACH_TRAP_GSYNC_WAKE (-71)
#define MACH_TRAP_THREAD_SET_TLS (-80)
#define MACH_TRAP_LAST (-95)

#ifndef __ASSEMBLER__
#include <mach/kern_return.h>
#include <mach/vm_types.h>

/* What the vm_map trap copies in: the arguments of vm_map. */
struct mach_vm_map_args {
    uint64_t address; /* in and out */
    uint64_t size;
    uint64_t mask;
    uint64_t offset;
    uint32_t target_task;
    uint32_t flags;  /* VM_FLAGS_* */
    uint32_t object; /* memory-entry port or null */
    uint32_t copy;
    uint32_t cur_protection;
    uint32_t max_protection;
    uint32_t inheritance;
    uint32_t reserved; /* 0 */
};
#endif

#endif /* MACH_SYSCALL_NUMBERS_H */
