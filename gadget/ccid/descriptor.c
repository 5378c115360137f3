/*
 * The class descriptor, field by field. Why a field has its value stands beside it; the drivers named
 * are those that read it.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/ccid/descriptor.h"

#include <assert.h>

#include "base/cursor.h"

/* bVoltageSupport: all three; the host's reader has chosen long ago. OpenCT refuses 0. */
#define VOLTAGES 0x07

/* dwProtocols: GnuPG's driver refuses a reader without T=1, libccid a protocol that isn't here. */
#define PROTOCOL_T0 0x1
#define PROTOCOL_T1 0x2

/*
 * dwFeatures, CCID 1.1, table 5.1-1. With 0x40 (automatic PPS) in place of 0x80, libccid would not
 * send SetParameters, and the guest's choice between T=0 and T=1 would be lost. OpenCT requires 0x10
 * and 0x20.
 */
#define FEATURE_CONFIGURED_FROM_ATR 0x00000002
#define FEATURE_AUTOMATIC_VOLTAGE 0x00000008
#define FEATURE_AUTOMATIC_CLOCK 0x00000010
#define FEATURE_AUTOMATIC_RATE 0x00000020
#define FEATURE_PPS_BY_READER 0x00000080
#define FEATURE_AUTOMATIC_IFSD 0x00000400
#define FEATURE_EXTENDED_APDU 0x00040000
#define FEATURES                                                                                   \
	(FEATURE_CONFIGURED_FROM_ATR | FEATURE_AUTOMATIC_VOLTAGE | FEATURE_AUTOMATIC_CLOCK |       \
		FEATURE_AUTOMATIC_RATE | FEATURE_PPS_BY_READER | FEATURE_AUTOMATIC_IFSD |          \
		FEATURE_EXTENDED_APDU)

void ccid_descriptor(uint8_t descriptor[static CCID_DESCRIPTOR_SIZE],
	const struct ccid_pin_pad *pin_pad)
{
	struct cursor_out out = cursor_out(descriptor, CCID_DESCRIPTOR_SIZE);

	out_u8(&out, CCID_DESCRIPTOR_SIZE); /* bLength */
	out_u8(&out, 0x21);                 /* bDescriptorType; FunctionFS checks it */
	out_le16(&out, 0x0110);             /* bcdCCID */
	out_u8(&out, 0);                    /* bMaxSlotIndex: one slot */
	out_u8(&out, VOLTAGES);             /* bVoltageSupport */
	out_le32(&out, PROTOCOL_T0 | PROTOCOL_T1); /* dwProtocols */
	/* Clocks and rates: libccid computes timeouts from them. The counts are 0, so that no driver
	 * asks for lists. */
	out_le32(&out, CCID_DEFAULT_CLOCK); /* dwDefaultClock, kHz */
	out_le32(&out, CCID_DEFAULT_CLOCK); /* dwMaximumClock */
	out_u8(&out, 0);                    /* bNumClockSupported */
	out_le32(&out, CCID_DATA_RATE);     /* dwDataRate, bit/s */
	out_le32(&out, CCID_MAX_DATA_RATE); /* dwMaxDataRate */
	out_u8(&out, 0);                    /* bNumDataRatesSupported */
	out_le32(&out, 254);                /* dwMaxIFSD */
	out_le32(&out, 0);                  /* dwSynchProtocols */
	out_le32(&out, 0);                  /* dwMechanical */
	out_le32(&out, FEATURES);           /* dwFeatures */
	out_le32(&out, CCID_MESSAGE_MAX);   /* dwMaxCCIDMessageLength */
	out_u8(&out, 0xFF);                 /* bClassGetResponse: echoes the APDU's */
	out_u8(&out, 0xFF);                 /* bClassEnvelope: likewise */
	out_le16(&out, pin_pad->wLcdLayout);
	out_u8(&out, pin_pad->bPINSupport);
	out_u8(&out, 1);                    /* bMaxCCIDBusySlots */
	assert(out_ok(&out) && out.size == CCID_DESCRIPTOR_SIZE);
}
