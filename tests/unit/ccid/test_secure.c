/*
 * Conversations about PC_to_RDR_Secure, to be read beside CCID 1.1, 6.1.11. player.h has the language.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/ccid/player.h"

/* bPINOperation to bTeoPrologue, and the APDU: 20 bytes for a verification. */
#define VERIFY "00 1E 82 04 00 0804 02 01 0904 00 000000 0020008000"
#define VERIFY_CALL "call secure 001E820400080402010904000000000020008000"
#define VERIFY_OUT "out 69 14000000 00 01 00 0000 " VERIFY

/* Three messages, so all indices: 25 bytes. */
#define MODIFY "01 1E 82 04 00 00 08 0804 03 02 03 0904 00 01 02 000000 0024008000"
#define MODIFY_CALL "call secure 011E82040000080804030203090400010200000000240080" "00"

/* ---- what passes ---- */

static void test_a_verification(void **state)
{
	(void)state;
	play_active_pin_pad(3, LINES(VERIFY_OUT, VERIFY_CALL,
		"reply data 9000", "in 80 02000000 00 01 00 00 00 9000"));
}

static void test_a_modification(void **state)
{
	(void)state;
	play_active_pin_pad(3, LINES("out 69 19000000 00 01 00 0000 " MODIFY, MODIFY_CALL,
		"reply data 9000", "in 80 02000000 00 01 00 00 00 9000"));
}

/* 63Cx: a wrong PIN; 6400: timeout; 6401: cancelled; 6402, 6403: the new PINs differ, or their length. */
static void test_status_words_pass(void **state)
{
	(void)state;
	play_active_pin_pad(3, LINES(
		VERIFY_OUT, VERIFY_CALL, "reply data 63C2", "in 80 02000000 00 01 00 00 00 63C2",
		VERIFY_OUT, VERIFY_CALL, "reply data 6400", "in 80 02000000 00 01 00 00 00 6400",
		VERIFY_OUT, VERIFY_CALL, "reply data 6401", "in 80 02000000 00 01 00 00 00 6401",
		VERIFY_OUT, VERIFY_CALL, "reply data 6402", "in 80 02000000 00 01 00 00 00 6402",
		VERIFY_OUT, VERIFY_CALL, "reply data 6403", "in 80 02000000 00 01 00 00 00 6403"));
}

/* With bNumberMessage 0 bMsgIndex1 is the only one, with 1 and 2 there are two, with FF three. */
static void test_the_indices_of_a_modification(void **state)
{
	(void)state;
	play_active_pin_pad(3, LINES(
		"out 69 17000000 00 01 00 0000 01 1E820400 0008 0804 03 02 00 0904 00 000000 0024008000",
		"call secure 011E820400000808040302000904000000000024008000",
		"reply data 9000", "in 80 02000000 00 01 00 00 00 9000",
		"out 69 18000000 00 02 00 0000 01 1E820400 0008 0804 03 02 02 0904 00 01 000000 "
		"0024008000",
		"call secure 011E82040000080804030202090400010000000024008000",
		"reply data 9000", "in 80 02000000 00 02 00 00 00 9000",
		"out 69 19000000 00 03 00 0000 01 1E820400 0008 0804 03 02 FF 0904 00 01 02 000000 "
		"0024008000",
		"call secure 011E82040000080804030" "2FF0904000102000000" "0024008000",
		"reply data 9000", "in 80 02000000 00 03 00 00 00 9000"));
}

static void test_the_protocol_is_switched_first(void **state)
{
	(void)state;
	play_active_pin_pad(3, LINES("out 61 05000000 00 00 00 0000 11 00 00 0A 00",
		"in 82 05000000 00 00 00 00 00 11 00 00 0A 00",
		VERIFY_OUT, "call connect reset 1",
		"wait 500", "in 80 00000000 00 01 80 01 00",
		"reply connect T0 3B80800101", VERIFY_CALL,
		"reply data 9000", "in 80 02000000 00 01 00 00 00 9000"));
}

static void test_a_response_in_parts(void **state)
{
	(void)state;
	play_active_pin_pad(3, LINES(VERIFY_OUT, VERIFY_CALL,
		"reply pattern 4200", "block 01 00 00 01 0 2055",
		"out 69 00000000 00 02 00 1000", "block 02 00 00 03 2055 2055",
		"out 6F 00000000 00 03 00 1000", "block 03 00 00 02 4110 90",
		"out 69 00000000 00 04 00 1000", "in 80 00000000 00 04 40 08 00"));
}

/* ---- time ---- */

static void test_time_extensions(void **state)
{
	(void)state;
	play_active_pin_pad(3, LINES(VERIFY_OUT, VERIFY_CALL,
		"wait 499", "wait 1", "in 80 00000000 00 01 80 01 00",
		"wait 699", "wait 1", "in 80 00000000 00 01 80 01 00",
		"wait 700", "in 80 00000000 00 01 80 01 00",
		"reply data 9000", "in 80 02000000 00 01 00 00 00 9000",
		"wait 5000"));
}

static void test_an_entry_that_never_ends_times_out_and_is_cancelled(void **state)
{
	static const char *lines[900 * 2 + 16] = { VERIFY_OUT, VERIFY_CALL };
	size_t n = 2;

	(void)state;
	lines[n++] = "wait 500";
	lines[n++] = "in 80 00000000 00 01 80 01 00";
	for (int i = 0; i < (600000 - 500) / 700; i++) {
		lines[n++] = "wait 700";
		lines[n++] = "in 80 00000000 00 01 80 01 00";
	}
	lines[n++] = "wait 700";
	lines[n++] = "call cancel";
	lines[n++] = "call disconnect";
	lines[n++] = "in 80 00000000 00 01 40 F0 00";
	lines[n++] = "notify 5002";
	play_active_pin_pad(3, lines);
}

/* ---- what is refused: CCID 1.1, table 6.2-2 ---- */

static void test_a_reader_without_a_pin_pad(void **state)
{
	(void)state;
	play_active(LINES(VERIFY_OUT, "in 80 00000000 00 01 40 00 00",
		"out 69 00000000 00 02 00 0000", "in 80 00000000 00 02 40 00 00",
		"out 69 01000000 00 03 00 0000 04", "in 80 00000000 00 03 40 00 00"));
}

static void test_a_card_is_needed(void **state)
{
	(void)state;
	play_active_pin_pad(3, LINES("out 63 00000000 00 00 000000", "call disconnect",
		"in 81 00000000 00 00 01 00 03",
		VERIFY_OUT, "in 80 00000000 00 01 41 FE 00",
		"card -", "notify 5002",
		VERIFY_OUT, "in 80 00000000 00 01 42 FE 00"));
}

/* 02 to 06 are operations of readers that others don't have; 07 and above are none. */
static void test_other_operations(void **state)
{
	(void)state;
	play_active_pin_pad(3, LINES(
		"out 69 01000000 00 01 00 0000 02", "in 80 00000000 00 01 40 0A 00",
		"out 69 01000000 00 02 00 0000 03", "in 80 00000000 00 02 40 0A 00",
		"out 69 01000000 00 03 00 0000 04", "in 80 00000000 00 03 40 0A 00",
		"out 69 01000000 00 04 00 0000 05", "in 80 00000000 00 04 40 0A 00",
		"out 69 01000000 00 05 00 0000 06", "in 80 00000000 00 05 40 0A 00",
		"out 69 01000000 00 06 00 0000 10", "in 80 00000000 00 06 40 0A 00",
		"out 69 01000000 00 07 00 0000 FF", "in 80 00000000 00 07 40 0A 00"));
}

static void test_half_a_pin_pad(void **state)
{
	(void)state;
	play_active_pin_pad(1, LINES(
		"out 69 19000000 00 01 00 0000 " MODIFY, "in 80 00000000 00 01 40 0A 00",
		VERIFY_OUT, VERIFY_CALL, "reply data 9000", "in 80 02000000 00 01 00 00 00 9000"));
	play_active_pin_pad(2, LINES(VERIFY_OUT, "in 80 00000000 00 01 40 0A 00",
		"out 69 19000000 00 01 00 0000 " MODIFY, MODIFY_CALL,
		"reply data 9000", "in 80 02000000 00 01 00 00 00 9000"));
}

/* The shortest APDU has four bytes; without bPINOperation there is nothing to judge. */
static void test_what_is_too_short(void **state)
{
	(void)state;
	play_active_pin_pad(3, LINES(
		"out 69 00000000 00 01 00 0000", "in 80 00000000 00 01 40 01 00",
		"out 69 12000000 00 02 00 0000 00 1E 82 04 00 0804 02 01 0904 00 000000 002000",
		"in 80 00000000 00 02 40 01 00",
		"out 69 13000000 00 03 00 0000 00 1E 82 04 00 0804 02 01 0904 00 000000 00200080",
		"call secure 001E8204000804020109040000000000200080",
		"reply data 9000", "in 80 02000000 00 03 00 00 00 9000",
		"out 69 01000000 00 04 00 0000 01", "in 80 00000000 00 04 40 01 00",
		"out 69 15000000 00 05 00 0000 01 1E820400 0008 0804 03 02 00 0904 00 000000 002400",
		"in 80 00000000 00 05 40 01 00",
		"out 69 16000000 00 06 00 0000 01 1E820400 0008 0804 03 02 01 0904 00 01 000000 002400",
		"in 80 00000000 00 06 40 01 00",
		"out 69 17000000 00 07 00 0000 01 1E820400 0008 0804 03 02 03 0904 00 01 02 000000 "
		"002400", "in 80 00000000 00 07 40 01 00",
		"out 69 17000000 00 08 00 0000 01 1E820400 0008 0804 03 02 FF 0904 00 01 02 000000 "
		"002400", "in 80 00000000 00 08 40 01 00"));
}

static void test_a_number_of_messages_that_is_not_defined(void **state)
{
	(void)state;
	play_active_pin_pad(3, LINES(
		"out 69 19000000 00 01 00 0000 01 1E820400 0008 0804 03 02 04 0904 00 01 02 000000 "
		"0024008000", "in 80 00000000 00 01 40 15 00",
		"out 69 19000000 00 02 00 0000 01 1E820400 0008 0804 03 02 FE 0904 00 01 02 000000 "
		"0024008000", "in 80 00000000 00 02 40 15 00"));
}

static void test_a_command_in_parts_is_refused(void **state)
{
	(void)state;
	play_active_pin_pad(3, LINES(
		"out 69 14000000 00 01 00 0100 " VERIFY, "in 80 00000000 00 01 40 08 00",
		"out 69 14000000 00 02 00 0200 " VERIFY, "in 80 00000000 00 02 40 08 00",
		"out 69 14000000 00 03 00 0300 " VERIFY, "in 80 00000000 00 03 40 08 00",
		"out 69 00000000 00 04 00 1000", "in 80 00000000 00 04 40 08 00",
		"out 69 14000000 00 05 00 0001 " VERIFY, "in 80 00000000 00 05 40 08 00"));
}

static void test_a_pin_entry_ends_the_chain_of_an_apdu(void **state)
{
	(void)state;
	play_active_pin_pad(3, LINES("xfr 00 0001 0 100", "in 80 00000000 00 00 00 00 10",
		VERIFY_OUT, VERIFY_CALL, "reply data 9000", "in 80 02000000 00 01 00 00 00 9000",
		"xfr 02 0002 100 100", "in 80 00000000 00 02 40 08 00"));
}

static void test_the_slot_is_busy_meanwhile(void **state)
{
	(void)state;
	play_active_pin_pad(3, LINES(VERIFY_OUT, VERIFY_CALL,
		"out 69 01000000 00 02 00 0000 04", "in 80 00000000 00 02 40 E0 00",
		"out 6F 05000000 00 03 00 0000 00A4040000", "in 80 00000000 00 03 40 E0 00",
		"out 6B 00000000 00 04 00 0000", "in 83 00000000 00 04 40 E0 00",
		"out 65 00000000 00 05 000000", "in 81 00000000 00 05 00 00 00",
		"reply data 9000", "in 80 02000000 00 01 00 00 00 9000"));
}

/* ---- outcomes ---- */

static void test_outcomes(void **state)
{
	(void)state;
	play_active_pin_pad(3, LINES(
		VERIFY_OUT, VERIFY_CALL, "reply 13", "in 80 00000000 00 01 40 EF 00", /* cancelled */
		VERIFY_OUT, VERIFY_CALL, "reply 14", "in 80 00000000 00 01 40 F0 00", /* timed out */
		VERIFY_OUT, VERIFY_CALL, "reply 12", "in 80 00000000 00 01 40 00 00", /* unsupported */
		VERIFY_OUT, VERIFY_CALL, "reply 6", "in 80 00000000 00 01 40 E0 00",  /* card busy */
		VERIFY_OUT, VERIFY_CALL, "reply 5", "in 80 00000000 00 01 40 FB 00",  /* card error */
		VERIFY_OUT, VERIFY_CALL, "reply data 90", "in 80 00000000 00 01 40 FB 00",
		VERIFY_OUT, VERIFY_CALL,
		"reply 11", "call disconnect", "in 80 00000000 00 01 40 FB 00", "notify 5002"));
}

static void test_somebody_resets_the_card(void **state)
{
	(void)state;
	play_active_pin_pad(3, LINES(VERIFY_OUT, VERIFY_CALL,
		"reply 3", "call disconnect", "in 80 00000000 00 01 42 FE 00", "notify 5002"));
}

static void test_card_pulled(void **state)
{
	(void)state;
	play_active_pin_pad(3, LINES(VERIFY_OUT, VERIFY_CALL,
		"card -", "call disconnect", "call cancel", "in 80 00000000 00 01 42 FE 00",
		"notify 5002", "late 2"));
}

/* ---- given up by the driver: CCID 1.1, 5.3.1 and 6.1.13 ---- */

static void test_abort_by_request_then_message(void **state)
{
	(void)state;
	play_active_pin_pad(3, LINES(VERIFY_OUT, VERIFY_CALL,
		"control 21 01 0200", "call cancel", "call disconnect", "notify 5002",
		"late 2",
		"out 72 00000000 00 02 000000", "in 81 00000000 00 02 02 00 03",
		"out 65 00000000 00 03 000000", "in 81 00000000 00 03 02 00 03", "notify 5003",
		"out 65 00000000 00 04 000000", "in 81 00000000 00 04 01 00 03",
		"late 2"));
}

static void test_abort_by_message_then_request(void **state)
{
	(void)state;
	play_active_pin_pad(3, LINES(VERIFY_OUT, VERIFY_CALL,
		"out 72 00000000 00 02 000000", "call cancel", "call disconnect", "notify 5002",
		"control 21 01 0200", "in 81 00000000 00 02 02 00 03",
		"late 2",
		"wait 1000", "notify 5003"));
}

static void test_abort_while_the_protocol_is_switched(void **state)
{
	(void)state;
	play_active_pin_pad(3, LINES("out 61 05000000 00 00 00 0000 11 00 00 0A 00",
		"in 82 05000000 00 00 00 00 00 11 00 00 0A 00",
		VERIFY_OUT, "call connect reset 1",
		"control 21 01 0200",
		"out 72 00000000 00 02 000000", "in 81 00000000 00 02 00 00 00",
		"reply connect T0 3B80800101"));
}

static void test_power_off(void **state)
{
	(void)state;
	play_active_pin_pad(3, LINES(VERIFY_OUT, VERIFY_CALL,
		"out 63 00000000 00 02 000000", "call cancel", "call disconnect",
		"in 81 00000000 00 02 01 00 03",
		"late 2"));
}

static void test_power_on_of_a_new_driver(void **state)
{
	(void)state;
	play_active_pin_pad(3, LINES(VERIFY_OUT, VERIFY_CALL,
		"out 62 00000000 00 02 00 0000", "call cancel", "call connect reset 3",
		"late 2", "reply 13", "reply 0",
		"reply connect T1 3B80800101", "in 80 05000000 00 02 00 00 00 3B80800101"));
}

static void test_a_new_driver(void **state)
{
	(void)state;
	play_active_pin_pad(3, LINES(VERIFY_OUT, VERIFY_CALL,
		"enable 512", "call cancel", "call disconnect", "notify 5003",
		"late 2"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_verification),
		cmocka_unit_test(test_a_modification),
		cmocka_unit_test(test_status_words_pass),
		cmocka_unit_test(test_the_indices_of_a_modification),
		cmocka_unit_test(test_the_protocol_is_switched_first),
		cmocka_unit_test(test_a_response_in_parts),
		cmocka_unit_test(test_time_extensions),
		cmocka_unit_test(test_an_entry_that_never_ends_times_out_and_is_cancelled),
		cmocka_unit_test(test_a_reader_without_a_pin_pad),
		cmocka_unit_test(test_a_card_is_needed),
		cmocka_unit_test(test_other_operations),
		cmocka_unit_test(test_half_a_pin_pad),
		cmocka_unit_test(test_what_is_too_short),
		cmocka_unit_test(test_a_number_of_messages_that_is_not_defined),
		cmocka_unit_test(test_a_command_in_parts_is_refused),
		cmocka_unit_test(test_a_pin_entry_ends_the_chain_of_an_apdu),
		cmocka_unit_test(test_the_slot_is_busy_meanwhile),
		cmocka_unit_test(test_outcomes),
		cmocka_unit_test(test_somebody_resets_the_card),
		cmocka_unit_test(test_card_pulled),
		cmocka_unit_test(test_abort_by_request_then_message),
		cmocka_unit_test(test_abort_by_message_then_request),
		cmocka_unit_test(test_abort_while_the_protocol_is_switched),
		cmocka_unit_test(test_power_off),
		cmocka_unit_test(test_power_on_of_a_new_driver),
		cmocka_unit_test(test_a_new_driver),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
