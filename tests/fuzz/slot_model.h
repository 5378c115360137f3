/*
 * A slot beside a model of it: everything that goes into the slot goes through here, and what comes
 * out is compared with what may come out. The first difference ends the process.
 *
 * The model knows no more than what a driver and a host see: the command that was sent last, the
 * one that runs, the call that this one waits for, what has not been read yet. What must hold:
 *
 *   - a command is answered at once, or the host is asked to do something for it, or it is an
 *     Abort; none is dropped, and none has two answers;
 *   - an answer has the command's bSeq and bSlot, the type of its response, the right bmICCStatus,
 *     and is not longer than CCID_BLOCK_MAX or what the driver asked for; there is no other message,
 *     and never one before the last was read or taken back;
 *   - a well-formed GetSlotStatus succeeds at once, whatever goes on; only between the halves of an
 *     Abort it fails as aborted;
 *   - a command that another one took the place of is never answered, nor one that was aborted;
 *   - the outcome of a call that no command waits for has no consequence at all; the outcome of one
 *     that is waited for has an answer, or the next call;
 *   - XfrBlock, Secure and Escape are answered or extended every SLOT_EXTENSION_NEXT, and not more
 *     often; no other command is extended; IccPowerOn is answered within SLOT_POWER_ON_MAX;
 *   - the bytes for the card are those of the command's parts, each command reaches it once, and
 *     only a powered card; the parts of the response are what the card said, whole, in order, and
 *     in no message of whole packets;
 *   - the host holds no card that the driver has not powered: nothing that a PIN has opened stays
 *     open;
 *   - a PIN entry is asked of the host only if the descriptor promises one;
 *   - a notification says what GetSlotStatus says, and there is one for each change and for nothing
 *     else;
 *   - the slot allocates nothing after it was made (seen under AddressSanitizer only);
 *   - at the end of it all, a driver that begins anew gets at a card that is there.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/payload.h"
#include "gadget/ccid/message.h"
#include "gadget/ccid/slot.h"

#define MODEL_CALLS_MAX 64
#define MODEL_DATA_MAX 70000

/* A command without an answer. */
struct model_command {
	bool set;
	uint8_t bMessageType;
	uint8_t bSlot;
	uint8_t bSeq;
	uint64_t since;
	uint64_t extended_at;   /* the last time extension; since, if there was none */
	bool unsure;            /* its answer may wait behind a message that nobody has read */
	bool maybe_gone;        /* that answer may have been dropped for a newer command */
};

struct model {
	struct slot *slot;
	uint64_t now;
	bool enabled;
	size_t packet_size;
	uint8_t bPINSupport;

	uint8_t icc;            /* bmICCStatus before what is happening now */
	bool in_flight;         /* the driver has not read the last message */
	bool reading;           /* it reads it now; what follows may have been ready for long */
	uint64_t read_at;       /* when it has read one last */
	bool told_present;      /* by the last notification */

	struct model_command current; /* the one that is being sent */
	struct model_command running;
	uint8_t status, error;  /* of the last answer to a current one */
	uint64_t abort_until;   /* between the halves of an Abort */

	uint32_t calls[MODEL_CALLS_MAX]; /* open ones, oldest first */
	size_t calls_count;
	uint32_t awaited;       /* the call that the running command waits for; 0: none */
	enum wire_operation awaited_operation;

	bool held, held_before; /* the host may hold the card; before it was asked to connect */

	uint8_t command[MODEL_DATA_MAX];  /* what has come of it in XfrBlocks or a Secure */
	size_t command_size;
	bool command_known;     /* and that is sure */
	bool command_used;      /* it has gone to the card */
	uint8_t response[MODEL_DATA_MAX]; /* what the card or the reader said */
	size_t response_size, response_sent;
	size_t asked;           /* for how many bytes the driver asked then */
	bool response_known;

	size_t outputs;         /* so far */
	size_t allocated;
};

void model_init(struct model *model);

/* Sees that everything comes to an end and that a new driver is served, and frees the slot. */
void model_finish(struct model *model);

void model_enable(struct model *model, size_t packet_size, uint8_t bPINSupport);
void model_disable(struct model *model);
void model_desert(struct model *model);
void model_set_card(struct model *model, struct slot_card card);

/* A message of any bytes. */
void model_message(struct model *model, struct payload_view message);

void model_control(struct model *model, uint8_t bmRequestType, uint8_t bRequest, uint16_t wValue);
void model_result(struct model *model, const struct slot_result *result);
void model_pass_time(struct model *model, uint64_t ms);
void model_read_bulk(struct model *model);
