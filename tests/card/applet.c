/*
 * One small function per command of commands.h. Each puts its data into the response and returns
 * the status word, which applet_execute() appends.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "tests/card/applet.h"

#include <errno.h>
#include <string.h>

#include "base/cursor.h"
#include "tests/card/apdu.h"
#include "tests/card/commands.h"
#include "tests/card/pattern.h"
#include "tests/card/sw.h"

/* What a command may do beside returning data and a status word. */
struct applet_call {
	struct applet *applet;
	const struct apdu *apdu;
	struct applet_answer *answer;
	bool raw; /* the response is complete without a status word */
};

int applet_init(struct applet *applet, const char *pin, unsigned int tries_max)
{
	size_t size = strlen(pin);
	int r;

	memset(applet, 0, sizeof(*applet));
	if (size == 0 || size > APPLET_PIN_MAX)
		return APPLET_BAD_PIN;
	memcpy(applet->pin, pin, size);
	applet->pin_size = size;
	applet->tries_max = applet->tries_left = applet->code_tries_left = tries_max;
	r = payload_init(&applet->response, COMMAND_RESPONSE_MAX + 2);
	return r != 0 ? r : openpgp_init(&applet->openpgp);
}

void applet_deinit(struct applet *applet)
{
	payload_deinit(&applet->response);
	openpgp_deinit(&applet->openpgp);
	payload_wipe(applet->pin, sizeof(applet->pin));
}

/* What does not survive a change of power. */
static void applet_forget(struct applet *applet, bool powered)
{
	applet->powered = powered;
	applet->verified = false;
	applet->stored = 0;
	openpgp_deselect(&applet->openpgp);
}

void applet_power_on(struct applet *applet)
{
	applet_forget(applet, true);
	applet->counters.power_ups++;
}

void applet_power_off(struct applet *applet)
{
	if (applet->powered)
		applet->counters.power_offs++;
	applet_forget(applet, false);
}

void applet_reset(struct applet *applet)
{
	applet_forget(applet, true);
	applet->counters.resets++;
}

void applet_restore_tries(struct applet *applet)
{
	applet->tries_left = applet->code_tries_left = applet->tries_max;
	applet->verified = false;
}

/* Appends to the response. No command's data is longer than the response may be. */
static void applet_put(struct applet *applet, const void *bytes, size_t size)
{
	if (size > 0)
		(void)payload_append(&applet->response,
				     (struct payload_view){ .bytes = bytes, .size = size });
}

static void applet_put_u16(struct applet *applet, uint16_t value)
{
	const uint8_t bytes[] = { (uint8_t)(value >> 8), (uint8_t)(value & 0xFF) };

	applet_put(applet, bytes, sizeof(bytes));
}

static void applet_put_u32(struct applet *applet, uint32_t value)
{
	applet_put_u16(applet, (uint16_t)(value >> 16));
	applet_put_u16(applet, (uint16_t)(value & 0xFFFF));
}

/* size <= COMMAND_RESPONSE_MAX */
static void applet_put_pattern(struct applet *applet, size_t size, uint32_t seed)
{
	static uint8_t bytes[COMMAND_RESPONSE_MAX];

	pattern_fill(bytes, size, seed);
	applet_put(applet, bytes, size);
}

static uint16_t applet_source(struct applet_call *call)
{
	uint16_t n = apdu_p1p2(call->apdu);

	if (n > COMMAND_RESPONSE_MAX)
		return SW_WRONG_P1P2;
	applet_put_pattern(call->applet, n, n);
	return SW_OK;
}

static bool applet_data_is_pattern(const struct applet_call *call, uint32_t seed)
{
	const struct payload_view data = call->apdu->data;

	return pattern_mismatch(data.bytes, data.size, seed) == data.size;
}

static uint16_t applet_sink(struct applet_call *call)
{
	const struct payload_view data = call->apdu->data;
	uint16_t n = apdu_p1p2(call->apdu);

	if (call->apdu->has_le) {
		applet_put_u32(call->applet, (uint32_t)data.size);
		applet_put_u32(call->applet, pattern_hash(data.bytes, data.size));
	}
	if (data.size != n)
		return SW_WRONG_LENGTH;
	return applet_data_is_pattern(call, n) ? SW_OK : SW_WRONG_DATA;
}

static uint16_t applet_echo(struct applet_call *call)
{
	applet_put(call->applet, call->apdu->data.bytes, call->apdu->data.size);
	return SW_OK;
}

static uint16_t applet_both(struct applet_call *call)
{
	if (!applet_data_is_pattern(call, (uint32_t)call->apdu->data.size))
		return SW_WRONG_DATA;
	return applet_source(call);
}

/* 61xx while there is something to fetch, as the cards of ISO/IEC 7816-3, 10.3.4 do. */
static uint16_t applet_stored_sw(const struct applet *applet)
{
	if (applet->stored == 0)
		return SW_OK;
	return (uint16_t)(SW_BYTES_LEFT | (applet->stored > 255 ? 0 : applet->stored));
}

static uint16_t applet_store(struct applet_call *call)
{
	uint16_t n = apdu_p1p2(call->apdu);

	if (n > COMMAND_RESPONSE_MAX)
		return SW_WRONG_P1P2;
	call->applet->stored = call->applet->stored_seed = n;
	return applet_stored_sw(call->applet);
}

static uint16_t applet_get_response(struct applet_call *call)
{
	static uint8_t bytes[COMMAND_RESPONSE_MAX];
	struct applet *applet = call->applet;
	uint32_t total = applet->stored_seed, start = total - applet->stored;
	uint32_t size = applet->stored < call->apdu->ne ? applet->stored : call->apdu->ne;

	if (applet->stored == 0)
		return SW_CONDITIONS;
	pattern_fill(bytes, total, total);
	applet_put(applet, &bytes[start], size);
	applet->stored -= size;
	return applet_stored_sw(applet);
}

static uint16_t applet_work(struct applet_call *call)
{
	call->answer->delay_ms = apdu_p1p2(call->apdu);
	return applet_echo(call);
}

static uint16_t applet_mute(struct applet_call *call)
{
	call->answer->action = APPLET_MUTE;
	return SW_OK;
}

static uint16_t applet_raw(struct applet_call *call)
{
	call->raw = true;
	if (call->apdu->data.size == 0) {
		call->answer->action = APPLET_FIN;
		call->answer->away_ms = 1000;
	}
	return applet_echo(call);
}

static uint16_t applet_sw(struct applet_call *call)
{
	(void)applet_echo(call);
	return apdu_p1p2(call->apdu);
}

static uint16_t applet_drop(struct applet_call *call)
{
	struct cursor_in in = cursor_in(call->apdu->data.bytes, call->apdu->data.size);

	if (in.left > 0)
		call->answer->delay_ms = in_be16(&in);
	if (!in_done(&in))
		return SW_WRONG_LENGTH;
	call->answer->away_ms = call->apdu->p2 * 100u;
	switch (call->apdu->p1) {
	case COMMAND_DROP_FIN:
		call->answer->action = APPLET_FIN;
		return SW_OK;
	case COMMAND_DROP_RST:
		call->answer->action = APPLET_RST;
		return SW_OK;
	case COMMAND_DROP_CUT:
		call->answer->action = APPLET_CUT;
		applet_put_pattern(call->applet, 254, 254);
		return SW_OK;
	default:
		return SW_WRONG_P1P2;
	}
}

static uint16_t applet_sign(struct applet_call *call)
{
	uint16_t sw;

	if (!call->applet->verified)
		return SW_PIN_MISSING;
	sw = applet_source(call);
	if (sw == SW_OK)
		call->applet->counters.signatures++;
	return sw;
}

static uint16_t applet_counters(struct applet_call *call)
{
	const struct applet_counters *counters = &call->applet->counters;

	applet_put_u32(call->applet, counters->power_ups);
	applet_put_u32(call->applet, counters->resets);
	applet_put_u32(call->applet, counters->apdus);
	applet_put_u32(call->applet, counters->verifies);
	applet_put_u32(call->applet, counters->signatures);
	return SW_OK;
}

static uint16_t applet_pin_state(const struct applet *applet)
{
	if (applet->tries_left == 0)
		return SW_PIN_BLOCKED;
	return applet->verified ? SW_OK : (uint16_t)(SW_TRIES_LEFT | (applet->tries_left & 0xF));
}

/* PINs come bare or padded to a fixed length, with FF or 00. */
static bool applet_pin_matches(const struct applet *applet, struct payload_view data)
{
	if (data.size < applet->pin_size)
		return false;
	for (size_t i = applet->pin_size; i < data.size; i++) {
		if (data.bytes[i] != 0xFF && data.bytes[i] != 0x00)
			return false;
	}
	return memcmp(data.bytes, applet->pin, applet->pin_size) == 0;
}

/* What all that concern the PIN have in common. */
static uint16_t applet_pin_parameters(const struct applet_call *call)
{
	if (call->apdu->p1 != 0)
		return SW_WRONG_P1P2;
	return (call->apdu->p2 & 0x7F) > 1 ? SW_NO_REFERENCE : SW_OK;
}

/* The try is taken before the comparison, as real cards do. */
static uint16_t applet_try_pin(struct applet *applet, struct payload_view data)
{
	applet->counters.verifies++;
	applet->verified = false;
	if (applet->tries_left == 0)
		return SW_PIN_BLOCKED;
	applet->tries_left--;
	if (applet_pin_matches(applet, data)) {
		applet->verified = true;
		applet->tries_left = applet->tries_max;
	}
	return applet_pin_state(applet);
}

/* ISO/IEC 7816-4, 11.6.6 */
static uint16_t applet_verify(struct applet_call *call)
{
	uint16_t sw = applet_pin_parameters(call);

	if (sw != SW_OK)
		return sw;
	if (call->apdu->data.size == 0)
		return applet_pin_state(call->applet);
	return applet_try_pin(call->applet, call->apdu->data);
}

/* Of the PIN's length, as it was. */
static uint16_t applet_set_pin(struct applet *applet, const uint8_t *pin)
{
	memcpy(applet->pin, pin, applet->pin_size);
	applet->tries_left = applet->tries_max;
	return SW_OK;
}

/* ISO/IEC 7816-4, 11.6.7: the PIN and the new one. */
static uint16_t applet_change(struct applet_call *call)
{
	struct applet *applet = call->applet;
	struct payload_view data = call->apdu->data;
	uint16_t sw = applet_pin_parameters(call);

	if (sw != SW_OK)
		return sw;
	if (data.size != 2 * applet->pin_size)
		return SW_WRONG_LENGTH;
	data.size = applet->pin_size;
	sw = applet_try_pin(applet, data);
	return sw != SW_OK ? sw : applet_set_pin(applet, data.bytes + applet->pin_size);
}

/* ISO/IEC 7816-4, 11.6.10: the resetting code and the new PIN. */
static uint16_t applet_reset_retries(struct applet_call *call)
{
	static const uint8_t code[] = COMMAND_CODE;
	struct applet *applet = call->applet;
	const struct payload_view data = call->apdu->data;
	uint16_t sw = applet_pin_parameters(call);

	if (sw != SW_OK)
		return sw;
	if (data.size != sizeof(code) + applet->pin_size)
		return SW_WRONG_LENGTH;
	if (applet->code_tries_left == 0)
		return SW_PIN_BLOCKED;
	applet->code_tries_left--;
	if (memcmp(data.bytes, code, sizeof(code)) != 0)
		return (uint16_t)(SW_TRIES_LEFT | (applet->code_tries_left & 0xF));
	applet->code_tries_left = applet->tries_max;
	return applet_set_pin(applet, data.bytes + sizeof(code));
}

/* ISO/IEC 7816-4, 11.2.2: by name, and two names only. */
static uint16_t applet_select(struct applet_call *call)
{
	static const uint8_t aid[] = COMMAND_AID;
	const struct payload_view data = call->apdu->data;
	uint8_t fci[4 + sizeof(aid)] = { 0x6F, 2 + sizeof(aid), 0x84, sizeof(aid) };

	openpgp_deselect(&call->applet->openpgp);
	if (call->apdu->p1 == 0x04 && openpgp_select(&call->applet->openpgp, data))
		return SW_OK;
	if (call->apdu->p1 != 0x04 || data.size != sizeof(aid) ||
	    memcmp(data.bytes, aid, sizeof(aid)) != 0)
		return SW_FILE_NOT_FOUND;
	memcpy(&fci[4], aid, sizeof(aid));
	if (call->apdu->has_le)
		applet_put(call->applet, fci, sizeof(fci));
	return SW_OK;
}

static uint16_t applet_uid(struct applet_call *call)
{
	static const uint8_t uid[] = COMMAND_UID;

	if (apdu_p1p2(call->apdu) != 0)
		return SW_NO_REFERENCE;
	applet_put(call->applet, uid, sizeof(uid));
	return SW_OK;
}

static uint16_t applet_no_file(struct applet_call *call)
{
	(void)call;
	return SW_NO_CURRENT_FILE;
}

static uint16_t applet_no_object(struct applet_call *call)
{
	(void)call;
	return SW_NO_REFERENCE;
}

static const struct applet_command {
	uint8_t cla;
	uint8_t ins;
	uint16_t (*run)(struct applet_call *call);
} applet_commands[] = {
	{ COMMAND_CLA_ISO, COMMAND_VERIFY, applet_verify },
	{ COMMAND_CLA_ISO, COMMAND_CHANGE, applet_change },
	{ COMMAND_CLA_ISO, COMMAND_RESET_RETRIES, applet_reset_retries },
	{ COMMAND_CLA_ISO, COMMAND_SELECT, applet_select },
	{ COMMAND_CLA_ISO, COMMAND_READ_BINARY, applet_no_file },
	{ COMMAND_CLA_ISO, COMMAND_GET_RESPONSE, applet_get_response },
	{ COMMAND_CLA_ISO, COMMAND_GET_DATA, applet_no_object },
	{ COMMAND_CLA_PSEUDO, COMMAND_GET_DATA, applet_uid },
	{ COMMAND_CLA_OWN, COMMAND_SOURCE, applet_source },
	{ COMMAND_CLA_OWN, COMMAND_SINK, applet_sink },
	{ COMMAND_CLA_OWN, COMMAND_ECHO, applet_echo },
	{ COMMAND_CLA_OWN, COMMAND_BOTH, applet_both },
	{ COMMAND_CLA_OWN, COMMAND_STORE, applet_store },
	{ COMMAND_CLA_OWN, COMMAND_WORK, applet_work },
	{ COMMAND_CLA_OWN, COMMAND_MUTE, applet_mute },
	{ COMMAND_CLA_OWN, COMMAND_RAW, applet_raw },
	{ COMMAND_CLA_OWN, COMMAND_SW, applet_sw },
	{ COMMAND_CLA_OWN, COMMAND_DROP, applet_drop },
	{ COMMAND_CLA_OWN, COMMAND_SIGN, applet_sign },
	{ COMMAND_CLA_OWN, COMMAND_COUNTERS, applet_counters },
	/* GnuPG fetches in the class of the command before. */
	{ COMMAND_CLA_OWN, COMMAND_GET_RESPONSE, applet_get_response },
};

/* What the OpenPGP application takes while it is selected: all of the standard class but SELECT. */
static bool applet_is_for_openpgp(const struct applet_call *call)
{
	return call->applet->openpgp.selected && call->apdu->cla == COMMAND_CLA_ISO &&
	       call->apdu->ins != COMMAND_SELECT;
}

/* ISO/IEC 7816-4, 5.6: an unknown class and an unknown instruction are told apart. */
static uint16_t applet_dispatch(struct applet_call *call)
{
	bool class_known = false;

	if (applet_is_for_openpgp(call))
		return openpgp_execute(&call->applet->openpgp, call->apdu, &call->applet->response);
	for (size_t i = 0; i < sizeof(applet_commands) / sizeof(applet_commands[0]); i++) {
		if (applet_commands[i].cla != call->apdu->cla)
			continue;
		class_known = true;
		if (applet_commands[i].ins == call->apdu->ins)
			return applet_commands[i].run(call);
	}
	return class_known ? SW_WRONG_INS : SW_WRONG_CLA;
}

void applet_execute(struct applet *applet, struct payload_view command,
		    struct applet_answer *answer)
{
	struct apdu apdu;
	struct applet_call call = { .applet = applet, .apdu = &apdu, .answer = answer };
	uint16_t sw;

	memset(answer, 0, sizeof(*answer));
	payload_clear(&applet->response);
	applet->counters.apdus++;
	if (apdu_decode(command, &apdu) == APDU_MALFORMED)
		sw = SW_WRONG_LENGTH;
	else if (!applet->powered)
		sw = SW_CONDITIONS;
	else
		sw = applet_dispatch(&call);
	if (!call.raw)
		applet_put_u16(applet, sw);
	answer->response = payload_view(&applet->response);
}
