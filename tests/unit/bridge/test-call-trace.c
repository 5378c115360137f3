/*
 * The bridge's side of a trace, as conversations: calls that begin and end, and what is in the file.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "host-bridge/call_trace.h"
#include "tests/unit/bridge/hex.h"
#include "tests/unit/trace/capture.h"

#define A 0
#define B 1

enum event { NONE, TRACE, STOP, CALL, REPLY, FORGET };

struct step {
	enum event event;
	unsigned int tracer;        /* TRACE, STOP: A or B */
	uint32_t number;            /* CALL, REPLY */
	uint8_t operation;          /* CALL */
	uint8_t detail;             /* CALL: initialization; REPLY: outcome */
	const char *data;
	uint32_t reader;            /* CALL: identity */
	const char *name;           /* CALL: of that one */
};

struct row {
	const char *what;
	struct step steps[10];
	const char *files[2];       /* of A and B at the end */
};

#define BEGIN(tracer_) { .event = TRACE, .tracer = (tracer_) }
#define END(tracer_) { .event = STOP, .tracer = (tracer_) }
#define MADE(number_, operation_, detail_, data_) { .event = CALL, .number = (number_), \
	.operation = (operation_), .detail = (detail_), .data = (data_), .reader = 4, .name = "Reader" }
#define ANSWERED(number_, outcome_, data_) { .event = REPLY, .number = (number_), .detail = (outcome_), \
	.data = (data_) }

#define DEVICE(address, name) address " request 8006000100001200; " name "\n" \
	address " descriptor of 18; " name "\n" address " request 8006000200005600; " name "\n" \
	address " descriptor of 86; " name "\n"
#define READER DEVICE("5", "Reader")
#define EARLIER DEVICE("5", "a reader that was called before this trace")

static const struct row rows[] = {
	{ "nobody traces", { MADE(1, WIRE_CONNECT, 0, ""), ANSWERED(1, WIRE_OK, "3B02") }, { "", "" } },
	{ "connect, with an ATR", { BEGIN(A), MADE(1, WIRE_CONNECT, 0, ""),
		ANSWERED(1, WIRE_OK, "3B021450") },
		{ READER "5 out 62000000000001000000; call=1; SCardConnect, or SCardReconnect; guest vm\n"
		"5 in 800400000000010000003B021450; call=1; SCardConnect: done; guest vm\n", "" } },
	{ "connect, with what is no ATR", { BEGIN(A), MADE(1, WIRE_CONNECT, WIRE_RESET, ""),
		ANSWERED(1, WIRE_OK, "31323334") },
		{ READER "5 out 62000000000001000000; call=1; SCardConnect, or SCardReconnect with reset; "
		"guest vm\n5 in 80040000000001000000 +4; call=1; SCardConnect: done; guest vm; data cut out\n",
		"" } },
	{ "a cold one that fails", { BEGIN(A), MADE(1, WIRE_CONNECT, WIRE_UNPOWER, ""),
		ANSWERED(1, WIRE_CARD_MUTE, "") },
		{ READER "5 out 62000000000001000000; call=1; SCardConnect, or SCardReconnect with power-off; "
		"guest vm\n5 in 8000000000000140FE00; call=1; SCardConnect: card mute; guest vm\n", "" } },
	{ "APDUs", { BEGIN(A), MADE(258, WIRE_TRANSMIT, 0, "0020008104 31323334"),
		ANSWERED(258, WIRE_OK, "63C2"), MADE(259, WIRE_TRANSMIT, 0, "00B0000000"),
		ANSWERED(259, WIRE_OK, "3B02 9000") },
		{ READER "5 out 6F0900000000020000000020008104 +4; call=258; SCardTransmit; guest vm; data cut out\n"
		"5 in 80020000000002000000 +2; call=258; SW=63C2; SCardTransmit: done; guest vm; data cut out\n"
		"5 out 6F05000000000300000000B0000000; call=259; SCardTransmit; guest vm\n"
		"5 in 80040000000003000000 +4; call=259; SW=9000; SCardTransmit: done; guest vm; data cut out\n",
		"" } },
	{ "busy", { BEGIN(A), MADE(3, WIRE_TRANSMIT, 0, "00B00000"), ANSWERED(3, WIRE_CARD_BUSY, "") },
		{ READER "5 out 6F04000000000300000000B00000; call=3; SCardTransmit; guest vm\n"
		"5 in 8000000000000340E000; call=3; SCardTransmit: card busy; guest vm\n", "" } },
	{ "removed", { BEGIN(A), MADE(3, WIRE_TRANSMIT, 0, "00B00000"), ANSWERED(3, WIRE_CARD_REMOVED, "") },
		{ READER "5 out 6F04000000000300000000B00000; call=3; SCardTransmit; guest vm\n"
		"5 in 8000000000000340FE00; call=3; SCardTransmit: card removed; guest vm\n", "" } },
	{ "unknown", { BEGIN(A), MADE(3, WIRE_TRANSMIT, 0, "00B00000"), ANSWERED(3, WIRE_OUTCOME_UNKNOWN, "") },
		{ READER "5 out 6F04000000000300000000B00000; call=3; SCardTransmit; guest vm\n"
		"5 in 8000000000000340FB00; call=3; SCardTransmit: outcome unknown; guest vm\n", "" } },
	{ "a PIN pad", { BEGIN(A), MADE(3, WIRE_SECURE, 0, "00 1E8248 0020008008 FFFF"),
		ANSWERED(3, WIRE_OK, "9000") },
		{ READER "5 out 690B0000000003000000 +11; call=3; SCardControl (PIN pad); guest vm; data cut out\n"
		"5 in 80020000000003000000 +2; call=3; SW=9000; SCardControl (PIN pad): done; guest vm; "
		"data cut out\n", "" } },
	{ "an escape", { BEGIN(A), MADE(3, WIRE_ESCAPE, 0, "3132"), ANSWERED(3, WIRE_OK, "33343536") },
		{ READER "5 out 6B020000000003000000 +2; call=3; SCardControl (escape); guest vm; data cut out\n"
		"5 in 83040000000003000000 +4; call=3; SCardControl (escape): done; guest vm; data cut out\n",
		"" } },
	{ "cancel and disconnect, and data where none should be", { BEGIN(A), MADE(3, WIRE_CANCEL, 0, "31"),
		ANSWERED(3, WIRE_OK, "32"), MADE(4, WIRE_DISCONNECT, 0, "33"), ANSWERED(4, WIRE_OK, "34") },
		{ READER "5 out 72010000000003000000 +1; call=3; cancel; guest vm; data cut out\n"
		"5 in 81010000000003000000 +1; call=3; cancel: done; guest vm; data cut out\n"
		"5 out 63010000000004000000 +1; call=4; SCardDisconnect; guest vm; data cut out\n"
		"5 in 81010000000004000000 +1; call=4; SCardDisconnect: done; guest vm; data cut out\n", "" } },
	{ "a call that nobody knows", { BEGIN(A), MADE(3, 99, 0, "31323334"),
		ANSWERED(3, WIRE_UNSUPPORTED, "35") },
		{ READER "5 out 00 +13; call=3; unknown call; guest vm; data cut out\n"
		"5 in 8101000000000340FB00 +1; call=3; unknown call: unsupported; guest vm; data cut out\n", "" } },
	{ "a reader that isn't the guest's", { BEGIN(A), { CALL, 0, 3, WIRE_TRANSMIT, 0, "00B00000", 200, NULL },
		ANSWERED(3, WIRE_READER_GONE, "") },
		{ DEVICE("74", "no reader of this guest")
		"74 out 6F04000000000300000000B00000; call=3; SCardTransmit; guest vm\n"
		"74 in 8000000000000340FB00; call=3; SCardTransmit: reader gone; guest vm\n", "" } },
	{ "two readers, at once", { BEGIN(A), MADE(3, WIRE_TRANSMIT, 0, "00B00000"),
		{ CALL, 0, 4, WIRE_DISCONNECT, 0, "", 5, "Other" }, ANSWERED(4, WIRE_OK, ""),
		ANSWERED(3, WIRE_OK, "9000") },
		{ READER "5 out 6F04000000000300000000B00000; call=3; SCardTransmit; guest vm\n"
		DEVICE("6", "Other") "6 out 63000000000004000000; call=4; SCardDisconnect; guest vm\n"
		"6 in 81000000000004000000; call=4; SCardDisconnect: done; guest vm\n"
		"5 in 80020000000003000000 +2; call=3; SW=9000; SCardTransmit: done; guest vm; data cut out\n",
		"" } },
	{ "an answer to nothing, and one twice", { BEGIN(A), ANSWERED(9, WIRE_OK, "3132"),
		MADE(3, WIRE_DISCONNECT, 0, ""), ANSWERED(3, WIRE_OK, ""), ANSWERED(3, WIRE_OK, "") },
		{ READER "5 out 63000000000003000000; call=3; SCardDisconnect; guest vm\n"
		"5 in 81000000000003000000; call=3; SCardDisconnect: done; guest vm\n", "" } },
	{ "the session ends, and its numbers with it", { BEGIN(A), MADE(1, WIRE_CONNECT, 0, ""), { .event = FORGET },
		ANSWERED(1, WIRE_OK, "3B02") },
		{ READER "5 out 62000000000001000000; call=1; SCardConnect, or SCardReconnect; guest vm\n", "" } },

	/* Traces come and go at any moment. */
	{ "one that begins before the answer", { MADE(3, WIRE_DISCONNECT, 0, ""), BEGIN(A),
		ANSWERED(3, WIRE_OK, "") }, { "", "" } },
	{ "one that ends before it", { BEGIN(A), MADE(3, WIRE_DISCONNECT, 0, ""), END(A),
		ANSWERED(3, WIRE_OK, ""), BEGIN(B), ANSWERED(3, WIRE_OK, "") }, { "", "" } },
	{ "another that begins before it", { BEGIN(A), MADE(3, WIRE_DISCONNECT, 0, ""), BEGIN(B),
		ANSWERED(3, WIRE_OK, ""), MADE(4, WIRE_DISCONNECT, 0, "") },
		{ READER "5 out 63000000000003000000; call=3; SCardDisconnect; guest vm\n" EARLIER
		"5 in 81000000000003000000; call=3; SCardDisconnect: done; guest vm\n" READER
		"5 out 63000000000004000000; call=4; SCardDisconnect; guest vm\n",
		EARLIER "5 in 81000000000003000000; call=3; SCardDisconnect: done; guest vm\n" READER
		"5 out 63000000000004000000; call=4; SCardDisconnect; guest vm\n" } },
	{ "the first goes, the second goes on", { BEGIN(A), BEGIN(B), MADE(3, WIRE_DISCONNECT, 0, ""), END(A),
		ANSWERED(3, WIRE_OK, "") },
		{ "", READER "5 out 63000000000003000000; call=3; SCardDisconnect; guest vm\n"
		"5 in 81000000000003000000; call=3; SCardDisconnect: done; guest vm\n" } },
};

struct stand {
	struct call_traces traces;
	struct tracer *tracers[2];
	struct call_trace trace;
};

static void on_wake(void *context)
{
	(void)context;
}

static void do_step(struct stand *stand, const struct step *step)
{
	const struct tracer_owner owner = { .wake = on_wake };
	uint8_t bytes[64];
	const struct payload_view data = step->data != NULL ? hex_bytes(step->data, bytes) :
		(struct payload_view){ .bytes = NULL };
	const struct wire_call call = { .number = step->number, .reader = step->reader, .data = data,
		.operation = step->operation, .initialization = step->detail };
	const struct wire_reply reply = { .number = step->number, .outcome = step->detail, .data = data };

	switch (step->event) {
	case NONE:
		break;
	case TRACE:
		assert_int_equal(tracer_new(&stand->tracers[step->tracer], &stand->traces.tracers, false, &owner), 0);
		call_traces_anew(&stand->traces);
		break;
	case STOP:
		stand->tracers[step->tracer] = tracer_free(stand->tracers[step->tracer]);
		break;
	case CALL:
		call_trace_begin(&stand->trace, &call, step->name);
		break;
	case REPLY:
		call_trace_end(&stand->trace, &reply);
		break;
	case FORGET:
		call_trace_forget(&stand->trace);
		break;
	}
}

static void stand_up(struct stand *stand)
{
	*stand = (struct stand){ .traces = CALL_TRACES("1") };
	call_trace_init(&stand->trace, &stand->traces, "vm");
}

static void test_conversations(void **state)
{
	struct stand stand;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		print_message("%s\n", rows[i].what);
		stand_up(&stand);
		for (size_t k = 0; k < sizeof rows[i].steps / sizeof rows[i].steps[0]; k++)
			do_step(&stand, &rows[i].steps[k]);
		for (size_t k = 0; k < 2; k++) {
			struct payload_view file = { .bytes = NULL };

			if (stand.tracers[k] != NULL)
				file = tracer_next(stand.tracers[k]);
			assert_string_equal(capture_text(file.bytes, file.size), rows[i].files[k]);
			stand.tracers[k] = tracer_free(stand.tracers[k]);
		}
	}
}

/* As many calls as can be open, whose answers come in any order; time and again, traced or not. */
static void test_many(void **state)
{
	struct stand stand;
	struct capture_sum sum;
	struct payload_view file;
	struct step call = MADE(1, WIRE_DISCONNECT, 0, ""), answer = ANSWERED(1, WIRE_OK, "");

	(void)state;
	stand_up(&stand);
	for (size_t round = 0; round < 5; round++) {
		do_step(&stand, &(struct step)BEGIN(A));
		for (size_t i = 0; i < WIRE_OPEN_MAX; i++, call.number++)
			do_step(&stand, &call);
		/* In every other round it ends before the answers come. */
		if (round % 2 == 0)
			do_step(&stand, &(struct step)END(A));
		for (size_t i = 0; i < WIRE_OPEN_MAX; i++) {
			answer.number = call.number - WIRE_OPEN_MAX + (uint32_t)((i * 5 + 3) % WIRE_OPEN_MAX);
			do_step(&stand, &answer);
		}
		if (round % 2 == 0)
			continue;
		file = tracer_next(stand.tracers[A]);
		sum = capture_sum(file.bytes, file.size);
		assert_int_equal(sum.packets, 4 + 2 * WIRE_OPEN_MAX);
		do_step(&stand, &(struct step)END(A));
	}
	assert_null(stand.traces.tracers.first);
}

/* Each identity has an address that a USB device can have. */
static void test_addresses(void **state)
{
	static const uint32_t identities[] = { 0, 1, 125, 126, 127, 128, 254, UINT32_MAX };
	static const char *const addresses[] = { "1 ", "2 ", "126 ", "127 ", "1 ", "2 ", "1 ", "16 " };

	(void)state;
	for (size_t i = 0; i < sizeof identities / sizeof identities[0]; i++) {
		const struct step call = { CALL, 0, 1, WIRE_DISCONNECT, 0, "", identities[i], "Reader" };
		struct stand stand;
		struct payload_view file;

		stand_up(&stand);
		do_step(&stand, &(struct step)BEGIN(A));
		do_step(&stand, &call);
		file = tracer_next(stand.tracers[A]);
		assert_memory_equal(capture_text(file.bytes, file.size), addresses[i], strlen(addresses[i]));
		do_step(&stand, &(struct step)END(A));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conversations),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
