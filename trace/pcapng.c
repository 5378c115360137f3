/*
 * Blocks of a capture file. See pcapng.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "trace/pcapng.h"

#include <string.h>

/* Block types and options, pcapng 4.1 to 4.3 and 3.5. */
#define BLOCK_SECTION 0x0A0D0D0A
#define BLOCK_INTERFACE 1
#define BLOCK_PACKET 6
#define OPTION_END 0
#define OPTION_COMMENT 1
#define OPTION_RESOLUTION 9 /* if_tsresol */

#define BYTE_ORDER_MAGIC 0x1A2B3C4D
#define LINKTYPE_USB_LINUX_MMAPPED 220
#define NANOSECONDS 9 /* if_tsresol: 10 to the power of minus this */
#define LENGTH_UNKNOWN UINT64_MAX /* of a section that is still being written */

#define BLOCK_FRAME 12  /* type, and the length before and after the body */
#define PACKET_FIXED 20 /* of the body of a packet's block */
#define OPTION_HEAD 4

static size_t padding(size_t size)
{
	return (4 - size % 4) % 4;
}

static size_t padded(size_t size)
{
	return size + padding(size);
}

static void write_option(struct cursor_out *out, uint16_t code, const void *bytes, size_t size)
{
	out_le16(out, code);
	out_le16(out, (uint16_t)size);
	out_bytes(out, bytes, size);
	out_zeros(out, padding(size));
}

static void write_section(struct cursor_out *out)
{
	const uint32_t length = BLOCK_FRAME + 16;

	out_le32(out, BLOCK_SECTION);
	out_le32(out, length);
	out_le32(out, BYTE_ORDER_MAGIC);
	out_le16(out, 1); /* version 1.0 */
	out_le16(out, 0);
	out_le64(out, LENGTH_UNKNOWN);
	out_le32(out, length);
}

void pcapng_begin(struct cursor_out *out)
{
	const uint32_t length = BLOCK_FRAME + 8 + OPTION_HEAD + 4 + OPTION_HEAD;
	const uint8_t resolution = NANOSECONDS;

	write_section(out);
	out_le32(out, BLOCK_INTERFACE);
	out_le32(out, length);
	out_le16(out, LINKTYPE_USB_LINUX_MMAPPED);
	out_le16(out, 0);
	out_le32(out, 0); /* SnapLen: no limit that holds for all packets */
	write_option(out, OPTION_RESOLUTION, &resolution, sizeof(resolution));
	write_option(out, OPTION_END, NULL, 0);
	out_le32(out, length);
}

void pcapng_packet(struct cursor_out *out, const struct pcapng_packet *packet)
{
	size_t comment = packet->comment != NULL ? strnlen(packet->comment, PCAPNG_COMMENT_MAX) : 0;
	size_t captured = packet->head_size + packet->captured;
	size_t length = BLOCK_FRAME + PACKET_FIXED + padded(captured);

	if (comment > 0)
		length += OPTION_HEAD + padded(comment) + OPTION_HEAD;
	out_le32(out, BLOCK_PACKET);
	out_le32(out, (uint32_t)length);
	out_le32(out, 0); /* the interface */
	out_le32(out, (uint32_t)(packet->time >> 32));
	out_le32(out, (uint32_t)packet->time);
	out_le32(out, (uint32_t)captured);
	out_le32(out, (uint32_t)packet->size);
	out_bytes(out, packet->head, packet->head_size);
	out_bytes(out, packet->bytes, packet->captured);
	out_zeros(out, padding(captured));
	if (comment > 0) {
		write_option(out, OPTION_COMMENT, packet->comment, comment);
		write_option(out, OPTION_END, NULL, 0);
	}
	out_le32(out, (uint32_t)length);
}
