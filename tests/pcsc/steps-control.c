/*
 * Steps by SCardControl: the features of a reader, PIN entries at its PIN pad, escapes.
 *
 * Every field of a PIN structure has a value of its own, so that whoever sees the structure at the
 * other end can tell each from the others.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <PCSC/wintypes.h>

#include <PCSC/reader.h>
#include <stdio.h>
#include <string.h>

#include "tests/pcsc/step.h"

#define ESCAPE_CODE SCARD_CTL_CODE(1)

/* VERIFY and CHANGE REFERENCE DATA with a PIN block of eight bytes; ISO/IEC 7816-4:2013, 11.5.6 */
static const uint8_t verify_apdu[] = { 0x00, 0x20, 0x00, 0x80, 0x08,
	0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF };
static const uint8_t modify_apdu[] = { 0x00, 0x24, 0x00, 0x80, 0x10,
	0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
	0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF };

static LONG control(struct session *session, DWORD code, const void *bytes, size_t size)
{
	DWORD received = 0;
	LONG result = SCardControl(session->card, code, bytes, size, session->response,
				   sizeof(session->response), &received);

	session->response_size = result == SCARD_S_SUCCESS ? received : 0;
	return result;
}

/* The control code of a feature, 0 if the reader lacks it. PC/SC 2.02, part 10, 2.2 */
static LONG find_feature(struct session *session, uint8_t tag, DWORD *code)
{
	LONG result = control(session, CM_IOCTL_GET_FEATURE_REQUEST, NULL, 0);
	struct cursor_in in = cursor_in(session->response, session->response_size);

	*code = 0;
	while (in_ok(&in) && in.left > 0) {
		uint8_t found = in_u8(&in);
		DWORD upper, value;

		(void)in_u8(&in); /* length, always 4 */
		upper = in_be16(&in);
		value = upper << 16 | in_be16(&in);
		if (found == tag && in_ok(&in))
			*code = value;
	}
	return result;
}

static int step_features(struct step_run *run, int count, char **arguments)
{
	static const uint8_t tags[] = { FEATURE_VERIFY_PIN_DIRECT, FEATURE_MODIFY_PIN_DIRECT,
					FEATURE_IFD_PIN_PROPERTIES, FEATURE_GET_TLV_PROPERTIES };
	static const char *const names[] = { "verify", "modify", "properties", "tlv" };
	LONG result = SCARD_S_SUCCESS;
	size_t used = 0;
	DWORD code;

	(void)count, (void)arguments;
	used += (size_t)snprintf(run->detail, sizeof(run->detail), "features=");
	for (size_t i = 0; i < sizeof(tags) && result == SCARD_S_SUCCESS; i++) {
		result = find_feature(run->session, tags[i], &code);
		if (code != 0)
			used += (size_t)snprintf(run->detail + used, sizeof(run->detail) - used,
						 "%s,", names[i]);
	}
	return step_result(run, result);
}

/* Lets a PIN be entered. The outcome is the status word. */
static int enter_pin(struct step_run *run, uint8_t tag, const void *structure, size_t size)
{
	uint64_t start = timing_now_us();
	DWORD code;
	LONG result = find_feature(run->session, tag, &code);
	int sw;

	if (result == SCARD_S_SUCCESS && code == 0)
		result = SCARD_E_UNSUPPORTED_FEATURE;
	if (result == SCARD_S_SUCCESS)
		result = control(run->session, code, structure, size);
	(void)snprintf(run->detail, sizeof(run->detail), "ms=%.3f",
		       (double)(timing_now_us() - start) / 1000.0);
	if (step_result(run, result) != 0)
		return STEP_FAILED;
	sw = session_sw(run->session);
	(void)snprintf(run->outcome, sizeof(run->outcome), sw < 0 ? "short" : "%04X",
		       (unsigned int)sw);
	return sw < 0 ? STEP_FAILED : 0;
}

static int step_verify_pin(struct step_run *run, int count, char **arguments)
{
	uint8_t bytes[sizeof(PIN_VERIFY_STRUCTURE) + sizeof(verify_apdu)];
	const size_t fields = offsetof(PIN_VERIFY_STRUCTURE, abData);
	PIN_VERIFY_STRUCTURE pin = {
		.bTimerOut = 0x1E, .bTimerOut2 = 0x0F, .bmFormatString = 0x82,
		.bmPINBlockString = 0x48, .bmPINLengthFormat = 0x03, .wPINMaxExtraDigit = 0x0408,
		.bEntryValidationCondition = 0x02, .bNumberMessage = 0x01, .wLangId = 0x0409,
		.bMsgIndex = 0x05, .bTeoPrologue = { 0xA1, 0xA2, 0xA3 },
		.ulDataLength = sizeof(verify_apdu),
	};

	(void)count, (void)arguments;
	memcpy(bytes, &pin, fields);
	memcpy(bytes + fields, verify_apdu, sizeof(verify_apdu));
	return enter_pin(run, FEATURE_VERIFY_PIN_DIRECT, bytes, fields + sizeof(verify_apdu));
}

static int step_modify_pin(struct step_run *run, int count, char **arguments)
{
	uint8_t bytes[sizeof(PIN_MODIFY_STRUCTURE) + sizeof(modify_apdu)];
	const size_t fields = offsetof(PIN_MODIFY_STRUCTURE, abData);
	unsigned long messages;
	PIN_MODIFY_STRUCTURE pin = {
		.bTimerOut = 0x1E, .bTimerOut2 = 0x0F, .bmFormatString = 0x82,
		.bmPINBlockString = 0x48, .bmPINLengthFormat = 0x03, .bInsertionOffsetOld = 0x00,
		.bInsertionOffsetNew = 0x08, .wPINMaxExtraDigit = 0x0408, .bConfirmPIN = 0x03,
		.bEntryValidationCondition = 0x02, .wLangId = 0x0409, .bMsgIndex1 = 0x05,
		.bMsgIndex2 = 0x06, .bMsgIndex3 = 0x07, .bTeoPrologue = { 0xA1, 0xA2, 0xA3 },
		.ulDataLength = sizeof(modify_apdu),
	};

	(void)count;
	if (step_number(arguments[0], 0, 255, &messages) != 0)
		return STEP_USAGE;
	pin.bNumberMessage = (uint8_t)messages;
	memcpy(bytes, &pin, fields);
	memcpy(bytes + fields, modify_apdu, sizeof(modify_apdu));
	return enter_pin(run, FEATURE_MODIFY_PIN_DIRECT, bytes, fields + sizeof(modify_apdu));
}

/* The answer is the detail. */
static int step_escape(struct step_run *run, int count, char **arguments)
{
	uint8_t bytes[256];
	size_t size = 0, used;
	unsigned int byte;
	LONG result;

	(void)count;
	while (size < sizeof(bytes) && sscanf(arguments[0] + 2 * size, "%2x", &byte) == 1)
		bytes[size++] = (uint8_t)byte;
	result = control(run->session, ESCAPE_CODE, bytes, size);
	used = (size_t)snprintf(run->detail, sizeof(run->detail), "data=");
	for (size_t i = 0; i < run->session->response_size && used + 3 < sizeof(run->detail); i++)
		used += (size_t)snprintf(run->detail + used, sizeof(run->detail) - used, "%02X",
					 run->session->response[i]);
	return step_result(run, result);
}

const struct step steps_control[] = {
	{ "features", "", 0, 0, step_features },
	{ "verify-pin", "", 0, 0, step_verify_pin },
	{ "modify-pin", "MESSAGES", 1, 1, step_modify_pin },
	{ "escape", "HEX", 1, 1, step_escape },
	{ NULL, NULL, 0, 0, NULL },
};
