/*
 * One side of a conversation with a reader, for the cases to be written in.
 *
 * Every function that can go wrong returns bool: false means that the case has failed and that the
 * reason is noted, so that cases are chains of && which read like the conversation that they are.
 * What every response has to be is checked here, once: a complete header, dwLength as many bytes as
 * came, bSlot and bSeq of the command, the right bMessageType, no RFU bit, no time extension where
 * none may be.
 *
 * Nothing prints the bytes of an APDU.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/card/atr.h"
#include "tests/conformance/ccid.h"
#include "tests/conformance/transport.h"

#define TESTER_REASON_MAX 200

/* Room for the longest message, for one that is too long, and for one packet more. */
#define TESTER_GNUPG_MAX 2065 /* bytes of a message to GnuPG's driver, which reads no longer ones */
#define TESTER_BUFFER (CCID_HEADER + CCID_APDU_MAX + 2048)

/* How long to wait for an answer, ms. IccPowerOn: what GnuPG's driver waits. */
#define TESTER_PATIENCE 5000

/* How long a command with time extensions may take in all, ms. */
#define TESTER_PATIENCE_MAX 90000

/* The class descriptor, CCID 1.1, table 5.1-1. */
struct class_descriptor {
	uint8_t bLength;
	uint8_t bDescriptorType;
	uint16_t bcdCCID;
	uint8_t bMaxSlotIndex;
	uint8_t bVoltageSupport;
	uint32_t dwProtocols;
	uint32_t dwDefaultClock;
	uint32_t dwMaximumClock;
	uint8_t bNumClockSupported;
	uint32_t dwDataRate;
	uint32_t dwMaxDataRate;
	uint8_t bNumDataRatesSupported;
	uint32_t dwMaxIFSD;
	uint32_t dwSynchProtocols;
	uint32_t dwMechanical;
	uint32_t dwFeatures;
	uint32_t dwMaxCCIDMessageLength;
	uint8_t bClassGetResponse;
	uint8_t bClassEnvelope;
	uint16_t wLcdLayout;
	uint8_t bPINSupport;
	uint8_t bMaxCCIDBusySlots;
	bool complete;
};

/* A command to be sent. dwLength is size, unless a case lies about it. */
struct command {
	uint8_t type;
	uint8_t slot;
	uint8_t specific[3]; /* bytes 7 to 9 */
	const uint8_t *data;
	size_t size;
	bool lie;
	uint32_t dwLength;   /* if lie */
};

/* A command that was sent and not answered yet. */
struct pending {
	uint8_t type;
	uint8_t slot;
	uint8_t seq;
	uint64_t sent_at;
};

/* A message that came. */
struct answer {
	uint8_t type;
	uint32_t dwLength;
	uint8_t slot;
	uint8_t seq;
	uint8_t status;
	uint8_t error;
	uint8_t specific;    /* byte 9 */
	const uint8_t *data; /* in the tester's buffer, until the next message comes */
	size_t size;
};

/* The time extensions that came before the last answer; times in ms. */
struct extensions {
	size_t count;
	unsigned int first;   /* from the command's end */
	unsigned int longest; /* between two, or from the last one to the answer */
};

struct tester {
	struct transport transport;
	struct class_descriptor descriptor;
	const void *argument;    /* of the case that runs */
	bool scripted;           /* the card is that of tests/card */
	uint32_t seed;           /* of the garbage */
	size_t message_max;      /* bytes of the longest message, either way, of this driver; 0: it has no limit */

	/* what was found out at the start */
	bool card;
	struct atr_info protocols;

	/* the conversation */
	uint8_t seq;             /* of the last command that was sent */
	struct pending last;     /* the command whose answer is awaited */
	struct pending running;  /* one that runs meanwhile; type 0: none */
	struct answer answer;
	unsigned int took;       /* ms from the last command to its answer */
	struct extensions extensions;
	struct atr atr;          /* of the last IccPowerOn */
	size_t response_size;    /* of the last APDU's response, in response[] */

	char reason[TESTER_REASON_MAX]; /* why the case failed; the first reason stays */
	uint8_t out[TESTER_BUFFER];
	uint8_t in[TESTER_BUFFER];
	uint8_t response[TESTER_BUFFER];
};

/* Takes the class descriptor apart. */
void tester_read_descriptor(struct tester *t);

/* ---- failing ---- */

/* Notes the reason, unless there is one. Always false. */
bool tester_fail(struct tester *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* condition, or tester_fail(). */
bool tester_check(struct tester *t, bool condition, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* ---- messages ---- */

/* Puts a command with the next bSeq into t->out; returns its length. */
size_t tester_encode(struct tester *t, const struct command *command);

/* The next of a sequence that the seed decides: garbage that can be sent again. */
uint32_t tester_random(struct tester *t);

/* One transfer of any bytes on bulk OUT. */
bool tester_write(struct tester *t, const uint8_t *bytes, size_t size);

bool tester_send(struct tester *t, const struct command *command);

/* Reads one message, whatever it is, into t->answer. */
bool tester_receive(struct tester *t, unsigned int timeout);

/*
 * Reads the answer to the last command; time extensions before it are counted. Those of the command
 * that runs meanwhile are passed over, and so is that it was aborted.
 */
bool tester_await(struct tester *t);

/* The last command runs while others are asked; then, its answer is awaited. */
void tester_leave_running(struct tester *t);
bool tester_await_running(struct tester *t);

bool tester_ask(struct tester *t, const struct command *command);

/* The last answer has this bStatus and bError, and no data if it failed. */
bool tester_expect(struct tester *t, unsigned int status, unsigned int error);

/* The same, with whatever bmICCStatus. */
bool tester_expect_failed(struct tester *t, unsigned int error);

/* Nothing comes on bulk IN for so long. */
bool tester_quiet(struct tester *t, unsigned int ms);

/* Reads and forgets what is there: on bulk IN, on interrupt IN. */
void tester_drain(struct tester *t);
void tester_drain_notifications(struct tester *t);

/* ---- what most cases need ---- */

/* GetSlotStatus: it succeeds; t->answer has bmICCStatus. */
bool tester_status(struct tester *t);

/* GetSlotStatus says this bmICCStatus, now, or within so many ms. */
bool tester_status_is(struct tester *t, uint8_t icc);
bool tester_status_becomes(struct tester *t, uint8_t icc, unsigned int ms);

/* IccPowerOn succeeds, with a well-formed ATR, which is then t->atr. */
bool tester_power_on(struct tester *t);

/* IccPowerOff succeeds. */
bool tester_power_off(struct tester *t);

/* XfrBlock of one part. */
bool tester_send_part(struct tester *t, unsigned int level, const uint8_t *data, size_t size);
bool tester_ask_part(struct tester *t, unsigned int level, const uint8_t *data, size_t size);

/* The last answer was a good part of a response, which is kept; then asks for all further parts. */
bool tester_collect(struct tester *t);

/* An APDU in as many parts as it needs, each of at most part_max bytes; its response is kept. */
bool tester_transmit_in_parts(struct tester *t, const uint8_t *apdu, size_t size, size_t part_max);
bool tester_transmit(struct tester *t, const uint8_t *apdu, size_t size);

/* The bytes that fit into one message, as the driver and the reader have it. */
size_t tester_part_max(const struct tester *t);

/* The status word of the last response. */
bool tester_sw_is(struct tester *t, unsigned int sw);

/* The type of response that a command gets, CCID 1.1, table 6.1-1. */
uint8_t tester_answer_type(uint8_t type);
