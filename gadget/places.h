/*
 * Which place in the guest stands for which reader of the host; without I/O.
 *
 * A section of the configuration is one place. It takes the first reader of the host, in the order of
 * their names, whose name its pattern matches and that no other place has. The section "*" is none by
 * itself: it makes a place for each reader of the host that no other section has taken, as they come.
 *
 *     free    no reader of the host matches; it remembers the one that it had last
 *     taken   it stands for one; it keeps that until the host's list lacks it
 *
 * A reader that comes back finds the place that it had, unless it is taken by then; a place of the
 * section "*" goes to another reader only when there is no room for one more.
 *
 * A reader is known by its name. When pcscd numbers its readers anew, "R 00 00" may be "R 01 00" in the
 * next list: a place then goes on with that one, so that nothing is unplugged in the guest. Twins have
 * nothing but their numbers to be told apart by. While pcscd runs it never changes them; when another
 * one was started, all of them may have moved up or down, and what counts is their order.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "gadget/config.h"
#include "relay/wire.h"

struct place {
	const struct config_reader *config;
	char name[WIRE_NAME_MAX];        /* of the host's reader that it has, or had last; or empty */
	unsigned int ordinal;            /* 0, 1, ... among places whose readers' names are alike */
	const struct wire_reader *host;  /* its entry in the last list; NULL: free. Borrowed */
	bool lost;                       /* the last list lacked the reader that it had before */
};

struct places {
	const struct config_reader *mirror; /* the section "*"; NULL: there is none */
	struct place places[CONFIG_READERS_MAX];
	size_t count;
	bool full; /* a reader of the last list found no place: there are CONFIG_READERS_MAX already */
};

/* A free place for each section but "*". config must outlive places. */
void places_init(struct places *places, const struct config *config);

/*
 * Takes the host's list in: every place's host, name and lost are those of now. A place that has lost
 * its reader may have another at once. anew: the host's pcscd, or the connection, was away since the
 * last list. list is borrowed until the next call.
 */
void places_assign(struct places *places, const struct wire_readers *list, bool anew);

/* How many are taken. */
size_t places_taken(const struct places *places);
