/*
 * Answers to reset: those of cards in the field, those that are wrong, and the parameters that
 * follow from them.
 *
 * The field's values were taken from an independent decoder, ATR_analysis of Debian's pcsc-tools
 * 1.6.2; where an ATR says nothing, they are the default values of ISO/IEC 7816-3:2006, 8.3 and
 * 11.4.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gadget/ccid/atr.h"
#include "gadget/ccid/parameters.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define TEXT_MAX 160

struct field_vector {
	const char *card;
	const char *bytes;   /* hexadecimal */
	const char *decoded; /* protocols, F/D, N, ... clock stop and classes, historical bytes */
};

static const struct field_vector field[] = {
	{ "YubiKey NEO, contact",
		"3BFC1300008131FE45597562696B65794E454F7233B1",
		"T=1 372/4 N0 WI10 IFSC254 BWI4 CWI5 LRC stop0 A K12" },
	{ "YubiKey NEO, contactless",
		"3B8C8001597562696B65794E454F723358",
		"T=0,1 372/1 N0 WI10 IFSC32 BWI4 CWI13 LRC stop0 A K12" },
	{ "YubiKey 4",
		"3BF81300008131FE15597562696B657934D4",
		"T=1 372/4 N0 WI10 IFSC254 BWI1 CWI5 LRC stop0 A K8" },
	{ "YubiKey 5 NFC",
		"3BFD1300008131FE158073C021C057597562694B657940",
		"T=1 372/4 N0 WI10 IFSC254 BWI1 CWI5 LRC stop0 A K13" },
	{ "JCOP 21 (ID-21)",
		"3BE600FF8131FE454A434F50323107",
		"T=1 372/1 N255 WI10 IFSC254 BWI4 CWI5 LRC stop0 A K6" },
	{ "JCOP 41, warm",
		"3B6A00FF4A434F50343156323231",
		"T=0 372/1 N255 WI10 IFSC32 BWI4 CWI13 LRC stop0 A K10" },
	{ "JCOP 4 P71",
		"3BFA1800008131FE4546534A434F503453494480",
		"T=1 372/12 N0 WI10 IFSC254 BWI4 CWI5 LRC stop0 A K10" },
	{ "JCOP 31, contactless",
		"3BFE9100FF918171FE40004128001133B04A434F5033315632C4",
		"T=1 specific T=1 512/1 N255 WI10 IFSC254 BWI4 CWI0 LRC stop0 A K14" },
	{ "JCOP 3 P60",
		"3BDC18FF8191FE1FC38073C821136605036351000250",
		"T=1,15 372/12 N255 WI10 IFSC254 BWI4 CWI13 LRC stop3 AB K12" },
	{ "PIV, Oberthur ID-One",
		"3BDB960080B1FE451F830031C064B0FC10000F90000D",
		"T=0,1,15 512/32 N0 WI10 IFSC254 BWI4 CWI5 LRC stop2 AB K11" },
	{ "PIV, NASA",
		"3BD6970081B1FE451F078031C1521118F9",
		"T=1,15 512/64 N0 WI10 IFSC254 BWI4 CWI5 LRC stop0 ABC K6" },
	{ "PIVKey C910, contactless",
		"3B8C80019067464A00641606F2727E007C",
		"T=0,1 372/1 N0 WI10 IFSC32 BWI4 CWI13 LRC stop0 A K12" },
	{ "CAC, Oberthur ID One 128",
		"3BDB9600801F030031C064B0F3100007900080",
		"T=0,15 512/32 N0 WI10 IFSC32 BWI4 CWI13 LRC stop0 AB K11" },
	{ "CAC, Gemalto TOP DL GX4",
		"3B7D96000080318065B0831117D683009000",
		"T=0 512/32 N0 WI10 IFSC32 BWI4 CWI13 LRC stop0 A K13" },
	{ "CAC, Cyberflex Access 64K",
		"3B751200002905010401",
		"T=0 372/2 N0 WI10 IFSC32 BWI4 CWI13 LRC stop0 A K5" },
	{ "CAC, Gemplus GXP3",
		"3B6B00008065B08301047483009000",
		"T=0 372/1 N0 WI10 IFSC32 BWI4 CWI13 LRC stop0 A K11" },
	{ "German eGK, generation 1",
		"3BDD97FF81B1FE451F03006404050803739621D0009000C8",
		"T=1,15 512/64 N255 WI10 IFSC254 BWI4 CWI5 LRC stop0 AB K13" },
	{ "German eGK, generation 2",
		"3BD096FF81B1FE451FC7EA",
		"T=1,15 512/32 N255 WI10 IFSC254 BWI4 CWI5 LRC stop3 ABC K0" },
	{ "German identity card",
		"3B8A80018031B8738401E082900006",
		"T=0,1 372/1 N0 WI10 IFSC32 BWI4 CWI13 LRC stop0 A K10" },
	{ "OpenPGP card 2",
		"3BDA18FF81B1FE751F030031C573C001400090000C",
		"T=1,15 372/12 N255 WI10 IFSC254 BWI7 CWI5 LRC stop0 AB K10" },
	{ "OpenPGP card 3",
		"3BDA18FF81B1FE751F030031F573C001600090001C",
		"T=1,15 372/12 N255 WI10 IFSC254 BWI7 CWI5 LRC stop0 AB K10" },
	{ "Gnuk, Nitrokey Start",
		"3BDA11FF81B1FE551F0300318473800180009000E4",
		"T=1,15 372/1 N255 WI10 IFSC254 BWI5 CWI5 LRC stop0 AB K10" },
	{ "Nitrokey 3, contactless: T=1 alone",
		"3B8C01805A4E6974726F6B657920337D",
		"T=1 372/1 N0 WI10 IFSC32 BWI4 CWI13 LRC stop0 A K12" },
	{ "OpenPGP applet",
		"3BFA1300FF813180450031C173C00100009000B1",
		"T=1 372/4 N255 WI10 IFSC128 BWI4 CWI5 LRC stop0 A K10" },
	{ "SmartCard-HSM",
		"3BDE96FF8191FE1FC38031815448534D3173802140810792",
		"T=1,15 512/32 N255 WI10 IFSC254 BWI4 CWI13 LRC stop3 AB K14" },
	{ "Estonian identity card 1.1",
		"3BFE9600FFC00A31FE4D4573744549442076657220312E309B",
		"T=0,1 512/32 N255 WI10 IFSC254 BWI4 CWI13 LRC stop0 A K14" },
	{ "Estonian identity card 1.0, warm",
		"3B5E11FF4573744549442076657220312E30",
		"T=0 372/1 N255 WI10 IFSC32 BWI4 CWI13 LRC stop0 A K14" },
	{ "Belgian identity card",
		"3B9894400AA503010101AD1310",
		"T=0 512/8 N0 WI10 IFSC32 BWI4 CWI13 LRC stop0 A K8" },
	{ "Spanish DNIe 3.0",
		"3B7F960000006A444E4965200101550410039000",
		"T=0 512/32 N0 WI10 IFSC32 BWI4 CWI13 LRC stop0 A K15" },
	{ "Spanish DNIe, contactless",
		"3B888001E1F35E117781E10043",
		"T=0,1 372/1 N0 WI10 IFSC32 BWI4 CWI13 LRC stop0 A K8" },
	{ "Swedish identity card, contactless",
		"3B8F80018031D865B08505001112752082900076",
		"T=0,1 372/1 N0 WI10 IFSC32 BWI4 CWI13 LRC stop0 A K15" },
	{ "Serbian identity card, both protocols",
		"3BF99600008031FE45534345372047434E335E",
		"T=0,1 512/32 N0 WI10 IFSC254 BWI4 CWI5 LRC stop0 A K9" },
	{ "sysmoUSIM-SJS1",
		"3B9F96801FC78031A073BE21136743200718000001A5",
		"T=0,15 512/32 N0 WI10 IFSC32 BWI4 CWI13 LRC stop3 ABC K15" },
	{ "sysmoSIM-GR2",
		"3B7D9400005555530A7486930B247C4D5468",
		"T=0 512/8 N0 WI10 IFSC32 BWI4 CWI13 LRC stop0 A K13" },
	{ "UICC with single-wire interface (TB for T=15)",
		"3B9F96C00A3FC7A08031E073FE211B65D001740EE3810FDE",
		"T=0,15 512/32 N0 WI10 IFSC32 BWI4 CWI13 LRC stop3 ABC K15" },
	{ "UICC, classes A to C, clock stop low",
		"3B9E96801F478031A073BE211366868802101D1049",
		"T=0,15 512/32 N0 WI10 IFSC32 BWI4 CWI13 LRC stop1 ABC K14" },
	{ "GSM SIM of 1998",
		"3B3F94008069AF0307066709970A0E833E9F16",
		"T=0 512/8 N0 WI10 IFSC32 BWI4 CWI13 LRC stop0 A K15" },
	{ "MIFARE Classic 1K, PC/SC part 3",
		"3B8F8001804F0CA000000306030001000000006A",
		"T=0,1 372/1 N0 WI10 IFSC32 BWI4 CWI13 LRC stop0 A K15" },
	{ "MIFARE DESFire EV1, PC/SC part 3",
		"3B8180018080",
		"T=0,1 372/1 N0 WI10 IFSC32 BWI4 CWI13 LRC stop0 A K1" },
	{ "MIFARE SAM AV2: TC for T=1, TB for T=15",
		"3BDF18FF81F1FE43003F03834D494641524520506C75732053414D3B",
		"T=1,15 372/12 N255 WI10 IFSC254 BWI4 CWI3 LRC stop0 AB K15" },
	{ "Starcos 2.3",
		"3BB794008131FE6553504B32339000D1",
		"T=1 512/8 N0 WI10 IFSC254 BWI6 CWI5 LRC stop0 A K7" },
	{ "CardOS 4.2B: TC2 in a T=1 card",
		"3BF2180002C10A31FE58C80975",
		"T=1 372/12 N2 WI10 IFSC254 BWI5 CWI8 LRC stop0 A K2" },
	{ "ACOS5-64",
		"3BBE9600004105004E46000000000000009000",
		"T=0 512/32 N0 WI10 IFSC32 BWI4 CWI13 LRC stop0 A K14" },
	{ "TCOS 1.2: IFSC 70",
		"3BA8008171465D0054434F53312E320065",
		"T=1 372/1 N0 WI10 IFSC70 BWI5 CWI13 LRC stop0 A K8" },
	{ "Tachograph card: WI 16, both protocols",
		"3BDB96FFC01031FE4580671501B403000900810521",
		"T=0,1 512/32 N255 WI16 IFSC254 BWI4 CWI5 LRC stop0 A K11" },
	{ "Tachograph card: WI 255, T=0, 1 and 15",
		"3B9711C0FFB1FE351F83A505010102A3015F",
		"T=0,1,15 372/1 N0 WI255 IFSC254 BWI3 CWI5 LRC stop2 AB K7" },
	{ "GeldKarte: girocard",
		"3BEF00FF8131FE4565631114710528001F000B361B37105A",
		"T=1 372/1 N255 WI10 IFSC254 BWI4 CWI5 LRC stop0 A K15" },
	{ "Visa debit, specific mode T=0",
		"3BFB1300FF10800031C164089862210F9000",
		"T=0 specific T=0 372/4 N255 WI10 IFSC32 BWI4 CWI13 LRC stop0 A K11" },
	{ "FeliCa SAM, specific mode T=1",
		"3BF91500FF910131FE43806448657261829000C7",
		"T=1 specific T=1 372/16 N255 WI10 IFSC254 BWI4 CWI3 LRC stop0 A K9" },
	{ "Metrebus, specific mode T=1, IFSC 38",
		"3BE300FF9181712644000113202D",
		"T=1 specific T=1 372/1 N255 WI10 IFSC38 BWI4 CWI4 LRC stop0 A K3" },
	{ "Nagra 3: inverse convention, T=1",
		"3FFF9500FF918171FE4700444E4153503131302052657641303712",
		"T=1 specific T=1 inverse 512/16 N255 WI10 IFSC254 BWI4 CWI7 LRC stop0 A K15" },
	{ "Nagra: IFSC FF, which is RFU",
		"3FFF9500FF918171FF4700444E4153505330312044736836303916",
		"T=1 specific T=1 inverse 512/16 N255 WI10 IFSC255 BWI4 CWI7 LRC stop0 A K15" },
	{ "Videocrypt: inverse convention, N 5",
		"3F7E11250540B00800004D59000000534B0B08",
		"T=0 inverse 372/1 N5 WI10 IFSC32 BWI4 CWI13 LRC stop0 A K14" },
	{ "French payphone card: inverse convention",
		"3F65250865046C9000",
		"T=0 inverse 372/1 N8 WI10 IFSC32 BWI4 CWI13 LRC stop0 A K5" },
	{ "Visa, no TA for T=1",
		"3BE900008121455649535F494E46200678",
		"T=1 372/1 N0 WI10 IFSC32 BWI4 CWI5 LRC stop0 A K9" },
};

struct bad_vector {
	const char *what;
	const char *bytes;
	int outcome;
	const char *decoded; /* what counts nevertheless */
};

#define DEFAULTS "T=0 372/1 N0 WI10 IFSC32 BWI4 CWI13 LRC stop0 A K0"

static const struct bad_vector bad[] = {
	{ "nothing", "", ATR_NO_ATR, DEFAULTS },
	{ "TS alone", "3B", ATR_NO_ATR, DEFAULTS },
	{ "not an ATR", "0000", ATR_NO_ATR, DEFAULTS },
	{ "TS as it is read with the wrong convention", "0300", ATR_NO_ATR, DEFAULTS },
	{ "garbage", "FFFFFFFFFFFFFFFFFFFF", ATR_NO_ATR, DEFAULTS },
	{ "34 bytes", "3BFF110000F0110000F0110000F011000070110000000102030405060708090A0B0C0D0E",
		ATR_NO_ATR, DEFAULTS },
	{ "groups without end",
		"3BF0FFFFFFF0FFFFFFF0FFFFFFF0FFFFFFF0FFFFFFF0FFFFFFF0FFFFFFF0FFFFFF", ATR_TRUNCATED,
		"T=0 specific T=15 implicit 0/0 N255 WI255 IFSC32 BWI4 CWI13 LRC stop0 A K0" },
	{ "TA1 missing", "3B10", ATR_TRUNCATED, DEFAULTS },
	{ "TD1 missing, TA1 there", "3B9096", ATR_TRUNCATED,
		"T=0 512/32 N0 WI10 IFSC32 BWI4 CWI13 LRC stop0 A K0" },
	{ "TA3 missing", "3B808111", ATR_TRUNCATED,
		"T=1 372/1 N0 WI10 IFSC32 BWI4 CWI13 LRC stop0 A K0" },
	{ "a historical byte missing", "3B0214", ATR_TRUNCATED, DEFAULTS },
	{ "contactless memory card, cut", "3B8F8001804F0CA0001A0000000078", ATR_TRUNCATED,
		"T=0,1 372/1 N0 WI10 IFSC32 BWI4 CWI13 LRC stop0 A K0" },
	{ "T=0, with bytes behind", "3B000102", ATR_TRAILING, DEFAULTS },
	{ "T=0, with a byte behind that is no TCK", "3B0001", ATR_TRAILING, DEFAULTS },
	{ "a compliance test card after a warm reset", "3B961880018051006110309F006110309E",
		ATR_TRAILING,
		"T=0,1 372/12 N0 WI10 IFSC32 BWI4 CWI13 LRC stop0 A K6" },
	{ "TCK missing", "3B808001", ATR_NO_TCK,
		"T=0,1 372/1 N0 WI10 IFSC32 BWI4 CWI13 LRC stop0 A K0" },
	{ "a virtual smart card of 2012: T=1 without TCK", "3B8D0180FBA000000397425446590401",
		ATR_NO_TCK,
		"T=1 372/1 N0 WI10 IFSC32 BWI4 CWI13 LRC stop0 A K13" },
	{ "TCK wrong by one bit", "3B80800100", ATR_WRONG_TCK,
		"T=0,1 372/1 N0 WI10 IFSC32 BWI4 CWI13 LRC stop0 A K0" },
	{ "a telephone card of the C network, T=14: wrong TCK",
		"3B888EFE532A031E049280004132360111E4", ATR_WRONG_TCK,
		"T=14 372/1 N0 WI10 IFSC32 BWI4 CWI13 LRC stop0 A K8" },
	{ "a tachograph card with another TCK",
		"3BFF9500008031FE4380318067B0850201F3A3138301F83BFF", ATR_WRONG_TCK,
		"T=0,1 512/16 N0 WI10 IFSC254 BWI4 CWI3 LRC stop0 A K15" },
};

/* What is right, though rare: made for this test. */
static const struct field_vector rare[] = {
	{ "the shortest", "3B00", DEFAULTS },
	{ "T=0 with a right TCK, which should be absent", "3B021450 46",
		"T=0 372/1 N0 WI10 IFSC32 BWI4 CWI13 LRC stop0 A K2" },
	{ "the longest",
		"3BFF1100FFF1810010F1FE45007FC30000000102030405060708090A0B0C0D0E88",
		"T=1,15 specific T=1 372/1 N255 WI16 IFSC254 BWI4 CWI5 LRC stop3 AB K15" },
	{ "CRC", "3B8081410141",
		"T=1 372/1 N0 WI10 IFSC32 BWI4 CWI13 CRC stop0 A K0" },
	{ "specific mode with implicit F and D", "3B90961091",
		"T=0 specific T=1 implicit 512/32 N0 WI10 IFSC32 BWI4 CWI13 LRC stop0 A K0" },
	{ "only the first bytes for T=1 and T=15 count",
		"3B8081B12045B1FE469FC71F019A",
		"T=1,15 372/1 N0 WI10 IFSC32 BWI4 CWI5 LRC stop3 ABC K0" },
	{ "T=15 alone, which is not allowed", "3B800F8F",
		"T=15 372/1 N0 WI10 IFSC32 BWI4 CWI13 LRC stop0 A K0" },
};

/* abProtocolDataStructure for T=0 and for T=1, CCID 1.1, 6.2.3. */
static const struct {
	const char *what;
	const char *bytes;
	const char *t0;
	const char *t1;
} structures[] = {
	{ "defaults", "3B00", "1100000A00", "1110004D002000" },
	{ "German eGK", "3BD096FF81B1FE451FC7EA", "9600FF0A03", "9610FF4503FE00" },
	{ "Belgian identity card", "3B9894400AA503010101AD1310", "9400000A00", "9410004D002000" },
	{ "tachograph card", "3B9711C0FFB1FE351F83A505010102A3015F", "110000FF02",
		"1110003502FE00" },
	{ "inverse convention", "3FFF9500FF918171FE4700444E4153503131302052657641303712",
		"9502FF0A00", "9512FF4700FE00" },
	{ "CRC", "3B8081410141", "1100000A00", "1111004D002000" },
	{ "implicit F and D", "3B90961091", "1100000A00", "1110004D002000" },
	{ "no ATR", "", "1100000A00", "1110004D002000" },
};

/* ---- text and bytes ---- */

static size_t from_hex(const char *text, uint8_t *bytes)
{
	size_t digits = 0;

	for (; *text != '\0'; text++) {
		char digit[2] = { *text, '\0' };

		if (*text == ' ')
			continue;
		bytes[digits / 2] = (uint8_t)(bytes[digits / 2] * 16U + strtoul(digit, NULL, 16));
		digits++;
	}
	return digits / 2;
}

/* "0,1,15" */
static void print_protocols(char *text, uint16_t protocols)
{
	for (int t = 0; t < 16; t++) {
		if ((protocols & (1U << t)) != 0)
			text += sprintf(text, "%d,", t);
	}
	text[-1] = '\0';
}

static void print_atr(char *text, const struct atr *atr)
{
	char protocols[40], specific[32] = "";

	print_protocols(protocols, atr->protocols);
	if (atr->specific)
		(void)snprintf(specific, sizeof(specific), " specific T=%u%s",
			atr->specific_protocol, atr->implicit ? " implicit" : "");
	(void)snprintf(text, TEXT_MAX,
		"T=%s%s%s %u/%u N%u WI%u IFSC%u BWI%u CWI%u %s stop%u %s%s%s K%u",
		protocols, specific, atr->inverse ? " inverse" : "", atr_clock_rate(atr->ta1),
		atr_rate_adjustment(atr->ta1), atr->tc1, atr->tc2, atr->t1_ifsc,
		atr->t1_bwi_cwi >> 4, atr->t1_bwi_cwi & 15, atr->t1_crc ? "CRC" : "LRC",
		atr->clock_stop, (atr->classes & 1) != 0 ? "A" : "",
		(atr->classes & 2) != 0 ? "B" : "", (atr->classes & 4) != 0 ? "C" : "",
		atr->historical_size);
}

static void assert_decoded(const char *what, const char *hex, int outcome, const char *decoded)
{
	uint8_t bytes[64] = { 0 };
	struct payload_view view = { bytes, from_hex(hex, bytes) };
	char text[TEXT_MAX];
	struct atr atr;
	int r = atr_parse(view, &atr);

	print_atr(text, &atr);
	if (r != outcome || strcmp(text, decoded) != 0)
		fail_msg("%s: outcome %d, not %d\n  got      %s\n  expected %s", what, r, outcome,
			text, decoded);
}

/* ---- tests ---- */

static void test_cards_of_the_field(void **state)
{
	(void)state;
	assert_true(COUNT(field) >= 40);
	for (size_t i = 0; i < COUNT(field); i++)
		assert_decoded(field[i].card, field[i].bytes, 0, field[i].decoded);
}

static void test_rare_but_right(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rare); i++)
		assert_decoded(rare[i].card, rare[i].bytes, 0, rare[i].decoded);
}

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_decoded(bad[i].what, bad[i].bytes, bad[i].outcome, bad[i].decoded);
}

/* Every beginning of the field's ATRs is short of something: at least of TCK, if it has one. */
static void test_truncation(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(field); i++) {
		uint8_t bytes[64] = { 0 };
		size_t size = from_hex(field[i].bytes, bytes);
		struct atr atr;

		for (size_t cut = 0; cut < size; cut++) {
			int r = atr_parse((struct payload_view){ bytes, cut }, &atr);

			assert_int_equal(cut < 2, r == ATR_NO_ATR);
			assert_true(cut < 2 || r == ATR_TRUNCATED ||
				(r == ATR_NO_TCK && cut == size - 1));
		}
	}
}

/* Where the historical bytes lie, the card's name is: "YubikeyNEOr3". */
static void test_historical_bytes(void **state)
{
	uint8_t bytes[64] = { 0 };
	size_t size = from_hex("3BFC1300008131FE45597562696B65794E454F7233B1", bytes);
	struct atr atr;

	(void)state;
	assert_int_equal(atr_parse((struct payload_view){ bytes, size }, &atr), 0);
	assert_int_equal(atr.historical_size, 12);
	assert_memory_equal(bytes + atr.historical_at, "YubikeyNEOr3", 12);
}

/* ISO/IEC 7816-3:2006, 6.3.1: in specific mode one protocol can be used, in negotiable mode all. */
static void test_protocols_that_can_be_used(void **state)
{
	static const struct {
		const char *bytes;
		bool t0, t1, t14;
	} cases[] = {
		{ "3B00", true, false, false },
		{ "3B8C01805A4E6974726F6B657920337D", false, true, false },
		{ "3B80800101", true, true, false },
		{ "3B888EFE532A031E049280004132360111E4", false, false, true },
		{ "3B801080", true, false, false },
		{ "3B8090000111", true, false, false },
		{ "3B8090810190", false, true, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint8_t bytes[64] = { 0 };
		size_t size = from_hex(cases[i].bytes, bytes);
		struct atr atr;

		(void)atr_parse((struct payload_view){ bytes, size }, &atr);
		assert_int_equal(atr_offers(&atr, 0), cases[i].t0);
		assert_int_equal(atr_offers(&atr, 1), cases[i].t1);
		assert_int_equal(atr_offers(&atr, 14), cases[i].t14);
	}
}

static void assert_structure(const struct atr *atr, uint8_t protocol, const char *expected)
{
	struct parameters parameters = parameters_from_atr(atr, protocol);
	uint8_t bytes[PARAMETERS_SIZE_MAX] = { 0 };

	assert_int_equal(parameters.bProtocolNum, protocol);
	assert_int_equal(parameters.size, parameters_size(protocol));
	assert_int_equal(from_hex(expected, bytes), parameters.size);
	assert_memory_equal(parameters.structure, bytes, parameters.size);
}

static void test_parameters(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(structures); i++) {
		uint8_t bytes[64] = { 0 };
		size_t size = from_hex(structures[i].bytes, bytes);
		struct atr atr;

		(void)atr_parse((struct payload_view){ bytes, size }, &atr);
		assert_structure(&atr, 0, structures[i].t0);
		assert_structure(&atr, 1, structures[i].t1);
	}
}

static void test_no_other_protocol_has_parameters(void **state)
{
	(void)state;
	for (unsigned int protocol = 2; protocol < 256; protocol++)
		assert_int_equal(parameters_size((uint8_t)protocol), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cards_of_the_field),
		cmocka_unit_test(test_rare_but_right),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_truncation),
		cmocka_unit_test(test_historical_bytes),
		cmocka_unit_test(test_protocols_that_can_be_used),
		cmocka_unit_test(test_parameters),
		cmocka_unit_test(test_no_other_protocol_has_parameters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
