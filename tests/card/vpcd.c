/*
 * One buffer that always starts with the oldest frame.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "tests/card/vpcd.h"

#include <assert.h>
#include <string.h>

#include "base/cursor.h"

void vpcd_init(struct vpcd *vpcd)
{
	payload_wipe(vpcd->bytes, sizeof(vpcd->bytes));
	vpcd->used = 0;
}

uint8_t *vpcd_room(struct vpcd *vpcd, size_t *room)
{
	*room = sizeof(vpcd->bytes) - vpcd->used;
	return &vpcd->bytes[vpcd->used];
}

void vpcd_received(struct vpcd *vpcd, size_t size)
{
	assert(size <= sizeof(vpcd->bytes) - vpcd->used);
	vpcd->used += size;
}

/* The control messages of vpcd.h (VPCD_CTRL_OFF, _ON, _RESET, _ATR in its source). */
static enum vpcd_kind vpcd_control(uint8_t code)
{
	switch (code) {
	case 0x00:
		return VPCD_POWER_OFF;
	case 0x01:
		return VPCD_POWER_ON;
	case 0x02:
		return VPCD_RESET;
	case 0x04:
		return VPCD_ATR;
	default:
		return VPCD_UNKNOWN;
	}
}

int vpcd_next(const struct vpcd *vpcd, struct vpcd_message *message)
{
	struct cursor_in in = cursor_in(vpcd->bytes, vpcd->used);
	uint16_t size = in_be16(&in);
	const uint8_t *bytes = in_bytes(&in, size);

	if (!in_ok(&in))
		return VPCD_MORE;
	*message = (struct vpcd_message){ .kind = VPCD_UNKNOWN };
	if (size == 1) {
		message->kind = vpcd_control(bytes[0]);
	} else if (size > 1) {
		message->kind = VPCD_APDU;
		message->apdu = (struct payload_view){ .bytes = bytes, .size = size };
	}
	return 0;
}

void vpcd_pop(struct vpcd *vpcd)
{
	struct cursor_in in = cursor_in(vpcd->bytes, vpcd->used);
	uint16_t size = in_be16(&in);
	size_t left;

	(void)in_bytes(&in, size);
	assert(in_ok(&in));
	left = in.left;
	memmove(vpcd->bytes, in.at, left);
	payload_wipe(&vpcd->bytes[left], vpcd->used - left);
	vpcd->used = left;
}

void vpcd_header(uint8_t header[VPCD_HEADER_SIZE], size_t size)
{
	struct cursor_out out = cursor_out(header, VPCD_HEADER_SIZE);

	assert(size <= VPCD_FRAME_MAX);
	out_be16(&out, (uint16_t)size);
}
