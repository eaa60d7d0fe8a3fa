/* SPDX-License-Identifier: MIT */
/* From a boot module to a running task. */

#ifndef SERVERS_BOOTSTRAP_LAUNCH_H
#define SERVERS_BOOTSTRAP_LAUNCH_H

#include "bootstrap_client.h"

/* Start the server on its ports: client->task is set. What failed is in the
 * log. */
bool launch(struct bootstrap_client *client);

#endif /* SERVERS_BOOTSTRAP_LAUNCH_H */
