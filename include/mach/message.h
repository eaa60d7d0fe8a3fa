/* SPDX-License-Identifier: MIT */
/*
 * Messages: the untyped layout of OSF Mach in its 64-bit form, and the one
 * trap that sends, receives, or does both. All items are 4-byte aligned, so
 * 8-byte members are declared in packed structures.
 */

#ifndef MACH_MESSAGE_H
#define MACH_MESSAGE_H

#include <mach/kern_return.h>
#include <mach/port.h>
#include <mach/vm_types.h>

typedef natural_t mach_msg_bits_t;
typedef natural_t mach_msg_size_t;
typedef natural_t mach_msg_type_number_t;
typedef natural_t mach_msg_type_name_t; /* a disposition */
typedef natural_t mach_msg_timeout_t;   /* milliseconds */
typedef integer_t mach_msg_id_t;
typedef natural_t mach_msg_option_t;
typedef kern_return_t mach_msg_return_t;
typedef natural_t mach_msg_descriptor_type_t;

#define MACH_MSG_TIMEOUT_NONE 0u

/* msgh_bits: dispositions of the remote port (bits 0-4) and local port (bits
 * 8-12), the complex bit, and on receipt the sender's nature. */
#define MACH_MSGH_BITS_REMOTE_MASK 0x0000001fu
#define MACH_MSGH_BITS_LOCAL_MASK 0x00001f00u
#define MACH_MSGH_BITS_COMPLEX 0x80000000u
#define MACH_MSGH_BITS_KERNEL 0x40000000u /* received only: kernel sent it */
#define MACH_MSGH_BITS_USER                                                    \
    (MACH_MSGH_BITS_REMOTE_MASK | MACH_MSGH_BITS_LOCAL_MASK |                  \
     MACH_MSGH_BITS_COMPLEX) /* all that a sender may set */

#define MACH_MSGH_BITS(remote, local) ((remote) | ((local) << 8))
#define MACH_MSGH_BITS_REMOTE(bits) ((bits)&MACH_MSGH_BITS_REMOTE_MASK)
#define MACH_MSGH_BITS_LOCAL(bits) (((bits)&MACH_MSGH_BITS_LOCAL_MASK) >> 8)
#define MACH_MSGH_BITS_IS_COMPLEX(bits) (((bits)&MACH_MSGH_BITS_COMPLEX) != 0)

typedef struct {
    mach_msg_bits_t msgh_bits;
    mach_msg_size_t msgh_size; /* on receipt: bytes without the trailer */
    mach_port_t msgh_remote_port;
    mach_port_t msgh_local_port;
    natural_t msgh_voucher_port; /* reserved: 0 */
    mach_msg_id_t msgh_id;
} mach_msg_header_t;

#define msgh_reserved msgh_voucher_port

/* A received header whose local disposition is PROTECTED_PAYLOAD: the word
 * that the receiver bound to the port stands where the local port and the
 * voucher would be. */
typedef struct __attribute__((packed, aligned(4))) {
    mach_msg_bits_t msgh_bits;
    mach_msg_size_t msgh_size;
    mach_port_t msgh_remote_port;
    uint64_t msgh_protected_payload;
    mach_msg_id_t msgh_id;
} mach_msg_payload_header_t;

static inline uint64_t
mach_msg_payload(const mach_msg_header_t *header)
{
    return ((const mach_msg_payload_header_t *)(const void *)header)
        ->msgh_protected_payload;
}

typedef struct {
    mach_msg_size_t msgh_descriptor_count;
} mach_msg_body_t;

typedef struct {
    mach_msg_header_t header;
    mach_msg_body_t body;
} mach_msg_base_t;

/* Dispositions: what happens to the sender's right. */
#define MACH_MSG_TYPE_PORT_NONE 0u
#define MACH_MSG_TYPE_PORT_NAME 15u /* an uninterpreted name: no right */
#define MACH_MSG_TYPE_MOVE_RECEIVE 16u
#define MACH_MSG_TYPE_MOVE_SEND 17u
#define MACH_MSG_TYPE_MOVE_SEND_ONCE 18u
#define MACH_MSG_TYPE_COPY_SEND 19u
#define MACH_MSG_TYPE_MAKE_SEND 20u
#define MACH_MSG_TYPE_MAKE_SEND_ONCE 21u
#define MACH_MSG_TYPE_PROTECTED_PAYLOAD 23u /* received local bits only */
#define MACH_MSG_TYPE_LAST 23u
#define MACH_MSG_TYPE_POLYMORPHIC ((mach_msg_type_name_t)-1)

/* What a receiver sees. */
#define MACH_MSG_TYPE_PORT_RECEIVE MACH_MSG_TYPE_MOVE_RECEIVE
#define MACH_MSG_TYPE_PORT_SEND MACH_MSG_TYPE_MOVE_SEND
#define MACH_MSG_TYPE_PORT_SEND_ONCE MACH_MSG_TYPE_MOVE_SEND_ONCE

#define MACH_MSG_TYPE_PORT_ANY(x) ((x) >= 16u && (x) <= 21u)
#define MACH_MSG_TYPE_PORT_ANY_SEND(x) ((x) >= 17u && (x) <= 21u)

/* Descriptors. */
#define MACH_MSG_PORT_DESCRIPTOR 0u
#define MACH_MSG_OOL_DESCRIPTOR 1u
#define MACH_MSG_OOL_PORTS_DESCRIPTOR 2u
#define MACH_MSG_OOL_VOLATILE_DESCRIPTOR 3u

#define MACH_MSG_PHYSICAL_COPY 0u
#define MACH_MSG_VIRTUAL_COPY 1u
#define MACH_MSG_ALLOCATE 2u  /* scatter list: in new memory */
#define MACH_MSG_OVERWRITE 3u /* scatter list, received: in this memory */

typedef struct __attribute__((packed, aligned(4))) {
    uint8_t pad1[11];
    uint8_t type;
} mach_msg_type_descriptor_t;

typedef struct __attribute__((packed, aligned(4))) {
    mach_port_t name;
    uint32_t pad1;
    uint16_t pad2;
    uint8_t disposition;
    uint8_t type;
} mach_msg_port_descriptor_t;

typedef struct __attribute__((packed, aligned(4))) {
    uint64_t address;
    uint8_t deallocate; /* move: the sender loses the memory; received: 1 */
    uint8_t copy;       /* MACH_MSG_PHYSICAL_COPY or MACH_MSG_VIRTUAL_COPY */
    uint8_t pad1;
    uint8_t type;
    mach_msg_size_t size; /* bytes */
} mach_msg_ool_descriptor_t;

typedef struct __attribute__((packed, aligned(4))) {
    uint64_t address;
    uint8_t deallocate;
    uint8_t copy;
    uint8_t disposition;
    uint8_t type;
    mach_msg_size_t count; /* names */
} mach_msg_ool_ports_descriptor_t;

typedef union {
    mach_msg_type_descriptor_t type;
    mach_msg_port_descriptor_t port;
    mach_msg_ool_descriptor_t out_of_line;
    mach_msg_ool_ports_descriptor_t ool_ports;
} mach_msg_descriptor_t;

#define MACH_MSG_DESCRIPTOR_MAX 256u  /* descriptors in one message */
#define MACH_MSG_OOL_PORTS_MAX 16384u /* rights in arrays of one message */
#define MACH_MSG_SIZE_MAX 65536u      /* inline bytes, header included */

/* The trailer follows the message, at the next multiple of 4. */
typedef natural_t mach_msg_trailer_type_t;
typedef natural_t mach_msg_trailer_size_t;

#define MACH_MSG_TRAILER_FORMAT_0 0u

typedef struct {
    mach_msg_trailer_type_t msgh_trailer_type;
    mach_msg_trailer_size_t msgh_trailer_size;
} mach_msg_trailer_t;

typedef struct {
    mach_msg_trailer_type_t msgh_trailer_type;
    mach_msg_trailer_size_t msgh_trailer_size;
    mach_port_seqno_t msgh_seqno;
} mach_msg_seqno_trailer_t;

/*
 * Who sent it: what the holder of the host's security port (the Unix server)
 * last said of the sender's task, see <mach/host_security.defs>. A task that
 * it said nothing of has its maker's. No task can have the kernel's.
 */
typedef struct {
    unsigned int val[2]; /* effective user and group */
} security_token_t;

typedef struct {
    unsigned int val[8]; /* audit user, euid, egid, ruid, rgid, process,
                            session, generation of the process */
} audit_token_t;

#define KERNEL_SECURITY_TOKEN_VALUE                                            \
    {                                                                          \
        {                                                                      \
            ~0u, ~0u                                                           \
        }                                                                      \
    }
#define KERNEL_AUDIT_TOKEN_VALUE                                               \
    {                                                                          \
        {                                                                      \
            ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u                             \
        }                                                                      \
    }

typedef struct {
    mach_msg_trailer_type_t msgh_trailer_type;
    mach_msg_trailer_size_t msgh_trailer_size;
    mach_port_seqno_t msgh_seqno;
    security_token_t msgh_sender;
} mach_msg_security_trailer_t;

typedef struct {
    mach_msg_trailer_type_t msgh_trailer_type;
    mach_msg_trailer_size_t msgh_trailer_size;
    mach_port_seqno_t msgh_seqno;
    security_token_t msgh_sender;
    audit_token_t msgh_audit;
} mach_msg_audit_trailer_t;

typedef mach_msg_audit_trailer_t mach_msg_max_trailer_t;
typedef char *mach_msg_trailer_info_t;

#define MACH_MSG_TRAILER_MINIMUM_SIZE 8u
#define MAX_TRAILER_SIZE 52u
#define REQUESTED_TRAILER_SIZE(option)                                         \
    (GET_RCV_ELEMENTS(option) == MACH_RCV_TRAILER_NULL     ? 8u                \
     : GET_RCV_ELEMENTS(option) == MACH_RCV_TRAILER_SEQNO  ? 12u               \
     : GET_RCV_ELEMENTS(option) == MACH_RCV_TRAILER_SENDER ? 20u               \
                                                           : MAX_TRAILER_SIZE)

/* Options. */
#define MACH_MSG_OPTION_NONE 0x00000000u
#define MACH_SEND_MSG 0x00000001u
#define MACH_RCV_MSG 0x00000002u
#define MACH_RCV_LARGE 0x00000004u /* leave too large a message queued */
#define MACH_RCV_LARGE_IDENTITY 0x00000008u /* and say at which port */
#define MACH_SEND_TIMEOUT 0x00000010u
#define MACH_SEND_INTERRUPT 0x00000040u /* report, rather than retry */
#define MACH_SEND_NOTIFY 0x00000080u    /* arm the send-possible request */
#define MACH_RCV_TIMEOUT 0x00000100u
#define MACH_RCV_NOTIFY 0x00000200u
#define MACH_RCV_INTERRUPT 0x00000400u
#define MACH_RCV_OVERWRITE 0x00001000u /* the buffer holds a scatter list */
#define MACH_RCV_TRAILER_NULL 0u
#define MACH_RCV_TRAILER_SEQNO 1u
#define MACH_RCV_TRAILER_SENDER 2u
#define MACH_RCV_TRAILER_AUDIT 3u
#define MACH_RCV_TRAILER_TYPE(x) (((x)&0xfu) << 28)
#define MACH_RCV_TRAILER_ELEMENTS(x) (((x)&0xfu) << 24)
#define GET_RCV_ELEMENTS(option) (((option) >> 24) & 0xfu)
#define GET_RCV_TRAILER(option) ((option) >> 24) /* type and elements */

/* Results. A send result 0x1000000x may carry one of the three resource bits;
 * a receive result likewise. */
#define MACH_MSG_SUCCESS 0x00000000
#define MACH_MSG_IPC_SPACE 0x00002000  /* no room for a name */
#define MACH_MSG_VM_SPACE 0x00001000   /* no room in the address space */
#define MACH_MSG_IPC_KERNEL 0x00000800 /* kernel out of IPC memory */
#define MACH_MSG_VM_KERNEL 0x00000400  /* kernel out of VM memory */

#define MACH_SEND_INVALID_DATA 0x10000002 /* bad message address */
#define MACH_SEND_INVALID_DEST 0x10000003
#define MACH_SEND_TIMED_OUT 0x10000004
#define MACH_SEND_INTERRUPTED 0x10000007
#define MACH_SEND_MSG_TOO_SMALL 0x10000008
#define MACH_SEND_INVALID_REPLY 0x10000009
#define MACH_SEND_INVALID_RIGHT 0x1000000a
#define MACH_SEND_INVALID_NOTIFY 0x1000000b
#define MACH_SEND_INVALID_MEMORY 0x1000000c
#define MACH_SEND_NO_BUFFER 0x1000000d /* no memory, or too much queued */
#define MACH_SEND_TOO_LARGE 0x1000000e
#define MACH_SEND_INVALID_TYPE 0x1000000f
#define MACH_SEND_INVALID_HEADER 0x10000010
#define MACH_SEND_INVALID_TRAILER 0x10000011

#define MACH_RCV_INVALID_NAME 0x10004002
#define MACH_RCV_TIMED_OUT 0x10004003
#define MACH_RCV_TOO_LARGE 0x10004004
#define MACH_RCV_INTERRUPTED 0x10004005
#define MACH_RCV_PORT_CHANGED 0x10004006
#define MACH_RCV_INVALID_NOTIFY 0x10004007
#define MACH_RCV_INVALID_DATA 0x10004008
#define MACH_RCV_PORT_DIED 0x10004009
#define MACH_RCV_IN_SET 0x1000400a
#define MACH_RCV_HEADER_ERROR 0x1000400b
#define MACH_RCV_BODY_ERROR 0x1000400c
#define MACH_RCV_SCATTER_SMALL 0x1000400e
#define MACH_RCV_INVALID_TRAILER 0x1000400f

#ifndef PORTOLAN_KERNEL

/*
 * Send, receive, or both. send_size and rcv_size are bytes of the buffer;
 * rcv_size must leave room for the trailer. timeout is in milliseconds and
 * counts only with MACH_SEND_TIMEOUT or MACH_RCV_TIMEOUT.
 */
mach_msg_return_t mach_msg(mach_msg_header_t *msg, mach_msg_option_t option,
                           mach_msg_size_t send_size, mach_msg_size_t rcv_size,
                           mach_port_name_t rcv_name,
                           mach_msg_timeout_t timeout, mach_port_name_t notify);

/*
 * The same, receiving into another buffer.
 *
 * With MACH_RCV_OVERWRITE the receive buffer holds a scatter list when it is
 * called: a complex message of msgh_size bytes, whose descriptors of memory
 * stand for those that will come, in order; port descriptors are passed over.
 * One with `copy` MACH_MSG_OVERWRITE gives memory to write the data to: it is
 * received with that mark and deallocate 0. Data for which there is none, and
 * arrays of ports, come in new memory as ever. MACH_RCV_SCATTER_SMALL: data
 * larger than its memory; the message is destroyed, as too large a one is.
 */
mach_msg_return_t
mach_msg_overwrite(mach_msg_header_t *msg, mach_msg_option_t option,
                   mach_msg_size_t send_size, mach_msg_size_t rcv_size,
                   mach_port_name_t rcv_name, mach_msg_timeout_t timeout,
                   mach_port_name_t notify, mach_msg_header_t *rcv_msg);

/* Release every right and region that a message holds. */
void mach_msg_destroy(mach_msg_header_t *msg);

#endif /* PORTOLAN_KERNEL */

_Static_assert(sizeof(mach_msg_header_t) == 24, "header layout");
_Static_assert(sizeof(mach_msg_payload_header_t) == 24, "header layout");
_Static_assert(sizeof(mach_msg_port_descriptor_t) == 12, "descriptor layout");
_Static_assert(sizeof(mach_msg_ool_descriptor_t) == 16, "descriptor layout");
_Static_assert(sizeof(mach_msg_ool_ports_descriptor_t) == 16,
               "descriptor layout");
_Static_assert(sizeof(mach_msg_security_trailer_t) == 20, "trailer layout");
_Static_assert(sizeof(mach_msg_audit_trailer_t) == MAX_TRAILER_SIZE,
               "trailer layout");

#endif /* MACH_MESSAGE_H */
