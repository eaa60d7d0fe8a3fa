/* SPDX-License-Identifier: MIT */
/*
 * mach_msg: the trap, begun again when it was interrupted, unless the caller
 * wants to hear of interruptions.
 */

#include <mach/mach_traps.h>
#include <mach/message.h>

mach_msg_return_t
mach_msg_again(mach_msg_return_t mr, mach_msg_header_t *msg,
               mach_msg_option_t option, mach_msg_size_t send_size,
               mach_msg_size_t rcv_size, mach_port_name_t rcv_name,
               mach_msg_timeout_t timeout, mach_port_name_t notify,
               mach_msg_header_t *rcv_msg)
{
    uint64_t sizes, names;

    sizes = MACH_MSG_TRAP_PAIR(send_size, rcv_size);
    names = MACH_MSG_TRAP_PAIR(rcv_name, notify);

    if ((option & MACH_SEND_INTERRUPT) == 0) {
        while (mr == MACH_SEND_INTERRUPTED) {
            mr = mach_msg_trap(msg, option, sizes, names, timeout, rcv_msg);
        }
    }

    if ((option & MACH_RCV_INTERRUPT) == 0) {
        option &= ~MACH_SEND_MSG;
        sizes = MACH_MSG_TRAP_PAIR(0, rcv_size);

        while (mr == MACH_RCV_INTERRUPTED) {
            mr = mach_msg_trap(msg, option, sizes, names, timeout, rcv_msg);
        }
    }

    return mr;
}

mach_msg_return_t
mach_msg_overwrite(mach_msg_header_t *msg, mach_msg_option_t option,
                   mach_msg_size_t send_size, mach_msg_size_t rcv_size,
                   mach_port_name_t rcv_name, mach_msg_timeout_t timeout,
                   mach_port_name_t notify, mach_msg_header_t *rcv_msg)
{
    mach_msg_return_t mr;

    mr = mach_msg_trap(msg, option, MACH_MSG_TRAP_PAIR(send_size, rcv_size),
                       MACH_MSG_TRAP_PAIR(rcv_name, notify), timeout, rcv_msg);

    if (mr == MACH_MSG_SUCCESS) {
        return mr;
    }

    return mach_msg_again(mr, msg, option, send_size, rcv_size, rcv_name,
                          timeout, notify, rcv_msg);
}

mach_msg_return_t
mach_msg(mach_msg_header_t *msg, mach_msg_option_t option,
         mach_msg_size_t send_size, mach_msg_size_t rcv_size,
         mach_port_name_t rcv_name, mach_msg_timeout_t timeout,
         mach_port_name_t notify)
{
    mach_msg_return_t mr;

    mr = mach_msg_trap(msg, option, MACH_MSG_TRAP_PAIR(send_size, rcv_size),
                       MACH_MSG_TRAP_PAIR(rcv_name, notify), timeout, NULL);

    if (mr == MACH_MSG_SUCCESS) {
        return mr;
    }

    return mach_msg_again(mr, msg, option, send_size, rcv_size, rcv_name,
                          timeout, notify, NULL);
}
