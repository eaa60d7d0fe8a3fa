/* SPDX-License-Identifier: MIT */
/* Results as text: one table per family, searched in order. */

#include <device/device_types.h>
#include <mach/bootstrap_types.h>
#include <mach/kern_return.h>
#include <mach/mach_error.h>
#include <mach/message.h>
#include <mach/mig_errors.h>

struct mach_error_text {
    kern_return_t code;
    const char *text;
};

static const struct mach_error_text mach_error_texts[] = {
    { KERN_SUCCESS, "success" },
    { KERN_INVALID_ADDRESS, "invalid address" },
    { KERN_PROTECTION_FAILURE, "protection failure" },
    { KERN_NO_SPACE, "no space available" },
    { KERN_INVALID_ARGUMENT, "invalid argument" },
    { KERN_FAILURE, "failure" },
    { KERN_RESOURCE_SHORTAGE, "resource shortage" },
    { KERN_NOT_RECEIVER, "not receiver" },
    { KERN_NO_ACCESS, "no access" },
    { KERN_MEMORY_FAILURE, "memory failure" },
    { KERN_MEMORY_ERROR, "memory error" },
    { KERN_ALREADY_IN_SET, "already in the set" },
    { KERN_NOT_IN_SET, "not in the set" },
    { KERN_NAME_EXISTS, "name already in use" },
    { KERN_ABORTED, "aborted" },
    { KERN_INVALID_NAME, "invalid name" },
    { KERN_INVALID_TASK, "invalid task" },
    { KERN_INVALID_RIGHT, "invalid right" },
    { KERN_INVALID_VALUE, "invalid value" },
    { KERN_UREFS_OVERFLOW, "user references overflow" },
    { KERN_INVALID_CAPABILITY, "invalid capability" },
    { KERN_RIGHT_EXISTS, "right exists under another name" },
    { KERN_INVALID_HOST, "invalid host" },
    { KERN_MEMORY_PRESENT, "memory already present" },
    { KERN_INVALID_SECURITY, "invalid security port" },
    { KERN_INVALID_PROCESSOR_SET, "invalid processor set" },
    { KERN_POLICY_LIMIT, "policy limit exceeded" },
    { KERN_INVALID_POLICY, "invalid policy" },
    { KERN_INVALID_OBJECT, "invalid object" },
    { KERN_ALREADY_WAITING, "already waiting" },
    { KERN_DEFAULT_SET, "default set" },
    { KERN_TERMINATED, "object terminated" },
    { KERN_NOT_SUPPORTED, "not supported" },
    { KERN_NOT_WAITING, "not waiting" },
    { KERN_OPERATION_TIMED_OUT, "operation timed out" },
    { KERN_LIMIT_REACHED, "limit reached" },

    { MACH_SEND_INVALID_DATA, "send: invalid data" },
    { MACH_SEND_INVALID_DEST, "send: invalid destination" },
    { MACH_SEND_TIMED_OUT, "send: timed out" },
    { MACH_SEND_INTERRUPTED, "send: interrupted" },
    { MACH_SEND_MSG_TOO_SMALL, "send: message too small" },
    { MACH_SEND_INVALID_REPLY, "send: invalid reply port" },
    { MACH_SEND_INVALID_RIGHT, "send: invalid right" },
    { MACH_SEND_INVALID_NOTIFY, "send: invalid notify port" },
    { MACH_SEND_INVALID_MEMORY, "send: invalid memory" },
    { MACH_SEND_NO_BUFFER, "send: no buffer" },
    { MACH_SEND_TOO_LARGE, "send: message too large" },
    { MACH_SEND_INVALID_TYPE, "send: invalid descriptor" },
    { MACH_SEND_INVALID_HEADER, "send: invalid header" },
    { MACH_SEND_INVALID_TRAILER, "send: invalid trailer" },
    { MACH_RCV_INVALID_NAME, "receive: invalid name" },
    { MACH_RCV_TIMED_OUT, "receive: timed out" },
    { MACH_RCV_TOO_LARGE, "receive: message too large" },
    { MACH_RCV_INTERRUPTED, "receive: interrupted" },
    { MACH_RCV_PORT_CHANGED, "receive: port moved into a set" },
    { MACH_RCV_INVALID_NOTIFY, "receive: invalid notify port" },
    { MACH_RCV_INVALID_DATA, "receive: invalid buffer" },
    { MACH_RCV_PORT_DIED, "receive: port died" },
    { MACH_RCV_IN_SET, "receive: port is a member of a set" },
    { MACH_RCV_HEADER_ERROR, "receive: no room for the header's ports" },
    { MACH_RCV_BODY_ERROR, "receive: no room for what the body holds" },
    { MACH_RCV_SCATTER_SMALL, "receive: scatter list too small" },
    { MACH_RCV_INVALID_TRAILER, "receive: invalid trailer" },

    { MIG_TYPE_ERROR, "MIG: type check failed" },
    { MIG_REPLY_MISMATCH, "MIG: wrong reply id" },
    { MIG_REMOTE_ERROR, "MIG: remote error" },
    { MIG_BAD_ID, "MIG: no such routine" },
    { MIG_BAD_ARGUMENTS, "MIG: malformed request" },
    { MIG_NO_REPLY, "MIG: no reply" },
    { MIG_EXCEPTION, "MIG: exception" },
    { MIG_ARRAY_TOO_LARGE, "MIG: array too large" },
    { MIG_SERVER_DIED, "MIG: server died" },
    { MIG_TRAILER_ERROR, "MIG: bad trailer" },

    { BOOTSTRAP_NOT_PRIVILEGED, "bootstrap: not privileged" },
    { BOOTSTRAP_NAME_IN_USE, "bootstrap: name in use" },
    { BOOTSTRAP_UNKNOWN_SERVICE, "bootstrap: unknown service" },
    { BOOTSTRAP_SERVICE_ACTIVE, "bootstrap: service is checked in" },
    { BOOTSTRAP_BAD_NAME, "bootstrap: bad name" },
    { BOOTSTRAP_NO_MEMORY, "bootstrap: out of memory" },

    { D_IO_ERROR, "device: input/output error" },
    { D_WOULD_BLOCK, "device: would block" },
    { D_NO_SUCH_DEVICE, "device: no such device" },
    { D_ALREADY_OPEN, "device: already open" },
    { D_DEVICE_DOWN, "device: down" },
    { D_INVALID_OPERATION, "device: invalid operation" },
    { D_INVALID_RECNUM, "device: invalid record number" },
    { D_INVALID_SIZE, "device: invalid size" },
    { D_NO_MEMORY, "device: out of memory" },
    { D_READ_ONLY, "device: read only" },
};

static const char *
mach_error_find(kern_return_t code)
{
    size_t count = sizeof(mach_error_texts) / sizeof(mach_error_texts[0]);

    for (size_t i = 0; i < count; i++) {
        if (mach_error_texts[i].code == code) {
            return mach_error_texts[i].text;
        }
    }

    return NULL;
}

const char *
mach_error_string(kern_return_t code)
{
    const char *text = mach_error_find(code);

    if (text == NULL && (code & ~0x7fff) == 0x10000000) {
        /* A message result may say what was short. */
        text = mach_error_find(code & ~0x3c00);
    }

    return text != NULL ? text : "unknown error";
}
