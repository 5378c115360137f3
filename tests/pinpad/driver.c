/*
 * The IFD handler: what pcscd calls. README.md in this folder says what it is.
 *
 * pcscd calls these functions one at a time for one reader, so there is one state and no lock.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <PCSC/wintypes.h>

#include <PCSC/pcsclite.h>
#include <PCSC/ifdhandler.h>
#include <PCSC/reader.h>
#include <stdio.h>
#include <string.h>

#include "base/cursor.h"
#include "tests/pinpad/entry.h"
#include "tests/pinpad/folder.h"

/* Control codes: any will do, they are this driver's own. The last is the one that all drivers use. */
#define CODE_VERIFY 0x42770006
#define CODE_MODIFY 0x42770007
#define CODE_PROPERTIES 0x4277000A
#define CODE_TLV 0x42770012
#define CODE_ESCAPE SCARD_CTL_CODE(1)

#define TRIES 3 /* of the card's PIN */

/* T=1, no historical bytes. */
static const uint8_t atr[] = { 0x3B, 0x80, 0x80, 0x01, 0x01 };

static struct {
	struct folder folder;
	bool powered;
	bool verified;
	unsigned int tries; /* that the card has left; a reset changes nothing about it */
} state = { .tries = TRIES };

/* What the card makes of a PIN entry that the script has answered. */
static void card_takes(const struct folder_answer *answer)
{
	unsigned int sw = answer->size == 2 ? (unsigned int)answer->bytes[0] << 8 | answer->bytes[1] : 0;

	if (sw == 0x9000) {
		state.verified = true;
		state.tries = TRIES;
		folder_log(&state.folder, "verified");
	} else if ((sw & 0xFFF0) == 0x63C0) {
		state.tries = sw & 0x0F;
	} else if (sw == 0x6983) {
		state.tries = 0;
	}
}

/* ISO/IEC 7816-4:2005, 7.5.6: the answer to a VERIFY without data. */
static unsigned int card_state(void)
{
	if (state.tries == 0)
		return 0x6983;
	return state.verified ? 0x9000 : 0x63C0 | state.tries;
}

/* ---- the channel ---- */

RESPONSECODE IFDHCreateChannelByName(DWORD Lun, LPSTR DeviceName)
{
	(void)Lun;
	folder_open(&state.folder, DeviceName);
	folder_log(&state.folder, "opened");
	return IFD_SUCCESS;
}

RESPONSECODE IFDHCreateChannel(DWORD Lun, DWORD Channel)
{
	(void)Lun;
	(void)Channel;
	return IFD_NO_SUCH_DEVICE;
}

RESPONSECODE IFDHCloseChannel(DWORD Lun)
{
	(void)Lun;
	folder_log(&state.folder, "closed");
	return IFD_SUCCESS;
}

RESPONSECODE IFDHGetCapabilities(DWORD Lun, DWORD Tag, PDWORD Length, PUCHAR Value)
{
	(void)Lun;
	switch (Tag) {
	case TAG_IFD_ATR:
	case SCARD_ATTR_ATR_STRING:
		if (!state.powered || *Length < sizeof(atr))
			return IFD_COMMUNICATION_ERROR;
		memcpy(Value, atr, sizeof(atr));
		*Length = sizeof(atr);
		return IFD_SUCCESS;
	case TAG_IFD_SLOTS_NUMBER:
	case TAG_IFD_SIMULTANEOUS_ACCESS:
		*Length = 1;
		*Value = 1;
		return IFD_SUCCESS;
	}
	return IFD_ERROR_TAG;
}

RESPONSECODE IFDHSetCapabilities(DWORD Lun, DWORD Tag, DWORD Length, PUCHAR Value)
{
	(void)Lun;
	(void)Tag;
	(void)Length;
	(void)Value;
	return IFD_ERROR_TAG;
}

RESPONSECODE IFDHSetProtocolParameters(DWORD Lun, DWORD Protocol, UCHAR Flags, UCHAR PTS1,
	UCHAR PTS2, UCHAR PTS3)
{
	(void)Lun;
	(void)Flags;
	(void)PTS1;
	(void)PTS2;
	(void)PTS3;
	return Protocol == SCARD_PROTOCOL_T1 ? IFD_SUCCESS : IFD_PROTOCOL_NOT_SUPPORTED;
}

/* ---- the card ---- */

RESPONSECODE IFDHPowerICC(DWORD Lun, DWORD Action, PUCHAR Atr, PDWORD AtrLength)
{
	static const char *const names[] = { "up", "down", "reset" };

	(void)Lun;
	if (Action < IFD_POWER_UP || Action > IFD_RESET)
		return IFD_NOT_SUPPORTED;
	folder_log(&state.folder, "power %s", names[Action - IFD_POWER_UP]);
	state.powered = Action != IFD_POWER_DOWN;
	state.verified = false;
	*AtrLength = 0;
	if (state.powered) {
		memcpy(Atr, atr, sizeof(atr));
		*AtrLength = sizeof(atr);
	}
	return IFD_SUCCESS;
}

RESPONSECODE IFDHICCPresence(DWORD Lun)
{
	(void)Lun;
	return IFD_ICC_PRESENT;
}

RESPONSECODE IFDHTransmitToICC(DWORD Lun, SCARD_IO_HEADER SendPci, PUCHAR TxBuffer, DWORD TxLength,
	PUCHAR RxBuffer, PDWORD RxLength, PSCARD_IO_HEADER RecvPci)
{
	static const uint8_t is_verified[] = { 0x00, 0x20, 0x00, 0x80 };
	char hex[ENTRY_TEXT_MAX];
	unsigned int sw = 0x6D00;

	(void)Lun;
	(void)SendPci;
	(void)RecvPci;
	if (!state.powered || *RxLength < 2)
		return IFD_COMMUNICATION_ERROR;
	entry_hex(hex, sizeof(hex), TxBuffer, TxLength);
	folder_log(&state.folder, "apdu data=%s", hex);
	if (TxLength == sizeof(is_verified) && memcmp(TxBuffer, is_verified, TxLength) == 0)
		sw = card_state();
	RxBuffer[0] = (uint8_t)(sw >> 8);
	RxBuffer[1] = (uint8_t)(sw & 0xFF);
	*RxLength = 2;
	return IFD_SUCCESS;
}

/* ---- the reader ---- */

/* The next answer of the script, into the caller's buffer. */
static RESPONSECODE answer_by_script(struct cursor_out *out, bool pin_entry)
{
	struct folder_answer answer;
	char hex[ENTRY_TEXT_MAX];

	folder_answer(&state.folder, &answer);
	if (answer.result != IFD_SUCCESS) {
		folder_log(&state.folder, "answer result=%ld", answer.result);
		return answer.result;
	}
	out_bytes(out, answer.bytes, answer.size);
	entry_hex(hex, sizeof(hex), answer.bytes, answer.size);
	folder_log(&state.folder, "answer data=%s", hex);
	if (pin_entry)
		card_takes(&answer);
	return IFD_SUCCESS;
}

/* PC/SC 2.02, part 10, 2.2: what this reader has, with big-endian codes. */
static void tell_features(struct cursor_out *out)
{
	static const struct {
		const char *word;
		uint8_t tag;
		uint32_t code;
	} rows[] = {
		{ "verify", FEATURE_VERIFY_PIN_DIRECT, CODE_VERIFY },
		{ "modify", FEATURE_MODIFY_PIN_DIRECT, CODE_MODIFY },
		{ "properties", FEATURE_IFD_PIN_PROPERTIES, CODE_PROPERTIES },
		{ "tlv", FEATURE_GET_TLV_PROPERTIES, CODE_TLV },
		{ "escape", FEATURE_CCID_ESC_COMMAND, CODE_ESCAPE },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!folder_has_feature(&state.folder, rows[i].word))
			continue;
		out_u8(out, rows[i].tag);
		out_u8(out, 4);
		out_be16(out, (uint16_t)(rows[i].code >> 16));
		out_be16(out, (uint16_t)(rows[i].code & 0xFFFF));
	}
}

/* PIN_PROPERTIES_STRUCTURE: wLcdLayout, bEntryValidationCondition, bTimeOut2. */
static void tell_properties(struct cursor_out *out)
{
	out_le16(out, folder_lcd_layout(&state.folder));
	out_u8(out, 7);
	out_u8(out, 0);
}

/* Part 10, 2.6.14: properties as tag, length and little-endian value. */
static void tell_tlv(struct cursor_out *out)
{
	out_u8(out, PCSCv2_PART10_PROPERTY_bTimeOut2);
	out_u8(out, 1);
	out_u8(out, 0);
	out_u8(out, PCSCv2_PART10_PROPERTY_wLcdLayout);
	out_u8(out, 2);
	out_le16(out, folder_lcd_layout(&state.folder));
}

static RESPONSECODE enter_pin(DWORD code, const UCHAR *bytes, DWORD size, struct cursor_out *out)
{
	char text[ENTRY_TEXT_MAX];
	bool good;

	if (code == CODE_VERIFY)
		good = entry_describe_verify(text, sizeof(text), bytes, size);
	else
		good = entry_describe_modify(text, sizeof(text), bytes, size);
	folder_log(&state.folder, "%s %s", code == CODE_VERIFY ? "verify" : "modify", text);
	if (!good || !state.powered)
		return IFD_COMMUNICATION_ERROR;
	return answer_by_script(out, true);
}

static RESPONSECODE control(DWORD code, const UCHAR *bytes, DWORD size, struct cursor_out *out)
{
	char hex[ENTRY_TEXT_MAX];

	switch (code) {
	case CM_IOCTL_GET_FEATURE_REQUEST:
		tell_features(out);
		return IFD_SUCCESS;
	case CODE_PROPERTIES:
		tell_properties(out);
		return IFD_SUCCESS;
	case CODE_TLV:
		tell_tlv(out);
		return IFD_SUCCESS;
	case CODE_VERIFY:
	case CODE_MODIFY:
		return enter_pin(code, bytes, size, out);
	case CODE_ESCAPE:
		entry_hex(hex, sizeof(hex), bytes, size);
		folder_log(&state.folder, "escape data=%s", hex);
		return answer_by_script(out, false);
	}
	return IFD_ERROR_NOT_SUPPORTED;
}

RESPONSECODE IFDHControl(DWORD Lun, DWORD dwControlCode, PUCHAR TxBuffer, DWORD TxLength,
	PUCHAR RxBuffer, DWORD RxLength, LPDWORD pdwBytesReturned)
{
	struct cursor_out out = cursor_out(RxBuffer, RxLength);
	RESPONSECODE result = control(dwControlCode, TxBuffer, TxLength, &out);

	(void)Lun;
	*pdwBytesReturned = 0;
	if (result != IFD_SUCCESS)
		return result;
	if (!out_ok(&out))
		return IFD_ERROR_INSUFFICIENT_BUFFER;
	*pdwBytesReturned = (DWORD)out.size;
	return IFD_SUCCESS;
}
