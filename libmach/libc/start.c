/* SPDX-License-Identifier: MIT */
/* From the first stack to main, and the end. */

#include <stdlib.h>
#include <unistd.h>

#include <mach/mach.h>

int main(int argc, char **argv, char **envp);
void __libc_init_array(void);
_Noreturn void machc_start(long *stack);

void
machc_start(long *stack)
{
    int argc = (int)stack[0];
    char **argv = (char **)&stack[1];

    mach_init();
    environ = argv + argc + 1;
    __libc_init_array();
    exit(main(argc, argv, environ));
}

/* A task has no exit status: whoever watches it sees only that it ended. */
void
_exit(int status)
{
    (void)status;

    for (;;) {
        (void)task_terminate(mach_task_self());
    }
}
