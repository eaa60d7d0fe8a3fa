/* SPDX-License-Identifier: MIT */
/* As in other host tests; see there. */

#include "../../../shim/kern/spinlock.h"
