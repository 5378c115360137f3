/*
 * Fuzzes what the host makes of foreign bytes beyond APDUs: a PIN entry from a guest, and the
 * answers of a reader's driver about its features.
 *
 * What must hold:
 *   - the host makes a structure of exactly those PIN entries that the guest's slot lets through;
 *   - a structure has as many bytes as its fields and its APDU, ulDataLength says how long that is, and
 *     its last bytes are those that came last;
 *   - whatever a driver says, its answer is read within its bounds.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <assert.h>
#include <reader.h>
#include <stdbool.h>
#include <string.h>

#include "base/cursor.h"
#include "fuzz.h"
#include "gadget/ccid/message.h"
#include "gadget/ccid/slot.h"
#include "host-bridge/features.h"
#include "host-bridge/pin_structure.h"

#define BODY_MAX 4096

/* ---- PIN entries ---- */

/* Takes all that the slot puts out; whether a call of this operation was among it. */
static bool takes_call(struct slot *slot, enum wire_operation operation, uint32_t *number)
{
	struct slot_output output;
	bool found = false;

	while (slot_pop_output(slot, &output)) {
		if (output.type == SLOT_OUTPUT_SEND)
			slot_sent(slot);
		if (output.type != SLOT_OUTPUT_CALL || output.call.operation != operation)
			continue;
		*number = output.call.number;
		found = true;
	}
	return found;
}

/* A slot with a PIN pad and a powered card. */
static struct slot *new_slot(void)
{
	static const uint8_t power_on[CCID_HEADER_SIZE] = { PC_TO_RDR_ICC_POWER_ON };
	static const uint8_t atr[] = { 0x3B, 0x80, 0x80, 0x01, 0x01 };
	struct slot_result result = { .protocol = WIRE_PROTOCOL_T1, .data = { atr, sizeof(atr) } };
	struct slot *slot;

	assert(slot_new(&slot) == 0);
	slot_set_pin_support(slot, 3);
	slot_enabled(slot, 1, 512);
	slot_set_card(slot, 1, (struct slot_card){ .present = true, .insertion = 1 });
	slot_message(slot, 1, (struct payload_view){ power_on, sizeof(power_on) });
	assert(takes_call(slot, WIRE_CONNECT, &result.number));
	slot_result(slot, 1, &result);
	(void)takes_call(slot, WIRE_CONNECT, &result.number);
	return slot;
}

static bool slot_lets_through(struct payload_view body)
{
	static uint8_t message[CCID_HEADER_SIZE + BODY_MAX];
	struct cursor_out out = cursor_out(message, sizeof(message));
	struct slot *slot = new_slot();
	uint32_t number;
	bool through;

	out_u8(&out, PC_TO_RDR_SECURE);
	out_le32(&out, (uint32_t)body.size);
	out_zeros(&out, CCID_HEADER_SIZE - 5);
	out_bytes(&out, body.bytes, body.size);
	slot_message(slot, 1, (struct payload_view){ message, out.size });
	through = takes_call(slot, WIRE_SECURE, &number);
	slot_free(slot);
	return through;
}

static void check_structure(struct payload_view body, const struct cursor_out *out,
	enum pin_structure kind)
{
	size_t fields = kind == PIN_STRUCTURE_VERIFY ? offsetof(PIN_VERIFY_STRUCTURE, abData)
						     : offsetof(PIN_MODIFY_STRUCTURE, abData);
	struct cursor_in in = cursor_in(out->start, out->size);
	uint32_t ulDataLength;

	(void)in_bytes(&in, fields - sizeof(ulDataLength));
	ulDataLength = in_le32(&in);
	assert(in_ok(&in) && in.left == ulDataLength && ulDataLength < body.size);
	assert(memcmp(in.at, body.bytes + body.size - ulDataLength, ulDataLength) == 0);
}

static void fuzz_pin_structure(struct payload_view body)
{
	static uint8_t structure[PIN_STRUCTURE_FIELDS_MAX + BODY_MAX];
	struct cursor_out out = cursor_out(structure, PIN_STRUCTURE_FIELDS_MAX + body.size);
	enum pin_structure kind;
	int r = pin_structure_write(body, &out, &kind);

	assert(slot_lets_through(body) == (r == 0));
	if (r == 0)
		check_structure(body, &out, kind);
}

/* ---- features ---- */

static struct cursor_in answers; /* that the driver has not given yet */

/* The next answer: one byte for its length, and so many bytes, as far as there are. */
static LONG give_answer(SCARDHANDLE hCard, DWORD dwControlCode, LPCVOID pbSendBuffer,
	DWORD cbSendLength, LPVOID pbRecvBuffer, DWORD cbRecvLength, LPDWORD lpBytesReturned)
{
	size_t size = in_u8(&answers);

	(void)hCard;
	(void)dwControlCode;
	(void)pbSendBuffer;
	(void)cbSendLength;
	if (size > answers.left)
		size = answers.left;
	assert(size <= cbRecvLength);
	in_copy(&answers, pbRecvBuffer, size);
	*lpBytesReturned = size;
	return SCARD_S_SUCCESS;
}

static void fuzz_features(struct payload_view bytes)
{
	static const struct pcsc_functions driver = { .control = give_answer };
	struct wire_reader reader = { .id = 1 };
	struct features features;
	int r = features_parse(bytes, &features);

	assert(r == 0 || (features.verify == 0 && features.modify == 0 && features.escape == 0));
	answers = cursor_in(bytes.bytes, bytes.size);
	assert(features_describe(&driver, 1, &reader) == SCARD_S_SUCCESS);
	assert(reader.pin_support <= 3);
	assert(reader.pin_support != 0 || (reader.lcd_lines == 0 && reader.lcd_characters == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct payload_view view = { bytes, size < BODY_MAX ? size : BODY_MAX };

	fuzz_pin_structure(view);
	fuzz_features(view);
	return 0;
}
