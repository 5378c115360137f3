/*
 * The transaction that a card of share = transaction is held by: when it is begun and ended is up to
 * hold.h; here are the calls. See card.h.
 *
 * SCardBeginTransaction waits without limit while another program has one, whatever is in the
 * environment (winscard_clnt.c:1163-1201 of pcsc-lite 1.9.9). So SCardStatus is asked first, which can be
 * told not to wait; and as somebody may still be faster, core is told before, and kills us if it takes
 * too long: nothing has been sent to the card then.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "host-bridge/card_private.h"

#include "base/cursor.h"
#include "base/log.h"

#define INS_SELECT 0xA4
#define P1_BY_NAME 0x04

static uint64_t card_now(const struct card *card)
{
	return card->patience.now(card->patience.context);
}

/* Looks at the card until it is free, and it is our turn; for CARD_BUSY_LIMIT at most. */
static LONG wait_for_others(struct card *card)
{
	uint64_t limit = card_now(card) + CARD_BUSY_LIMIT;
	struct hold_wait wait = HOLD_WAIT_NULL;
	unsigned int pause;
	bool busy;
	DWORD size;
	LONG rv;

	do {
		rv = card_look(card, &size);
		busy = rv == SCARD_E_SHARING_VIOLATION;
		if ((rv != SCARD_S_SUCCESS && !busy) || (busy && card_now(card) >= limit))
			return rv;
		pause = hold_look(&wait, card_now(card), busy);
	} while (pause > 0 && card->patience.wait(card->patience.context, pause));
	return pause > 0 ? SCARD_E_SHARING_VIOLATION : rv;
}

static LONG begin(struct card *card)
{
	unsigned int pause = hold_pause(&card->hold, card_now(card));
	LONG rv;

	if (pause > 0 && !card->patience.wait(card->patience.context, pause))
		return SCARD_E_SHARING_VIOLATION;
	rv = wait_for_others(card);
	if (rv == SCARD_S_SUCCESS)
		rv = card->pcsc->begin_transaction(card->handle);
	if (rv == SCARD_S_SUCCESS)
		hold_begun(&card->hold, card_now(card));
	return rv;
}

static void end(struct card *card)
{
	char number[16];
	LONG rv = card->pcsc->end_transaction(card->handle, SCARD_LEAVE_CARD);

	/* If the card was reset or is gone, the guest hears of it with its next call. */
	if (rv != SCARD_S_SUCCESS)
		log_debug(card->tag, "%s: SCardEndTransaction: %s", card->reader,
			outcome_code_name(rv, number, sizeof number));
	card_let_go(card);
}

/* ISO/IEC 7816-4:2013, 11.1.1: SELECT by DF name. */
static bool chooses_application(struct payload_view apdu)
{
	struct cursor_in in = cursor_in(apdu.bytes, apdu.size);

	(void)in_u8(&in); /* CLA */
	return in_u8(&in) == INS_SELECT && in_u8(&in) == P1_BY_NAME && in_ok(&in);
}

LONG card_begin(struct card *card, struct payload_view apdu)
{
	LONG rv;

	if (card->hold.share.mode != SHARE_TRANSACTION)
		return SCARD_S_SUCCESS;
	if (hold_is_due(&card->hold, card_now(card), chooses_application(apdu)))
		end(card);
	if (!hold_is_wanted(&card->hold))
		return SCARD_S_SUCCESS;
	card->patience.waiting(card->patience.context);
	rv = begin(card);
	card->patience.waiting(card->patience.context);
	return rv;
}

void card_ended(struct card *card)
{
	if (card->hold.held)
		hold_touch(&card->hold, card_now(card));
}

void card_let_go(struct card *card)
{
	if (card->hold.held)
		hold_ended(&card->hold, card_now(card));
}

void card_tick(struct card *card)
{
	if (card->hold.held && hold_is_due(&card->hold, card_now(card), false))
		end(card);
}

uint64_t card_deadline(const struct card *card)
{
	return hold_deadline(&card->hold);
}
