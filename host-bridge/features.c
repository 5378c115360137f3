/*
 * Lists of tags, lengths and values, in which codes are big-endian and properties little-endian. See
 * features.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "host-bridge/features.h"

#include <reader.h>

#include "base/cursor.h"

#define ANSWER_MAX 256 /* bytes; libccid's list has 36, its properties less */
#define CODE_SIZE 4

static DWORD *features_place(struct features *features, uint8_t tag)
{
	switch (tag) {
	case FEATURE_VERIFY_PIN_DIRECT:
		return &features->verify;
	case FEATURE_MODIFY_PIN_DIRECT:
		return &features->modify;
	case FEATURE_IFD_PIN_PROPERTIES:
		return &features->properties;
	case FEATURE_GET_TLV_PROPERTIES:
		return &features->tlv_properties;
	case FEATURE_CCID_ESC_COMMAND:
		return &features->escape;
	}
	return NULL;
}

static DWORD take_code(struct cursor_in *in)
{
	DWORD upper = in_be16(in);

	return upper << 16 | in_be16(in);
}

/* PC/SC 2.02, part 10, 2.2. */
int features_parse(struct payload_view answer, struct features *features)
{
	struct cursor_in in = cursor_in(answer.bytes, answer.size);

	*features = (struct features){ .verify = 0 };
	while (in.left > 0) {
		DWORD *place = features_place(features, in_u8(&in));
		uint8_t length = in_u8(&in);

		if (place != NULL && length == CODE_SIZE)
			*place = take_code(&in);
		else
			(void)in_bytes(&in, length);
		if (!in_ok(&in)) {
			*features = (struct features){ .verify = 0 };
			return FEATURES_MALFORMED;
		}
	}
	return 0;
}

/*
 * Whether rv says that the driver has heard the question. Most drivers know of no control codes, and
 * pcscd has several errors for that.
 */
static bool is_answer(LONG rv)
{
	switch (rv) {
	case SCARD_E_SHARING_VIOLATION:
	case SCARD_E_READER_UNAVAILABLE:
	case SCARD_E_UNKNOWN_READER:
	case SCARD_E_NO_SERVICE:
	case SCARD_E_SERVICE_STOPPED:
	case SCARD_F_COMM_ERROR:
	case SCARD_E_INVALID_HANDLE:
	case SCARD_W_RESET_CARD:
	case SCARD_W_REMOVED_CARD:
		return false;
	}
	return true;
}

/* Asks without sending anything. Whatever the driver refuses is an answer of no bytes. */
static LONG ask(const struct pcsc_functions *pcsc, SCARDHANDLE handle, DWORD code,
	uint8_t answer[static ANSWER_MAX], DWORD *size)
{
	LONG rv;

	*size = 0;
	rv = pcsc->control(handle, code, NULL, 0, answer, ANSWER_MAX, size);
	if (rv != SCARD_S_SUCCESS || *size > ANSWER_MAX)
		*size = 0;
	return is_answer(rv) ? SCARD_S_SUCCESS : rv;
}

LONG features_read(const struct pcsc_functions *pcsc, SCARDHANDLE handle,
	struct features *features)
{
	uint8_t answer[ANSWER_MAX];
	DWORD size;
	LONG rv = ask(pcsc, handle, CM_IOCTL_GET_FEATURE_REQUEST, answer, &size);

	(void)features_parse((struct payload_view){ .bytes = answer, .size = size }, features);
	return rv;
}

/* ---- wLcdLayout: CCID 1.1, table 5.1-1, and PC/SC 2.02, part 10, 2.5.5 and 2.6.14 ---- */

/* It comes first in PIN_PROPERTIES_STRUCTURE. */
static uint16_t layout_of_structure(struct payload_view answer)
{
	struct cursor_in in = cursor_in(answer.bytes, answer.size);

	return in_le16(&in);
}

static uint16_t layout_of_list(struct payload_view answer)
{
	struct cursor_in in = cursor_in(answer.bytes, answer.size);
	uint16_t layout = 0;

	while (in_ok(&in) && in.left > 0) {
		uint8_t tag = in_u8(&in), length = in_u8(&in);

		if (tag == PCSCv2_PART10_PROPERTY_wLcdLayout && length == sizeof layout)
			layout = in_le16(&in);
		else
			(void)in_bytes(&in, length);
	}
	return in_ok(&in) ? layout : 0;
}

static LONG read_layout(const struct pcsc_functions *pcsc, SCARDHANDLE handle,
	const struct features *features, uint16_t *layout)
{
	uint8_t bytes[ANSWER_MAX];
	struct payload_view answer = { .bytes = bytes };
	DWORD size;
	LONG rv = SCARD_S_SUCCESS;

	*layout = 0;
	if (features->properties != 0) {
		rv = ask(pcsc, handle, features->properties, bytes, &size);
		answer.size = size;
		*layout = layout_of_structure(answer);
	}
	if (*layout == 0 && rv == SCARD_S_SUCCESS && features->tlv_properties != 0) {
		rv = ask(pcsc, handle, features->tlv_properties, bytes, &size);
		answer.size = size;
		*layout = layout_of_list(answer);
	}
	return rv;
}

LONG features_describe(const struct pcsc_functions *pcsc, SCARDHANDLE handle,
	struct wire_reader *reader)
{
	struct features features;
	uint16_t layout = 0;
	LONG rv = features_read(pcsc, handle, &features);

	reader->pin_support = 0;
	if (features.verify != 0)
		reader->pin_support |= WIRE_PIN_VERIFY;
	if (features.modify != 0)
		reader->pin_support |= WIRE_PIN_MODIFY;
	if (rv == SCARD_S_SUCCESS && reader->pin_support != 0)
		rv = read_layout(pcsc, handle, &features, &layout);
	reader->lcd_lines = (uint8_t)(layout >> 8);
	reader->lcd_characters = (uint8_t)(layout & 0xFF);
	return rv;
}
