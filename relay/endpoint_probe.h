/*
 * Whether somebody listens at an endpoint: a connection is made and closed again, and nothing is said.
 * For `doctor`; the daemons connect by nanomsg.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

/*
 * Tries an endpoint that has passed endpoint_check(). Returns 0 when somebody takes a connection, or an
 * errno: ENOENT or ECONNREFUSED when nobody does, ETIMEDOUT after three seconds.
 */
int endpoint_probe(const char *endpoint);

/*
 * Whether the address of a tcp:// endpoint is one of this machine's: 0, or an errno, EADDRNOTAVAIL if it
 * is not.
 */
int endpoint_probe_address(const char *endpoint);
