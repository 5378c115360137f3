/*
 * The framing of bulk OUT, the message codec and the class descriptor.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gadget/ccid/descriptor.h"
#include "gadget/ccid/message.h"

static void test_framing(void **state)
{
	static const struct {
		uint8_t bytes[12];
		size_t size, missing;
	} cases[] = {
		{ { 0x65, 0, 0, 0, 0, 0, 1, 0, 0, 0 }, 10, 0 },
		{ { 0x6F, 5, 0, 0, 0, 0, 1, 0, 0, 0 }, 10, 5 },
		{ { 0x6F, 2, 0, 0, 0, 0, 1, 0, 0, 0, 1, 2 }, 12, 0 },
		{ { 0x6F, 1, 0, 0, 0, 0, 1, 0, 0, 0, 1, 2 }, 12, 0 }, /* too long: handed over */
		{ { 0x6F, 0x08, 0x00, 0x01, 0, 0, 1, 0, 0, 0 }, 10, 65544 },
		{ { 0x6F, 0x09, 0x00, 0x01, 0, 0, 1, 0, 0, 0 }, 10, 65545 }, /* beyond the longest */
		{ { 0x6F, 0xFF, 0xFF, 0xFF, 0xFF, 0, 1, 0, 0, 0 }, 10, 0xFFFFFFFF },
		{ { 0x6F, 5, 0, 0, 0, 0, 1, 0, 0 }, 9, 0 }, /* less than a header */
		{ { 0 }, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(ccid_message_missing(cases[i].bytes, cases[i].size),
			cases[i].missing);
}

static void test_decode(void **state)
{
	static const uint8_t bytes[] = { 0x6F, 2, 0, 0, 0, 3, 4, 5, 0x10, 0x00, 0xAA, 0xBB };
	struct ccid_command command;

	(void)state;
	assert_int_equal(ccid_command_decode((struct payload_view){ bytes, 12 }, &command), 0);
	assert_int_equal(command.bMessageType, PC_TO_RDR_XFR_BLOCK);
	assert_int_equal(command.dwLength, 2);
	assert_int_equal(command.bSlot, 3);
	assert_int_equal(command.bSeq, 4);
	assert_int_equal(ccid_command_level(&command), CCID_LEVEL_MORE);
	assert_ptr_equal(command.data.bytes, bytes + 10);
	assert_int_equal(command.data.size, 2);
	for (size_t size = 0; size < 10; size++)
		assert_int_equal(ccid_command_decode((struct payload_view){ bytes, size }, &command),
			CCID_TRUNCATED);
	for (size_t size = 10; size < 12; size++)
		assert_int_equal(ccid_command_decode((struct payload_view){ bytes, size }, &command),
			CCID_BAD_LENGTH);
}

static void test_encode(void **state)
{
	static const uint8_t expected[] = { 0x80, 2, 0, 0, 0, 1, 2, 0x41, 0xFE, 0x10, 0x90, 0x00 };
	static const uint8_t sw[] = { 0x90, 0x00 };
	const struct ccid_response response = {
		.bMessageType = RDR_TO_PC_DATA_BLOCK,
		.bSlot = 1,
		.bSeq = 2,
		.bStatus = CCID_COMMAND_FAILED | CCID_ICC_INACTIVE,
		.bError = CCID_ERROR_ICC_MUTE,
		.specific = CCID_CHAIN_EMPTY,
		.data = { sw, 2 },
	};
	uint8_t bytes[12];
	size_t size;

	(void)state;
	assert_int_equal(ccid_response_encode(&response, bytes, sizeof(bytes), &size), 0);
	assert_int_equal(size, sizeof(expected));
	assert_memory_equal(bytes, expected, sizeof(expected));
	assert_int_equal(ccid_response_encode(&response, bytes, 11, &size), CCID_NO_ROOM);
}

/* CCID 1.1, table 5.1-1, as lsusb shows it. */
static void test_descriptor(void **state)
{
	static const uint8_t expected[CCID_DESCRIPTOR_SIZE] = {
		54, 0x21, 0x10, 0x01,     /* bLength, bDescriptorType, bcdCCID 1.10 */
		0x00, 0x07,               /* bMaxSlotIndex, bVoltageSupport 5.0 3.0 1.8 */
		0x03, 0x00, 0x00, 0x00,   /* dwProtocols T=0 T=1 */
		0xA0, 0x0F, 0x00, 0x00,   /* dwDefaultClock 4,000 kHz */
		0xA0, 0x0F, 0x00, 0x00,   /* dwMaxiumumClock */
		0x00,                     /* bNumClockSupported */
		0x01, 0x2A, 0x00, 0x00,   /* dwDataRate 10,753 bps */
		0x20, 0xA1, 0x07, 0x00,   /* dwMaxDataRate 500,000 bps */
		0x00,                     /* bNumDataRatesSupp */
		0xFE, 0x00, 0x00, 0x00,   /* dwMaxIFSD 254 */
		0x00, 0x00, 0x00, 0x00,   /* dwSyncProtocols */
		0x00, 0x00, 0x00, 0x00,   /* dwMechanical */
		0xBA, 0x04, 0x04, 0x00,   /* dwFeatures: short and extended APDU level */
		0x12, 0x00, 0x01, 0x00,   /* dwMaxCCIDMsgLen 65,554 */
		0xFF, 0xFF,               /* bClassGetResponse, bClassEnvelope: echo */
		0x00, 0x00,               /* wlcdLayout: none */
		0x00, 0x01,               /* bPINSupport none, bMaxCCIDBusySlots 1 */
	};
	uint8_t descriptor[CCID_DESCRIPTOR_SIZE];

	(void)state;
	ccid_descriptor(descriptor, &(struct ccid_pin_pad){ .bPINSupport = 0 });
	assert_memory_equal(descriptor, expected, sizeof(expected));
	/* A full message ends in a short packet, at full and at high speed. */
	assert_int_not_equal(CCID_MESSAGE_MAX % 512, 0);
	assert_int_not_equal(CCID_MESSAGE_MAX % 64, 0);
	assert_int_not_equal(CCID_BLOCK_MAX % 512, 0);
	assert_int_not_equal(CCID_BLOCK_MAX % 64, 0);
}

/* CCID 1.1, table 5.1-1, offsets 50 to 52: two lines of 16 characters, verification and modification. */
static void test_descriptor_of_a_pin_pad(void **state)
{
	const struct ccid_pin_pad pin_pad = { .bPINSupport = 3, .wLcdLayout = 0x0210 };
	static const uint8_t expected[] = { 0x10, 0x02, 0x03, 0x01 };
	uint8_t descriptor[CCID_DESCRIPTOR_SIZE];

	(void)state;
	ccid_descriptor(descriptor, &pin_pad);
	assert_memory_equal(descriptor + 50, expected, sizeof(expected));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_framing),
		cmocka_unit_test(test_decode),
		cmocka_unit_test(test_encode),
		cmocka_unit_test(test_descriptor),
		cmocka_unit_test(test_descriptor_of_a_pin_pad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
