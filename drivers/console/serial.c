/* SPDX-License-Identifier: MIT */
/* The buffer, the waiting calls, and what an interrupt has to do. */

#include <stdlib.h>
#include <string.h>

#include <device/device.h>
#include <device/device_reply.h>

#include "serial.h"

/* Bytes sent in one go; after that the next interrupt goes on, so that a long
 * write does not keep other calls waiting. */
#define SERIAL_BURST 4096

/* How often the line is looked at again when it has given all it had: the
 * other end fills the small FIFO again as soon as it can, and each answer to
 * a reader costs far more than these looks. */
#define SERIAL_LOOKS 100

#define DEVICE_WRITE_ID 2702
#define DEVICE_WRITE_INBAND_ID 2703
#define DEVICE_READ_ID 2704
#define DEVICE_READ_INBAND_ID 2705

/* -- Calls that wait ------------------------------------------------------- */

static struct serial_call *
calls_first(struct serial_calls *calls)
{
    return calls->count != 0 ? &calls->calls[calls->first] : NULL;
}

static void
calls_pop(struct serial_calls *calls)
{
    calls->first = (calls->first + 1) % SERIAL_WAITERS;
    calls->count--;
}

static void
call_free_data(struct serial_call *call)
{
    if (call->inband) {
        free(call->data);
    } else if (call->size != 0) {
        mig_deallocate((vm_address_t)call->data, call->size);
    }
}

static boolean_t
call_is_dead(const struct serial_call *call)
{
    mach_port_type_t type;

    return mach_port_type(mach_task_self(), call->reply, &type) !=
               KERN_SUCCESS ||
           (type & MACH_PORT_TYPE_DEAD_NAME) != 0;
}

/* Readers that were interrupted leave dead names: drop them. */
static void
calls_purge(struct serial_calls *calls)
{
    unsigned int count = calls->count;

    for (unsigned int i = 0; i < count; i++) {
        struct serial_call call = *calls_first(calls);

        calls_pop(calls);

        if (call_is_dead(&call)) {
            (void)mach_port_deallocate(mach_task_self(), call.reply);
            continue;
        }

        calls->calls[(calls->first + calls->count) % SERIAL_WAITERS] = call;
        calls->count++;
    }
}

static kern_return_t
calls_push(struct serial_calls *calls, const struct serial_call *call)
{
    if (calls->count == SERIAL_WAITERS) {
        return D_NO_MEMORY;
    }

    calls->calls[(calls->first + calls->count) % SERIAL_WAITERS] = *call;
    calls->count++;
    return KERN_SUCCESS;
}

/* -- Input ----------------------------------------------------------------- */

static unsigned int
serial_count(const struct serial *serial)
{
    return serial->head - serial->tail;
}

/* The longest run of bytes at an index that does not wrap. */
static size_t
serial_run(unsigned int index, size_t size)
{
    size_t run = SERIAL_BUFFER - index % SERIAL_BUFFER;

    return run < size ? run : size;
}

static void
serial_fill(struct serial *serial)
{
    unsigned int looks = 0;
    size_t all = 0;

    while (looks < SERIAL_LOOKS && all < IO_INBAND_MAX) {
        size_t room = SERIAL_BUFFER - serial_count(serial);
        size_t run = serial_run(serial->head, room);
        size_t got;

        if (run == 0) {
            return;
        }

        got = uart_receive(&serial->uart,
                           &serial->buffer[serial->head % SERIAL_BUFFER], run);
        serial->head += (unsigned int)got;
        all += got;
        looks = got != 0 ? 0 : looks + 1;

        /* A single byte is a user's key: nothing follows it soon. */
        if (all <= 1) {
            return;
        }
    }
}

static size_t
serial_peek(const struct serial *serial, char *data, size_t size)
{
    size_t count = serial_count(serial);
    size_t run;

    if (size > count) {
        size = count;
    }

    run = serial_run(serial->tail, size);
    memcpy(data, &serial->buffer[serial->tail % SERIAL_BUFFER], run);
    memcpy(data + run, serial->buffer, size - run);
    return size;
}

size_t
serial_take(struct serial *serial, char *data, size_t size)
{
    size_t got = serial_peek(serial, data, size);

    serial->tail += (unsigned int)got;
    return got;
}

/* Give a waiting reader what came. Bytes leave the buffer only when the reply
 * is sent: who does not wait any more takes nothing with it. */
static mach_msg_return_t
serial_answer(struct serial *serial, const struct serial_call *call)
{
    static char data[IO_INBAND_MAX];
    vm_address_t region;
    mach_msg_return_t mr;
    size_t size;

    size = call->size < sizeof(data) ? call->size : sizeof(data);
    size = serial_peek(serial, data, size);

    if (call->inband) {
        mr = device_read_reply_inband(call->reply, call->reply_type, D_SUCCESS,
                                      data, (mach_msg_type_number_t)size);
    } else if (mig_allocate(&region, size) == KERN_SUCCESS) {
        memcpy((void *)region, data, size);
        mr = device_read_reply(call->reply, call->reply_type, region,
                               (mach_msg_type_number_t)size);

        if (mr != MACH_MSG_SUCCESS) {
            mig_deallocate(region, size);
        }
    } else {
        mig_reply_error(call->reply, call->reply_type, DEVICE_READ_ID,
                        D_NO_MEMORY);
        return MACH_MSG_SUCCESS;
    }

    if (mr == MACH_MSG_SUCCESS) {
        serial->tail += (unsigned int)size;
    } else {
        (void)mach_port_deallocate(mach_task_self(), call->reply);
    }

    return mr;
}

static void
serial_input(struct serial *serial)
{
    struct serial_call *call;

    serial_fill(serial);
    call = calls_first(&serial->readers);

    while (call != NULL && serial_count(serial) != 0) {
        (void)serial_answer(serial, call);
        calls_pop(&serial->readers);
        call = calls_first(&serial->readers);
    }
}

kern_return_t
serial_wait_read(struct serial *serial, const struct serial_call *call)
{
    if (serial->readers.count == SERIAL_WAITERS) {
        calls_purge(&serial->readers);
    }

    return calls_push(&serial->readers, call);
}

/* -- Output ---------------------------------------------------------------- */

static void
serial_written(struct serial_call *call, kern_return_t code)
{
    mach_msg_return_t mr;

    if (call->inband) {
        mr = device_write_reply_inband(call->reply, call->reply_type, code,
                                       (io_buf_len_t)call->done);
    } else {
        mr = device_write_reply(call->reply, call->reply_type, code,
                                (io_buf_len_t)call->done);
    }

    if (mr != MACH_MSG_SUCCESS) {
        (void)mach_port_deallocate(mach_task_self(), call->reply);
    }

    call_free_data(call);
}

static void
serial_output(struct serial *serial)
{
    size_t burst = 0;

    while (burst < SERIAL_BURST) {
        struct serial_call *call = calls_first(&serial->writers);
        size_t sent;

        if (call == NULL) {
            return;
        }

        if (call->done == call->size) {
            serial_written(call, D_SUCCESS);
            calls_pop(&serial->writers);
            continue;
        }

        sent = uart_transmit(&serial->uart, call->data + call->done,
                             call->size - call->done);

        if (sent == 0) {
            return;
        }

        call->done += sent;
        burst += sent;
    }
}

kern_return_t
serial_wait_write(struct serial *serial, const struct serial_call *call)
{
    return calls_push(&serial->writers, call);
}

size_t
serial_unsent(const struct serial *serial)
{
    const struct serial_calls *calls = &serial->writers;
    size_t unsent = 0;

    for (unsigned int i = 0; i < calls->count; i++) {
        const struct serial_call *call;

        call = &calls->calls[(calls->first + i) % SERIAL_WAITERS];
        unsent += call->size - call->done;
    }

    return unsent;
}

/* -- Both ------------------------------------------------------------------ */

void
serial_flush(struct serial *serial, unsigned int directions)
{
    if (directions & D_READ) {
        serial_fill(serial);
        serial->tail = serial->head;
    }

    while ((directions & D_WRITE) && serial->writers.count != 0) {
        /* For who wrote it, it is as good as sent. */
        struct serial_call *call = calls_first(&serial->writers);

        call->done = call->size;
        serial_written(call, D_SUCCESS);
        calls_pop(&serial->writers);
    }

    serial_work(serial);
}

void
serial_work(struct serial *serial)
{
    serial_input(serial);
    serial_output(serial);
    uart_want(&serial->uart, serial_count(serial) < SERIAL_BUFFER,
              serial->writers.count != 0);
}

/*
 * The line's interrupt is edge-triggered: an edge that comes while the kernel
 * has it masked is lost. So the UART must ask for nothing when it is enabled,
 * and is looked at once more after that.
 */
void
serial_interrupt(struct serial *serial)
{
    serial_work(serial);

    for (;;) {
        (void)interrupt_enable(serial->interrupt);

        if (!uart_pending(&serial->uart)) {
            return;
        }

        serial_work(serial);
    }
}
