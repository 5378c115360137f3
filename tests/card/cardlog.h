/*
 * The card's log: what tests read. One line per event, written with one call at once, in the form
 *
 *     seq=12 t=1732147200.123456 mono=4711.123456 card=0 ev=apdu-end n=3 len=258 sw=9000 ...
 *
 * seq counts the lines of the file, t is the time of day and mono the time since boot in seconds.
 * README.md in this folder lists the events and their fields. Data never gets here: commands and
 * responses are logged as length and hash.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdint.h>

#include "base/payload.h"

struct cardlog {
	int fd;
	uint64_t seq;
};

/* Appends to the file at path (created if need be), or writes to stdout for NULL. Fatal: -errno. */
int cardlog_init(struct cardlog *log, const char *path);

/* May be called twice. */
void cardlog_deinit(struct cardlog *log);

/* Writes one event of card number card; format gives the fields behind ev=, one
 * at least. */
void cardlog_event(struct cardlog *log, unsigned int card, const char *event, const char *format,
		   ...) __attribute__((format(printf, 4, 5)));

/*
 * The two events of APDU number number of a card: it has arrived, and its answer is sent (how is
 * "answer") or a part of it ("cut"), us microseconds later.
 */
void cardlog_apdu_begin(struct cardlog *log, unsigned int card, uint64_t number,
			struct payload_view command);
void cardlog_apdu_end(struct cardlog *log, unsigned int card, uint64_t number, const char *how,
		      struct payload_view response, uint64_t us);
