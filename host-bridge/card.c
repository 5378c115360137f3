/*
 * The calls of one guest to one card. See card.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "host-bridge/card.h"

#include <string.h>

#include "base/log.h"
#include "host-bridge/card_private.h"

/* ---- protocols: ours and those of pcsc-lite ---- */

static DWORD protocols_to_pcsc(uint8_t protocols)
{
	DWORD result = 0;

	if ((protocols & WIRE_PROTOCOL_T0) != 0)
		result |= SCARD_PROTOCOL_T0;
	if ((protocols & WIRE_PROTOCOL_T1) != 0)
		result |= SCARD_PROTOCOL_T1;
	return result;
}

static uint8_t protocol_to_wire(DWORD protocol)
{
	switch (protocol) {
	case SCARD_PROTOCOL_T0:
		return WIRE_PROTOCOL_T0;
	case SCARD_PROTOCOL_T1:
		return WIRE_PROTOCOL_T1;
	}
	return 0;
}

static DWORD initialization_to_pcsc(uint8_t initialization)
{
	switch (initialization) {
	case WIRE_RESET:
		return SCARD_RESET_CARD;
	case WIRE_UNPOWER:
		return SCARD_UNPOWER_CARD;
	}
	return SCARD_LEAVE_CARD;
}

/* ---- errors ---- */

static bool waits_for(struct card *card, LONG rv, unsigned int *waited, unsigned int limit)
{
	if (rv != SCARD_E_SHARING_VIOLATION || *waited >= limit)
		return false;
	*waited += CARD_BUSY_POLL;
	return card->patience.wait(card->patience.context, CARD_BUSY_POLL);
}

bool card_waits(struct card *card, LONG rv, unsigned int *waited)
{
	return waits_for(card, rv, waited, CARD_BUSY_LIMIT);
}

void card_drop_context(struct card *card)
{
	/* Also when pcscd is gone: the call frees what the library holds. */
	if (card->context_open)
		(void)card->pcsc->release_context(card->context);
	card->context_open = false;
}

static void card_drop_handle(struct card *card)
{
	if (card->open)
		(void)card->pcsc->disconnect(card->handle, SCARD_LEAVE_CARD);
	card->open = false;
	card->used = false;
	card->protocol = 0;
	card_let_go(card);
}

void card_failed(struct card *card, const char *function, LONG rv, enum outcome_phase phase,
	struct wire_reply *reply)
{
	const struct outcome *outcome = outcome_find(rv);
	char number[16];

	/* pcscd says the same of a program without the right, and of one beyond its 200 contexts. */
	if (rv == SCARD_W_SECURITY_VIOLATION)
		log_warning(card->tag, "%s: %s: pcscd refuses this user, or has no context left",
			card->reader, function);
	else
		log_debug(card->tag, "%s: %s: %s", card->reader, function,
			outcome_code_name(rv, number, sizeof number));
	reply->outcome = (uint8_t)outcome_for_guest(rv, phase);
	if (rv == SCARD_E_SERVICE_STOPPED)
		card->outdated = true;
	/* Whoever reset the card has also ended our PIN state; there is none left to protect. */
	if (reply->outcome == WIRE_CARD_RESET)
		card->used = false;
	switch (outcome->keep) {
	case OUTCOME_KEEP_HANDLE:
		break;
	case OUTCOME_KEEP_NOTHING:
		/* A disconnect would only ask a pcscd that isn't there. */
		card->open = false;
		/* fall through */
	case OUTCOME_KEEP_CONTEXT:
		card_drop_handle(card);
		break;
	}
	if (!card->open)
		card_drop_context(card);
}

/* ---- WIRE_CONNECT ---- */

LONG card_establish(struct card *card)
{
	LONG rv;

	if (card->context_open)
		return SCARD_S_SUCCESS;
	rv = card->pcsc->establish_context(SCARD_SCOPE_SYSTEM, NULL, NULL, &card->context);
	card->context_open = rv == SCARD_S_SUCCESS;
	return rv;
}

static DWORD share_to_pcsc(const struct card *card)
{
	return card->hold.share.mode == SHARE_EXCLUSIVE ? SCARD_SHARE_EXCLUSIVE : SCARD_SHARE_SHARED;
}

/* Only an exclusive connect can be refused because others are there; it doesn't wait by itself. */
static LONG card_open(struct card *card, DWORD protocols)
{
	unsigned int limit = card->hold.share.mode == SHARE_EXCLUSIVE ? CARD_EXCLUSIVE_LIMIT : 0;
	unsigned int waited = 0;
	LONG rv;

	do {
		rv = card->pcsc->connect(card->context, card->reader, share_to_pcsc(card),
			protocols, &card->handle, &card->protocol);
	} while (waits_for(card, rv, &waited, limit));
	card->open = rv == SCARD_S_SUCCESS;
	return rv;
}

static LONG card_reopen(struct card *card, DWORD protocols, DWORD initialization)
{
	unsigned int waited = 0;
	DWORD protocol = 0;
	LONG rv;

	do {
		rv = card->pcsc->reconnect(card->handle, share_to_pcsc(card), protocols,
			initialization, &protocol);
	} while (card_waits(card, rv, &waited));
	if (rv == SCARD_S_SUCCESS) {
		card->protocol = protocol;
		if (initialization != SCARD_LEAVE_CARD)
			card->used = false;
	}
	return rv;
}

/* pcscd is another process: its length is checked like any other. */
LONG card_look(struct card *card, DWORD *size)
{
	char name[MAX_READERNAME];
	DWORD state, protocol, name_size = sizeof name;
	LONG rv;

	*size = WIRE_ATR_MAX;
	rv = card->pcsc->status(card->handle, name, &name_size, &state, &protocol, card->response,
		size);
	if (rv == SCARD_S_SUCCESS && (*size == 0 || *size > WIRE_ATR_MAX))
		return SCARD_W_UNRESPONSIVE_CARD;
	return rv;
}

LONG card_read_atr(struct card *card, DWORD *size)
{
	unsigned int waited = 0;
	LONG rv;

	do {
		rv = card_look(card, size);
	} while (card_waits(card, rv, &waited));
	return rv;
}

static void card_connect(struct card *card, const struct wire_call *call, struct wire_reply *reply)
{
	DWORD protocols = protocols_to_pcsc(call->protocols);
	DWORD size = 0;
	LONG rv = card_establish(card);

	if (rv != SCARD_S_SUCCESS) {
		card_failed(card, "SCardEstablishContext", rv, OUTCOME_CONNECTING, reply);
		return;
	}
	if (card->open)
		rv = card_reopen(card, protocols, initialization_to_pcsc(call->initialization));
	else
		rv = card_open(card, protocols);
	if (rv != SCARD_S_SUCCESS) {
		card_failed(card, "SCardConnect", rv, OUTCOME_CONNECTING, reply);
		return;
	}
	rv = card_read_atr(card, &size);
	if (rv != SCARD_S_SUCCESS) {
		card_failed(card, "SCardStatus", rv, OUTCOME_CONNECTED, reply);
		return;
	}
	reply->outcome = WIRE_OK;
	reply->data = (struct payload_view){ .bytes = card->response, .size = size };
}

/* ---- WIRE_TRANSMIT ---- */

void card_take_response(struct card *card, const char *function, LONG rv, DWORD size,
	struct wire_reply *reply)
{
	if (rv != SCARD_S_SUCCESS) {
		card_failed(card, function, rv, OUTCOME_CONNECTED, reply);
	} else if (size < CARD_RESPONSE_MIN || size > sizeof card->response) {
		/* pcscd says so when the card is pulled in the middle of an APDU. */
		log_warning(card->tag, "%s: %s: success with %lu bytes is no answer", card->reader,
			function, (unsigned long)size);
		reply->outcome = WIRE_CARD_ERROR;
	} else {
		reply->outcome = WIRE_OK;
		reply->data = (struct payload_view){ .bytes = card->response, .size = size };
	}
}

static void card_transmit(struct card *card, const struct wire_call *call, struct wire_reply *reply)
{
	const SCARD_IO_REQUEST pci = { .dwProtocol = card->protocol, .cbPciLength = sizeof pci };
	unsigned int waited = 0;
	DWORD size;
	LONG rv;

	if (!card->open) {
		reply->outcome = WIRE_NOT_CONNECTED;
		return;
	}
	rv = card_begin(card, call->data);
	if (rv != SCARD_S_SUCCESS) {
		card_failed(card, "SCardBeginTransaction", rv, OUTCOME_CONNECTED, reply);
		return;
	}
	do {
		size = sizeof card->response;
		rv = card->pcsc->transmit(card->handle, &pci, call->data.bytes, call->data.size,
			NULL, card->response, &size);
	} while (card_waits(card, rv, &waited));
	card_ended(card);
	/* Only a busy card has certainly not seen the command. */
	if (rv != SCARD_E_SHARING_VIOLATION)
		card->used = true;
	card_take_response(card, "SCardTransmit", rv, size, reply);
}

/* ---- WIRE_DISCONNECT ---- */

/* A reset that was refused for any other reason than that somebody else has reset the card. */
static void card_leave_unclean(struct card *card, LONG rv)
{
	char number[16];

	if (!card->used || outcome_find(rv)->connected == WIRE_CARD_RESET)
		return;
	log_warning(card->tag, "%s: the card was not reset: %s", card->reader,
		outcome_code_name(rv, number, sizeof number));
	card->unclean = true;
}

static LONG card_close(struct card *card)
{
	DWORD disposition = card->used ? SCARD_RESET_CARD : SCARD_LEAVE_CARD;
	unsigned int waited = 0;
	LONG rv = SCARD_S_SUCCESS;

	while (card->open) {
		rv = card->pcsc->disconnect(card->handle, disposition);
		if (!card_waits(card, rv, &waited))
			break;
	}
	/* What forbids the reset doesn't forbid the release. */
	if (rv != SCARD_S_SUCCESS && outcome_find(rv)->keep == OUTCOME_KEEP_HANDLE) {
		(void)card->pcsc->disconnect(card->handle, SCARD_LEAVE_CARD);
		card_leave_unclean(card, rv);
	}
	card->open = false;
	card->used = false;
	card->protocol = 0;
	card_let_go(card);
	card_drop_context(card);
	return rv;
}

/* The handle is gone whatever pcscd says of it, and that is what the guest wants to hear. */
static void card_disconnect(struct card *card, struct wire_reply *reply)
{
	char number[16];
	LONG rv = card_close(card);

	if (rv != SCARD_S_SUCCESS)
		log_info(card->tag, "%s: SCardDisconnect: %s", card->reader,
			outcome_code_name(rv, number, sizeof number));
	reply->outcome = WIRE_OK;
}

void card_init(struct card *card, const struct pcsc_functions *pcsc, struct card_patience patience,
	const char *tag, const char *reader)
{
	memset(card, 0, sizeof *card);
	card->pcsc = pcsc;
	card->patience = patience;
	card->tag = tag;
	card->reader = reader;
}

void card_set_share(struct card *card, struct share share)
{
	card->hold = (struct hold){ .share = share };
}

void card_deinit(struct card *card)
{
	(void)card_close(card);
	payload_wipe(card->response, sizeof card->response);
}

void card_call(struct card *card, const struct wire_call *call, struct wire_reply *reply)
{
	*reply = (struct wire_reply){ .number = call->number, .outcome = WIRE_UNSUPPORTED };
	switch (call->operation) {
	case WIRE_CONNECT:
		card_connect(card, call, reply);
		break;
	case WIRE_DISCONNECT:
		card_disconnect(card, reply);
		break;
	case WIRE_TRANSMIT:
		card_transmit(card, call, reply);
		break;
	case WIRE_SECURE:
		card_secure(card, call, reply);
		break;
	case WIRE_ESCAPE:
		card_escape(card, call, reply);
		break;
	}
	reply->protocol = card->open ? protocol_to_wire(card->protocol) : 0;
}

bool card_clean(struct card *card)
{
	const struct wire_call connect = {
		.operation = WIRE_CONNECT,
		.protocols = WIRE_PROTOCOL_T0 | WIRE_PROTOCOL_T1,
	};
	struct wire_reply reply;

	card_call(card, &connect, &reply);
	switch (reply.outcome) {
	case WIRE_OK:
		card->used = true;
		return card_close(card) == SCARD_S_SUCCESS;
	case WIRE_CARD_RESET:
	case WIRE_NO_CARD:
	case WIRE_CARD_REMOVED:
	case WIRE_CARD_MUTE:
	case WIRE_READER_GONE:
	case WIRE_SERVICE_GONE:
		/*
		 * Reset, without power, or pcscd is gone, which powers every card anew when it
		 * starts.
		 */
		return true;
	}
	return false;
}
