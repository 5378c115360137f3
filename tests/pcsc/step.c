/*
 * What all steps share: sending, comparing, naming.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "tests/pcsc/step.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/pcsc/names.h"

int step_number(const char *text, unsigned long min, unsigned long max, unsigned long *number)
{
	char *end;

	*number = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || *number < min || *number > max)
		return STEP_USAGE;
	return 0;
}

int step_hex16(const char *text, uint16_t *number)
{
	if (strlen(text) != 4 || strspn(text, "0123456789ABCDEFabcdef") != 4)
		return STEP_USAGE;
	*number = (uint16_t)strtoul(text, NULL, 16);
	return 0;
}

int step_result(struct step_run *run, LONG result)
{
	if (result == SCARD_S_SUCCESS) {
		(void)snprintf(run->outcome, sizeof(run->outcome), "ok");
		return 0;
	}
	(void)snprintf(run->outcome, sizeof(run->outcome), "%s", scard_name(result));
	return STEP_FAILED;
}

int step_send(struct step_run *run, const struct command *command)
{
	static uint8_t bytes[COMMAND_APDU_MAX];
	struct cursor_out out = cursor_out(bytes, sizeof(bytes));
	int sw;

	if (command_encode(command, &out) != 0)
		return STEP_USAGE;
	if (step_result(run, session_transmit(run->session, bytes, out.size)) != 0)
		return STEP_FAILED;
	sw = session_sw(run->session);
	if (sw < 0) {
		(void)snprintf(run->outcome, sizeof(run->outcome), "short");
		return STEP_FAILED;
	}
	(void)snprintf(run->outcome, sizeof(run->outcome), "%04X", (unsigned int)sw);
	return 0;
}

/* The offset of the first difference in the part that both have. */
static size_t step_first_difference(const struct session *session, const uint8_t *expected,
				    size_t size)
{
	size_t i = 0;

	while (i < size && i + 2 < session->response_size && session->response[i] == expected[i])
		i++;
	return i;
}

int step_expect(struct step_run *run, const struct command *command, const uint8_t *expected,
		size_t size, uint16_t sw)
{
	const struct session *session = run->session;
	int r = step_send(run, command);
	size_t same;

	if (r == STEP_USAGE)
		return r;
	same = step_first_difference(session, expected, size);
	if (r == 0 && session_sw(session) == sw && session->response_size == size + 2 &&
	    same == size)
		return 0;
	(void)snprintf(
		run->detail, sizeof(run->detail),
		"case=%s cla=%02X ins=%02X p1p2=%04X nc=%zu ne=%u expected-bytes=%zu "
		"expected-sw=%04X received-bytes=%zu received=%s first-difference=%zu ms=%.3f",
		command_case(command), command->cla, command->ins, command->p1p2, command->nc,
		command->ne, size, sw, session->response_size < 2 ? 0 : session->response_size - 2,
		run->outcome, same, (double)session->last_us / 1000.0);
	if (r == 0)
		(void)snprintf(run->outcome, sizeof(run->outcome), "mismatch");
	return STEP_FAILED;
}

int step_timed_ok(struct step_run *run)
{
	timing_text(&run->session->timing, "apdus", run->detail, sizeof(run->detail));
	return step_result(run, SCARD_S_SUCCESS);
}
