/*
 * Plays a conversation with one half of a session. A conversation is a list of lines, each a time
 * in ms, a verb and a text; NULL ends it:
 *
 *     "0 out HELLO incarnation=1"          the half sends this, exactly now
 *     "5 in WELCOME session=7 incarnation=1"      it is given this
 *     "5 event up"                         it reports this, exactly now
 *     "2500 end"                           nothing else happens up to here
 *
 * The player lets time pass from deadline to deadline. Whatever the half puts out must be the next
 * expected line, at its time; the words of an expectation must all be there (wire_text_fits()).
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct player_half {
	uint64_t (*deadline)(const void *half);
	void (*tick)(void *half, uint64_t now);
	/* Carries out any verb but "out", "event" and "end"; fails the test when it doesn't work. */
	void (*input)(void *half, uint64_t now, const char *verb, const char *text);
	/* The next output as "event ..." or "out ...", or false. */
	bool (*output)(void *half, char *line, size_t size);
};

void player_play(const struct player_half *functions, void *half, const char *const *conversation);
