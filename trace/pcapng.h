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
#define PCAPNG_NAME_MAX 64     /* bytes of a name that are kept */
#define PCAPNG_BEGIN_MAX 256   /* enough for pcapng_begin() */
#define PCAPNG_COUNTS_SIZE 52  /* of what pcapng_counts() writes */
#define PCAPNG_BLOCK_MAX(captured) ((captured) + PCAPNG_COMMENT_MAX + 80) /* for pcapng_packet() */

/* Block types, for who reads a file block by block. */
#define PCAPNG_SECTION 0x0A0D0D0A
#define PCAPNG_PACKET 6
#define PCAPNG_COUNTS 5

struct pcapng_packet {
	uint64_t time;        /* ns since 1970 */
	const uint8_t *head;  /* what a packet begins with; borrowed */
	size_t head_size;
	const uint8_t *bytes; /* what is captured of the rest; borrowed */
	size_t captured;
	size_t size;          /* of the whole packet, as far as it was there to be captured */
	const char *comment;  /* UTF-8; NULL: none */
	uint64_t lost;        /* packets between the last one and this that are not in the file */
};

struct pcapng_counts {
	uint64_t time;     /* ns since 1970 */
	uint64_t received; /* packets, those that were lost included */
	uint64_t lost;
};

/* Writes the blocks that a file begins with. program: who writes it; name: of what is captured. */
void pcapng_begin(struct cursor_out *out, const char *program, const char *name);

/* Writes one packet. */
void pcapng_packet(struct cursor_out *out, const struct pcapng_packet *packet);

/* Writes what was counted: at the end, or now and then. */
void pcapng_counts(struct cursor_out *out, const struct pcapng_counts *counts);
