/*
 * What a reader can do beyond APDUs: the features of PC/SC 2.02, part 10, asked of its driver.
 *
 * A feature is a control code for SCardControl, which is good for this reader and this host only.
 * To ask costs the card nothing: drivers answer from what they know.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdint.h>

#include "base/payload.h"
#include "host-bridge/pcsc.h"
#include "relay/wire.h"

/* Control codes; 0 where the reader lacks the feature. */
struct features {
	DWORD verify;         /* FEATURE_VERIFY_PIN_DIRECT */
	DWORD modify;         /* FEATURE_MODIFY_PIN_DIRECT */
	DWORD properties;     /* FEATURE_IFD_PIN_PROPERTIES */
	DWORD tlv_properties; /* FEATURE_GET_TLV_PROPERTIES */
	DWORD escape;         /* FEATURE_CCID_ESC_COMMAND */
};

enum {
	FEATURES_MALFORMED = 1, /* the driver's answer is no list; there are no features */
};

/* Takes apart the answer to CM_IOCTL_GET_FEATURE_REQUEST. Returns 0 or FEATURES_MALFORMED. */
int features_parse(struct payload_view answer, struct features *features);

/*
 * Asks for the features over an open handle. Returns SCARD_S_SUCCESS, also if the driver has none
 * to tell of, or SCARD_E_SHARING_VIOLATION, or the error of a pcscd or a reader that is gone.
 */
LONG features_read(const struct pcsc_functions *pcsc, SCARDHANDLE handle,
	struct features *features);

/*
 * What a guest is told of them: pin_support, lcd_lines and lcd_characters of reader. Asks for
 * wLcdLayout if there is a PIN pad. Returns the same.
 */
LONG features_describe(const struct pcsc_functions *pcsc, SCARDHANDLE handle,
	struct wire_reader *reader);
