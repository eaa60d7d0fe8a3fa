/* SPDX-License-Identifier: MIT */
/*
 * How an errno travels in the return code of a message. The numbers are those
 * of newlib's <errno.h>.
 */

#ifndef UNIX_ERROR_H
#define UNIX_ERROR_H

#define UNIX_ERROR_BASE 0x0e000000
#define UNIX_ERROR(error) (UNIX_ERROR_BASE + (error))
#define UNIX_ERROR_IS(code) (((code) & ~0xfff) == UNIX_ERROR_BASE)
#define UNIX_ERROR_NUMBER(code) ((code)&0xfff)

/*
 * Never seen by programs: the call was ended by a signal. libunix runs the
 * handlers of the signals that are pending; if they all have SA_RESTART, or
 * if there was none after all, it makes the call again, otherwise the call
 * fails with EINTR. A call that must not be made again answers EINTR itself.
 */
#define UNIX_ERESTART 4000

#endif /* UNIX_ERROR_H */
