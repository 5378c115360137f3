/*
 * What a command APDU means to a PIN: the parser of the PIN guard. Bytes in, a description out; it keeps
 * nothing but the reference of a PIN, never the PIN.
 *
 * Nothing is believed of a guest's APDU but its header. The instructions below are taken in every class,
 * with and without secure messaging, on every channel, chained or not, whatever their lengths say, and in
 * the first bytes of what an ENVELOPE carries (ISO/IEC 7816-4:2005, 5.1.1, 7.5.6 to 7.5.10, 7.6.2):
 *
 *     20, 21    VERIFY
 *     24, 25    CHANGE REFERENCE DATA, whose data begins with the PIN of now
 *     26, 28    DISABLE and ENABLE VERIFICATION REQUIREMENT, which carry the PIN, too
 *     2C, 2D    RESET RETRY COUNTER, which carries a resetting code with a counter of its own
 *
 * A VERIFY without data is a question (7.5.6: "to check whether the verification is required"), but only
 * in the two forms that hold no byte which a card could take for a PIN: four bytes, or four and 00.
 * Every other form is taken for a verification.
 *
 * What can't be judged is PIN_UNREADABLE: one of these instructions without P2, and an ENVELOPE that
 * holds a part of a header, or (C3) a command in data objects.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/payload.h"

enum pin_kind {
	PIN_NONE,   /* it concerns no PIN */
	PIN_VERIFY,
	PIN_CHANGE,
	PIN_SWITCH, /* 26, 28 */
	PIN_RESET,
	PIN_UNREADABLE,
};

#define PIN_CHANNELS 20 /* ISO/IEC 7816-4:2005, 5.1.1: 0 to 3 in one form of CLA, 4 to 19 in the other */

struct pin_command {
	enum pin_kind kind;
	uint8_t cla;
	uint8_t p1;
	uint8_t reference;  /* P2 */
	uint8_t channel;
	bool proprietary;   /* a class that ISO/IEC 7816-4 doesn't define: 20 to 3F, 80 and above */
	bool query;         /* a VERIFY without data */
	bool proves;        /* it holds a PIN, which 9000 says is the right one */
	bool part;          /* of a chain, and more follows: 9000 says that it has come */
	bool enveloped;     /* the same, but the answer may belong to an ENVELOPE that follows */
	bool secured;       /* by secure messaging: the status that counts is within the answer */
	bool pin_pad;       /* the PIN is entered at the reader */
};

/* The command of a WIRE_TRANSMIT. */
void pin_command_read(struct payload_view apdu, struct pin_command *command);

/*
 * The command that a WIRE_SECURE asks the reader to complete with a PIN: a verification, whatever its
 * instruction; PIN_UNREADABLE if there is none.
 */
void pin_command_read_secure(struct payload_view secure, struct pin_command *command);

/*
 * Whether apdu is a SELECT, after which a reference may be that of another application's PIN. Sets
 * *channel, and *selection to a number that stands for its parameters and data; it is never 0.
 */
bool pin_command_selects(struct payload_view apdu, uint8_t *channel, uint32_t *selection);

/* Its name in the audit log: "verify", "change", ... */
const char *pin_command_name(const struct pin_command *command);

/*
 * The status word that answers command: that of the response, or with secure messaging the one within
 * (DO'99', ISO/IEC 7816-4:2005, 6.2). 0: there is none.
 */
uint16_t pin_command_status(const struct pin_command *command, struct payload_view response);
