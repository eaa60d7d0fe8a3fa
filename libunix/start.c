/* SPDX-License-Identifier: MIT */
/*
 * The start of a program: what exec left on the stack, the first thread's
 * control block, constructors, main.
 */

#include <reent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "call.h"

mach_port_t unix_port = UNIX_PROCESS_PORT;
const struct unix_process_page *unix_page = (const void *)UNIX_PROCESS_PAGE;
const struct mach_clock_page *unix_clock = (const void *)UNIX_CLOCK_PAGE;
const unsigned char *unix_random;
bool unix_secure;

const char *__progname = "";

typedef int (*unix_main_fn_t)(int, char **, char **);

_Noreturn void unix_start(uint64_t *stack, unix_main_fn_t entry);
void __libc_init_array(void);
void __libc_fini_array(void);

static void
unix_start_auxv(const struct unix_auxv *auxv)
{
    for (; auxv->type != UNIX_AT_NULL; auxv++) {
        switch (auxv->type) {
        case UNIX_AT_SECURE:
            unix_secure = auxv->value != 0;
            break;
        case UNIX_AT_RANDOM:
            unix_random = (const unsigned char *)auxv->value;
            break;
        case UNIX_AT_PROCESS_PORT:
            unix_port = (mach_port_t)auxv->value;
            break;
        case UNIX_AT_PROCESS_PAGE:
            unix_page = (const void *)auxv->value;
            break;
        case UNIX_AT_CLOCK_PAGE:
            unix_clock = (const void *)auxv->value;
            break;
        default:
            break;
        }
    }
}

static void
unix_start_tcb(struct mach_tcb *mach)
{
    struct unix_tcb *tcb = (struct unix_tcb *)mach;

    tcb->slot = &unix_page->slot[0];
    tcb->altstack.ss_flags = SS_DISABLE;

    if (unix_random != NULL) {
        memcpy(&tcb->mach.canary, unix_random, sizeof(tcb->mach.canary));
        tcb->mach.canary &= ~0xffUL; /* a 0 byte stops string overruns */
    }
}

void
unix_start(uint64_t *stack, unix_main_fn_t entry)
{
    int argc = (int)stack[0];
    char **argv = (char **)(stack + 1);
    char **envp = argv + argc + 1;
    char **end = envp;
    const char *slash;

    while (*end != NULL) {
        end++;
    }

    unix_start_auxv((const struct unix_auxv *)(end + 1));
    mach_init_library(sizeof(struct unix_tcb), unix_start_tcb);

    (void)__getreent();

    environ = envp;

    if (argc > 0) {
        slash = strrchr(argv[0], '/');
        __progname = (slash != NULL) ? slash + 1 : argv[0];
    }

    atexit(__libc_fini_array);
    __libc_init_array();
    exit(entry(argc, argv, envp));
}
