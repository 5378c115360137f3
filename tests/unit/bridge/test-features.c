/*
 * A reader's features: the driver's list, and what a guest is told.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <reader.h>
#include <string.h>

#include "host-bridge/features.h"
#include "tests/unit/bridge/fake_pcsc.h"

#define BYTES(...) { __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })

/* What libccid says for a reader that has everything; its codes are big-endian. */
#define VERIFY 0x06, 0x04, 0x42, 0x33, 0x00, 0x06
#define MODIFY 0x07, 0x04, 0x42, 0x33, 0x00, 0x07
#define PROPERTIES 0x0A, 0x04, 0x42, 0x33, 0x00, 0x0A
#define TLV 0x12, 0x04, 0x42, 0x33, 0x00, 0x12
#define ESC 0x13, 0x04, 0x42, 0x00, 0x00, 0x01

struct parse_row {
	int result;
	uint8_t bytes[48];
	size_t size;
	struct features features;
};

static const struct parse_row parse_rows[] = {
	{ 0, BYTES(VERIFY, MODIFY, PROPERTIES, TLV, ESC),
	  { 0x42330006, 0x42330007, 0x4233000A, 0x42330012, 0x42000001 } },
	{ 0, BYTES(TLV), { .tlv_properties = 0x42330012 } },
	/* one that nobody knows, of another length; one that is known, of another length */
	{ 0, BYTES(0x7F, 0x02, 0x06, 0x04, VERIFY), { .verify = 0x42330006 } },
	{ 0, BYTES(0x06, 0x02, 0x42, 0x33, MODIFY), { .modify = 0x42330007 } },
	{ 0, BYTES(0x7F, 0x00), { 0, 0, 0, 0, 0 } },
	/* cut in the value, before the length, in one of another length: nothing is believed */
	{ FEATURES_MALFORMED, BYTES(VERIFY, 0x07, 0x04, 0x42, 0x33, 0x00), { 0, 0, 0, 0, 0 } },
	{ FEATURES_MALFORMED, BYTES(VERIFY, 0x07), { 0, 0, 0, 0, 0 } },
	{ FEATURES_MALFORMED, BYTES(VERIFY, 0x7F, 0xFF, 0x00), { 0, 0, 0, 0, 0 } },
};

static void test_parse(void **state)
{
	struct features features;

	(void)state;
	for (size_t i = 0; i < sizeof parse_rows / sizeof parse_rows[0]; i++) {
		const struct parse_row *row = &parse_rows[i];

		memset(&features, 0xFF, sizeof features);
		assert_int_equal(features_parse((struct payload_view){ row->bytes, row->size },
			&features), row->result);
		assert_int_equal(features.verify, row->features.verify);
		assert_int_equal(features.modify, row->features.modify);
		assert_int_equal(features.properties, row->features.properties);
		assert_int_equal(features.tlv_properties, row->features.tlv_properties);
		assert_int_equal(features.escape, row->features.escape);
	}
	assert_int_equal(features_parse((struct payload_view){ NULL, 0 }, &features), 0);
}

#define REQUEST { CM_IOCTL_GET_FEATURE_REQUEST, 0
#define ASKED "control 42000D48 0"
#define ASKED_PROPERTIES "; control 4233000A 0"
#define ASKED_TLV "; control 42330012 0"

struct describe_row {
	struct fake_control controls[3];
	LONG result;
	uint8_t pin_support;
	uint8_t lcd_lines;
	uint8_t lcd_characters;
	const char *calls;
};

static const struct describe_row describe_rows[] = {
	/* a driver without features, one without control codes, one that is busy, one that is gone */
	{ { REQUEST, BYTES(TLV) } }, 0, 0, 0, 0, ASKED },
	{ { { .code = 0 } }, 0, 0, 0, 0, ASKED },
	{ { { CM_IOCTL_GET_FEATURE_REQUEST, SCARD_E_SHARING_VIOLATION, BYTES(VERIFY) } },
	  SCARD_E_SHARING_VIOLATION, 0, 0, 0, ASKED },
	{ { { CM_IOCTL_GET_FEATURE_REQUEST, SCARD_E_READER_UNAVAILABLE, BYTES(VERIFY) } },
	  SCARD_E_READER_UNAVAILABLE, 0, 0, 0, ASKED },
	{ { { CM_IOCTL_GET_FEATURE_REQUEST, SCARD_E_NOT_TRANSACTED, BYTES(VERIFY) } },
	  0, 0, 0, 0, ASKED },
	/* the structure of part 10: two lines of 16, verification only */
	{ { REQUEST, BYTES(VERIFY, PROPERTIES) }, { 0x4233000A, 0, BYTES(0x10, 0x02, 0x07, 0x00) } },
	  0, 1, 2, 16, ASKED ASKED_PROPERTIES },
	/* the list of part 10, when the structure knows nothing */
	{ { REQUEST, BYTES(VERIFY, MODIFY, PROPERTIES, TLV) },
	    { 0x4233000A, 0, BYTES(0x00, 0x00, 0x07, 0x00) },
	    { 0x42330012, 0, BYTES(0x0B, 0x02, 0x01, 0x02, 0x01, 0x02, 0x14, 0x04) } },
	  0, 3, 4, 20, ASKED ASKED_PROPERTIES ASKED_TLV },
	/* a layout of another length, a list that is cut, a structure that is */
	{ { REQUEST, BYTES(MODIFY, TLV) }, { 0x42330012, 0, BYTES(0x01, 0x01, 0x14) } },
	  0, 2, 0, 0, ASKED ASKED_TLV },
	{ { REQUEST, BYTES(MODIFY, TLV) },
	    { 0x42330012, 0, BYTES(0x01, 0x02, 0x14, 0x04, 0x02, 0x09) } },
	  0, 2, 0, 0, ASKED ASKED_TLV },
	{ { REQUEST, BYTES(MODIFY, TLV) },
	    { 0x42330012, 0, BYTES(0x01, 0x02, 0x14, 0x04, 0x02, 0x09, 0x01, 0x01) } },
	  0, 2, 0, 0, ASKED ASKED_TLV },
	{ { REQUEST, BYTES(VERIFY, PROPERTIES) }, { 0x4233000A, 0, BYTES(0x10) } },
	  0, 1, 0, 0, ASKED ASKED_PROPERTIES },
	/* a length that the answer can't have */
	{ { { CM_IOCTL_GET_FEATURE_REQUEST, 0, { VERIFY }, 100000 } }, 0, 0, 0, 0, ASKED },
};

static void test_describe(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof describe_rows / sizeof describe_rows[0]; i++) {
		const struct describe_row *row = &describe_rows[i];
		struct wire_reader reader = { .pin_support = 0xFF, .lcd_lines = 0xFF };

		fake_reset();
		memcpy(fake.controls, row->controls, sizeof row->controls);
		assert_int_equal(features_describe(&fake_functions, FAKE_HANDLE, &reader),
			row->result);
		assert_int_equal(reader.pin_support, row->pin_support);
		assert_int_equal(reader.lcd_lines, row->lcd_lines);
		assert_int_equal(reader.lcd_characters, row->lcd_characters);
		assert_string_equal(fake_calls(), row->calls);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_describe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
