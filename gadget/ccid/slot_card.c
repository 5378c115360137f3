/*
 * The card in the slot: power, presence, and what the driver is told of both.
 *
 * The host's word comes as a state with an insertion number. When it differs from what the driver
 * was shown, the driver is shown an empty slot first, even if a card is there again already:
 * libccid takes a card that changes from powered to unpowered by itself for a swap, but reports the
 * removal only once and then sleeps for minutes. So absent is held until a GetSlotStatus has read
 * it, or for SLOT_ABSENT_HOLD when nobody asks.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/ccid/slot_state.h"

/* ---- power ---- */

/*
 * CCID 1.1, 6.1.1. An active card gets a warm reset. Drivers that choose a voltage find the card
 * powered as it is: the host's reader has chosen.
 */
void slot_power_on(struct slot *slot, uint64_t now, const struct ccid_command *command)
{
	slot_transfer_reset(slot);
	if (command->dwLength != 0) {
		slot_fail(slot, CCID_ERROR_OFFSET_LENGTH);
	} else if (command->specific[0] > CCID_POWER_SELECT_MAX) {
		slot_fail(slot, CCID_ERROR_OFFSET_PARAMETER);
	} else if (!slot->view.shown) {
		slot_fail(slot, CCID_ERROR_ICC_MUTE);
	} else {
		slot->waits_for = slot_make_call(slot, (struct slot_call){
			.operation = WIRE_CONNECT,
			.initialization = slot->view.powered ? WIRE_RESET : WIRE_UNPOWER,
			.protocols = WIRE_PROTOCOL_T0 | WIRE_PROTOCOL_T1,
		});
		slot->state = SLOT_POWERING;
		slot->deadline = now + SLOT_POWER_ON_MAX;
		slot->view.powered = false;
	}
}

/*
 * The card stays without power for the driver; so the host lets go of it, if an earlier IccPowerOn
 * or this one has got hold of it: a reset that was refused has not ended what a PIN has opened.
 */
static void slot_power_on_failed(struct slot *slot)
{
	if (slot->connected)
		slot_release(slot);
	slot_fail(slot, CCID_ERROR_ICC_MUTE);
}

static void slot_powered(struct slot *slot, const struct slot_result *result)
{
	/* Whatever is wrong with it: the host's reader works with this card, and what could be read
	 * of the ATR is enough. The driver gets it as it is. */
	(void)atr_parse(result->data, &slot->atr);
	slot->powered_protocol = result->protocol;
	slot->protocol = result->protocol;
	slot_default_parameters(slot);
	slot->view.powered = true;
	slot_respond(slot, (struct slot_answer){ .data = result->data });
}

/* Only success and an empty slot can be told apart by a driver; the rest is a mute card. */
void slot_power_on_done(struct slot *slot, uint64_t now, const struct slot_result *result)
{
	switch (result->outcome) {
	case WIRE_OK:
		slot->connected = true;
		if (result->data.size > 0 && result->data.size <= ATR_SIZE_MAX)
			slot_powered(slot, result);
		else
			slot_power_on_failed(slot);
		break;
	case WIRE_NO_CARD:
	case WIRE_CARD_REMOVED:
	case WIRE_READER_GONE:
		slot_lose_card(slot, now);
		slot_fail(slot, CCID_ERROR_ICC_MUTE);
		break;
	default:
		slot_power_on_failed(slot);
		break;
	}
}

/* The host may connect yet: it is told to let go again. */
void slot_power_on_late(struct slot *slot)
{
	slot_release(slot);
	slot_fail(slot, CCID_ERROR_ICC_MUTE);
}

void slot_release(struct slot *slot)
{
	/* A connect that is still under way counts: its handle must not stay open. */
	if (slot->connected || slot->state == SLOT_POWERING)
		(void)slot_make_call(slot, (struct slot_call){ .operation = WIRE_DISCONNECT });
	slot->connected = false;
	slot->view.powered = false;
}

/* CCID 1.1, 6.1.2. Answered at once, and never refused: libccid 1.5 sends it twice. */
void slot_power_off(struct slot *slot, const struct ccid_command *command)
{
	if (command->dwLength != 0) {
		slot_fail(slot, CCID_ERROR_OFFSET_LENGTH);
		return;
	}
	slot_transfer_reset(slot);
	slot_release(slot);
	slot_respond(slot, (struct slot_answer){ .specific = CCID_CLOCK_STOPPED });
}

/* ---- presence ---- */

void slot_lose_card(struct slot *slot, uint64_t now)
{
	if (!slot->view.shown)
		return;
	slot_release(slot);
	slot_transfer_reset(slot);
	slot->view = (struct slot_view){ .absent_until = now + SLOT_ABSENT_HOLD };
	slot->notify = true;
}

void slot_show_card(struct slot *slot, uint64_t now)
{
	if (!slot->enabled || slot->view.shown || !slot->host.present ||
		now < slot->view.absent_until)
		return;
	slot->view = (struct slot_view){ .shown = true, .insertion = slot->host.insertion };
	slot->notify = true;
}

/* The command that runs will not be answered by the card any more. */
static void slot_fail_running(struct slot *slot)
{
	switch (slot->state) {
	case SLOT_IDLE:
		break;
	case SLOT_ESCAPING:
		/* That is between the driver and the reader. */
		break;
	case SLOT_POWERING:
	case SLOT_SWITCHING:
	case SLOT_TRANSMITTING:
	case SLOT_SECURING:
		slot_cancel(slot);
		/* bmICCStatus says absent: SCARD_E_NO_SMARTCARD at the application. */
		slot_fail(slot, CCID_ERROR_ICC_MUTE);
		break;
	}
}

void slot_set_card(struct slot *slot, uint64_t now, struct slot_card card)
{
	bool same = card.present && card.insertion == slot->view.insertion;

	slot->host = card;
	if (slot->view.shown && !same) {
		slot_lose_card(slot, now);
		slot_fail_running(slot);
	}
	slot_show_card(slot, now);
}
