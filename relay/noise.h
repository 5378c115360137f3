/*
 * Noise_IK_25519_ChaChaPoly_SHA256, as in The Noise Protocol Framework, revision 34: the handshake
 * of two messages, and the cipher that it ends in. Sans-I/O, and without randomness of its own: the
 * ephemeral key comes from the caller.
 *
 *     <- s                 the initiator knows the responder's key beforehand
 *     ...
 *     -> e, es, s, ss      message 1: 96 bytes and its payload
 *     <- e, ee, se         message 2: 48 bytes and its payload
 *
 * The initiator: noise_begin(), noise_write_first(), noise_read_second(), noise_split(). The
 * responder: noise_begin(), noise_read_first(), noise_write_second(), noise_split(). Who reads
 * tries: on any outcome but 0 the handshake is spoilt, and only noise_end() makes sense. To try
 * again, work on a copy.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/payload.h"
#include "relay/key.h"

#define NOISE_HASH_SIZE 32
#define NOISE_TAG_SIZE 16
#define NOISE_FIRST_SIZE (KEY_SIZE + KEY_SIZE + NOISE_TAG_SIZE + NOISE_TAG_SIZE)
#define NOISE_SECOND_SIZE (KEY_SIZE + NOISE_TAG_SIZE)

enum {
	NOISE_BAD = 1, /* not for this key, changed on the way, or of a wrong size */
};

/* A key for ChaCha20-Poly1305 (RFC 8439). */
struct noise_key {
	uint8_t bytes[32];
};

struct noise_handshake {
	uint8_t hash[NOISE_HASH_SIZE];         /* h */
	uint8_t chaining_key[NOISE_HASH_SIZE]; /* ck */
	struct noise_key key;                  /* k; always there when something is encrypted */
	uint64_t nonce;                        /* n */
	struct private_key ephemeral;          /* e */
	struct public_key remote_ephemeral;    /* re */
	struct public_key remote;              /* rs; the responder's, or known after message 1 */
};

/* Begins, in both roles: prologue and the responder's static key are what both must know. */
void noise_begin(struct noise_handshake *handshake, struct payload_view prologue,
	const struct public_key *responder);

/*
 * Message 1 into message, of NOISE_FIRST_SIZE and the payload's size. Returns 0, or NOISE_BAD for
 * a responder's key with which no secret can be had.
 */
int noise_write_first(struct noise_handshake *handshake, const struct key_pair *own,
	const struct private_key *ephemeral, struct payload_view payload, uint8_t *message);

/*
 * Reads message 1; its payload (message.size - NOISE_FIRST_SIZE bytes) goes to payload, and
 * handshake->remote is the sender's static key, whose private half it has proven to know, though
 * perhaps long ago. Returns 0 or NOISE_BAD.
 */
int noise_read_first(struct noise_handshake *handshake, const struct key_pair *own,
	struct payload_view message, uint8_t *payload);

/* Message 2 into message, of NOISE_SECOND_SIZE and the payload's size. Returns 0 or NOISE_BAD. */
int noise_write_second(struct noise_handshake *handshake, const struct private_key *ephemeral,
	struct payload_view payload, uint8_t *message);

/*
 * Reads message 2; its payload (message.size - NOISE_SECOND_SIZE bytes) goes to payload. Returns 0
 * or NOISE_BAD.
 */
int noise_read_second(struct noise_handshake *handshake, const struct key_pair *own,
	struct payload_view message, uint8_t *payload);

/* The two keys of the transport phase. The handshake's hash stays, for channel binding. */
void noise_split(struct noise_handshake *handshake, struct noise_key *initiators,
	struct noise_key *responders);

/* Wipes. May be called twice. */
void noise_end(struct noise_handshake *handshake);

/*
 * Encrypts plaintext under nonce, which must be new for this key; ad is authenticated with it.
 * ciphertext has plaintext.size + NOISE_TAG_SIZE bytes.
 */
void noise_encrypt(const struct noise_key *key, uint64_t nonce, struct payload_view ad,
	struct payload_view plaintext, uint8_t *ciphertext);

/*
 * The opposite; plaintext has ciphertext.size - NOISE_TAG_SIZE bytes. Returns 0 or NOISE_BAD, then
 * plaintext holds nothing of it.
 */
int noise_decrypt(const struct noise_key *key, uint64_t nonce, struct payload_view ad,
	struct payload_view ciphertext, uint8_t *plaintext);
