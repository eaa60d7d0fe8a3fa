/* SPDX-License-Identifier: MIT */
/*
 * The server's functions: each result is made of the arguments in a way that
 * the client can check.
 */

#include "rpc_functions.h"

#include <string.h>

#include "rpc_kernel.h"
#include "rpc_server.h"

struct rpc_server_wish rpc_server_wish;
mach_msg_type_name_t rpc_seen_poly;
mach_port_t rpc_seen_reply;
natural_t rpc_seen_seqno;
uint64_t rpc_seen_object;
kern_return_t rpc_seen_code;
uint64_t rpc_seen_context;
int rpc_seen_number;

static int rpc_pool[1024];
static mach_port_t rpc_names[3] = { 0x11, 0x22, 0x33 };

/* True if the function is to work; its result otherwise. */
#define RPC_ENTER()                                                            \
    do {                                                                       \
        rpc_record.served++;                                                   \
        if (rpc_server_wish.result != KERN_SUCCESS) {                          \
            return rpc_server_wish.result;                                     \
        }                                                                      \
        if (rpc_server_wish.silent) {                                          \
            return KERN_SUCCESS;                                               \
        }                                                                      \
    } while (0)

static mach_msg_type_number_t
rpc_claim(mach_msg_type_number_t count)
{
    return (rpc_server_wish.count != 0) ? rpc_server_wish.count : count;
}

object_t
object_from_port(mach_port_t port)
{
    return (object_t)(uintptr_t)(port + 0x10000);
}

object_t
object_from_payload(uint64_t payload)
{
    return (object_t)(uintptr_t)payload;
}

mach_port_t
object_to_port(object_t object)
{
    return (mach_port_t)((uintptr_t)object - 0x10000);
}

void
object_release(object_t object)
{
    (void)object;
    rpc_record.released++;
}

scaled_t
scaled_in(int value)
{
    return (scaled_t)value * 1000;
}

int
scaled_out(scaled_t value)
{
    return (int)(value / 1000);
}

/* Without overflow, whatever a spoilt request says. */
static int
rpc_next(int x)
{
    return (int)((unsigned int)x + 1);
}

kern_return_t
srv_add(mach_port_t server, int x, int *y)
{
    (void)server;
    RPC_ENTER();
    *y = rpc_next(x);
    return KERN_SUCCESS;
}

kern_return_t
srv_nothing(mach_port_t server)
{
    (void)server;
    RPC_ENTER();
    return KERN_SUCCESS;
}

kern_return_t
srv_scalars(mach_port_t server, char c, small_t s, int64_t w, char *c_out,
            small_t *s_out, int64_t *w_out)
{
    (void)server;
    RPC_ENTER();
    *c_out = (char)(c + 1);
    *s_out = (small_t)(s + 1);
    *w_out = (int64_t)((uint64_t)w + 1);
    return KERN_SUCCESS;
}

kern_return_t
srv_structs(mach_port_t server, point_t p, big_t b, point_t *p_out,
            big_t *b_out, mixed_t *m, int *n)
{
    (void)server;
    RPC_ENTER();
    p_out->x = p.z;
    p_out->y = p.y;
    p_out->z = p.x;
    *b_out = b;
    b_out->words[3]++;
    m->a++;
    m->b = (int64_t)((uint64_t)m->b + 1);
    m->c++;
    *n = (int)((unsigned int)*n * 2);
    return KERN_SUCCESS;
}

kern_return_t
srv_fixed(mach_port_t server, three_t three, five_t five, longs_t longs,
          three_t three_out, five_t five_out, longs_t longs_out, five_t twice)
{
    int i;

    (void)server;
    RPC_ENTER();

    for (i = 0; i < 5; i++) {
        five_out[i] = five[4 - i];
        twice[i] = (int)((unsigned int)twice[i] * 2);
    }

    for (i = 0; i < 3; i++) {
        three_out[i] = three[2 - i];
        longs_out[i] = longs[2 - i];
    }

    return KERN_SUCCESS;
}

kern_return_t
srv_variable(mach_port_t server, ints_t a, mach_msg_type_number_t aCnt,
             bytes_t b, mach_msg_type_number_t bCnt, int c, wides_t d,
             mach_msg_type_number_t dCnt, points_t e,
             mach_msg_type_number_t eCnt, int tail, ints_t a_out,
             mach_msg_type_number_t *a_outCnt, bytes_t b_out,
             mach_msg_type_number_t *b_outCnt, int *c_out, wides_t d_out,
             mach_msg_type_number_t *d_outCnt, points_t e_out,
             mach_msg_type_number_t *e_outCnt, int *tail_out)
{
    (void)server;
    RPC_ENTER();
    memcpy(a_out, a, aCnt * sizeof(*a));
    memcpy(b_out, b, bCnt * sizeof(*b));
    memcpy(d_out, d, dCnt * sizeof(*d));
    memcpy(e_out, e, eCnt * sizeof(*e));
    *a_outCnt = rpc_claim(aCnt);
    *b_outCnt = rpc_claim(bCnt);
    *d_outCnt = rpc_claim(dCnt);
    *e_outCnt = rpc_claim(eCnt);
    *c_out = rpc_next(c);
    *tail_out = rpc_next(tail);
    return KERN_SUCCESS;
}

/* Tells the room that it was given, so that the test sees it. */
kern_return_t
srv_counted(mach_port_t server, int want, ints_t a,
            mach_msg_type_number_t *aCnt, bytes_t b,
            mach_msg_type_number_t *bCnt)
{
    mach_msg_type_number_t i;

    (void)server;
    RPC_ENTER();

    for (i = 0; i < *aCnt; i++) {
        a[i] = want;
    }

    memset(b, 'x', *bCnt);
    *aCnt = rpc_claim(*aCnt);
    *bCnt = rpc_claim(*bCnt);
    return KERN_SUCCESS;
}

kern_return_t
srv_shared_count(mach_port_t server, ints_t a, mach_msg_type_number_t aCnt,
                 ints_t b, int *total, ints_t c, mach_msg_type_number_t *cCnt,
                 ints_t d)
{
    mach_msg_type_number_t i;

    (void)server;
    RPC_ENTER();
    *total = 0;

    for (i = 0; i < aCnt; i++) {
        *total = (int)((unsigned int)*total +
                       (unsigned int)a[i] * (unsigned int)b[i]);
        c[i] = b[i];
        d[i] = a[i];
    }

    *cCnt = rpc_claim(aCnt);
    return KERN_SUCCESS;
}

kern_return_t
srv_strings(mach_port_t server, const char *n, const char *p, int after,
            name_t n_out, path_t p_out, int *after_out, path_t p_last)
{
    (void)server;
    RPC_ENTER();

    if (rpc_server_wish.count != 0) {
        memset(n_out, 'n', sizeof(name_t));
        memset(p_out, 'p', sizeof(path_t));
        memset(p_last, 'q', sizeof(path_t));
        return KERN_SUCCESS;
    }

    strcpy(n_out, n);
    strcpy(p_out, p);
    strcpy(p_last, "last");
    *after_out = rpc_next(after);
    return KERN_SUCCESS;
}

kern_return_t
srv_rights(mach_port_t server, mach_port_t copied, mach_port_t made,
           mach_port_t moved, mach_port_t once, mach_port_t receive,
           mach_port_t any, mach_msg_type_name_t anyPoly, int n,
           mach_port_t *out_copied, mach_port_t *out_any,
           mach_msg_type_name_t *out_anyPoly, int *n_out)
{
    (void)server;
    rpc_seen_poly = anyPoly;
    RPC_ENTER();
    *out_copied = copied + made + moved + once + receive;
    *out_any = any;
    *out_anyPoly = MACH_MSG_TYPE_MAKE_SEND_ONCE;
    *n_out = rpc_next(n);
    return KERN_SUCCESS;
}

kern_return_t
srv_right_arrays(mach_port_t server, ports_t some,
                 mach_msg_type_number_t someCnt, pair_t pair, pair_poly_t anys,
                 mach_msg_type_name_t anysPoly, ports_t some_out,
                 mach_msg_type_number_t *some_outCnt, pair_t pair_out)
{
    (void)server;
    rpc_seen_poly = anysPoly;
    RPC_ENTER();
    memcpy(some_out, some, someCnt * sizeof(*some));
    *some_outCnt = rpc_claim(someCnt);
    pair_out[0] = pair[1] + anys[0];
    pair_out[1] = pair[0] + anys[1];
    return KERN_SUCCESS;
}

/* Arguments with names that stubs use themselves. */
kern_return_t
srv_clash(mach_port_t server, ints_t bytes, mach_msg_type_number_t bytesCnt,
          bytes_t slack, mach_msg_type_number_t slackCnt, int i, int reply_port,
          int number, int *kr, ints_t head, mach_msg_type_number_t *headCnt)
{
    (void)server;
    (void)slack;
    RPC_ENTER();
    *kr = (int)((unsigned int)i + (unsigned int)reply_port +
                (unsigned int)number + slackCnt);
    memcpy(head, bytes, bytesCnt * sizeof(*bytes));
    *headCnt = rpc_claim(bytesCnt);
    return KERN_SUCCESS;
}

kern_return_t
srv_pairs(mach_port_t server, ints_t keys, mach_msg_type_number_t keysCnt,
          ports_t ports, ints_t keys_out, mach_msg_type_number_t *keys_outCnt,
          ports_t ports_out)
{
    mach_msg_type_number_t i;

    (void)server;
    RPC_ENTER();

    for (i = 0; i < keysCnt; i++) {
        keys_out[i] = (int)ports[i];
        ports_out[i] = (mach_port_t)keys[i];
    }

    *keys_outCnt = rpc_claim(keysCnt);
    return KERN_SUCCESS;
}

kern_return_t
srv_exchange(mach_port_t server, mach_port_t *port)
{
    (void)server;
    RPC_ENTER();
    *port += 0x100;
    return KERN_SUCCESS;
}

kern_return_t
srv_memory(mach_port_t server, vm_address_t data,
           mach_msg_type_number_t dataCnt, vm_address_t moved,
           mach_msg_type_number_t movedCnt, vm_address_t choice,
           mach_msg_type_number_t choiceCnt, vm_address_t page,
           vm_address_t few, mach_msg_type_number_t fewCnt,
           vm_address_t *data_out, mach_msg_type_number_t *data_outCnt,
           vm_address_t *choice_out, mach_msg_type_number_t *choice_outCnt,
           boolean_t *choice_outDealloc, vm_address_t *page_out)
{
    (void)server;
    (void)page;
    RPC_ENTER();
    *data_out = data + moved + choice + few;
    *data_outCnt = dataCnt + movedCnt + choiceCnt + fewCnt;
    *choice_out = choice;
    *choice_outCnt = choiceCnt;
    *choice_outDealloc = TRUE;
    *page_out = (vm_address_t)(uintptr_t)rpc_pool;
    return KERN_SUCCESS;
}

kern_return_t
srv_loose(mach_port_t server, vm_address_t data, mach_msg_type_number_t dataCnt,
          int *sum)
{
    const int *values = (const int *)(uintptr_t)data;
    mach_msg_type_number_t i;

    (void)server;
    RPC_ENTER();
    *sum = 0;

    for (i = 0; i < dataCnt; i++) {
        *sum += values[i];
    }

    return KERN_SUCCESS;
}

kern_return_t
srv_memory_rights(mach_port_t server, mach_port_array_t ports,
                  mach_msg_type_number_t portsCnt, mach_port_array_t moved,
                  mach_msg_type_number_t movedCnt, mach_port_array_t three,
                  mach_port_array_t *ports_out,
                  mach_msg_type_number_t *ports_outCnt)
{
    (void)server;
    (void)ports;
    (void)moved;
    RPC_ENTER();
    rpc_names[0] = three[2];
    *ports_out = rpc_names;
    *ports_outCnt = portsCnt + movedCnt;
    return KERN_SUCCESS;
}

kern_return_t
srv_translated(object_t object, object_t other, scaled_t n, object_t *another,
               scaled_t *n_out, scaled_t *both)
{
    rpc_seen_object = (uintptr_t)object;
    RPC_ENTER();
    *another = other;
    *n_out = n + 2000;
    *both += n;
    return KERN_SUCCESS;
}

kern_return_t
srv_parked(mach_port_t server, mach_port_t reply,
           mach_msg_type_name_t replyPoly, int x, int *y)
{
    (void)server;
    rpc_seen_reply = reply;
    rpc_seen_poly = replyPoly;
    RPC_ENTER();
    *y = rpc_next(x);
    return KERN_SUCCESS;
}

kern_return_t
srv_own_reply(mach_port_t server, mach_port_t reply, int x, int *y)
{
    (void)server;
    rpc_seen_reply = reply;
    RPC_ENTER();
    *y = rpc_next(x);
    return KERN_SUCCESS;
}

kern_return_t
srv_post(mach_port_t server, int x)
{
    (void)server;
    (void)x;
    RPC_ENTER();
    return KERN_SUCCESS;
}

kern_return_t
srv_post_reply(mach_port_t server, mach_port_t answer,
               mach_msg_type_name_t answerPoly, int x)
{
    (void)server;
    (void)x;
    rpc_seen_reply = answer;
    rpc_seen_poly = answerPoly;
    RPC_ENTER();
    return KERN_SUCCESS;
}

kern_return_t
srv_patient(mach_port_t server, int x, int *y)
{
    (void)server;
    RPC_ENTER();
    *y = rpc_next(x);
    return KERN_SUCCESS;
}

kern_return_t
srv_numbered(mach_port_t server, natural_t seqno, int x, int *y)
{
    (void)server;
    rpc_seen_seqno = seqno;
    RPC_ENTER();
    *y = rpc_next(x);
    return KERN_SUCCESS;
}

kern_return_t
srv_who(mach_port_t server, security_token_t *peer, int x, int *y)
{
    (void)server;
    RPC_ENTER();
    *y = (int)((unsigned int)x + peer->val[1]);
    return KERN_SUCCESS;
}

kern_return_t
srv_poly_server(mach_port_t server, mach_msg_type_name_t serverPoly, int x,
                int *y)
{
    (void)server;
    rpc_seen_poly = serverPoly;
    RPC_ENTER();
    *y = rpc_next(x);
    return KERN_SUCCESS;
}

kern_return_t
srv_post_right(mach_port_t server, mach_port_t right)
{
    (void)server;
    (void)right;
    RPC_ENTER();
    return KERN_SUCCESS;
}

kern_return_t
srv_kernel_only(mach_port_t server, int x)
{
    (void)server;
    (void)x;
    RPC_ENTER();
    return KERN_SUCCESS;
}

kern_return_t
srv_rows(mach_port_t server, row_t row, mach_msg_type_number_t *rowSubs,
         rows_t some, mach_msg_type_number_t someCnt,
         mach_msg_type_number_t *someSubs, right_rows_t rights,
         mach_msg_type_number_t *rightsSubs, page_row_t pages, row_t row_out,
         mach_msg_type_number_t *row_outSubs, rows_t some_out,
         mach_msg_type_number_t *some_outCnt,
         mach_msg_type_number_t *some_outSubs)
{
    (void)server;
    (void)rights;
    RPC_ENTER();
    row_out[0] = row[1] + pages[1];
    row_outSubs[0] = rowSubs[1] + rightsSubs[0];
    row_out[1] = row[0];
    row_outSubs[1] = rowSubs[0];
    *some_outCnt = rpc_claim(someCnt);

    for (mach_msg_type_number_t i = 0; i < someCnt; i++) {
        some_out[i] = some[someCnt - 1 - i];
        some_outSubs[i] = someSubs[someCnt - 1 - i];
    }

    return KERN_SUCCESS;
}

kern_return_t
srv_freed(mach_port_t server, row_t row, mach_msg_type_number_t *rowSubs,
          right_rows_t rights, mach_msg_type_number_t *rightsSubs)
{
    (void)server;
    (void)row;
    (void)rowSubs;
    (void)rights;
    (void)rightsSubs;
    RPC_ENTER();
    return KERN_SUCCESS;
}

kern_return_t
srv_placed(mach_port_t server, vm_address_t *data,
           mach_msg_type_number_t *dataCnt, vm_address_t *page)
{
    (void)server;
    RPC_ENTER();
    *data = (vm_address_t)(uintptr_t) "placed";
    *dataCnt = 7;
    *page = (vm_address_t)(uintptr_t)rpc_pool;
    return KERN_SUCCESS;
}

kern_return_t
srv_natives(mach_port_t server, int n, point_t *point, struct odd odd,
            struct odd *maybe, point_t *absent, int tail, struct odd *sum,
            point_t *twice, int *tail_out)
{
    (void)server;
    RPC_ENTER();

    for (unsigned int i = 0; i < sizeof(sum->bytes); i++) {
        sum->bytes[i] = (char)(odd.bytes[i] + ((maybe != NULL) ? 1 : 0));
    }

    sum->bytes[0] = (char)((unsigned int)n + (unsigned int)point->z);
    twice->x = (int)((unsigned int)twice->x * 2);
    twice->z = (int)((unsigned int)twice->z *
                     ((absent != NULL) ? (unsigned int)absent->x : 3));
    *tail_out = (int)((unsigned int)tail + 1);
    return KERN_SUCCESS;
}

kern_return_t
srv_audited(mach_port_t server, audit_token_t *peer, int x, int *y)
{
    (void)server;
    RPC_ENTER();
    *y = (int)((unsigned int)x + peer->val[7]);
    return KERN_SUCCESS;
}

kern_return_t
srv_audited_there(mach_port_t server, security_token_t peer,
                  audit_token_t audit, int x, int *y)
{
    (void)server;
    RPC_ENTER();
    *y = (int)((unsigned int)x + audit.val[0] + peer.val[1]);
    return KERN_SUCCESS;
}

kern_return_t
srv_bound(mach_port_t server, context_t word, int x, mach_port_t right, int *y)
{
    (void)server;
    RPC_ENTER();
    rpc_seen_context = word;
    *y = (int)((unsigned int)x + right);
    return KERN_SUCCESS;
}

kern_return_t
srv_done(mach_port_t server, code_t code, vm_address_t data,
         mach_msg_type_number_t dataCnt, ints_t words,
         mach_msg_type_number_t wordsCnt, int n)
{
    (void)server;
    RPC_ENTER();
    rpc_seen_code = code;
    rpc_seen_number = (int)((unsigned int)n + dataCnt + (data != 0) +
                            ((wordsCnt != 0) ? (unsigned int)words[0] : 0));
    return KERN_SUCCESS;
}

kern_return_t
srv_done_simple(object_t object, code_t code, path_t path, int n)
{
    rpc_seen_object = (uintptr_t)object;
    RPC_ENTER();
    rpc_seen_code = code;
    rpc_seen_number = (int)((unsigned int)n + (unsigned int)strlen(path));
    return KERN_SUCCESS;
}
