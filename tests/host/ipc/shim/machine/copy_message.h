/* SPDX-License-Identifier: MIT */
/* Copies of one message, made of the environment's plain ones. */

#ifndef MACHINE_COPY_MESSAGE_H
#define MACHINE_COPY_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include <kern/macros.h>
#include <mach/vm_types.h>
#include <machine/copy.h>

#define MESSAGE_HEADER_SIZE (3 * sizeof(uint64_t))

static inline bool
copy_message_range(vm_offset_t address)
{
    return (int64_t)address >= 0;
}

static inline MUST_CHECK bool
copyin_header(vm_offset_t from, uint64_t *word0, uint64_t *word1,
              uint64_t *word2)
{
    return copyin(from, word0, sizeof(*word0)) &&
           copyin(from + 8, word1, sizeof(*word1)) &&
           copyin(from + 16, word2, sizeof(*word2));
}

static inline MUST_CHECK bool
copyin_message(vm_offset_t from, uint64_t *word0, uint64_t *word1,
               uint64_t *word2, void *data, uint32_t size)
{
    uint64_t words[3];

    if (!copyin_quick(from, words, sizeof(words)) ||
        (size != 0 && !copyin_quick(from + MESSAGE_HEADER_SIZE, data, size))) {
        return false;
    }

    *word0 = words[0];
    *word1 = words[1];
    *word2 = words[2];
    return true;
}

static inline MUST_CHECK bool
copyout_message(vm_offset_t to, uint64_t word0, uint64_t word1, uint64_t word2,
                const void *data, uint32_t size)
{
    const uint64_t words[3] = { word0, word1, word2 };

    return copyout_quick(words, to, sizeof(words)) &&
           (size == 0 || copyout_quick(data, to + MESSAGE_HEADER_SIZE, size));
}

static inline MUST_CHECK bool
copyout_number(vm_offset_t to, uint32_t number)
{
    return copyout_quick(&number, to, sizeof(number));
}

#endif /* MACHINE_COPY_MESSAGE_H */
