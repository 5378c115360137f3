/*
 * A daemon that is played: it listens at folder_socket (folder.h), and says to a command that wants a trace
 * what its words say, a letter each:
 *
 *     b        the blocks that a trace begins with
 *     p s m    a packet; one as long as the counts; the longest
 *     c l      the counts; the counts with 300 lost
 *     h x y    a packet without its last bytes; the two halves of one
 *     n j      what is no trace; a refusal
 *     0 8 9 +  blocks whose sizes can't be
 *     |        what has been said arrives before the rest does
 *     i t      SIGINT, SIGTERM to the command once its file has everything, and its end awaited
 *     k        SIGINT, awaited, and once more
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "trace/queue.h"

struct daemon {
	int listens;
	int fd;          /* that it talks to; -1: nobody */
	pid_t child;     /* the command, for the signals; who starts it sets it */
	size_t waiting;  /* bytes that have been said, and not been sent */
	size_t expected; /* bytes that the file is to have: so many of daemon_expected */
};

/* What the file of the daemon that has talked last is to have. */
extern uint8_t daemon_expected[2 * TRACE_QUEUE_MAX];

/* Anybody may connect who may enter the folder. */
void daemon_listen(struct daemon *daemon);

/* A command asks. Returns its line, valid until the next one. */
const char *daemon_accept(struct daemon *daemon);

/* Says these words to the command, which writes into file; that is needed for the signals only. */
void daemon_talk(struct daemon *daemon, const char *words, const char *file);

/* Waits for the command to shut down its side, or to go. Returns whether it has. */
bool daemon_sees_end(const struct daemon *daemon);

/* Ends the conversation, if there is one. */
void daemon_hang_up(struct daemon *daemon);

/* Listens no more. */
void daemon_close(struct daemon *daemon);
