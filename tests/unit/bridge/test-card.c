/*
 * A worker's card over scripted SCard functions: conversations, each a table of calls with what the
 * guest is told and what pcscd is asked.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdbool.h>
#include <string.h>

#include "host-bridge/card.h"
#include "tests/unit/bridge/fake_pcsc.h"

struct step {
	uint8_t operation;
	uint8_t initialization;
	uint8_t protocols;      /* 0: both */
	LONG result;            /* of connect, reconnect and transmit from here on */
	enum wire_outcome outcome;
	uint8_t protocol;
	const char *calls;
};

#define T1 WIRE_PROTOCOL_T1
#define CONNECTS "establish; connect R shared T0|T1"

/* The clock of the tests: it counts what was waited, and the guest goes when they say so. */
struct clock {
	unsigned int waited;
	unsigned int guest_goes; /* ms; 0: never */
};

static struct clock clock_now;
static struct card card;
static struct wire_reply reply;

static bool wait_on_clock(void *context, unsigned int milliseconds)
{
	struct clock *clock = context;

	clock->waited += milliseconds;
	return clock->guest_goes == 0 || clock->waited < clock->guest_goes;
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	clock_now = (struct clock){ .waited = 0 };
	card_init(&card, &fake_functions,
		(struct card_patience){ .wait = wait_on_clock, .context = &clock_now }, "vm1", "R");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	card_deinit(&card);
	assert_int_equal(fake.contexts, 0);
	return 0;
}

static void call(uint8_t operation, uint8_t initialization, uint8_t protocols)
{
	static const uint8_t apdu[5];
	struct wire_call wire_call = {
		.number = 3,
		.operation = operation,
		.initialization = initialization,
		.protocols = protocols != 0 ? protocols : WIRE_PROTOCOL_T0 | WIRE_PROTOCOL_T1,
	};

	if (operation == WIRE_TRANSMIT)
		wire_call.data = (struct payload_view){ .bytes = apdu, .size = sizeof apdu };
	card_call(&card, &wire_call, &reply);
}

static void play(const struct step *steps, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		fake.connect = fake.reconnect = fake.transmit = steps[i].result;
		call(steps[i].operation, steps[i].initialization, steps[i].protocols);
		assert_int_equal(reply.outcome, steps[i].outcome);
		assert_int_equal(reply.protocol, steps[i].protocol);
		assert_string_equal(fake_calls(), steps[i].calls);
	}
}

#define PLAY(steps) play(steps, sizeof(steps) / sizeof(steps)[0])

/* PowerOn, an APDU, PowerOff: the card is reset. */
static void test_used(void **state)
{
	static const struct step steps[] = {
		{ WIRE_CONNECT, WIRE_LEAVE, 0, 0, WIRE_OK, T1, CONNECTS },
		{ WIRE_TRANSMIT, 0, 0, 0, WIRE_OK, T1, "transmit T1 5" },
		{ WIRE_DISCONNECT, 0, 0, 0, WIRE_OK, 0, "disconnect reset; release" },
	};

	(void)state;
	PLAY(steps);
}

/* Who has only looked at the ATR leaves the card as it was. */
static void test_unused(void **state)
{
	static const struct step steps[] = {
		{ WIRE_CONNECT, WIRE_LEAVE, 0, 0, WIRE_OK, T1, CONNECTS },
		{ WIRE_DISCONNECT, 0, 0, 0, WIRE_OK, 0, "disconnect leave; release" },
	};

	(void)state;
	PLAY(steps);
}

static void test_no_handle(void **state)
{
	static const struct step steps[] = {
		{ WIRE_TRANSMIT, 0, 0, 0, WIRE_NOT_CONNECTED, 0, "" },
		{ WIRE_DISCONNECT, 0, 0, 0, WIRE_OK, 0, "" },
		{ WIRE_DISCONNECT, 0, 0, 0, WIRE_OK, 0, "" },
	};

	(void)state;
	PLAY(steps);
}

/* A reset of our own ends our PIN state: after it, the card counts as unused. */
static void test_reconnect(void **state)
{
	static const struct step steps[] = {
		{ WIRE_CONNECT, WIRE_UNPOWER, 0, 0, WIRE_OK, T1, CONNECTS },
		{ WIRE_TRANSMIT, 0, 0, 0, WIRE_OK, T1, "transmit T1 5" },
		{ WIRE_CONNECT, WIRE_RESET, T1, 0, WIRE_OK, T1, "reconnect shared T1 reset" },
		{ WIRE_CONNECT, WIRE_UNPOWER, 0, 0, WIRE_OK, T1, "reconnect shared T0|T1 unpower" },
		{ WIRE_CONNECT, WIRE_LEAVE, WIRE_PROTOCOL_T0, 0, WIRE_OK, T1,
		  "reconnect shared T0 leave" },
		{ WIRE_DISCONNECT, 0, 0, 0, WIRE_OK, 0, "disconnect leave; release" },
	};
	static const struct step leave_steps[] = {
		{ WIRE_CONNECT, WIRE_LEAVE, 0, 0, WIRE_OK, T1, CONNECTS },
		{ WIRE_TRANSMIT, 0, 0, 0, WIRE_OK, T1, "transmit T1 5" },
		{ WIRE_CONNECT, WIRE_LEAVE, 0, 0, WIRE_OK, T1, "reconnect shared T0|T1 leave" },
		{ WIRE_DISCONNECT, 0, 0, 0, WIRE_OK, 0, "disconnect reset; release" },
	};

	(void)state;
	PLAY(steps);
	PLAY(leave_steps);
}

/* A foreign reset: told once per call, the handle stays, and only WIRE_CONNECT reconnects. */
static void test_foreign_reset(void **state)
{
	static const struct step steps[] = {
		{ WIRE_CONNECT, WIRE_LEAVE, 0, 0, WIRE_OK, T1, CONNECTS },
		{ WIRE_TRANSMIT, 0, 0, 0, WIRE_OK, T1, "transmit T1 5" },
		{ WIRE_TRANSMIT, 0, 0, SCARD_W_RESET_CARD, WIRE_CARD_RESET, T1, "transmit T1 5" },
		{ WIRE_TRANSMIT, 0, 0, SCARD_W_RESET_CARD, WIRE_CARD_RESET, T1, "transmit T1 5" },
		{ WIRE_CONNECT, WIRE_LEAVE, 0, 0, WIRE_OK, T1, "reconnect shared T0|T1 leave" },
		{ WIRE_DISCONNECT, 0, 0, 0, WIRE_OK, 0, "disconnect leave; release" },
	};
	static const struct step release_steps[] = {
		{ WIRE_CONNECT, WIRE_LEAVE, 0, 0, WIRE_OK, T1, CONNECTS },
		{ WIRE_TRANSMIT, 0, 0, SCARD_W_RESET_CARD, WIRE_CARD_RESET, T1, "transmit T1 5" },
		{ WIRE_DISCONNECT, 0, 0, 0, WIRE_OK, 0, "disconnect leave; release" },
	};

	(void)state;
	PLAY(steps);
	PLAY(release_steps);
}

/* A pulled card: its handle is given back, and the next one is connected to, not reconnected. */
static void test_removal(void **state)
{
	static const struct step steps[] = {
		{ WIRE_CONNECT, WIRE_LEAVE, 0, 0, WIRE_OK, T1, CONNECTS },
		{ WIRE_TRANSMIT, 0, 0, SCARD_W_REMOVED_CARD, WIRE_CARD_REMOVED, 0,
		  "transmit T1 5; disconnect leave; release" },
		{ WIRE_TRANSMIT, 0, 0, 0, WIRE_NOT_CONNECTED, 0, "" },
		{ WIRE_CONNECT, WIRE_RESET, 0, SCARD_E_NO_SMARTCARD, WIRE_NO_CARD, 0,
		  CONNECTS "; release" },
		{ WIRE_CONNECT, WIRE_RESET, 0, 0, WIRE_OK, T1, CONNECTS },
	};

	(void)state;
	PLAY(steps);
}

/* pcscd restarted: handle and context are forgotten, and made anew by the next WIRE_CONNECT. */
static void test_service(void **state)
{
	static const struct step steps[] = {
		{ WIRE_CONNECT, WIRE_LEAVE, 0, 0, WIRE_OK, T1, CONNECTS },
		{ WIRE_TRANSMIT, 0, 0, SCARD_F_COMM_ERROR, WIRE_SERVICE_GONE, 0,
		  "transmit T1 5; release" },
		{ WIRE_TRANSMIT, 0, 0, 0, WIRE_NOT_CONNECTED, 0, "" },
		{ WIRE_CONNECT, WIRE_LEAVE, 0, 0, WIRE_OK, T1, CONNECTS },
		{ WIRE_DISCONNECT, 0, 0, 0, WIRE_OK, 0, "disconnect leave; release" },
	};

	(void)state;
	PLAY(steps);
}

/* The end of the pipe is a disconnect. */
static void test_end(void **state)
{
	(void)state;
	call(WIRE_CONNECT, WIRE_LEAVE, 0);
	call(WIRE_TRANSMIT, 0, 0);
	(void)fake_calls();
	card_deinit(&card);
	assert_string_equal(fake_calls(), "disconnect reset; release");
}

/*
 * A reset that is refused must not keep the handle open; but somebody else has to reset the card
 * then. Another program's transaction is waited for.
 */
static void test_refused_reset(void **state)
{
	(void)state;
	call(WIRE_CONNECT, WIRE_LEAVE, 0);
	call(WIRE_TRANSMIT, 0, 0);
	(void)fake_calls();
	fake.disconnect = SCARD_E_SHARING_VIOLATION;
	call(WIRE_DISCONNECT, 0, 0);
	assert_int_equal(reply.outcome, WIRE_OK);
	assert_string_equal(fake_calls(), "disconnect reset; disconnect reset; release");
	assert_int_equal(clock_now.waited, CARD_BUSY_POLL);
	assert_false(card.unclean);

	call(WIRE_CONNECT, WIRE_LEAVE, 0);
	call(WIRE_TRANSMIT, 0, 0);
	(void)fake_calls();
	fake.disconnect = SCARD_F_INTERNAL_ERROR;
	call(WIRE_DISCONNECT, 0, 0);
	assert_int_equal(reply.outcome, WIRE_OK);
	assert_string_equal(fake_calls(), "disconnect reset; disconnect leave; release");
	assert_int_equal(fake.handles, 0);
	assert_true(card.unclean);
}

/* Answers of every length that pcscd gives on success. Fewer than two bytes are no answer. */
static void test_short_answers(void **state)
{
	(void)state;
	call(WIRE_CONNECT, WIRE_LEAVE, 0);
	for (DWORD size = 0; size <= sizeof fake.response; size++) {
		fake.response_size = size;
		call(WIRE_TRANSMIT, 0, 0);
		assert_int_equal(reply.outcome, size < 2 ? WIRE_CARD_ERROR : WIRE_OK);
		assert_int_equal(reply.data.size, size < 2 ? 0 : size);
		assert_int_equal(fake.receive_size, 65548);
	}
}

/* A handle that was used over nothing but errors was used, too: the card may have executed it. */
static void test_failed_use(void **state)
{
	static const struct step steps[] = {
		{ WIRE_CONNECT, WIRE_LEAVE, 0, 0, WIRE_OK, T1, CONNECTS },
		{ WIRE_TRANSMIT, 0, 0, SCARD_E_NOT_TRANSACTED, WIRE_CARD_ERROR, T1,
		  "transmit T1 5" },
		{ WIRE_DISCONNECT, 0, 0, 0, WIRE_OK, 0, "disconnect reset; release" },
	};

	(void)state;
	PLAY(steps);
}

static void test_atr_sizes(void **state)
{
	(void)state;
	for (DWORD size = 0; size <= sizeof fake.atr; size++) {
		bool good = size >= 1 && size <= WIRE_ATR_MAX;

		fake.atr_size = size;
		call(WIRE_CONNECT, WIRE_LEAVE, 0);
		assert_int_equal(reply.outcome, good ? WIRE_OK : WIRE_CARD_MUTE);
		assert_int_equal(reply.data.size, good ? size : 0);
		call(WIRE_DISCONNECT, 0, 0);
	}
}

/*
 * Another program's transaction: short ones are waited for, long ones are not, and nothing is sent.
 */
static void test_busy(void **state)
{
	(void)state;
	call(WIRE_CONNECT, WIRE_LEAVE, 0);
	fake.busy = 10;
	call(WIRE_TRANSMIT, 0, 0);
	assert_int_equal(reply.outcome, WIRE_OK);
	assert_int_equal(clock_now.waited, 10 * CARD_BUSY_POLL);

	clock_now.waited = 0;
	fake.busy = 10;
	call(WIRE_CONNECT, WIRE_RESET, 0);
	assert_int_equal(reply.outcome, WIRE_OK);
	assert_int_equal(clock_now.waited, 10 * CARD_BUSY_POLL);

	clock_now.waited = 0;
	fake.busy = 1000000;
	call(WIRE_TRANSMIT, 0, 0);
	assert_int_equal(reply.outcome, WIRE_CARD_BUSY);
	assert_int_equal(reply.protocol, T1);
	assert_int_equal(clock_now.waited, CARD_BUSY_LIMIT);

	clock_now.waited = 0;
	call(WIRE_CONNECT, WIRE_RESET, 0);
	assert_int_equal(reply.outcome, WIRE_CARD_BUSY);
	assert_int_equal(clock_now.waited, CARD_BUSY_LIMIT);

	/* nothing of all this has reached the card since its reset */
	(void)fake_calls();
	call(WIRE_DISCONNECT, 0, 0);
	assert_string_equal(fake_calls(), "disconnect leave; release");
}

/* Nobody waits for a card on behalf of a guest that is gone. */
static void test_busy_guest_goes(void **state)
{
	(void)state;
	call(WIRE_CONNECT, WIRE_LEAVE, 0);
	fake.busy = 1000000;
	clock_now.guest_goes = 500;
	call(WIRE_TRANSMIT, 0, 0);
	assert_int_equal(reply.outcome, WIRE_CARD_BUSY);
	assert_int_equal(clock_now.waited, 500);
}

static void test_unknown_operation(void **state)
{
	(void)state;
	call(99, 0, 0);
	assert_int_equal(reply.outcome, WIRE_UNSUPPORTED);
	assert_string_equal(fake_calls(), "");
}

/* The cleaner: it has done its work when the card was reset, or can hold no state. */
static void test_clean(void **state)
{
	static const struct {
		LONG connect;
		LONG disconnect;
		bool clean;
	} rows[] = {
		{ SCARD_S_SUCCESS, SCARD_S_SUCCESS, true },
		{ SCARD_S_SUCCESS, SCARD_E_SHARING_VIOLATION, true },
		{ SCARD_S_SUCCESS, SCARD_F_INTERNAL_ERROR, false },
		{ SCARD_E_SHARING_VIOLATION, SCARD_S_SUCCESS, false },
		{ SCARD_F_INTERNAL_ERROR, SCARD_S_SUCCESS, false },
		{ SCARD_E_NO_SMARTCARD, SCARD_S_SUCCESS, true },
		{ SCARD_W_UNRESPONSIVE_CARD, SCARD_S_SUCCESS, true },
		{ SCARD_E_UNKNOWN_READER, SCARD_S_SUCCESS, true },
		{ SCARD_E_NO_SERVICE, SCARD_S_SUCCESS, true },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		(void)setup(state);
		fake.connect = rows[i].connect;
		fake.disconnect = rows[i].disconnect;
		assert_int_equal(card_clean(&card), rows[i].clean);
		assert_int_equal(strstr(fake_calls(), "disconnect reset") != NULL,
			rows[i].connect == SCARD_S_SUCCESS);
		(void)teardown(state);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_used, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_handle, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reconnect, setup, teardown),
		cmocka_unit_test_setup_teardown(test_foreign_reset, setup, teardown),
		cmocka_unit_test_setup_teardown(test_removal, setup, teardown),
		cmocka_unit_test_setup_teardown(test_service, setup, teardown),
		cmocka_unit_test_setup_teardown(test_end, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused_reset, setup, teardown),
		cmocka_unit_test_setup_teardown(test_short_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_failed_use, setup, teardown),
		cmocka_unit_test_setup_teardown(test_atr_sizes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_busy, setup, teardown),
		cmocka_unit_test_setup_teardown(test_busy_guest_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unknown_operation, setup, teardown),
		cmocka_unit_test(test_clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
