/*
 * A capture file, piece by piece: what Wireshark and its relatives read. Pure functions.
 *
 * "pcapng" is the PCAP Next Generation Capture File Format (draft-ietf-opsawg-pcapng). A file is a
 * sequence of blocks, so it can be written as it comes, and is good wherever it is cut between two.
 * Ours has one section with one interface, whose packets are those of usbmon (LINKTYPE_USB_LINUX_MMAPPED),
 * with times in nanoseconds.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"

#define PCAPNG_COMMENT_MAX 256 /* bytes of a comment that are kept */
#define PCAPNG_BEGIN_MAX 64    /* enough for pcapng_begin() */
#define PCAPNG_BLOCK_MAX(captured) ((captured) + PCAPNG_COMMENT_MAX + 64) /* for pcapng_packet() */

struct pcapng_packet {
	uint64_t time;        /* ns since 1970 */
	const uint8_t *head;  /* what a packet begins with; borrowed */
	size_t head_size;
	const uint8_t *bytes; /* what is captured of the rest; borrowed */
	size_t captured;
	size_t size;          /* of the whole packet, as far as it was there to be captured */
	const char *comment;  /* UTF-8; NULL: none */
};

/* Writes the blocks that a file begins with. */
void pcapng_begin(struct cursor_out *out);

/* Writes one packet. */
void pcapng_packet(struct cursor_out *out, const struct pcapng_packet *packet);
