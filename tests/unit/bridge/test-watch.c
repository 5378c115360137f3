/*
 * The monitor's steps over scripted SCard functions.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "host-bridge/watch.h"
#include "tests/unit/bridge/fake_pcsc.h"

#define COUNTER(n) ((DWORD)(n) << 16)

static struct watch watch;

static int setup(void **state)
{
	(void)state;
	fake_reset();
	watch_init(&watch, &fake_functions, (struct watch_filter){ .hides = NULL });
	return 0;
}

/* Readers of one name are passed over; how often that is asked is counted. */
static bool hides_own(void *context, const char *name)
{
	unsigned int *asked = context;

	*asked += 1;
	return strcmp(name, "Own") == 0;
}

static int teardown(void **state)
{
	(void)state;
	watch_deinit(&watch);
	watch_deinit(&watch);
	assert_int_equal(fake.contexts, 0);
	return 0;
}

/* One step: what it calls, whether pcscd answered, whether something is new. */
static void step(const char *calls, bool answers, bool changed)
{
	watch.changed = false;
	assert_int_equal(watch_step(&watch), answers);
	assert_string_equal(fake_calls(), calls);
	assert_int_equal(watch.changed, changed);
}

static void use_readers(const char *list, size_t size)
{
	fake.readers = list;
	fake.readers_size = size;
}

#define ONE "A"
#define TWO "A\0B"
#define USE_READERS(list) use_readers(list "\0", sizeof(list "\0"))

static void check_reader(size_t index, const char *name, uint8_t card, uint32_t counter,
	uint8_t atr_size)
{
	assert_true(index < watch.seen.count);
	assert_string_equal(watch.seen.readers[index].name, name);
	assert_int_equal(watch.seen.readers[index].card, card);
	assert_int_equal(watch.seen.readers[index].insertion, counter);
	assert_int_equal(watch.seen.readers[index].atr_size, atr_size);
}

/* Nothing is said before something is known: at the start, pcscd is neither there nor away. */
static void test_start(void **state)
{
	(void)state;
	assert_false(watch.known && watch.seen.service);
	USE_READERS(TWO);
	fake.change = (struct fake_change){ SCARD_S_SUCCESS, {
		{ "A", SCARD_STATE_CHANGED | SCARD_STATE_PRESENT | COUNTER(3), 12 },
		{ "B", SCARD_STATE_CHANGED | SCARD_STATE_EMPTY | COUNTER(4), 0 } } };
	step("establish", true, false);
	step("list", true, false);
	step("wait 1000 ms for 3 with PnP", true, true);
	assert_int_equal(watch.seen.service, 1);
	assert_int_equal(watch.seen.count, 2);
	check_reader(0, "A", WIRE_CARD_PRESENT, 3, 12);
	check_reader(1, "B", WIRE_CARD_ABSENT, 4, 0);
}

static void start(void)
{
	test_start(NULL);
}

/* A wait that ends without news is followed by a list all the same, and nothing is reported. */
static void test_quiet(void **state)
{
	(void)state;
	start();
	for (int i = 0; i < 3; i++) {
		fake.change = (struct fake_change){ SCARD_E_TIMEOUT, { { NULL, 0, 0 } } };
		step("list", true, false);
		step("wait 1000 ms for 3 with PnP", true, false);
	}
	/* another program has the card exclusively: that is news, and so is its end */
	for (int i = 0; i < 2; i++) {
		fake.change = (struct fake_change){ SCARD_S_SUCCESS, { { "A",
			SCARD_STATE_CHANGED | SCARD_STATE_PRESENT | COUNTER(3) |
			(i == 0 ? SCARD_STATE_INUSE | SCARD_STATE_EXCLUSIVE : 0), 12 } } };
		step("list", true, false);
		step("wait 1000 ms for 3 with PnP", true, true);
		assert_int_equal(watch.seen.readers[0].id, i == 0 ? WATCH_EXCLUSIVE : 0);
	}
	/* another program connects: the state changes, what we report of it doesn't */
	fake.change = (struct fake_change){ SCARD_S_SUCCESS, { { "A",
		SCARD_STATE_CHANGED | SCARD_STATE_PRESENT | SCARD_STATE_INUSE | COUNTER(3),
		12 } } };
	step("list", true, false);
	step("wait 1000 ms for 3 with PnP", true, false);
}

static void test_card_states(void **state)
{
	static const struct {
		DWORD dwEventState;
		size_t cbAtr;
		uint8_t card;
		uint8_t atr_size;
	} rows[] = {
		{ SCARD_STATE_EMPTY, 0, WIRE_CARD_ABSENT, 0 },
		{ SCARD_STATE_PRESENT, 33, WIRE_CARD_PRESENT, 33 },
		{ SCARD_STATE_EMPTY, 33, WIRE_CARD_ABSENT, 0 },
		{ SCARD_STATE_PRESENT | SCARD_STATE_MUTE, 0, WIRE_CARD_UNRESPONSIVE, 0 },
		{ SCARD_STATE_PRESENT | SCARD_STATE_UNPOWERED, 5, WIRE_CARD_PRESENT, 5 },
		{ SCARD_STATE_PRESENT | SCARD_STATE_EXCLUSIVE, 6, WIRE_CARD_PRESENT, 6 },
		{ SCARD_STATE_PRESENT, 34, WIRE_CARD_PRESENT, 0 },
		{ SCARD_STATE_PRESENT | SCARD_STATE_MUTE, 34, WIRE_CARD_UNRESPONSIVE, 0 },
		{ SCARD_STATE_UNKNOWN | SCARD_STATE_UNAVAILABLE, 0, WIRE_CARD_ABSENT, 0 },
	};

	(void)state;
	start();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		fake.change = (struct fake_change){ SCARD_S_SUCCESS, { { "A",
			rows[i].dwEventState | SCARD_STATE_CHANGED | COUNTER(100 + i),
			rows[i].cbAtr } } };
		step("list", true, false);
		step("wait 1000 ms for 3 with PnP", true, true);
		check_reader(0, "A", rows[i].card, (uint32_t)(100 + i), rows[i].atr_size);
		check_reader(1, "B", WIRE_CARD_ABSENT, 4, 0);
	}
}

/*
 * The event state comes back as the current one: a change between two waits ends the next at once.
 */
static void test_current_state(void **state)
{
	(void)state;
	start();
	step("list", true, false);
	assert_int_equal(watch.entries[0].dwCurrentState,
		SCARD_STATE_CHANGED | SCARD_STATE_PRESENT | COUNTER(3));
	assert_int_equal(watch.entries[1].dwCurrentState,
		SCARD_STATE_CHANGED | SCARD_STATE_EMPTY | COUNTER(4));
	assert_int_equal(watch.entries[2].dwCurrentState, SCARD_STATE_UNAWARE);
	assert_string_equal(watch.entries[2].szReader, "\\\\?PnP?\\Notification");
}

static void test_plugging(void **state)
{
	(void)state;
	start();
	/* A goes while nobody waits */
	USE_READERS("B");
	fake.change = (struct fake_change){ SCARD_E_TIMEOUT, { { NULL, 0, 0 } } };
	step("list", true, false);
	step("wait 1000 ms for 2 with PnP", true, true);
	assert_int_equal(watch.seen.count, 1);
	check_reader(0, "B", WIRE_CARD_ABSENT, 4, 0);
	/* C comes; B keeps its state, C has none yet */
	USE_READERS("B\0C");
	step("list", true, false);
	assert_int_equal(watch.entries[0].dwCurrentState,
		SCARD_STATE_CHANGED | SCARD_STATE_EMPTY | COUNTER(4));
	assert_int_equal(watch.entries[1].dwCurrentState, SCARD_STATE_UNAWARE);
	/* and goes before the wait */
	fake.change = (struct fake_change){ SCARD_E_UNKNOWN_READER, { { NULL, 0, 0 } } };
	step("wait 1000 ms for 3 with PnP", true, false);
	fake.list = SCARD_E_NO_READERS_AVAILABLE;
	fake.change = (struct fake_change){ SCARD_E_TIMEOUT, { { NULL, 0, 0 } } };
	step("list", true, false);
	step("wait 1000 ms for 1 with PnP", true, true);
	assert_int_equal(watch.seen.count, 0);
	assert_int_equal(watch.seen.service, 1);
}

/* pcscd dies in each of the states, stays away, and comes back. */
static void test_service(void **state)
{
	(void)state;
	fake.establish = SCARD_E_NO_SERVICE;
	step("establish", false, true);
	assert_int_equal(watch.seen.service, 0);
	assert_int_equal(watch.problem, SCARD_E_NO_SERVICE);
	step("establish", false, false);
	fake.establish = SCARD_S_SUCCESS;
	fake.list = SCARD_E_NO_SERVICE;
	step("establish", true, false);
	step("list; release", false, false);
	fake.list = SCARD_S_SUCCESS;
	start();
	assert_int_equal(watch.problem, SCARD_S_SUCCESS);
	step("list", true, false);
	fake.change.result = SCARD_F_COMM_ERROR;
	step("wait 1000 ms for 3 with PnP; release", false, true);
	assert_int_equal(watch.seen.service, 0);
	assert_int_equal(watch.seen.count, 0);
	start();
}

/* A pcscd of another version is away, and core is told why. */
static void test_foreign(void **state)
{
	(void)state;
	fake.establish = SCARD_E_SERVICE_STOPPED;
	step("establish", false, true);
	assert_int_equal(watch.seen.service, WATCH_FOREIGN);
	assert_int_equal(watch.problem, SCARD_E_SERVICE_STOPPED);
	fake.establish = SCARD_E_NO_SERVICE;
	step("establish", false, true);
	assert_int_equal(watch.seen.service, 0);
	fake.establish = SCARD_S_SUCCESS;
	start();
}

/* A list of so many readers. */
static void use_many(unsigned int count)
{
	static char list[64 * 4 + 1];
	size_t size = 0;

	for (unsigned int i = 0; i < count; i++)
		size += (size_t)snprintf(&list[size], 5, "R%02u", i) + 1;
	list[size++] = '\0';
	use_readers(list, size);
	step("list", true, false);
}

/*
 * 16 readers leave no entry for plug and play; more are waited for in groups, in the same time. What
 * goes beyond a list of the relay is left out.
 */
static void test_many(void **state)
{
	static const struct {
		unsigned int readers;
		const char *waits;
	} rows[] = {
		{ 15, "wait 1000 ms for 16 with PnP" },
		{ 16, "wait 1000 ms for 16" },
		{ 17, "wait 500 ms for 16; wait 500 ms for 2 with PnP" },
		{ 31, "wait 500 ms for 16; wait 500 ms for 16 with PnP" },
		{ 32, "wait 500 ms for 16; wait 500 ms for 16" },
	};

	(void)state;
	fake.change.result = SCARD_E_TIMEOUT;
	step("establish", true, false);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		use_many(rows[i].readers);
		step(rows[i].waits, true, true);
		assert_int_equal(watch.seen.count, rows[i].readers);
		assert_int_equal(watch.left_out, 0);
		assert_int_equal(watch.listed, watch.readers);
	}
	use_many(35);
	step("wait 500 ms for 16; wait 500 ms for 16", true, false);
	assert_int_equal(watch.seen.count, 32);
	assert_int_equal(watch.left_out, 3);
}

/* News of one group doesn't wait for the other, nor is it lost. */
static void test_news_of_groups(void **state)
{
	(void)state;
	step("establish", true, false);
	use_many(20);
	fake.change = (struct fake_change){ SCARD_S_SUCCESS, {
		{ "R03", SCARD_STATE_CHANGED | SCARD_STATE_PRESENT | COUNTER(1), 5 },
		{ "R19", SCARD_STATE_CHANGED | SCARD_STATE_PRESENT | COUNTER(7), 6 } } };
	step("wait 500 ms for 16; wait 0 ms for 5 with PnP", true, true);
	check_reader(3, "R03", WIRE_CARD_PRESENT, 1, 5);
	check_reader(19, "R19", WIRE_CARD_PRESENT, 7, 6);
	use_many(20);
	assert_int_equal(watch.entries[19].dwCurrentState,
		SCARD_STATE_CHANGED | SCARD_STATE_PRESENT | COUNTER(7));
	/* pcscd dies in the first wait: there is no second one */
	fake.change.result = SCARD_F_COMM_ERROR;
	step("wait 500 ms for 16; release", false, true);
}

/* A name that moves is another reader; the one that keeps its name keeps its state. */
static void test_moving_names(void **state)
{
	(void)state;
	USE_READERS("A 00 00\0A 01 00");
	fake.change = (struct fake_change){ SCARD_S_SUCCESS, {
		{ "A 00 00", SCARD_STATE_CHANGED | SCARD_STATE_PRESENT | COUNTER(1), 5 },
		{ "A 01 00", SCARD_STATE_CHANGED | SCARD_STATE_PRESENT | COUNTER(2), 6 } } };
	step("establish", true, false);
	step("list", true, false);
	step("wait 1000 ms for 3 with PnP", true, true);
	USE_READERS("A 01 00\0A 02 00");
	step("list", true, false);
	assert_int_equal(watch.entries[0].dwCurrentState,
		SCARD_STATE_CHANGED | SCARD_STATE_PRESENT | COUNTER(2));
	assert_int_equal(watch.entries[1].dwCurrentState, SCARD_STATE_UNAWARE);
	fake.change = (struct fake_change){ SCARD_S_SUCCESS, {
		{ "A 02 00", SCARD_STATE_CHANGED | SCARD_STATE_PRESENT | COUNTER(3), 5 } } };
	step("wait 1000 ms for 3 with PnP", true, true);
	check_reader(0, "A 01 00", WIRE_CARD_PRESENT, 2, 6);
	check_reader(1, "A 02 00", WIRE_CARD_PRESENT, 3, 5);
}

/* Multi-strings that end too early, and names that no reader has. */
static void test_lists(void **state)
{
	static char long_name[2 * WIRE_NAME_MAX];

	(void)state;
	fake.change.result = SCARD_E_TIMEOUT;
	step("establish", true, false);
	use_readers("AB", 2); /* no zero at all */
	step("list", true, false);
	assert_int_equal(watch.readers, 0);
	step("wait 1000 ms for 1 with PnP", true, true);
	use_readers("AB\0CD", 5); /* the second one is cut */
	step("list", true, false);
	assert_int_equal(watch.readers, 1);
	step("wait 1000 ms for 2 with PnP", true, true);
	use_readers("", 0);
	step("list", true, false);
	step("wait 1000 ms for 1 with PnP", true, true);
	memset(long_name, 'x', sizeof long_name);
	long_name[WIRE_NAME_MAX] = '\0';
	long_name[WIRE_NAME_MAX + 1] = 'B';
	long_name[WIRE_NAME_MAX + 2] = '\0';
	long_name[WIRE_NAME_MAX + 3] = '\0';
	use_readers(long_name, WIRE_NAME_MAX + 4);
	step("list", true, false);
	assert_int_equal(watch.readers, 1);
	assert_string_equal(watch.names[0], "B");
}

/* What is watched is not asked about again; what is hidden is, as its name may pass to another. */
static void test_hidden(void **state)
{
	unsigned int asked = 0;

	(void)state;
	watch_init(&watch, &fake_functions, (struct watch_filter){ hides_own, &asked });
	USE_READERS("A\0Own\0B");
	step("establish", true, false);
	step("list", true, false);
	assert_int_equal(asked, 3);
	step("wait 1000 ms for 3 with PnP", true, true);
	assert_int_equal(watch.seen.count, 2);
	assert_string_equal(watch.seen.readers[0].name, "A");
	assert_string_equal(watch.seen.readers[1].name, "B");
	step("list", true, false);
	assert_int_equal(asked, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_hidden, setup, teardown),
		cmocka_unit_test_setup_teardown(test_start, setup, teardown),
		cmocka_unit_test_setup_teardown(test_quiet, setup, teardown),
		cmocka_unit_test_setup_teardown(test_card_states, setup, teardown),
		cmocka_unit_test_setup_teardown(test_current_state, setup, teardown),
		cmocka_unit_test_setup_teardown(test_plugging, setup, teardown),
		cmocka_unit_test_setup_teardown(test_service, setup, teardown),
		cmocka_unit_test_setup_teardown(test_foreign, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_news_of_groups, setup, teardown),
		cmocka_unit_test_setup_teardown(test_moving_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lists, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
