/*
 * From refused to content. See comeback.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "host-bridge/comeback.h"

#include "relay/session.h"

void comeback_init(struct comeback *comeback)
{
	*comeback = (struct comeback){ .check_at = SESSION_NEVER };
}

void comeback_forget(struct comeback *comeback)
{
	comeback->state = COMEBACK_CONTENT;
	comeback->check_at = SESSION_NEVER;
}

static void comeback_refuse(struct comeback *comeback, uint64_t now)
{
	comeback->state = COMEBACK_REFUSED;
	comeback->check_at = now + COMEBACK_FIRST;
}

void comeback_note(struct comeback *comeback, uint64_t now, uint8_t operation, uint8_t outcome,
	uint64_t duration)
{
	switch (operation) {
	case WIRE_CONNECT:
		comeback_forget(comeback);
		if (outcome == WIRE_CARD_BUSY)
			comeback_refuse(comeback, now);
		else if (outcome == WIRE_OK && duration >= COMEBACK_LATE)
			comeback->state = COMEBACK_LATE_CONNECT;
		else if (outcome == WIRE_OK)
			comeback->late_again = false;
		break;
	case WIRE_DISCONNECT:
		if (comeback->state != COMEBACK_LATE_CONNECT)
			break;
		comeback_forget(comeback);
		if (!comeback->late_again)
			comeback_refuse(comeback, now);
		comeback->late_again = true;
		break;
	default:
		/* It uses the card. */
		if (comeback->state == COMEBACK_LATE_CONNECT)
			comeback_forget(comeback);
		break;
	}
}

bool comeback_check(struct comeback *comeback, uint64_t now, bool unoccupied)
{
	if (comeback->state != COMEBACK_REFUSED || now < comeback->check_at)
		return false;
	comeback->check_at = now + COMEBACK_AGAIN;
	if (comeback->exclusive || !unoccupied)
		return false;
	comeback_forget(comeback);
	comeback->count++;
	return true;
}
