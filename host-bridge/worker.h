/*
 * The worker role: one guest's calls to one reader, one after the other, each blocking as long as
 * pcscd likes. libpcsclite can't cancel them; killing this process is the only cancel there is.
 *
 * It ends when its pipe ends: the guest's session is over, or core is dead. By then it has given up
 * its card as WIRE_DISCONNECT does.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

/* What a worker is told on its command line, in this order. */
enum {
	WORKER_GUEST,    /* names */
	WORKER_READER,
	WORKER_SHARE,    /* see share_by_name() */
	WORKER_HOLD,     /* ms, see hold.h */
	WORKER_HOLD_MAX,
	WORKER_WORDS,    /* how many there are */
};

/*
 * Serves calls from the pipe fd until it ends. words: WORKER_WORDS of them. Returns the exit status of
 * the process: 0 when the card is given up.
 *
 * Beside its reply to a call it may send WIRE_PROGRESS: it waits now until others let go of the card;
 * and then once more: it waits no longer.
 */
int worker_run(int fd, const char *const *words);

/*
 * The cleaner role: resets the card that a killed worker of this guest has left. Returns the exit
 * status of the process: 0 when nothing of that guest is left in the card.
 */
int worker_clean(int fd, const char *guest, const char *reader);
