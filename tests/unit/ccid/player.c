/*
 * The player of conversations. See player.h for the language.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "tests/unit/ccid/player.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gadget/ccid/message.h"
#include "gadget/ccid/slot.h"

#define BYTES_MAX 66000
#define CALLS_MAX 16
#define TEXT_MAX 512

struct player {
	struct slot *slot;
	uint64_t now;
	const char *line;              /* the one that is being played, for messages */
	uint32_t calls[CALLS_MAX];     /* numbers of the open calls, oldest first */
	size_t calls_count;
	bool held;
	int control_result;
	uint8_t control_answer[SLOT_CONTROL_MAX];
	uint8_t bytes[BYTES_MAX];
};

static uint8_t pattern(size_t i)
{
	return (uint8_t)(i * 7 + i / 256);
}

/* ---- text and bytes ---- */

static size_t parse_hex(struct player *player, const char *text)
{
	size_t size = 0;
	int digits = 0;
	unsigned int value = 0;

	for (; *text != '\0'; text++) {
		char digit[2] = { *text, '\0' };

		if (*text == ' ')
			continue;
		value = value << 4 | (unsigned int)strtoul(digit, NULL, 16);
		if (++digits % 2 == 0)
			player->bytes[size++] = (uint8_t)value;
	}
	return size;
}

static void print_hex(char *text, size_t size, const uint8_t *bytes, size_t count)
{
	text[0] = '\0';
	for (size_t i = 0; i < count && 2 * i + 3 < size; i++)
		(void)snprintf(text + 2 * i, 3, "%02X", bytes[i]);
}

/* Removes the spaces between hexadecimal digits, as far as the first word goes: "in 81 00" to "in 8100" */
static void squeeze(char *squeezed, const char *line)
{
	bool word = true;

	for (; *line != '\0'; line++) {
		if (word || *line != ' ')
			*squeezed++ = *line;
		word = word && *line != ' ';
	}
	*squeezed = '\0';
}

/* ---- what comes out, as text ---- */

static bool is_pattern(const uint8_t *bytes, size_t size, size_t offset)
{
	for (size_t i = 0; i < size; i++) {
		if (bytes[i] != pattern(offset + i))
			return false;
	}
	return true;
}

static void describe_call(struct player *player, const struct slot_call *call, char *text)
{
	static const char *const initializations[] = { "leave", "reset", "unpower" };

	assert_true(player->calls_count < CALLS_MAX);
	player->calls[player->calls_count++] = call->number;
	switch (call->operation) {
	case WIRE_CONNECT:
		(void)snprintf(text, TEXT_MAX, "call connect %s %u",
			initializations[call->initialization], call->protocols);
		break;
	case WIRE_DISCONNECT:
		(void)snprintf(text, TEXT_MAX, "call disconnect");
		break;
	case WIRE_SECURE:
	case WIRE_ESCAPE:
		(void)snprintf(text, TEXT_MAX, "call %s ",
			call->operation == WIRE_SECURE ? "secure" : "escape");
		print_hex(text + strlen(text), TEXT_MAX - 20, call->data.bytes, call->data.size);
		break;
	case WIRE_CANCEL:
		(void)snprintf(text, TEXT_MAX, "call cancel");
		break;
	case WIRE_TRANSMIT:
		if (strncmp(player->line, "call pattern", 12) == 0 &&
			is_pattern(call->data.bytes, call->data.size, 0)) {
			(void)snprintf(text, TEXT_MAX, "call pattern %zu", call->data.size);
			break;
		}
		(void)snprintf(text, TEXT_MAX, "call transmit ");
		print_hex(text + strlen(text), TEXT_MAX - 20, call->data.bytes, call->data.size);
		break;
	}
}

static void describe_block(const struct player *player, struct payload_view message, char *text)
{
	const uint8_t *bytes = message.bytes;
	size_t size = message.size - CCID_HEADER_SIZE, offset = 0;
	char seq[8], status[8], error[8], chain[8];

	if (sscanf(player->line, "block %7s %7s %7s %7s %zu", seq, status, error, chain, &offset) != 5)
		return;
	assert_int_equal(bytes[0], RDR_TO_PC_DATA_BLOCK);
	assert_int_equal(bytes[1] | bytes[2] << 8 | bytes[3] << 16, size);
	assert_true(is_pattern(bytes + CCID_HEADER_SIZE, size, offset));
	(void)snprintf(text, TEXT_MAX, "block %02X %02X %02X %02X %zu %zu", bytes[6], bytes[7], bytes[8],
		bytes[9], offset, size);
}

/* The slot's next output as a line, or an empty text. */
static void next_output(struct player *player, char *text)
{
	struct slot_output output;

	text[0] = '\0';
	if (!slot_pop_output(player->slot, &output))
		return;
	switch (output.type) {
	case SLOT_OUTPUT_CALL:
		describe_call(player, &output.call, text);
		break;
	case SLOT_OUTPUT_SEND:
		(void)snprintf(text, TEXT_MAX, "in ");
		print_hex(text + 3, TEXT_MAX - 3, output.message.bytes, output.message.size);
		if (strncmp(player->line, "block ", 6) == 0)
			describe_block(player, output.message, text);
		if (!player->held)
			slot_sent(player->slot);
		break;
	case SLOT_OUTPUT_CANCEL_SEND:
		(void)snprintf(text, TEXT_MAX, "cancel");
		break;
	case SLOT_OUTPUT_NOTIFY:
		(void)snprintf(text, TEXT_MAX, "notify ");
		print_hex(text + 7, TEXT_MAX - 7, output.message.bytes, output.message.size);
		break;
	}
}

/* ---- what goes in ---- */

static void put_card(struct player *player, const char *text)
{
	struct slot_card card = { .present = text[0] != '-' };

	if (card.present)
		card.insertion = (uint32_t)strtoul(text, NULL, 10);
	slot_set_card(player->slot, player->now, card);
}

static void put_xfr(struct player *player, const char *text)
{
	unsigned int seq, level;
	size_t offset, size;
	uint8_t *bytes = player->bytes;

	assert_int_equal(sscanf(text, "%x %x %zu %zu", &seq, &level, &offset, &size), 4);
	memset(bytes, 0, CCID_HEADER_SIZE);
	bytes[0] = PC_TO_RDR_XFR_BLOCK;
	bytes[1] = (uint8_t)size;
	bytes[2] = (uint8_t)(size >> 8);
	bytes[3] = (uint8_t)(size >> 16);
	bytes[6] = (uint8_t)seq;
	bytes[8] = (uint8_t)level;
	bytes[9] = (uint8_t)(level >> 8);
	for (size_t i = 0; i < size; i++)
		bytes[CCID_HEADER_SIZE + i] = pattern(offset + i);
	slot_message(player->slot, player->now,
		(struct payload_view){ bytes, CCID_HEADER_SIZE + size });
}

static void put_out(struct player *player, const char *text)
{
	size_t size = parse_hex(player, text);

	slot_message(player->slot, player->now, (struct payload_view){ player->bytes, size });
}

static uint32_t take_call(struct player *player)
{
	uint32_t number;

	if (player->calls_count == 0)
		fail_msg("'%s': no call is open", player->line);
	number = player->calls[0];
	player->calls_count--;
	memmove(player->calls, player->calls + 1, player->calls_count * sizeof(player->calls[0]));
	return number;
}

static void put_reply(struct player *player, const char *text)
{
	struct slot_result result = { .number = take_call(player), .protocol = WIRE_PROTOCOL_T1 };
	const char *asked = strstr(text, " asked ");
	size_t size;

	if (asked != NULL)
		result.asked = strtoul(asked + strlen(" asked "), NULL, 10);
	if (sscanf(text, "pattern %zu", &size) == 1) {
		for (size_t i = 0; i < size; i++)
			player->bytes[i] = pattern(i);
		result.data = (struct payload_view){ player->bytes, size };
	} else if (strncmp(text, "connect T", 9) == 0) {
		result.protocol = text[9] == '0' ? WIRE_PROTOCOL_T0 : WIRE_PROTOCOL_T1;
		size = parse_hex(player, text + 10);
		result.data = (struct payload_view){ player->bytes, size };
	} else if (strncmp(text, "data ", 5) == 0) {
		size = parse_hex(player, text + 5);
		result.data = (struct payload_view){ player->bytes, size };
	} else {
		result.outcome = (uint8_t)strtoul(text, NULL, 10);
	}
	slot_result(player->slot, player->now, &result);
}

static void put_late(struct player *player, const char *text)
{
	static const uint8_t sw[] = { 0x90, 0x00 };

	slot_result(player->slot, player->now, &(struct slot_result){
		.number = (uint32_t)strtoul(text, NULL, 10),
		.protocol = WIRE_PROTOCOL_T1,
		.data = { sw, sizeof(sw) },
	});
}

static void put_control(struct player *player, const char *text)
{
	unsigned int bmRequestType, bRequest, wValue;

	assert_int_equal(sscanf(text, "%x %x %x", &bmRequestType, &bRequest, &wValue), 3);
	player->control_result = slot_control(player->slot, player->now, (uint8_t)bmRequestType,
		(uint8_t)bRequest, (uint16_t)wValue, player->control_answer);
}

/*
 * Lets time go by. The slot is ticked exactly when it asked to be: what it forgot to ask for does not
 * happen.
 */
static void put_wait(struct player *player, const char *text)
{
	uint64_t until = player->now + strtoul(text, NULL, 10);

	if (slot_deadline(player->slot) <= until) {
		if (slot_deadline(player->slot) > player->now)
			player->now = slot_deadline(player->slot);
		slot_tick(player->slot, player->now);
	} else {
		player->now = until;
	}
}

static bool put(struct player *player, const char *line)
{
	const char *text = strchr(line, ' ');

	text = text != NULL ? text + 1 : "";
	if (strncmp(line, "enable", 6) == 0)
		slot_enabled(player->slot, player->now, strtoul(text, NULL, 10));
	else if (strcmp(line, "disable") == 0)
		slot_disabled(player->slot, player->now);
	else if (strcmp(line, "desert") == 0)
		slot_deserted(player->slot);
	else if (strncmp(line, "card ", 5) == 0)
		put_card(player, text);
	else if (strncmp(line, "out ", 4) == 0)
		put_out(player, text);
	else if (strncmp(line, "xfr ", 4) == 0)
		put_xfr(player, text);
	else if (strncmp(line, "reply ", 6) == 0)
		put_reply(player, text);
	else if (strncmp(line, "late ", 5) == 0)
		put_late(player, text);
	else if (strncmp(line, "control ", 8) == 0)
		put_control(player, text);
	else if (strncmp(line, "wait ", 5) == 0)
		put_wait(player, text);
	else if (strcmp(line, "hold") == 0)
		player->held = true;
	else
		return false;
	return true;
}

static bool put_reading(struct player *player, const char *line)
{
	if (strcmp(line, "release") == 0) {
		player->held = false;
		slot_sent(player->slot);
		return true;
	}
	return false;
}

/* ---- the conversation ---- */

static void expect_nothing(struct player *player)
{
	char text[TEXT_MAX];

	next_output(player, text);
	if (text[0] != '\0')
		fail_msg("before '%s': unexpected '%s'", player->line, text);
}

static void expect_answer(struct player *player, const char *line)
{
	char text[TEXT_MAX];

	if (player->control_result <= 0) {
		(void)snprintf(text, sizeof(text), "answer %d", player->control_result);
	} else {
		(void)snprintf(text, sizeof(text), "answer ");
		print_hex(text + 7, sizeof(text) - 7, player->control_answer,
			(size_t)player->control_result);
	}
	assert_string_equal(text, line);
}

static void expect(struct player *player, const char *line)
{
	char text[TEXT_MAX], expected[TEXT_MAX];

	if (strncmp(line, "answer ", 7) == 0) {
		expect_answer(player, line);
		return;
	}
	next_output(player, text);
	squeeze(expected, line);
	if (strncmp(line, "block ", 6) == 0 || strncmp(line, "call connect", 12) == 0 ||
		strncmp(line, "call pattern", 12) == 0 || strncmp(line, "call transmit", 13) == 0 ||
		strncmp(line, "call secure", 11) == 0 || strncmp(line, "call escape", 11) == 0)
		(void)snprintf(expected, sizeof(expected), "%s", line);
	if (strcmp(text, expected) != 0)
		fail_msg("expected '%s', got '%s'", line, text);
}

static void play_lines(struct player *player, const char *const *lines)
{
	for (; *lines != NULL; lines++) {
		bool is_input;

		player->line = *lines;
		is_input = strncmp(*lines, "in ", 3) != 0 && strncmp(*lines, "block ", 6) != 0 &&
			strncmp(*lines, "call ", 5) != 0 && strncmp(*lines, "notify ", 7) != 0 &&
			strncmp(*lines, "answer ", 7) != 0 && strcmp(*lines, "cancel") != 0;
		if (!is_input) {
			expect(player, *lines);
			continue;
		}
		expect_nothing(player);
		if (!put(player, *lines) && !put_reading(player, *lines))
			fail_msg("'%s' is no line of a conversation", *lines);
	}
	player->line = "the end";
	expect_nothing(player);
}

static void play_after(uint8_t bPINSupport, const char *const *first, const char *const *lines)
{
	struct player *player = calloc(1, sizeof(*player));

	assert_non_null(player);
	player->now = 1000;
	assert_int_equal(slot_new(&player->slot), 0);
	slot_set_pin_support(player->slot, bPINSupport);
	if (first != NULL)
		play_lines(player, first);
	play_lines(player, lines);
	player->slot = slot_free(player->slot);
	free(player);
}

void play(const char *const *lines)
{
	play_after(0, NULL, lines);
}

void play_active(const char *const *lines)
{
	play_active_pin_pad(0, lines);
}

void play_active_pin_pad(uint8_t bPINSupport, const char *const *lines)
{
	static const char *const active[] = {
		"enable 512",
		"card 1",
		"notify 5003",
		"out 62 00000000 00 00 00 0000",
		"call connect unpower 3",
		"reply connect T1 3B80800101",
		"in 80 05000000 00 00 00 00 00 3B80800101",
		NULL,
	};

	play_after(bPINSupport, active, lines);
}
