/*
 * Keys of the secure channel: X25519, 32 bytes each, and as text the 44 characters of base64 that
 * WireGuard's are. A private key is a type of its own, so that the logger can't print it.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

#define KEY_SIZE 32
#define KEY_TEXT_SIZE 45 /* bytes of its text, terminating zero included */

struct public_key {
	uint8_t bytes[KEY_SIZE];
};

struct private_key {
	uint8_t bytes[KEY_SIZE];
};

struct key_pair {
	struct private_key private;
	struct public_key public;
};

enum {
	KEY_BAD = 1, /* not the text of a key, or no key that can be used */
};

/* Makes the public key that belongs to private. RFC 7748, 6.1. */
void key_public(const struct private_key *private, struct public_key *public);

/* Whether both are the same. */
bool key_equal(const struct public_key *one, const struct public_key *other);

/*
 * Reads the text of a public key: 44 characters of base64 and nothing else. Returns 0 or KEY_BAD,
 * also for the few points that would give everybody the same secret (RFC 7748, 6.1).
 */
int key_public_from_text(const char *text, struct public_key *public);

/* Writes the text of a public key. */
void key_public_to_text(const struct public_key *public, char text[KEY_TEXT_SIZE]);

/* The same for a private key; the caller wipes text. Any 32 bytes are a private key. */
int key_private_from_text(const char *text, struct private_key *private);
void key_private_to_text(const struct private_key *private, char text[KEY_TEXT_SIZE]);
