/*
 * PIN structures as text. See entry.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "tests/pinpad/entry.h"

#include <PCSC/wintypes.h>

#include <PCSC/pcsclite.h>
#include <PCSC/reader.h>
#include <stdio.h>
#include <string.h>

void entry_hex(char *text, size_t size, const uint8_t *bytes, size_t count)
{
	text[0] = '\0';
	for (size_t i = 0; i < count && 2 * i + 3 < size; i++)
		(void)snprintf(text + 2 * i, 3, "%02X", bytes[i]);
}

/* ulDataLength and abData, of which have come count bytes. */
static bool describe_data(char *text, size_t size, uint32_t ulDataLength, const uint8_t *bytes,
	size_t count)
{
	size_t used = strlen(text);

	if (ulDataLength != count) {
		(void)snprintf(text + used, size - used, " ulDataLength=%X but %zX bytes follow",
			ulDataLength, count);
		return false;
	}
	used += (size_t)snprintf(text + used, size - used, " ulDataLength=%X abData=", ulDataLength);
	entry_hex(text + used, size - used, bytes, count);
	return true;
}

bool entry_describe_verify(char *text, size_t size, const uint8_t *bytes, size_t count)
{
	const size_t fields = offsetof(PIN_VERIFY_STRUCTURE, abData);
	PIN_VERIFY_STRUCTURE pin;
	char prologue[8];

	if (count < fields) {
		(void)snprintf(text, size, "of %zu bytes is too short", count);
		return false;
	}
	memcpy(&pin, bytes, fields);
	entry_hex(prologue, sizeof(prologue), pin.bTeoPrologue, sizeof(pin.bTeoPrologue));
	(void)snprintf(text, size, "bTimerOut=%02X bTimerOut2=%02X bmFormatString=%02X "
		"bmPINBlockString=%02X bmPINLengthFormat=%02X wPINMaxExtraDigit=%04X "
		"bEntryValidationCondition=%02X bNumberMessage=%02X wLangId=%04X bMsgIndex=%02X "
		"bTeoPrologue=%s", pin.bTimerOut, pin.bTimerOut2, pin.bmFormatString,
		pin.bmPINBlockString, pin.bmPINLengthFormat, pin.wPINMaxExtraDigit,
		pin.bEntryValidationCondition, pin.bNumberMessage, pin.wLangId, pin.bMsgIndex,
		prologue);
	return describe_data(text, size, pin.ulDataLength, bytes + fields, count - fields);
}

bool entry_describe_modify(char *text, size_t size, const uint8_t *bytes, size_t count)
{
	const size_t fields = offsetof(PIN_MODIFY_STRUCTURE, abData);
	PIN_MODIFY_STRUCTURE pin;
	char prologue[8];

	if (count < fields) {
		(void)snprintf(text, size, "of %zu bytes is too short", count);
		return false;
	}
	memcpy(&pin, bytes, fields);
	entry_hex(prologue, sizeof(prologue), pin.bTeoPrologue, sizeof(pin.bTeoPrologue));
	(void)snprintf(text, size, "bTimerOut=%02X bTimerOut2=%02X bmFormatString=%02X "
		"bmPINBlockString=%02X bmPINLengthFormat=%02X bInsertionOffsetOld=%02X "
		"bInsertionOffsetNew=%02X wPINMaxExtraDigit=%04X bConfirmPIN=%02X "
		"bEntryValidationCondition=%02X bNumberMessage=%02X wLangId=%04X bMsgIndex1=%02X "
		"bMsgIndex2=%02X bMsgIndex3=%02X bTeoPrologue=%s", pin.bTimerOut, pin.bTimerOut2,
		pin.bmFormatString, pin.bmPINBlockString, pin.bmPINLengthFormat,
		pin.bInsertionOffsetOld, pin.bInsertionOffsetNew, pin.wPINMaxExtraDigit,
		pin.bConfirmPIN, pin.bEntryValidationCondition, pin.bNumberMessage, pin.wLangId,
		pin.bMsgIndex1, pin.bMsgIndex2, pin.bMsgIndex3, prologue);
	return describe_data(text, size, pin.ulDataLength, bytes + fields, count - fields);
}
