/* SPDX-License-Identifier: MIT */
/* The routines of device.defs, on the open lines. */

#include <stdlib.h>
#include <string.h>

#include <device/device_server.h>
#include <mach/mach.h>

#include "device_object.h"
#include "serial.h"

static struct device_object device_master;

device_object_t
device_object_from_port(mach_port_t port)
{
    return port == device_master_port ? &device_master : NULL;
}

device_object_t
device_object_from_payload(uint64_t payload)
{
    return (device_object_t)payload;
}

/* Whether a request is for an open line. */
static boolean_t
is_open(device_object_t device)
{
    return device != NULL && device->serial != NULL;
}

/* A parked call is answered without waiting, which only a send-once right
 * promises. */
static kern_return_t
check_call(device_object_t device, natural_t mode, mach_msg_type_name_t type)
{
    if (!is_open(device)) {
        return D_NO_SUCH_DEVICE;
    }

    if ((device->mode & mode) == 0) {
        return D_INVALID_OPERATION;
    }

    return type == MACH_MSG_TYPE_PORT_SEND_ONCE ? KERN_SUCCESS
                                                : MIG_BAD_ARGUMENTS;
}

static kern_return_t
open_port(struct device_object *device)
{
    mach_port_t task = mach_task_self();
    mach_port_t previous;
    kern_return_t kr;

    kr = mach_port_allocate(task, MACH_PORT_RIGHT_RECEIVE, &device->port);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    kr = mach_port_set_protected_payload(task, device->port,
                                         (vm_offset_t)device);

    if (kr == KERN_SUCCESS) {
        kr = mach_port_move_member(task, device->port, device_port_set);
    }

    /* The reply makes the first send right: its count will be 1. */
    if (kr == KERN_SUCCESS) {
        kr = mach_port_request_notification(
            task, device->port, MACH_NOTIFY_NO_SENDERS, 1, device->port,
            MACH_MSG_TYPE_MAKE_SEND_ONCE, &previous);
    }

    if (kr != KERN_SUCCESS) {
        (void)mach_port_mod_refs(task, device->port, MACH_PORT_RIGHT_RECEIVE,
                                 -1);
    }

    return kr;
}

kern_return_t
ds_device_open(device_object_t master, dev_mode_t mode, dev_name_t name,
               mach_port_t *portp)
{
    struct serial *serial = device_find_serial(name);
    struct device_object *device;

    if (master != &device_master || serial == NULL || !serial->present) {
        return D_NO_SUCH_DEVICE;
    }

    if ((mode & (D_READ | D_WRITE)) == 0) {
        return D_INVALID_OPERATION;
    }

    device = malloc(sizeof(*device));

    if (device == NULL) {
        return D_NO_MEMORY;
    }

    device->serial = serial;
    device->mode = mode;

    if (open_port(device) != KERN_SUCCESS) {
        free(device);
        return D_NO_MEMORY;
    }

    *portp = device->port;
    return D_SUCCESS;
}

void
device_open_gone(device_object_t device)
{
    (void)mach_port_mod_refs(mach_task_self(), device->port,
                             MACH_PORT_RIGHT_RECEIVE, -1);
    free(device);
}

/* The port goes when its send rights do. */
kern_return_t
ds_device_close(device_object_t device)
{
    return is_open(device) ? D_SUCCESS : D_NO_SUCH_DEVICE;
}

static kern_return_t
write_call(device_object_t device, dev_mode_t mode, struct serial_call *call)
{
    struct serial *serial = device->serial;
    kern_return_t kr;

    if ((mode & D_NOWAIT) && serial->writers.count != 0) {
        return D_WOULD_BLOCK;
    }

    kr = serial_wait_write(serial, call);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    serial_work(serial);
    return MIG_NO_REPLY;
}

kern_return_t
ds_device_write(device_object_t device, mach_port_t reply_port,
                mach_msg_type_name_t reply_portPoly, dev_mode_t mode,
                recnum_t recnum, io_buf_ptr_t data,
                mach_msg_type_number_t dataCnt, io_buf_len_t *bytes_written)
{
    struct serial_call call = { .reply = reply_port,
                                .reply_type = reply_portPoly,
                                .data = (char *)data,
                                .size = dataCnt };
    kern_return_t kr = check_call(device, D_WRITE, reply_portPoly);

    (void)recnum;
    (void)bytes_written;
    return kr != KERN_SUCCESS ? kr : write_call(device, mode, &call);
}

kern_return_t
ds_device_write_inband(device_object_t device, mach_port_t reply_port,
                       mach_msg_type_name_t reply_portPoly, dev_mode_t mode,
                       recnum_t recnum, io_buf_ptr_inband_t data,
                       mach_msg_type_number_t dataCnt,
                       io_buf_len_t *bytes_written)
{
    struct serial_call call = { .reply = reply_port,
                                .reply_type = reply_portPoly,
                                .inband = TRUE,
                                .size = dataCnt };
    kern_return_t kr = check_call(device, D_WRITE, reply_portPoly);

    (void)recnum;
    (void)bytes_written;

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    call.data = malloc(dataCnt != 0 ? dataCnt : 1);

    if (call.data == NULL) {
        return D_NO_MEMORY;
    }

    memcpy(call.data, data, dataCnt);
    kr = write_call(device, mode, &call);

    if (kr != MIG_NO_REPLY) {
        free(call.data);
    }

    return kr;
}

/* Wait for input, or say that there is none. */
static kern_return_t
read_call(device_object_t device, dev_mode_t mode,
          const struct serial_call *call)
{
    kern_return_t kr;

    if (mode & D_NOWAIT) {
        return D_WOULD_BLOCK;
    }

    kr = serial_wait_read(device->serial, call);
    return kr != KERN_SUCCESS ? kr : MIG_NO_REPLY;
}

kern_return_t
ds_device_read(device_object_t device, mach_port_t reply_port,
               mach_msg_type_name_t reply_portPoly, dev_mode_t mode,
               recnum_t recnum, io_buf_len_t bytes_wanted, io_buf_ptr_t *data,
               mach_msg_type_number_t *dataCnt)
{
    struct serial_call call = { .reply = reply_port,
                                .reply_type = reply_portPoly,
                                .size = (size_t)bytes_wanted };
    kern_return_t kr = check_call(device, D_READ, reply_portPoly);
    vm_address_t region;
    size_t size;

    (void)recnum;

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    if (bytes_wanted <= 0) {
        return D_INVALID_SIZE;
    }

    size = call.size < SERIAL_BUFFER ? call.size : SERIAL_BUFFER;

    if (mig_allocate(&region, SERIAL_BUFFER) != KERN_SUCCESS) {
        return D_NO_MEMORY;
    }

    size = serial_take(device->serial, (char *)region, size);

    if (size == 0) {
        mig_deallocate(region, SERIAL_BUFFER);
        return read_call(device, mode, &call);
    }

    serial_work(device->serial);

    /* The reply takes whole pages away: free those after them. */
    mig_deallocate((region + size + PAGE_MASK) & ~PAGE_MASK,
                   SERIAL_BUFFER - ((size + PAGE_MASK) & ~PAGE_MASK));
    *data = region;
    *dataCnt = (mach_msg_type_number_t)size;
    return D_SUCCESS;
}

kern_return_t
ds_device_read_inband(device_object_t device, mach_port_t reply_port,
                      mach_msg_type_name_t reply_portPoly, dev_mode_t mode,
                      recnum_t recnum, io_buf_len_t bytes_wanted,
                      io_buf_ptr_inband_t data, mach_msg_type_number_t *dataCnt)
{
    struct serial_call call = { .reply = reply_port,
                                .reply_type = reply_portPoly,
                                .inband = TRUE,
                                .size = (size_t)bytes_wanted };
    kern_return_t kr = check_call(device, D_READ, reply_portPoly);
    size_t size;

    (void)recnum;

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    if (bytes_wanted <= 0) {
        return D_INVALID_SIZE;
    }

    size = call.size < IO_INBAND_MAX ? call.size : IO_INBAND_MAX;
    size = serial_take(device->serial, data, size);

    if (size == 0) {
        return read_call(device, mode, &call);
    }

    serial_work(device->serial);
    *dataCnt = (mach_msg_type_number_t)size;
    return D_SUCCESS;
}

kern_return_t
ds_device_set_status(device_object_t device, dev_flavor_t flavor,
                     dev_status_t status, mach_msg_type_number_t statusCnt)
{
    if (!is_open(device)) {
        return D_NO_SUCH_DEVICE;
    }

    if (flavor != TTY_FLUSH) {
        return D_INVALID_OPERATION;
    }

    if (statusCnt != TTY_FLUSH_COUNT) {
        return D_INVALID_SIZE;
    }

    serial_flush(device->serial, (unsigned int)status[0]);
    return D_SUCCESS;
}

static size_t
get_tty_status(struct serial *serial, integer_t *status)
{
    struct tty_status tty = {
        .speed = UART_SPEED,
        .modem = (integer_t)uart_modem(&serial->uart),
        .overruns = (integer_t)serial->uart.overruns,
    };

    memcpy(status, &tty, sizeof(tty));
    return TTY_STATUS_COUNT;
}

kern_return_t
ds_device_get_status(device_object_t device, dev_flavor_t flavor,
                     dev_status_t status, mach_msg_type_number_t *statusCnt)
{
    integer_t words[DEV_STATUS_MAX];
    size_t count;

    if (!is_open(device)) {
        return D_NO_SUCH_DEVICE;
    }

    switch (flavor) {
    case DEV_GET_SIZE:
        words[DEV_GET_SIZE_DEVICE_SIZE] = 0;
        words[DEV_GET_SIZE_RECORD_SIZE] = 1;
        count = DEV_GET_SIZE_COUNT;
        break;
    case TTY_STATUS:
        count = get_tty_status(device->serial, words);
        break;
    case TTY_DRAIN:
        words[0] = (integer_t)serial_unsent(device->serial);
        count = TTY_DRAIN_COUNT;
        break;
    default:
        return D_INVALID_OPERATION;
    }

    if (*statusCnt < count) {
        return D_INVALID_SIZE;
    }

    memcpy(status, words, count * sizeof(words[0]));
    *statusCnt = (mach_msg_type_number_t)count;
    return D_SUCCESS;
}

/* A serial line is no memory. */
kern_return_t
ds_device_map(device_object_t device, vm_prot_t prot, vm_offset_t offset,
              vm_size_t size, mach_port_t *memory_entry)
{
    (void)device;
    (void)prot;
    (void)offset;
    (void)size;
    (void)memory_entry;
    return D_INVALID_OPERATION;
}
