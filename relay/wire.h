/*
 * The relay's messages, and the codec between them and frames.
 *
 * A frame is a fixed header and a body, all integers little-endian, all lengths bounded by the
 * constants below. relay/PROTOCOL.md is the specification; wire_table.c holds one table of messages
 * that encoder, decoder and printer walk. A decoded message borrows its payload from the frame.
 *
 * States, protocols and outcomes have numbers of our own: those of PC/SC differ between platforms.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/payload.h"

/* A peer of another major version is refused; minor versions understand each other. */
#define WIRE_MAJOR 1
#define WIRE_MINOR 0

/* The version as text, "1.2". */
#define WIRE_TEXT_OF(number) #number
#define WIRE_TEXT(number) WIRE_TEXT_OF(number)
#define WIRE_VERSION_TEXT WIRE_TEXT(WIRE_MAJOR) "." WIRE_TEXT(WIRE_MINOR)

#define WIRE_FRAME_MAX (70 * 1024) /* bytes, header included */
#define WIRE_APDU_MAX 65548        /* bytes: MAX_BUFFER_SIZE_EXTENDED of pcsc-lite */
#define WIRE_NAME_MAX 128          /* bytes of a name, its terminating zero included */
#define WIRE_TEXT_MAX 256          /* bytes of a sentence for the log, terminating zero included */
#define WIRE_ATR_MAX 33            /* bytes, ISO 7816-3:2006, 8.2.1 */
#define WIRE_READERS_MAX 32        /* readers that one guest can be shown */
#define WIRE_OPEN_MAX 16           /* calls that one guest can have open */

enum wire_type {
	WIRE_HELLO = 1,    /* guest: opens a session, or asks for the answer again */
	WIRE_WELCOME = 2,  /* bridge: the session is open */
	WIRE_REFUSED = 3,  /* bridge: no session, and why */
	WIRE_CALL = 4,     /* guest: one SCard call; repeated with the same number until known */
	WIRE_QUERY = 5,    /* guest: what became of that call? */
	WIRE_PROGRESS = 6, /* bridge: the call runs */
	WIRE_REPLY = 7,    /* bridge: the call is done */
	WIRE_READERS = 8,  /* bridge: the state of all readers; repeated until acknowledged */
	WIRE_PING = 9,     /* guest: heartbeat and acknowledgement */
	WIRE_PONG = 10,    /* bridge: heartbeat */
	WIRE_BYE = 11,     /* guest: ends the session; its cards are closed at once */
};

enum wire_operation {
	/* SCardConnect; where a handle is open, SCardReconnect with initialization. Answer: the ATR. */
	WIRE_CONNECT = 1,
	/* SCardDisconnect; the bridge chooses the disposition (reset when the guest sent an APDU). */
	WIRE_DISCONNECT = 2,
	/* SCardTransmit. Answer: the response, at least two bytes. */
	WIRE_TRANSMIT = 3,
	/* SCardControl: a PIN entry at the reader, as CCID describes it. Answer as for a transmit. */
	WIRE_SECURE = 4,
	/* SCardControl with the reader's code for escapes; needs no card. Answer: the reader's. */
	WIRE_ESCAPE = 5,
	/* Ends the secure and escape calls of this reader that were made before; no SCard call. */
	WIRE_CANCEL = 6,
};

/* What WIRE_CONNECT does to a card whose handle is already open. */
enum wire_initialization {
	WIRE_LEAVE = 0,  /* SCARD_LEAVE_CARD */
	WIRE_RESET = 1,  /* SCARD_RESET_CARD, warm */
	WIRE_UNPOWER = 2 /* SCARD_UNPOWER_CARD, cold */
};

/* Bits in wire_call.protocols; one of them in wire_reply.protocol, or 0 for "not connected". */
#define WIRE_PROTOCOL_T0 1
#define WIRE_PROTOCOL_T1 2

/* Bits in wire_reader.pin_support, those of bPINSupport in CCID 1.1, table 5.1-1. */
#define WIRE_PIN_VERIFY 1
#define WIRE_PIN_MODIFY 2

enum wire_outcome {
	WIRE_OK = 0,
	WIRE_NO_CARD = 1,           /* the slot is empty */
	WIRE_CARD_REMOVED = 2,      /* the card was pulled since it was connected */
	WIRE_CARD_RESET = 3,        /* somebody else reset or unpowered it: its state is lost */
	WIRE_CARD_MUTE = 4,         /* it doesn't answer to a reset */
	WIRE_CARD_ERROR = 5,        /* the exchange failed; the card may have executed the command */
	WIRE_CARD_BUSY = 6,         /* somebody else holds it; the command was not sent */
	WIRE_PROTOCOL_MISMATCH = 7, /* the protocol asked for can't be had */
	WIRE_NOT_CONNECTED = 8,     /* no handle is open; the command was not sent */
	WIRE_READER_GONE = 9,       /* the reader is unplugged, or not this guest's */
	WIRE_SERVICE_GONE = 10,     /* pcscd is gone; the card may have executed the command */
	WIRE_OUTCOME_UNKNOWN = 11,  /* the bridge lost track; the card may have executed the command */
	WIRE_UNSUPPORTED = 12,      /* neither bridge nor reader has the operation, or it is forbidden */
	WIRE_CANCELLED = 13,        /* at the reader, or by WIRE_CANCEL: then the card is reset, too */
	WIRE_TIMED_OUT = 14         /* nobody entered a PIN */
};

enum wire_card {
	WIRE_CARD_ABSENT = 0,
	WIRE_CARD_PRESENT = 1,
	WIRE_CARD_UNRESPONSIVE = 2 /* present, and mute */
};

enum wire_refusal {
	WIRE_REFUSED_VERSION = 1,    /* another major version; text names both */
	WIRE_REFUSED_GUEST = 2,      /* no guest of this name in the bridge's configuration */
	WIRE_REFUSED_NO_SESSION = 3, /* the session is over or belongs to an earlier bridge */
	WIRE_REFUSED_SUPERSEDED = 4  /* another daemon has this guest's session */
};

/*
 * The sender's version is in the header of every frame: wire_encode() always writes WIRE_MAJOR and
 * WIRE_MINOR there. The three messages below have it as fields too, which wire_decode() fills in.
 */
struct wire_hello {
	uint8_t major;
	uint8_t minor;
	uint32_t features;    /* bits; none are defined in 1.0 */
	uint64_t guest_boot;  /* random, not 0, chosen when the guest's daemon starts */
	uint32_t incarnation; /* counts that daemon's sessions: a lower one is an old frame */
	char guest[WIRE_NAME_MAX];
};

struct wire_welcome {
	uint8_t major;
	uint8_t minor;
	uint32_t features;
	uint64_t bridge_boot; /* random, chosen when the bridge starts */
	uint32_t incarnation; /* of the hello that this answers */
};

struct wire_refused {
	uint8_t reason;       /* enum wire_refusal */
	uint8_t major;
	uint8_t minor;
	uint32_t incarnation; /* of the hello that this answers; 0 for another frame or major version */
	char text[WIRE_TEXT_MAX];
};

/*
 * What the guest has seen, in every frame of its session. The calls up to issued that are not among
 * open are answered, and the bridge may forget them. That stays true for ever, so an old frame does
 * no harm, and one slow call doesn't hold up the others, as a single "all up to here" would.
 */
struct wire_ack {
	uint32_t readers; /* version of the last WIRE_READERS seen, 0 for none */
	uint32_t issued;  /* number of the newest call, 0 for none */
	uint8_t open_count;
	uint32_t open[WIRE_OPEN_MAX]; /* numbers of the calls without an answer, in any order */
};

struct wire_call {
	uint32_t number;  /* 1, 2, 3 ... in a session */
	struct wire_ack ack;
	uint32_t reader;  /* identity from WIRE_READERS */
	uint8_t operation;
	uint8_t initialization; /* WIRE_CONNECT */
	uint8_t protocols;      /* WIRE_CONNECT: which may be used */
	/*
	 * At most WIRE_APDU_MAX. WIRE_TRANSMIT: the command. WIRE_SECURE: abData of CCID 1.1, 6.1.11,
	 * from bPINOperation (0 or 1) to the APDU. WIRE_ESCAPE: abData of CCID 1.1, 6.1.8.
	 */
	struct payload_view data;
};

struct wire_query {
	uint32_t number;
	struct wire_ack ack;
};

struct wire_progress {
	uint32_t number;
};

struct wire_reply {
	uint32_t number;
	uint8_t outcome;  /* enum wire_outcome */
	uint8_t protocol; /* the protocol in use after the call */
	struct payload_view data; /* WIRE_CONNECT: ATR; others: response */
};

struct wire_reader {
	uint32_t id;        /* never reused while the bridge lives, and stays with the name */
	uint32_t insertion; /* changes when a card comes or goes, however fast */
	uint8_t card;       /* enum wire_card */
	uint8_t pin_support;    /* WIRE_PIN_VERIFY, WIRE_PIN_MODIFY: what its PIN pad can do */
	uint8_t lcd_lines;      /* of its display; 0 for none */
	uint8_t lcd_characters; /* of a line */
	uint8_t atr_size;   /* 0 unless a card is present and answered */
	uint8_t atr[WIRE_ATR_MAX];
	char name[WIRE_NAME_MAX];
};

struct wire_readers {
	uint32_t version; /* 1, 2, 3 ... in a session */
	uint8_t service;  /* 1: pcscd answers. 0: it doesn't; the last list, cards absent */
	uint8_t count;
	struct wire_reader readers[WIRE_READERS_MAX];
};

struct wire_ping {
	uint32_t number; /* comes back in the pong */
	struct wire_ack ack;
};

struct wire_pong {
	uint32_t number;
};

struct wire_message {
	uint8_t type;     /* enum wire_type */
	uint64_t session; /* chosen by the bridge, never 0; 0 in HELLO and in a REFUSED that answers it,
	                     in any other REFUSED the session of the frame that it answers */
	union {
		struct wire_hello hello;
		struct wire_welcome welcome;
		struct wire_refused refused;
		struct wire_call call;
		struct wire_query query;
		struct wire_progress progress;
		struct wire_reply reply;
		struct wire_readers readers;
		struct wire_ping ping;
		struct wire_pong pong;
	};
};

enum {
	WIRE_MALFORMED = 1,       /* truncated, trailing bytes, a length or count out of bounds */
	WIRE_UNKNOWN_TYPE = 2,    /* of a newer minor version: to be ignored */
	WIRE_FOREIGN_VERSION = 3, /* another major version; only type, session and hello.major are set.
	                             A REFUSED is the same in all versions, and is decoded */
	WIRE_TOO_LARGE = 4        /* the message doesn't fit into the buffer, or breaks a bound */
};

/*
 * Decodes a frame. message borrows payloads from bytes. Unknown values of an enum are handed on as
 * they are. Returns 0, WIRE_MALFORMED, WIRE_UNKNOWN_TYPE or WIRE_FOREIGN_VERSION; message is then
 * not to be used, but for the fields that the last of these sets.
 */
int wire_decode(const void *bytes, size_t size, struct wire_message *message);

/*
 * Encodes message into bytes, at most capacity; *size is what was written. Returns 0 or
 * WIRE_TOO_LARGE.
 */
int wire_encode(const struct wire_message *message, void *bytes, size_t capacity, size_t *size);

/*
 * Describes message in one line for a debug log: every field by its name, payloads by their size,
 * never their bytes. text is always terminated; what doesn't fit is cut.
 */
void wire_print(const struct wire_message *message, char *text, size_t size);

/* Names for log lines: "no card", "card removed". Never NULL. */
const char *wire_outcome_name(uint8_t outcome);
