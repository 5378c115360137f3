/*
 * A PIN entry, from what CCID calls it to what PC/SC calls it.
 *
 * The guest's driver sent PC_to_RDR_Secure, CCID 1.1, 6.1.11; the host's pcscd wants the
 * PIN_VERIFY_STRUCTURE or PIN_MODIFY_STRUCTURE of PC/SC 2.02, part 10, 2.5. The fields are the
 * same, but for three: bTimerOut2, which CCID has not, is 0 (as bTimerOut); ulDataLength is the
 * length of the APDU; and indices of messages that CCID leaves out are 0.
 *
 * Here the meaning of no field is judged. What is refused is a structure whose fields are not all
 * there.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "base/payload.h"

/* The fixed part of the longer of the two structures. */
#define PIN_STRUCTURE_FIELDS_MAX 24

enum pin_structure {
	PIN_STRUCTURE_VERIFY = 0, /* for FEATURE_VERIFY_PIN_DIRECT */
	PIN_STRUCTURE_MODIFY = 1, /* for FEATURE_MODIFY_PIN_DIRECT */
};

enum {
	PIN_STRUCTURE_MALFORMED = 1, /* a field is missing, or the number of messages is undefined */
	PIN_STRUCTURE_UNKNOWN = 2,   /* another bPINOperation */
};

/*
 * Writes the structure for secure (wire.h, WIRE_SECURE) to out, which has to have room for
 * PIN_STRUCTURE_FIELDS_MAX bytes and the APDU; *kind says which it is. Returns 0,
 * PIN_STRUCTURE_MALFORMED (also if there is no room) or PIN_STRUCTURE_UNKNOWN.
 */
int pin_structure_write(struct payload_view secure, struct cursor_out *out,
	enum pin_structure *kind);

/*
 * Finds the APDU that the reader completes with a PIN, within secure. Returns 0, PIN_STRUCTURE_MALFORMED
 * or PIN_STRUCTURE_UNKNOWN, as above.
 */
int pin_structure_find_apdu(struct payload_view secure, struct payload_view *apdu);
