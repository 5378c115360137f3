/*
 * Blocks of a capture file. See pcapng.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "trace/pcapng.h"

#include <string.h>

/* Block types and options, pcapng 4.1 to 4.3, 4.6 and 3.5. */
#define BLOCK_INTERFACE 1
#define OPTION_END 0
#define OPTION_COMMENT 1
#define OPTION_PROGRAM 4    /* shb_userappl, of a section */
#define OPTION_NAME 2       /* if_name, of an interface */
#define OPTION_RESOLUTION 9 /* if_tsresol */
#define OPTION_LOST 4       /* epb_dropcount, of a packet */
#define OPTION_RECEIVED 4   /* isb_ifrecv, of counts */
#define OPTION_ALL_LOST 5   /* isb_ifdrop */

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

static void write_number(struct cursor_out *out, uint16_t code, uint64_t number)
{
	out_le16(out, code);
	out_le16(out, sizeof(number));
	out_le64(out, number);
}

static size_t name_size(const char *name)
{
	return strnlen(name, PCAPNG_NAME_MAX);
}

static void write_section(struct cursor_out *out, const char *program)
{
	const uint32_t length = (uint32_t)(BLOCK_FRAME + 16 + OPTION_HEAD + padded(name_size(program)) +
		OPTION_HEAD);

	out_le32(out, PCAPNG_SECTION);
	out_le32(out, length);
	out_le32(out, BYTE_ORDER_MAGIC);
	out_le16(out, 1); /* version 1.0 */
	out_le16(out, 0);
	out_le64(out, LENGTH_UNKNOWN);
	write_option(out, OPTION_PROGRAM, program, name_size(program));
	write_option(out, OPTION_END, NULL, 0);
	out_le32(out, length);
}

void pcapng_begin(struct cursor_out *out, const char *program, const char *name)
{
	const uint32_t length = (uint32_t)(BLOCK_FRAME + 8 + OPTION_HEAD + padded(name_size(name)) +
		OPTION_HEAD + 4 + OPTION_HEAD);
	const uint8_t resolution = NANOSECONDS;

	write_section(out, program);
	out_le32(out, BLOCK_INTERFACE);
	out_le32(out, length);
	out_le16(out, LINKTYPE_USB_LINUX_MMAPPED);
	out_le16(out, 0);
	out_le32(out, 0); /* SnapLen: no limit that holds for all packets */
	write_option(out, OPTION_NAME, name, name_size(name));
	write_option(out, OPTION_RESOLUTION, &resolution, sizeof(resolution));
	write_option(out, OPTION_END, NULL, 0);
	out_le32(out, length);
}

/* Of the options of a packet. */
static size_t options_size(const struct pcapng_packet *packet, size_t comment)
{
	size_t size = 0;

	if (comment > 0)
		size += OPTION_HEAD + padded(comment);
	if (packet->lost > 0)
		size += OPTION_HEAD + sizeof(packet->lost);
	return size > 0 ? size + OPTION_HEAD : 0;
}

void pcapng_packet(struct cursor_out *out, const struct pcapng_packet *packet)
{
	size_t comment = packet->comment != NULL ? strnlen(packet->comment, PCAPNG_COMMENT_MAX) : 0;
	size_t captured = packet->head_size + packet->captured;
	size_t options = options_size(packet, comment);
	size_t length = BLOCK_FRAME + PACKET_FIXED + padded(captured) + options;

	out_le32(out, PCAPNG_PACKET);
	out_le32(out, (uint32_t)length);
	out_le32(out, 0); /* the interface */
	out_le32(out, (uint32_t)(packet->time >> 32));
	out_le32(out, (uint32_t)packet->time);
	out_le32(out, (uint32_t)captured);
	out_le32(out, (uint32_t)packet->size);
	out_bytes(out, packet->head, packet->head_size);
	out_bytes(out, packet->bytes, packet->captured);
	out_zeros(out, padding(captured));
	if (comment > 0)
		write_option(out, OPTION_COMMENT, packet->comment, comment);
	if (packet->lost > 0)
		write_number(out, OPTION_LOST, packet->lost);
	if (options > 0)
		write_option(out, OPTION_END, NULL, 0);
	out_le32(out, (uint32_t)length);
}

void pcapng_counts(struct cursor_out *out, const struct pcapng_counts *counts)
{
	const uint32_t length = BLOCK_FRAME + 12 + 2 * (OPTION_HEAD + 8) + OPTION_HEAD;

	out_le32(out, PCAPNG_COUNTS);
	out_le32(out, length);
	out_le32(out, 0); /* the interface */
	out_le32(out, (uint32_t)(counts->time >> 32));
	out_le32(out, (uint32_t)counts->time);
	write_number(out, OPTION_RECEIVED, counts->received);
	write_number(out, OPTION_ALL_LOST, counts->lost);
	write_option(out, OPTION_END, NULL, 0);
	out_le32(out, length);
}
