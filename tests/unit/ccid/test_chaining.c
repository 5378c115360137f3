/*
 * Conversations with the CCID slot about commands and responses in parts: CCID 1.1, 6.1.4 and 6.2.1.
 * player.h has the language.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/ccid/player.h"

static void test_a_command_in_three_parts(void **state)
{
	(void)state;
	play_active(LINES("xfr 01 0001 0 2055", "in 80 00000000 00 01 00 00 10",
		"xfr 02 0003 2055 2055", "in 80 00000000 00 02 00 00 10",
		"xfr 03 0002 4110 90", "call pattern 4200",
		"reply data 9000", "in 80 02000000 00 03 00 00 00 9000"));
}

static void test_a_response_in_three_parts(void **state)
{
	(void)state;
	play_active(LINES("out 6F 05000000 00 01 00 0000 00B0000000", "call transmit 00B0000000",
		"reply pattern 4200", "block 01 00 00 01 0 2055",
		"out 6F 00000000 00 02 00 1000", "block 02 00 00 03 2055 2055",
		"out 6F 00000000 00 03 00 1000", "block 03 00 00 02 4110 90",
		"out 6F 00000000 00 04 00 1000", "in 80 00000000 00 04 40 08 00"));
}

/* libccid asks for 65,556 bytes, GnuPG's driver for 2,065, and some for a packet at a time. */
static void test_a_part_is_as_long_as_the_driver_can_read(void **state)
{
	(void)state;
	play_active(LINES("out 6F 05000000 00 01 00 0000 00B0000000", "call transmit 00B0000000",
		"reply pattern 65538 asked 65556", "block 01 00 00 00 0 65538",
		"out 6F 05000000 00 02 00 0000 00B0000000", "call transmit 00B0000000",
		"reply pattern 4200 asked 4210", "block 02 00 00 00 0 4200",
		"out 6F 05000000 00 03 00 0000 00B0000000", "call transmit 00B0000000",
		"reply pattern 4200 asked 4209", "block 03 00 00 01 0 4199",
		"out 6F 00000000 00 04 00 1000", "block 04 00 00 02 4199 1",
		"out 6F 05000000 00 05 00 0000 00B0000000", "call transmit 00B0000000",
		"reply pattern 4200 asked 2065", "block 05 00 00 01 0 2055",
		"out 6F 05000000 00 06 00 0000 00B0000000", "call transmit 00B0000000",
		"reply pattern 4200 asked 64", "block 06 00 00 01 0 2055",
		"out 6F 05000000 00 07 00 0000 00B0000000", "call transmit 00B0000000",
		"reply pattern 4200", "block 07 00 00 01 0 2055"));
}

/* What the driver asked for at the beginning goes for all parts. */
static void test_parts_of_another_length(void **state)
{
	(void)state;
	play_active(LINES("out 6F 05000000 00 01 00 0000 00B0000000", "call transmit 00B0000000",
		"reply pattern 40000 asked 16384", "block 01 00 00 01 0 16373",
		"out 6F 00000000 00 02 00 1000", "block 02 00 00 03 16373 16373",
		"out 6F 00000000 00 03 00 1000", "block 03 00 00 02 32746 7254",
		"out 6F 05000000 00 04 00 0000 00B0000000", "call transmit 00B0000000",
		"reply pattern 65538 asked 65540", "block 04 00 00 01 0 65530",
		"out 6F 00000000 00 05 00 1000", "block 05 00 00 02 65530 8",
		"out 6F 05000000 00 06 00 0000 00B0000000", "call transmit 00B0000000",
		"reply pattern 65538 asked 131072", "block 06 00 00 00 0 65538",
		"out 6F 05000000 00 07 00 0000 00B0000000", "call transmit 00B0000000",
		"reply pattern 65548 asked 131072", "block 07 00 00 01 0 65544"));
}

static void test_no_message_is_a_multiple_of_the_packet_size(void **state)
{
	(void)state;
	play_active(LINES("out 6F 05000000 00 01 00 0000 00B0000000", "call transmit 00B0000000",
		"reply pattern 502", "block 01 00 00 01 0 501",
		"out 6F 00000000 00 02 00 1000", "block 02 00 00 02 501 1",
		"out 6F 05000000 00 03 00 0000 00B0000000", "call transmit 00B0000000",
		"reply pattern 1526", "block 03 00 00 01 0 1525",
		"out 6F 00000000 00 04 00 1000", "block 04 00 00 02 1525 1"));
}

static void test_a_short_response_is_never_split(void **state)
{
	(void)state;
	play_active(LINES("enable 64", "call disconnect", "notify 5003",
		"out 62 00000000 00 00 00 0000", "call connect unpower 3", "reply 0",
		"reply connect T1 3B80800101", "in 80 05000000 00 00 00 00 00 3B80800101",
		"out 6F 05000000 00 01 00 0000 00B0000000", "call transmit 00B0000000",
		"reply pattern 54", "block 01 00 00 00 0 54"));
}

static void test_a_new_command_gives_up_the_rest_of_a_response(void **state)
{
	(void)state;
	play_active(LINES("out 6F 05000000 00 01 00 0000 00B0000000", "call transmit 00B0000000",
		"reply pattern 4200", "block 01 00 00 01 0 2055",
		"out 6F 05000000 00 02 00 0000 00B0000000", "call transmit 00B0000000",
		"reply data 9000", "in 80 02000000 00 02 00 00 00 9000",
		"out 6F 00000000 00 03 00 1000", "in 80 00000000 00 03 40 08 00"));
}

static void test_parts_out_of_order(void **state)
{
	(void)state;
	play_active(LINES("xfr 01 0003 0 100", "in 80 00000000 00 01 40 08 00",
		"xfr 02 0002 0 100", "in 80 00000000 00 02 40 08 00",
		"xfr 03 0001 0 100", "in 80 00000000 00 03 00 00 10",
		"out 6F 00000000 00 04 00 1000", "in 80 00000000 00 04 40 08 00",
		"xfr 05 0002 0 100", "in 80 00000000 00 05 40 08 00",
		"xfr 06 0007 0 100", "in 80 00000000 00 06 40 08 00"));
}

static void test_a_chain_that_begins_again(void **state)
{
	(void)state;
	play_active(LINES("xfr 01 0001 50 100", "in 80 00000000 00 01 00 00 10",
		"xfr 02 0001 0 100", "in 80 00000000 00 02 00 00 10",
		"xfr 03 0002 100 100", "call pattern 200"));
}

static void test_an_empty_command_in_parts_is_refused(void **state)
{
	(void)state;
	play_active(LINES("out 6F 00000000 00 01 00 0100", "in 80 00000000 00 01 00 00 10",
		"out 6F 00000000 00 02 00 0300", "in 80 00000000 00 02 00 00 10",
		"out 6F 00000000 00 03 00 0200", "in 80 00000000 00 03 40 01 00",
		"out 6F 00000000 00 04 00 0200", "in 80 00000000 00 04 40 08 00"));
}

static void test_the_longest_command_and_one_byte_more(void **state)
{
	(void)state;
	play_active(LINES("xfr 01 0001 0 65543", "in 80 00000000 00 01 00 00 10",
		"xfr 02 0002 65543 1", "call pattern 65544", "reply data 9000",
		"in 80 02000000 00 02 00 00 00 9000",
		"xfr 03 0001 0 65544", "in 80 00000000 00 03 00 00 10",
		"xfr 04 0002 65544 1", "in 80 00000000 00 04 40 01 00"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_command_in_three_parts),
		cmocka_unit_test(test_a_response_in_three_parts),
		cmocka_unit_test(test_a_part_is_as_long_as_the_driver_can_read),
		cmocka_unit_test(test_parts_of_another_length),
		cmocka_unit_test(test_no_message_is_a_multiple_of_the_packet_size),
		cmocka_unit_test(test_a_short_response_is_never_split),
		cmocka_unit_test(test_a_new_command_gives_up_the_rest_of_a_response),
		cmocka_unit_test(test_parts_out_of_order),
		cmocka_unit_test(test_a_chain_that_begins_again),
		cmocka_unit_test(test_an_empty_command_in_parts_is_refused),
		cmocka_unit_test(test_the_longest_command_and_one_byte_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
