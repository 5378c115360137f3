/*
 * bench-driver: sends what a driver sends beside APDUs, straight to the reader's endpoints, and says
 * how long each answer took.
 *
 *     bench-driver COUNT      COUNT of each: GetSlotStatus, GetParameters, SetParameters
 *
 * One line for each kind: its name and the microseconds. pcscd must not run. The card is powered on
 * before, as parameters need that, and off afterwards.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "tests/conformance/ccid.h"
#include "tests/conformance/transport.h"
#include "tests/pcsc/timing.h"

#define ANSWER_MAX 4096
#define ANSWER_MS 6000
#define T1_PARAMETERS 7

static struct transport transport;
static uint8_t sequence;

static _Noreturn void give_up(const char *what)
{
	log_error("driver", "%s", what);
	exit(EXIT_FAILURE);
}

/* One command, and its answer. data: abData, of size bytes. */
static void exchange(uint8_t type, uint8_t specific, const uint8_t *data, size_t size)
{
	uint8_t message[CCID_HEADER + T1_PARAMETERS] = { type, (uint8_t)size, 0, 0, 0, 0,
		sequence, specific };
	uint8_t answer[ANSWER_MAX];
	size_t got = 0;

	if (size > 0)
		memcpy(&message[CCID_HEADER], data, size);
	if (transport_out(&transport, message, CCID_HEADER + size) != 0)
		give_up("a command was not taken");
	if (transport_in(&transport, answer, sizeof(answer), ANSWER_MS, &got) != 0 ||
	    got < CCID_HEADER || answer[6] != sequence || (answer[7] & COMMAND_MASK) != 0)
		give_up("a command was not answered well");
	sequence++;
}

static void measure(const char *name, unsigned long count, uint8_t type, const uint8_t *data,
	size_t size)
{
	uint64_t start;

	(void)printf("%s", name);
	for (unsigned long i = 0; i < count; i++) {
		start = timing_now_us();
		exchange(type, size > 0 ? 1 : 0, data, size);
		(void)printf(" %" PRIu64, timing_now_us() - start);
	}
	(void)printf("\n");
}

int main(int argc, char **argv)
{
	static const uint8_t parameters[T1_PARAMETERS] = { 0x13, 0x10, 0x00, 0x45, 0x00, 0xFE,
		0x00 };
	const char *why = NULL;
	unsigned long count;

	log_init("bench-driver", LOG_LEVEL_INFO);
	count = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
	if (count == 0)
		give_up("how many?");
	if (transport_open(&transport, (struct transport_choice){ .idVendor = 0 }, &why) != 0)
		give_up(why);
	exchange(GET_SLOT_STATUS, 0, NULL, 0);
	exchange(ICC_POWER_ON, 0, NULL, 0);
	measure("GetSlotStatus", count, GET_SLOT_STATUS, NULL, 0);
	measure("GetParameters", count, GET_PARAMETERS, NULL, 0);
	measure("SetParameters", count, SET_PARAMETERS, parameters, sizeof(parameters));
	exchange(ICC_POWER_OFF, 0, NULL, 0);
	transport_close(&transport);
	return EXIT_SUCCESS;
}
