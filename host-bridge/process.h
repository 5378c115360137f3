/*
 * What the processes of the bridge have in common, and how the roles are told apart.
 *
 * The executable starts itself again with a role. The roles but core inherit a pipe as descriptor
 * PROCESS_CHANNEL, and end when it ends: they are never sent a signal to end in order, and ignore
 * those that a terminal or a service manager sends to all processes of the service. A worker that
 * was killed can't reset its card.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stddef.h>

#define PROCESS_ROLE_OPTION "internal-role" /* long option; its value is one of the names below */
#define PROCESS_FRONT "front"
#define PROCESS_MONITOR "monitor"
#define PROCESS_WORKER "worker"
#define PROCESS_CLEANER "cleaner"
#define PROCESS_PROBER "prober"

#define PROCESS_CHANNEL 3 /* the descriptor of a child's pipe to core */
#define PROCESS_FOLDER 4  /* the front's folder to listen in */
#define PROCESS_LEVEL 5   /* core's level of the log, for log_follow() */

enum {
	PROCESS_NO_CHANNEL = 1, /* it is not core's pipe: somebody typed the role by hand */
};

/*
 * Becomes the child of a role: verifies the inherited pipe, ignores signals to end in order, sets
 * the name that ps(1) shows, logs what core logs. Returns 0 or PROCESS_NO_CHANNEL.
 */
int process_adopt(const char *name);

/* This process holds nothing that has to be given up in order: it dies at once when core does. */
void process_die_with_parent(void);

/*
 * The path to start this executable again with; text is of use where the system has no such name.
 */
const char *process_self(char *text, size_t size);
