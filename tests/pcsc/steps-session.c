/*
 * Steps without an APDU: connections, resets, transactions, status, waiting.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/pcsc/names.h"
#include "tests/pcsc/step.h"

/* The disposition by name, or the default when there is none; STEP_USAGE for another word. */
static int parse_disposition(int count, char **arguments, DWORD *disposition)
{
	static const struct {
		const char *word;
		DWORD value;
	} table[] = {
		{ "leave", SCARD_LEAVE_CARD }, { "reset", SCARD_RESET_CARD },
		{ "unpower", SCARD_UNPOWER_CARD }, { "eject", SCARD_EJECT_CARD },
		{ "warm", SCARD_RESET_CARD }, { "cold", SCARD_UNPOWER_CARD },
	};

	if (count == 0)
		return 0;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (strcmp(arguments[0], table[i].word) == 0) {
			*disposition = table[i].value;
			return 0;
		}
	}
	return STEP_USAGE;
}

static void detail_protocol(struct step_run *run, uint64_t start_us)
{
	(void)snprintf(run->detail, sizeof(run->detail), "protocol=%s ms=%.3f",
		       protocol_name(run->session->protocol),
		       (double)(timing_now_us() - start_us) / 1000.0);
}

static int step_connect(struct step_run *run, int count, char **arguments)
{
	uint64_t start = timing_now_us();
	int r = step_result(run, session_connect(run->session));

	(void)count, (void)arguments;
	detail_protocol(run, start);
	return r;
}

static int step_disconnect(struct step_run *run, int count, char **arguments)
{
	DWORD disposition = run->session->options.disposition;

	if (parse_disposition(count, arguments, &disposition) != 0)
		return STEP_USAGE;
	return step_result(run, session_disconnect(run->session, disposition));
}

static int step_reset(struct step_run *run, int count, char **arguments)
{
	DWORD initialization = SCARD_RESET_CARD;
	uint64_t start = timing_now_us();
	int r;

	if (parse_disposition(count, arguments, &initialization) != 0)
		return STEP_USAGE;
	r = step_result(run, session_reconnect(run->session, initialization));
	detail_protocol(run, start);
	return r;
}

static int step_begin(struct step_run *run, int count, char **arguments)
{
	uint64_t start = timing_now_us();
	int r = step_result(run, SCardBeginTransaction(run->session->card));

	(void)count, (void)arguments;
	(void)snprintf(run->detail, sizeof(run->detail), "ms=%.3f",
		       (double)(timing_now_us() - start) / 1000.0);
	return r;
}

static int step_end(struct step_run *run, int count, char **arguments)
{
	DWORD disposition = SCARD_LEAVE_CARD;

	if (parse_disposition(count, arguments, &disposition) != 0)
		return STEP_USAGE;
	return step_result(run, SCardEndTransaction(run->session->card, disposition));
}

static LONG card_status(struct session *session, unsigned char *atr, DWORD *atr_size)
{
	char name[MAX_READERNAME];
	DWORD name_size = sizeof(name), state, protocol;

	return SCardStatus(session->card, name, &name_size, &state, &protocol, atr, atr_size);
}

static int step_atr(struct step_run *run, int count, char **arguments)
{
	unsigned char atr[MAX_ATR_SIZE];
	char hex[2 * MAX_ATR_SIZE + 1] = "";
	DWORD size = sizeof(atr);
	int r = step_result(run, card_status(run->session, atr, &size));

	(void)count, (void)arguments;
	if (r == 0)
		hex_words(atr, size, hex, sizeof(hex));
	(void)snprintf(run->detail, sizeof(run->detail), "reader=\"%s\" protocol=%s atr=%s",
		       run->session->reader, protocol_name(run->session->protocol), hex);
	return r;
}

/* How long the answers take that need no card: SCardStatus, and a status change of the past. */
static int step_status(struct step_run *run, int count, char **arguments)
{
	struct timing status = TIMING_NULL, change = TIMING_NULL;
	SCARD_READERSTATE state = { .szReader = run->session->reader };
	unsigned char atr[MAX_ATR_SIZE];
	unsigned long rounds = 100;
	uint64_t start;
	DWORD size;
	int r = 0;
	size_t used;

	if (count > 0 && step_number(arguments[0], 1, 10000000, &rounds) != 0)
		return STEP_USAGE;
	for (unsigned long i = 0; r == 0 && i < rounds; i++) {
		size = sizeof(atr);
		start = timing_now_us();
		r = step_result(run, card_status(run->session, atr, &size));
		(void)timing_add(&status, timing_now_us() - start);
		start = timing_now_us();
		if (r == 0) /* an unknown current state: answered at once */
			r = step_result(run,
					SCardGetStatusChange(run->session->context, 0, &state, 1));
		(void)timing_add(&change, timing_now_us() - start);
	}
	timing_text(&status, "status", run->detail, sizeof(run->detail));
	used = strlen(run->detail);
	run->detail[used++] = ' ';
	timing_text(&change, "status-change", &run->detail[used], sizeof(run->detail) - used);
	timing_deinit(&status);
	timing_deinit(&change);
	return r;
}

static int step_sleep(struct step_run *run, int count, char **arguments)
{
	unsigned long ms;

	(void)count;
	if (step_number(arguments[0], 0, 3600000, &ms) != 0)
		return STEP_USAGE;
	(void)usleep((useconds_t)(ms * 1000));
	return step_result(run, SCARD_S_SUCCESS);
}

static int step_wait(struct step_run *run, int count, char **arguments)
{
	unsigned long ms = 10000;
	uint64_t start = timing_now_us();
	DWORD bits;
	int r;

	if (strcmp(arguments[0], "present") == 0)
		bits = SCARD_STATE_PRESENT;
	else if (strcmp(arguments[0], "empty") == 0)
		bits = SCARD_STATE_EMPTY;
	else
		return STEP_USAGE;
	if (count > 1 && step_number(arguments[1], 0, 3600000, &ms) != 0)
		return STEP_USAGE;
	r = step_result(run, session_wait_state(run->session, bits, (unsigned int)ms));
	(void)snprintf(run->detail, sizeof(run->detail), "ms=%.3f",
		       (double)(timing_now_us() - start) / 1000.0);
	return r;
}

const struct step steps_session[] = {
	{ "atr", "", 0, 0, step_atr },
	{ "status", "[ROUNDS]", 0, 1, step_status },
	{ "reset", "[warm|cold|leave]", 0, 1, step_reset },
	{ "connect", "", 0, 0, step_connect },
	{ "disconnect", "[leave|reset|unpower|eject]", 0, 1, step_disconnect },
	{ "begin", "", 0, 0, step_begin },
	{ "end", "[leave|reset|unpower|eject]", 0, 1, step_end },
	{ "wait", "present|empty [MS]", 1, 2, step_wait },
	{ "sleep", "MS", 1, 1, step_sleep },
	{ NULL, NULL, 0, 0, NULL },
};
