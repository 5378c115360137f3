/*
 * The CCID slot: what a driver in the guest talks to, as a machine without I/O.
 *
 * Messages from bulk OUT, class requests, what the host says of the card, the outcomes of calls and
 * the time go in; messages for bulk IN, notifications, calls for the host and the next deadline come
 * out. Time is in milliseconds of a monotonic clock.
 *
 * A slot executes one command at a time:
 *
 *     idle          nothing runs
 *     powering      IccPowerOn waits for the host to connect or reset the card
 *     switching     XfrBlock or Secure waits for the host to reset the card into the protocol that the
 *                   driver chose by SetParameters
 *     transmitting  XfrBlock waits for the card
 *     securing      Secure waits for somebody to enter a PIN at the host's reader, and for the card
 *     escaping      Escape waits for the host's reader
 *
 * and beside that it knows what the driver was shown of the card: absent, inactive or active.
 *
 *   - GetSlotStatus, the parameters and IccPowerOff are answered at once from what is known here.
 *   - IccPowerOn is answered within SLOT_POWER_ON_MAX; libccid can't bear a time extension there.
 *   - While XfrBlock, Secure or Escape wait, time extensions go out, first after SLOT_EXTENSION_FIRST.
 *   - A card that was swapped, or reset by somebody else, is shown as absent until the driver has
 *     seen that, and only then as present: a swap in a moment is never lost.
 *   - The outcome of a call that nobody waits for any more is dropped by the call's number. A driver
 *     never gets the answer to an earlier command, even if bSeq is the same.
 *
 *   - A PIN entry or an escape that is given up is cancelled at the host. That costs the card its power,
 *     so a driver that has not asked for this sees the card go and come.
 *
 * It refuses what the class descriptor does not promise: clock control, T0APDU and mechanics are answered
 * as not supported, and so is PIN entry if the host's reader has no PIN pad. Whether an escape command is
 * let through, the host says.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/payload.h"
#include "relay/wire.h"

#define SLOT_POWER_ON_MAX 4500     /* ms: GnuPG's driver waits 5 s for IccPowerOn */
#define SLOT_EXTENSION_FIRST 500   /* ms: libccid may wait as little as 1.1 s for a T=1 card */
#define SLOT_EXTENSION_NEXT 700    /* ms between time extensions */
#define SLOT_TRANSMIT_MAX 600000   /* ms: a card that needs longer than this has failed */
#define SLOT_SECURE_MAX 600000     /* ms: three entries of at most 255 s each, as bTimeOut has it */
#define SLOT_ESCAPE_MAX 600000     /* ms */
#define SLOT_ABSENT_HOLD 1000      /* ms: how long absent is held for a driver that does not look */

#define SLOT_ABORT_MAX 3000        /* ms: how long an Abort's request waits for its message */

#define SLOT_NEVER UINT64_MAX      /* a deadline that never comes */

#define SLOT_CONTROL_MAX 4         /* bytes of the longest answer to a class request */

/* What the host knows of the card; changes of insertion mean another card, or the same one again. */
struct slot_card {
	bool present;
	uint32_t insertion;
};

/* A call that the host shall make. */
struct slot_call {
	uint32_t number;             /* comes back in slot_result() */
	enum wire_operation operation;
	enum wire_initialization initialization; /* WIRE_CONNECT */
	uint8_t protocols;           /* WIRE_CONNECT: WIRE_PROTOCOL_T0, WIRE_PROTOCOL_T1 */
	struct payload_view data;    /* WIRE_TRANSMIT, WIRE_SECURE, WIRE_ESCAPE */
};

/* The outcome of a call. */
struct slot_result {
	uint32_t number;
	uint8_t outcome;             /* enum wire_outcome */
	uint8_t protocol;            /* WIRE_CONNECT: in use now */
	struct payload_view data;    /* WIRE_CONNECT: ATR; others: response */
	size_t asked;                /* bytes that the driver asks for on bulk IN; 0: nobody knows */
};

enum slot_output_type {
	SLOT_OUTPUT_SEND,        /* message: on bulk IN; slot_sent() when it has gone */
	SLOT_OUTPUT_CANCEL_SEND, /* take back what is on bulk IN; slot_sent() will not come for it */
	SLOT_OUTPUT_NOTIFY,      /* message: on interrupt IN, in the place of one not yet gone */
	SLOT_OUTPUT_CALL,        /* call: to the host */
};

struct slot_output {
	enum slot_output_type type;
	union {
		struct payload_view message;
		struct slot_call call;
	};
};

struct slot;

/* Makes a slot without a card. Fatal: -ENOMEM. */
int slot_new(struct slot **slot);

/* Wipes and frees; returns NULL. May be called with NULL. */
struct slot *slot_free(struct slot *slot);

/*
 * What the class descriptor promises: bPINSupport. To be set before the device can be seen; 0 at
 * first.
 */
void slot_set_pin_support(struct slot *slot, uint8_t bPINSupport);

/*
 * The host has configured the device: forget what the last driver did. packet_size: wMaxPacketSize of
 * bulk IN.
 */
void slot_enabled(struct slot *slot, uint64_t now, size_t packet_size);

/* The device is not configured any more: nothing can be sent, and the card is let go. */
void slot_disabled(struct slot *slot, uint64_t now);

/*
 * The device is configured, and no driver uses it any more: the last one has ended without IccPowerOff.
 * What it has begun ends, and the card is let go, so that its PIN state is nobody's.
 */
void slot_deserted(struct slot *slot);

/* Whether the host has, or may have, a card in use for this slot. */
bool slot_holds_card(const struct slot *slot);

/* A message from bulk OUT. Any bytes will do; those without a complete header are skipped. */
void slot_message(struct slot *slot, uint64_t now, struct payload_view message);

/*
 * A request on the control pipe. Returns the number of bytes in answer, 0 to acknowledge, or -1 to stall:
 * whatever is not one of CCID 1.1, table 5.3-1, in the direction that it has there.
 */
int slot_control(struct slot *slot, uint64_t now, uint8_t bmRequestType, uint8_t bRequest,
	uint16_t wValue, uint8_t answer[static SLOT_CONTROL_MAX]);

/* What the host says of the card now; a state, so it may be told again and again. */
void slot_set_card(struct slot *slot, uint64_t now, struct slot_card card);

/* A call has ended. */
void slot_result(struct slot *slot, uint64_t now, const struct slot_result *result);

/* The message on bulk IN has gone. */
void slot_sent(struct slot *slot);

/* Time has passed: call it when now >= slot_deadline(). */
void slot_tick(struct slot *slot, uint64_t now);

/* When to call slot_tick() next, or SLOT_NEVER. */
uint64_t slot_deadline(const struct slot *slot);

/*
 * The next thing to do, or false. What output borrows is valid until the slot is called again: but
 * the data of a call stays valid until the next slot_message().
 */
bool slot_pop_output(struct slot *slot, struct slot_output *output);

/* How many time extensions it has put out, ever. */
uint64_t slot_extensions(const struct slot *slot);

/* What a driver is shown of the card: enum ccid_icc_status. For tests and for a status display. */
uint8_t slot_icc_status(const struct slot *slot);
