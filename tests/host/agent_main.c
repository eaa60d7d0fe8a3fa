/* SPDX-License-Identifier: MIT */
/*
 * The run agent as a program of the host: standard input is both ends of the
 * channel; with an argument, that file is the script that stands for input.
 */

#include <fcntl.h>
#include <unistd.h>

#include "agent.h"

int
main(int argc, char **argv)
{
    if (argc > 1) {
        agent_serve(open(argv[1], O_RDONLY | O_CLOEXEC), STDIN_FILENO, true);
    } else {
        agent_serve(STDIN_FILENO, STDIN_FILENO, false);
    }

    return 0;
}
