/* SPDX-License-Identifier: MIT */
/*
 * Round trips in all sorts of circumstances, with all that can be seen of
 * each folded into one number. Two kernels, one with the message fast path
 * and one without, must print the same numbers: tests/guest/paths_test.py.
 *
 * A case is a vector: which of its values each circumstance has. Value 0 of
 * all is the usual round trip, which takes the fast path; one to four others
 * differ in each case. Two tasks hold three actors, which do nothing but the
 * one trap that they are told; this program, below them in priority, runs
 * only when each has ended its trap or waits in it. So little here depends on
 * time, and under -icount that little is the same in each run.
 */

#include <mach/gsync.h>

#include "tap.h"

#define LIMIT 60 /* names that a task may have */
#define SPAN 2208u
#define LONG_MS 1000000u
#define SHORT_MS 50u /* none of the cases lasts so long */

/* Names that the cases choose themselves. */
#define NAME(n) MACH_PORT_MAKE(100 + (n), 1)
#define N_DEST NAME(0)
#define N_REPLY NAME(1)
#define N_OTHER NAME(2)
#define N_SET NAME(3)
#define N_SERVER NAME(4)
#define N_SERVER_SET NAME(5)
#define N_MOVED NAME(13) /* and the next two */
#define N_GIFT NAME(6)
#define N_SENT NAME(7)
#define N_DEAD NAME(8)
#define N_ABSENT NAME(9)
#define N_WATCH NAME(10)
#define N_SERVER_WATCH NAME(11)
#define NAMES 16       /* all of these */
#define BASELINE_MAX 3 /* indices up to here are what a task begins with */
#define ANONYMOUS 0x6e616d65u
#define PADDING 8

/* Set in the file by who boots this: how many cases, of which seed, and which
 * of them are to be shown in full. */
static const volatile struct {
    char mark[16];
    uint64_t count, seed, first, last;
} arguments = { "paths arguments", 1500, 1, 1, 0 };

enum circumstance {
    PLACE,      /* another task, the same */
    WAIT,       /* where and how the server waits */
    S_SIZE,     /* of its buffer */
    S_BUFFER,   /* where that is */
    S_PAYLOAD,  /* bound to the destination */
    S_EVENT,    /* what happens to the server before the request */
    S_SPACE,    /* has room for names, is full */
    DEST,       /* what the client has there */
    R_DISP,     /* of the remote port */
    L_DISP,     /* of the local port */
    L_NAME,     /* what the local port is */
    BITS,       /* more of them */
    ROUTINE,    /* of the kernel, which is then called */
    VOUCHER,    /* */
    SIZE_FIELD, /* what msgh_size says */
    SIZE,       /* of the request */
    OPTION,     /* of the client's trap */
    RCV_NAME,   /* where it waits */
    RCV_SIZE,   /* of its buffer */
    RCV_BUFFER, /* where that is */
    SND_BUFFER, /* where the request is */
    R_STATE,    /* of the reply port */
    C_EVENT,    /* what happens to the client before the reply */
    A_EVENT,    /* what happens to the server before the reply */
    A_BITS,     /* of the reply */
    A_NAME,     /* where it goes */
    A_SIZE,     /* */
    A_OPTION,   /* of the server's trap */
    A_RCV,      /* where it waits next */
    A_BUFFER,   /* where the reply is */
    BETWEEN,    /* what happens before the last usual round */
    CIRCUMSTANCES,
};

enum {
    W_PORT,
    W_SET,
    W_NOT,
    W_QUEUED,
    W_FULL,
    W_TIMEOUT,
    W_SEQNO,
    W_SENDER,
    W_LARGE,
    W_INTERRUPT,
    W_SHORT,
    W_NUMBER
};
enum {
    B_USUAL,
    B_ALT,
    B_COLD,
    B_READ_ONLY,
    B_UNMAPPED,
    B_KERNEL,
    B_EDGE,
    B_CUT,
    B_TRAILER_CUT,
    B_ODD,
    B_NULL,
    B_NUMBER
};
enum {
    SE_NONE,
    SE_RENAME,
    SE_MOVE,
    SE_ABORT,
    SE_DESTROY,
    SE_SEQNO,
    SE_PAYLOAD,
    SE_SUSPEND,
    SE_SEND_RIGHT_GOES,
    SE_NUMBER
};
enum {
    D_SEND,
    D_SEND_3,
    D_SEND_MAX,
    D_ONCE,
    D_DEAD,
    D_ONCE_DEAD,
    D_ABSENT,
    D_NULL,
    D_DEAD_NAME,
    D_SET,
    D_RECEIVE,
    D_STALE,
    D_KERNEL,
    D_ONCE_REQUEST,
    D_SEND_REQUEST,
    D_NUMBER
};
enum {
    RS_PLAIN,
    RS_PAYLOAD,
    RS_QUEUED,
    RS_REQUEST,
    RS_SET,
    RS_SEND,
    RS_FULL,
    RS_DEAD,
    RS_ABSENT,
    RS_NUMBER
};
enum {
    CE_NONE,
    CE_ABORT,
    CE_DESTROY,
    CE_MOVE,
    CE_SUSPEND,
    CE_RENAME,
    CE_PAYLOAD,
    CE_NUMBER
};

enum {
    AE_NONE,
    AE_QUEUED,
    AE_REQUEST,
    AE_RENAME,
    AE_MOVE,
    AE_FULL,
    AE_FILL,
    AE_SECOND,       /* request, answered after the first */
    AE_SECOND_FIRST, /* and the other way round */
    AE_NUMBER,
};

static const mach_msg_type_name_t remote_disp[] = { 19, 17, 18, 20, 21,
                                                    16, 0,  15, 22, 31 };
static const mach_msg_type_name_t local_disp[] = { 21, 0,  20, 19, 17,
                                                   18, 16, 15, 31 };
static const mach_port_name_t local_names[] = {
    N_REPLY, MACH_PORT_NULL, MACH_PORT_DEAD, N_ABSENT,    N_DEST,
    N_OTHER, N_SET,          N_SENT,         N_REPLY + 1, N_DEAD,
};
static const mach_port_name_t receive_names[] = {
    N_REPLY, N_SET, N_ABSENT, MACH_PORT_NULL, N_OTHER, N_SENT, N_DEAD, N_DEST,
};
static const mach_msg_bits_t more_bits[] = {
    0, 0x80000000, 0x80000001, 0x40000000, 0x00400000, 0x20, 0x2000, 0x10000,
};
static const mach_msg_size_t sizes[] = {
    64,  24,  0,    20,   23,   26,   28,   32,   36,   40,    48,   100,
    128, 232, 236,  240,  244,  248,  252,  256,  260,  264,   1024, 512,
    500, 496, 2040, 2044, 2048, 2052, 2072, 2076, 2080, 65540,
};
static const mach_msg_size_t receive_sizes[] = {
    SPAN, 0, 7, 8, 23, 24, 31, 32, 39, 40, 71, 72, 73, 76, 84, 0xffffffff,
};

struct option {
    mach_msg_option_t bits;
    mach_msg_timeout_t timeout;
};
static const struct option options[] = {
    { 3, 0 },
    { 3 | MACH_SEND_TIMEOUT, 0 },
    { 3 | MACH_SEND_TIMEOUT, LONG_MS },
    { 3 | MACH_RCV_TIMEOUT, 0 },
    { 3 | MACH_RCV_TIMEOUT, LONG_MS },
    { 3 | MACH_SEND_TIMEOUT | MACH_RCV_TIMEOUT, LONG_MS },
    { 3 | MACH_RCV_LARGE, 0 },
    { 3 | MACH_RCV_TRAILER_ELEMENTS(MACH_RCV_TRAILER_SEQNO), 0 },
    { 3 | MACH_RCV_TRAILER_ELEMENTS(MACH_RCV_TRAILER_SENDER), 0 },
    { 3 | MACH_RCV_TRAILER_ELEMENTS(15), 0 },
    { 3 | MACH_SEND_INTERRUPT, 0 },
    { 3 | MACH_RCV_INTERRUPT, 0 },
    { 3 | MACH_SEND_TIMEOUT | MACH_SEND_INTERRUPT | MACH_RCV_INTERRUPT, 0 },
    { 3 | 8, 0 },
    { 3 | 0x80000000, 0 },
    { MACH_SEND_MSG, 0 },
    { MACH_SEND_MSG | MACH_SEND_TIMEOUT, 0 },
};

/* Calls of the server's task, with the arguments behind the header. */
static const struct {
    mach_msg_id_t id;
    mach_msg_size_t size;
    uint32_t arguments[2];
} routines[] = {
    { 0x7654321, 0, { 0, 0 } },        /* none */
    { 3201, 28, { N_SERVER, 0 } },     /* mach_port_type */
    { 3201, 28, { N_ABSENT, 0 } },     /* which fails */
    { 3201, 32, { N_SERVER, 0 } },     /* and is too long */
    { 3200, 24, { 0, 0 } },            /* mach_port_names: memory comes back */
    { 3204, 28, { 1, 0 } },            /* mach_port_allocate */
    { 3205, 28, { N_SERVER, 0 } },     /* mach_port_destroy */
    { 3211, 28, { N_SERVER_SET, 0 } }, /* mach_port_get_set_status */
    { 3215, 32, { N_SERVER, 20 } },    /* mach_port_extract_right */
    { 3215, 32, { N_SERVER, 16 } },    /* the receive right */
    { 3240, 28, { N_SERVER, 0 } },     /* mach_port_get_receive_status */
    { 3241, 32, { N_SERVER, 7 } },     /* mach_port_set_qlimit */
    { 3414, 24, { 0, 0 } },            /* thread_create */
};

#define COUNT(array) ((uint8_t)(sizeof(array) / sizeof((array)[0])))

static const uint8_t values[CIRCUMSTANCES] = {
    [PLACE] = 2,
    [WAIT] = W_NUMBER,
    [S_SIZE] = 7,
    [S_BUFFER] = B_NUMBER - 1,
    [S_PAYLOAD] = 2,
    [S_EVENT] = SE_NUMBER,
    [S_SPACE] = 3,
    [DEST] = D_NUMBER,
    [R_DISP] = COUNT(remote_disp),
    [L_DISP] = COUNT(local_disp),
    [L_NAME] = COUNT(local_names),
    [BITS] = COUNT(more_bits),
    [ROUTINE] = COUNT(routines),
    [VOUCHER] = 3,
    [SIZE_FIELD] = 3,
    [SIZE] = COUNT(sizes),
    [OPTION] = COUNT(options),
    [RCV_NAME] = COUNT(receive_names),
    [RCV_SIZE] = COUNT(receive_sizes),
    [RCV_BUFFER] = B_NUMBER,
    [SND_BUFFER] = B_NUMBER,
    [R_STATE] = RS_NUMBER,
    [C_EVENT] = CE_NUMBER,
    [A_EVENT] = AE_NUMBER,
    [A_BITS] = 9,
    [A_NAME] = 7,
    [A_SIZE] = COUNT(sizes),
    [A_OPTION] = COUNT(options),
    [A_RCV] = 5,
    [A_BUFFER] = B_NUMBER,
    [BETWEEN] = 8,
};

static const char *const titles[CIRCUMSTANCES] = {
    "place",    "wait",    "s_size",  "s_buffer", "s_payload", "s_event",
    "s_space",  "dest",    "r_disp",  "l_disp",   "l_name",    "bits",
    "routine",  "voucher", "field",   "size",     "option",    "rcv_name",
    "rcv_size", "rcv_buf", "snd_buf", "r_state",  "c_event",   "a_event",
    "a_bits",   "a_name",  "a_size",  "a_option", "a_rcv",     "a_buffer",
    "between",
};

/* The buffers of an actor; the last page is not mapped there. */
enum {
    PAGE_USUAL,
    PAGE_ALT,
    PAGE_COLD,
    PAGE_READ_ONLY,
    PAGE_EDGE,
    PAGE_NONE,
    PAGES
};

/* What an actor is told, and what came of it. */
struct actor {
    uint32_t go, done;
    uint64_t buffer, option, sizes, names, timeout, receive_buffer;
    int64_t result;
    mach_port_t self; /* its name for itself */
};

static struct {
    struct actor actors[3];
    char rest[PAGE_SIZE - 3 * sizeof(struct actor)];
    char pages[3][PAGES][PAGE_SIZE];
} shared __attribute__((aligned(PAGE_SIZE)));

enum {
    CLIENT,
    SERVER,
    NEIGHBOUR
}; /* the neighbour is in the client's task */

/* What this program knows of the tasks and the actors. */
static mach_port_t tasks[2];
static mach_port_t threads[3];
static mach_port_name_t baseline[2][16];
static mach_msg_type_number_t baseline_count[2];
static bool suspended[3];

/* The case. */
static unsigned int case_number;
static uint8_t v[CIRCUMSTANCES];
static unsigned int server; /* the actor */
static mach_port_t home;    /* the server's task */
static mach_port_name_t dest_name;
static uint64_t digest;
static bool looking; /* at the names, each time: it makes the kernel tidy up */
static bool verbose;

typedef uint32_t packed_word __attribute__((aligned(1)));

void *memset(void *to, int value, size_t size);

/* -- Seen ------------------------------------------------------------------- */

static void
see(const char *what, uint64_t value)
{
    digest = (digest ^ value) * 0x100000001b3;
    digest ^= digest >> 29;

    if (verbose) {
        tap_diag("  %s %lx", what, value);
    }
}

static uint64_t
see_area(const char *at)
{
    const uint64_t *words = (const uint64_t *)(const void *)at;
    uint64_t sum = 0;

    for (unsigned int i = 0; i < SPAN / 8; i++) {
        sum = (sum ^ words[i]) * 0x100000001b3;
        sum ^= sum >> 31;
    }

    return sum;
}

/* A name that the kernel chose is one of many: which, is its own affair. */
static bool
is_anonymous(mach_port_name_t name)
{
    bool ours = MACH_PORT_INDEX(name) - MACH_PORT_INDEX(NAME(0)) < NAMES &&
                MACH_PORT_GEN(name) == MACH_PORT_GEN(NAME(0));

    return MACH_PORT_VALID(name) && MACH_PORT_INDEX(name) > BASELINE_MAX &&
           !ours && name != NAME(NAMES + case_number);
}

/* The first words of a message that this program can see, or null. */
static packed_word *
message_words(uint64_t at)
{
    uint64_t first = (uint64_t)shared.pages;

    return at < first || at > first + sizeof(shared.pages) - 32
               ? NULL
               : (packed_word *)at;
}

/* Take such names out of the message there, or put them back. */
static void
anonymize(packed_word *words, uint32_t names[3], bool back)
{
    static const int places[] = { 2, 3, 7 };

    for (unsigned int i = 0; words != NULL && i < COUNT(places); i++) {
        packed_word *word = &words[places[i]];

        if (back) {
            *word = names[i];
            continue;
        }

        names[i] = *word;

        if (is_anonymous(*word) &&
            (places[i] != 7 || (words[0] & (MACH_MSGH_BITS_COMPLEX |
                                            MACH_MSGH_BITS_KERNEL)) != 0)) {
            *word = ANONYMOUS;
        }
    }
}

/* The same for good, before an actor goes on to other buffers. */
static void
forget_names(unsigned int actor)
{
    uint32_t names[3];

    anonymize(message_words(shared.actors[actor].buffer), names, false);
    anonymize(message_words(shared.actors[actor].receive_buffer), names, false);
}

static void
see_header(const char *at)
{
    const uint32_t *words = (const uint32_t *)(const void *)at;

    for (int i = 0; verbose && i < 20; i += 4) {
        tap_diag("    %x %x %x %x", words[i], words[i + 1], words[i + 2],
                 words[i + 3]);
    }
}

static void
see_actor(unsigned int actor)
{
    const struct actor *a = &shared.actors[actor];
    packed_word *sent = message_words(a->buffer);
    packed_word *received = message_words(a->receive_buffer);
    uint32_t names[2][3];

    see(actor == CLIENT ? "client done" : "server done", a->done == a->go);

    if (a->done == a->go) {
        see("result", (uint64_t)a->result);
    }

    anonymize(sent, names[0], false);
    anonymize(received, names[1], false);

    for (int page = PAGE_USUAL; page <= PAGE_READ_ONLY; page++) {
        see("page", see_area(shared.pages[actor][page]));
    }

    see("edge", see_area(shared.pages[actor][PAGE_NONE] - SPAN));
    see_header(shared.pages[actor][PAGE_USUAL]);
    anonymize(received, names[1], true);
    anonymize(sent, names[0], true);
}

static void
see_status(mach_port_t task, mach_port_name_t name)
{
    mach_port_status_t status = { 0 };

    see("kr", (uint64_t)mach_port_get_receive_status(task, name, &status));
    see("set", status.mps_pset);
    see("seqno", status.mps_seqno);
    see("mscount", status.mps_mscount);
    see("qlimit", status.mps_qlimit);
    see("msgcount", status.mps_msgcount);
    see("sorights", status.mps_sorights);
    see("srights", (uint64_t)status.mps_srights);
    see("nsrequest", (uint64_t)status.mps_nsrequest);
}

static void
see_refs(mach_port_t task, mach_port_name_t name, mach_port_right_t right)
{
    mach_port_urefs_t refs = 0;

    see("kr", (uint64_t)mach_port_get_refs(task, name, right, &refs));
    see("urefs", refs);
}

static bool
is_baseline(int which, mach_port_name_t name)
{
    for (natural_t i = 0; i < baseline_count[which]; i++) {
        if (baseline[which][i] == name) {
            return true;
        }
    }

    return false;
}

static void
see_name(mach_port_t task, mach_port_name_t name, mach_port_type_t type,
         bool only_type)
{
    see("type", type);

    if (only_type ||
        (type & ~MACH_PORT_TYPE_DNREQUEST) == MACH_PORT_TYPE_DEAD_NAME) {
        return;
    }

    if ((type & MACH_PORT_TYPE_RECEIVE) != 0) {
        see_status(task, name);
    }

    if ((type & MACH_PORT_TYPE_SEND) != 0) {
        see_refs(task, name, MACH_PORT_RIGHT_SEND);
    }

    if ((type & MACH_PORT_TYPE_SEND_ONCE) != 0) {
        see_refs(task, name, MACH_PORT_RIGHT_SEND_ONCE);
    }
}

/* What the kernel named: a sum that does not depend on the order. */
static uint64_t
anonymous_names(mach_port_t task, const mach_port_name_t *names,
                const mach_port_type_t *types, natural_t count)
{
    uint64_t sum = 0, before = digest;

    for (natural_t i = 0; i < count; i++) {
        if (is_anonymous(names[i])) {
            digest = 1;
            see_name(task, names[i], types[i], false);
            sum += digest;
        }
    }

    digest = before;
    return sum;
}

static void
see_names(int which)
{
    mach_port_t task = tasks[which];
    mach_port_name_array_t names;
    mach_port_type_array_t types;
    mach_msg_type_number_t count, type_count;

    if (mach_port_names(task, &names, &count, &types, &type_count) !=
        KERN_SUCCESS) {
        tap_bail("no names");
    }

    see(which == CLIENT ? "client's names" : "server's names", count);

    for (natural_t i = 0; i < count; i++) {
        if (!is_anonymous(names[i])) {
            see("name", names[i]);
            see_name(task, names[i], types[i], is_baseline(which, names[i]));
        }
    }

    see("more", anonymous_names(task, names, types, count));
    mig_deallocate((vm_address_t)names, count * sizeof(*names));
    mig_deallocate((vm_address_t)types, type_count * sizeof(*types));
}

static void
see_all(const char *when)
{
    if (verbose) {
        tap_diag(" %s", when);
    }

    see_actor(CLIENT);
    see_actor(server);

    if (looking) {
        see_names(CLIENT);
        see_names(SERVER);
    }
}

static void
look_at_all(const char *when)
{
    bool was_looking = looking;

    looking = true;
    see_all(when);
    looking = was_looking;
}

/* -- Actors ----------------------------------------------------------------- */

static void
act(void *argument)
{
    struct actor *a = argument;
    uint32_t seen = a->done;

    a->self = mach_thread_self();

    for (;;) {
        while (*(volatile uint32_t *)&a->go == seen) {
            (void)gsync_wait(mach_task_self(), &a->go, seen, 0, GSYNC_SHARED);
        }

        seen = a->go;
        a->result = guest_trap(MACH_TRAP_MSG, (long)a->buffer, (long)a->option,
                               (long)a->sizes, (long)a->names, (long)a->timeout,
                               (long)a->receive_buffer);
        *(volatile uint32_t *)&a->done = seen;
    }
}

static void
client_task(mach_port_t port)
{
    (void)port;
    (void)guest_thread(act, &shared.actors[NEIGHBOUR]);
    act(&shared.actors[CLIENT]);
}

static void
server_task(mach_port_t port)
{
    (void)port;
    act(&shared.actors[SERVER]);
}

static void
tell(unsigned int actor)
{
    struct actor *a = &shared.actors[actor];

    a->go++;
    (void)gsync_wake(mach_task_self(), &a->go, 0, GSYNC_SHARED);

    /* It is more important than this thread: by now it has run. */
}

static bool
is_done(unsigned int actor)
{
    return shared.actors[actor].done == shared.actors[actor].go;
}

/* Where a buffer of a kind is, for a message of a size. */
static uint64_t
buffer_address(unsigned int actor, unsigned int kind, mach_msg_size_t size,
               uint32_t trailer)
{
    char(*pages)[PAGE_SIZE] = shared.pages[actor];
    uint64_t edge = (uint64_t)pages[PAGE_NONE];

    if (size > SPAN) {
        size = SPAN;
    }

    switch (kind) {
    case B_ALT:
        return (uint64_t)pages[PAGE_ALT];
    case B_COLD:
        return (uint64_t)pages[PAGE_COLD];
    case B_READ_ONLY:
        return (uint64_t)pages[PAGE_READ_ONLY];
    case B_UNMAPPED:
        return edge;
    case B_KERNEL:
        return 0xffff800000000000;
    case B_EDGE:
        return edge - ((size + trailer + 3) & ~3u);
    case B_CUT:
        return edge - (size / 2 & ~3u);
    case B_TRAILER_CUT:
        return edge - ((size + 3) & ~3u) - trailer / 2;
    case B_ODD:
        return (uint64_t)pages[PAGE_ALT] + 2;
    case B_NULL:
        return 0;
    default:
        return (uint64_t)pages[PAGE_USUAL];
    }
}

/* A message for the actor to send, put where this program can. */
static void
write_message(uint64_t address, const mach_msg_header_t *header,
              mach_msg_size_t size, uint32_t gift)
{
    uint64_t first = (uint64_t)shared.pages;
    uint32_t *words = (uint32_t *)address;

    if (address < first || address >= first + sizeof(shared.pages)) {
        return;
    }

    if (size > SPAN - 8) {
        size = SPAN - 8;
    }

    for (mach_msg_size_t i = 0; i < size / 4; i++) {
        words[i] = 0x01020304 * i;
    }

    *(mach_msg_header_t *)address = *header;

    if (MACH_MSGH_BITS_IS_COMPLEX(header->msgh_bits)) {
        words[6] = gift != 0;
        words[7] = gift;
        words[9] = MACH_MSG_TYPE_MAKE_SEND << 16;
    }
}

/* -- The case --------------------------------------------------------------- */

/* Setting up must not fail. */
static void
must(kern_return_t kr, int line)
{
    if (kr != KERN_SUCCESS) {
        tap_bail("setting up, line %d: %s", line, mach_error_string(kr));
    }
}

#define MUST(call) must((call), __LINE__)

static void
make_port(mach_port_t task, mach_port_name_t name)
{
    MUST(mach_port_allocate_name(task, MACH_PORT_RIGHT_RECEIVE, name));
}

/* A right of a port in one task for another, under a name. */
static void
give(mach_port_t from, mach_port_name_t name, mach_msg_type_name_t disposition,
     mach_port_t to, mach_port_name_t as)
{
    mach_msg_type_name_t type;
    mach_port_t right;

    MUST(mach_port_extract_right(from, name, disposition, &right, &type));
    MUST(mach_port_insert_right(to, as, right, type));
}

/* A request that need not be granted: the name may be anything. */
static void
request_dead_name(mach_port_t task, mach_port_name_t watch,
                  mach_port_name_t name)
{
    mach_msg_type_name_t type;
    mach_port_t notify, previous;

    if (mach_port_extract_right(task, watch, MACH_MSG_TYPE_MAKE_SEND_ONCE,
                                &notify, &type) != KERN_SUCCESS) {
        return;
    }

    (void)mach_port_request_notification(task, name, MACH_NOTIFY_DEAD_NAME, 0,
                                         notify, type, &previous);
}

static void
make_dest_send(mach_port_t client)
{
    dest_name = home == client ? N_SERVER : N_DEST;
    give(home, N_SERVER, MACH_MSG_TYPE_MAKE_SEND, client, dest_name);

    if (v[DEST] == D_SEND_3) {
        MUST(mach_port_mod_refs(client, dest_name, MACH_PORT_RIGHT_SEND, 2));
    } else if (v[DEST] == D_SEND_MAX) {
        MUST(mach_port_mod_refs(client, dest_name, MACH_PORT_RIGHT_SEND,
                                (int)MACH_PORT_UREFS_MAX - 1));
    } else if (v[DEST] == D_SEND_REQUEST) {
        request_dead_name(client, N_WATCH, dest_name);
    } else if (v[DEST] == D_STALE) {
        dest_name++;
    }
}

static void
make_dest(void)
{
    mach_port_t client = tasks[CLIENT];

    dest_name = N_DEST;

    switch (v[ROUTINE] != 0 ? D_KERNEL : v[DEST]) {
    case D_ONCE:
    case D_ONCE_REQUEST:
        give(home, N_SERVER, MACH_MSG_TYPE_MAKE_SEND_ONCE, client, N_DEST);

        if (v[DEST] == D_ONCE_REQUEST) {
            request_dead_name(client, N_WATCH, N_DEST);
        }

        break;
    case D_DEAD:
    case D_ONCE_DEAD:
        make_port(tasks[SERVER], N_MOVED);
        give(tasks[SERVER], N_MOVED,
             v[DEST] == D_DEAD ? MACH_MSG_TYPE_MAKE_SEND
                               : MACH_MSG_TYPE_MAKE_SEND_ONCE,
             client, N_DEST);
        MUST(mach_port_destroy(tasks[SERVER], N_MOVED));
        break;
    case D_ABSENT:
        break;
    case D_NULL:
        dest_name = MACH_PORT_NULL;
        break;
    case D_DEAD_NAME:
        dest_name = MACH_PORT_DEAD;
        break;
    case D_SET:
        dest_name = N_SET;
        break;
    case D_RECEIVE:
        dest_name = N_OTHER;
        break;
    case D_KERNEL:
        dest_name = N_DEST;
        give(mach_task_self(), tasks[SERVER], MACH_MSG_TYPE_COPY_SEND, client,
             N_DEST);
        break;
    default:
        make_dest_send(client);
        break;
    }
}

/* A message of this program's own, to a receive right there. */
static void
fill_queue(mach_port_t task, mach_port_name_t name, int count)
{
    mach_msg_header_t head = { 0 };
    mach_msg_type_name_t type;
    mach_port_t right;

    /* Some event may have taken the port away. */
    if (mach_port_extract_right(task, name, MACH_MSG_TYPE_MAKE_SEND, &right,
                                &type) != KERN_SUCCESS) {
        return;
    }

    for (int i = 0; i < count; i++) {
        head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0);
        head.msgh_remote_port = right;
        head.msgh_id = 900 + i;
        see("filled",
            (uint64_t)mach_msg(&head, MACH_SEND_MSG | MACH_SEND_TIMEOUT,
                               sizeof(head), 0, 0, 0, 0));
    }

    MUST(mach_port_deallocate(mach_task_self(), right));
}

static void
make_reply(void)
{
    mach_port_t client = tasks[CLIENT];
    mach_port_t notify, previous;
    mach_msg_type_name_t type;

    if (v[R_STATE] == RS_ABSENT) {
        return;
    }

    make_port(client, N_REPLY);

    switch (v[R_STATE]) {
    case RS_PAYLOAD:
        MUST(mach_port_set_protected_payload(client, N_REPLY, 0x8877665544));
        break;
    case RS_QUEUED:
        fill_queue(client, N_REPLY, 1);
        break;
    case RS_FULL:
        fill_queue(client, N_REPLY, MACH_PORT_QLIMIT_DEFAULT);
        break;
    case RS_REQUEST:
        give(client, N_REPLY, MACH_MSG_TYPE_MAKE_SEND, client, N_REPLY);
        MUST(mach_port_extract_right(
            client, N_WATCH, MACH_MSG_TYPE_MAKE_SEND_ONCE, &notify, &type));
        MUST(mach_port_request_notification(client, N_REPLY,
                                            MACH_NOTIFY_NO_SENDERS, 0, notify,
                                            type, &previous));
        break;
    case RS_SET:
        MUST(mach_port_move_member(client, N_REPLY, N_SET));
        break;
    case RS_SEND:
        give(client, N_REPLY, MACH_MSG_TYPE_MAKE_SEND, client, N_REPLY);
        break;
    case RS_DEAD:
        give(client, N_REPLY, MACH_MSG_TYPE_MAKE_SEND, client, N_REPLY);
        MUST(mach_port_mod_refs(client, N_REPLY, MACH_PORT_RIGHT_RECEIVE, -1));
        break;
    default:
        break;
    }
}

static void
make_ports(void)
{
    mach_port_t client = tasks[CLIENT];

    MUST(mach_port_allocate_name(client, MACH_PORT_RIGHT_PORT_SET, N_SET));
    MUST(mach_port_allocate_name(client, MACH_PORT_RIGHT_DEAD_NAME, N_DEAD));
    make_port(client, N_OTHER);
    make_port(client, N_GIFT);
    make_port(client, N_WATCH);
    make_port(home, N_SERVER);
    make_port(home, N_SERVER_WATCH);
    MUST(mach_port_allocate_name(home, MACH_PORT_RIGHT_PORT_SET, N_SERVER_SET));
    give(mach_task_self(), mach_task_self(), MACH_MSG_TYPE_COPY_SEND, client,
         N_SENT);

    if (v[S_PAYLOAD] != 0) {
        MUST(mach_port_set_protected_payload(home, N_SERVER,
                                             0x1122334455667788));
    }

    if (v[WAIT] == W_SET) {
        MUST(mach_port_move_member(home, N_SERVER, N_SERVER_SET));
    } else if (v[WAIT] == W_QUEUED || v[WAIT] == W_FULL) {
        fill_queue(home, N_SERVER,
                   v[WAIT] == W_QUEUED ? 1 : MACH_PORT_QLIMIT_DEFAULT);
    }

    make_reply();
    make_dest();
}

/* Have the server's task take all the names that it may, or all but one. */
static void
fill_space(bool but_one)
{
    mach_port_name_t name, last = MACH_PORT_NULL;
    uint64_t count = 0;

    while (mach_port_allocate(home, MACH_PORT_RIGHT_DEAD_NAME, &name) ==
           KERN_SUCCESS) {
        last = name;
        count++;
    }

    if (but_one && last != MACH_PORT_NULL) {
        MUST(mach_port_deallocate(home, last));
    }

    see("names for the taking", count);
}

static void
fill_pages(void)
{
    for (int actor = 0; actor < 3; actor++) {
        for (int page = PAGE_USUAL; page <= PAGE_READ_ONLY; page++) {
            memset(shared.pages[actor][page], 0xee, SPAN);
        }

        memset(shared.pages[actor][PAGE_NONE] - SPAN, 0xee, SPAN);
        shared.actors[actor].option = 0;
        shared.actors[actor].buffer = 0;
        shared.actors[actor].receive_buffer = 0;
    }
}

/* Have the cold page's translation taken away. */
static void
chill(unsigned int actor)
{
    mach_port_t task = tasks[actor == SERVER ? SERVER : CLIENT];
    vm_address_t page = (vm_address_t)shared.pages[actor][PAGE_COLD];

    MUST(vm_protect(task, page, PAGE_SIZE, FALSE, VM_PROT_NONE));
    MUST(
        vm_protect(task, page, PAGE_SIZE, FALSE, VM_PROT_READ | VM_PROT_WRITE));
}

/* -- What the actors do ----------------------------------------------------- */

static mach_msg_size_t
server_room(void)
{
    mach_msg_size_t size = sizes[v[SIZE]];

    switch (v[S_SIZE]) {
    case 1:
        return size + 8;
    case 2:
        return size + 7;
    case 3:
        return size;
    case 4:
        return 24;
    case 5:
        return 0;
    case 6:
        return size + 20;
    default:
        return SPAN;
    }
}

static mach_msg_option_t
server_option(void)
{
    switch (v[WAIT]) {
    case W_TIMEOUT:
    case W_SHORT:
        return MACH_RCV_TIMEOUT;
    case W_SEQNO:
        return MACH_RCV_TRAILER_ELEMENTS(MACH_RCV_TRAILER_SEQNO);
    case W_SENDER:
        return MACH_RCV_TRAILER_ELEMENTS(MACH_RCV_TRAILER_SENDER);
    case W_LARGE:
        return MACH_RCV_LARGE;
    case W_INTERRUPT:
        return MACH_RCV_INTERRUPT;
    default:
        return 0;
    }
}

static mach_port_name_t
server_source(void)
{
    return v[WAIT] == W_SET ? N_SERVER_SET : N_SERVER;
}

static void
server_waits(void)
{
    struct actor *a = &shared.actors[server];

    if (v[WAIT] == W_NOT || v[WAIT] == W_QUEUED || v[WAIT] == W_FULL) {
        return;
    }

    a->buffer = 0;
    a->receive_buffer = buffer_address(server, v[S_BUFFER], sizes[v[SIZE]], 8);
    a->option = MACH_RCV_MSG | server_option();
    a->sizes = (uint64_t)server_room() << 32;
    a->names = server_source();
    a->timeout = v[WAIT] == W_SHORT ? SHORT_MS : LONG_MS;
    tell(server);
}

static void
server_event(void)
{
    switch (v[S_EVENT]) {
    case SE_RENAME:
        see("event", (uint64_t)mach_port_rename(home, N_SERVER, N_MOVED));
        break;
    case SE_MOVE:
        (void)mach_port_move_member(
            home, N_SERVER, v[WAIT] == W_SET ? MACH_PORT_NULL : N_SERVER_SET);
        break;
    case SE_ABORT:
        MUST(thread_abort(threads[server]));
        break;
    case SE_DESTROY:
        see("event", (uint64_t)mach_port_mod_refs(home, N_SERVER,
                                                  MACH_PORT_RIGHT_RECEIVE, -1));
        break;
    case SE_SEQNO:
        see("event", (uint64_t)mach_port_set_seqno(home, N_SERVER, 0xfffffffe));
        break;
    case SE_PAYLOAD:
        if (v[S_PAYLOAD] != 0) {
            see("event",
                (uint64_t)mach_port_clear_protected_payload(home, N_SERVER));
        } else {
            see("event",
                (uint64_t)mach_port_set_protected_payload(home, N_SERVER, 42));
        }

        break;
    case SE_SUSPEND:
        MUST(thread_suspend(threads[server]));
        suspended[server] = true;
        break;
    case SE_SEND_RIGHT_GOES:
        (void)mach_port_mod_refs(tasks[CLIENT], dest_name, MACH_PORT_RIGHT_SEND,
                                 -1);
        break;
    default:
        break;
    }
}

static mach_msg_size_t
request_size(void)
{
    return v[ROUTINE] != 0 && v[SIZE] == 0 ? routines[v[ROUTINE]].size
                                           : sizes[v[SIZE]];
}

static void
write_arguments(uint64_t address)
{
    packed_word *words = message_words(address);

    if (words != NULL && v[ROUTINE] != 0) {
        words[6] = routines[v[ROUTINE]].arguments[0];
        words[7] = routines[v[ROUTINE]].arguments[1];
    }
}

static void
client_calls(void)
{
    static const mach_msg_size_t field[] = { 0, 24, 0xfffffff0 };
    struct actor *a = &shared.actors[CLIENT];
    mach_msg_size_t size = request_size();
    mach_port_name_t local = local_names[v[L_NAME]];
    mach_port_name_t receive = receive_names[v[RCV_NAME]];
    mach_msg_header_t head = {
        .msgh_bits =
            MACH_MSGH_BITS(remote_disp[v[R_DISP]], local_disp[v[L_DISP]]) |
            (more_bits[v[BITS]] & ~1u),
        .msgh_size = v[SIZE_FIELD] == 0 ? size : field[v[SIZE_FIELD]],
        .msgh_remote_port = dest_name,
        .msgh_local_port = local == N_DEST ? dest_name : local,
        .msgh_voucher_port = v[VOUCHER] == 2 ? N_SENT : v[VOUCHER],
        .msgh_id = routines[v[ROUTINE]].id,
    };

    if (v[SND_BUFFER] == B_COLD || v[RCV_BUFFER] == B_COLD) {
        chill(CLIENT);
    }

    a->buffer = buffer_address(CLIENT, v[SND_BUFFER], size, 0);
    a->receive_buffer =
        v[RCV_BUFFER] == B_USUAL
            ? 0
            : buffer_address(CLIENT, v[RCV_BUFFER], sizes[v[A_SIZE]], 8);
    a->option = options[v[OPTION]].bits;
    a->sizes = size | (uint64_t)receive_sizes[v[RCV_SIZE]] << 32;
    a->names = receive == N_DEST ? dest_name : receive;
    a->timeout = options[v[OPTION]].timeout;
    write_message(a->buffer, &head, size,
                  (more_bits[v[BITS]] & 1) != 0 ? N_GIFT : 0);
    write_arguments(a->buffer);
    tell(CLIENT);
}

static void
client_event(void)
{
    mach_port_t client = tasks[CLIENT];

    /* The reply port may be in any state here, so these may fail. */
    switch (v[C_EVENT]) {
    case CE_ABORT:
        if (!is_done(CLIENT)) {
            MUST(thread_abort(threads[CLIENT]));
        }

        break;
    case CE_DESTROY:
        (void)mach_port_destroy(client, N_REPLY);
        break;
    case CE_MOVE:
        (void)mach_port_move_member(client, N_REPLY, N_SET);
        break;
    case CE_SUSPEND:
        MUST(thread_suspend(threads[CLIENT]));
        suspended[CLIENT] = true;
        break;
    case CE_RENAME:
        (void)mach_port_rename(client, N_REPLY, N_MOVED + 512);
        break;
    case CE_PAYLOAD:
        (void)mach_port_set_protected_payload(client, N_REPLY, 43);
        break;
    default:
        break;
    }
}

/* The server has the request now; the name of its reply right. */
static mach_port_name_t
reply_event(mach_port_name_t name)
{
    switch (v[A_EVENT]) {
    case AE_QUEUED:
    case AE_FULL:
        fill_queue(home, N_SERVER,
                   v[A_EVENT] == AE_QUEUED ? 1 : MACH_PORT_QLIMIT_DEFAULT);
        break;
    case AE_FILL:
        fill_space(false);
        break;
    case AE_REQUEST:
        request_dead_name(home, N_SERVER_WATCH, name);
        break;
    case AE_RENAME:
        /* A new place each time: once free, the kernel may use it. */
        if (mach_port_rename(home, name, NAME(NAMES + case_number)) ==
            KERN_SUCCESS) {
            return NAME(NAMES + case_number);
        }

        break;
    case AE_MOVE:
        (void)mach_port_move_member(
            home, N_SERVER, v[WAIT] == W_SET ? MACH_PORT_NULL : N_SERVER_SET);
        break;
    default:
        break;
    }

    return name;
}

/*
 * Before it answers, the server receives once more, and the neighbour, which
 * is then a second client, sends. `name` is the first reply right; the one
 * to answer first comes back, the other waits in `second_name`.
 */
static mach_port_name_t second_name;

static mach_port_name_t
second_request(mach_port_name_t name)
{
    struct actor *n = &shared.actors[NEIGHBOUR], *s = &shared.actors[server];
    mach_msg_header_t head = {
        .msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND,
                                    MACH_MSG_TYPE_MAKE_SEND_ONCE),
        .msgh_remote_port = dest_name,
        .msgh_local_port = N_OTHER,
        .msgh_id = 88,
    };

    second_name = MACH_PORT_NULL;

    if ((v[A_EVENT] != AE_SECOND && v[A_EVENT] != AE_SECOND_FIRST) ||
        server != SERVER) {
        return name;
    }

    s->option = MACH_RCV_MSG | server_option();
    tell(server);
    n->buffer = (uint64_t)shared.pages[NEIGHBOUR][PAGE_USUAL];
    n->receive_buffer = 0;
    n->option = MACH_SEND_MSG | MACH_RCV_MSG;
    n->sizes = 32 | (uint64_t)SPAN << 32;
    n->names = N_OTHER;
    write_message(n->buffer, &head, 32, 0);
    tell(NEIGHBOUR);
    see_actor(NEIGHBOUR);

    if (!is_done(server) || s->result != MACH_MSG_SUCCESS) {
        return name;
    }

    second_name = ((mach_msg_header_t *)s->receive_buffer)->msgh_remote_port;

    if (v[A_EVENT] == AE_SECOND_FIRST) {
        mach_port_name_t first = second_name;

        second_name = name;
        return first;
    }

    return name;
}

static void
second_reply(void)
{
    struct actor *s = &shared.actors[server];
    mach_msg_header_t head = {
        .msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MOVE_SEND_ONCE, 0),
        .msgh_remote_port = second_name,
        .msgh_id = 99,
    };

    if (second_name == MACH_PORT_NULL) {
        return;
    }

    if (!is_done(server)) {
        MUST(thread_abort(threads[server]));
    }

    forget_names(server);
    s->buffer = (uint64_t)shared.pages[server][PAGE_USUAL];
    s->option = MACH_SEND_MSG | MACH_RCV_MSG;
    s->sizes = 36 | (uint64_t)SPAN << 32;
    s->names = server_source();
    write_message(s->buffer, &head, 36, 0);
    tell(server);
    see_actor(NEIGHBOUR);
    see_actor(CLIENT);
}

/* The header of the reply, given the request's. */
static mach_msg_header_t
reply_header(const mach_msg_header_t *request)
{
    mach_msg_header_t head = {
        .msgh_bits = MACH_MSGH_BITS_REMOTE(request->msgh_bits),
        .msgh_size = sizes[v[A_SIZE]],
        .msgh_remote_port = request->msgh_remote_port,
        .msgh_id = 0x1234567,
    };

    switch (v[A_BITS]) {
    case 1:
        head.msgh_bits |= MACH_MSG_TYPE_MAKE_SEND_ONCE << 8;
        head.msgh_local_port = N_SERVER;
        break;
    case 2:
        head.msgh_bits = MACH_MSG_TYPE_COPY_SEND;
        break;
    case 3:
        head.msgh_bits = MACH_MSG_TYPE_MOVE_SEND;
        break;
    case 4:
        head.msgh_bits |= MACH_MSGH_BITS_COMPLEX;
        break;
    case 5:
        head.msgh_bits |= MACH_MSGH_BITS_KERNEL;
        break;
    case 6:
        head.msgh_voucher_port = 7;
        break;
    case 7:
        head.msgh_local_port = N_SERVER;
        break;
    case 8:
        head.msgh_local_port = MACH_PORT_DEAD;
        head.msgh_bits |= MACH_MSG_TYPE_MAKE_SEND_ONCE << 8;
        break;
    default:
        break;
    }

    return head;
}

static mach_port_name_t
reply_name(mach_port_name_t received)
{
    switch (v[A_NAME]) {
    case 1:
        return MACH_PORT_NULL;
    case 2:
        return MACH_PORT_DEAD;
    case 3:
        return received + 1;
    case 4:
        return N_SERVER;
    case 5:
        return N_ABSENT;
    case 6:
        return N_DEAD;
    default:
        return received;
    }
}

static void
server_replies(void)
{
    struct actor *a = &shared.actors[server];
    const mach_msg_header_t *request = (void *)a->receive_buffer;
    mach_port_name_t sources[] = { server_source(), N_SERVER_SET, N_SERVER,
                                   N_ABSENT, 0 };
    mach_msg_size_t size = sizes[v[A_SIZE]];
    mach_msg_header_t head;

    if (a->result != MACH_MSG_SUCCESS || (a->option & MACH_RCV_MSG) == 0) {
        return;
    }

    head = reply_header(request);
    head.msgh_remote_port =
        reply_name(reply_event(second_request(request->msgh_remote_port)));

    if (!is_done(server)) {
        return; /* no second request came */
    }

    if (v[A_BUFFER] == B_COLD || v[S_BUFFER] == B_COLD) {
        chill(server);
    }

    sources[4] = head.msgh_remote_port;
    forget_names(server);
    a->buffer = buffer_address(server, v[A_BUFFER], size, 0);
    a->receive_buffer = buffer_address(server, v[S_BUFFER], sizes[v[SIZE]], 8);
    a->option =
        options[v[A_OPTION]].bits | (v[WAIT] == W_SHORT ? 0 : server_option());
    a->sizes = size | (uint64_t)server_room() << 32;
    a->names = sources[v[A_RCV]];
    a->timeout = options[v[A_OPTION]].timeout;
    write_message(a->buffer, &head, size, 0);
    tell(server);
    second_reply();
}

/* The usual round trip after the unusual one, as far as there is one. */
static void
usual_round(void)
{
    struct actor *c = &shared.actors[CLIENT], *s = &shared.actors[server];
    mach_msg_header_t head = {
        .msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND,
                                    MACH_MSG_TYPE_MAKE_SEND_ONCE),
        .msgh_remote_port = dest_name,
        .msgh_local_port = N_REPLY,
        .msgh_id = 77,
    };

    if (!is_done(CLIENT) || suspended[CLIENT]) {
        return;
    }

    forget_names(CLIENT);
    c->buffer = (uint64_t)shared.pages[CLIENT][PAGE_USUAL];
    c->receive_buffer = 0;
    c->option = MACH_SEND_MSG | MACH_RCV_MSG;
    c->sizes = 32 | (uint64_t)SPAN << 32;
    c->names = N_REPLY;
    write_message(c->buffer, &head, 32, 0);
    tell(CLIENT);
    see_all("next request");

    if (!is_done(server) || s->result != MACH_MSG_SUCCESS ||
        (s->option & MACH_RCV_MSG) == 0 || suspended[server]) {
        return;
    }

    head = *(mach_msg_header_t *)(s->receive_buffer != 0 ? s->receive_buffer
                                                         : s->buffer);
    head.msgh_bits = MACH_MSGH_BITS_REMOTE(head.msgh_bits);
    head.msgh_local_port = 0;
    head.msgh_voucher_port = 0;
    forget_names(server);
    s->buffer = (uint64_t)shared.pages[server][PAGE_USUAL];
    s->receive_buffer = 0;
    s->option = MACH_SEND_MSG | MACH_RCV_MSG;
    s->sizes = 40 | (uint64_t)SPAN << 32;
    s->names = server_source();
    write_message(s->buffer, &head, 40, 0);
    tell(server);
    see_all("next reply");
}

/* Another port under the name of the destination. */
static void
replace_dest(void)
{
    mach_msg_type_name_t type;
    mach_port_t right;

    if (mach_port_extract_right(home, N_SERVER_WATCH, MACH_MSG_TYPE_MAKE_SEND,
                                &right, &type) == KERN_SUCCESS &&
        mach_port_insert_right(tasks[CLIENT], dest_name, right, type) !=
            KERN_SUCCESS) {
        see("not replaced", 1);
    }
}

/* What the kernel remembers of a round may be wrong in the next. Whether any
 * of it works depends on the case. */
static void
between_rounds(void)
{
    mach_port_t client = tasks[CLIENT];

    switch (v[BETWEEN]) {
    case 1:
        (void)mach_port_deallocate(client, dest_name);
        break;
    case 2:
        (void)mach_port_rename(client, dest_name, N_MOVED + 512);
        break;
    case 3:
        (void)mach_port_destroy(client, N_REPLY);
        break;
    case 4:
        (void)mach_port_destroy(client, N_REPLY);
        (void)mach_port_allocate_name(client, MACH_PORT_RIGHT_RECEIVE, N_REPLY);
        break;
    case 5:
        (void)mach_port_rename(home, N_SERVER, N_MOVED);
        break;
    case 6:
        (void)mach_port_destroy(home, N_SERVER);
        (void)mach_port_allocate_name(home, MACH_PORT_RIGHT_RECEIVE, N_SERVER);
        break;
    case 7:
        (void)mach_port_destroy(client, dest_name);
        replace_dest();
        break;
    default:
        break;
    }
}

/* -- The end of a case ------------------------------------------------------ */

static void
empty_task(int which)
{
    mach_port_t task = tasks[which];
    mach_port_name_array_t names;
    mach_port_type_array_t types;
    mach_msg_type_number_t count, type_count;

    MUST(mach_port_names(task, &names, &count, &types, &type_count));

    /* Those that the kernel named first: their order is not ours. */
    for (int pass = 0; pass < 2; pass++) {
        for (natural_t i = 0; i < count; i++) {
            if (!is_baseline(which, names[i]) &&
                is_anonymous(names[i]) == (pass == 0)) {
                /* A notification may have ended a right meanwhile. */
                (void)mach_port_destroy(task, names[i]);
            }
        }
    }

    mig_deallocate((vm_address_t)names, count * sizeof(*names));
    mig_deallocate((vm_address_t)types, type_count * sizeof(*types));
}

static void
end_actor(unsigned int actor)
{
    if (suspended[actor]) {
        MUST(thread_resume(threads[actor]));
        suspended[actor] = false;
    }

    for (int i = 0; i < 3 && !is_done(actor); i++) {
        MUST(thread_abort(threads[actor]));
    }

    if (!is_done(actor)) {
        tap_bail("actor %u does not come back", actor);
    }
}

static void
end_case(void)
{
    empty_task(CLIENT);
    look_at_all("client's ports gone");
    empty_task(SERVER);
    end_actor(CLIENT);
    end_actor(server);
    end_actor(NEIGHBOUR);
    look_at_all("end");

    /* What messages in flight brought. */
    for (int i = 0; i < 3; i++) {
        empty_task(CLIENT);
        empty_task(SERVER);
    }
}

static void
show_case(unsigned long number)
{
    verbose = number >= arguments.first && number <= arguments.last;

    for (int i = 0; verbose && i < CIRCUMSTANCES; i++) {
        if (v[i] != 0) {
            tap_diag(" %s = %u", titles[i], (unsigned int)v[i]);
        }
    }
}

/*
 * Between cases each of our names is a dead name, so that nothing else gets
 * it; and so are some more, which are freed last when a case begins, and
 * which the kernel therefore gives out first.
 */
static void
reserve_names(mach_port_t task, mach_port_name_t padding[PADDING])
{
    for (unsigned int i = 0; i < NAMES; i++) {
        MUST(mach_port_allocate_name(task, MACH_PORT_RIGHT_DEAD_NAME, NAME(i)));
    }

    for (unsigned int i = 0; i < PADDING; i++) {
        MUST(mach_port_allocate(task, MACH_PORT_RIGHT_DEAD_NAME, &padding[i]));
    }
}

static void
release_names(mach_port_t task, const mach_port_name_t padding[PADDING])
{
    for (unsigned int i = 0; i < NAMES; i++) {
        MUST(mach_port_destroy(task, NAME(i)));
    }

    for (unsigned int i = 0; i < PADDING; i++) {
        MUST(mach_port_destroy(task, padding[i]));
    }
}

static void
run_case(unsigned long number)
{
    static mach_port_name_t padding[2][PADDING];

    case_number = (unsigned int)number;
    looking = (number & 1) == 0;
    show_case(number);
    digest = 0;
    server = v[PLACE] == 0 ? SERVER : NEIGHBOUR;
    home = tasks[v[PLACE] == 0 ? SERVER : CLIENT];
    fill_pages();

    if (number > 1) {
        release_names(tasks[CLIENT], padding[CLIENT]);
        release_names(tasks[SERVER], padding[SERVER]);
    }

    make_ports();

    if (v[S_BUFFER] == B_COLD) {
        chill(server);
    }

    server_waits();

    if (v[S_SPACE] != 0) {
        fill_space(v[S_SPACE] == 2);
    }

    server_event();
    client_calls();
    see_all("request");

    if (v[C_EVENT] != CE_NONE) {
        client_event();
    }

    if (is_done(server) && !suspended[server]) {
        server_replies();
    }

    see_all("reply");
    usual_round();
    between_rounds();
    usual_round();
    look_at_all("usual rounds");

    if (v[WAIT] == W_SHORT) {
        (void)thread_switch(MACH_PORT_NULL, SWITCH_OPTION_WAIT, 2 * SHORT_MS);
        look_at_all("later");
    }

    end_case();
    reserve_names(tasks[CLIENT], padding[CLIENT]);
    reserve_names(tasks[SERVER], padding[SERVER]);
    tap_diag("case %lu %lx", number, digest);
}

/* -- All of them ------------------------------------------------------------ */

static uint64_t random_state;

static uint64_t
random_below(uint64_t bound)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (random_state >> 11) % bound;
}

static void
clear_case(void)
{
    memset(v, 0, sizeof(v));
}

/* Every single difference; then random ones of up to four. */
static void
run_cases(void)
{
    unsigned long number = 1;

    clear_case();
    run_case(number);

    /* With looks in between, and without. */
    for (int i = 0; i < CIRCUMSTANCES; i++) {
        for (uint8_t value = 1; value < values[i]; value++) {
            clear_case();
            v[i] = value;
            run_case(number + 1);
            run_case(number + 2);
            number += 2;
        }
    }

    /* Receiving from a set goes on with what is queued. */
    for (uint8_t event = 1; event < values[A_EVENT]; event++) {
        clear_case();
        v[WAIT] = W_SET;
        v[A_EVENT] = event;
        run_case(number + 1);
        run_case(number + 2);
        number += 2;
    }

    random_state = arguments.seed * 0x9e3779b97f4a7c15 | 1;

    while (number < arguments.count) {
        uint64_t differences = 2 + random_below(3);

        clear_case();

        for (uint64_t i = 0; i < differences; i++) {
            uint64_t at = random_below(CIRCUMSTANCES);

            v[at] = (uint8_t)random_below(values[at]);
        }

        number++;
        run_case(number);
    }
}

static void
set_up_task(int which)
{
    mach_port_type_array_t types;
    mach_msg_type_number_t count, type_count;
    mach_port_name_array_t names;

    MUST(task_set_limits(tasks[which], 0, LIMIT));
    MUST(mach_port_names(tasks[which], &names, &count, &types, &type_count));

    if (count > 16) {
        tap_bail("a new task has %u names", count);
    }

    for (natural_t i = 0; i < count; i++) {
        baseline[which][i] = names[i];
    }

    baseline_count[which] = count;
    mig_deallocate((vm_address_t)names, count * sizeof(*names));
    mig_deallocate((vm_address_t)types, type_count * sizeof(*types));
}

static void
set_up_actor(unsigned int actor)
{
    mach_port_t task = tasks[actor == SERVER ? SERVER : CLIENT];
    mach_msg_type_name_t type;

    if (shared.actors[actor].self == MACH_PORT_NULL) {
        tap_bail("actor %u has not begun", actor);
    }

    MUST(mach_port_extract_right(task, shared.actors[actor].self,
                                 MACH_MSG_TYPE_COPY_SEND, &threads[actor],
                                 &type));
    MUST(vm_protect(task, (vm_address_t)shared.pages[actor][PAGE_READ_ONLY],
                    PAGE_SIZE, FALSE, VM_PROT_READ));
    MUST(vm_deallocate(task, (vm_address_t)shared.pages[actor][PAGE_NONE],
                       PAGE_SIZE));
}

void
guest_main(void)
{
    memset(&shared, 0, sizeof(shared));
    MUST(vm_inherit(mach_task_self(), (vm_address_t)&shared, sizeof(shared),
                    VM_INHERIT_SHARE));
    MUST(thread_priority(mach_thread_self(), 8));
    tasks[CLIENT] = guest_child(client_task, MACH_PORT_NULL, NULL);
    tasks[SERVER] = guest_child(server_task, MACH_PORT_NULL, NULL);

    /* They run until they wait. */
    for (unsigned int actor = 0; actor < 3; actor++) {
        set_up_actor(actor);
    }

    set_up_task(CLIENT);
    set_up_task(SERVER);
    run_cases();
    ok(true, "all cases have come to an end");
    (void)task_terminate(tasks[CLIENT]);
    (void)task_terminate(tasks[SERVER]);
}
