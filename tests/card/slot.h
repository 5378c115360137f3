/*
 * A card in one of vpcd's slots: the TCP connection that means "inserted", and the time that a
 * command takes. The edge between libuv and the applet.
 *
 *     OUT          not inserted.
 *     AWAY         left by itself, and will be put back when its timer ends.
 *     WAITING      inserted, but vpcd doesn't listen; tries again every 50 ms.
 *     CONNECTING   connect(2) is under way.
 *     IDLE         connected; the next frame is handled when it comes.
 *     WORKING      an APDU runs; its timer will end it. Frames wait.
 *     STUCK        an APDU that gets no answer. Frames wait.
 *
 * A connection that vpcd ends (pcscd was stopped) takes the card's power away; the card stays
 * inserted and tries to connect again.
 *
 * vpcd accepts a connection and notices its end only when it polls, every 400 ms: a card that is
 * put back sooner after an APDU was cut is not seen as a new one. And it waits for each answer for
 * ever, so a card that doesn't answer to reset ends the connection and makes a new one at once:
 * power-up fails, the next poll finds a card, and pcscd has one that is present and mute.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "tests/card/applet.h"
#include "tests/card/atr.h"
#include "tests/card/cardlog.h"
#include "tests/card/vpcd.h"

/* Longest name of an ATR: "hex:" and 33 bytes. */
#define SLOT_ATR_NAME_MAX (4 + 2 * ATR_MAX + 1)

enum slot_state {
	SLOT_OUT,
	SLOT_AWAY,
	SLOT_WAITING,
	SLOT_CONNECTING,
	SLOT_IDLE,
	SLOT_WORKING,
	SLOT_STUCK,
};

struct slot_connection;

struct slot {
	uv_loop_t *loop;
	struct cardlog *log;
	unsigned int index;
	struct sockaddr_in address;
	enum slot_state state;
	struct slot_connection *connection; /* while CONNECTING and beyond */
	uv_timer_t timer;                   /* one purpose per state: AWAY, WAITING, WORKING */
	struct vpcd vpcd;
	struct applet applet;
	struct applet_answer answer;        /* of the APDU that is WORKING or STUCK */
	struct atr atr;
	char atr_next[SLOT_ATR_NAME_MAX];   /* the name of the ATR to have when inserted */
	bool mute_atr;
	bool mute_apdu;
	bool corrupt;                       /* turn a bit of each answer: a test of the tests */
	bool refuse_atr;                    /* the next request for the ATR follows a reset */
	uint32_t delay_ms;                  /* added to each APDU's own */
	uint64_t apdu_number;
	uint64_t apdu_start_ns;
};

struct slot_config {
	struct sockaddr_in address;
	const char *atr; /* a name that atr_by_name() knows */
	const char *pin;
	unsigned int tries;
};

enum {
	SLOT_BAD_ATR = 1, /* atr_by_name() does not know the name */
	SLOT_BAD_PIN = 2, /* see APPLET_BAD_PIN */
};

/* Makes slot number index, OUT. Returns 0, SLOT_BAD_ATR, SLOT_BAD_PIN or fatal. */
int slot_init(struct slot *slot, uv_loop_t *loop, struct cardlog *log, unsigned int index,
	      const struct slot_config *config);

/* Removes the card and starts closing the timer; run the loop once more before freeing the slot. */
void slot_close(struct slot *slot);

/* Frees what the closed slot held. */
void slot_deinit(struct slot *slot);

/* Both do nothing when the card is in, or out, already. */
void slot_insert(struct slot *slot);
void slot_remove(struct slot *slot);

/* Removes the card and puts it back after away_ms, at least one turn of the loop later. */
void slot_swap(struct slot *slot, uint32_t away_ms);

/* Has effect from the next insertion on. Returns 0 or SLOT_BAD_ATR. */
int slot_set_atr(struct slot *slot, const char *name);

/* Refuse to answer to reset, and to answer APDUs. An APDU that was stuck for it gets its answer. */
void slot_set_mute(struct slot *slot, bool mute_atr, bool mute_apdu);

bool slot_inserted(const struct slot *slot);
const char *slot_state_name(const struct slot *slot);
