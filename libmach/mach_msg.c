/* SPDX-License-Identifier: MIT */
/*
 * mach_msg: the trap, begun again when it was interrupted, unless the caller
 * wants to hear of interruptions. When the send half is done and the receive
 * half was interrupted, only the receive half is repeated.
 */

#include <mach/mach_traps.h>
#include <mach/message.h>

static uint64_t
mach_msg_pack(uint32_t low, uint32_t high)
{
    return low | ((uint64_t)high << 32);
}

mach_msg_return_t
mach_msg_overwrite(mach_msg_header_t *msg, mach_msg_option_t option,
                   mach_msg_size_t send_size, mach_msg_size_t rcv_size,
                   mach_port_name_t rcv_name, mach_msg_timeout_t timeout,
                   mach_port_name_t notify, mach_msg_header_t *rcv_msg)
{
    uint64_t sizes, names;
    mach_msg_return_t mr;

    sizes = mach_msg_pack(send_size, rcv_size);
    names = mach_msg_pack(rcv_name, notify);

    mr = mach_msg_trap(msg, option, sizes, names, timeout, rcv_msg);

    if (mr == MACH_MSG_SUCCESS) {
        return mr;
    }

    if ((option & MACH_SEND_INTERRUPT) == 0) {
        while (mr == MACH_SEND_INTERRUPTED) {
            mr = mach_msg_trap(msg, option, sizes, names, timeout, rcv_msg);
        }
    }

    if ((option & MACH_RCV_INTERRUPT) == 0) {
        while (mr == MACH_RCV_INTERRUPTED) {
            mr = mach_msg_trap(msg, option & ~MACH_SEND_MSG,
                               mach_msg_pack(0, rcv_size), names, timeout,
                               rcv_msg);
        }
    }

    return mr;
}

mach_msg_return_t
mach_msg(mach_msg_header_t *msg, mach_msg_option_t option,
         mach_msg_size_t send_size, mach_msg_size_t rcv_size,
         mach_port_name_t rcv_name, mach_msg_timeout_t timeout,
         mach_port_name_t notify)
{
    return mach_msg_overwrite(msg, option, send_size, rcv_size, rcv_name,
                              timeout, notify, NULL);
}
