/* SPDX-License-Identifier: MIT */
/* Calls with fixed arguments; what comes back is compared when it is good. */

#include "rpc_calls.h"

#include <string.h>

#include "rpc.h"
#include "rpc_functions.h"
#include "rpc_kernel.h"

#define SERVER RPC_SERVER_PORT

bool rpc_call_right;

static kern_return_t
rpc_note(kern_return_t kr, bool right)
{
    rpc_call_right = (kr == KERN_SUCCESS) && right;
    return kr;
}

static kern_return_t
call_add(void)
{
    kern_return_t kr;
    int y = 0;

    kr = add(SERVER, 41, &y);
    return rpc_note(kr, y == 42);
}

static kern_return_t
call_nothing(void)
{
    return rpc_note(nothing(SERVER), true);
}

static kern_return_t
call_scalars(void)
{
    kern_return_t kr;
    int64_t w = 0;
    small_t s = 0;
    char c = 0;

    kr = scalars(SERVER, 'a', 600, 1L << 40, &c, &s, &w);
    return rpc_note(kr, c == 'b' && s == 601 && w == (1L << 40) + 1);
}

static kern_return_t
call_structs(void)
{
    point_t p = { 1, 2, 3 }, p_out = { 0, 0, 0 };
    big_t b = { { 4, 5, 6, 7 } }, b_out = { { 0, 0, 0, 0 } };
    kern_return_t kr;
    mixed_t m;
    int n = 21;

    memset(&m, 0, sizeof(m));
    m.a = 1;
    m.b = 2;
    m.c = 3;
    kr = structs(SERVER, p, b, &p_out, &b_out, &m, &n);
    return rpc_note(kr, p_out.x == 3 && p_out.z == 1 && b_out.words[0] == 4 &&
                            b_out.words[3] == 8 && m.a == 2 && m.b == 3 &&
                            m.c == 4 && n == 42);
}

static kern_return_t
call_fixed(void)
{
    three_t three = { 'a', 'b', 'c' }, three_out = { 0, 0, 0 };
    five_t five = { 1, 2, 3, 4, 5 }, five_out = { 0, 0, 0, 0, 0 };
    longs_t longs = { 1L << 33, 2, 3 }, longs_out = { 0, 0, 0 };
    five_t twice = { 10, 20, 30, 40, 50 };
    kern_return_t kr;

    kr = fixed(SERVER, three, five, longs, three_out, five_out, longs_out,
               twice);
    return rpc_note(kr, three_out[0] == 'c' && three_out[2] == 'a' &&
                            five_out[0] == 5 && five_out[4] == 1 &&
                            longs_out[2] == 1L << 33 && twice[4] == 100);
}

static kern_return_t
call_variable(void)
{
    int a[8] = { 1, 2, 3 }, a_out[8];
    char b[10] = "hello", b_out[10];
    uint64_t d[4] = { 1UL << 40, 7 }, d_out[4];
    point_t e[4] = { { 1, 2, 3 }, { 4, 5, 6 }, { 7, 8, 9 } }, e_out[4];
    mach_msg_type_number_t a_outCnt = 8, b_outCnt = 10, d_outCnt = 4;
    mach_msg_type_number_t e_outCnt = 4;
    int c_out = 0, tail_out = 0;
    kern_return_t kr;

    kr = variable(SERVER, a, 3, b, 5, 11, d, 2, e, 3, 99, a_out, &a_outCnt,
                  b_out, &b_outCnt, &c_out, d_out, &d_outCnt, e_out, &e_outCnt,
                  &tail_out);
    return rpc_note(
        kr, kr == KERN_SUCCESS && a_outCnt == 3 &&
                memcmp(a, a_out, 3 * sizeof(*a)) == 0 && b_outCnt == 5 &&
                memcmp(b, b_out, 5) == 0 && c_out == 12 && d_outCnt == 2 &&
                memcmp(d, d_out, 2 * sizeof(*d)) == 0 && e_outCnt == 3 &&
                memcmp(e, e_out, 3 * sizeof(*e)) == 0 && tail_out == 100);
}

static kern_return_t
call_counted(void)
{
    mach_msg_type_number_t aCnt = 5, bCnt = 1000;
    kern_return_t kr;
    char b[10];
    int a[5];

    kr = counted(SERVER, 6, a, &aCnt, b, &bCnt);
    return rpc_note(kr, kr == KERN_SUCCESS && aCnt == 5 && bCnt == 10 &&
                            a[4] == 6 && b[9] == 'x');
}

static kern_return_t
call_shared_count(void)
{
    int a[3] = { 1, 2, 3 }, b[3] = { 4, 5, 6 }, c[8], d[8];
    mach_msg_type_number_t cCnt = 8;
    kern_return_t kr;
    int total = 0;

    kr = shared_count(SERVER, a, 3, b, &total, c, &cCnt, d);
    return rpc_note(kr, kr == KERN_SUCCESS && total == 32 && cCnt == 3 &&
                            memcmp(c, b, sizeof(b)) == 0 &&
                            memcmp(d, a, sizeof(a)) == 0);
}

static kern_return_t
call_strings(void)
{
    kern_return_t kr;
    name_t n = "";
    path_t p = "", last = "";
    int after = 0;

    kr = strings(SERVER, "abc", "a/path", 7, n, p, &after, last);
    return rpc_note(kr, strcmp(n, "abc") == 0 && strcmp(p, "a/path") == 0 &&
                            strcmp(last, "last") == 0 && after == 8);
}

static kern_return_t
call_rights(void)
{
    mach_port_t out_copied = 0, out_any = 0;
    mach_msg_type_name_t poly = 0;
    kern_return_t kr;
    int n = 0;

    kr = rights(SERVER, 0x100, 0x200, 0x400, 0x800, 0x1000, 0x77,
                MACH_MSG_TYPE_MOVE_SEND_ONCE, 8, &out_copied, &out_any, &poly,
                &n);
    return rpc_note(kr, out_copied == 0x1f00 && out_any == 0x77 &&
                            poly == MACH_MSG_TYPE_PORT_SEND_ONCE && n == 9);
}

static kern_return_t
call_right_arrays(void)
{
    mach_port_t some[2] = { 5, 6 }, some_out[4] = { 0 };
    pair_t pair = { 7, 8 }, pair_out = { 0, 0 };
    pair_poly_t anys = { 16, 32 };
    mach_msg_type_number_t count = 4;
    kern_return_t kr;

    kr = right_arrays(SERVER, some, 2, pair, anys, MACH_MSG_TYPE_MAKE_SEND,
                      some_out, &count, pair_out);
    return rpc_note(kr, count == 2 && some_out[1] == 6 && pair_out[0] == 24 &&
                            pair_out[1] == 39 &&
                            rpc_seen_poly == MACH_MSG_TYPE_PORT_SEND);
}

static kern_return_t
call_clash(void)
{
    int bytes[2] = { 7, 8 }, head[2] = { 0, 0 }, result = 0;
    mach_msg_type_number_t count = 2;
    kern_return_t kr;

    kr = clash(SERVER, bytes, 2, "abc", 3, 1, 10, 100, &result, head, &count);
    return rpc_note(kr, count == 2 && head[1] == 8 && result == 114);
}

static kern_return_t
call_pairs(void)
{
    mach_port_t ports[3] = { 4, 5, 6 }, ports_out[4] = { 0 };
    int keys[3] = { 1, 2, 3 }, keys_out[4] = { 0 };
    mach_msg_type_number_t count = 4;
    kern_return_t kr;

    kr = pairs(SERVER, keys, 3, ports, keys_out, &count, ports_out);
    return rpc_note(kr, count == 3 && keys_out[2] == 6 && ports_out[2] == 3 &&
                            ports_out[3] == 0);
}

static kern_return_t
call_exchange(void)
{
    mach_port_t port = 0x31;
    kern_return_t kr;

    kr = exchange(SERVER, &port);
    return rpc_note(kr, port == 0x131);
}

static kern_return_t
call_memory(void)
{
    static int page[1024], few[16];
    mach_msg_type_number_t data_outCnt = 0, choice_outCnt = 0;
    vm_address_t data_out = 0, choice_out = 0, page_out = 0;
    vm_address_t few_address = (uintptr_t)few;
    kern_return_t kr;

    kr = memory(SERVER, 0x1000, 3, 0x2000, 4, 0x4000, 5, TRUE, (uintptr_t)page,
                few_address, 6, &data_out, &data_outCnt, &choice_out,
                &choice_outCnt, &page_out);
    return rpc_note(kr, data_out == 0x7000 + few_address && data_outCnt == 18 &&
                            choice_out == 0x4000 && choice_outCnt == 5 &&
                            page_out != 0);
}

static kern_return_t
call_loose(void)
{
    static int data[3] = { 1, 2, 3 };
    kern_return_t kr;
    int sum = 0;

    kr = loose(SERVER, (uintptr_t)data, 3, &sum);
    return rpc_note(kr, sum == 6);
}

static kern_return_t
call_memory_rights(void)
{
    static mach_port_t ports[2] = { 1, 2 }, moved[1] = { 3 };
    static mach_port_t three[3] = { 4, 5, 6 };
    mach_msg_type_number_t count = 0;
    mach_port_array_t out = NULL;
    kern_return_t kr;

    kr = memory_rights(SERVER, ports, 2, moved, 1, three, &out, &count);
    return rpc_note(kr, kr == KERN_SUCCESS && count == 3 && out[0] == 6);
}

static kern_return_t
call_translated(void)
{
    int n = 0, both = 5;
    mach_port_t another = 0;
    kern_return_t kr;

    kr = translated(SERVER, 0x55, 3, &another, &n, &both);
    return rpc_note(kr, another == 0x55 && n == 5 && both == 8);
}

static kern_return_t
call_parked(void)
{
    kern_return_t kr;
    int y = 0;

    kr = parked(SERVER, 1, &y);
    return rpc_note(kr, y == 2 && rpc_seen_reply == RPC_REPLY_PORT &&
                            rpc_seen_poly == MACH_MSG_TYPE_PORT_SEND_ONCE);
}

static kern_return_t
call_own_reply(void)
{
    kern_return_t kr;
    int y = 0;

    kr = own_reply(SERVER, 0x999, 1, &y);
    return rpc_note(kr, y == 2 && rpc_seen_reply == 0x999 &&
                            rpc_record.rcv_name == 0x999);
}

static kern_return_t
call_post(void)
{
    return rpc_note(post(SERVER, 1), true);
}

static kern_return_t
call_post_reply(void)
{
    kern_return_t kr;

    kr = post_reply(SERVER, 0x888, 1);
    return rpc_note(kr, rpc_seen_reply == 0x888 &&
                            rpc_seen_poly == MACH_MSG_TYPE_PORT_SEND_ONCE);
}

static kern_return_t
call_patient(void)
{
    kern_return_t kr;
    int y = 0;

    kr = patient(SERVER, 250, MACH_RCV_INTERRUPT, 1, &y);
    return rpc_note(kr,
                    y == 2 && rpc_record.timeout == 250 &&
                        rpc_record.option ==
                            (MACH_SEND_MSG | MACH_RCV_MSG | MACH_SEND_TIMEOUT |
                             MACH_RCV_TIMEOUT | MACH_RCV_INTERRUPT));
}

static kern_return_t
call_numbered(void)
{
    kern_return_t kr;
    int y = 0;

    kr = numbered(SERVER, 1, &y);
    return rpc_note(kr, y == 2 && rpc_seen_seqno == 77);
}

static kern_return_t
call_who(void)
{
    security_token_t peer = { { 0, 0 } };
    kern_return_t kr;
    int y = 0;

    kr = who(SERVER, &peer, 1, &y);
    return rpc_note(kr, y == 7 && peer.val[0] == 5 && peer.val[1] == 6);
}

static kern_return_t
call_poly_server(void)
{
    kern_return_t kr;
    int y = 0;

    kr = poly_server(SERVER, MACH_MSG_TYPE_MOVE_SEND_ONCE, 1, &y);
    return rpc_note(kr,
                    y == 2 && rpc_seen_poly == MACH_MSG_TYPE_PORT_SEND_ONCE);
}

static kern_return_t
call_rows(void)
{
    static int one[2], two[3];
    static mach_port_t ports[1];
    const vm_address_t row[2] = { 0x1000, 0x2000 };
    mach_msg_type_number_t row_sizes[2] = { 5, 6 }, some_sizes[2] = { 2, 3 };
    mach_port_array_t rights[2] = { ports, ports };
    mach_msg_type_number_t right_counts[2] = { 1, 1 };
    const vm_address_t pages[2] = { 0x8000, 0x9000 };
    mach_msg_type_number_t row_out_sizes[2], some_out_sizes[3], count = 3;
    void *some[2] = { one, two }, *some_out[3];
    vm_address_t row_out[2];
    kern_return_t kr;

    kr = rows(SERVER, row, row_sizes, some, 2, some_sizes, rights, right_counts,
              pages, row_out, row_out_sizes, some_out, &count, some_out_sizes);
    return rpc_note(kr, kr == KERN_SUCCESS && row_out[0] == 0xb000 &&
                            row_out_sizes[0] == 7 && row_out[1] == 0x1000 &&
                            row_out_sizes[1] == 5 && count == 2 &&
                            some_out[0] == two && some_out_sizes[0] == 3 &&
                            some_out[1] == one && some_out_sizes[1] == 2);
}

static kern_return_t
call_natives(void)
{
    struct odd odd = { "abcdef" }, more = { "x" }, sum;
    point_t point = { 1, 2, 3 }, twice = { 10, 20, 30 };
    kern_return_t kr;
    int tail = 0;

    memset(&sum, 0, sizeof(sum));
    kr = natives(SERVER, 4, &point, odd, &more, NULL, 8, &sum, &twice, &tail);
    return rpc_note(kr, sum.bytes[0] == 7 && sum.bytes[1] == 'c' &&
                            twice.x == 20 && twice.y == 20 && twice.z == 90 &&
                            tail == 9);
}

static kern_return_t
call_audited(void)
{
    audit_token_t peer;
    kern_return_t kr;
    int y = 0;

    memset(&peer, 0, sizeof(peer));
    kr = audited(SERVER, &peer, 1, &y);
    return rpc_note(kr, y == 18 && peer.val[0] == 10 && peer.val[7] == 17);
}

static kern_return_t
call_audited_there(void)
{
    security_token_t mine = { { 0, 0 } };
    audit_token_t own;
    kern_return_t kr;
    int y = 0;

    memset(&own, 0, sizeof(own));
    kr = audited_there(SERVER, &mine, &own, 1, &y);
    return rpc_note(kr, y == 17 && mine.val[0] == 5 && own.val[7] == 17);
}

static kern_return_t
call_bound(void)
{
    kern_return_t kr;
    int y = 0;

    kr = bound(SERVER, 1, 0x40, &y);
    return rpc_note(kr, y == 0x41);
}

static kern_return_t
call_done(void)
{
    static int words[2] = { 100, 200 };
    kern_return_t kr;

    kr = done(SERVER, KERN_SUCCESS, 0x1000, 10, words, 2, 1000);
    return rpc_note(kr,
                    rpc_seen_code == KERN_SUCCESS && rpc_seen_number == 1111);
}

static kern_return_t
call_done_simple(void)
{
    kern_return_t kr;

    kr = done_simple(SERVER, KERN_SUCCESS, "path", 1000);
    return rpc_note(kr,
                    rpc_seen_code == KERN_SUCCESS && rpc_seen_number == 1004);
}

static kern_return_t
call_post_right(void)
{
    return rpc_note(post_right(SERVER, 0x66), true);
}

static kern_return_t
call_kernel_only(void)
{
    return rpc_note(usr_kernel_only(SERVER, 1), true);
}

const struct rpc_call rpc_calls[] = {
    { "add", call_add, false, false, false, 0, false },
    { "nothing", call_nothing, false, false, false, 0, false },
    { "scalars", call_scalars, false, false, false, 0, false },
    { "structs", call_structs, false, false, false, 0, false },
    { "fixed", call_fixed, false, false, false, 0, false },
    { "variable", call_variable, false, false, false, 0, false },
    { "counted", call_counted, false, false, false, 0, false },
    { "shared_count", call_shared_count, false, false, false, 0, false },
    { "strings", call_strings, false, false, false, 0, false },
    { "rights", call_rights, false, false, false, 6, false },
    { "right_arrays", call_right_arrays, false, false, false, 6, false },
    { "clash", call_clash, false, false, false, 0, false },
    { "pairs", call_pairs, false, false, false, 3, false },
    { "exchange", call_exchange, false, false, false, 1, false },
    { "memory", call_memory, false, false, false, 5, false },
    { "loose", call_loose, false, false, false, 0, true },
    { "memory_rights", call_memory_rights, false, false, false, 3, false },
    { "rows", call_rows, false, false, false, 8, false },
    { "natives", call_natives, false, false, false, 0, false },
    { "translated", call_translated, false, false, false, 1, false },
    { "parked", call_parked, false, false, false, 0, false },
    { "own_reply", call_own_reply, false, false, false, 0, false },
    { "post", call_post, true, false, false, 0, false },
    { "post_reply", call_post_reply, true, false, false, 0, false },
    { "patient", call_patient, false, false, false, 0, false },
    { "numbered", call_numbered, false, false, true, 0, false },
    { "who", call_who, false, false, true, 0, false },
    { "audited", call_audited, false, false, true, 0, false },
    { "audited_there", call_audited_there, false, false, true, 0, false },
    { "bound", call_bound, false, false, false, 1, false },
    { "done", call_done, true, false, false, 1, false },
    { "done_simple", call_done_simple, true, false, false, 0, false },
    { "poly_server", call_poly_server, false, false, false, 0, false },
    { "post_right", call_post_right, true, false, false, 1, false },
    { "kernel_only", call_kernel_only, true, true, false, 0, false },
};

const unsigned int rpc_call_count = sizeof(rpc_calls) / sizeof(rpc_calls[0]);
