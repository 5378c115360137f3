/*
 * XfrBlock at extended APDU level: commands and responses in parts, CCID 1.1, 6.1.4 and 6.2.1.
 *
 *     driver                                         slot
 *     wLevelParameter 1  begins             ->
 *                                          <-        DataBlock, no data, bChainParameter 10h
 *     wLevelParameter 3  continues          ->
 *                                          <-        DataBlock, no data, bChainParameter 10h
 *     wLevelParameter 2  ends               ->
 *                                          <-        DataBlock, bChainParameter 1: begins
 *     wLevelParameter 10h, no data          ->
 *                                          <-        DataBlock, bChainParameter 3 or 2
 *
 * A command in one message has level 0, a response in one message bChainParameter 0. How long a message may
 * be, the driver says when it asks for it, see CCID_BLOCK_MAX. A part out of order fails with the offset
 * of wLevelParameter and ends both chains.
 *
 * The bytes of the APDU are neither read nor changed here.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/ccid/slot_state.h"

#include "base/cursor.h"

/*
 * A short response, which drivers at short APDU level take as one message without looking at
 * bChainParameter: 256 bytes and SW.
 */
#define SW_SIZE 2
#define SHORT_RESPONSE_MAX (256 + SW_SIZE)

/* ---- the command ---- */

static void slot_transmit(struct slot *slot)
{
	slot->waits_for = slot_make_call(slot, (struct slot_call){
		.operation = WIRE_TRANSMIT,
		.data = payload_view(&slot->transfer.command),
	});
	slot->state = SLOT_TRANSMITTING;
}

void slot_set_time(struct slot *slot, uint64_t now, uint64_t max)
{
	slot->transfer.extension_at = now + SLOT_EXTENSION_FIRST;
	slot->deadline = now + max;
}

/* The card speaks the right protocol. */
static void slot_use_card(struct slot *slot)
{
	if (slot->bMessageType == PC_TO_RDR_SECURE)
		slot_secure(slot);
	else
		slot_transmit(slot);
}

void slot_execute(struct slot *slot, uint64_t now, uint64_t max)
{
	slot->transfer.receiving = false;
	slot_set_time(slot, now, max);
	if (slot->wanted == slot->protocol) {
		slot_use_card(slot);
		return;
	}
	/* PPS is possible only after a reset; ISO 7816-3, 6.3.1. */
	slot->waits_for = slot_make_call(slot, (struct slot_call){
		.operation = WIRE_CONNECT,
		.initialization = WIRE_RESET,
		.protocols = slot->wanted,
	});
	slot->state = SLOT_SWITCHING;
}

/* Takes a part of the command. Returns whether it fitted; if not, the command has failed. */
static bool slot_take_part(struct slot *slot, const struct ccid_command *command)
{
	if (payload_append(&slot->transfer.command, command->data) == 0)
		return true;
	slot_transfer_reset(slot);
	slot_fail(slot, CCID_ERROR_OFFSET_LENGTH);
	return false;
}

/* The last part is there. No bytes, in however many parts, are no command. */
static void slot_complete(struct slot *slot, uint64_t now)
{
	if (slot->transfer.command.size > 0) {
		slot_execute(slot, now, SLOT_TRANSMIT_MAX);
		return;
	}
	slot_transfer_reset(slot);
	slot_fail(slot, CCID_ERROR_OFFSET_LENGTH);
}

static void slot_expect_more(struct slot *slot)
{
	slot->transfer.receiving = true;
	slot_respond(slot, (struct slot_answer){ .specific = CCID_CHAIN_EMPTY });
}

static void slot_wrong_order(struct slot *slot)
{
	slot_transfer_reset(slot);
	slot_fail(slot, CCID_ERROR_OFFSET_LEVEL);
}

/* ---- the response ---- */

/* One that asks for less, a packet at a time maybe, reads on until it has the message. */
size_t slot_block_max(size_t asked)
{
	if (asked <= CCID_BLOCK_MAX)
		return CCID_BLOCK_MAX;
	return asked < CCID_MESSAGE_MAX ? asked : CCID_MESSAGE_MAX;
}

/*
 * A message whose length is a multiple of the packet size would need a zero-length packet behind it, which
 * not every driver reads.
 */
static bool slot_is_whole_packets(const struct slot *slot, size_t part)
{
	return (CCID_HEADER_SIZE + part) % slot->packet_size == 0;
}

/* Whether a response of so many bytes goes in one message. A short response is never split. */
static bool slot_fits(const struct slot *slot, size_t size)
{
	return size <= SHORT_RESPONSE_MAX ||
		(size <= slot->transfer.block_max - CCID_HEADER_SIZE && !slot_is_whole_packets(slot, size));
}

/* How much of the response goes into the next message: one byte less avoids whole packets. */
static size_t slot_part_size(const struct slot *slot)
{
	size_t left = slot->transfer.response.size - slot->transfer.response_sent;
	size_t room = slot->transfer.block_max - CCID_HEADER_SIZE;
	size_t part = left < room ? left : room;

	return slot_is_whole_packets(slot, part) && part > 1 ? part - 1 : part;
}

void slot_send_part(struct slot *slot)
{
	struct slot_transfer *transfer = &slot->transfer;
	struct cursor_in in = cursor_in(transfer->response.bytes, transfer->response.size);
	size_t part = slot_part_size(slot);
	bool first = transfer->response_sent == 0;
	bool last = transfer->response_sent + part == transfer->response.size;
	const uint8_t *bytes;

	(void)in_bytes(&in, transfer->response_sent);
	bytes = in_bytes(&in, part);
	transfer->response_sent += part;
	transfer->sending = !last;
	slot_respond(slot, (struct slot_answer){
		.specific = first ? CCID_CHAIN_BEGINS : last ? CCID_CHAIN_ENDS : CCID_CHAIN_CONTINUES,
		.data = { bytes, part },
	});
	if (last)
		slot_transfer_reset(slot);
}

/* All of it at once, if the driver can read that; else the first part. False: it is no response at all. */
static bool slot_send_response(struct slot *slot, struct payload_view response)
{
	/* Less than SW is no response, whatever the host's pcscd thinks of it. */
	if (response.size < SW_SIZE)
		return false;
	if (slot_fits(slot, response.size)) {
		slot_transfer_reset(slot);
		slot_respond(slot, (struct slot_answer){ .data = response });
		return true;
	}
	if (payload_set(&slot->transfer.response, response) != 0)
		return false;
	slot_send_part(slot);
	return true;
}

/* ---- events ---- */

void slot_transfer_message(struct slot *slot, uint64_t now, const struct ccid_command *command)
{
	uint16_t level = ccid_command_level(command);
	bool fresh = !slot->transfer.receiving;

	switch (level) {
	case CCID_LEVEL_WHOLE:
		/* Also gives up what is left of the last response, like every other first part. */
		slot_transfer_reset(slot);
		if (slot_take_part(slot, command))
			slot_complete(slot, now);
		break;
	case CCID_LEVEL_BEGINS:
		slot_transfer_reset(slot);
		if (slot_take_part(slot, command))
			slot_expect_more(slot);
		break;
	case CCID_LEVEL_CONTINUES:
		if (fresh)
			slot_wrong_order(slot);
		else if (slot_take_part(slot, command))
			slot_expect_more(slot);
		break;
	case CCID_LEVEL_ENDS:
		if (fresh)
			slot_wrong_order(slot);
		else if (slot_take_part(slot, command))
			slot_complete(slot, now);
		break;
	case CCID_LEVEL_MORE:
		if (slot->transfer.sending && command->dwLength == 0)
			slot_send_part(slot);
		else
			slot_wrong_order(slot);
		break;
	default:
		slot_wrong_order(slot);
		break;
	}
}

/* The protocol was not switched: the APDU has not been sent, and the driver is told why. */
void slot_switched(struct slot *slot, uint64_t now, const struct slot_result *result)
{
	if (result->outcome == WIRE_OK && result->protocol == slot->wanted) {
		slot->protocol = result->protocol;
		slot_use_card(slot);
		return;
	}
	/* The card was reset, and may speak anything now: the next APDU asks for its protocol again. */
	if (result->outcome != WIRE_CARD_BUSY)
		slot->protocol = 0;
	if (result->outcome == WIRE_OK || result->outcome == WIRE_PROTOCOL_MISMATCH) {
		slot_transfer_reset(slot);
		slot_fail(slot, CCID_ERROR_PROTOCOL_NOT_SUPPORTED);
		return;
	}
	slot_transmitted(slot, now, result);
}

/* The card is gone, or not the one it was: the driver learns that with this answer. */
static void slot_fail_without_card(struct slot *slot, uint64_t now)
{
	slot_lose_card(slot, now);
	slot_fail(slot, CCID_ERROR_ICC_MUTE);
}

/* One of the ways in which a transmit can end; CCID 1.1, table 6.2-2 for the errors. */
void slot_transmitted(struct slot *slot, uint64_t now, const struct slot_result *result)
{
	payload_clear(&slot->transfer.command);
	slot->transfer.block_max = slot_block_max(result->asked);
	switch ((enum wire_outcome)result->outcome) {
	case WIRE_OK:
		if (!slot_send_response(slot, result->data))
			slot_fail(slot, CCID_ERROR_HARDWARE);
		break;
	case WIRE_NO_CARD:
	case WIRE_CARD_REMOVED:
	case WIRE_CARD_RESET:
	case WIRE_READER_GONE:
	case WIRE_CARD_MUTE:
		slot_fail_without_card(slot, now);
		break;
	case WIRE_CARD_BUSY:
		slot_fail(slot, CCID_ERROR_SLOT_BUSY);
		break;
	case WIRE_CARD_ERROR:
		slot_fail(slot, CCID_ERROR_HARDWARE);
		break;
	case WIRE_SERVICE_GONE:
	case WIRE_OUTCOME_UNKNOWN:
	case WIRE_NOT_CONNECTED:
	case WIRE_PROTOCOL_MISMATCH:
	case WIRE_UNSUPPORTED:
	case WIRE_CANCELLED:
	case WIRE_TIMED_OUT:
	default:
		/* Whether the card has executed the command, nobody knows: it is never repeated. */
		slot_fail(slot, CCID_ERROR_HARDWARE);
		slot_lose_card(slot, now);
		break;
	}
}

bool slot_may_extend_time(const struct slot *slot)
{
	switch (slot->state) {
	case SLOT_IDLE:
	case SLOT_POWERING:
		/* CCID 1.1, 6.2.6, allows it for every command; no driver does for IccPowerOn. */
		return false;
	case SLOT_SWITCHING:
	case SLOT_TRANSMITTING:
	case SLOT_SECURING:
	case SLOT_ESCAPING:
		/* As long as the host works. */
		return true;
	}
	return false;
}

void slot_extend_time(struct slot *slot, uint64_t now)
{
	if (now < slot->transfer.extension_at)
		return;
	slot->transfer.extension_at = now + SLOT_EXTENSION_NEXT;
	/* The last one is still unread: another would only make the answer late. */
	if (slot->in_flight)
		return;
	slot->extensions++;
	/* bError is the multiple of the driver's waiting time: libccid and GnuPG's driver agree on 1. */
	slot_respond(slot, (struct slot_answer){
		.status = CCID_COMMAND_TIME_EXTENSION, .error = 1 });
}
