/*
 * Lengths of messages: each one from the smallest, and those where packets end. USB 2.0, 5.8.3: a
 * transfer ends with a packet that is not full; but drivers send no empty packet behind a full one.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "tests/card/commands.h"
#include "tests/conformance/card.h"
#include "tests/conformance/suite.h"

#define SCRIPTED (NEED_CARD | NEED_APDU | NEED_SCRIPTED)
#define EXTENDED (SCRIPTED | NEED_EXTENDED)

/* Message lengths up to here are tested one by one. */
#define EVERY_LENGTH 1600
#define ONE_MESSAGE_TRIES 5

/* Any card: SELECT with a name of any length. */
static bool select_of_every_length(struct tester *t)
{
	uint8_t apdu[5 + 255] = { 0x00, 0xA4, 0x04, 0x00 };

	for (size_t n = 1; n <= 255; n++) {
		apdu[4] = (uint8_t)n;
		apdu[5] = 0xF0;
		if (!tester_transmit(t, apdu, 5 + n))
			return false;
	}
	return true;
}

/* The smallest APDUs: four bytes and nothing, four and Le. */
static bool smallest(struct tester *t)
{
	static const uint8_t apdu[] = { 0x80, 0x14, 0x00, 0x00, 0x00 };

	return tester_transmit(t, apdu, 4) && card_pattern_came(t, 0) &&
		tester_transmit(t, apdu, 5) &&
		card_pattern_came(t, 0);
}

/* Message OUT and message IN of the same length, as far as they can be. */
static bool every_length(struct tester *t)
{
	const size_t overhead = CCID_HEADER + 9; /* CLA INS P1 P2, 00 Lc Lc, Le Le */

	for (size_t n = 1; n <= 255; n++) {
		if (!card_both(t, n, n))
			return false;
	}
	for (size_t n = 240; n + overhead <= EVERY_LENGTH; n++) {
		if (!card_both(t, n, n + overhead - CCID_HEADER - 2))
			return false;
	}
	return true;
}

/*
 * n packets and two bytes more or less, in both directions, up to dwMaxCCIDMessageLength and
 * beyond.
 */
static bool around_packets(struct tester *t)
{
	const size_t *packet = t->argument;
	size_t last = 40 * *packet < 4200 ? 40 * *packet : 4200;

	for (size_t total = *packet; total <= last; total += *packet) {
		for (size_t size = total - 2; size <= total + 2; size++) {
			if (!card_source(t, size - CCID_HEADER - 2))
				return false;
			if (size > CCID_HEADER + 8 + 255 && !card_sink(t, size - CCID_HEADER - 7))
				return false;
		}
	}
	return true;
}

/* Where other readers fail: one packet to the byte, and what QEMU's can't hold. */
static bool known_traps(struct tester *t)
{
	static const size_t responses[] = { 0, 1, 52, 54, 116, 244, 254, 255, 256, 257, 371, 372,
		373, 374, 498, 499, 500, 501, 502, 1012, 1524, 2036, 2043, 2053, 2054, 32768,
		65000 };
	static const size_t commands[] = { 1, 49, 113, 255, 256, 493, 494, 495, 496, 497, 502, 1007,
		1519, 2031, 2048, 2049, 4096, 65000 };

	for (size_t i = 0; i < sizeof(responses) / sizeof(responses[0]); i++) {
		if (!card_source(t, responses[i]))
			return false;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (!card_sink(t, commands[i]))
			return false;
	}
	return true;
}

/* A message may come as several transfers, each of whole packets but the last. */
static bool split_at(struct tester *t, size_t nc, size_t packets)
{
	size_t size = card_apdu(card_buffer, COMMAND_SINK, nc, nc, 0), total, at = 0;
	size_t step = packets * t->transport.packet_size;

	total = tester_encode(t, &(struct command){ .type = XFR_BLOCK, .data = card_buffer,
		.size = size });
	for (; total - at > step; at += step) {
		if (!tester_write(t, t->out + at, step))
			return false;
		transport_pause(20);
	}
	return tester_write(t, t->out + at, total - at) && tester_await(t) && tester_collect(t) &&
		card_pattern_came(t, 0);
}

static bool several_transfers(struct tester *t)
{
	static const size_t sizes[] = { 520, 1007, 1008, 1300, 1519, 1520, 2000, 2048 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		if (!split_at(t, sizes[i], 1) || !split_at(t, sizes[i], 2))
			return false;
	}
	return true;
}

/* A driver that does send an empty packet behind full ones. */
static bool empty_packet_behind(struct tester *t)
{
	for (size_t packets = 1; packets * t->transport.packet_size <= 2048; packets++) {
		size_t total = packets * t->transport.packet_size;
		/* short up to 255 bytes of data, extended from 256 on: 260 to 262 bytes can't be */
		size_t overhead = total - CCID_HEADER <= 260 ? 5 : 7;
		size_t nc = total - CCID_HEADER - overhead;
		size_t size = card_apdu(card_buffer, COMMAND_SINK, nc, nc, 0);

		if (!tester_send_part(t, LEVEL_WHOLE, card_buffer, size) ||
			!tester_write(t, NULL, 0) || !tester_await(t) || !tester_collect(t) ||
			!card_pattern_came(t, 0))
			return false;
	}
	return true;
}

/* A response is read with transfers of this length; each part is one message of at most as much. */
static bool read_in_parts(struct tester *t, size_t n, size_t message_max)
{
	size_t size = card_apdu(card_buffer, COMMAND_SOURCE, n, 0, n);

	t->message_max = message_max;
	return tester_send_part(t, LEVEL_WHOLE, card_buffer, size) && tester_await(t) &&
		tester_collect(t) && card_pattern_came(t, n);
}

/*
 * GnuPG's driver reads into 2065 bytes, libccid into 65556; both fail if more comes. What they ask for
 * may be another length than that of the reader's messages, and another each time.
 */
static bool never_too_much(struct tester *t)
{
	static const size_t responses[] = { 2043, 2053, 2054, 2055, 4000, 16372, 16373, 65000,
		CARD_SOURCE_MAX };
	static const size_t lengths[] = { TESTER_GNUPG_MAX, 65556, TESTER_GNUPG_MAX + 1, 4096, 16384,
		65010, 65535, 65554, 3000 };

	for (size_t i = 0; i < sizeof(responses) / sizeof(responses[0]); i++) {
		for (size_t j = 0; j < sizeof(lengths) / sizeof(lengths[0]); j++) {
			if (!read_in_parts(t, responses[i], lengths[j]))
				return false;
		}
	}
	return true;
}

static bool is_one_message(struct tester *t, size_t n)
{
	size_t size = card_apdu(card_buffer, COMMAND_SOURCE, n, 0, n);
	bool whole = tester_ask_part(t, LEVEL_WHOLE, card_buffer, size) &&
		t->answer.specific == CHAIN_WHOLE;

	return tester_collect(t) && card_pattern_came(t, n) && whole;
}

/*
 * Each part is a command more, so a driver that can read all at once gets all at once: if it asks before
 * the response is there, which on a busy machine is not always so.
 */
static bool one_message(struct tester *t)
{
	static const size_t sizes[] = { 257, 2054, 4096, 16384, 65000 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		int tries = 0;

		while (!is_one_message(t, sizes[i])) {
			if (!tester_check(t, ++tries < ONE_MESSAGE_TRIES,
				    "%zu bytes never come in one message", sizes[i]))
				return false;
		}
	}
	return true;
}

/* Android's driver trips over an empty packet behind a response: none is there to be read. */
static bool no_whole_packets(struct tester *t)
{
	size_t packet = t->transport.packet_size;

	for (size_t n = packet - 40; n <= 4 * packet; n++) {
		size_t size = card_apdu(card_buffer, COMMAND_SOURCE, n, 0, n);
		bool whole;

		if (n <= 256) /* never split, even if it is whole packets then */
			continue;
		if (!tester_ask_part(t, LEVEL_WHOLE, card_buffer, size))
			return false;
		whole = (CCID_HEADER + t->answer.size) % packet == 0;
		if (!tester_check(t, !whole, "%zu bytes of response in whole packets", n) ||
			!tester_collect(t) || !card_pattern_came(t, n))
			return false;
	}
	return true;
}

static const size_t high_speed = 512, full_speed = 64;

const struct suite_case length_cases[] = {
	{ "6.1.4", "SELECT of 6 to 260 bytes", NEED_CARD | NEED_APDU, START_ACTIVE,
		select_of_every_length, NULL },
	{ "6.1.4", "the smallest APDUs", SCRIPTED, START_ACTIVE, smallest, NULL },
	{ "6.1.4", "messages of every length up to 1,600 bytes, both ways", EXTENDED, START_ACTIVE,
		every_length, NULL },
	{ "USB 5.8.3", "k * 512 bytes, +-2, both ways", EXTENDED, START_ACTIVE, around_packets,
		&high_speed },
	{ "USB 5.8.3", "k * 64 bytes, +-2, both ways", EXTENDED, START_ACTIVE, around_packets,
		&full_speed },
	{ "6.1.4", "lengths that other readers fail at", EXTENDED, START_ACTIVE, known_traps,
		NULL },
	{ "USB 5.8.3", "a message in several transfers", EXTENDED, START_ACTIVE, several_transfers,
		NULL },
	{ "USB 5.8.3", "an empty packet behind whole packets", EXTENDED, START_ACTIVE,
		empty_packet_behind, NULL },
	{ "drivers", "no message is longer than what is asked for", EXTENDED, START_ACTIVE,
		never_too_much, NULL },
	{ "drivers", "a response that can be read at once is one message", EXTENDED, START_ACTIVE,
		one_message, NULL },
	{ "drivers", "no response in whole packets, from 257 bytes on", EXTENDED, START_ACTIVE,
		no_whole_packets, NULL },
	{ .name = NULL },
};
