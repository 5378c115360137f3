/*
 * Fuzzes what takes foreign bytes apart in the CCID device: the framing of bulk OUT, the command
 * decoder, the ATR parser and the check of parameters. Any bytes are decoded or refused, within
 * their bounds, and what is said of them agrees with them.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <assert.h>

#include "base/cursor.h"
#include "fuzz.h"
#include "gadget/ccid/atr.h"
#include "gadget/ccid/message.h"
#include "gadget/ccid/parameters.h"

static void fuzz_command(const uint8_t *bytes, size_t size)
{
	struct payload_view message = { bytes, size };
	struct ccid_command command;
	size_t missing = ccid_message_missing(bytes, size);

	assert(size >= CCID_HEADER_SIZE || missing == 0);
	switch (ccid_command_decode(message, &command)) {
	case 0:
		assert(missing == 0);
		assert(command.data.size == command.dwLength);
		assert(command.data.size + CCID_HEADER_SIZE == size);
		break;
	case CCID_TRUNCATED:
		assert(size < CCID_HEADER_SIZE);
		break;
	case CCID_BAD_LENGTH:
		assert(size >= CCID_HEADER_SIZE && command.data.bytes == NULL);
		assert(command.dwLength > CCID_DATA_MAX ||
			command.dwLength != size - CCID_HEADER_SIZE);
		break;
	default:
		assert(0);
	}
}

/* What the parser says of its own work has to agree with the bytes. */
static void fuzz_atr(const uint8_t *bytes, size_t size)
{
	struct atr atr;
	int r = atr_parse((struct payload_view){ bytes, size }, &atr);
	size_t end = (size_t)atr.historical_at + atr.historical_size;

	assert(r >= 0 && r <= ATR_WRONG_TCK);
	assert(r == ATR_NO_ATR || (size >= 2 && size <= ATR_SIZE_MAX));
	assert(atr.protocols != 0 && atr.first < 16 && atr.specific_protocol < 16);
	assert(atr.clock_stop <= 3 && atr.classes <= 0x3F);
	assert(r != 0 || end == size || end == size - 1);
	assert(r != ATR_NO_TCK || (end == size && atr.protocols != ATR_T0));
	assert(r != ATR_WRONG_TCK || (end == size - 1 && atr.protocols != ATR_T0));
	assert(r != ATR_TRAILING || end < size);
	assert(r != ATR_TRUNCATED || atr.historical_size == 0);
	for (uint8_t protocol = 0; protocol < 2; protocol++) {
		struct parameters parameters = parameters_from_atr(&atr, protocol);

		assert(parameters.size == parameters_size(protocol));
		/* A driver may always set what the ATR says. */
		assert(parameters_wrong_field(&parameters, &atr) == 0);
	}
}

/* A driver's structure: the offset of what is wrong lies inside of it. */
static void fuzz_parameters(const uint8_t *bytes, size_t size)
{
	struct cursor_in in = cursor_in(bytes, size);
	struct parameters parameters = { .bProtocolNum = in_u8(&in) & 1 };
	struct atr atr;
	uint8_t wrong;

	parameters.size = parameters_size(parameters.bProtocolNum);
	in_copy(&in, parameters.structure, parameters.size);
	(void)atr_parse((struct payload_view){ in.at, in.left }, &atr);
	wrong = parameters_wrong_field(&parameters, &atr);
	assert(wrong == 0 || (wrong >= CCID_HEADER_SIZE &&
		wrong < CCID_HEADER_SIZE + parameters.size));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	fuzz_command(bytes, size);
	fuzz_atr(bytes, size);
	fuzz_parameters(bytes, size);
	return 0;
}
