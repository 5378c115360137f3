/*
 * The scripted card itself, without I/O and without a clock: an APDU or a change of power goes in,
 * an answer comes out together with the time that it should take and the way in which it is to go
 * wrong.
 *
 * It is either powered or not. Power-on, reset and power-off forget that the PIN was verified and
 * what GET RESPONSE would have fetched; the retry counter and the counters of events stay, as on a
 * real card. A command takes effect when it arrives, not when it is answered: a VERIFY whose
 * connection is cut while it works has used its try.
 *
 * It refuses to be a file system, and to judge Le: a command that promises N bytes answers N bytes.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/payload.h"
#include "tests/card/openpgp.h"

#define APPLET_PIN_MAX 16

struct applet_counters {
	uint32_t power_ups;
	uint32_t power_offs;
	uint32_t resets;
	uint32_t apdus;
	uint32_t verifies;   /* VERIFY and CHANGE commands with a PIN in them, right or wrong */
	uint32_t signatures; /* COMMAND_SIGN with the PIN verified */
};

struct applet {
	uint8_t pin[APPLET_PIN_MAX];
	size_t pin_size;
	unsigned int tries_max;
	unsigned int tries_left;
	unsigned int code_tries_left;
	bool powered;
	bool verified;
	uint32_t stored;      /* bytes that GET RESPONSE has still to fetch */
	uint32_t stored_seed;
	struct applet_counters counters;
	struct payload response;
	struct openpgp openpgp;
};

enum applet_action {
	APPLET_ANSWER, /* send the response */
	APPLET_MUTE,   /* never answer */
	APPLET_FIN,    /* leave without an answer */
	APPLET_RST,    /* the same, with a reset of the connection */
	APPLET_CUT,    /* leave in the middle of the response */
};

struct applet_answer {
	enum applet_action action;
	uint32_t delay_ms;            /* to wait before the action */
	uint32_t away_ms;             /* after leaving: put back after this time; 0 means never */
	struct payload_view response; /* borrowed from the applet until its next command */
};

enum {
	APPLET_BAD_PIN = 1, /* no digits, or too many */
};

/*
 * Makes an unpowered card whose PIN is the given text, with tries_max tries.
 * Returns 0, APPLET_BAD_PIN, or -ENOMEM.
 */
int applet_init(struct applet *applet, const char *pin, unsigned int tries_max);

/* May be called twice. */
void applet_deinit(struct applet *applet);

void applet_power_on(struct applet *applet);
void applet_power_off(struct applet *applet);
void applet_reset(struct applet *applet);

/* Gives back all tries; the PIN stays unverified. */
void applet_restore_tries(struct applet *applet);

/* Executes one command. command is not needed any more when the call returns. */
void applet_execute(struct applet *applet, struct payload_view command,
		    struct applet_answer *answer);
