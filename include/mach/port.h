/* SPDX-License-Identifier: MIT */
/*
 * Port names and rights. A name is a 24-bit index into the task's port space
 * and an 8-bit generation, which changes when the index is used again, so
 * that a stale name is an error and not another right.
 */

#ifndef MACH_PORT_H
#define MACH_PORT_H

#include <mach/boolean.h>
#include <mach/vm_types.h>

typedef uint32_t mach_port_name_t;
typedef uint32_t mach_port_t; /* a name in user space, a handle in messages
                                 inside the kernel */
typedef mach_port_t *mach_port_array_t;
typedef mach_port_name_t *mach_port_name_array_t;

#define MACH_PORT_NULL ((mach_port_name_t)0)
#define MACH_PORT_DEAD ((mach_port_name_t)~0u)
#define MACH_PORT_VALID(name)                                                  \
    ((name) != MACH_PORT_NULL && (name) != MACH_PORT_DEAD)

#define MACH_PORT_INDEX(name) ((name) >> 8)
#define MACH_PORT_GEN(name) ((name)&0xffu)
#define MACH_PORT_MAKE(index, gen) (((uint32_t)(index) << 8) | (gen))

/* Kinds of rights, for mach_port_allocate and mach_port_mod_refs. */
typedef natural_t mach_port_right_t;

#define MACH_PORT_RIGHT_SEND 0u
#define MACH_PORT_RIGHT_RECEIVE 1u
#define MACH_PORT_RIGHT_SEND_ONCE 2u
#define MACH_PORT_RIGHT_PORT_SET 3u
#define MACH_PORT_RIGHT_DEAD_NAME 4u
#define MACH_PORT_RIGHT_NUMBER 5u

/* The same as bits, for mach_port_type and mach_port_names. */
typedef natural_t mach_port_type_t;
typedef mach_port_type_t *mach_port_type_array_t;

#define MACH_PORT_TYPE(right) (1u << ((right) + 16))
#define MACH_PORT_TYPE_NONE 0u
#define MACH_PORT_TYPE_SEND MACH_PORT_TYPE(MACH_PORT_RIGHT_SEND)
#define MACH_PORT_TYPE_RECEIVE MACH_PORT_TYPE(MACH_PORT_RIGHT_RECEIVE)
#define MACH_PORT_TYPE_SEND_ONCE MACH_PORT_TYPE(MACH_PORT_RIGHT_SEND_ONCE)
#define MACH_PORT_TYPE_PORT_SET MACH_PORT_TYPE(MACH_PORT_RIGHT_PORT_SET)
#define MACH_PORT_TYPE_DEAD_NAME MACH_PORT_TYPE(MACH_PORT_RIGHT_DEAD_NAME)
#define MACH_PORT_TYPE_SEND_RECEIVE                                            \
    (MACH_PORT_TYPE_SEND | MACH_PORT_TYPE_RECEIVE)
#define MACH_PORT_TYPE_SEND_RIGHTS                                             \
    (MACH_PORT_TYPE_SEND | MACH_PORT_TYPE_SEND_ONCE)
#define MACH_PORT_TYPE_DNREQUEST 0x80000000u /* dead-name request outstanding */
#define MACH_PORT_TYPE_SPREQUEST 0x40000000u /* ... send-possible request */
#define MACH_PORT_TYPE_SPREQUEST_DELAYED 0x20000000u /* ... not armed yet */

typedef natural_t mach_port_urefs_t;
typedef integer_t mach_port_delta_t;
typedef natural_t mach_port_seqno_t;
typedef natural_t mach_port_mscount_t;
typedef natural_t mach_port_msgcount_t;
typedef natural_t mach_port_rights_t; /* number of rights */
typedef uint64_t mach_port_context_t;

#define MACH_PORT_UREFS_MAX 0x7fffffffu
#define MACH_PORT_QLIMIT_DEFAULT 5u
#define MACH_PORT_QLIMIT_MAX 1024u
#define MACH_PORT_INDEX_MAX 65535u /* rights per task */

struct mach_port_status {
    mach_port_name_t mps_pset;       /* a containing port set, or null */
    mach_port_seqno_t mps_seqno;     /* of the next message received */
    mach_port_mscount_t mps_mscount; /* make-send count */
    mach_port_msgcount_t mps_qlimit;
    mach_port_msgcount_t mps_msgcount; /* messages queued */
    mach_port_rights_t mps_sorights;   /* send-once rights that exist */
    boolean_t mps_srights;             /* do send rights exist? */
    boolean_t mps_pdrequest;           /* port-destroyed request? */
    boolean_t mps_nsrequest;           /* no-senders request? */
    natural_t mps_flags;               /* MACH_PORT_STATUS_FLAG_* */
};

#define MACH_PORT_STATUS_FLAG_GUARDED 0x02u
#define MACH_PORT_STATUS_FLAG_STRICT_GUARD 0x04u

typedef struct mach_port_status mach_port_status_t;
#define MACH_PORT_STATUS_COUNT (sizeof(mach_port_status_t) / sizeof(natural_t))

/* Flavors of mach_port_get_attributes and mach_port_set_attributes. */
typedef integer_t mach_port_flavor_t;
typedef integer_t *mach_port_info_t;

#define MACH_PORT_LIMITS_INFO 1     /* mach_port_limits_t */
#define MACH_PORT_RECEIVE_STATUS 2  /* mach_port_status_t */
#define MACH_PORT_DNREQUESTS_SIZE 3 /* a number */

struct mach_port_limits {
    mach_port_msgcount_t mpl_qlimit;
};
typedef struct mach_port_limits mach_port_limits_t;
#define MACH_PORT_LIMITS_INFO_COUNT                                            \
    (sizeof(mach_port_limits_t) / sizeof(natural_t))
#define MACH_PORT_RECEIVE_STATUS_COUNT MACH_PORT_STATUS_COUNT
#define MACH_PORT_DNREQUESTS_SIZE_COUNT 1u

/* For mach_port_allocate_qos and mach_port_allocate_full. */
struct mach_port_qos {
    natural_t name : 1;     /* the name is given */
    natural_t prealloc : 1; /* 0 */
    natural_t pad1 : 30;    /* 0 */
    natural_t len;          /* 0 */
};
typedef struct mach_port_qos mach_port_qos_t;

/* For mach_port_construct. */
struct mach_port_options {
    uint32_t flags;         /* MPO_* */
    mach_port_limits_t mpl; /* with MPO_QLIMIT */
    uint32_t reserved[4];   /* 0 */
};
typedef struct mach_port_options mach_port_options_t;

#define MPO_CONTEXT_AS_GUARD 0x01u /* guard it with the context */
#define MPO_QLIMIT 0x02u
#define MPO_INSERT_SEND_RIGHT 0x10u
#define MPO_STRICT 0x20u /* the guard is strict */

#endif /* MACH_PORT_H */
