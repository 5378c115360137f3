/*
 * Keys and their text. See key.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "relay/key.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "base/payload.h"

static_assert(KEY_SIZE == crypto_scalarmult_BYTES && KEY_SIZE == crypto_scalarmult_SCALARBYTES,
	"libsodium's crypto_scalarmult is X25519");
static_assert(KEY_TEXT_SIZE ==
	sodium_base64_ENCODED_LEN(KEY_SIZE, sodium_base64_VARIANT_ORIGINAL), "base64 of a key");

void key_public(const struct private_key *private, struct public_key *public)
{
	(void)crypto_scalarmult_base(public->bytes, private->bytes);
}

bool key_equal(const struct public_key *one, const struct public_key *other)
{
	return sodium_memcmp(one->bytes, other->bytes, KEY_SIZE) == 0;
}

static int from_text(const char *text, uint8_t bytes[KEY_SIZE])
{
	size_t length = strlen(text), size;

	if (length != KEY_TEXT_SIZE - 1 || sodium_base642bin(bytes, KEY_SIZE, text, length, NULL,
			&size, NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
		return KEY_BAD;
	return size == KEY_SIZE ? 0 : KEY_BAD;
}

static void to_text(const uint8_t bytes[KEY_SIZE], char text[KEY_TEXT_SIZE])
{
	(void)sodium_bin2base64(text, KEY_TEXT_SIZE, bytes, KEY_SIZE,
		sodium_base64_VARIANT_ORIGINAL);
}

int key_public_from_text(const char *text, struct public_key *public)
{
	/* Any will do: what it is multiplied with is 0 for a point of small order. */
	static const uint8_t scalar[KEY_SIZE] = { 8 };
	uint8_t product[KEY_SIZE];

	if (from_text(text, public->bytes) != 0 ||
		crypto_scalarmult(product, scalar, public->bytes) != 0)
		return KEY_BAD;
	return 0;
}

void key_public_to_text(const struct public_key *public, char text[KEY_TEXT_SIZE])
{
	to_text(public->bytes, text);
}

int key_private_from_text(const char *text, struct private_key *private)
{
	int r = from_text(text, private->bytes);

	if (r != 0)
		payload_wipe(private, sizeof(*private));
	return r;
}

void key_private_to_text(const struct private_key *private, char text[KEY_TEXT_SIZE])
{
	to_text(private->bytes, text);
}
