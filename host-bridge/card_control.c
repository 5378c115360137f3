/*
 * What goes to the reader instead of the card, by SCardControl: a PIN entry and an escape. See card.h.
 *
 * The control codes are asked of the driver each time: they belong to the reader, cost no exchange
 * with it, and need not be kept in step with what is plugged in.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "host-bridge/card_private.h"

#include <reader.h>

#include "base/log.h"
#include "host-bridge/features.h"
#include "host-bridge/pin_structure.h"

/* The code of libccid and of Windows for drivers that don't name theirs. */
#define ESCAPE_CODE SCARD_CTL_CODE(1)

/* One control, tried again while another program has the card, and the size of the answer. */
static LONG control(struct card *card, SCARDHANDLE handle, DWORD code, struct payload_view sent,
	DWORD *size)
{
	unsigned int waited = 0;
	LONG rv;

	do {
		*size = 0;
		rv = card->pcsc->control(handle, code, sent.bytes, sent.size, card->response,
			sizeof card->response, size);
	} while (card_waits(card, rv, &waited));
	return rv;
}

static LONG read_features(struct card *card, SCARDHANDLE handle, struct features *features)
{
	unsigned int waited = 0;
	LONG rv;

	do {
		rv = features_read(card->pcsc, handle, features);
	} while (card_waits(card, rv, &waited));
	return rv;
}

/* ---- WIRE_SECURE ---- */

/* What drivers other than libccid say in place of the status words 6400 and 6401. */
static bool pin_not_entered(LONG rv, struct wire_reply *reply)
{
	switch (rv) {
	case SCARD_E_TIMEOUT:
		reply->outcome = WIRE_TIMED_OUT;
		return true;
	case SCARD_E_CANCELLED:
	case SCARD_W_CANCELLED_BY_USER:
		reply->outcome = WIRE_CANCELLED;
		return true;
	}
	return false;
}

static void secure_by(struct card *card, DWORD code, struct payload_view structure,
	struct wire_reply *reply)
{
	DWORD size;
	LONG rv = control(card, card->handle, code, structure, &size);

	if (rv != SCARD_E_SHARING_VIOLATION)
		card->used = true;
	if (!pin_not_entered(rv, reply))
		card_take_response(card, "SCardControl", rv, size, reply);
}

/*
 * The structure is in out; without the feature for it the reply stays as it is. SCardControl doesn't
 * care who has reset the card since it was connected, so SCardStatus is asked: a PIN is meant for the
 * card in the state that the guest knows.
 */
static void secure_structure(struct card *card, enum pin_structure kind,
	const struct cursor_out *out, struct wire_reply *reply)
{
	struct features features = { .verify = 0 };
	DWORD size, code;
	LONG rv = card_begin(card, (struct payload_view){ .size = 0 });

	if (rv == SCARD_S_SUCCESS)
		rv = card_read_atr(card, &size);
	if (rv == SCARD_S_SUCCESS)
		rv = read_features(card, card->handle, &features);
	code = kind == PIN_STRUCTURE_VERIFY ? features.verify : features.modify;
	if (rv != SCARD_S_SUCCESS)
		card_failed(card, "SCardControl", rv, OUTCOME_CONNECTED, reply);
	else if (code != 0)
		secure_by(card, code, (struct payload_view){ out->start, out->size }, reply);
	card_ended(card);
}

void card_secure(struct card *card, const struct wire_call *call, struct wire_reply *reply)
{
	struct payload structure = PAYLOAD_NULL;
	struct cursor_out out;
	enum pin_structure kind;

	if (!card->open) {
		reply->outcome = WIRE_NOT_CONNECTED;
		return;
	}
	if (payload_init(&structure, PIN_STRUCTURE_FIELDS_MAX + call->data.size) != 0) {
		reply->outcome = WIRE_CARD_BUSY;
		return;
	}
	out = cursor_out(structure.bytes, structure.capacity);
	reply->outcome = WIRE_UNSUPPORTED;
	if (pin_structure_write(call->data, &out, &kind) == 0)
		secure_structure(card, kind, &out, reply);
	payload_wipe(structure.bytes, structure.capacity);
	payload_deinit(&structure);
}

/* ---- WIRE_ESCAPE ---- */

static LONG escape_by(struct card *card, SCARDHANDLE handle, struct payload_view sent, DWORD *size)
{
	struct features features;
	LONG rv = read_features(card, handle, &features);

	if (rv != SCARD_S_SUCCESS)
		return rv;
	return control(card, handle, features.escape != 0 ? features.escape : ESCAPE_CODE, sent,
		size);
}

/* Without a card in use the reader is opened for this one call; that needs no card. */
static LONG escape_direct(struct card *card, struct payload_view sent, DWORD *size)
{
	SCARDHANDLE handle;
	DWORD protocol;
	LONG rv = card_establish(card);

	if (rv == SCARD_S_SUCCESS)
		rv = card->pcsc->connect(card->context, card->reader, SCARD_SHARE_DIRECT, 0, &handle,
			&protocol);
	if (rv != SCARD_S_SUCCESS)
		return rv;
	rv = escape_by(card, handle, sent, size);
	(void)card->pcsc->disconnect(handle, SCARD_LEAVE_CARD);
	return rv;
}

void card_escape(struct card *card, const struct wire_call *call, struct wire_reply *reply)
{
	DWORD size = 0;
	LONG rv;

	if (card->open) {
		rv = escape_by(card, card->handle, call->data, &size);
		/* Nobody but its maker knows what a reader does to the card then. */
		if (rv != SCARD_E_SHARING_VIOLATION)
			card->used = true;
	} else {
		rv = escape_direct(card, call->data, &size);
	}
	if (rv != SCARD_S_SUCCESS) {
		card_failed(card, "SCardControl", rv, OUTCOME_CONNECTED, reply);
	} else if (size > sizeof card->response) {
		reply->outcome = WIRE_CARD_ERROR;
	} else {
		reply->outcome = WIRE_OK;
		reply->data = (struct payload_view){ .bytes = card->response, .size = size };
	}
	if (!card->open)
		card_drop_context(card);
}
