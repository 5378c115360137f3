/*
 * NotifySlotChange on interrupt IN: CCID 1.1, 6.3.1.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "tests/conformance/card.h"
#include "tests/conformance/suite.h"

#define PRESENT 0x01 /* bmSlotICCState of slot 0 */
#define CHANGED 0x02

/* How long an insertion or a removal may take to be told, ms: the test's card is polled. */
#define CHANGE 3000

/* Reads one, which has to be whole; its byte 1 is *state. */
static bool read_one(struct tester *t, unsigned int timeout, uint8_t *state)
{
	size_t needed = 1 + (t->descriptor.bMaxSlotIndex + 4U) / 4, size = 0;
	uint8_t bytes[64];
	int r = transport_interrupt(&t->transport, bytes, sizeof(bytes), timeout, &size);

	if (!tester_check(t, r == 0, "no notification within %u ms: %s", timeout,
		    libusb_error_name(r)) ||
		!tester_check(t, size == needed, "%zu bytes", size) ||
		!tester_check(t, bytes[0] == NOTIFY_SLOT_CHANGE, "bMessageType %02X", bytes[0]))
		return false;
	*state = bytes[1];
	return true;
}

static bool none_within(struct tester *t, unsigned int ms)
{
	uint8_t bytes[64];
	size_t size = 0;
	int r = transport_interrupt(&t->transport, bytes, sizeof(bytes), ms, &size);

	return tester_check(t, r == LIBUSB_ERROR_TIMEOUT,
		"%02X %02X that nothing was the reason for", bytes[0], bytes[1]);
}

static bool says(struct tester *t, unsigned int timeout, uint8_t expected)
{
	uint8_t state = 0;

	return read_one(t, timeout, &state) &&
		tester_check(t, state == expected, "bmSlotICCState %02X, expected %02X", state,
			expected);
}

/* 6.3.1: a card that is there when the reader is configured is announced; once. */
static bool after_configuration(struct tester *t)
{
	tester_drain_notifications(t);
	return tester_check(t, transport_set_interface(&t->transport) == 0, "SET_INTERFACE") &&
		says(t, 1000, PRESENT | CHANGED) && none_within(t, 500);
}

/* An empty slot is not announced, or as empty. */
static bool after_configuration_empty(struct tester *t)
{
	uint8_t bytes[64] = { 0 };
	size_t size = 0;
	int r;

	tester_drain_notifications(t);
	if (!tester_check(t, transport_set_interface(&t->transport) == 0, "SET_INTERFACE"))
		return false;
	r = transport_interrupt(&t->transport, bytes, sizeof(bytes), 500, &size);
	return tester_check(t, r == LIBUSB_ERROR_TIMEOUT || (bytes[1] & PRESENT) == 0,
			"an empty slot is announced as %02X", bytes[1]) &&
		tester_status_is(t, ICC_ABSENT);
}

/* Once more: no notification that is older than SET_INTERFACE comes after it. */
static bool after_many_configurations(struct tester *t)
{
	tester_drain_notifications(t);
	for (int i = 0; i < 20; i++) {
		if (!tester_check(t, transport_set_interface(&t->transport) == 0, "SET_INTERFACE"))
			return false;
	}
	return says(t, 1000, PRESENT | CHANGED) && none_within(t, 500) &&
		tester_status_is(t, ICC_INACTIVE);
}

/* Nothing changes, and nothing is told: commands and their answers are no slot change. */
static bool silent(struct tester *t)
{
	tester_drain_notifications(t);
	for (int i = 0; i < 5; i++) {
		if (!tester_power_on(t) || !card_select_works(t) || !tester_power_off(t))
			return false;
	}
	return none_within(t, 500);
}

/* 6.3.1: a removal is 50 02, an insertion 50 03, and the status is what it said. */
static bool removal_and_insertion(struct tester *t)
{
	tester_drain_notifications(t);
	return card_send_leave(t, 0, 15) && tester_await(t) && tester_expect_failed(t, ANY_ERROR) &&
		says(t, CHANGE, CHANGED) && tester_status_is(t, ICC_ABSENT) &&
		says(t, CHANGE + 1500, PRESENT | CHANGED) && tester_status_is(t, ICC_INACTIVE) &&
		none_within(t, 500);
}

/*
 * The driver sleeps until a notification wakes it, and only then looks: of a card that was swapped
 * it has to see the absence, too.
 */
static bool swap(struct tester *t)
{
	tester_drain_notifications(t);
	return card_send_leave(t, 0, 6) && tester_await(t) && tester_expect_failed(t, ANY_ERROR) &&
		says(t, CHANGE, CHANGED) && tester_status_is(t, ICC_ABSENT) &&
		says(t, CHANGE + 1000, PRESENT | CHANGED) && tester_status_is(t, ICC_INACTIVE);
}

/*
 * Nobody reads while the card leaves and comes back three times: what is then read is at most what
 * a controller holds and the newest state, and the last one is true.
 */
static bool unread(struct tester *t)
{
	uint8_t state = 0, bytes[64];
	size_t size;
	int n = 0;

	tester_drain_notifications(t);
	for (int i = 0; i < 3; i++) {
		if (!card_send_leave(t, 0, 6) || !tester_await(t) ||
			!tester_status_becomes(t, ICC_ABSENT, CHANGE) ||
			!tester_status_becomes(t, ICC_INACTIVE, CHANGE + 1000) ||
			!tester_power_on(t))
			return false;
	}
	while (n < 8 && transport_interrupt(&t->transport, bytes, sizeof(bytes), 500, &size) == 0) {
		state = bytes[1];
		n++;
	}
	return tester_check(t, n >= 1 && n <= 2, "%d notifications had piled up", n) &&
		tester_check(t, state == (PRESENT | CHANGED), "the last one is %02X", state);
}

/* A notification that nobody reads is in no answer's way. */
static bool in_nobodys_way(struct tester *t)
{
	tester_drain_notifications(t);
	if (!tester_check(t, transport_set_interface(&t->transport) == 0, "SET_INTERFACE"))
		return false;
	transport_pause(300);
	for (int i = 0; i < 20; i++) {
		if (!tester_power_on(t) || !card_select_works(t) || !tester_power_off(t))
			return false;
	}
	return says(t, 500, PRESENT | CHANGED);
}

#define CARD (NEED_CARD | NEED_INTERRUPT)
#define SCRIPTED (CARD | NEED_SCRIPTED)

const struct suite_case notify_cases[] = {
	{ "6.3.1", "a card is announced after SET_INTERFACE, once: 50 03", CARD, START_INACTIVE,
		after_configuration, NULL },
	{ "6.3.1", "an empty slot is not announced as full", NEED_NO_CARD | NEED_INTERRUPT,
		START_ANY, after_configuration_empty, NULL },
	{ "6.3.1", "one notification after twenty SET_INTERFACE", CARD, START_INACTIVE,
		after_many_configurations, NULL },
	{ "6.3.1", "commands are no slot change", CARD, START_INACTIVE, silent, NULL },
	{ "6.3.1", "removal is 50 02, insertion 50 03, and GetSlotStatus says the same", SCRIPTED,
		START_ACTIVE, removal_and_insertion, NULL },
	{ "6.3.1", "a card that comes back in 600 ms was absent", SCRIPTED, START_ACTIVE, swap,
		NULL },
	{ "drivers", "notifications that nobody reads don't pile up; the last one is true",
		SCRIPTED, START_ACTIVE, unread, NULL },
	{ "drivers", "a notification that nobody reads is in no answer's way", CARD, START_INACTIVE,
		in_nobodys_way, NULL },
	{ .name = NULL },
};
