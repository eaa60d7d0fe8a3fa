/*
 * SPDX-License-Identifier: MIT
 *
 * What the grammar cannot say: whether the arguments of a routine make sense
 * together. The checker also completes them (directions, counts, special
 * ports), so that the back ends need not look twice.
 */

#ifndef MIG_CHECK_H
#define MIG_CHECK_H

/* Check and complete the subsystem; errors go to diag. */
void check_subsystem(void);

#endif /* MIG_CHECK_H */
