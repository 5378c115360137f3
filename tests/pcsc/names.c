/*
 * Tables.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "tests/pcsc/names.h"

#include <stdio.h>
#include <string.h>

#define NAME(code) { code, #code }

const char *scard_name(LONG result)
{
	static const struct {
		LONG code;
		const char *name;
	} table[] = {
		NAME(SCARD_S_SUCCESS),
		NAME(SCARD_F_INTERNAL_ERROR),
		NAME(SCARD_E_CANCELLED),
		NAME(SCARD_E_INVALID_HANDLE),
		NAME(SCARD_E_INVALID_PARAMETER),
		NAME(SCARD_E_NO_MEMORY),
		NAME(SCARD_E_INSUFFICIENT_BUFFER),
		NAME(SCARD_E_UNKNOWN_READER),
		NAME(SCARD_E_TIMEOUT),
		NAME(SCARD_E_SHARING_VIOLATION),
		NAME(SCARD_E_NO_SMARTCARD),
		NAME(SCARD_E_PROTO_MISMATCH),
		NAME(SCARD_E_NOT_READY),
		NAME(SCARD_E_INVALID_VALUE),
		NAME(SCARD_F_COMM_ERROR),
		NAME(SCARD_F_UNKNOWN_ERROR),
		NAME(SCARD_E_INVALID_ATR),
		NAME(SCARD_E_NOT_TRANSACTED),
		NAME(SCARD_E_READER_UNAVAILABLE),
		NAME(SCARD_E_READER_UNSUPPORTED),
		NAME(SCARD_E_CARD_UNSUPPORTED),
		NAME(SCARD_E_NO_SERVICE),
		NAME(SCARD_E_SERVICE_STOPPED),
		NAME(SCARD_E_UNSUPPORTED_FEATURE),
		NAME(SCARD_E_NO_READERS_AVAILABLE),
		NAME(SCARD_E_COMM_DATA_LOST),
		NAME(SCARD_E_SERVER_TOO_BUSY),
		NAME(SCARD_W_UNSUPPORTED_CARD),
		NAME(SCARD_W_UNRESPONSIVE_CARD),
		NAME(SCARD_W_UNPOWERED_CARD),
		NAME(SCARD_W_RESET_CARD),
		NAME(SCARD_W_REMOVED_CARD),
		NAME(SCARD_W_SECURITY_VIOLATION),
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].code == result)
			return table[i].name;
	}
	return "SCARD_?";
}

const char *protocol_name(DWORD protocol)
{
	switch (protocol) {
	case SCARD_PROTOCOL_T0:
		return "t0";
	case SCARD_PROTOCOL_T1:
		return "t1";
	case SCARD_PROTOCOL_RAW:
		return "raw";
	default:
		return "none";
	}
}

void state_words(DWORD state, char *words, size_t size)
{
	static const struct {
		DWORD bit;
		const char *word;
	} table[] = {
		{ SCARD_STATE_UNKNOWN, "unknown" },
		{ SCARD_STATE_UNAVAILABLE, "unavailable" },
		{ SCARD_STATE_EMPTY, "empty" },
		{ SCARD_STATE_PRESENT, "present" },
		{ SCARD_STATE_MUTE, "mute" },
		{ SCARD_STATE_UNPOWERED, "unpowered" },
	};
	size_t used = 0;

	words[0] = '\0';
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if ((state & table[i].bit) == 0 || used >= size)
			continue;
		(void)snprintf(&words[used], size - used, "%s%s", used > 0 ? "," : "",
			       table[i].word);
		used = strlen(words);
	}
}

void hex_words(const unsigned char *bytes, size_t count, char *words, size_t size)
{
	words[0] = '\0';
	for (size_t i = 0; i < count && 2 * i + 2 < size; i++)
		(void)snprintf(&words[2 * i], size - 2 * i, "%02X", bytes[i]);
}
