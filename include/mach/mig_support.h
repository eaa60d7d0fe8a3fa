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

/* The two functions of <string.h>, which not every place has. */
void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memset(void *to, int byte, size_t size);

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

/* The place so many bytes behind the start of a variable member. */
#define MIG_BEHIND(pointer, member, bytes)                                     \
    ((void *)((char *)(pointer) + offsetof(__typeof__(*(pointer)), member) +   \
              (bytes)))

/* For what is needed once in a thousand calls: stays off the hot path. */
#define MIG_COLD __attribute__((__cold__, __noinline__))

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
