/*
 * Fuzzes what takes foreign bytes apart in the CCID device: the framing of bulk OUT, the command decoder
 * and the ATR parser. Any bytes are decoded or refused, within their bounds.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <assert.h>

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
		assert(command.data.bytes == NULL);
		break;
	default:
		assert(0);
	}
}

static void fuzz_atr(const uint8_t *bytes, size_t size)
{
	struct atr atr;
	int r = atr_parse((struct payload_view){ bytes, size }, &atr);

	assert(r == 0 || r == ATR_MALFORMED);
	assert(r != 0 || (size >= 2 && size <= ATR_SIZE_MAX));
	assert(atr.protocols != 0 && atr.clock_stop <= 3);
	for (uint8_t protocol = 0; protocol < 2; protocol++)
		assert(parameters_from_atr(&atr, protocol).size == parameters_size(protocol));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	fuzz_command(bytes, size);
	fuzz_atr(bytes, size);
	return 0;
}
