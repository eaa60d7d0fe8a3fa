/* SPDX-License-Identifier: MIT */
/*
 * Copies of one message for the fast path: the header's three words in
 * registers, the rest by string moves. They do not wait for pages and may run
 * with interrupts off and spin locks held.
 */

#ifndef MACHINE_COPY_MESSAGE_H
#define MACHINE_COPY_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include <kern/macros.h>
#include <mach/vm_types.h>

#define COPY_SMAP_SITE(instruction)                                            \
    "7790: " instruction "\n\t.pushsection .smap_table, \"a\"\n\t"             \
    ".balign 8\n\t.quad 7790b\n\t.popsection\n\t"

#define COPY_FIXUP(at, label)                                                  \
    "\n\t.pushsection .fixup_table, \"a\"\n\t.balign 8\n\t.quad " at           \
    ", " label ", 0\n\t.popsection\n\t"

/* The kernel's half begins at the sign; what is not canonical faults. */
static ALWAYS_INLINE bool
copy_message_range(vm_offset_t address)
{
    return (int64_t)address >= 0;
}

static ALWAYS_INLINE void
copy_message_close(void)
{
    __asm__ volatile(COPY_SMAP_SITE("clac")::: "memory");
}

/* The header at `from` into words. False if a page is not there. */
static ALWAYS_INLINE MUST_CHECK bool
copyin_header(vm_offset_t from, uint64_t *word0, uint64_t *word1,
              uint64_t *word2)
{
    uint64_t first, second, third;

    /* clang-format off */
    __asm__ volatile goto(COPY_SMAP_SITE("stac")
                 "1: movq (%[from]), %[first]\n\t"
                 "2: movq 8(%[from]), %[second]\n\t"
                 "3: movq 16(%[from]), %[third]\n\t"
                 COPY_SMAP_SITE("clac")
                 COPY_FIXUP("1b", "%l[fault]")
                 COPY_FIXUP("2b", "%l[fault]")
                 COPY_FIXUP("3b", "%l[fault]")
                 : [first] "=&r"(first), [second] "=&r"(second),
                   [third] "=&r"(third)
                 : [from] "r"(from)
                 : "memory", "cc"
                 : fault);
    /* clang-format on */
    *word0 = first;
    *word1 = second;
    *word2 = third;
    return true;

fault:
    copy_message_close();
    return false;
}

/*
 * The header at `from` into words, `size` bytes behind it, a multiple of 4
 * that may be 0, to `data`. False if a page is not there.
 */
static ALWAYS_INLINE MUST_CHECK bool
copyin_message(vm_offset_t from, uint64_t *word0, uint64_t *word1,
               uint64_t *word2, void *data, uint32_t size)
{
    uint64_t first, second, third;
    uint64_t source = from + 24, count = size >> 3;
    void *target = data;

    /* clang-format off */
    __asm__ volatile goto(COPY_SMAP_SITE("stac")
                 "1: movq (%[from]), %[first]\n\t"
                 "2: movq 8(%[from]), %[second]\n\t"
                 "3: movq 16(%[from]), %[third]\n\t"
                 "4: rep movsq\n\t"
                 "testb $4, %b[size]\n\t"
                 "jz 6f\n\t"
                 "5: movsl\n\t"
                 "6: "
                 COPY_SMAP_SITE("clac")
                 COPY_FIXUP("1b", "%l[fault]")
                 COPY_FIXUP("2b", "%l[fault]")
                 COPY_FIXUP("3b", "%l[fault]")
                 COPY_FIXUP("4b", "%l[fault]")
                 COPY_FIXUP("5b", "%l[fault]")
                 : [first] "=&r"(first), [second] "=&r"(second),
                   [third] "=&r"(third), "+S"(source), "+D"(target),
                   "+c"(count)
                 : [from] "r"(from), [size] "q"(size)
                 : "memory", "cc"
                 : fault);
    /* clang-format on */
    *word0 = first;
    *word1 = second;
    *word2 = third;
    return true;

fault:
    copy_message_close();
    return false;
}

/* The reverse; the data may hold the trailer too. */
static ALWAYS_INLINE MUST_CHECK bool
copyout_message(vm_offset_t to, uint64_t word0, uint64_t word1, uint64_t word2,
                const void *data, uint32_t size)
{
    uint64_t target = to + 24, count = size >> 3;
    const void *source = data;

    /* clang-format off */
    __asm__ volatile goto(COPY_SMAP_SITE("stac")
                 "1: movq %[first], (%[to])\n\t"
                 "2: movq %[second], 8(%[to])\n\t"
                 "3: movq %[third], 16(%[to])\n\t"
                 "4: rep movsq\n\t"
                 "testb $4, %b[size]\n\t"
                 "jz 6f\n\t"
                 "5: movsl\n\t"
                 "6: "
                 COPY_SMAP_SITE("clac")
                 COPY_FIXUP("1b", "%l[fault]")
                 COPY_FIXUP("2b", "%l[fault]")
                 COPY_FIXUP("3b", "%l[fault]")
                 COPY_FIXUP("4b", "%l[fault]")
                 COPY_FIXUP("5b", "%l[fault]")
                 : "+S"(source), "+D"(target), "+c"(count)
                 : [first] "r"(word0), [second] "r"(word1),
                   [third] "r"(word2), [to] "r"(to), [size] "q"(size)
                 : "memory", "cc"
                 : fault);
    /* clang-format on */
    return true;

fault:
    copy_message_close();
    return false;
}

/* One number, such as a name. */
static inline MUST_CHECK bool
copyout_number(vm_offset_t to, uint32_t number)
{
    /* clang-format off */
    __asm__ volatile goto(COPY_SMAP_SITE("stac")
                 "1: movl %[number], (%[to])\n\t"
                 COPY_SMAP_SITE("clac")
                 COPY_FIXUP("1b", "%l[fault]")
                 :
                 : [number] "r"(number), [to] "r"(to)
                 : "memory", "cc"
                 : fault);
    /* clang-format on */
    return true;

fault:
    copy_message_close();
    return false;
}

#endif /* MACHINE_COPY_MESSAGE_H */
