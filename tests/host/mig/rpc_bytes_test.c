/* SPDX-License-Identifier: MIT */
/*
 * Hazard 14: no byte of a message is left over from something else. Each call
 * is made twice, with another pattern on the stack and in the reply buffer,
 * and both messages must be the same, byte for byte.
 */

#include <string.h>

#include "rpc_calls.h"
#include "rpc_functions.h"
#include "rpc_kernel.h"
#include "tap.h"

#define STACK_SIZE 32768

/* Leave a pattern where the stub's frame is going to be. */
static __attribute__((noinline, no_sanitize("address"))) void
scribble(int byte)
{
    char stack[STACK_SIZE];

    memset(stack, byte, sizeof(stack));
    __asm__ volatile("" : : "r"(stack) : "memory");
}

static void
run(const struct rpc_call *call, unsigned char pattern, bool silent,
    struct rpc_record *record)
{
    rpc_reset();
    memset(&rpc_server_wish, 0, sizeof(rpc_server_wish));
    rpc_wish.from_kernel = call->from_kernel;
    rpc_wish.fill = pattern;
    rpc_server_wish.silent = silent;
    scribble(pattern);
    (void)call->call();
    *record = rpc_record;
}

/* The header is rewritten by the kernel, but there is nothing to hide. */
static bool
same(const unsigned char *a, const unsigned char *b, size_t size)
{
    size_t i;

    for (i = 0; i < size; i++) {
        if (a[i] != b[i]) {
            printf("# byte %zu: 0x%02x, then 0x%02x\n", i, a[i], b[i]);
            return false;
        }
    }

    return true;
}

int
main(void)
{
    static struct rpc_record first, second;
    const struct rpc_call *call;
    unsigned int i;

    for (i = 0; i < rpc_call_count; i++) {
        call = &rpc_calls[i];
        run(call, 0xaa, false, &first);
        run(call, 0x55, false, &second);
        is(first.sent_size, second.sent_size, "%s: same size", call->name);
        ok(same(first.sent, second.sent, first.sent_size),
           "%s: the request holds nothing else", call->name);
        ok(same(first.reply, second.reply, first.reply_size),
           "%s: the reply holds nothing else", call->name);

        run(call, 0xaa, true, &first);
        run(call, 0x55, true, &second);
        ok(first.reply_size == second.reply_size &&
               same(first.reply, second.reply, first.reply_size),
           "%s: nor if the function sets no result", call->name);
    }

    return tap_done();
}
