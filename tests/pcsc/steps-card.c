/*
 * Steps with one command each whose effect is on the card: PIN, time, and trouble on purpose.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/card/commands.h"
#include "tests/card/pattern.h"
#include "tests/pcsc/names.h"
#include "tests/pcsc/step.h"

static void detail_time(struct step_run *run)
{
	(void)snprintf(run->detail, sizeof(run->detail), "ms=%.3f",
		       (double)run->session->last_us / 1000.0);
}

/* The only step that prints what the card answers; meant for test data. */
static int step_apdu(struct step_run *run, int count, char **arguments)
{
	static char text[2 * MAX_BUFFER_SIZE_EXTENDED + 1];
	static uint8_t bytes[COMMAND_APDU_MAX];
	struct session *session = run->session;
	struct cursor_out out = cursor_out(bytes, sizeof(bytes));
	size_t length = strlen(arguments[0]);
	unsigned int byte;

	(void)count;
	for (size_t i = 0; i < length; i += 2) {
		if (i + 2 > length || strspn(&arguments[0][i], "0123456789ABCDEFabcdef") < 2 ||
		    sscanf(&arguments[0][i], "%2x", &byte) != 1)
			return STEP_USAGE;
		out_u8(&out, (uint8_t)byte);
	}
	if (!out_ok(&out))
		return STEP_USAGE;
	if (step_result(run, session_transmit(session, bytes, out.size)) != 0)
		return STEP_FAILED;
	hex_words(session->response, session->response_size, text, sizeof(text));
	(void)printf("response=%s\n", text);
	detail_time(run);
	if (session_sw(session) < 0)
		(void)snprintf(run->outcome, sizeof(run->outcome), "short");
	else
		(void)snprintf(run->outcome, sizeof(run->outcome), "%04X",
			       (unsigned int)session_sw(session));
	return 0;
}

static int step_delay(struct step_run *run, int count, char **arguments)
{
	static const uint8_t data[] = { 'w', 'o', 'r', 'k' };
	struct command command = { .cla = COMMAND_CLA_OWN, .ins = COMMAND_WORK, .data = data,
				   .nc = sizeof(data), .ne = 256 };
	unsigned long ms;
	int r;

	(void)count;
	if (step_number(arguments[0], 0, 65535, &ms) != 0)
		return STEP_USAGE;
	command.p1p2 = (uint16_t)ms;
	r = step_expect(run, &command, data, sizeof(data), 0x9000);
	if (r != 0)
		return r;
	detail_time(run);
	if (run->session->last_us >= ms * 1000)
		return step_result(run, SCARD_S_SUCCESS);
	/* Nobody can be that fast. */
	(void)snprintf(run->outcome, sizeof(run->outcome), "mismatch");
	return STEP_FAILED;
}

static int step_verify(struct step_run *run, int count, char **arguments)
{
	struct command command = { .cla = COMMAND_CLA_ISO, .ins = COMMAND_VERIFY };
	int r;

	if (count > 0) {
		command.data = (const uint8_t *)arguments[0];
		command.nc = strlen(arguments[0]);
	}
	r = step_send(run, &command);
	detail_time(run);
	return r;
}

static int step_select(struct step_run *run, int count, char **arguments)
{
	static const uint8_t aid[] = COMMAND_AID;
	const struct command command = { .cla = COMMAND_CLA_ISO,
					 .ins = COMMAND_SELECT,
					 .p1p2 = 0x0400,
					 .data = aid,
					 .nc = sizeof(aid),
					 .ne = 256 };
	int r = step_send(run, &command);

	(void)count, (void)arguments;
	detail_time(run);
	return r;
}

/* A signature of n bytes, or the refusal of one: both are answers. */
static int step_sign(struct step_run *run, int count, char **arguments)
{
	static uint8_t wanted[COMMAND_RESPONSE_MAX];
	struct command command = { .cla = COMMAND_CLA_OWN, .ins = COMMAND_SIGN };
	unsigned long n = 128;
	int r;

	if (count > 0 && step_number(arguments[0], 1, COMMAND_RESPONSE_MAX, &n) != 0)
		return STEP_USAGE;
	command.p1p2 = (uint16_t)n;
	command.extended = n > 256;
	command.ne = command.extended ? 65536 : 256;
	r = step_send(run, &command);
	detail_time(run);
	if (r != 0 || session_sw(run->session) != 0x9000)
		return r;
	pattern_fill(wanted, n, (uint32_t)n);
	if (run->session->response_size == n + 2 && memcmp(run->session->response, wanted, n) == 0)
		return 0;
	(void)snprintf(run->outcome, sizeof(run->outcome), "mismatch");
	return STEP_FAILED;
}

static int step_sw(struct step_run *run, int count, char **arguments)
{
	struct command command = { .cla = COMMAND_CLA_OWN, .ins = COMMAND_SW };

	(void)count;
	if (step_hex16(arguments[0], &command.p1p2) != 0)
		return STEP_USAGE;
	return step_send(run, &command);
}

static int step_mute(struct step_run *run, int count, char **arguments)
{
	const struct command command = { .cla = COMMAND_CLA_OWN, .ins = COMMAND_MUTE };
	int r = step_send(run, &command);

	(void)count, (void)arguments;
	detail_time(run);
	return r;
}

static int step_drop(struct step_run *run, int count, char **arguments)
{
	static const char *const kinds[] = { "fin", "rst", "cut" };
	uint8_t after[2];
	struct command command = { .cla = COMMAND_CLA_OWN, .ins = COMMAND_DROP, .data = after };
	unsigned long back = 0, ms = 0;
	unsigned int kind = 0;
	int r;

	while (kind < 3 && strcmp(arguments[0], kinds[kind]) != 0)
		kind++;
	if (kind == 3 || (count > 1 && step_number(arguments[1], 0, 255, &back) != 0) ||
	    (count > 2 && step_number(arguments[2], 0, 65535, &ms) != 0))
		return STEP_USAGE;
	command.p1p2 = (uint16_t)(kind << 8 | back);
	after[0] = (uint8_t)(ms >> 8);
	after[1] = (uint8_t)(ms & 0xFF);
	command.nc = sizeof(after);
	r = step_send(run, &command);
	(void)snprintf(run->detail, sizeof(run->detail), "received=%zu ms=%.3f",
		       run->session->response_size, (double)run->session->last_us / 1000.0);
	return r;
}

static uint32_t be32(struct cursor_in *in)
{
	uint32_t high = in_be16(in);

	return high << 16 | in_be16(in);
}

static int step_counters(struct step_run *run, int count, char **arguments)
{
	const struct command command = { .cla = COMMAND_CLA_OWN,
					 .ins = COMMAND_COUNTERS,
					 .ne = 256 };
	int r = step_send(run, &command);
	struct cursor_in in = cursor_in(run->session->response, run->session->response_size);
	uint32_t power_ups, resets, apdus, verifies, signatures;

	(void)count, (void)arguments;
	if (r != 0 || session_sw(run->session) != 0x9000)
		return r;
	power_ups = be32(&in);
	resets = be32(&in);
	apdus = be32(&in);
	verifies = be32(&in);
	signatures = be32(&in);
	(void)snprintf(run->detail, sizeof(run->detail),
		       "power-ups=%u resets=%u apdus=%u verifies=%u signatures=%u", power_ups,
		       resets, apdus, verifies, signatures);
	return 0;
}

/* ---- sequences that nobody may get into ---- */

/* How often a card that somebody else has reset is taken up again before a round. */
#define RECONNECTS_MAX 10

struct rounds {
	unsigned long reconnects;
	struct timing waits; /* from the wish for the card to the answer to SELECT */
};

/* Between two rounds others may reset the card; that is no failure, if it is noticed at the begin. */
static int round_begin(struct step_run *run, struct rounds *rounds)
{
	struct session *session = run->session;
	LONG result = SCardBeginTransaction(session->card);

	for (int i = 0; i < RECONNECTS_MAX && result == SCARD_W_RESET_CARD; i++) {
		rounds->reconnects++;
		result = session_reconnect(session, SCARD_LEAVE_CARD);
		if (result == SCARD_S_SUCCESS)
			result = SCardBeginTransaction(session->card);
	}
	return step_result(run, result);
}

/* 0 if the step of that name was answered with 9000. */
static int round_part(struct step_run *run, int (*part)(struct step_run *, int, char **),
		      int count, char *argument)
{
	int r = part(run, count, &argument);

	return r == 0 && strcmp(run->outcome, "9000") != 0 ? STEP_FAILED : r;
}

static int round_sequence(struct step_run *run, struct rounds *rounds, char *bytes)
{
	static char pin[] = "123456";
	uint64_t start = timing_now_us();
	int r = round_begin(run, rounds);

	if (r != 0)
		return r;
	r = round_part(run, step_select, 0, NULL);
	(void)timing_add(&rounds->waits, timing_now_us() - start);
	if (r == 0)
		r = round_part(run, step_verify, 1, pin);
	if (r == 0)
		r = round_part(run, step_sign, 1, bytes);
	if (SCardEndTransaction(run->session->card, SCARD_LEAVE_CARD) != SCARD_S_SUCCESS && r == 0)
		r = STEP_FAILED;
	return r;
}

/* The size of the signature, BYTES, tells in the card's log whose sequence it is. */
static int step_rounds(struct step_run *run, int count, char **arguments)
{
	struct rounds rounds = { .waits = TIMING_NULL };
	unsigned long wanted, gap = 0, done = 0;
	char waits[200];
	int r = 0;

	if (step_number(arguments[0], 1, 100000, &wanted) != 0 ||
	    (count > 2 && step_number(arguments[2], 0, 60000, &gap) != 0))
		return STEP_USAGE;
	while (r == 0 && done < wanted) {
		r = round_sequence(run, &rounds, arguments[1]);
		done += r == 0 ? 1 : 0;
		(void)usleep((useconds_t)(gap * 1000));
	}
	timing_text(&rounds.waits, "waits", waits, sizeof(waits));
	(void)snprintf(run->detail, sizeof(run->detail), "rounds=%lu reconnects=%lu %s", done,
		       rounds.reconnects, waits);
	timing_deinit(&rounds.waits);
	return r;
}

/* ms between two tries to get a card that others have. */
#define TURN_AGAIN 50

struct turns {
	struct rounds rounds;
	unsigned long refusals;
	struct timing waits; /* from the wish for the card to the end of the turn's first round */
};

/*
 * What a program may be told of a card that somebody else has exclusively. PROTO_MISMATCH is what pcscd
 * 1.9.9 says when a card that is present could not be powered on: it has no ATR, and so no protocol.
 */
static bool turn_is_refused(LONG result)
{
	switch (result) {
	case SCARD_E_SHARING_VIOLATION:
	case SCARD_E_PROTO_MISMATCH:
	case SCARD_W_UNRESPONSIVE_CARD:
	case SCARD_W_UNPOWERED_CARD:
	case SCARD_W_REMOVED_CARD:
	case SCARD_E_NO_SMARTCARD:
		return true;
	default:
		return false;
	}
}

/* Connects, again and again if it has to, for wait_ms at most. */
static int turn_begin(struct step_run *run, struct turns *turns)
{
	uint64_t deadline = timing_now_us() + run->session->options.wait_ms * 1000ull;
	LONG result = session_connect(run->session);

	while (turn_is_refused(result) && timing_now_us() < deadline) {
		turns->refusals++;
		(void)usleep(TURN_AGAIN * 1000);
		result = session_connect(run->session);
	}
	return step_result(run, result);
}

static int turn_take(struct step_run *run, struct turns *turns, unsigned long wanted, char *bytes)
{
	struct session *session = run->session;
	uint64_t start = timing_now_us();
	int r = turn_begin(run, turns);

	for (unsigned long i = 0; r == 0 && i < wanted; i++) {
		r = round_sequence(run, &turns->rounds, bytes);
		if (i == 0)
			(void)timing_add(&turns->waits, timing_now_us() - start);
	}
	if (session->connected) {
		LONG result = session_disconnect(session, session->options.disposition);

		if (r == 0)
			r = step_result(run, result);
	}
	return r;
}

/* Rounds by the card's owner: it is let go of after each turn, and has to be got again. */
static int step_turns(struct step_run *run, int count, char **arguments)
{
	struct turns turns = { .rounds = { .waits = TIMING_NULL }, .waits = TIMING_NULL };
	unsigned long wanted, rounds, gap = 0, done = 0;
	char waits[200];
	int r = 0;

	if (step_number(arguments[0], 1, 100000, &wanted) != 0 ||
	    step_number(arguments[1], 1, 100000, &rounds) != 0 ||
	    (count > 3 && step_number(arguments[3], 0, 60000, &gap) != 0))
		return STEP_USAGE;
	while (r == 0 && done < wanted) {
		r = turn_take(run, &turns, rounds, arguments[2]);
		done += r == 0 ? 1 : 0;
		(void)usleep((useconds_t)(gap * 1000));
	}
	timing_text(&turns.waits, "waits", waits, sizeof(waits));
	(void)snprintf(run->detail, sizeof(run->detail), "turns=%lu refusals=%lu reconnects=%lu %s",
		       done, turns.refusals, turns.rounds.reconnects, waits);
	timing_deinit(&turns.waits);
	timing_deinit(&turns.rounds.waits);
	return r;
}

const struct step steps_card[] = {
	{ "apdu", "HEX", 1, 1, step_apdu },
	{ "delay", "MS", 1, 1, step_delay },
	{ "select", "", 0, 0, step_select },
	{ "verify", "[PIN]", 0, 1, step_verify },
	{ "sign", "[N]", 0, 1, step_sign },
	{ "rounds", "ROUNDS BYTES [GAP_MS]", 2, 3, step_rounds },
	{ "turns", "TURNS ROUNDS BYTES [GAP_MS]", 3, 4, step_turns },
	{ "sw", "XXXX", 1, 1, step_sw },
	{ "mute", "", 0, 0, step_mute },
	{ "drop", "fin|rst|cut [BACK_AFTER_100MS [AFTER_MS]]", 1, 3, step_drop },
	{ "counters", "", 0, 0, step_counters },
	{ NULL, NULL, 0, 0, NULL },
};
