/*
 * The host's readers, kept current by the monitor process, which is started again whenever it dies.
 * What each can do is found out by probers.
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
	const char *log_level;
	void (*changed)(void *context); /* the table is not what it was */
	void (*fail)(void *context, int error);
	void *context;

	struct reader_table table;
	struct reader_probes probes;
	bool known;              /* the monitor has reported once */
	struct child *monitor;   /* NULL: between two lives */
	uv_timer_t timer;        /* to its next one */
	uint64_t started;        /* ms of the loop's clock */
	unsigned int back_off;   /* ms */
	bool begun;              /* it was started at all */
	bool stopping;
};

/* Starts the monitor. The first six members are set by the caller, the others are 0. */
void host_readers_start(struct host_readers *readers);

/* Stops the monitor, if it was started; the loop has to go on until it has ended. */
void host_readers_stop(struct host_readers *readers);

/* Frees; after the loop has ended. */
void host_readers_deinit(struct host_readers *readers);
