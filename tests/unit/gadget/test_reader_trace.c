/*
 * A reader's part in a trace, as conversations: what its device hears and says, which calls are made of
 * it, and what is in the file.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cursor.h"
#include "control/trace_stream.h"
#include "gadget/reader_trace.h"
#include "tests/unit/trace/capture.h"

/*
 * A conversation is words: T a trace begins, E it ends; O message for bulk OUT, Cn call n is made of it,
 * Xn a cancel with that number, D it has been seen to; I message for bulk IN; N notification; R request
 * (its eight bytes); V the device is plugged in, W a tracer is told that it is.
 */
struct row {
	const char *what;
	const char *words;
	const char *file;
};

#define DEVICE "2 request 8006000100001200; A reader\n2 descriptor of 18; A reader\n" \
	"2 request 8006000200005D00; A reader\n2 descriptor of 93; A reader\n"

static const struct row rows[] = {
	{ "nobody traces", "O65000000000000000000 D I81000000000000000000 N5003 R2101000000000000 V", "" },
	{ "a command without a call", "T O65000000000000000000 D I81000000000000000000",
		"2 out 65000000000000000000\n2 in 81000000000000000000\n" },
	{ "PowerOn: its answer is an ATR", "T O62000000000005000000 C1 D I800400000000050000003B021450",
		"2 out 62000000000005000000; call=1\n2 in 800400000000050000003B021450; call=1\n" },
	{ "another's answer is none", "T O62000000000005000000 C1 D I800400000000060000003B021450",
		"2 out 62000000000005000000; call=1\n"
		"2 in 80040000000006000000 +4; call=1; SW=1450; data cut out\n" },
	{ "nor is one that only looks like it", "T O6F050000000005000000" "00B0000000" " C2 D "
		"I800400000000050000003B029000",
		"2 out 6F05000000000500000000B0000000; call=2\n"
		"2 in 80040000000005000000 +4; call=2; SW=9000; data cut out\n" },
	{ "time extensions have the call's number", "T O6F090000000006000000" "002000810431323334" " C3 D "
		"I80000000000006800100 I800200000000060000009000",
		"2 out 6F0900000000060000000020008104 +4; call=3; data cut out\n"
		"2 in 80000000000006800100; call=3\n2 in 80020000000006000000 +2; call=3; SW=9000; data cut out\n" },
	{ "two calls for one command: first and last", "T O6F050000000006000000" "00B0000000" " C3 C4 D "
		"I800200000000060000009000", "2 out 6F05000000000600000000B0000000; call=3\n"
		"2 in 80020000000006000000 +2; call=4; SW=9000; data cut out\n" },
	{ "a long answer: all of its parts", "T O6F050000000006000000" "00B0000000" " C5 D "
		"I80030000000006000001EEEEEE O6F000000000007001000 D I80030000000007000003EEEEEE "
		"O6F000000000008001000 D I80020000000008000002" "9000",
		"2 out 6F05000000000600000000B0000000; call=5\n2 in 80030000000006000001 +3; call=5; data cut out\n"
		"2 out 6F000000000007001000; call=5\n2 in 80030000000007000003 +3; call=5; data cut out\n"
		"2 out 6F000000000008001000; call=5\n"
		"2 in 80020000000008000002 +2; call=5; SW=9000; data cut out\n" },
	{ "one that makes no call has no number", "T O6F050000000006000000" "00B0000000" " C5 D "
		"I80020000000006000000" "9000 O6F010000000007000000" "00 D I80000000000007400100",
		"2 out 6F05000000000600000000B0000000; call=5\n"
		"2 in 80020000000006000000 +2; call=5; SW=9000; data cut out\n"
		"2 out 6F01000000000700000000\n2 in 80000000000007400100\n" },
	{ "what only looks like asking for a part", "T O6F050000000006000000" "00B0000000" " C5 D "
		"I80020000000006000000" "9000 O65000000000007001000 D I81000000000007000000",
		"2 out 6F05000000000600000000B0000000; call=5\n"
		"2 in 80020000000006000000 +2; call=5; SW=9000; data cut out\n"
		"2 out 65000000000007001000\n2 in 81000000000007000000\n" },
	{ "a long command: the part that completes it", "T O6F070000000006000100" "0020008104EEEE" " D "
		"I80000000000006000010 O6F020000000007000200EEEE C6 D I80020000000007000000" "9000",
		"2 out 6F0700000000060001000020008104 +2; data cut out\n2 in 80000000000006000010\n"
		"2 out 6F020000000007000200 +2; call=6; data cut out\n"
		"2 in 80020000000007000000 +2; call=6; SW=9000; data cut out\n" },
	{ "Secure", "T O690500000000060000000030333233 C7 D I80020000000006000000" "9000",
		"2 out 69050000000006000000 +5; call=7; data cut out\n"
		"2 in 80020000000006000000 +2; call=7; SW=9000; data cut out\n" },
	{ "Escape", "T O6B0200000000060000003132 C8 D I83020000000006000000" "3334",
		"2 out 6B020000000006000000 +2; call=8; data cut out\n"
		"2 in 83020000000006000000 +2; call=8; data cut out\n" },
	{ "an abort is not the call that it ends", "T O6B000000000006000000 C8 D R2101000600000000 "
		"O72000000000006000000 X9 D I81000000000006000000",
		"2 out 6B000000000006000000; call=8\n2 request 2101000600000000; ABORT\n"
		"2 out 72000000000006000000\n2 in 81000000000006000000\n" },
	{ "another request", "T RA102345612007F00", "2 request A102345612007F00\n" },
	{ "parameters", "T O61070000000006010000" "11101045001F00" " D I82070000000006000001" "11101045001F00",
		"2 out 61070000000006010000 +7; data cut out\n2 in 8207000000000600000111101045001F00\n" },
	{ "a slot change", "T N5003", "2 notify 5003\n" },
	{ "a message that is none", "T O3132 D I", "2 out 31 +1; data cut out\n2 in \n" },
	{ "an answer in the middle of a command", "T O65000000000007000000 I81000000000007000000 D",
		"2 out 65000000000007000000\n2 in 81000000000007000000\n" },
	{ "a call of nobody's command", "T C9 D", "" },
	{ "the device", "T V", DEVICE },
	{ "the device of before", "T W", DEVICE },

	/* Traces come and go at any moment. */
	{ "one that begins before the answer", "O62000000000005000000 C1 D T I800400000000050000003B021450",
		"2 in 800400000000050000003B021450; call=1\n" },
	{ "one that begins before the call", "O62000000000005000000 T C1 D I800400000000050000003B021450",
		"2 in 800400000000050000003B021450; call=1\n" },
	{ "one that ends before the call", "T O62000000000005000000 E C1 D T I81000000000005000000",
		"2 in 81000000000005000000; call=1\n" },
	{ "what was said in between counts", "T O62000000000005000000 C1 D E "
		"O6F050000000005000000" "00B0000000" " C2 D T I800400000000050000003F313233",
		"2 in 80040000000005000000 +4; call=2; SW=3233; data cut out\n" },
	{ "a number of before is no number now", "T O62000000000005000000 C1 D E O65000000000006000000 D T "
		"I81000000000006000000", "2 in 81000000000006000000\n" },
};

static const uint8_t class_descriptor[] = { 54, 0x21, 0x10, 0x01 };

struct stand {
	struct tracers tracers;
	struct tracer *tracer;
	struct reader_trace trace;
	struct usb_settings settings;
	uint8_t out[300]; /* stays until it is done */
	size_t out_size;
};

static void on_wake(void *context)
{
	(void)context;
}

static size_t from_hex(const char *word, uint8_t *bytes)
{
	size_t size = 0;
	unsigned int byte;

	for (; sscanf(word, "%2x", &byte) == 1; word += 2)
		bytes[size++] = (uint8_t)byte;
	return size;
}

static void do_request(struct stand *stand, const uint8_t *setup)
{
	struct cursor_in in = cursor_in(setup, 8);
	struct usb_request request;

	request.bmRequestType = in_u8(&in);
	request.bRequest = in_u8(&in);
	request.wValue = in_le16(&in);
	request.wIndex = in_le16(&in);
	request.wLength = in_le16(&in);
	assert_true(in_done(&in));
	reader_trace_request(&stand->trace, &request);
}

static void do_word(struct stand *stand, const char *word)
{
	const struct tracer_owner owner = { .wake = on_wake };
	uint8_t bytes[300];
	size_t size = strchr("OINR", word[0]) != NULL ? from_hex(word + 1, bytes) : 0;
	const struct payload_view message = { bytes, size };

	switch (word[0]) {
	case 'T':
		assert_int_equal(tracer_new(&stand->tracer, &stand->tracers, false, &owner), 0);
		break;
	case 'E':
		stand->tracer = tracer_free(stand->tracer);
		break;
	case 'O':
		memcpy(stand->out, bytes, size);
		reader_trace_out(&stand->trace, (struct payload_view){ stand->out, size });
		break;
	case 'C':
		reader_trace_call(&stand->trace, WIRE_TRANSMIT, (uint32_t)strtoul(word + 1, NULL, 10));
		break;
	case 'X':
		reader_trace_call(&stand->trace, WIRE_CANCEL, (uint32_t)strtoul(word + 1, NULL, 10));
		break;
	case 'D':
		reader_trace_out_done(&stand->trace);
		memset(stand->out, 0xDD, sizeof stand->out);
		break;
	case 'I':
		reader_trace_in(&stand->trace, message);
		break;
	case 'N':
		reader_trace_notify(&stand->trace, message);
		break;
	case 'R':
		do_request(stand, bytes);
		break;
	case 'V':
		reader_trace_device(&stand->trace, &stand->settings);
		break;
	case 'W':
		reader_trace_tell(&stand->trace, stand->tracer, &stand->settings);
		break;
	default:
		fail_msg("no such word: %s", word);
	}
}

static void check_row(const struct row *row)
{
	struct stand stand = { .tracers = { .program = "a program", .interface = "USB", .bus = 1 } };
	char words[512], *rest = words;
	struct payload_view file;

	(void)snprintf(words, sizeof words, "%s", row->words);
	stand.settings.interrupt = true;
	memcpy(stand.settings.class_descriptor, class_descriptor, sizeof class_descriptor);
	(void)strcpy(stand.settings.identity.interface, "A reader");
	reader_trace_init(&stand.trace, &stand.tracers, 1);
	for (char *word = strtok_r(words, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest))
		do_word(&stand, word);
	if (stand.tracer != NULL) {
		file = tracer_next(stand.tracer);
		assert_string_equal(capture_text(file.bytes, file.size), row->file);
	}
	stand.tracer = tracer_free(stand.tracer);
}

static void test_conversations(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		print_message("%s\n", rows[i].what);
		check_row(&rows[i]);
	}
}

/* Times are those of the messages: in order, and of now. */
static void test_times(void **state)
{
	struct stand stand = { .tracers = { .program = "a program", .interface = "USB", .bus = 1 } };
	static const char *const words[] = { "T", "O65000000000007000000", "D", "I81000000000007000000", "N5003",
		"R2101000000000000" };
	uint64_t before = trace_stream_now(), last = before, time;
	struct payload_view file;

	(void)state;
	reader_trace_init(&stand.trace, &stand.tracers, 0);
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		do_word(&stand, words[i]);
	file = tracer_next(stand.tracer);
	for (size_t at = 0; at < file.size;) {
		struct cursor_in in = cursor_in(file.bytes + at, 20);
		uint32_t type = in_le32(&in), size = in_le32(&in);

		(void)in_le32(&in);
		time = (uint64_t)in_le32(&in) << 32;
		time |= in_le32(&in);
		if (type == PCAPNG_PACKET) {
			assert_in_range(time, last, trace_stream_now());
			last = time;
		}
		at += size;
	}
	assert_true(last >= before);
	stand.tracer = tracer_free(stand.tracer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conversations),
		cmocka_unit_test(test_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
