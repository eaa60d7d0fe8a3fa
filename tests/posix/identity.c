/* SPDX-License-Identifier: MIT */
/*
 * Who the kernel says a process is, in what it sends: the Unix server tells
 * it at fork, exec and whenever an id changes.
 */

#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <mach/mach.h>

#include "tap.h"

/* The trailer of a message to oneself. */
static int
tokens(security_token_t *security, audit_token_t *audit)
{
    struct {
        mach_msg_header_t head;
        mach_msg_audit_trailer_t trailer;
    } m;
    mach_port_t port;
    mach_msg_return_t mr;

    memset(&m, 0, sizeof(m));

    if (mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_RECEIVE, &port) !=
        KERN_SUCCESS) {
        return -1;
    }

    m.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MAKE_SEND, 0);
    m.head.msgh_remote_port = port;
    mr = mach_msg(&m.head,
                  MACH_SEND_MSG | MACH_RCV_MSG |
                      MACH_RCV_TRAILER_ELEMENTS(MACH_RCV_TRAILER_AUDIT),
                  sizeof(m.head), sizeof(m), port, 0, 0);
    (void)mach_port_destroy(mach_task_self(), port);
    *security = m.trailer.msgh_sender;
    *audit = m.trailer.msgh_audit;
    return mr == MACH_MSG_SUCCESS ? 0 : -1;
}

/* 0 if the kernel says of this process what it says of itself. */
static int
differs(void)
{
    security_token_t security;
    audit_token_t audit;

    return tokens(&security, &audit) != 0 || security.val[0] != geteuid() ||
           security.val[1] != getegid() || audit.val[1] != geteuid() ||
           audit.val[2] != getegid() || audit.val[3] != getuid() ||
           audit.val[4] != getgid() || audit.val[5] != (unsigned)getpid() ||
           audit.val[6] != (unsigned)getsid(0);
}

static int
change_ids(void)
{
    if (differs() || setsid() < 0 || differs()) {
        return 1;
    }

    if (setegid(100) != 0 || differs() || seteuid(1000) != 0 || differs()) {
        return 2;
    }

    if (seteuid(0) != 0 || differs() || setgid(7) != 0 || differs()) {
        return 3;
    }

    return setuid(5) != 0 || differs() ? 4 : 0;
}

static int
child_status(int (*function)(void))
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0) {
        _exit(function());
    }

    return waitpid(pid, &status, 0) == pid ? status : -1;
}

static const char *own_path;

/* A program of another user's, with its bit set. */
static int
exec_setuid(void)
{
    char *arguments[] = { (char *)own_path, (char *)"differs", NULL };

    if (chown(own_path, 1000, 100) != 0 || chmod(own_path, 06755) != 0 ||
        setgid(8) != 0 || setuid(9) != 0) {
        return 10;
    }

    (void)execv(own_path, arguments);
    return 11;
}

int
main(int argc, char **argv)
{
    if (argc == 2) {
        return differs() || geteuid() != 1000 || getegid() != 100 ||
               getuid() != 9;
    }

    own_path = argv[0];
    ok(!differs(), "the program's own ids");
    ok(child_status(differs) == 0, "a child's");
    ok(child_status(change_ids) == 0, "a child's that change");
    ok(child_status(exec_setuid) == 0, "those that a program brings");
    ok(chmod(own_path, 0755) == 0, "take the bits away");
    return tap_done();
}
