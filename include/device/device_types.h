/* SPDX-License-Identifier: MIT */
/* Types, modes, status words and results of the device interface. */

#ifndef DEVICE_DEVICE_TYPES_H
#define DEVICE_DEVICE_TYPES_H

#include <mach/port.h>
#include <mach/vm_types.h>

typedef natural_t dev_mode_t;
typedef char dev_name_t[32];
typedef natural_t dev_flavor_t;
typedef integer_t *dev_status_t;
typedef uint64_t recnum_t;
typedef vm_offset_t io_buf_ptr_t;
typedef integer_t io_buf_len_t;

#define IO_INBAND_MAX 4096
typedef char io_buf_ptr_inband_t[IO_INBAND_MAX];

#define DEV_STATUS_MAX 32 /* words */

/* Modes of device_open, device_read and device_write. */
#define D_READ 0x1u
#define D_WRITE 0x2u
#define D_NOWAIT 0x8u /* D_WOULD_BLOCK instead of waiting */

/* Results, as Mach has them. */
#define D_SUCCESS 0
#define D_IO_ERROR 2500
#define D_WOULD_BLOCK 2501
#define D_NO_SUCH_DEVICE 2502
#define D_ALREADY_OPEN 2503
#define D_DEVICE_DOWN 2504
#define D_INVALID_OPERATION 2505
#define D_INVALID_RECNUM 2506
#define D_INVALID_SIZE 2507
#define D_NO_MEMORY 2508
#define D_READ_ONLY 2509

/*
 * Status flavors. DEV_GET_SIZE: [0] bytes in all (0: a stream), [1] bytes of
 * a record. TTY_STATUS: struct tty_status. TTY_FLUSH: [0] = D_READ | D_WRITE,
 * what is queued in that direction is thrown away. TTY_DRAIN (get only):
 * [0] = bytes not yet sent.
 */
#define DEV_GET_SIZE 0u
#define DEV_GET_SIZE_DEVICE_SIZE 0
#define DEV_GET_SIZE_RECORD_SIZE 1
#define DEV_GET_SIZE_COUNT 2

#define TTY_STATUS ((dev_flavor_t)(('t' << 16) + 1))
#define TTY_FLUSH ((dev_flavor_t)(('t' << 16) + 3))
#define TTY_DRAIN ((dev_flavor_t)(('t' << 16) + 4))
#define TTY_FLUSH_COUNT 1
#define TTY_DRAIN_COUNT 1

struct tty_status {
    integer_t speed;    /* bits per second */
    integer_t modem;    /* TTY_MODEM_*: lines as they are */
    integer_t overruns; /* bytes that the hardware lost */
};
#define TTY_STATUS_COUNT (sizeof(struct tty_status) / sizeof(integer_t))

#define TTY_MODEM_CTS 0x1
#define TTY_MODEM_DSR 0x2
#define TTY_MODEM_RING 0x4
#define TTY_MODEM_DCD 0x8

#endif /* DEVICE_DEVICE_TYPES_H */
