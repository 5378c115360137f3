/*
 * See card.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "tests/conformance/card.h"

#include "base/cursor.h"
#include "tests/card/commands.h"
#include "tests/card/pattern.h"

uint8_t card_buffer[CARD_APDU_MAX + 16];

const uint8_t card_select[CARD_SELECT_SIZE] = {
	0x00, 0xA4, 0x04, 0x00, 0x06, 0xF0, 'n', 'o', 'a', 'p', 'p',
};

bool card_select_works(struct tester *t)
{
	return tester_transmit(t, card_select, CARD_SELECT_SIZE);
}

/* ISO/IEC 7816-4, 5.1: short if it can be. */
size_t card_apdu(uint8_t *apdu, uint8_t ins, size_t p1p2, size_t nc, size_t ne)
{
	struct cursor_out out = cursor_out(apdu, CARD_APDU_MAX);
	bool extended = nc > 255 || ne > 256;

	out_u8(&out, COMMAND_CLA_OWN);
	out_u8(&out, ins);
	out_be16(&out, (uint16_t)p1p2);
	if (extended)
		out_u8(&out, 0);
	if (nc > 0 && extended)
		out_be16(&out, (uint16_t)nc);
	else if (nc > 0)
		out_u8(&out, (uint8_t)nc);
	if (nc > 0) {
		pattern_fill(apdu + out.size, nc, (uint32_t)nc);
		out.size += nc;
	}
	if (ne > 0 && extended)
		out_be16(&out, (uint16_t)(ne & 0xFFFF));
	else if (ne > 0)
		out_u8(&out, (uint8_t)(ne & 0xFF));
	return out.size;
}

bool card_pattern_came(struct tester *t, size_t n)
{
	size_t mismatch;

	if (!tester_check(t, t->response_size == n + 2, "%zu bytes of response, expected %zu",
		    t->response_size, n + 2))
		return false;
	mismatch = pattern_mismatch(t->response, n, (uint32_t)n);
	return tester_check(t, mismatch == n, "byte %zu of %zu is wrong", mismatch, n) &&
		tester_sw_is(t, 0x9000);
}

bool card_source(struct tester *t, size_t n)
{
	size_t size = card_apdu(card_buffer, COMMAND_SOURCE, n, 0, n == 0 ? 256 : n);

	return tester_transmit(t, card_buffer, size) && card_pattern_came(t, n);
}

bool card_sink(struct tester *t, size_t n)
{
	size_t size = card_apdu(card_buffer, COMMAND_SINK, n, n, 0);

	return tester_transmit(t, card_buffer, size) && card_pattern_came(t, 0);
}

bool card_both(struct tester *t, size_t nc, size_t n)
{
	size_t size = card_apdu(card_buffer, COMMAND_BOTH, n, nc, n == 0 ? 256 : n);

	return tester_transmit(t, card_buffer, size) && card_pattern_came(t, n);
}

bool card_start_work(struct tester *t, unsigned int ms)
{
	size_t size = card_apdu(card_buffer, COMMAND_WORK, ms, 4, 256);

	return tester_send_part(t, LEVEL_WHOLE, card_buffer, size);
}

bool card_worked(struct tester *t)
{
	return tester_await(t) && tester_collect(t) && card_pattern_came(t, 4);
}

static bool card_ask_counters(struct tester *t, uint32_t counters[static 3])
{
	size_t size = card_apdu(card_buffer, COMMAND_COUNTERS, 0, 0, 256);
	struct cursor_in in;

	if (!tester_transmit(t, card_buffer, size) || !tester_sw_is(t, 0x9000))
		return false;
	in = cursor_in(t->response, t->response_size);
	for (int i = 0; i < 3; i++) {
		counters[i] = (uint32_t)in_be16(&in) << 16;
		counters[i] |= in_be16(&in);
	}
	return true;
}

bool card_count(struct tester *t, uint32_t *apdus)
{
	uint32_t counters[3];

	if (!card_ask_counters(t, counters))
		return false;
	*apdus = counters[2];
	return true;
}

bool card_count_resets(struct tester *t, uint32_t *resets)
{
	uint32_t counters[3];

	if (!card_ask_counters(t, counters))
		return false;
	*resets = counters[0] + counters[1];
	return true;
}

bool card_send_leave(struct tester *t, unsigned int after_ms, unsigned int tenths)
{
	const uint8_t apdu[] = { COMMAND_CLA_OWN, COMMAND_DROP, COMMAND_DROP_FIN, (uint8_t)tenths,
		2, (uint8_t)(after_ms >> 8), (uint8_t)(after_ms & 0xFF) };

	return tester_send_part(t, LEVEL_WHOLE, apdu, sizeof(apdu));
}
