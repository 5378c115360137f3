/*
 * The host's readers, kept current by the monitor process, which is started again whenever it dies.
 * What each can do is found out by probers.
 *
 *     at rest   no guest has a session: there is no monitor, nothing of ours is connected to pcscd,
 *               and nothing is known of its readers
 *     awake     a guest sees readers: the monitor's context keeps pcscd alive
 *
 * So a pcscd that systemd starts when it is asked for, and that ends when it is idle, runs while a
 * guest is there, since the guest's readers must show what happens to the host's, and no longer.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "host-bridge/child.h"
#include "host-bridge/reader_probe.h"
#include "host-bridge/reader_table.h"

struct host_readers {
	uv_loop_t *loop;
	void (*changed)(void *context); /* the table is not what it was */
	void (*forgotten)(void *context); /* nothing is known any more; nobody wants it either */
	void (*fail)(void *context, int error);
	void *context;

	struct reader_table table;
	struct reader_probes probes;
	bool known;              /* the monitor has reported once */
	bool foreign;            /* and what it said last was WATCH_FOREIGN */
	struct child *monitor;   /* NULL: between two lives */
	uv_timer_t timer;        /* to its next one */
	uint64_t started;        /* ms of the loop's clock */
	unsigned int back_off;   /* ms */
	uv_timer_t rest_timer;   /* to the rest */
	bool wanted;             /* by a guest */
	bool rest_due;           /* and was not, for as long as it takes */
	bool at_rest;            /* no monitor, or one that is on its way out */
	bool begun;              /* it was started at all */
	bool stopping;
};

/* Begins, at rest. The first five members are set by the caller, the others are 0. */
void host_readers_start(struct host_readers *readers);

/*
 * Whether a guest wants to see readers. Wakes the monitor at once, and lets it rest when nobody has
 * wanted it for a while. May be called as often as one likes.
 */
void host_readers_want(struct host_readers *readers, bool wanted);

/* Stops the monitor, if it was started; the loop has to go on until it has ended. */
void host_readers_stop(struct host_readers *readers);

/* Frees; after the loop has ended. */
void host_readers_deinit(struct host_readers *readers);
