/*
 * The messages by which the bridge refuses a guest, with a sentence for the guest's administrator. Pure
 * functions.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "relay/wire.h"

/* It speaks another version of the relay's protocol. */
struct wire_message refusal_of_version(const struct wire_hello *hello);

/* It is nobody whom the configuration knows; or, keyed, somebody who must use his key. */
struct wire_message refusal_of_guest(const struct wire_hello *hello, bool keyed);

/* Its session is not, or no more, one of this bridge. */
struct wire_message refusal_of_session(uint64_t session);
