/* SPDX-License-Identifier: MIT */
/*
 * The place where programs for other systems look for the feature macros.
 */

#include <sys/features.h>
