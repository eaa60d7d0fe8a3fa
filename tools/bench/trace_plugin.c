/* SPDX-License-Identifier: MIT */
/*
 * A plugin of QEMU that writes down which instructions the guest executes
 * between two marks (marks.h): the first opens a window, the second closes it.
 * The output file gets a line `window` for each, and then the addresses in the
 * order of their execution, in hexadecimal, one to a line. What the guest does
 * outside costs little.
 *
 *     -plugin trace_plugin.so,output=FILE
 *
 * QEMU's plugin interface is a few functions; the header that declares them is
 * in no package, so those that are needed are declared here.
 */

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "marks.h"

#define EXPORT __attribute__((visibility("default")))

typedef uint64_t qemu_plugin_id_t;
struct qemu_info;
struct qemu_plugin_tb;
struct qemu_plugin_insn;

enum {
    QEMU_PLUGIN_CB_NO_REGS
};

typedef void (*tb_fn_t)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
typedef void (*insn_fn_t)(unsigned int cpu, void *data);

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, tb_fn_t fn);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *
qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t index);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
void
qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
                                       insn_fn_t fn, int flags, void *data);

EXPORT int qemu_plugin_version = 1;
EXPORT int
qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc,
                    char **argv);

static FILE *output;
static bool open;

static void
execute(unsigned int cpu, void *data)
{
    (void)cpu;

    if (open) {
        fprintf(output, "%" PRIx64 "\n", (uint64_t)(uintptr_t)data);
    }
}

static void
execute_begin(unsigned int cpu, void *data)
{
    (void)cpu;
    (void)data;
    fprintf(output, "window\n");
    open = true;
}

static void
execute_end(unsigned int cpu, void *data)
{
    (void)cpu;
    (void)data;
    open = false;
    fflush(output);
}

static bool
is_mark(const struct qemu_plugin_insn *insn, uint32_t value)
{
    unsigned char mark[MARK_SIZE] = MARK_PREFIX;

    memcpy(mark + MARK_SIZE - sizeof(value), &value, sizeof(value));
    return qemu_plugin_insn_size(insn) == MARK_SIZE &&
           memcmp(qemu_plugin_insn_data(insn), mark, MARK_SIZE) == 0;
}

static void
translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    size_t count = qemu_plugin_tb_n_insns(tb);

    (void)id;

    for (size_t i = 0; i < count; i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        uint64_t address = qemu_plugin_insn_vaddr(insn);
        insn_fn_t fn = is_mark(insn, MARK_BEGIN) ? execute_begin
                       : is_mark(insn, MARK_END) ? execute_end
                                                 : execute;

        qemu_plugin_register_vcpu_insn_exec_cb(insn, fn, QEMU_PLUGIN_CB_NO_REGS,
                                               (void *)(uintptr_t)address);
    }
}

int
qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc,
                    char **argv)
{
    (void)info;

    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "output=", 7) == 0) {
            output = fopen(argv[i] + 7, "w");
        }
    }

    if (output == NULL) {
        fprintf(stderr, "trace_plugin: no output\n");
        return -1;
    }

    qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
    return 0;
}
