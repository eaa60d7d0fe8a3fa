/* SPDX-License-Identifier: MIT */
/*
 * What `migcom --harness' writes about an interface, and what it calls.
 *
 * Generated code holds only what needs C's types: calls of the client stubs,
 * the server's functions, translations, and tables. Values pass through
 * memory that this harness prepares; it knows each argument by its number.
 */

#ifndef TESTS_HOST_HARNESS_HARNESS_H
#define TESTS_HOST_HARNESS_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mach/boolean.h>
#include <mach/kern_return.h>
#include <mach/message.h>
#include <mach/mig_support.h>
#include <mach/port.h>

enum harness_form {
    HARNESS_FORM_DATA,
    HARNESS_FORM_ARRAY,
    HARNESS_FORM_VARRAY,
    HARNESS_FORM_STRING,
    HARNESS_FORM_VSTRING,
    HARNESS_FORM_PORT,
    HARNESS_FORM_PORTS,
    HARNESS_FORM_VPORTS,
    HARNESS_FORM_OOL,
    HARNESS_FORM_VOOL,
    HARNESS_FORM_OOL_PORTS,
    HARNESS_FORM_VOOL_PORTS,
    HARNESS_FORM_OOLS, /* a row of regions */
    HARNESS_FORM_VOOLS,
};

enum harness_direction {
    HARNESS_BODY,
    HARNESS_REQUESTPORT,
    HARNESS_REPLYPORT,
    HARNESS_TIMEOUT,
    HARNESS_OPTION,
    HARNESS_SEQNO,
    HARNESS_TOKEN,
    HARNESS_AUDIT,
    HARNESS_CONTEXT,
};

enum {
    HARNESS_IN = 1 << 0,     /* travels in the request */
    HARNESS_OUT = 1 << 1,    /* travels in the reply */
    HARNESS_USER = 1 << 2,   /* parameter of the client stub */
    HARNESS_SERVER = 1 << 3, /* parameter of the server's function */
    HARNESS_USER_POLY = 1 << 4,
    HARNESS_SERVER_POLY = 1 << 5,
    HARNESS_DEALLOC = 1 << 6,
    HARNESS_DEALLOC_DYNAMIC = 1 << 7,
    HARNESS_COUNTINOUT = 1 << 8,
    HARNESS_AUTO = 1 << 9, /* the stub frees the region */
    HARNESS_INTRAN = 1 << 10,
    HARNESS_OUTTRAN = 1 << 11,
    HARNESS_DESTRUCTOR = 1 << 12,
    HARNESS_PAYLOAD = 1 << 13,
    HARNESS_RIGHTS = 1 << 14, /* what the regions of a row hold */
    HARNESS_SUBS = 1 << 15,   /* each region of a row has a count */
};

enum harness_field_kind {
    HARNESS_FIELD_PORT,
    HARNESS_FIELD_PORTS,
    HARNESS_FIELD_OOL,
    HARNESS_FIELD_OOL_PORTS,
    HARNESS_FIELD_OOLS,
    HARNESS_FIELD_NDR,
    HARNESS_FIELD_RETCODE,
    HARNESS_FIELD_COUNT,
    HARNESS_FIELD_CAPACITY,
    HARNESS_FIELD_OFFSET,
    HARNESS_FIELD_DATA,
    HARNESS_FIELD_STRING,
    HARNESS_FIELD_VARRAY,
    HARNESS_FIELD_VSTRING,
    HARNESS_FIELD_END,
};

enum harness_consume {
    HARNESS_CONSUME_NONE,
    HARNESS_CONSUME_TIMEOUT,
    HARNESS_CONSUME_ANY,
};

/* Dispositions are 0 where they are chosen at run time. */
struct harness_arg {
    const char *name;
    enum harness_form form;
    enum harness_direction direction;
    unsigned int flags;
    uint32_t unit;  /* bytes of an element */
    uint32_t count; /* of elements; the most, 0: no limit */
    uint32_t size;  /* bytes of all, if fixed */
    uint32_t align;
    uint32_t each;   /* region of a row: bytes or rights; or the most, 0: any */
    int counter;     /* the argument whose count counts, or -1 */
    unsigned sent;   /* by the client */
    unsigned answer; /* by the server */
    unsigned received; /* by either */
};

/* A field's offset counts from the end of the variable field before it. */
struct harness_field {
    enum harness_field_kind kind;
    int arg;
    uint32_t number; /* of descriptors */
    unsigned int segment;
    uint32_t offset, size, pad;
};

struct harness_layout {
    const struct harness_field *fields;
    bool complex;
    unsigned int descriptors;
    uint32_t min_size, max_size;
};

/* Arguments with a special meaning are given by number, or -1. */
struct harness_routine {
    const char *name;
    mach_msg_id_t id;
    bool oneway;
    bool kernel_sender;
    enum harness_consume consume;
    const struct harness_arg *args;
    unsigned int arg_count;
    int request_port, user_reply_port, server_reply_port;
    int retcode; /* not 0: an error reply instead of the request */
    uint32_t server_trailer, client_trailer; /* bytes that are looked into */
    struct harness_layout request, reply;
    kern_return_t (*call)(void); /* the client stub */
};

/* The client's side or the server's. */
struct harness_side {
    const char *name;
    mach_msg_id_t base;
    unsigned int slots;
    bool ndr;
    bool kernel; /* this side is in the kernel */
    const struct harness_routine *routines;
    unsigned int routine_count;
    boolean_t (*demux)(mach_msg_header_t *request, mach_msg_header_t *reply);
    const struct mig_subsystem *subsystem;
};

/* One of the two may be absent. */
extern const struct harness_side harness_client __attribute__((__weak__));
extern const struct harness_side harness_server __attribute__((__weak__));

/* In a client's call: where the values of an argument are. */
void *harness_value(unsigned int arg);
mach_msg_type_name_t *harness_poly(unsigned int arg);
mach_msg_type_number_t *harness_count(unsigned int arg);
boolean_t *harness_dealloc(unsigned int arg);
mach_msg_type_number_t *harness_subs(unsigned int arg);

/* In a server's function: it began, it was given, it is to give, it ends. */
void harness_enter(unsigned int routine);
void harness_row(unsigned int arg, mach_msg_type_number_t *subs);
void harness_in(unsigned int arg, const void *place, size_t size,
                mach_msg_type_name_t poly, mach_msg_type_number_t count);
void harness_out(unsigned int arg, void *place, size_t size,
                 mach_msg_type_name_t *polyp, mach_msg_type_number_t *countp,
                 boolean_t *deallocp);
kern_return_t harness_leave(void);

/* A structure that was given, as it is to be sent: nothing between its
 * members. */
void harness_clean(unsigned int arg, const void *copy, size_t size);

/* In a server's translations. */
void
harness_intran(void *to, size_t to_size, const void *from, size_t from_size);
void
harness_outtran(void *to, size_t to_size, const void *from, size_t from_size);
void harness_destroy(const void *object, size_t size);

#endif /* TESTS_HOST_HARNESS_HARNESS_H */
