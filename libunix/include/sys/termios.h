/* SPDX-License-Identifier: MIT */
/*
 * The older name of <termios.h>.
 */

#include <termios.h>
