/*
 * The handshake. See noise.h. The names of the functions are those of revision 34 of the
 * specification, sections 5.1 to 5.3: MixHash, MixKey, EncryptAndHash, DecryptAndHash, Split.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "relay/noise.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "base/cursor.h"

static const char protocol_name[] = "Noise_IK_25519_ChaChaPoly_SHA256";

/* 5.2, InitializeSymmetric: a name of at most HASHLEN bytes is padded with zeros, not hashed. */
static_assert(sizeof(protocol_name) - 1 == NOISE_HASH_SIZE, "the name is the first hash");
static_assert(NOISE_HASH_SIZE == crypto_hash_sha256_BYTES, "SHA-256");
static_assert(NOISE_HASH_SIZE == crypto_auth_hmacsha256_BYTES, "HMAC-SHA-256");
static_assert(NOISE_TAG_SIZE == crypto_aead_chacha20poly1305_ietf_ABYTES, "Poly1305");
static_assert(sizeof(struct noise_key) == crypto_aead_chacha20poly1305_ietf_KEYBYTES, "ChaCha20");

#define NONCE_SIZE crypto_aead_chacha20poly1305_ietf_NPUBBYTES

static struct payload_view view(const void *bytes, size_t size)
{
	return (struct payload_view){ .bytes = bytes, .size = size };
}

/* ---- the cipher (section 12.3) ---- */

/* 32 bits of zeros, then n in little-endian order. */
static void make_nonce(uint64_t n, uint8_t nonce[NONCE_SIZE])
{
	struct cursor_out out = cursor_out(nonce, NONCE_SIZE);

	out_zeros(&out, 4);
	out_le64(&out, n);
	assert(out_ok(&out));
}

void noise_encrypt(const struct noise_key *key, uint64_t n, struct payload_view ad,
	struct payload_view plaintext, uint8_t *ciphertext)
{
	uint8_t nonce[NONCE_SIZE];

	make_nonce(n, nonce);
	(void)crypto_aead_chacha20poly1305_ietf_encrypt(ciphertext, NULL, plaintext.bytes,
		plaintext.size, ad.bytes, ad.size, NULL, nonce, key->bytes);
}

int noise_decrypt(const struct noise_key *key, uint64_t n, struct payload_view ad,
	struct payload_view ciphertext, uint8_t *plaintext)
{
	uint8_t nonce[NONCE_SIZE];

	if (ciphertext.size < NOISE_TAG_SIZE)
		return NOISE_BAD;
	make_nonce(n, nonce);
	return crypto_aead_chacha20poly1305_ietf_decrypt(plaintext, NULL, NULL, ciphertext.bytes,
		ciphertext.size, ad.bytes, ad.size, nonce, key->bytes) == 0 ? 0 : NOISE_BAD;
}

/* ---- the symmetric state (5.2) ---- */

static void mix_hash(struct noise_handshake *handshake, struct payload_view data)
{
	crypto_hash_sha256_state state;

	(void)crypto_hash_sha256_init(&state);
	(void)crypto_hash_sha256_update(&state, handshake->hash, NOISE_HASH_SIZE);
	(void)crypto_hash_sha256_update(&state, data.bytes, data.size);
	(void)crypto_hash_sha256_final(&state, handshake->hash);
}

static void hmac(const uint8_t key[NOISE_HASH_SIZE], struct payload_view one,
	struct payload_view two, uint8_t mac[NOISE_HASH_SIZE])
{
	crypto_auth_hmacsha256_state state;

	(void)crypto_auth_hmacsha256_init(&state, key, NOISE_HASH_SIZE);
	(void)crypto_auth_hmacsha256_update(&state, one.bytes, one.size);
	(void)crypto_auth_hmacsha256_update(&state, two.bytes, two.size);
	(void)crypto_auth_hmacsha256_final(&state, mac);
	payload_wipe(&state, sizeof(state));
}

/* HKDF (4.3) with two outputs; they may lie where the chaining key does. */
static void derive(const uint8_t chaining_key[NOISE_HASH_SIZE], struct payload_view input,
	uint8_t first[NOISE_HASH_SIZE], uint8_t second[NOISE_HASH_SIZE])
{
	static const uint8_t numbers[] = { 1, 2 };
	uint8_t temporary[NOISE_HASH_SIZE];

	hmac(chaining_key, input, view(NULL, 0), temporary);
	hmac(temporary, view(NULL, 0), view(&numbers[0], 1), first);
	hmac(temporary, view(first, NOISE_HASH_SIZE), view(&numbers[1], 1), second);
	payload_wipe(temporary, sizeof(temporary));
}

/* MixKey of DH(private, public). A point of small order gives no secret: NOISE_BAD. */
static int mix_dh(struct noise_handshake *handshake, const struct private_key *private,
	const struct public_key *public)
{
	uint8_t secret[crypto_scalarmult_BYTES];
	int r = NOISE_BAD;

	if (crypto_scalarmult(secret, private->bytes, public->bytes) == 0) {
		derive(handshake->chaining_key, view(secret, sizeof(secret)),
			handshake->chaining_key, handshake->key.bytes);
		handshake->nonce = 0;
		r = 0;
	}
	payload_wipe(secret, sizeof(secret));
	return r;
}

static void encrypt_and_hash(struct noise_handshake *handshake, struct payload_view plaintext,
	struct cursor_out *out)
{
	size_t size = plaintext.size + NOISE_TAG_SIZE;
	uint8_t *ciphertext = out_room(out, size);

	assert(ciphertext != NULL);
	noise_encrypt(&handshake->key, handshake->nonce++,
		view(handshake->hash, NOISE_HASH_SIZE), plaintext, ciphertext);
	mix_hash(handshake, view(ciphertext, size));
}

static int decrypt_and_hash(struct noise_handshake *handshake, struct payload_view ciphertext,
	uint8_t *plaintext)
{
	if (noise_decrypt(&handshake->key, handshake->nonce++,
			view(handshake->hash, NOISE_HASH_SIZE), ciphertext, plaintext) != 0)
		return NOISE_BAD;
	mix_hash(handshake, ciphertext);
	return 0;
}

/* ---- the handshake state (5.3, 7.5) ---- */

void noise_begin(struct noise_handshake *handshake, struct payload_view prologue,
	const struct public_key *responder)
{
	*handshake = (struct noise_handshake){ .remote = *responder };
	memcpy(handshake->hash, protocol_name, NOISE_HASH_SIZE);
	memcpy(handshake->chaining_key, protocol_name, NOISE_HASH_SIZE);
	mix_hash(handshake, prologue);
	mix_hash(handshake, view(responder->bytes, KEY_SIZE));
}

/* Token "e" of the one who writes. */
static void write_ephemeral(struct noise_handshake *handshake,
	const struct private_key *ephemeral, struct cursor_out *out)
{
	struct public_key public;

	handshake->ephemeral = *ephemeral;
	key_public(ephemeral, &public);
	out_bytes(out, public.bytes, KEY_SIZE);
	mix_hash(handshake, view(public.bytes, KEY_SIZE));
}

/* Token "e" of the one who reads. */
static void read_ephemeral(struct noise_handshake *handshake, struct cursor_in *in)
{
	in_copy(in, handshake->remote_ephemeral.bytes, KEY_SIZE);
	mix_hash(handshake, view(handshake->remote_ephemeral.bytes, KEY_SIZE));
}

int noise_write_first(struct noise_handshake *handshake, const struct key_pair *own,
	const struct private_key *ephemeral, struct payload_view payload, uint8_t *message)
{
	struct cursor_out out = cursor_out(message, NOISE_FIRST_SIZE + payload.size);
	int r;

	write_ephemeral(handshake, ephemeral, &out);
	r = mix_dh(handshake, ephemeral, &handshake->remote); /* es */
	if (r != 0)
		return r;
	encrypt_and_hash(handshake, view(own->public.bytes, KEY_SIZE), &out); /* s */
	r = mix_dh(handshake, &own->private, &handshake->remote); /* ss */
	if (r == 0)
		encrypt_and_hash(handshake, payload, &out);
	return r;
}

int noise_read_first(struct noise_handshake *handshake, const struct key_pair *own,
	struct payload_view message, uint8_t *payload)
{
	struct cursor_in in = cursor_in(message.bytes, message.size);
	int r;

	if (message.size < NOISE_FIRST_SIZE)
		return NOISE_BAD;
	read_ephemeral(handshake, &in);
	r = mix_dh(handshake, &own->private, &handshake->remote_ephemeral); /* es */
	if (r == 0)
		r = decrypt_and_hash(handshake, view(in_bytes(&in, KEY_SIZE + NOISE_TAG_SIZE),
			KEY_SIZE + NOISE_TAG_SIZE), handshake->remote.bytes); /* s */
	if (r == 0)
		r = mix_dh(handshake, &own->private, &handshake->remote); /* ss */
	return r != 0 ? r : decrypt_and_hash(handshake, view(in.at, in.left), payload);
}

int noise_write_second(struct noise_handshake *handshake, const struct private_key *ephemeral,
	struct payload_view payload, uint8_t *message)
{
	struct cursor_out out = cursor_out(message, NOISE_SECOND_SIZE + payload.size);
	int r;

	write_ephemeral(handshake, ephemeral, &out);
	r = mix_dh(handshake, ephemeral, &handshake->remote_ephemeral); /* ee */
	if (r == 0)
		r = mix_dh(handshake, ephemeral, &handshake->remote); /* se */
	if (r == 0)
		encrypt_and_hash(handshake, payload, &out);
	return r;
}

int noise_read_second(struct noise_handshake *handshake, const struct key_pair *own,
	struct payload_view message, uint8_t *payload)
{
	struct cursor_in in = cursor_in(message.bytes, message.size);
	int r;

	if (message.size < NOISE_SECOND_SIZE)
		return NOISE_BAD;
	read_ephemeral(handshake, &in);
	r = mix_dh(handshake, &handshake->ephemeral, &handshake->remote_ephemeral); /* ee */
	if (r == 0)
		r = mix_dh(handshake, &own->private, &handshake->remote_ephemeral); /* se */
	return r != 0 ? r : decrypt_and_hash(handshake, view(in.at, in.left), payload);
}

void noise_split(struct noise_handshake *handshake, struct noise_key *initiators,
	struct noise_key *responders)
{
	derive(handshake->chaining_key, view(NULL, 0), initiators->bytes, responders->bytes);
}

void noise_end(struct noise_handshake *handshake)
{
	payload_wipe(handshake, sizeof(*handshake));
}
