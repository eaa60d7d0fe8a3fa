/* SPDX-License-Identifier: MIT */
/*
 * What the code that MIG generates expects around it: the run-time functions
 * that it calls, the types of the tables that it exports, and small helpers.
 * These are inline, so that stubs need nothing but memcpy and memset, in the
 * kernel as in a server without a C library.
 */

#ifndef MACH_MIG_SUPPORT_H
#define MACH_MIG_SUPPORT_H

#include <stddef.h>
#include <stdint.h>

#include <mach/kern_return.h>
#include <mach/message.h>
#include <mach/mig_errors.h>
#include <mach/ndr.h>
#include <mach/port.h>
#include <mach/vm_types.h>

#ifdef __portolan__
#include <mach/mach_init.h>
#include <mach/syscall_numbers.h>
#endif

/* The two functions of <string.h>, which not every place has; a few bytes
 * need no call, in freestanding code too. */
void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memset(void *to, int byte, size_t size);

#define mig_copy(to, from, size) ((void)__builtin_memcpy(to, from, size))
#define mig_clear(to, size) ((void)__builtin_memset(to, 0, size))

/* Clear what is between the members of a structure and behind them, where the
 * compiler can; it is nothing for most. */
#ifdef __has_builtin
#if __has_builtin(__builtin_clear_padding)
#define mig_clear_holes(structure) __builtin_clear_padding(structure)
#endif
#endif

#ifndef mig_clear_holes
#define mig_clear_holes(structure) ((void)0)
#endif

/* The calling thread's reply port: made when first needed. */
mach_port_t mig_get_reply_port(void);

/* The call is over and the port still good. */
void mig_put_reply_port(mach_port_t reply_port);

/* A call failed so that a late reply may yet come: forget the port. */
void mig_dealloc_reply_port(mach_port_t reply_port);

/* Copy at most size bytes, the last of them 0: the length with its 0 byte.
 * mig_strncpy_zerofill also clears the rest. */
mach_msg_size_t mig_strncpy(char *to, const char *from, mach_msg_size_t size);
mach_msg_size_t
mig_strncpy_zerofill(char *to, const char *from, mach_msg_size_t size);

/* Whole pages of the calling task. */
kern_return_t mig_allocate(vm_address_t *addressp, vm_size_t size);
void mig_deallocate(vm_address_t address, vm_size_t size);

/* For messages too large for the stack; null when there is no memory. */
char *mig_user_allocate(vm_size_t size);
void mig_user_deallocate(char *address, vm_size_t size);

/*
 * A server stub: checks a request, calls the server's function, completes the
 * reply, whose header must be prepared.
 */
typedef void (*mig_routine_t)(mach_msg_header_t *request,
                              mach_msg_header_t *reply);

/* Finds the stub for a request; null: no such id. */
typedef mig_routine_t (*mig_server_routine_t)(mach_msg_header_t *request);

/* One id of a subsystem; all zero if it is not used. */
struct routine_descriptor {
    void (*impl_routine)(void); /* null */
    mig_routine_t stub_routine;
    unsigned int argc;        /* C arguments of the server's function */
    unsigned int descr_count; /* most descriptors in request and reply */
    const void *arg_descr;    /* null */
    mach_msg_size_t max_reply_msg;
};

struct mig_subsystem {
    mig_server_routine_t server;
    mach_msg_id_t start;
    mach_msg_id_t end;       /* one past the last id */
    mach_msg_size_t maxsize; /* of any reply, an error reply included */
    vm_address_t reserved;   /* 0 */
    struct routine_descriptor routine[];
};

/* An error reply of an interface whose messages carry NDR records. */
typedef struct {
    mach_msg_header_t Head;
    NDR_record_t NDR;
    kern_return_t RetCode;
} mig_reply_error_ndr_t;

#define MIG_UNLIKELY(condition) __builtin_expect(!!(condition), 0)

#define MIG_ROUND(size) ((mach_msg_size_t)(((size) + 3) & ~(size_t)3))

/* The place so many bytes behind the start of a variable member. */
#define MIG_BEHIND(pointer, member, bytes)                                     \
    ((void *)((char *)(pointer) + offsetof(__typeof__(*(pointer)), member) +   \
              (bytes)))

/* A message that is too large for the stack, for the length of a block. */
struct mig_buffer {
    char *address;
    vm_size_t size;
};

static inline struct mig_buffer
mig_buffer_allocate(vm_size_t size)
{
    struct mig_buffer buffer = { mig_user_allocate(size), size };

    return buffer;
}

static inline void
mig_buffer_free(struct mig_buffer *buffer)
{
    if (buffer->address != NULL) {
        mig_user_deallocate(buffer->address, buffer->size);
    }
}

#define MIG_BUFFER_SCOPE __attribute__((__cleanup__(mig_buffer_free)))

/* The word that the receiver bound to the port, if the kernel delivered it. */
static inline uint64_t
mig_context(const mach_msg_header_t *head)
{
    return MACH_MSGH_BITS_LOCAL(head->msgh_bits) ==
                   MACH_MSG_TYPE_PROTECTED_PAYLOAD
               ? mach_msg_payload(head)
               : 0;
}

/* For what is needed once in a thousand calls: stays off the hot path. */
#define MIG_COLD __attribute__((__cold__, __noinline__))

/*
 * Headers are checked two words at a time. The first 8 bytes are msgh_bits
 * and, above them, msgh_size; shifted so that the complex bit is the lowest
 * of all, they must be one constant.
 */
static inline uint64_t
mig_pair(const void *place)
{
    uint64_t pair;

    __builtin_memcpy(&pair, place, sizeof(pair));
    return pair;
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "see mig_pair");

/* A message is complex or not, and of just that size. */
static inline int
mig_is_simple(const mach_msg_header_t *head, mach_msg_size_t size)
{
    return mig_pair(head) >> 31 == (uint64_t)size << 1;
}

static inline int
mig_is_complex(const mach_msg_header_t *head, mach_msg_size_t size)
{
    return mig_pair(head) >> 31 == ((uint64_t)size << 1 | 1);
}

/* The same of a reply, which moreover brings no right in its header. */
#define MIG_REPLY_MASK                                                         \
    (0xffffffff00000000 | MACH_MSGH_BITS_COMPLEX | MACH_MSGH_BITS_REMOTE_MASK)

static inline int
mig_reply_is_simple(const mach_msg_header_t *head, mach_msg_size_t size)
{
    return (mig_pair(head) & MIG_REPLY_MASK) == (uint64_t)size << 32;
}

static inline int
mig_reply_is_complex(const mach_msg_header_t *head, mach_msg_size_t size)
{
    return (mig_pair(head) & MIG_REPLY_MASK) ==
           ((uint64_t)size << 32 | MACH_MSGH_BITS_COMPLEX);
}

/* The id, and the word behind the header: a return code or a count. */
static inline int
mig_has_id(const mach_msg_header_t *head, mach_msg_id_t id, uint32_t word)
{
    return mig_pair(&head->msgh_id) == ((uint64_t)word << 32 | (uint32_t)id);
}

/*
 * How a client stub sends and receives. In a program of this system that is a
 * few instructions of the stub: its thread's reply port stands in the control
 * block, and the trap is made right here. Elsewhere, as in tests on a host,
 * there are functions to call.
 */
#ifdef __portolan__
_Static_assert(offsetof(struct mach_tcb, reply) == 0x30, "used below");

/* The port that mig_reply_port() gave: looked up again, for the cost of a
 * load, rather than kept across the trap. */
static inline mach_port_t
mig_same_reply_port(void)
{
    mach_port_t port;

    __asm__ volatile("movl %%fs:0x30, %0" : "=r"(port));
    return port;
}

static inline mach_port_t
mig_reply_port(void)
{
    mach_port_t port = mig_same_reply_port();

    return MIG_UNLIKELY(port == MACH_PORT_NULL) ? mig_get_reply_port() : port;
}

/* The trap itself (<mach/mach_traps.h>). Of the registers only rbx, rbp and
 * r12 to r15 are as before. */
static inline mach_msg_return_t
mig_trap(mach_msg_header_t *msg, mach_msg_option_t option,
         mach_msg_size_t send_size, mach_msg_size_t rcv_size,
         mach_port_name_t rcv_name, mach_msg_timeout_t timeout)
{
    register uint64_t r10 __asm__("r10") = rcv_name; /* and no notify port */
    register uint64_t r8 __asm__("r8") = timeout;
    register uint64_t r9 __asm__("r9") = 0; /* receive into msg */
    uint64_t rsi = option;
    uint64_t rdx = send_size | (uint64_t)rcv_size << 32;
    int64_t rax = MACH_TRAP_MSG; /* all of the register counts */

    __asm__ volatile("syscall"
                     : "+a"(rax), "+D"(msg), "+S"(rsi), "+d"(rdx), "+r"(r10),
                       "+r"(r8), "+r"(r9)
                     :
                     : "rcx", "r11", "memory");
    return (mach_msg_return_t)rax;
}

/*
 * The trap failed. If it was only interrupted and the caller did not ask to
 * be told, make it again: what is left of it, when the message was sent.
 */
static MIG_COLD __attribute__((__unused__)) mach_msg_return_t
mig_again(mach_msg_return_t mr, mach_msg_header_t *msg,
          mach_msg_option_t option, mach_msg_size_t send_size,
          mach_msg_size_t rcv_size, mach_port_name_t rcv_name,
          mach_msg_timeout_t timeout)
{
    if (mr == MACH_SEND_INTERRUPTED && (option & MACH_SEND_INTERRUPT) == 0) {
        return mach_msg(msg, option, send_size, rcv_size, rcv_name, timeout,
                        MACH_PORT_NULL);
    }

    if (mr == MACH_RCV_INTERRUPTED && (option & MACH_RCV_INTERRUPT) == 0) {
        return mach_msg(msg, option & ~MACH_SEND_MSG, 0, rcv_size, rcv_name,
                        timeout, MACH_PORT_NULL);
    }

    return mr;
}

static inline mach_msg_return_t
mig_mach_msg(mach_msg_header_t *msg, mach_msg_option_t option,
             mach_msg_size_t send_size, mach_msg_size_t rcv_size,
             mach_port_name_t rcv_name, mach_msg_timeout_t timeout)
{
    mach_msg_return_t mr;

    mr = mig_trap(msg, option, send_size, rcv_size, rcv_name, timeout);

    if (MIG_UNLIKELY(mr != MACH_MSG_SUCCESS)) {
        mr = mig_again(mr, msg, option, send_size, rcv_size, rcv_name, timeout);
    }

    return mr;
}

/* The same, to receive at the thread's reply port. */
static inline mach_msg_return_t
mig_rpc(mach_msg_header_t *msg, mach_msg_option_t option,
        mach_msg_size_t send_size, mach_msg_size_t rcv_size,
        mach_port_name_t reply_port, mach_msg_timeout_t timeout)
{
    mach_msg_return_t mr;

    mr = mig_trap(msg, option, send_size, rcv_size, reply_port, timeout);

    if (MIG_UNLIKELY(mr != MACH_MSG_SUCCESS)) {
        mr = mig_again(mr, msg, option, send_size, rcv_size,
                       mig_same_reply_port(), timeout);
    }

    return mr;
}
#else
#define mig_reply_port() mig_get_reply_port()
#define mig_same_reply_port() mig_get_reply_port()
#define mig_mach_msg(msg, option, send_size, rcv_size, rcv_name, timeout)      \
    mach_msg(msg, option, send_size, rcv_size, rcv_name, timeout,              \
             MACH_PORT_NULL)
#define mig_rpc(msg, option, send_size, rcv_size, reply_port, timeout)         \
    mig_mach_msg(msg, option, send_size, rcv_size, reply_port, timeout)
#endif

/*
 * Strings are copied and measured in words, as paths travel in most calls.
 * The lowest bit of the result is the highest of the first byte that is 0.
 */
static inline uint64_t
mig_word_zeros(uint64_t word)
{
    return (word - 0x0101010101010101) & ~word & 0x8080808080808080;
}

/*
 * Copy at most size - 1 characters and a NUL: the bytes with the NUL. A word
 * is read beyond the string's end only where that cannot leave its page, which
 * a sanitizer would not understand.
 */
static inline __attribute__((__no_sanitize__("address"))) mach_msg_size_t
mig_string_copy(char *to, const char *from, mach_msg_size_t size)
{
    mach_msg_size_t i = 0;
    uint64_t word, zeros;

    while (i + 8 < size && ((uintptr_t)(from + i) & 4095) <= 4088) {
        __builtin_memcpy(&word, from + i, sizeof(word));
        zeros = mig_word_zeros(word);

        if (zeros != 0) {
            word &= ((zeros & -zeros) >> 7) - 1;
            __builtin_memcpy(to + i, &word, sizeof(word));
            return i + (mach_msg_size_t)__builtin_ctzll(zeros) / 8 + 1;
        }

        __builtin_memcpy(to + i, &word, sizeof(word));
        i += 8;
    }

    for (; i + 1 < size && from[i] != '\0'; i++) {
        to[i] = from[i];
    }

    to[i] = '\0';
    return i + 1;
}

/* The same, and clear the rest of the buffer. */
static inline mach_msg_size_t
mig_string_fill(char *to, const char *from, mach_msg_size_t size)
{
    mach_msg_size_t length;

    length = mig_string_copy(to, from, size);
    memset(to + length, 0, size - length);
    return length;
}

/* Bytes of a string with its NUL; 0 if there is none among size bytes. */
static inline mach_msg_size_t
mig_string_size(const char *string, mach_msg_size_t size)
{
    mach_msg_size_t i;
    uint64_t word, zeros;

    for (i = 0; i + 8 <= size; i += 8) {
        __builtin_memcpy(&word, string + i, sizeof(word));
        zeros = mig_word_zeros(word);

        if (zeros != 0) {
            return i + (mach_msg_size_t)__builtin_ctzll(zeros) / 8 + 1;
        }
    }

    for (; i < size; i++) {
        if (string[i] == '\0') {
            return i + 1;
        }
    }

    return 0;
}

/* See that there is a NUL in a buffer: the bytes with the first. */
static inline mach_msg_size_t
mig_string_end(char *string, mach_msg_size_t size)
{
    string[size - 1] = '\0';
    return mig_string_size(string, size);
}

/* The same, and clear the rest of the buffer. */
static inline mach_msg_size_t
mig_string_seal(char *string, mach_msg_size_t size)
{
    mach_msg_size_t length;

    length = mig_string_end(string, size);
    memset(string + length, 0, size - length);
    return length;
}

/* Clear the bytes between an item and the next multiple of 4. */
static inline mach_msg_size_t
mig_pad(void *item, mach_msg_size_t size)
{
    char *bytes;

    for (bytes = item; (size & 3) != 0; size++) {
        bytes[size] = 0;
    }

    return size;
}

#endif /* MACH_MIG_SUPPORT_H */
