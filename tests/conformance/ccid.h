/*
 * The numbers of the specification, written down a second time: a conformance program that took
 * them from the device's own header could not find a wrong one there.
 *
 * "CCID 1.1" is the USB Device Class Specification for Integrated Circuit(s) Cards Interface
 * Devices, revision 1.1, April 2005.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#define CCID_HEADER 10      /* bytes; 6.1 and 6.2 */
#define CCID_APDU_MAX 65544 /* bytes of the longest abData; 6.1.4 */

/* Table 6.1-1: bulk OUT. */
enum {
	SET_PARAMETERS = 0x61,
	ICC_POWER_ON = 0x62,
	ICC_POWER_OFF = 0x63,
	GET_SLOT_STATUS = 0x65,
	SECURE = 0x69,
	T0_APDU = 0x6A,
	ESCAPE = 0x6B,
	GET_PARAMETERS = 0x6C,
	RESET_PARAMETERS = 0x6D,
	ICC_CLOCK = 0x6E,
	XFR_BLOCK = 0x6F,
	MECHANICAL = 0x71,
	ABORT = 0x72,
	SET_DATA_RATE_AND_CLOCK_FREQUENCY = 0x73,
};

/* Table 6.2-1: bulk IN. */
enum {
	DATA_BLOCK = 0x80,
	SLOT_STATUS = 0x81,
	PARAMETERS = 0x82,
	ESCAPE_ANSWER = 0x83,
	DATA_RATE_AND_CLOCK_FREQUENCY = 0x84,
};

/* 6.3.1: interrupt IN. */
enum {
	NOTIFY_SLOT_CHANGE = 0x50,
};

/* Table 6.2-3: bStatus. */
enum {
	ICC_ACTIVE = 0x00,
	ICC_INACTIVE = 0x01,
	ICC_ABSENT = 0x02,
	ICC_MASK = 0x03,
	STATUS_RFU = 0x3C,
	FAILED = 0x40,
	TIME_EXTENSION = 0x80,
	COMMAND_MASK = 0xC0,
};

/* Table 6.2-2: bError. 1 to 127 are the offset of the field that is wrong. */
enum {
	NOT_SUPPORTED = 0x00,
	WRONG_LENGTH = 1,
	WRONG_SLOT = 5,
	WRONG_PARAMETER = 7, /* bPowerSelect, bProtocolNum */
	WRONG_LEVEL = 8,     /* wLevelParameter */
	SLOT_BUSY = 0xE0,
	ICC_MUTE = 0xFE,
	ABORTED = 0xFF,
	ANY_ERROR = 0x100,   /* not on the wire: a case that leaves it open */
};

/* 6.1.4: wLevelParameter. */
enum {
	LEVEL_WHOLE = 0x0000,
	LEVEL_BEGINS = 0x0001,
	LEVEL_ENDS = 0x0002,
	LEVEL_CONTINUES = 0x0003,
	LEVEL_MORE = 0x0010,
};

/* 6.2.1: bChainParameter. */
enum {
	CHAIN_WHOLE = 0x00,
	CHAIN_BEGINS = 0x01,
	CHAIN_ENDS = 0x02,
	CHAIN_CONTINUES = 0x03,
	CHAIN_EMPTY = 0x10,
};

/* Table 5.3-1: requests on the control pipe. */
enum {
	REQUEST_ABORT = 0x01,
	REQUEST_GET_CLOCK_FREQUENCIES = 0x02,
	REQUEST_GET_DATA_RATES = 0x03,
	REQUEST_TYPE_OUT = 0x21, /* class, interface */
	REQUEST_TYPE_IN = 0xA1,
};

/* Table 5.1-1: dwFeatures, as far as it matters to a case. */
enum {
	FEATURE_CONFIGURED_FROM_ATR = 0x00000002,
	FEATURE_NEGOTIATES = 0x00000040,
	FEATURE_PPS = 0x00000080,
	FEATURE_TPDU = 0x00010000,
	FEATURE_SHORT_APDU = 0x00020000,
	FEATURE_EXTENDED_APDU = 0x00040000,
	FEATURE_LEVELS = 0x00070000,
};
