/*
 * What other readers of the kind get wrong, as far as no other test has it; README.md has the whole
 * list.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gadget/ccid/message.h"
#include "gadget/ccid/slot.h"
#include "tests/unit/ccid/player.h"

#define LINE_MAX_SIZE 48
#define PART_MAX 2055 /* bytes of a response in one message */

/* ---- power and presence ---- */

/* One says eleven times that there is no card, before it says what is there. */
static void test_a_card_is_there_at_the_first_status(void **state)
{
	(void)state;
	play(LINES("card 1", "enable 512", "notify 5003",
		"out 65 00000000 00 00 000000", "in 81 00000000 00 00 01 00 03"));
}

/* One crashes. */
static void test_power_on_after_a_removal(void **state)
{
	(void)state;
	play_active(LINES("card -", "call disconnect", "notify 5002",
		"out 62 00000000 00 01 00 0000", "in 80 00000000 00 01 42 FE 00",
		"out 6F 05000000 00 02 00 0000 00A4040000", "in 80 00000000 00 02 42 FE 00",
		"out 6C 00000000 00 03 000000", "in 82 00000000 00 03 42 FE 00",
		"out 63 00000000 00 04 000000", "in 81 00000000 00 04 02 00 03"));
}

/* One answers from memory: PIN states survive. Each of these reaches the card. */
static void test_resets_in_a_row(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++)
		play_active(LINES(
			"out 62 00000000 00 01 00 0000", "call connect reset 3",
			"reply connect T1 3B80800101", "in 80 05000000 00 01 00 00 00 3B80800101",
			"out 62 00000000 00 02 00 0000", "call connect reset 3",
			"reply connect T1 3B80800101", "in 80 05000000 00 02 00 00 00 3B80800101",
			"out 63 00000000 00 03 000000", "call disconnect",
			"in 81 00000000 00 03 01 00 03", "reply 0",
			"out 62 00000000 00 04 00 0000", "call connect unpower 3",
			"reply connect T1 3B80800101", "in 80 05000000 00 04 00 00 00 3B80800101"));
}

/* The longest ATR, and what can't be one. */
static void test_an_atr_of_33_bytes(void **state)
{
	(void)state;
	play_active(LINES("out 62 00000000 00 01 00 0000", "call connect reset 3",
		"reply connect T1 "
		"3BFF1100FFF1810010F1FE45007FC30000000102030405060708090A0B0C0D0E80",
		"in 80 21000000 00 01 00 00 00 "
		"3BFF1100FFF1810010F1FE45007FC30000000102030405060708090A0B0C0D0E80",
		"out 62 00000000 00 02 00 0000", "call connect reset 3",
		"reply connect T1 "
		"3BFF1100FFF1810010F1FE45007FC30000000102030405060708090A0B0C0D0E8000",
		"call disconnect", "in 80 00000000 00 02 41 FE 00"));
}

/* One repeats every ten seconds that the card has changed. */
static void test_no_change_is_no_notification(void **state)
{
	(void)state;
	play_active(LINES("card 1", "wait 10000", "card 1", "wait 10000", "card 1", "wait 3600000",
		"out 65 00000000 00 00 000000", "in 81 00000000 00 00 00 00 00", "wait 3600000"));
}

/* ---- the bytes of an APDU are not the reader's business ---- */

#define APDU_PASSES(apdu, size, response, response_size)                                           \
	"out 6F " size " 00 01 00 0000 " apdu, "call transmit " apdu, "reply data " response,      \
		"in 80 " response_size " 00 01 00 00 00 " response

/* One fetches the rest by itself, and sends 6Cxx again. */
static void test_status_words_are_passed_on(void **state)
{
	(void)state;
	play_active(LINES(APDU_PASSES("00B0000000", "05000000", "6110", "02000000"),
		APDU_PASSES("00B0000000", "05000000", "6C05", "02000000"),
		APDU_PASSES("00C0000010", "05000000", "01026112", "04000000"),
		APDU_PASSES("00A4040000", "05000000", "0000", "02000000"),
		APDU_PASSES("00A4040000", "05000000", "60FF", "02000000")));
}

/* One cuts a response to Le, and drops data of a command that asks for none. */
static void test_a_response_is_not_cut_to_le(void **state)
{
	(void)state;
	play_active(LINES(APDU_PASSES("00B0000001", "05000000", "0102039000", "05000000"),
		APDU_PASSES("00200000", "04000000", "019000", "03000000"),
		APDU_PASSES("0020000001FF", "06000000", "019000", "03000000")));
}

/* One keeps class FF for itself. */
static void test_class_ff_is_passed_on(void **state)
{
	(void)state;
	play_active(LINES(APDU_PASSES("FFCA000000", "05000000", "04A1B2C39000", "06000000"),
		APDU_PASSES("FFC2010000", "05000000", "6D00", "02000000")));
}

/* One refuses what is no APDU in its opinion. */
static void test_a_malformed_apdu_is_passed_on(void **state)
{
	(void)state;
	play_active(LINES(APDU_PASSES("00", "01000000", "6700", "02000000"),
		APDU_PASSES("00A404", "03000000", "6700", "02000000"),
		APDU_PASSES("00A4040005AA", "06000000", "6700", "02000000"),
		APDU_PASSES("00A404000000", "06000000", "6700", "02000000")));
}

/* ---- lengths ---- */

/* The lines of a conversation, one after the other. */
struct script {
	char text[80][LINE_MAX_SIZE];
	const char *lines[81];
	size_t count;
};

__attribute__((format(printf, 2, 3)))
static void add(struct script *script, const char *format, ...)
{
	va_list arguments;

	assert_true(script->count < 80);
	va_start(arguments, format);
	(void)vsnprintf(script->text[script->count], LINE_MAX_SIZE, format, arguments);
	va_end(arguments);
	script->lines[script->count] = script->text[script->count];
	script->lines[++script->count] = NULL;
}

/* A response of so many bytes, and the parts that it has to be in: none of whole packets. */
static void play_response(size_t packet_size, size_t size)
{
	static struct script script;
	unsigned int seq = 1;

	script.count = 0;
	add(&script, "enable %zu", packet_size);
	add(&script, "call disconnect");
	add(&script, "notify 5003");
	add(&script, "out 62 00000000 00 00 00 0000");
	add(&script, "call connect unpower 3");
	add(&script, "reply 0"); /* the disconnect */
	add(&script, "reply connect T1 3B00");
	add(&script, "in 80 02000000 00 00 00 00 00 3B00");
	add(&script, "out 6F 05000000 00 01 00 0000 00B0000000");
	add(&script, "call transmit 00B0000000");
	add(&script, "reply pattern %zu", size);
	for (size_t at = 0; at < size; seq++) {
		size_t part = size - at < PART_MAX ? size - at : PART_MAX;
		unsigned int chain;

		if (size > 258 && (CCID_HEADER_SIZE + part) % packet_size == 0 && part > 1)
			part--;
		chain = (at == 0 ? 1 : 3) ^ (at + part == size ? 1 : 0);
		if (seq > 1)
			add(&script, "out 6F 00000000 00 %02X 00 1000", seq);
		add(&script, "block %02X 00 00 %02X %zu %zu", seq, chain, at, part);
		at += part;
	}
	play_active(script.lines);
}

/* One can't send more than 374 bytes, another one no 64 and no 512, a third takes 256 for 0. */
static void test_responses_of_every_length(void **state)
{
	(void)state;
	for (size_t size = 2; size <= 2 * PART_MAX + 4; size++) {
		play_response(64, size);
		play_response(512, size);
	}
}

/*
 * One ends when a response is longer than 65,535 bytes; 65,538 are possible, and the host's
 * limit.
 */
static void test_the_longest_responses(void **state)
{
	static const size_t sizes[] = { 65534, 65535, 65536, 65537, 65538, 65544 };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		play_response(512, sizes[i]);
}

/* ---- no byte from outside is trusted ---- */

static void take_outputs(struct slot *slot, size_t *messages, uint8_t *status, uint32_t *call)
{
	struct slot_output output;

	while (slot_pop_output(slot, &output)) {
		if (output.type == SLOT_OUTPUT_CALL) {
			*call = output.call.number;
		} else if (output.type != SLOT_OUTPUT_NOTIFY) {
			assert_int_equal(output.type, SLOT_OUTPUT_SEND);
			*status = output.message.bytes[7];
			(*messages)++;
			slot_sent(slot);
		}
	}
}

/*
 * One message of any bytes to a new driver's slot with a powered card, or with an empty one: it has
 * one answer, or something is asked of the host, or it is an Abort; and GetSlotStatus works then.
 */
static void poke(struct slot *slot, bool powered, const uint8_t *bytes, size_t size)
{
	static const uint8_t power_on[CCID_HEADER_SIZE] = { PC_TO_RDR_ICC_POWER_ON };
	static const uint8_t get_status[CCID_HEADER_SIZE] = { PC_TO_RDR_GET_SLOT_STATUS };
	static const uint8_t atr[] = { 0x3B, 0x80, 0x80, 0x01, 0x01 };
	size_t messages = 0;
	uint32_t call = 0;
	uint8_t status;

	slot_enabled(slot, 1000, 512);
	slot_set_card(slot, 1000, (struct slot_card){ powered, 1 });
	take_outputs(slot, &messages, &status, &call);
	if (powered) {
		slot_message(slot, 1000, (struct payload_view){ power_on, sizeof(power_on) });
		take_outputs(slot, &messages, &status, &call);
		slot_result(slot, 1000, &(struct slot_result){ .number = call,
			.protocol = WIRE_PROTOCOL_T1, .data = { atr, sizeof(atr) } });
		take_outputs(slot, &messages, &status, &call);
		assert_int_equal(status, 0x00);
	}
	messages = 0;
	call = 0;
	slot_message(slot, 1000, (struct payload_view){ bytes, size });
	take_outputs(slot, &messages, &status, &call);
	if (call == 0 && bytes[0] != PC_TO_RDR_ABORT)
		assert_int_equal(messages, 1);
	assert_in_range(messages, 0, 1);
	messages = 0;
	slot_message(slot, 1000, (struct payload_view){ get_status, sizeof(get_status) });
	take_outputs(slot, &messages, &status, &call);
	assert_int_equal(messages, 1);
	assert_in_range(status, 0x00, 0x02);
}

/*
 * One aborts at a bClockCommand that it does not know, one at a message that is not as it should
 * be.
 */
static void test_no_parameter_is_trusted(void **state)
{
	struct slot *slot;

	(void)state;
	assert_int_equal(slot_new(&slot), 0);
	slot_set_pin_support(slot, 3);
	for (unsigned int type = 0; type < 256; type++) {
		for (unsigned int i = 0; i < 3 * 256; i++) {
			uint8_t message[CCID_HEADER_SIZE] = { (uint8_t)type };

			message[7 + i / 256] = (uint8_t)i;
			poke(slot, true, message, sizeof(message));
			poke(slot, false, message, sizeof(message));
		}
	}
	slot = slot_free(slot);
}

/* One computes with lengths that the data does not have: PIN blocks, and what follows them. */
static void test_no_length_is_trusted(void **state)
{
	struct slot *slot;

	(void)state;
	assert_int_equal(slot_new(&slot), 0);
	slot_set_pin_support(slot, 3);
	for (unsigned int type = 0x60; type < 0x80; type++) {
		for (size_t size = 0; size < 64; size++) {
			for (unsigned int fill = 0; fill < 256; fill += 5) {
				uint8_t message[CCID_HEADER_SIZE + 64];

				memset(message, (int)fill, sizeof(message));
				memset(message, 0, CCID_HEADER_SIZE);
				message[0] = (uint8_t)type;
				message[1] = (uint8_t)size;
				message[CCID_HEADER_SIZE] = fill % 2;
				poke(slot, true, message, CCID_HEADER_SIZE + size);
			}
		}
	}
	slot = slot_free(slot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_card_is_there_at_the_first_status),
		cmocka_unit_test(test_power_on_after_a_removal),
		cmocka_unit_test(test_resets_in_a_row),
		cmocka_unit_test(test_an_atr_of_33_bytes),
		cmocka_unit_test(test_no_change_is_no_notification),
		cmocka_unit_test(test_status_words_are_passed_on),
		cmocka_unit_test(test_a_response_is_not_cut_to_le),
		cmocka_unit_test(test_class_ff_is_passed_on),
		cmocka_unit_test(test_a_malformed_apdu_is_passed_on),
		cmocka_unit_test(test_responses_of_every_length),
		cmocka_unit_test(test_the_longest_responses),
		cmocka_unit_test(test_no_parameter_is_trusted),
		cmocka_unit_test(test_no_length_is_trusted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
