/* SPDX-License-Identifier: MIT */
/*
 * Those functions of <termios.h> that only look at the structure.
 */

#include <termios.h>

speed_t
cfgetispeed(const struct termios *termios)
{
    return termios->c_ispeed;
}

speed_t
cfgetospeed(const struct termios *termios)
{
    return termios->c_ospeed;
}

int
cfsetispeed(struct termios *termios, speed_t speed)
{
    termios->c_ispeed = speed;
    return 0;
}

int
cfsetospeed(struct termios *termios, speed_t speed)
{
    termios->c_ospeed = speed;
    return 0;
}

int
cfsetspeed(struct termios *termios, speed_t speed)
{
    termios->c_ispeed = speed;
    termios->c_ospeed = speed;
    return 0;
}

void
cfmakeraw(struct termios *termios)
{
    termios->c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR |
                                    IGNCR | ICRNL | IXON);
    termios->c_oflag &= ~(tcflag_t)OPOST;
    termios->c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
    termios->c_cflag &= ~(tcflag_t)(CSIZE | PARENB);
    termios->c_cflag |= CS8;
    termios->c_cc[VMIN] = 1;
    termios->c_cc[VTIME] = 0;
}
