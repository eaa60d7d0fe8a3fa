/* SPDX-License-Identifier: MIT */
/*
 * migcom as a function of bytes, for libFuzzer: the text is compiled and all
 * outputs are generated, into memory. The first byte chooses the options.
 */

#include <stddef.h>
#include <stdint.h>

#include "compile.h"
#include "options.h"
#include "pool.h"
#include "source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t choice;

    if (size == 0) {
        return 0;
    }

    choice = data[0];
    options = (struct options){
        .user_file = "user.c",
        .server_file = "server.c",
        .user_header = "user.h",
        .server_header = (choice & 1) ? "server.h" : NULL,
        .internal_header = "internal.h",
        .defines_header = "defines.h",
        .list_file = "list",
        .json_file = "json",
        .split_prefix = (choice & 2) ? "split_" : NULL,
        .prefix = "",
        .runtime_prefix = (choice & 4) ? "__" : "",
        .default_files = true,
        .ndr = (choice & 8) != 0,
        .symbols = (choice & 16) != 0,
        .two_traps = (choice & 32) != 0,
        .split_headers = (choice & 64) != 0,
        .counted = (choice & 64) != 0,
        .stack_limit = (choice & 128) ? 64 : 0,
        .descriptor_limit = { 256, 256 },
    };
    source_set((const char *)data + 1, size - 1);
    (void)compile_source();
    pool_fini();
    return 0;
}
