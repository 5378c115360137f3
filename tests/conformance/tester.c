/*
 * The conversation. See tester.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "tests/conformance/tester.h"

#include <stdio.h>
#include <string.h>

#include "base/cursor.h"

void tester_read_descriptor(struct tester *t)
{
	const struct libusb_interface_descriptor *setting = t->transport.setting;
	struct cursor_in in = cursor_in(setting->extra, (size_t)setting->extra_length);
	struct class_descriptor *d = &t->descriptor;

	d->bLength = in_u8(&in);
	d->bDescriptorType = in_u8(&in);
	d->bcdCCID = in_le16(&in);
	d->bMaxSlotIndex = in_u8(&in);
	d->bVoltageSupport = in_u8(&in);
	d->dwProtocols = in_le32(&in);
	d->dwDefaultClock = in_le32(&in);
	d->dwMaximumClock = in_le32(&in);
	d->bNumClockSupported = in_u8(&in);
	d->dwDataRate = in_le32(&in);
	d->dwMaxDataRate = in_le32(&in);
	d->bNumDataRatesSupported = in_u8(&in);
	d->dwMaxIFSD = in_le32(&in);
	d->dwSynchProtocols = in_le32(&in);
	d->dwMechanical = in_le32(&in);
	d->dwFeatures = in_le32(&in);
	d->dwMaxCCIDMessageLength = in_le32(&in);
	d->bClassGetResponse = in_u8(&in);
	d->bClassEnvelope = in_u8(&in);
	d->wLcdLayout = in_le16(&in);
	d->bPINSupport = in_u8(&in);
	d->bMaxCCIDBusySlots = in_u8(&in);
	d->complete = in_ok(&in);
}

/* ---- failing ---- */

bool tester_fail(struct tester *t, const char *format, ...)
{
	va_list arguments;

	if (t->reason[0] != '\0')
		return false;
	va_start(arguments, format);
	(void)vsnprintf(t->reason, sizeof(t->reason), format, arguments);
	va_end(arguments);
	return false;
}

bool tester_check(struct tester *t, bool condition, const char *format, ...)
{
	va_list arguments;

	if (condition || t->reason[0] != '\0')
		return condition;
	va_start(arguments, format);
	(void)vsnprintf(t->reason, sizeof(t->reason), format, arguments);
	va_end(arguments);
	return false;
}

/* ---- messages ---- */

uint8_t tester_answer_type(uint8_t type)
{
	switch (type) {
	case ICC_POWER_ON:
	case XFR_BLOCK:
	case SECURE:
		return DATA_BLOCK;
	case GET_PARAMETERS:
	case RESET_PARAMETERS:
	case SET_PARAMETERS:
		return PARAMETERS;
	case ESCAPE:
		return ESCAPE_ANSWER;
	case SET_DATA_RATE_AND_CLOCK_FREQUENCY:
		return DATA_RATE_AND_CLOCK_FREQUENCY;
	default:
		return SLOT_STATUS;
	}
}

size_t tester_encode(struct tester *t, const struct command *command)
{
	struct cursor_out out = cursor_out(t->out, sizeof(t->out));

	t->seq++;
	t->last = (struct pending){ .type = command->type, .slot = command->slot, .seq = t->seq };
	out_u8(&out, command->type);
	out_le32(&out, command->lie ? command->dwLength : (uint32_t)command->size);
	out_u8(&out, command->slot);
	out_u8(&out, t->seq);
	out_bytes(&out, command->specific, sizeof(command->specific));
	out_bytes(&out, command->data, command->size);
	return out.size;
}

uint32_t tester_random(struct tester *t)
{
	t->seed ^= t->seed << 13; /* xorshift */
	t->seed ^= t->seed >> 17;
	t->seed ^= t->seed << 5;
	return t->seed;
}

bool tester_write(struct tester *t, const uint8_t *bytes, size_t size)
{
	int r = transport_out(&t->transport, bytes, size);

	t->last.sent_at = transport_now();
	return tester_check(t, r == 0, "bulk OUT of %zu bytes: %s", size, libusb_error_name(r));
}

bool tester_send(struct tester *t, const struct command *command)
{
	size_t size = tester_encode(t, command);

	t->extensions = (struct extensions){ .count = 0 };
	return tester_write(t, t->out, size);
}

/* CCID 1.1, 6.2: what is true of every response. */
static bool tester_parse(struct tester *t, size_t size)
{
	struct cursor_in in = cursor_in(t->in, size);
	struct answer *answer = &t->answer;

	answer->type = in_u8(&in);
	answer->dwLength = in_le32(&in);
	answer->slot = in_u8(&in);
	answer->seq = in_u8(&in);
	answer->status = in_u8(&in);
	answer->error = in_u8(&in);
	answer->specific = in_u8(&in);
	answer->size = in.left;
	answer->data = in_bytes(&in, in.left);
	return tester_check(t, in_ok(&in), "a message of %zu bytes is shorter than a header",
		size) &&
		tester_check(t, answer->dwLength == answer->size,
			"type %02X, dwLength %u, but %zu bytes followed", answer->type,
			answer->dwLength, answer->size) &&
		tester_check(t, (answer->status & STATUS_RFU) == 0 &&
			(answer->status & ICC_MASK) != 3 && (answer->status & COMMAND_MASK) != 0xC0,
			"type %02X, bStatus %02X has RFU bits", answer->type, answer->status);
}

bool tester_receive(struct tester *t, unsigned int timeout)
{
	size_t size = 0, room = t->message_max > 0 ? t->message_max : sizeof(t->in);
	int r = transport_in(&t->transport, t->in, room, timeout, &size);

	if (r == LIBUSB_ERROR_TIMEOUT)
		return tester_fail(t, "no answer to %02X within %u ms", t->last.type, timeout);
	return tester_check(t, r == 0, "bulk IN: %s", libusb_error_name(r)) &&
		tester_parse(t, size);
}

/* Only these may take longer than drivers wait; libccid misreads an extension of any other. */
static bool tester_may_extend(uint8_t type)
{
	return type == XFR_BLOCK || type == SECURE || type == ESCAPE;
}

/* The message that came belongs to the last command. */
static bool tester_is_answer(struct tester *t)
{
	const struct answer *answer = &t->answer;

	return tester_check(t, answer->seq == t->last.seq,
			"bSeq %02X (type %02X) to command %02X with %02X", answer->seq,
			answer->type, t->last.type, t->last.seq) &&
		tester_check(t, answer->type == tester_answer_type(t->last.type),
			"type %02X to command %02X", answer->type, t->last.type) &&
		tester_check(t, answer->slot == t->last.slot, "bSlot %02X to one for %02X",
			answer->slot, t->last.slot);
}

static bool tester_note_extension(struct tester *t, unsigned int gap)
{
	if (t->extensions.count++ == 0)
		t->extensions.first = gap;
	return tester_check(t, tester_may_extend(t->last.type), "a time extension for %02X",
			t->last.type) &&
		tester_check(t, t->answer.size == 0, "a time extension with data");
}

static bool tester_is_extension(const struct answer *answer)
{
	return (answer->status & COMMAND_MASK) == TIME_EXTENSION;
}

/*
 * Of the command that runs meanwhile: it takes longer, or was ended by an Abort (CCID 1.1, 5.3.1).
 */
static bool tester_is_of_running(const struct tester *t)
{
	const struct answer *answer = &t->answer;

	return t->running.type != 0 && answer->seq == t->running.seq &&
		(tester_is_extension(answer) ||
		((answer->status & COMMAND_MASK) == FAILED && answer->error == ABORTED));
}

static bool tester_receive_own(struct tester *t)
{
	do {
		if (!tester_receive(t, TESTER_PATIENCE))
			return false;
	} while (tester_is_of_running(t));
	return tester_is_answer(t);
}

bool tester_await(struct tester *t)
{
	uint64_t before = t->last.sent_at, now = before;
	bool extended;

	do {
		if (!tester_receive_own(t))
			return false;
		now = transport_now();
		extended = tester_is_extension(&t->answer);
		if (now - before > t->extensions.longest)
			t->extensions.longest = (unsigned int)(now - before);
		if (extended && !tester_note_extension(t, (unsigned int)(now - before)))
			return false;
		before = now;
	} while (extended && now - t->last.sent_at < TESTER_PATIENCE_MAX);
	t->took = (unsigned int)(now - t->last.sent_at);
	return tester_check(t, !extended, "time extensions for %u ms, and no answer", t->took);
}

void tester_leave_running(struct tester *t)
{
	t->running = t->last;
}

bool tester_await_running(struct tester *t)
{
	t->last = t->running;
	t->running.type = 0;
	return tester_await(t);
}

bool tester_ask(struct tester *t, const struct command *command)
{
	return tester_send(t, command) && tester_await(t);
}

static bool tester_expect_masked(struct tester *t, unsigned int mask, unsigned int status,
	unsigned int error)
{
	const struct answer *answer = &t->answer;

	return tester_check(t, (answer->status & mask) == status,
			"%02X: bStatus %02X bError %02X, expected bStatus %02X", t->last.type,
			answer->status, answer->error, status) &&
		tester_check(t, error == ANY_ERROR || answer->error == error,
			"%02X: bStatus %02X bError %02X, expected bError %02X", t->last.type,
			answer->status, answer->error, error) &&
		tester_check(t, (answer->status & COMMAND_MASK) != FAILED || answer->size == 0,
			"%02X: failed, but with data", t->last.type);
}

bool tester_expect(struct tester *t, unsigned int status, unsigned int error)
{
	return tester_expect_masked(t, 0xFF, status, error);
}

bool tester_expect_failed(struct tester *t, unsigned int error)
{
	return tester_expect_masked(t, COMMAND_MASK, FAILED, error);
}

bool tester_quiet(struct tester *t, unsigned int ms)
{
	size_t size = 0;
	int r = transport_in(&t->transport, t->in, sizeof(t->in), ms, &size);

	if (r == LIBUSB_ERROR_TIMEOUT)
		return true;
	if (r != 0)
		return tester_fail(t, "bulk IN: %s", libusb_error_name(r));
	if (!tester_parse(t, size))
		return false;
	return tester_fail(t, "type %02X bSeq %02X bStatus %02X that nobody asked for",
		t->answer.type, t->answer.seq, t->answer.status);
}

void tester_drain(struct tester *t)
{
	size_t size;

	for (int i = 0; i < 16; i++) {
		if (transport_in(&t->transport, t->in, sizeof(t->in), 50, &size) != 0)
			return;
	}
}

void tester_drain_notifications(struct tester *t)
{
	uint8_t bytes[64];
	size_t size;

	for (int i = 0; i < 8 && t->transport.interrupt_in != 0; i++) {
		if (transport_interrupt(&t->transport, bytes, sizeof(bytes), 100, &size) != 0)
			return;
	}
}

/* ---- status and power ---- */

bool tester_status(struct tester *t)
{
	return tester_ask(t, &(struct command){ .type = GET_SLOT_STATUS }) &&
		tester_expect_masked(t, COMMAND_MASK, 0, 0) &&
		tester_check(t, t->answer.size == 0, "SlotStatus with data");
}

bool tester_status_is(struct tester *t, uint8_t icc)
{
	return tester_status(t) && tester_expect(t, icc, 0);
}

bool tester_status_becomes(struct tester *t, uint8_t icc, unsigned int ms)
{
	uint64_t until = transport_now() + ms;

	do {
		if (!tester_status(t))
			return false;
		if ((t->answer.status & ICC_MASK) == icc)
			return true;
		transport_pause(50);
	} while (transport_now() < until);
	return tester_fail(t, "bmICCStatus %u, not %u within %u ms", t->answer.status, icc, ms);
}

bool tester_power_on(struct tester *t)
{
	struct cursor_in in;

	if (!tester_ask(t, &(struct command){ .type = ICC_POWER_ON }) ||
		!tester_expect(t, ICC_ACTIVE, 0) ||
		!tester_check(t, t->answer.size >= 2 && t->answer.size <= ATR_MAX,
			"an ATR of %zu bytes", t->answer.size) ||
		!tester_check(t, t->answer.specific == CHAIN_WHOLE,
			"an ATR with bChainParameter %02X", t->answer.specific))
		return false;
	in = cursor_in(t->answer.data, t->answer.size);
	t->atr.size = t->answer.size;
	in_copy(&in, t->atr.bytes, t->atr.size);
	return true;
}

bool tester_power_off(struct tester *t)
{
	return tester_ask(t, &(struct command){ .type = ICC_POWER_OFF }) &&
		tester_expect_masked(t, COMMAND_MASK, 0, 0) &&
		tester_check(t, (t->answer.status & ICC_MASK) != ICC_ACTIVE,
			"the card is still active after IccPowerOff");
}

/* ---- XfrBlock ---- */

size_t tester_part_max(const struct tester *t)
{
	size_t message = t->descriptor.dwMaxCCIDMessageLength;

	if (t->message_max > 0 && message > t->message_max)
		message = t->message_max;
	if (message > CCID_HEADER + CCID_APDU_MAX)
		message = CCID_HEADER + CCID_APDU_MAX;
	return message > CCID_HEADER ? message - CCID_HEADER : 1;
}

static struct command tester_part(unsigned int level, const uint8_t *data, size_t size)
{
	return (struct command){
		.type = XFR_BLOCK,
		.specific = { 0, (uint8_t)(level & 0xFF), (uint8_t)(level >> 8) },
		.data = data,
		.size = size,
	};
}

bool tester_send_part(struct tester *t, unsigned int level, const uint8_t *data, size_t size)
{
	struct command command = tester_part(level, data, size);

	return tester_send(t, &command);
}

bool tester_ask_part(struct tester *t, unsigned int level, const uint8_t *data, size_t size)
{
	return tester_send_part(t, level, data, size) && tester_await(t);
}

/* Keeps this part of a response. */
static bool tester_keep(struct tester *t, bool first)
{
	bool begins = t->answer.specific == CHAIN_WHOLE || t->answer.specific == CHAIN_BEGINS;
	struct cursor_out out;

	if (first)
		t->response_size = 0;
	if (!tester_expect(t, ICC_ACTIVE, 0) ||
		!tester_check(t, t->answer.specific <= CHAIN_CONTINUES && begins == first,
			"part %s of a response has bChainParameter %02X",
			first ? "1" : "2 or later", t->answer.specific) ||
		!tester_check(t, t->answer.size <= tester_part_max(t),
			"a message longer than dwMaxCCIDMessageLength") ||
		!tester_check(t, t->response_size + t->answer.size <= sizeof(t->response),
			"the response never ends"))
		return false;
	out = cursor_out(t->response + t->response_size, sizeof(t->response) - t->response_size);
	out_bytes(&out, t->answer.data, t->answer.size);
	t->response_size += t->answer.size;
	return true;
}

bool tester_collect(struct tester *t)
{
	if (!tester_keep(t, true))
		return false;
	while (t->answer.specific == CHAIN_BEGINS || t->answer.specific == CHAIN_CONTINUES) {
		if (!tester_ask_part(t, LEVEL_MORE, NULL, 0) || !tester_keep(t, false))
			return false;
	}
	return tester_check(t, t->response_size >= 2, "a response of %zu bytes", t->response_size);
}

/* The answer to a part that is not the last: go on. CCID 1.1, 6.2.1. */
static bool tester_wants_more(struct tester *t)
{
	return tester_expect(t, ICC_ACTIVE, 0) &&
		tester_check(t, t->answer.size == 0 && t->answer.specific == CHAIN_EMPTY,
			"%zu bytes and bChainParameter %02X while a command is sent",
			t->answer.size, t->answer.specific);
}

bool tester_transmit_in_parts(struct tester *t, const uint8_t *apdu, size_t size, size_t part_max)
{
	size_t at = 0;

	if (size <= part_max)
		return tester_ask_part(t, LEVEL_WHOLE, apdu, size) && tester_collect(t);
	while (size - at > part_max) {
		if (!tester_ask_part(t, at == 0 ? LEVEL_BEGINS : LEVEL_CONTINUES, apdu + at,
			    part_max) ||
			!tester_wants_more(t))
			return false;
		at += part_max;
	}
	return tester_ask_part(t, LEVEL_ENDS, apdu + at, size - at) && tester_collect(t);
}

bool tester_transmit(struct tester *t, const uint8_t *apdu, size_t size)
{
	return tester_transmit_in_parts(t, apdu, size, tester_part_max(t));
}

bool tester_sw_is(struct tester *t, unsigned int sw)
{
	struct cursor_in in = cursor_in(t->response, t->response_size);
	unsigned int got;

	(void)in_bytes(&in, t->response_size - 2);
	got = in_be16(&in);
	return tester_check(t, got == sw, "SW %04X, expected %04X", got, sw);
}
