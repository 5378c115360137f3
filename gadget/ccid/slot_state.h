/*
 * What a slot remembers; private to the slot_*.c files, each of which handles one kind of command.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include "gadget/ccid/atr.h"
#include "gadget/ccid/descriptor.h"
#include "gadget/ccid/message.h"
#include "gadget/ccid/parameters.h"
#include "gadget/ccid/slot.h"

/* Calls that may wait to be popped: a cancel, a disconnect, a connect and a transmit at most. */
#define SLOT_CALLS_MAX 4

enum slot_state {
	SLOT_IDLE,
	SLOT_POWERING,
	SLOT_SWITCHING,
	SLOT_TRANSMITTING,
	SLOT_SECURING,
	SLOT_ESCAPING,
};

/* The card as the driver was shown it. */
struct slot_view {
	bool shown;              /* the driver may know that a card is there */
	uint32_t insertion;      /* which one */
	bool powered;            /* IccPowerOn succeeded, and nothing has ended that since */
	uint64_t absent_until;   /* absent is held for the driver to see; 0: it need not be */
};

/* The command and the response of the current XfrBlock, CCID 1.1, 6.1.4 and 6.2.1; also of a Secure
 * or Escape, whose abData is the command. */
struct slot_transfer {
	struct payload command;  /* as far as it has come */
	bool receiving;          /* more of it is expected */
	struct payload response;
	size_t response_sent;    /* bytes that the driver was given */
	size_t block_max;        /* bytes of the longest message with a part of it */
	bool sending;            /* the driver is to ask for more */
	uint64_t extension_at;   /* when the next time extension is due */
};

/* CCID 1.1, 5.3.1: the request on the control pipe and the message on bulk OUT, in either order. */
struct slot_abort {
	bool control;            /* the request came, and its message has not */
	uint8_t control_seq;
	uint64_t control_until;  /* when a driver that has not sent it is one that is gone */
	bool bulk;               /* the message came, and its request has not */
	uint8_t bulk_seq;
};

struct slot {
	bool enabled;
	size_t packet_size;
	uint8_t bPINSupport;     /* what the class descriptor promises */

	enum slot_state state;
	uint8_t bMessageType;    /* of the running command */
	uint8_t bSeq;
	uint32_t waits_for;      /* number of the call that the command waits for */
	uint64_t deadline;       /* when the command has failed */

	struct slot_card host;   /* what the host said last */
	struct slot_view view;

	bool connected;          /* the host may hold the card, and its state, for the driver */
	struct atr atr;
	uint8_t powered_protocol; /* that IccPowerOn left: WIRE_PROTOCOL_T0 or _T1 */
	uint8_t protocol;        /* in use at the host; likewise, or 0 if that isn't known */
	uint8_t wanted;          /* what the driver chose; likewise */
	struct parameters parameters;

	struct slot_transfer transfer;
	struct slot_abort abort;

	uint32_t last_call;
	struct slot_call calls[SLOT_CALLS_MAX];
	size_t calls_first, calls_count;

	struct payload message;  /* the last one */
	bool message_due;        /* it is to be sent */
	bool in_flight;          /* a message is on bulk IN */
	bool cancel;             /* and is to be taken back */

	uint64_t extensions;     /* time extensions, ever */

	bool notify;             /* the card's state is to be notified */
	uint8_t notification[2];
};

/* ---- slot_base.c: what all commands stand on ---- */

/* A response to the command whose type and sequence number the slot remembers. */
struct slot_answer {
	uint8_t status;           /* enum ccid_command_status */
	uint8_t error;            /* enum ccid_error */
	uint8_t specific;
	struct payload_view data;
};

/*
 * Makes a response the message to be sent, in the place of one that has not been. Sizes are those of
 * dwMaxCCIDMessageLength at most.
 */
void slot_put_message(struct slot *slot, const struct ccid_response *response);

/* Sends it. Unless it is a time extension, the command is over. */
void slot_respond(struct slot *slot, struct slot_answer answer);

/* Answers it as failed. */
void slot_fail(struct slot *slot, uint8_t error);

/*
 * Fails a command that needs a powered card if there is none, and returns true: absent and inactive are
 * told apart by bmICCStatus.
 */
bool slot_needs_power(struct slot *slot);

/* Queues a call; returns its number. */
uint32_t slot_make_call(struct slot *slot, struct slot_call call);

/* Forgets the APDU: what has come of the command, and what is left of the response. */
void slot_transfer_reset(struct slot *slot);

/* ---- slot_card.c: power, presence and notifications ---- */

void slot_power_on(struct slot *slot, uint64_t now, const struct ccid_command *command);
void slot_power_on_done(struct slot *slot, uint64_t now, const struct slot_result *result);
void slot_power_on_late(struct slot *slot);
void slot_power_off(struct slot *slot, const struct ccid_command *command);

/* The host lets go of the card, if it may hold it. */
void slot_release(struct slot *slot);

/* The card that the driver knows is gone, or has lost its state: it will see a removal first. */
void slot_lose_card(struct slot *slot, uint64_t now);

/* Shows the driver the card that the host has, as soon as it may be shown. */
void slot_show_card(struct slot *slot, uint64_t now);

/* ---- slot_transfer.c: XfrBlock ---- */

void slot_transfer_message(struct slot *slot, uint64_t now, const struct ccid_command *command);
void slot_switched(struct slot *slot, uint64_t now, const struct slot_result *result);
void slot_transmitted(struct slot *slot, uint64_t now, const struct slot_result *result);

/* Whether the running command is one that time extensions belong to; and sends one when it is due. */
bool slot_may_extend_time(const struct slot *slot);
void slot_extend_time(struct slot *slot, uint64_t now);

/* The command is complete: to the card, in the protocol that the driver chose. It may take max ms. */
void slot_execute(struct slot *slot, uint64_t now, uint64_t max);

/* Bytes of the longest message that a driver can read that asks for so many, see CCID_BLOCK_MAX. */
size_t slot_block_max(size_t asked);

/* The next part of the response. */
void slot_send_part(struct slot *slot);

/* The time for its end is the time for its first extension, too. */
void slot_set_time(struct slot *slot, uint64_t now, uint64_t max);

/* ---- slot_secure.c, slot_escape.c ---- */

void slot_secure_message(struct slot *slot, uint64_t now, const struct ccid_command *command);
void slot_secure(struct slot *slot);
void slot_secured(struct slot *slot, uint64_t now, const struct slot_result *result);
void slot_escape_message(struct slot *slot, uint64_t now, const struct ccid_command *command);
void slot_escaped(struct slot *slot, uint64_t now, const struct slot_result *result);

/* ---- slot_parameters.c ---- */

/* What follows from the ATR and from the protocol that IccPowerOn left. */
void slot_default_parameters(struct slot *slot);

void slot_get_parameters(struct slot *slot, const struct ccid_command *command);
void slot_set_parameters(struct slot *slot, const struct ccid_command *command);

/* ---- slot_abort.c ---- */

/* Tells the host to end a PIN entry or an escape that runs. */
void slot_cancel(struct slot *slot);

/* Another command came: halves of an Abort that nobody will complete any more are forgotten. */
void slot_abort_other(struct slot *slot, uint64_t now);

/* Ends the running command without an answer: nobody reads it any more. */
void slot_abandon(struct slot *slot);

void slot_abort_message(struct slot *slot, uint64_t now, const struct ccid_command *command);
void slot_abort_request(struct slot *slot, uint64_t now, uint8_t bSeq);
