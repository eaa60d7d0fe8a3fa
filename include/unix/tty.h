/* SPDX-License-Identifier: MIT */
/* Terminals: struct termios and its bits, as <termios.h> has them. */

#ifndef UNIX_TTY_H
#define UNIX_TTY_H

#include <stdint.h>

#define UNIX_NCCS 20

struct unix_termios {
    uint32_t iflag;
    uint32_t oflag;
    uint32_t cflag;
    uint32_t lflag;
    uint8_t cc[UNIX_NCCS];
    uint32_t ispeed;
    uint32_t ospeed;
};

struct unix_winsize {
    uint16_t row;
    uint16_t col;
    uint16_t xpixel;
    uint16_t ypixel;
};

/* cc[]; a character 0 is disabled. */
#define UNIX_VINTR 0
#define UNIX_VQUIT 1
#define UNIX_VERASE 2
#define UNIX_VKILL 3
#define UNIX_VEOF 4
#define UNIX_VTIME 5
#define UNIX_VMIN 6
#define UNIX_VSTART 8
#define UNIX_VSTOP 9
#define UNIX_VSUSP 10
#define UNIX_VEOL 11
#define UNIX_VREPRINT 12
#define UNIX_VDISCARD 13
#define UNIX_VWERASE 14
#define UNIX_VLNEXT 15
#define UNIX_VEOL2 16

/* iflag */
#define UNIX_IGNBRK 0000001u
#define UNIX_BRKINT 0000002u
#define UNIX_ISTRIP 0000040u
#define UNIX_INLCR 0000100u
#define UNIX_IGNCR 0000200u
#define UNIX_ICRNL 0000400u
#define UNIX_IXON 0002000u
#define UNIX_IXANY 0004000u
#define UNIX_IXOFF 0010000u
#define UNIX_IMAXBEL 0020000u
#define UNIX_IUTF8 0040000u

/* oflag */
#define UNIX_OPOST 0000001u
#define UNIX_ONLCR 0000004u
#define UNIX_OCRNL 0000010u
#define UNIX_ONOCR 0000020u
#define UNIX_ONLRET 0000040u

/* cflag */
#define UNIX_CS8 0000060u
#define UNIX_CREAD 0000200u
#define UNIX_HUPCL 0002000u
#define UNIX_CLOCAL 0004000u

/* lflag */
#define UNIX_ISIG 0000001u
#define UNIX_ICANON 0000002u
#define UNIX_ECHO 0000010u
#define UNIX_ECHOE 0000020u
#define UNIX_ECHOK 0000040u
#define UNIX_ECHONL 0000100u
#define UNIX_NOFLSH 0000200u
#define UNIX_TOSTOP 0000400u
#define UNIX_ECHOCTL 0001000u
#define UNIX_ECHOKE 0004000u
#define UNIX_IEXTEN 0100000u

/* unix_tty_setattr */
#define UNIX_TCSANOW 0
#define UNIX_TCSADRAIN 1
#define UNIX_TCSAFLUSH 2

/* unix_tty_flush */
#define UNIX_TCIFLUSH 0
#define UNIX_TCOFLUSH 1
#define UNIX_TCIOFLUSH 2

/* unix_tty_flow */
#define UNIX_TCOOFF 0
#define UNIX_TCOON 1
#define UNIX_TCIOFF 2
#define UNIX_TCION 3

_Static_assert(sizeof(struct unix_termios) == 44, "ABI");
_Static_assert(sizeof(struct unix_winsize) == 8, "ABI");

#endif /* UNIX_TTY_H */
