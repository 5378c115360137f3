/*
 * Steps: what `exchange` does one after the other. Each leaves an outcome, one word that a test can
 * expect by name, and a detail for the line that is printed about it.
 *
 * The outcome is "ok", a status word ("63C2"), the name of PC/SC's error, "short" for a success
 * with fewer than two bytes, or "mismatch" when an answer came and was not the right one.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include "tests/pcsc/command.h"
#include "tests/pcsc/session.h"

#define STEP_OUTCOME_MAX 40
#define STEP_DETAIL_MAX 512

struct step_run {
	struct session *session;
	char outcome[STEP_OUTCOME_MAX];
	char detail[STEP_DETAIL_MAX];
};

enum {
	STEP_FAILED = 1, /* the outcome says how */
	STEP_USAGE = 2,  /* the arguments make no sense; the outcome is not set */
};

struct step {
	const char *name;
	const char *arguments; /* for the usage */
	int min, max;          /* number of arguments */
	/* Returns 0, STEP_FAILED or STEP_USAGE. arguments does not hold the step's name. */
	int (*run)(struct step_run *run, int count, char **arguments);
};

/* The tables of steps, each ending with a NULL name. */
extern const struct step steps_data[];    /* data through the card, verified byte by byte */
extern const struct step steps_card[];    /* commands with an effect: PIN, time, trouble */
extern const struct step steps_session[]; /* what needs no APDU */
extern const struct step steps_control[]; /* PIN pad and escapes */

/* Parses a decimal number from min to max. Returns 0 or STEP_USAGE. */
int step_number(const char *text, unsigned long min, unsigned long max, unsigned long *number);

/* Parses exactly four hexadecimal digits. Returns 0 or STEP_USAGE. */
int step_hex16(const char *text, uint16_t *number);

/* Sets the outcome to "ok", or to the result's name. Returns 0 or STEP_FAILED. */
int step_result(struct step_run *run, LONG result);

/*
 * Sends a command. The outcome becomes the status word, or what prevented one. Returns 0 when there
 * is a status word, whatever it says, or STEP_FAILED.
 */
int step_send(struct step_run *run, const struct command *command);

/*
 * Sends a command and compares the answer: size bytes of data at expected, then sw. Returns 0, or
 * STEP_FAILED with a detail that names the command's form, the lengths and the first wrong byte.
 */
int step_expect(struct step_run *run, const struct command *command, const uint8_t *expected,
		size_t size, uint16_t sw);

/* Sets the outcome to "ok" and the detail to the times of all APDUs of this step. */
int step_timed_ok(struct step_run *run);
