/*
 * Core's view of the probers: which reader is being asked for its features.
 *
 *     waiting    the reader was plugged in a moment ago, and is not shown to guests yet
 *     running    it is shown, without a PIN pad or with the one that it had; the answer comes later
 *
 * A guest's reader can't change its descriptor, so it is worth PROBE_PATIENCE to know it before the
 * guest sees the reader; then a PIN pad that becomes known later makes the guest's reader go and
 * come.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <uv.h>

#include "host-bridge/child.h"
#include "host-bridge/reader_table.h"

#define PROBE_PATIENCE 1500 /* ms that a new reader is kept back */

struct reader_probe;

/* What the probes need of their owner; borrowed. */
struct reader_probes {
	uv_loop_t *loop;
	struct reader_table *table;     /* whose entries are written to */
	void (*changed)(void *context); /* the table is not what it was */
	void *context;
	struct reader_probe *first;
};

/*
 * Starts a prober for each reader of the table that needs one: those that were just plugged in, or
 * all if again (pcscd is another one than before).
 */
void reader_probes_start(struct reader_probes *probes, bool again);

/* Stops them all; the loop has to go on until they have ended. */
void reader_probes_stop(struct reader_probes *probes);
