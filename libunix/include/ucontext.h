/* SPDX-License-Identifier: MIT */
/*
 * The older name of <sys/ucontext.h>.
 */

#include <sys/ucontext.h>
