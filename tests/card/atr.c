/*
 * The table of ATRs, and the walk over TA1..TD4.
 *
 * The historical bytes are COMPACT-TLV (category 80, ISO/IEC 7816-4, 8.1.1) with a name of ours as
 * pre-issuing data, so that no middleware takes the card for one that it knows.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "tests/card/atr.h"

#include <string.h>

#include "base/cursor.h"

struct atr_entry {
	const char *name;
	const char *about;
	struct atr atr;
};

#define ATR(...) { .bytes = { __VA_ARGS__ }, .size = sizeof((uint8_t[]){ __VA_ARGS__ }) }

static const struct atr_entry atr_table[] = {
	{ "t0", "T=0 alone, so without TCK",
	  ATR(0x3B, 0x18, 0x94, 0x80, 0x66, 'r', 'e', 'l', 'a', 'y', '0') },
	{ "t0-inverse", "the same in inverse convention (TS 3F)",
	  ATR(0x3F, 0x18, 0x94, 0x80, 0x66, 'r', 'e', 'l', 'a', 'y', 'i') },
	{ "t1", "T=1 alone, IFSC 254, BWI 4, CWI 5",
	  ATR(0x3B, 0x98, 0x13, 0x81, 0x31, 0xFE, 0x45, 0x80, 0x66, 'r', 'e', 'l', 'a', 'y', '1',
	      0x34) },
	{ "dual", "T=0 and T=1",
	  ATR(0x3B, 0x98, 0x95, 0x80, 0x31, 0xFE, 0x45, 0x80, 0x66, 'r', 'e', 'l', 'a', 'y', 'd',
	      0xE6) },
	{ "contactless", "as a contactless reader makes it up (PC/SC part 3, 3.1.3.2.3)",
	  ATR(0x3B, 0x88, 0x80, 0x01, 0x80, 0x66, 'r', 'e', 'l', 'a', 'y', 'c', 0xEF) },
	{ "extended", "T=1, card capabilities with extended Lc and Le (ISO/IEC 7816-4, 8.1.1.2.7)",
	  ATR(0x3B, 0x9C, 0x95, 0x81, 0x31, 0xFE, 0x45, 0x80, 0x73, 0xC0, 0x01, 0x40, 0x66, 'r',
	      'e', 'l', 'a', 'y', 'x', 0x0D) },
	/*
	 * libccid waits 1 s + BWT + 260 * (CWT + EGT) for a T=1 card. With TA1 96 (an etu of 16
	 * clocks), BWI 0, CWI 0 and 4 MHz that is 1000 + 89.3 + 260 * (0.048 + 0.048) = 1114 ms,
	 * its minimum.
	 */
	{ "slow-t1", "T=1 for which libccid waits 1.1 s only (TA1 96, BWI 0, CWI 0)",
	  ATR(0x3B, 0x98, 0x96, 0x81, 0x31, 0xFE, 0x00, 0x80, 0x66, 'r', 'e', 'l', 'a', 'y', 's',
	      0xB6) },
	{ "t1-specific", "T=1 in specific mode, parameters from the ATR (TA2 01)",
	  ATR(0x3B, 0x98, 0x95, 0x91, 0x01, 0x31, 0xFE, 0x45, 0x80, 0x66, 'r', 'e', 'l', 'a', 'y',
	      'p', 0xE2) },
	{ "t1-implicit", "T=1 in specific mode, implicit parameters (TA2 11): libccid refuses it",
	  ATR(0x3B, 0x98, 0x95, 0x91, 0x11, 0x31, 0xFE, 0x45, 0x80, 0x66, 'r', 'e', 'l', 'a', 'y',
	      'm', 0xEF) },
	{ "longest", "33 bytes: T=0, T=1 and T=15, 15 historical bytes",
	  ATR(0x3B, 0xFF, 0x95, 0x00, 0x00, 0xE0, 0x00, 0x0A, 0xF1, 0xFE, 0x45, 0x00, 0xFF, 0x43,
	      0x03, 0x00, 0x0F, 0x80, 0x6D, 'r', 'e', 'l', 'a', 'y', '-', 'l', 'o', 'n', 'g', 'e',
	      's', 't', 0xB1) },
	{ "bad-tck", "t1 with a wrong TCK",
	  ATR(0x3B, 0x98, 0x13, 0x81, 0x31, 0xFE, 0x45, 0x80, 0x66, 'r', 'e', 'l', 'a', 'y', '1',
	      0xCB) },
};

#define ATR_TABLE_SIZE (sizeof(atr_table) / sizeof(atr_table[0]))

static int atr_hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at;

	if (c >= 'A' && c <= 'F')
		c = (char)(c - 'A' + 'a');
	at = c == '\0' ? NULL : strchr(digits, c);
	return at == NULL ? -1 : (int)(at - digits);
}

static int atr_by_hex(const char *hex, struct atr *atr)
{
	size_t length = strlen(hex);
	int high, low;

	if (length % 2 != 0 || length < 4 || length > 2 * ATR_MAX)
		return ATR_UNKNOWN;
	for (size_t i = 0; i < length; i += 2) {
		high = atr_hex_digit(hex[i]);
		low = atr_hex_digit(hex[i + 1]);
		if (high < 0 || low < 0)
			return ATR_UNKNOWN;
		atr->bytes[i / 2] = (uint8_t)(high << 4 | low);
	}
	atr->size = length / 2;
	return 0;
}

int atr_by_name(const char *name, struct atr *atr)
{
	if (strncmp(name, "hex:", 4) == 0)
		return atr_by_hex(name + 4, atr);
	for (size_t i = 0; i < ATR_TABLE_SIZE; i++) {
		if (strcmp(name, atr_table[i].name) == 0) {
			*atr = atr_table[i].atr;
			return 0;
		}
	}
	return ATR_UNKNOWN;
}

const char *atr_name(size_t index, const char **about)
{
	if (index >= ATR_TABLE_SIZE)
		return NULL;
	*about = atr_table[index].about;
	return atr_table[index].name;
}

/* Skips TAi TBi TCi; returns TDi, or 0 (no more interface bytes) when there is none. */
static uint8_t atr_interface_group(struct cursor_in *in, uint8_t y)
{
	for (uint8_t bit = 0x10; bit <= 0x40; bit = (uint8_t)(bit << 1)) {
		if (y & bit)
			(void)in_u8(in);
	}
	return y & 0x80 ? in_u8(in) : 0;
}

/* TCK makes the exclusive-or of everything after TS zero (8.2.5). */
static bool atr_tck_fits(const struct atr *atr)
{
	uint8_t sum = 0;

	for (size_t i = 1; i < atr->size; i++)
		sum ^= atr->bytes[i];
	return sum == 0;
}

int atr_check(const struct atr *atr, struct atr_info *info)
{
	struct cursor_in in = cursor_in(atr->bytes, atr->size);
	uint8_t ts = in_u8(&in), y = in_u8(&in);
	bool any = false;

	*info = (struct atr_info){ .historical = y & 0x0F };
	while (y & 0x80) {
		y = atr_interface_group(&in, y);
		any = true;
		info->t0 |= (y & 0x0F) == 0;
		info->t1 |= (y & 0x0F) == 1;
		info->has_tck |= (y & 0x0F) != 0;
	}
	(void)atr_interface_group(&in, y);
	if (!any)
		info->t0 = true; /* without TD1 it is T=0 (8.2.3) */
	(void)in_bytes(&in, info->historical);
	if (info->has_tck)
		(void)in_u8(&in);
	if (!in_done(&in) || (ts != 0x3B && ts != 0x3F))
		return ATR_MALFORMED;
	return info->has_tck && !atr_tck_fits(atr) ? ATR_MALFORMED : 0;
}
