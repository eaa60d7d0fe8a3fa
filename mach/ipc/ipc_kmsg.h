/* SPDX-License-Identifier: MIT */
/*
 * A message inside the kernel. The header and descriptors hold handles and
 * pointers in place of names and addresses, rights are counted, and msgh_bits
 * carries received dispositions: REMOTE of the destination, LOCAL of the
 * reply right. Its layout is that of the user's message, so the data is
 * copied once in and once out.
 *
 * A kmsg has one owner: whoever builds it, the queue, the receiver.
 */

#ifndef IPC_IPC_KMSG_H
#define IPC_IPC_KMSG_H

#include <stdbool.h>
#include <stdint.h>

#include <ipc/ipc_space.h>
#include <kern/list.h>
#include <kern/macros.h>
#include <kern/slab.h>
#include <mach/message.h>

struct ipc_port;
struct thread;
struct vm_map;

struct ipc_kmsg {
    struct list link;        /* a queue's */
    mach_msg_size_t room;    /* bytes from the header on */
    struct ipc_space *payer; /* ref: at whose expense it is queued, or NULL */
    uint64_t charge;         /* what of that is for it */
    struct ipc_identity sender; /* see ipc_mqueue.c: not of every message */
    mach_msg_header_t header __attribute__((aligned(16)));
};

#define IPC_KMSG_OVERHEAD (sizeof(struct ipc_kmsg) - sizeof(mach_msg_header_t))

void ipc_kmsg_setup(void);

/* Room for a message of `size` bytes; zeroed. NULL when memory is short. */
MUST_CHECK struct ipc_kmsg *ipc_kmsg_alloc(mach_msg_size_t size);

/* Bytes of a message for which small buffers have room, trailer apart. */
#define IPC_KMSG_SMALL 256u
#define IPC_KMSG_SHORT (IPC_KMSG_SMALL - (mach_msg_size_t)MAX_TRAILER_SIZE)

extern struct slab_cache ipc_kmsg_small_cache;

/* A small buffer, for one who sets every byte of the message. */
MUST_CHECK static inline struct ipc_kmsg *
ipc_kmsg_alloc_short(void)
{
    struct ipc_kmsg *kmsg = slab_alloc_raw(&ipc_kmsg_small_cache);

    if (likely(kmsg != NULL)) {
        kmsg->room = IPC_KMSG_SMALL;
        kmsg->payer = NULL;
    }

    return kmsg;
}

static inline void
ipc_kmsg_free_short(struct ipc_kmsg *kmsg)
{
    slab_free(&ipc_kmsg_small_cache, kmsg);
}

/* Free the buffer; what it holds has gone elsewhere. */
void ipc_kmsg_free(struct ipc_kmsg *kmsg);

/* Kernel memory that it holds, in bytes. */
size_t ipc_kmsg_memory(const struct ipc_kmsg *kmsg);

/* Release every right and all memory it holds, and free it. Never recurses:
 * what the rights drag along is destroyed by the outermost call. */
void ipc_kmsg_destroy(struct ipc_kmsg *kmsg);
void ipc_kmsg_destroy_list(struct list *messages);

/* Release only the rights and memory of the body. */
void ipc_kmsg_clean_body(struct ipc_kmsg *kmsg);

/*
 * Make a kmsg of the current task's message: data, then header rights, then
 * descriptors.
 *
 * Returns: MACH_MSG_SUCCESS; MACH_SEND_* as documented in Mach. A bad header
 * consumes nothing; a bad body has consumed what came before the fault.
 */
MUST_CHECK mach_msg_return_t ipc_kmsg_copyin(vm_offset_t buffer,
                                             mach_msg_size_t size,
                                             struct ipc_space *space,
                                             struct vm_map *map,
                                             struct ipc_kmsg **kmsgp);

/*
 * Turn the kmsg into what the current task sees: names and addresses. The
 * caller then copies it out and frees it. MACH_RCV_HEADER_ERROR: nothing but
 * the bare header is left; MACH_RCV_BODY_ERROR: some items are null.
 */
mach_msg_return_t ipc_kmsg_copyout(struct ipc_kmsg *kmsg,
                                   struct ipc_space *space, struct vm_map *map);

/* What a right that found no place in a space adds to a receive's result. */
mach_msg_return_t ipc_kmsg_error(kern_return_t kr);

/* The reverse of copyin, for a message that could not be sent: rights come
 * back as move rights. */
mach_msg_return_t
ipc_kmsg_copyout_pseudo(struct ipc_kmsg *kmsg, struct ipc_space *space,
                        struct vm_map *map);

/* Fill a trailer of the size that the option asks for, which comes back. */
mach_msg_size_t
ipc_kmsg_trailer(const struct ipc_kmsg *kmsg, mach_msg_option_t option,
                 mach_port_seqno_t seqno, mach_msg_max_trailer_t *trailer);

/* A kmsg from a message that kernel code built: handles already. */
MUST_CHECK struct ipc_kmsg *
ipc_kmsg_from_kernel(const mach_msg_header_t *message, mach_msg_size_t size);

/* A kernel object's reply is about to be sent: a receive right in it goes
 * where the message goes, or dies if that would be its own queue. */
void ipc_kmsg_transit(struct ipc_kmsg *kmsg);

uint64_t ipc_kmsg_count(void);

#endif /* IPC_IPC_KMSG_H */
