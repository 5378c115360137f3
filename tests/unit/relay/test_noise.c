/*
 * Noise_IK_25519_ChaChaPoly_SHA256 against the published vectors, each in both roles, and against
 * itself: what is changed in a handshake message, anywhere, is refused.
 *
 *     test_noise vectors.txt
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "relay/noise.h"

#define MESSAGES_MAX 6
#define BYTES_MAX 256
#define VECTORS 5 /* in the file */

struct bytes {
	uint8_t bytes[BYTES_MAX];
	size_t size;
};

struct vector {
	char source[256];
	struct key_pair initiator;
	struct key_pair responder;
	struct private_key initiator_ephemeral;
	struct private_key responder_ephemeral;
	struct bytes responder_public; /* empty: not in the file */
	struct bytes prologue;
	struct bytes first_hash;       /* empty: not in the file */
	struct bytes payload[MESSAGES_MAX];
	struct bytes ciphertext[MESSAGES_MAX];
	size_t messages;
};

static struct vector vectors[VECTORS + 1];
static size_t vector_count;

/* ---- the file ---- */

static void read_hex(const char *text, struct bytes *bytes)
{
	assert_int_equal(sodium_hex2bin(bytes->bytes, BYTES_MAX, text, strlen(text), NULL,
		&bytes->size, NULL), 0);
}

static void read_private(const char *text, struct private_key *key)
{
	struct bytes bytes;

	read_hex(text, &bytes);
	assert_int_equal(bytes.size, KEY_SIZE);
	memcpy(key->bytes, bytes.bytes, KEY_SIZE);
}

static void read_pair(const char *text, struct key_pair *pair)
{
	read_private(text, &pair->private);
	key_public(&pair->private, &pair->public);
}

/* msg_0_payload, msg_0_ciphertext ... */
static void read_message(struct vector *vector, const char *name, const char *value)
{
	size_t number = (size_t)(name[4] - '0');

	assert_true(number < MESSAGES_MAX && name[5] == '_');
	if (strcmp(name + 6, "payload") == 0) {
		read_hex(value, &vector->payload[number]);
	} else {
		assert_string_equal(name + 6, "ciphertext");
		read_hex(value, &vector->ciphertext[number]);
		vector->messages = number + 1;
	}
}

static void read_value(struct vector *vector, const char *name, const char *value)
{
	if (strcmp(name, "init_static") == 0)
		read_pair(value, &vector->initiator);
	else if (strcmp(name, "resp_static") == 0)
		read_pair(value, &vector->responder);
	else if (strcmp(name, "gen_init_ephemeral") == 0)
		read_private(value, &vector->initiator_ephemeral);
	else if (strcmp(name, "gen_resp_ephemeral") == 0)
		read_private(value, &vector->responder_ephemeral);
	else if (strcmp(name, "resp_public") == 0)
		read_hex(value, &vector->responder_public);
	else if (strcmp(name, "prologue") == 0)
		read_hex(value, &vector->prologue);
	else if (strcmp(name, "hash_after_msg_0") == 0)
		read_hex(value, &vector->first_hash);
	else if (strncmp(name, "msg_", 4) == 0)
		read_message(vector, name, value);
	else
		fail_msg("what is '%s'?", name);
}

static void read_line(char *line)
{
	char *value = strchr(line, '=');

	line[strcspn(line, "\n")] = '\0';
	if (line[0] == '#' || line[0] == '\0')
		return;
	assert_non_null(value);
	*value++ = '\0';
	if (strcmp(line, "source") == 0) {
		assert_true(vector_count < VECTORS);
		(void)snprintf(vectors[vector_count++].source, sizeof(vectors[0].source), "%s", value);
		return;
	}
	assert_true(vector_count > 0);
	read_value(&vectors[vector_count - 1], line, value);
}

static void read_file(const char *path)
{
	FILE *file = fopen(path, "r");
	char line[1024];

	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL)
		read_line(line);
	(void)fclose(file);
}

/* ---- one vector ---- */

static struct payload_view view(const struct bytes *bytes)
{
	return (struct payload_view){ bytes->bytes, bytes->size };
}

static void assert_bytes(const struct bytes *expected, const uint8_t *bytes)
{
	assert_memory_equal(expected->bytes, bytes, expected->size);
}

/* Messages 2 ... in one direction or the other, sealed and opened by the keys of one side. */
static void play_transport(const struct vector *vector, const struct noise_key keys[2])
{
	for (size_t i = 2; i < vector->messages; i++) {
		const struct payload_view none = { NULL, 0 };
		uint8_t out[BYTES_MAX] = { 0 };

		noise_encrypt(&keys[i % 2], (i - 2) / 2, none, view(&vector->payload[i]), out);
		assert_bytes(&vector->ciphertext[i], out);
		assert_int_equal(noise_decrypt(&keys[i % 2], (i - 2) / 2, none,
			view(&vector->ciphertext[i]), out), 0);
		assert_bytes(&vector->payload[i], out);
		/* The wrong place in the order, and the wrong direction. */
		assert_int_equal(noise_decrypt(&keys[i % 2], (i - 2) / 2 + 1, none,
			view(&vector->ciphertext[i]), out), NOISE_BAD);
		assert_int_equal(noise_decrypt(&keys[(i + 1) % 2], (i - 2) / 2, none,
			view(&vector->ciphertext[i]), out), NOISE_BAD);
	}
}

static void play_end(const struct vector *vector, struct noise_handshake *handshake)
{
	struct noise_key keys[2];

	noise_split(handshake, &keys[0], &keys[1]);
	play_transport(vector, keys);
	noise_end(handshake);
	assert_true(sodium_is_zero((const uint8_t *)handshake, sizeof(*handshake)));
}

static void play_initiator(const struct vector *vector)
{
	struct noise_handshake handshake;
	uint8_t out[BYTES_MAX];

	noise_begin(&handshake, view(&vector->prologue), &vector->responder.public);
	assert_int_equal(noise_write_first(&handshake, &vector->initiator,
		&vector->initiator_ephemeral, view(&vector->payload[0]), out), 0);
	assert_int_equal(NOISE_FIRST_SIZE + vector->payload[0].size, vector->ciphertext[0].size);
	assert_bytes(&vector->ciphertext[0], out);
	assert_bytes(&vector->first_hash, handshake.hash);
	assert_int_equal(noise_read_second(&handshake, &vector->initiator,
		view(&vector->ciphertext[1]), out), 0);
	assert_bytes(&vector->payload[1], out);
	play_end(vector, &handshake);
}

static void play_responder(const struct vector *vector)
{
	struct noise_handshake handshake;
	uint8_t out[BYTES_MAX];

	noise_begin(&handshake, view(&vector->prologue), &vector->responder.public);
	assert_int_equal(noise_read_first(&handshake, &vector->responder,
		view(&vector->ciphertext[0]), out), 0);
	assert_bytes(&vector->payload[0], out);
	assert_bytes(&vector->first_hash, handshake.hash);
	assert_true(key_equal(&handshake.remote, &vector->initiator.public));
	assert_int_equal(noise_write_second(&handshake, &vector->responder_ephemeral,
		view(&vector->payload[1]), out), 0);
	assert_int_equal(NOISE_SECOND_SIZE + vector->payload[1].size, vector->ciphertext[1].size);
	assert_bytes(&vector->ciphertext[1], out);
	play_end(vector, &handshake);
}

static void test_all_are_there(void **state)
{
	(void)state;
	assert_int_equal(vector_count, VECTORS);
	for (size_t i = 0; i < vector_count; i++) {
		assert_true(vectors[i].messages >= 4);
		assert_true(vectors[i].responder_public.size == 0 ||
			memcmp(vectors[i].responder_public.bytes, vectors[i].responder.public.bytes,
				KEY_SIZE) == 0);
	}
}

static void test_initiator(void **state)
{
	(void)state;
	for (size_t i = 0; i < vector_count; i++)
		play_initiator(&vectors[i]);
}

static void test_responder(void **state)
{
	(void)state;
	for (size_t i = 0; i < vector_count; i++)
		play_responder(&vectors[i]);
}

/* ---- damage ---- */

static int responder_reads(const struct vector *vector, const uint8_t *message, size_t size)
{
	struct noise_handshake handshake;
	uint8_t out[BYTES_MAX];
	/* In a buffer of its own size, where a sanitizer sees a step beyond it. */
	uint8_t *copy = malloc(size > 0 ? size : 1);
	int r;

	assert_non_null(copy);
	memcpy(copy, message, size);
	noise_begin(&handshake, view(&vector->prologue), &vector->responder.public);
	r = noise_read_first(&handshake, &vector->responder, (struct payload_view){ copy, size }, out);
	noise_end(&handshake);
	free(copy);
	return r;
}

static int initiator_reads(const struct vector *vector, const uint8_t *message, size_t size)
{
	struct noise_handshake handshake;
	uint8_t out[BYTES_MAX];
	uint8_t *copy = malloc(size > 0 ? size : 1);
	int r;

	assert_non_null(copy);
	memcpy(copy, message, size);
	noise_begin(&handshake, view(&vector->prologue), &vector->responder.public);
	assert_int_equal(noise_write_first(&handshake, &vector->initiator,
		&vector->initiator_ephemeral, view(&vector->payload[0]), out), 0);
	r = noise_read_second(&handshake, &vector->initiator, (struct payload_view){ copy, size },
		out);
	noise_end(&handshake);
	free(copy);
	return r;
}

typedef int (*reader)(const struct vector *vector, const uint8_t *message, size_t size);

static void damage(const struct vector *vector, const struct bytes *message, reader reads)
{
	uint8_t copy[BYTES_MAX + 1] = { 0 };

	memcpy(copy, message->bytes, message->size);
	assert_int_equal(reads(vector, copy, message->size), 0);
	assert_int_equal(reads(vector, copy, message->size + 1), NOISE_BAD);
	for (size_t i = 0; i < message->size; i++)
		assert_int_equal(reads(vector, copy, i), NOISE_BAD);
	for (size_t i = 0; i < message->size; i++) {
		for (unsigned int bit = 0; bit < 8; bit++) {
			copy[i] ^= (uint8_t)(1u << bit);
			assert_int_equal(reads(vector, copy, message->size), NOISE_BAD);
			copy[i] ^= (uint8_t)(1u << bit);
		}
	}
}

static void test_every_flipped_bit(void **state)
{
	(void)state;
	damage(&vectors[0], &vectors[0].ciphertext[0], responder_reads);
	damage(&vectors[0], &vectors[0].ciphertext[1], initiator_reads);
	damage(&vectors[VECTORS - 1], &vectors[VECTORS - 1].ciphertext[0], responder_reads);
	damage(&vectors[VECTORS - 1], &vectors[VECTORS - 1].ciphertext[1], initiator_reads);
}

/* Points of small order (RFC 7748, 6.1): a secret that everybody knows is none. */
static void test_small_order(void **state)
{
	static const char *const points[] = {
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		struct noise_handshake handshake;
		struct bytes message = vectors[0].ciphertext[0];
		struct bytes point;
		struct public_key key;
		char text[KEY_TEXT_SIZE];
		uint8_t out[BYTES_MAX];

		read_hex(points[i], &point);
		memcpy(message.bytes, point.bytes, KEY_SIZE);
		assert_int_equal(responder_reads(&vectors[0], message.bytes, message.size), NOISE_BAD);
		memcpy(key.bytes, point.bytes, KEY_SIZE);
		noise_begin(&handshake, view(&vectors[0].prologue), &key);
		assert_int_equal(noise_write_first(&handshake, &vectors[0].initiator,
			&vectors[0].initiator_ephemeral, view(&vectors[0].payload[0]), out), NOISE_BAD);
		key_public_to_text(&key, text);
		assert_int_equal(key_public_from_text(text, &key), KEY_BAD);
	}
}

/* ---- keys as text ---- */

static void test_key_text(void **state)
{
	static const char *const bad[] = {
		"",
		"MeAwP9ZBjS+MDni5HyLoyu0Pvkhlbc9HZ+SDT3Abj2",    /* cut */
		"MeAwP9ZBjS+MDni5HyLoyu0Pvkhlbc9HZ+SDT3Abj2I",   /* without = */
		"MeAwP9ZBjS+MDni5HyLoyu0Pvkhlbc9HZ+SDT3Abj2J=",  /* bits that belong to no byte */
		"MeAwP9ZBjS-MDni5HyLoyu0Pvkhlbc9HZ-SDT3Abj2I=",  /* another alphabet */
		"MeAwP9ZBjS+MDni5HyLoyu0Pvkhlbc9HZ+SDT3Abj2I= ", /* a space */
		"MeAwP9ZBjS+MDni5HyLoyu0Pvkhlbc9HZ+SDT3Abj2IA",  /* 33 bytes */
	};
	struct public_key public;
	struct private_key private;
	char text[KEY_TEXT_SIZE];

	(void)state;
	assert_int_equal(key_public_from_text("MeAwP9ZBjS+MDni5HyLoyu0Pvkhlbc9HZ+SDT3Abj2I=",
		&public), 0);
	assert_true(key_equal(&public, &vectors[VECTORS - 1].responder.public));
	key_public_to_text(&public, text);
	assert_string_equal(text, "MeAwP9ZBjS+MDni5HyLoyu0Pvkhlbc9HZ+SDT3Abj2I=");
	key_private_to_text(&vectors[0].initiator.private, text);
	assert_string_equal(text, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
	assert_int_equal(key_private_from_text(text, &private), 0);
	assert_memory_equal(private.bytes, vectors[0].initiator.private.bytes, KEY_SIZE);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(key_public_from_text(bad[i], &public), KEY_BAD);
		assert_int_equal(key_private_from_text(bad[i], &private), KEY_BAD);
		assert_true(sodium_is_zero(private.bytes, KEY_SIZE));
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_are_there),
		cmocka_unit_test(test_initiator),
		cmocka_unit_test(test_responder),
		cmocka_unit_test(test_every_flipped_bit),
		cmocka_unit_test(test_small_order),
		cmocka_unit_test(test_key_text),
	};

	if (argc != 2 || sodium_init() < 0)
		return 2;
	read_file(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
