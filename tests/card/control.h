/*
 * The control socket: a test's hand on the cards while they run.
 *
 * A unix stream socket, one command per line, one line of answer per command: "ok ..." or
 * "error: ...". A number in front of the command is the card's index, 0 if it is left out.
 *
 *     insert                put the card in; nothing happens if it is in
 *     remove                take it out; nothing happens if it is out
 *     swap [MS]             take it out and put it back after MS milliseconds (0)
 *     atr NAME              have this ATR from the next insertion on
 *     mute WHAT             on, off, atr (no answer to reset), apdu (no answer to APDUs)
 *     delay MS              let every APDU take that much longer
 *     corrupt on|off        turn a bit of the last data byte of every answer, unlogged
 *     restore-tries         the PIN's retry counter back to its start
 *     state                 state, ATR and PIN state as key=value
 *     counters              the counters of applet.h as key=value
 *     quit                  end the process
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stddef.h>
#include <uv.h>

#include "tests/card/slot.h"

#define CONTROL_LINE_MAX 256
#define CONTROL_REPLY_MAX 512

struct control {
	uv_pipe_t listener;
	struct slot *slots;
	size_t slot_count;
	void (*quit)(void *context); /* called for "quit" */
	void *context;
};

/*
 * Listens at path, removing what a dead card has left there. The slots are borrowed.
 * Fatal: an error of libuv, which is an errno with its sign turned.
 */
int control_init(struct control *control, uv_loop_t *loop, const char *path, struct slot *slots,
		 size_t slot_count, void (*quit)(void *context), void *context);

/* Starts closing the listener, and removes the socket. */
void control_close(struct control *control);

/* Runs one command, which is cut into words in place, and writes the line of answer. */
void control_run(struct control *control, char *line, char reply[CONTROL_REPLY_MAX]);
