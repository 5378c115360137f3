/*
 * Reading a capture of ours back, for the tests of those that write one.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stddef.h>
#include <stdint.h>

#include "trace/pcapng.h"

#define CAPTURE_TEXT_MAX (64u * 1024)

struct capture_sum {
	size_t packets;
	uint64_t lost;    /* as the packets say */
	size_t ends;      /* blocks of counts */
	struct pcapng_counts counts; /* of the last of these; its time isn't read */
};

/* Asserts that the bytes are whole blocks, of which the first is a section, and adds them up. */
struct capture_sum capture_sum(const uint8_t *bytes, size_t size);

/*
 * The packets as text, a line for each: address of the device; what it is; the captured bytes behind the
 * header of usbmon, and how many are missing; the comment. Descriptors are not spelt out. For example
 *
 *     1 out 6F0500000000010000 +3; call=7; data cut out
 *     1 request 8006000100001200; A reader
 *     1 descriptor of 18; A reader
 *     1 notify 5003
 *
 * The text is valid until the next call.
 */
const char *capture_text(const uint8_t *bytes, size_t size);
