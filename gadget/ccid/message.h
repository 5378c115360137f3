/*
 * CCID bulk and interrupt messages: the numbers of the specification, and the codec.
 *
 * "CCID 1.1" is the USB Device Class Specification for Integrated Circuit(s) Cards Interface
 * Devices, revision 1.1, April 2005. Fields keep the names that it gives them.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/payload.h"

#define CCID_HEADER_SIZE 10 /* CCID 1.1, 6.1 and 6.2 */
#define CCID_SPECIFIC_OFFSET 7 /* of the bytes whose meaning depends on the type */

/* Largest abData: an extended APDU, CCID 1.1, 6.1.4. */
#define CCID_DATA_MAX 65544

/* Bulk OUT, CCID 1.1, table 6.1-1. */
enum ccid_command_type {
	PC_TO_RDR_SET_PARAMETERS = 0x61,
	PC_TO_RDR_ICC_POWER_ON = 0x62,
	PC_TO_RDR_ICC_POWER_OFF = 0x63,
	PC_TO_RDR_GET_SLOT_STATUS = 0x65,
	PC_TO_RDR_SECURE = 0x69,
	PC_TO_RDR_T0_APDU = 0x6A,
	PC_TO_RDR_ESCAPE = 0x6B,
	PC_TO_RDR_GET_PARAMETERS = 0x6C,
	PC_TO_RDR_RESET_PARAMETERS = 0x6D,
	PC_TO_RDR_ICC_CLOCK = 0x6E,
	PC_TO_RDR_XFR_BLOCK = 0x6F,
	PC_TO_RDR_MECHANICAL = 0x71,
	PC_TO_RDR_ABORT = 0x72,
	PC_TO_RDR_SET_DATA_RATE_AND_CLOCK_FREQUENCY = 0x73,
};

/* Bulk IN, CCID 1.1, table 6.2-1. */
enum ccid_response_type {
	RDR_TO_PC_DATA_BLOCK = 0x80,
	RDR_TO_PC_SLOT_STATUS = 0x81,
	RDR_TO_PC_PARAMETERS = 0x82,
	RDR_TO_PC_ESCAPE = 0x83,
	RDR_TO_PC_DATA_RATE_AND_CLOCK_FREQUENCY = 0x84,
};

/* Interrupt IN, CCID 1.1, 6.3.1. */
#define RDR_TO_PC_NOTIFY_SLOT_CHANGE 0x50
#define CCID_NOTIFY_PRESENT 0x01 /* bmSlotICCState of slot 0: a card is there */
#define CCID_NOTIFY_CHANGED 0x02 /* bmSlotICCState of slot 0: it has changed */

/* Class requests, CCID 1.1, table 5.3-1: bmRequestType in the upper byte, bRequest in the lower. */
enum ccid_request {
	CCID_REQUEST_ABORT = 0x2101,
	CCID_REQUEST_GET_CLOCK_FREQUENCIES = 0xA102,
	CCID_REQUEST_GET_DATA_RATES = 0xA103,
};

/* bStatus, CCID 1.1, table 6.2-3: bmICCStatus in bits 0-1, bmCommandStatus in bits 6-7. */
enum ccid_icc_status {
	CCID_ICC_ACTIVE = 0,
	CCID_ICC_INACTIVE = 1,
	CCID_ICC_ABSENT = 2,
};

enum ccid_command_status {
	CCID_COMMAND_PROCESSED = 0x00,
	CCID_COMMAND_FAILED = 0x40,
	CCID_COMMAND_TIME_EXTENSION = 0x80,
};

/* bError, CCID 1.1, table 6.2-2. 1 to 127: the offset of the field that is wrong. */
enum ccid_error {
	CCID_ERROR_NONE = 0x00,
	CCID_ERROR_NOT_SUPPORTED = 0x00, /* with CCID_COMMAND_FAILED */
	CCID_ERROR_OFFSET_LENGTH = 1,    /* dwLength */
	CCID_ERROR_OFFSET_SLOT = 5,      /* bSlot */
	CCID_ERROR_OFFSET_PARAMETER = 7, /* bPowerSelect, bProtocolNum; abRFU without them */
	CCID_ERROR_OFFSET_LEVEL = 8,     /* wLevelParameter */
	CCID_ERROR_OFFSET_RFU = 8,       /* abRFU behind bPowerSelect or bProtocolNum */
	CCID_ERROR_OFFSET_OPERATION = 10, /* bPINOperation */
	CCID_ERROR_OFFSET_MESSAGES = 21, /* bNumberMessage of a PIN modification */
	CCID_ERROR_SLOT_BUSY = 0xE0,
	CCID_ERROR_PIN_CANCELLED = 0xEF,
	CCID_ERROR_PIN_TIMEOUT = 0xF0,
	CCID_ERROR_PROTOCOL_NOT_SUPPORTED = 0xF6,
	CCID_ERROR_HARDWARE = 0xFB,
	CCID_ERROR_ICC_MUTE = 0xFE,
	CCID_ERROR_ABORTED = 0xFF,
};

/* bClockStatus, CCID 1.1, 6.2.2. */
enum ccid_clock_status {
	CCID_CLOCK_RUNNING = 0,
	CCID_CLOCK_STOPPED = 3, /* in an unknown state */
};

/* bPINOperation, the first byte of Secure's abData, CCID 1.1, 6.1.11. */
enum ccid_pin_operation {
	CCID_PIN_OPERATION_VERIFY = 0x00,
	CCID_PIN_OPERATION_MODIFY = 0x01,
};

/* bPowerSelect, CCID 1.1, 6.1.1: 0 is automatic, 1 to 3 are 5.0, 3.0 and 1.8 volts. */
#define CCID_POWER_SELECT_MAX 3

/* wLevelParameter of XfrBlock and Secure at extended APDU level, CCID 1.1, 6.1.4 and 6.1.11. */
enum ccid_level {
	CCID_LEVEL_WHOLE = 0x0000,    /* the command begins and ends here */
	CCID_LEVEL_BEGINS = 0x0001,   /* and continues in the next message */
	CCID_LEVEL_ENDS = 0x0002,     /* continues, and ends here */
	CCID_LEVEL_CONTINUES = 0x0003,
	CCID_LEVEL_MORE = 0x0010,     /* no data: the next part of the response is wanted */
};

/* bChainParameter of DataBlock, CCID 1.1, 6.2.1. */
enum ccid_chain {
	CCID_CHAIN_WHOLE = 0x00,
	CCID_CHAIN_BEGINS = 0x01,
	CCID_CHAIN_ENDS = 0x02,
	CCID_CHAIN_CONTINUES = 0x03,
	CCID_CHAIN_EMPTY = 0x10, /* no data: the next part of the command is expected */
};

/* A message from bulk OUT. */
struct ccid_command {
	uint8_t bMessageType;
	uint32_t dwLength;
	uint8_t bSlot;
	uint8_t bSeq;
	uint8_t specific[3];      /* bytes 7 to 9; their meaning depends on the type */
	struct payload_view data; /* abData, borrowed from the message */
};

/* A message for bulk IN. */
struct ccid_response {
	uint8_t bMessageType;
	uint8_t bSlot;
	uint8_t bSeq;
	uint8_t bStatus;
	uint8_t bError;
	uint8_t specific;         /* byte 9: bChainParameter, bClockStatus, bProtocolNum or RFU */
	struct payload_view data;
};

enum {
	CCID_TRUNCATED = 1,  /* less than a header: there is no bSeq to answer to */
	CCID_BAD_LENGTH = 2, /* dwLength is not what came, or beyond CCID_DATA_MAX */
	CCID_NO_ROOM = 3,    /* the response does not fit into the buffer */
};

/*
 * How many bytes are missing to the message that begins with these size bytes, by its dwLength,
 * however absurd that is: what it announces belongs to it, and must not be taken for further
 * messages. 0 when the message is complete, or too short to have a length.
 */
size_t ccid_message_missing(const uint8_t *bytes, size_t size);

/*
 * Takes a message apart. Returns 0, CCID_TRUNCATED (command is not set) or CCID_BAD_LENGTH (command
 * is set, without data).
 */
int ccid_command_decode(struct payload_view message, struct ccid_command *command);

/* The wLevelParameter of an XfrBlock or Secure, CCID 1.1, 6.1.4 and 6.1.11: bytes 8 and 9. */
uint16_t ccid_command_level(const struct ccid_command *command);

/*
 * The offset of abRFU, CCID 1.1, 6.1.1 to 6.1.13, if it isn't zero; else 0. A driver that sets it
 * wants something that this reader does not know, and has to learn that it is not done. Commands
 * that are not supported have none.
 */
uint8_t ccid_command_wrong_rfu(const struct ccid_command *command);

/*
 * The type of response that a command of this type gets, CCID 1.1, table 6.1-1; unknown:
 * SlotStatus.
 */
enum ccid_response_type ccid_response_type(uint8_t bMessageType);

/* Puts a message together; *size is its length. Returns 0 or CCID_NO_ROOM. */
int ccid_response_encode(const struct ccid_response *response, void *bytes, size_t capacity,
	size_t *size);
