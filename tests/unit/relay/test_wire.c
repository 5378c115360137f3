/*
 * The codec against its specification: the vectors of PROTOCOL.md, section 8, read from that file,
 * and the times of its section 7. Each vector is decoded and encoded; cut anywhere, or with a byte
 * too many, it is malformed.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "relay/session.h"
#include "relay/wire.h"
#include "relay/wire_table.h"
#include "wire_text.h"

struct vector {
	char kind[16];
	char name[128];
	char text[2048];
	uint8_t frame[2048];
	size_t size;
};

static const char *specification; /* PROTOCOL.md */

static FILE *open_specification(void)
{
	FILE *file = fopen(specification, "r");

	if (file == NULL)
		fail_msg("%s can't be read", specification);
	return file;
}

static void cut_newline(char *line)
{
	line[strcspn(line, "\n")] = '\0';
}

/* A line of a block: the text and its continuations first, then the bytes. */
static void take_line(struct vector *vector, const char *line)
{
	size_t used = strlen(vector->text);
	const char *at = line;

	if (used == 0 || line[0] == ' ') {
		snprintf(vector->text + used, sizeof(vector->text) - used, "%s", line);
		return;
	}
	vector->size += wire_text_hex(&at, vector->frame + vector->size,
		sizeof(vector->frame) - vector->size);
	if (*at != '\0')
		fail_msg("%s: '%s' is not a line of bytes", vector->name, line);
}

/* The next block of a kind of ours, or false. */
static bool next_vector(FILE *file, struct vector *vector)
{
	char line[256];

	memset(vector, 0, sizeof(*vector));
	while (fgets(line, sizeof(line), file) != NULL) {
		cut_newline(line);
		if (strncmp(line, "```", 3) != 0) {
			if (vector->kind[0] != '\0')
				take_line(vector, line);
		} else if (vector->kind[0] != '\0') {
			return true;
		} else if (sscanf(line, "```%15s %127[^\n]", vector->kind, vector->name) != 2) {
			fail_msg("'%s' has no name", line);
		}
	}
	return false;
}

typedef void (*check_function)(const struct vector *vector);

/* Calls the check for each vector of the kind; there must be as many as expected, or more. */
static void for_each(const char *kind, int expected, check_function check)
{
	FILE *file = open_specification();
	struct vector vector;
	int count = 0;

	while (next_vector(file, &vector)) {
		if (strcmp(vector.kind, kind) != 0)
			continue;
		check(&vector);
		count++;
	}
	fclose(file);
	assert_in_range(count, expected, 1000);
}

/* Decodes from a buffer of the frame's own size, so that a sanitizer sees a step beyond it. */
static int decode_exactly(const uint8_t *bytes, size_t size, struct wire_message *message)
{
	uint8_t *copy = malloc(size > 0 ? size : 1);
	int result;

	assert_non_null(copy);
	memcpy(copy, bytes, size);
	result = wire_decode(copy, size, message);
	free(copy);
	return result;
}

static struct payload_view *payload_of(struct wire_message *message)
{
	if (message->type == WIRE_CALL)
		return &message->call.data;
	return message->type == WIRE_REPLY ? &message->reply.data : NULL;
}

/* All fields alike; where there is a payload, its bytes. */
static void expect_equal(const char *name, struct wire_message *a, struct wire_message *b)
{
	struct payload_view *x = payload_of(a);
	struct payload_view *y = payload_of(b);

	if (x != NULL && y != NULL) {
		assert_int_equal(x->size, y->size);
		if (x->size > 0)
			assert_memory_equal(x->bytes, y->bytes, x->size);
		*x = *y;
	}
	if (memcmp(a, b, sizeof(*a)) != 0)
		fail_msg("%s: the fields differ", name);
}

static void check_vector(const struct vector *vector)
{
	uint8_t store[512];
	uint8_t frame[2048];
	size_t size;
	struct wire_message meant;
	struct wire_message decoded;

	wire_text_parse(vector->text, &meant, store, sizeof(store));
	assert_int_equal(wire_encode(&meant, frame, sizeof(frame), &size), 0);
	if (size != vector->size || memcmp(frame, vector->frame, size) != 0)
		fail_msg("%s: is encoded otherwise", vector->name);
	assert_int_equal(wire_encode(&meant, frame, size - 1, &size), WIRE_TOO_LARGE);
	if (wire_decode(vector->frame, vector->size, &decoded) != 0)
		fail_msg("%s: can't be decoded", vector->name);
	expect_equal(vector->name, &decoded, &meant);
}

static void check_damage(const struct vector *vector)
{
	struct wire_message message;
	uint8_t longer[sizeof(vector->frame) + 1];

	for (size_t size = 0; size < vector->size; size++) {
		if (decode_exactly(vector->frame, size, &message) != WIRE_MALFORMED)
			fail_msg("%s: %zu of its bytes are no frame", vector->name, size);
	}
	memcpy(longer, vector->frame, vector->size);
	for (unsigned byte = 0; byte <= UINT8_MAX; byte++) {
		longer[vector->size] = (uint8_t)byte;
		if (decode_exactly(longer, vector->size + 1, &message) != WIRE_MALFORMED)
			fail_msg("%s: %02X behind it is too much", vector->name, byte);
	}
}

static void check_newer(const struct vector *vector)
{
	uint8_t store[512];
	struct wire_message meant;
	struct wire_message decoded;

	wire_text_parse(vector->text, &meant, store, sizeof(store));
	if (wire_decode(vector->frame, vector->size, &decoded) != 0)
		fail_msg("%s: can't be decoded", vector->name);
	expect_equal(vector->name, &decoded, &meant);
}

static void check_refused(const struct vector *vector)
{
	static const struct {
		const char *text;
		int result;
	} results[] = {
		{ "malformed", WIRE_MALFORMED },
		{ "unknown type", WIRE_UNKNOWN_TYPE },
		{ "foreign version", WIRE_FOREIGN_VERSION },
	};
	struct wire_message message;

	for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
		if (strcmp(vector->text, results[i].text) != 0)
			continue;
		if (decode_exactly(vector->frame, vector->size, &message) != results[i].result)
			fail_msg("%s: is not %s", vector->name, vector->text);
		return;
	}
	fail_msg("%s: '%s' is no result", vector->name, vector->text);
}

static void test_vectors(void **state)
{
	(void)state;
	for_each("vector", 15, check_vector);
}

static void test_damaged_vectors(void **state)
{
	(void)state;
	for_each("vector", 15, check_damage);
}

static void test_newer_versions(void **state)
{
	(void)state;
	for_each("newer", 4, check_newer);
}

static void test_refused_frames(void **state)
{
	(void)state;
	for_each("malformed", 15, check_refused);
}

static bool seen[UINT8_MAX + 1];

static void note_type(const struct vector *vector)
{
	seen[vector->frame[1]] = true;
}

static void test_every_type_has_a_vector(void **state)
{
	(void)state;
	for_each("vector", 1, note_type);
	for (unsigned type = 0; type <= UINT8_MAX; type++) {
		if (seen[type] != (wire_layout_of((uint8_t)type) != NULL))
			fail_msg("type %u has %s", type, seen[type] ? "no message" : "no vector");
	}
}

static void test_foreign_hello_is_recognised(void **state)
{
	static const uint8_t frame[] = { 2, WIRE_HELLO, 5, 0, 8, 7, 6, 5, 4, 3, 2, 1, 0xEE };
	struct wire_message message;

	(void)state;
	assert_int_equal(wire_decode(frame, sizeof(frame), &message), WIRE_FOREIGN_VERSION);
	assert_int_equal(message.type, WIRE_HELLO);
	assert_int_equal(message.session, 0x0102030405060708);
	assert_int_equal(message.hello.major, 2);
	assert_int_equal(message.hello.minor, 5);
}

static void test_largest_messages(void **state)
{
	static uint8_t bytes[WIRE_APDU_MAX];
	static uint8_t frame[WIRE_FRAME_MAX];
	struct wire_message message = { .type = WIRE_CALL, .session = 7 };
	struct wire_message decoded;
	size_t size;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 31 + i / 256);
	message.call.ack.open_count = WIRE_OPEN_MAX;
	message.call.data = (struct payload_view){ bytes, sizeof(bytes) };
	assert_int_equal(wire_encode(&message, frame, sizeof(frame), &size), 0);
	assert_int_equal(wire_decode(frame, size, &decoded), 0);
	assert_int_equal(decoded.call.data.size, sizeof(bytes));
	assert_memory_equal(decoded.call.data.bytes, bytes, sizeof(bytes));

	memset(&message, 0, sizeof(message));
	message.type = WIRE_READERS;
	message.readers.count = WIRE_READERS_MAX;
	for (size_t i = 0; i < WIRE_READERS_MAX; i++) {
		message.readers.readers[i].atr_size = WIRE_ATR_MAX;
		memset(message.readers.readers[i].name, 'x', WIRE_NAME_MAX - 1);
	}
	assert_int_equal(wire_encode(&message, frame, sizeof(frame), &size), 0);
	assert_int_equal(wire_decode(frame, size, &decoded), 0);
	expect_equal("32 readers", &decoded, &message);
}

/* What doesn't keep its bounds is not cut, but refused. */
static void test_what_breaks_a_bound(void **state)
{
	static const uint8_t bytes[WIRE_APDU_MAX + 1];
	static uint8_t frame[2 * WIRE_FRAME_MAX];
	struct wire_message call = { .type = WIRE_CALL };
	struct wire_message hello = { .type = WIRE_HELLO };
	struct wire_message readers = { .type = WIRE_READERS };
	struct wire_message decoded;
	size_t size;

	(void)state;
	call.call.data = (struct payload_view){ bytes, sizeof(bytes) };
	assert_int_equal(wire_encode(&call, frame, sizeof(frame), &size), WIRE_TOO_LARGE);
	call.call.data.size = 0;
	call.call.ack.open_count = WIRE_OPEN_MAX + 1;
	assert_int_equal(wire_encode(&call, frame, sizeof(frame), &size), WIRE_TOO_LARGE);
	memset(hello.hello.guest, 'x', sizeof(hello.hello.guest));
	assert_int_equal(wire_encode(&hello, frame, sizeof(frame), &size), WIRE_TOO_LARGE);
	readers.readers.count = WIRE_READERS_MAX + 1;
	assert_int_equal(wire_encode(&readers, frame, sizeof(frame), &size), WIRE_TOO_LARGE);
	readers.readers.count = 1;
	readers.readers.readers[0].atr_size = WIRE_ATR_MAX + 1;
	assert_int_equal(wire_encode(&readers, frame, sizeof(frame), &size), WIRE_TOO_LARGE);
	assert_int_equal(size, 0);
	/* A payload that is there, and one byte too long. */
	memset(frame, 0, sizeof(frame));
	memcpy(frame, (const uint8_t[]){ WIRE_MAJOR, WIRE_REPLY }, 2);
	memcpy(frame + WIRE_HEADER_SIZE + 6, (const uint8_t[]){ 0x0D, 0x00, 0x01 }, 3);
	assert_int_equal(wire_decode(frame, WIRE_HEADER_SIZE + 10 + WIRE_APDU_MAX + 1, &decoded),
		WIRE_MALFORMED);
	frame[WIRE_HEADER_SIZE + 6]--;
	assert_int_equal(wire_decode(frame, WIRE_HEADER_SIZE + 10 + WIRE_APDU_MAX, &decoded), 0);
	assert_int_equal(decoded.reply.data.size, WIRE_APDU_MAX);
	/* A frame may not be longer than all fields together could make it, even if it is newer. */
	memset(frame, 0, sizeof(frame));
	memcpy(frame, (const uint8_t[]){ WIRE_MAJOR, WIRE_PONG, WIRE_MINOR + 1 }, 3);
	assert_int_equal(wire_decode(frame, WIRE_FRAME_MAX, &decoded), 0);
	assert_int_equal(wire_decode(frame, WIRE_FRAME_MAX + 1, &decoded), WIRE_MALFORMED);
}

static void test_printer_shows_no_payload(void **state)
{
	static const uint8_t pin[] = { 0x00, 0x20, 0x00, 0x81, 0x06, '1', '2', '3', '4', '5', '6' };
	struct wire_message message = {
		.type = WIRE_CALL,
		.session = 7,
		.call = { .number = 3, .operation = WIRE_TRANSMIT, .data = { pin, sizeof(pin) } },
	};
	char text[512];
	char small[16];

	(void)state;
	wire_print(&message, text, sizeof(text));
	assert_string_equal(text, "CALL session=0000000000000007 number=3 readers=0 issued=0 open=[] "
		"reader=0 operation=transmit(3) initialization=leave(0) protocols=0 data=11 bytes");
	memset(small, 'x', sizeof(small));
	wire_print(&message, small, sizeof(small));
	assert_string_equal(small, "CALL session=00");
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(wire_outcome_name(WIRE_NO_CARD), "no card");
	assert_string_equal(wire_outcome_name(WIRE_UNSUPPORTED), "unsupported");
	assert_string_equal(wire_outcome_name(WIRE_TIMED_OUT), "timed out");
	assert_string_equal(wire_outcome_name(WIRE_TIMED_OUT + 1), "unknown");
	assert_string_equal(wire_outcome_name(UINT8_MAX), "unknown");
}

/* "| SESSION_LEASE | 10,000 |": the number in the specification's row of this name, or 0. */
static unsigned long specified(const char *name)
{
	FILE *file = open_specification();
	char line[256];
	char row[64];
	unsigned long number = 0;

	snprintf(row, sizeof(row), "| %s | ", name);
	while (fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, row, strlen(row)) != 0)
			continue;
		for (const char *at = line + strlen(row); *at != ' ' && *at != '\0'; at++) {
			if (*at != ',')
				number = number * 10 + (unsigned long)(*at - '0');
		}
	}
	fclose(file);
	return number;
}

static void test_times(void **state)
{
#define TIME(name) { #name, name }
	static const struct {
		const char *name;
		unsigned long value;
	} times[] = {
		TIME(SESSION_LEASE),
		TIME(SESSION_LINK_DEAD),
		TIME(SESSION_HEARTBEAT),
		TIME(SESSION_HELLO_INTERVAL),
		TIME(SESSION_REPEAT),
		TIME(SESSION_READERS_REPEAT),
		TIME(SESSION_RETRY_FIRST),
		TIME(SESSION_BYE_REPEAT),
		TIME(SESSION_BYE_LIMIT),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		if (specified(times[i].name) != times[i].value)
			fail_msg("%s is specified as %lu and is %lu", times[i].name,
				specified(times[i].name), times[i].value);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_damaged_vectors),
		cmocka_unit_test(test_newer_versions),
		cmocka_unit_test(test_refused_frames),
		cmocka_unit_test(test_every_type_has_a_vector),
		cmocka_unit_test(test_foreign_hello_is_recognised),
		cmocka_unit_test(test_largest_messages),
		cmocka_unit_test(test_what_breaks_a_bound),
		cmocka_unit_test(test_printer_shows_no_payload),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_times),
	};

	if (argc != 2) {
		fprintf(stderr, "usage: %s PROTOCOL.md\n", argv[0]);
		return 2;
	}
	specification = argv[1];
	return cmocka_run_group_tests_name("relay-wire", tests, NULL, NULL);
}
