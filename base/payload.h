/*
 * Payloads: bytes that may hold a PIN, a key or a patient's record.
 *
 * They travel in these two types and in nothing else. The logger takes printf formats, and neither
 * type has one; whoever wants a payload in a log line has to take it apart on purpose, which review
 * and a search for '.bytes' beside 'log_' will find. What may be printed of an APDU is its size.
 *
 * An owned payload is wiped whenever it shrinks, is cleared or is freed.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stddef.h>
#include <stdint.h>

/* Borrowed bytes: valid as long as whoever lends them says. */
struct payload_view {
	const uint8_t *bytes;
	size_t size;
};

/* Owned bytes: capacity is fixed when the payload is made, and never grows behind anybody's back. */
struct payload {
	uint8_t *bytes;
	size_t size;
	size_t capacity;
};

#define PAYLOAD_NULL ((struct payload){ .bytes = NULL })

enum {
	PAYLOAD_FULL = 1, /* the bytes don't fit; the payload is unchanged */
};

/* Makes an empty payload of the given capacity. Fatal: -ENOMEM. */
int payload_init(struct payload *payload, size_t capacity);

/* Wipes and frees; may be called twice, and on PAYLOAD_NULL. */
void payload_deinit(struct payload *payload);

/* Wipes the bytes and makes the payload empty. */
void payload_clear(struct payload *payload);

/* Appends a copy. Returns 0 or PAYLOAD_FULL. */
int payload_append(struct payload *payload, struct payload_view more);

/* Replaces the content by a copy. Returns 0 or PAYLOAD_FULL. */
int payload_set(struct payload *payload, struct payload_view content);

/* What the payload holds now; valid until it is changed. */
struct payload_view payload_view(const struct payload *payload);

/* Wipes bytes that are not in a payload: a frame on the stack, a buffer of the kernel's. */
void payload_wipe(void *bytes, size_t size);
