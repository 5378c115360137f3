/*
 * Fuzzes the slot: messages, class requests, what the host says, and time, in any order. The input
 * is a list of steps; each begins with a byte that chooses it, and takes what it needs from the
 * bytes behind. What must hold is in slot_model.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "base/cursor.h"
#include "fuzz.h"
#include "slot_model.h"

static uint8_t data[CCID_HEADER_SIZE + MODEL_DATA_MAX];

/* Bytes that tell their place: data that is moved or mixed up is another one. */
static const uint8_t *pattern(size_t from)
{
	static uint8_t bytes[MODEL_DATA_MAX + UINT8_MAX];

	for (size_t i = 0; bytes[1] == 0 && i < sizeof(bytes); i++)
		bytes[sizeof(bytes) - 1 - i] = (uint8_t)((sizeof(bytes) - 1 - i) * 7 +
			(sizeof(bytes) - 1 - i) / 256);
	return bytes + from;
}

/* Raw bytes: a length in two bytes, and as many bytes as there are. */
static void step_raw(struct model *model, struct cursor_in *in)
{
	size_t size = in_le16(in);

	if (size > in->left)
		size = in->left;
	in_copy(in, data, size);
	model_message(model, (struct payload_view){ data, size });
}

/* Bits of the last byte of a command. */
#define COMMAND_LONG 1 /* 65,536 bytes more */
#define COMMAND_RFU 2  /* abRFU is not set to zero */
#define COMMAND_RAW 4  /* the structure of SetParameters is made up, too */

static void clear_rfu(uint8_t type, uint8_t specific[3])
{
	struct ccid_command command = { .bMessageType = type };
	uint8_t offset;

	memcpy(command.specific, specific, sizeof(command.specific));
	offset = ccid_command_wrong_rfu(&command);
	if (offset != 0)
		memset(specific + offset - CCID_SPECIFIC_OFFSET, 0,
			(size_t)(CCID_HEADER_SIZE - offset));
}

/* abData that a command of the type may have: a good structure, zeros for a PIN, or the pattern. */
static const uint8_t *data_for(uint8_t type, uint8_t seq, const uint8_t *specific, uint8_t flags)
{
	static const uint8_t zeros[MODEL_DATA_MAX];
	static const uint8_t t0[MODEL_DATA_MAX] = { 0x11, 0x00, 0x00, 0x0A, 0x00 };
	static const uint8_t t1[MODEL_DATA_MAX] = { 0x11, 0x10, 0x00, 0x4D, 0x00, 0x20, 0x00 };

	if (type == PC_TO_RDR_SET_PARAMETERS && (flags & COMMAND_RAW) == 0)
		return specific[0] == 0 ? t0 : t1;
	return type == PC_TO_RDR_SECURE ? zeros : pattern(seq);
}

/* A whole command: type, bSeq, bytes 7 to 9, and a length whose data is made up. */
static void step_command(struct model *model, struct cursor_in *in)
{
	static const uint8_t types[] = { 0x61, 0x62, 0x63, 0x65, 0x69, 0x6A, 0x6B, 0x6C, 0x6D,
		0x6E, 0x6F, 0x71, 0x72, 0x73 };
	struct cursor_out out = cursor_out(data, sizeof(data));
	uint8_t type = types[in_u8(in) % sizeof(types)], seq = in_u8(in);
	uint8_t specific[3], flags;
	size_t size;

	in_copy(in, specific, sizeof(specific));
	size = in_le16(in);
	flags = in_u8(in);
	if ((flags & COMMAND_LONG) != 0)
		size += 0x10000;
	if (size > MODEL_DATA_MAX)
		size = MODEL_DATA_MAX;
	if ((flags & COMMAND_RFU) == 0)
		clear_rfu(type, specific);
	out_u8(&out, type);
	out_le32(&out, (uint32_t)size);
	out_u8(&out, 0);
	out_u8(&out, seq);
	out_bytes(&out, specific, sizeof(specific));
	out_bytes(&out, data_for(type, seq, specific, flags), size);
	model_message(model, (struct payload_view){ data, out.size });
}

/*
 * The end of an open call (or of one that is not): which, outcome and what the driver asks for, protocol,
 * size of the data.
 */
static void step_result(struct model *model, struct cursor_in *in)
{
	static const uint8_t atr[] = { 0x3B, 0x80, 0x80, 0x01, 0x01 };
	static const size_t asked[] = { 0, 65556, 2065, 64, 2066, 4096, 16384, SIZE_MAX };
	uint8_t which = in_u8(in), outcome = in_u8(in);
	struct slot_result result = {
		.outcome = outcome % 16,
		.protocol = in_u8(in) & 3,
		.asked = asked[outcome / 16 % 8],
	};
	size_t size = in_le16(in);

	result.data = (struct payload_view){ size == sizeof(atr) ? atr : pattern(0), size };
	result.number = which;
	if (model->calls_count > 0)
		result.number = model->calls[which % model->calls_count];
	model_result(model, &result);
}

static void step_control(struct model *model, struct cursor_in *in)
{
	uint8_t bRequest = in_u8(in);
	uint8_t bmRequestType = bRequest == 1 ? 0x21 : bRequest < 4 ? 0xA1 : bRequest;

	model_control(model, bmRequestType, bRequest, in_le16(in));
}

/* Bit 0, the packet size; bits 1 and 2, bPINSupport. */
static void step_enable(struct model *model, uint8_t options)
{
	model_enable(model, options & 1 ? 64 : 512, options >> 1 & 3);
}

static void step_card(struct model *model, uint8_t insertion)
{
	model_set_card(model, (struct slot_card){
		.present = insertion != 0, .insertion = insertion });
}

/* It reads what is on bulk IN, or it goes. */
static void step_driver(struct model *model, uint8_t what)
{
	if ((what & 1) != 0)
		model_read_bulk(model);
	else if ((what & 2) != 0)
		model_desert(model);
}

static void step(struct model *model, struct cursor_in *in)
{
	switch (in_u8(in) % 10) {
	case 0:
		step_enable(model, in_u8(in));
		break;
	case 1:
		model_disable(model);
		break;
	case 2:
		step_card(model, in_u8(in) % 4);
		break;
	case 3:
		step_raw(model, in);
		break;
	case 4:
	case 5:
		step_command(model, in);
		break;
	case 6:
		step_result(model, in);
		break;
	case 7:
		step_control(model, in);
		break;
	case 8:
		model_pass_time(model, in_le16(in));
		break;
	case 9:
		step_driver(model, in_u8(in));
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct model model;
	struct cursor_in in = cursor_in(bytes, size);

	model_init(&model);
	while (in_ok(&in) && in.left > 0)
		step(&model, &in);
	model_finish(&model);
	return 0;
}
