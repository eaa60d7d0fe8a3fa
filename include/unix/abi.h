/* SPDX-License-Identifier: MIT */
/*
 * The binary interface between a POSIX program and the Unix server, beside
 * the messages of the .defs files: what a program finds in its memory and
 * registers when it starts, and the page that tells it who it is. The reasons
 * are in docs/abi.md. Nothing here may change its meaning; what is reserved
 * is 0 and may be given one.
 */

#ifndef UNIX_ABI_H
#define UNIX_ABI_H

#include <stddef.h>
#include <stdint.h>

/* Of the whole interface; each subsystem of messages has its own besides. */
#define UNIX_ABI_VERSION 1

/* Limits. */
#define UNIX_PATH_MAX 4096 /* with its 0 byte */
#define UNIX_NAME_MAX 255
#define UNIX_ARG_MAX 131072 /* bytes of argument and environment strings */
#define UNIX_OPEN_MAX 1024  /* descriptors of a process: FD_SETSIZE */
#define UNIX_PIPE_BUF 4096
#define UNIX_GROUPS_MAX 16
#define UNIX_SYMLINKS_MAX 8
#define UNIX_LINK_MAX 32767
#define UNIX_HOST_NAME_MAX 64
#define UNIX_PID_MAX 32767

/* Bytes that go inside a message; more are moved straight between the
 * program's memory and the server. */
#define UNIX_INLINE_MAX 4096

/*
 * The name of the right by which a process calls the server: it stands for
 * the process, is the request port of every call, and is the same in every
 * process, so a copy of it made before fork stays true in the child. It is
 * also in the auxiliary vector, which is where a program should take it from.
 */
#define UNIX_PROCESS_PORT 0x00000801u

/*
 * Addresses. The stack grows down from UNIX_STACK_TOP; its lowest page is a
 * guard. Above it stand the process page and the kernel's clock page, mapped
 * read-only.
 */
#define UNIX_STACK_TOP 0x00007fffff000000UL
#define UNIX_STACK_SIZE 0x0000000000800000UL
#define UNIX_PROCESS_PAGE 0x00007fffffe00000UL
#define UNIX_CLOCK_PAGE 0x00007fffffe01000UL

/* The auxiliary vector: ELF's numbers, and our own from 0x504f5254. */
#define UNIX_AT_NULL 0
#define UNIX_AT_PHDR 3
#define UNIX_AT_PHENT 4
#define UNIX_AT_PHNUM 5
#define UNIX_AT_PAGESZ 6
#define UNIX_AT_BASE 7
#define UNIX_AT_ENTRY 9
#define UNIX_AT_UID 11
#define UNIX_AT_EUID 12
#define UNIX_AT_GID 13
#define UNIX_AT_EGID 14
#define UNIX_AT_SECURE 23
#define UNIX_AT_RANDOM 25 /* 16 random bytes */
#define UNIX_AT_EXECFN 31
#define UNIX_AT_PROCESS_PORT 0x504f5254 /* UNIX_PROCESS_PORT */
#define UNIX_AT_PROCESS_PAGE 0x504f5255 /* struct unix_process_page */
#define UNIX_AT_CLOCK_PAGE 0x504f5256   /* struct mach_clock_page */

struct unix_auxv {
    uint64_t type;
    uint64_t value;
};

/*
 * The thread control block, found at fs:0. libmach owns the first 64 bytes
 * (struct mach_tcb); the word after them belongs to this interface.
 *
 * in_call: not 0 while the thread makes a call to the server, from before the
 * request is built until the reply is taken apart. Such a thread is never
 * made to enter a signal handler: it gets the pending flag of its slot, and a
 * call that waits is answered early. When it has taken in_call back to 0 it
 * looks at the flag, and fetches its signals with unix_signal_take.
 */
#define UNIX_TCB_SELF 0x00
#define UNIX_TCB_CANARY 0x28
#define UNIX_TCB_IN_CALL 0x40 /* uint32_t */
#define UNIX_TCB_SLOT 0x44    /* uint32_t: index of its thread slot */

/* One thread of the process. */
struct unix_thread_slot {
    volatile uint32_t pending; /* not 0: a signal waits to be taken */
    uint32_t thread;           /* thread id, 0: the slot is free */
    volatile uint64_t mask;    /* blocked signals: signal n is bit n - 1 */
    uint64_t reserved[2];
};

#define UNIX_THREAD_SLOTS 120

/*
 * The process page: written by the server, read by the process. A reader
 * takes `sequence`, tries again while it is odd, reads, and tries again if
 * `sequence` has changed; for one 32-bit word no such care is needed. The
 * slots are outside of the sequence.
 */
struct unix_process_page {
    uint32_t version; /* UNIX_ABI_VERSION */
    volatile uint32_t sequence;
    volatile int32_t pid;
    volatile int32_t ppid;
    volatile int32_t pgid;
    volatile int32_t sid;
    volatile uint32_t uid;
    volatile uint32_t euid;
    volatile uint32_t suid;
    volatile uint32_t gid;
    volatile uint32_t egid;
    volatile uint32_t sgid;
    volatile uint32_t umask;
    uint32_t slots; /* UNIX_THREAD_SLOTS */
    uint32_t reserved[50];
    struct unix_thread_slot slot[UNIX_THREAD_SLOTS];
};

/*
 * Every program carries this note, in a PT_NOTE segment; exec refuses another
 * major number, and a program without a note is taken to be of number 1.
 */
#define UNIX_NOTE_NAME "Portolan" /* namesz 9 */
#define UNIX_NOTE_ABI 1           /* its type: the desc is struct unix_note */

struct unix_note {
    uint32_t major; /* UNIX_ABI_VERSION */
    uint32_t minor;
};

_Static_assert(sizeof(struct unix_thread_slot) == 32, "ABI");
_Static_assert(offsetof(struct unix_process_page, slot) == 256, "ABI");
_Static_assert(sizeof(struct unix_process_page) == 4096, "ABI");

#endif /* UNIX_ABI_H */
