/*
 * The answers. See memory-card.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "tests/benchmark/memory-card.h"

#include <stdbool.h>
#include <string.h>

#include "gadget/ccid/descriptor.h"
#include "gadget/ccid/message.h"
#include "tests/card/commands.h"

#define APDU_HEADER 4
#define SW_SIZE 2
#define SHORT_RESPONSE (256 + SW_SIZE)

/* T=1, as the scripted card's, with its name in the historical bytes. */
static const uint8_t atr[] = { 0x3B, 0x85, 0x01, 'b', 'e', 'n', 'c', 'h', 0xE6 };

/* All bytes of all responses, the last of them followed by SW 9000. */
static uint8_t memory[CCID_MESSAGE_MAX];

/* CCID 1.1, 6.1.7, for T=1 with the defaults of ISO 7816-3. */
static const uint8_t defaults[] = { 0x11, 0x10, 0x00, 0x4D, 0x00, 0xFE, 0x00 };

static void take_header(struct memory_card *card, struct payload_view part)
{
	size_t room = card->apdu_size < APDU_HEADER ? APDU_HEADER - card->apdu_size : 0;

	if (part.size > 0 && room > 0)
		memcpy(card->header + card->apdu_size, part.bytes,
			part.size < room ? part.size : room);
	card->apdu_size += part.size;
}

static size_t response_size(const struct memory_card *card)
{
	if (card->header[1] != COMMAND_SOURCE)
		return SW_SIZE;
	return (size_t)(card->header[2] << 8 | card->header[3]) + SW_SIZE;
}

static struct payload_view next_part(struct memory_card *card, size_t whole)
{
	size_t room = CCID_MESSAGE_MAX - CCID_HEADER_SIZE;
	size_t part = card->left < room ? card->left : room;

	if (whole > SHORT_RESPONSE && (CCID_HEADER_SIZE + part) % card->packet_size == 0)
		part--;
	card->left -= part;
	memory[part - 2] = 0x90;
	memory[part - 1] = 0x00;
	return (struct payload_view){ .bytes = memory, .size = part };
}

static void transfer(struct memory_card *card, const struct ccid_command *command,
	struct ccid_response *response)
{
	uint16_t level = ccid_command_level(command);
	size_t whole;
	bool first = level != CCID_LEVEL_MORE;

	if (first) {
		if (level == CCID_LEVEL_WHOLE || level == CCID_LEVEL_BEGINS)
			card->apdu_size = 0;
		take_header(card, command->data);
		if (level == CCID_LEVEL_BEGINS || level == CCID_LEVEL_CONTINUES) {
			response->specific = CCID_CHAIN_EMPTY;
			return;
		}
		card->left = response_size(card);
	}
	whole = response_size(card);
	response->data = next_part(card, whole);
	if (card->left > 0)
		response->specific = first ? CCID_CHAIN_BEGINS : CCID_CHAIN_CONTINUES;
	else
		response->specific = first ? CCID_CHAIN_WHOLE : CCID_CHAIN_ENDS;
}

static void parameters(struct memory_card *card, const struct ccid_command *command,
	struct ccid_response *response)
{
	if (command->bMessageType == PC_TO_RDR_SET_PARAMETERS &&
	    command->data.size <= sizeof(card->parameters)) {
		card->protocol = command->specific[0];
		card->parameters_size = (uint8_t)command->data.size;
		memcpy(card->parameters, command->data.bytes, command->data.size);
	} else if (card->parameters_size == 0) {
		card->protocol = 1;
		card->parameters_size = sizeof(defaults);
		memcpy(card->parameters, defaults, sizeof(defaults));
	}
	response->specific = card->protocol;
	response->data = (struct payload_view){ .bytes = card->parameters,
		.size = card->parameters_size };
}

size_t memory_card_answer(struct memory_card *card, struct payload_view message, uint8_t *answer,
	size_t capacity)
{
	struct ccid_command command;
	struct ccid_response response = { .bStatus = CCID_ICC_ACTIVE };
	size_t size = 0;

	if (ccid_command_decode(message, &command) != 0)
		return 0;
	response.bMessageType = (uint8_t)ccid_response_type(command.bMessageType);
	response.bSeq = command.bSeq;
	switch (command.bMessageType) {
	case PC_TO_RDR_ICC_POWER_ON:
		card->parameters_size = 0;
		response.data = (struct payload_view){ .bytes = atr, .size = sizeof(atr) };
		break;
	case PC_TO_RDR_ICC_POWER_OFF:
	case PC_TO_RDR_GET_SLOT_STATUS:
		break;
	case PC_TO_RDR_SET_PARAMETERS:
	case PC_TO_RDR_GET_PARAMETERS:
	case PC_TO_RDR_RESET_PARAMETERS:
		parameters(card, &command, &response);
		break;
	case PC_TO_RDR_XFR_BLOCK:
		transfer(card, &command, &response);
		break;
	default:
		response.bStatus |= CCID_COMMAND_FAILED;
		break;
	}
	(void)ccid_response_encode(&response, answer, capacity, &size);
	return size;
}
