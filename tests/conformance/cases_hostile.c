/*
 * Nothing kills the reader or the slot: whatever bytes come on bulk OUT and whatever requests on the
 * control pipe, in whatever order, the next good command works.
 *
 * All of it is random, and the same again with the same --seed.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "base/cursor.h"
#include "tests/conformance/card.h"
#include "tests/conformance/suite.h"

#define ROUNDS 40         /* between two of them the reader is asked to work */
#define ROUND_ACTIONS 12
#define BYTES_MAX 2200    /* of one transfer; a few are longer */
#define LONG_BYTES 66000

/* ---- bulk OUT ---- */

/* A header that a slot takes seriously, more or less, and random bytes behind it. */
static size_t likely_message(struct tester *t)
{
	struct cursor_out out = cursor_out(t->out, sizeof(t->out));
	uint32_t choice = tester_random(t);
	size_t size = CCID_HEADER + tester_random(t) % (choice & 3 ? 40 : BYTES_MAX);

	out_u8(&out, (uint8_t)(SET_PARAMETERS + choice % 20));
	out_le32(&out, choice & 0x30 ? (uint32_t)(size - CCID_HEADER) : tester_random(t));
	out_u8(&out, choice & 0x1C0 ? 0 : (uint8_t)choice);
	out_u8(&out, ++t->seq);
	out_u8(&out, (uint8_t)(tester_random(t) % 4));
	out_le16(&out, (uint16_t)(tester_random(t) % 20));
	while (out.size < size)
		out_u8(&out, (uint8_t)tester_random(t));
	return size;
}

static size_t random_bytes(struct tester *t)
{
	size_t size = tester_random(t) % (tester_random(t) % 16 == 0 ? LONG_BYTES : BYTES_MAX);

	for (size_t i = 0; i < size; i++)
		t->out[i] = (uint8_t)tester_random(t);
	return size;
}

/* ---- the control pipe ---- */

/* Any class or vendor request to the interface, with data or without. What comes back is its own. */
static void odd_request(struct tester *t)
{
	static const uint8_t types[] = { 0x21, 0xA1, 0x41, 0xC1 };
	uint8_t bytes[64] = { 0 };
	uint32_t choice = tester_random(t);
	uint8_t bRequest = choice & 0x100 ? (uint8_t)(choice % 5) : (uint8_t)choice;

	(void)libusb_control_transfer(t->transport.handle, types[choice >> 10 & 3], bRequest,
		(uint16_t)tester_random(t), t->transport.setting->bInterfaceNumber, bytes,
		(uint16_t)(tester_random(t) % sizeof(bytes)), TRANSPORT_CONTROL_TIMEOUT);
}

/* ---- a round ---- */

static bool hostile_action(struct tester *t)
{
	switch (tester_random(t) % 8) {
	case 0:
	case 1:
	case 2:
		return tester_write(t, t->out, likely_message(t));
	case 3:
	case 4:
		return tester_write(t, t->out, random_bytes(t));
	case 5:
	case 6:
		odd_request(t);
		return true;
	default:
		tester_drain(t);
		return true;
	}
}

/*
 * A driver that comes after that: what it doesn't know it reads and forgets. A message may have been
 * begun and an Abort, so it sends an empty packet, and an Abort of its own.
 */
static bool take_over(struct tester *t)
{
	int r;

	if (!tester_write(t, NULL, 0))
		return false;
	tester_drain(t);
	r = transport_control_out(&t->transport, REQUEST_TYPE_OUT, REQUEST_ABORT,
		(uint16_t)((uint8_t)(t->seq + 1) << 8));
	return tester_check(t, r == 0, "the request ABORT: %s", libusb_error_name(r)) &&
		tester_ask(t, &(struct command){ .type = ABORT }) &&
		tester_check(t, (t->answer.status & COMMAND_MASK) == 0, "Abort: bStatus %02X",
			t->answer.status);
}

static bool hostile(struct tester *t)
{
	for (int i = 0; i < ROUNDS; i++) {
		for (int j = 0; j < ROUND_ACTIONS; j++) {
			if (!hostile_action(t))
				return false;
		}
		if (!take_over(t) || !tester_status(t) ||
			(t->card && (!tester_power_on(t) || !card_select_works(t))))
			return false;
	}
	return true;
}

const struct suite_case hostile_cases[] = {
	{ "6", "random bytes, messages and requests: the next good command works, no card",
		NEED_NO_CARD, START_ANY, hostile, NULL },
	{ "6", "random bytes, messages and requests: the next good command works",
		NEED_CARD | NEED_SCRIPTED, START_ACTIVE, hostile, NULL },
	{ .name = NULL },
};
