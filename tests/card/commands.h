/*
 * The commands of the scripted card, as numbers: shared by the card and by the programs that test
 * with it. README.md in this folder is the same table in words.
 *
 * ISO 7816-4 commands (CLA 00)                                 answer
 *   A4 SELECT by name, COMMAND_AID                             9000 (with an FCI if Le is there)
 *      the name of an OpenPGP card                             9000; openpgp.h has the rest
 *      anything else                                           6A82
 *   20 VERIFY, P1 00, P2 00 01 80 81; PIN, FF or 00 padded     9000, 63Cx, 6983
 *      without data: the state                                 9000, 63Cx, 6983
 *   24 CHANGE REFERENCE DATA, P1 00, P2 as above; PIN and new  as VERIFY; the new one in its length
 *   2C RESET RETRY COUNTER, P1 00, P2 as above; COMMAND_CODE   9000, 63Cx, 6983 of the code; the PIN
 *      and new PIN                                             has all its tries then
 *   B0 READ BINARY                                             6986
 *   CA GET DATA                                                6A88
 *   C0 GET RESPONSE (or 80 C0): what COMMAND_STORE left        data, 9000 or 61xx; 6985
 * Pseudo-APDU (CLA FF)
 *   CA GET DATA 00 00                                          COMMAND_UID, 9000
 * Our own (CLA 80); N is P1 P2, a big-endian number
 *   10 SOURCE   N bytes of pattern(N), whatever Le says        data, 9000; 6A86 if N > 65533
 *   12 SINK     N bytes of pattern(N) expected in the command  9000; 6700 length, 6A80 content
 *               with Le: length and FNV-1a hash, 4 bytes each  data, 9000
 *   14 ECHO     the command's data                             data, 9000
 *   16 BOTH     pattern(Nc) expected, N bytes of pattern(N)    data, 9000; 6A80 content
 *   18 STORE    like SOURCE, but in the manner of T=0: keeps   61xx, then GET RESPONSE
 *   20 WORK     answers N milliseconds later                   the command's data, 9000
 *   22 MUTE     never answers
 *   24 RAW      the command's data is the whole answer, SW included; without data the card leaves
 *               for a second, because vpcd waits for ever for the bytes of an empty answer
 *   26 SW       the command's data, and N as SW                data, N
 *   28 DROP     P1 says how the card leaves (enum command_drop), P2 when it is put back, in tenths
 *               of a second (0: it stays out); data, if any: 2 bytes, milliseconds before it leaves
 *   30 SIGN     needs the PIN; N bytes of pattern(N)           data, 9000; 6982
 *   32 COUNTERS power-ups, resets, APDUs, VERIFYs, signatures  5 times 4 bytes, 9000
 * Everything else: 6700 malformed, 6E00 class, 6D00 instruction, 6985 without power.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

enum command_class {
	COMMAND_CLA_ISO = 0x00,
	COMMAND_CLA_OWN = 0x80,
	COMMAND_CLA_PSEUDO = 0xFF,
};

enum command_iso {
	COMMAND_VERIFY = 0x20,
	COMMAND_CHANGE = 0x24,
	COMMAND_RESET_RETRIES = 0x2C,
	COMMAND_SELECT = 0xA4,
	COMMAND_READ_BINARY = 0xB0,
	COMMAND_GET_RESPONSE = 0xC0,
	COMMAND_GET_DATA = 0xCA,
};

enum command_own {
	COMMAND_SOURCE = 0x10,
	COMMAND_SINK = 0x12,
	COMMAND_ECHO = 0x14,
	COMMAND_BOTH = 0x16,
	COMMAND_STORE = 0x18,
	COMMAND_WORK = 0x20,
	COMMAND_MUTE = 0x22,
	COMMAND_RAW = 0x24,
	COMMAND_SW = 0x26,
	COMMAND_DROP = 0x28,
	COMMAND_SIGN = 0x30,
	COMMAND_COUNTERS = 0x32,
};

enum command_drop {
	COMMAND_DROP_FIN = 0, /* the connection ends without an answer */
	COMMAND_DROP_RST = 1, /* it is reset without an answer */
	COMMAND_DROP_CUT = 2, /* half of an answer of 256 bytes, then it ends */
};

/* The proprietary application identifier that SELECT knows: F0 and "ccid-relay". */
#define COMMAND_AID { 0xF0, 'c', 'c', 'i', 'd', '-', 'r', 'e', 'l', 'a', 'y' }

/* The resetting code. It has as many tries as the PIN. */
#define COMMAND_CODE { '8', '7', '6', '5', '4', '3', '2', '1' }

/* What a contactless reader's GET DATA (PC/SC part 3, 3.2.2.1.3) would give. */
#define COMMAND_UID { 0x04, 0xC1, 0xD0, 0x01, 0x02, 0x03, 0x80 }

/* vpcd's length field has 16 bits, and two bytes of it are the status word. */
#define COMMAND_RESPONSE_MAX 65533
