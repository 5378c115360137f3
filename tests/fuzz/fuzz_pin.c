/*
 * Fuzzes what the PIN guard reads of a guest's commands and of a card's answers, as a conversation: the
 * input is a sequence of a length, that many bytes of command, a status word. Whatever comes, a guarded
 * PIN of which the card has said that one try is left gets no more that could use it.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <assert.h>
#include <stdbool.h>

#include "base/cursor.h"
#include "fuzz.h"
#include "host-bridge/pin_guard.h"

static struct pin_guard guard;

/* The parser's promises: a question holds nothing, and what is judged has a reference. */
static void check_command(const struct pin_command *command, struct payload_view apdu)
{
	assert(command->channel < PIN_CHANNELS);
	if (command->query)
		assert(command->kind == PIN_VERIFY && apdu.size <= 5);
	if (command->kind == PIN_NONE)
		assert(!command->query && !command->proves);
}

static void play_one(struct pin_handle *handle, struct payload_view apdu, uint16_t sw)
{
	const uint8_t response[] = { (uint8_t)(sw >> 8), (uint8_t)sw };
	struct pin_command command;
	enum pin_verdict verdict;
	int tries;

	pin_command_read(apdu, &command);
	check_command(&command, apdu);
	for (int i = 0; (verdict = pin_guard_judge(handle, &command)) == PIN_ASK; i++) {
		assert(i < 4);
		pin_guard_asked(handle, &command, sw);
	}
	if (verdict == PIN_REFUSE) {
		assert(handle->keep > 0 && command.kind != PIN_NONE);
		pin_guard_refused(handle);
		return;
	}
	pin_guard_sent(handle, &command);
	if (command.kind == PIN_NONE)
		pin_guard_other(handle, apdu);
	else if (sw == 0)
		pin_guard_lost(handle, &command);
	else
		(void)pin_guard_answered(handle, &command, pin_command_status(&command,
			(struct payload_view){ response, sizeof response }), &tries);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const uint8_t atr[] = { 0x3B, 0x80, 0x01, 0x81 };
	struct pin_handle handles[2] = { PIN_HANDLE_CLOSED, PIN_HANDLE_CLOSED };
	struct cursor_in in = cursor_in(bytes, size);

	pin_guard_init(&guard);
	handles[0].keep = 1;
	handles[0].ask = true;
	for (uint32_t i = 0; i < 2; i++)
		pin_guard_open(&guard, &handles[i], i + 1, 1, (struct payload_view){ atr, sizeof atr });
	while (in.left > 0 && in_ok(&in)) {
		size_t length = in_u8(&in);
		const uint8_t *apdu = in_bytes(&in, length & 0x7F);
		uint16_t sw = in_be16(&in);

		if (apdu != NULL)
			play_one(&handles[length >> 7], (struct payload_view){ apdu, length & 0x7F }, sw);
	}
	for (int i = 0; i < 2; i++)
		pin_guard_close(&handles[i]);
	return 0;
}
