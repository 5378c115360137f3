/*
 * The readers of the host as core knows them: what the monitor saw, with identities that outlive
 * unplugging, restarts of pcscd and restarts of the monitor.
 *
 * A name gets its identity when it is first seen, and keeps it while the bridge lives. The
 * insertion number of a reader grows whenever its card may be another one than before: it came or
 * went, pcscd's event counter moved in between, the reader was unplugged, or pcscd was away.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "relay/wire.h"

/* What the last update did to a reader, for the log. */
enum reader_change {
	READER_SAME,
	READER_PLUGGED,
	READER_UNPLUGGED,
	READER_CARD_INSERTED,
	READER_CARD_REMOVED,
	READER_CARD_SWAPPED, /* out and in again since the last update */
	READER_CARD_MUTE,    /* doesn't answer, whether it was just inserted or not */
	READER_CARD_ANSWERS, /* again */
};

struct reader_entry {
	struct wire_reader reader; /* with our id and insertion number */
	uint32_t counter;          /* pcscd's event counter, as seen last */
	bool plugged;
	bool exclusive;            /* some program has the card exclusively */
	bool waiting;              /* not to be shown yet: its features are being asked for */
	enum reader_change change;
};

struct reader_table {
	struct reader_entry *entries;
	size_t count;
	bool service; /* pcscd answers */
	bool settled; /* every reader of pcscd's first list was shown: who is missing is gone */
};

#define READER_TABLE_NULL ((struct reader_table){ .entries = NULL })

/*
 * Takes over what the monitor saw; wire_reader.insertion is pcscd's event counter there, id is
 * WATCH_EXCLUSIVE or 0, and the PIN pad means nothing. While pcscd is away (service 0) the readers stay, and their cards are
 * absent. A reader that is plugged in has no PIN pad, and waits, until the caller says otherwise in
 * its entry. Fatal: -ENOMEM.
 */
int reader_table_update(struct reader_table *table, const struct wire_readers *seen);

/* The reader of this name, plugged or not; NULL if nobody has seen it. */
struct reader_entry *reader_table_find(const struct reader_table *table, const char *name);

/*
 * Whether the guests may be told. While the readers of the first list wait, a list without them would
 * say that they were unplugged, to a guest that has them from the bridge before this one; or from the
 * pcscd before this one, which may have given them other numbers, so that their names are new.
 */
bool reader_table_is_settled(const struct reader_table *table);

/*
 * Collects the plugged readers that one of the patterns picks, but those that wait; WIRE_READERS_MAX at
 * most.
 */
void reader_table_pick(const struct reader_table *table, const char *const *patterns, size_t count,
	struct wire_readers *picked);

/* Whether one of the patterns picks a reader of this name. */
bool reader_table_picks(const char *const *patterns, size_t count, const char *name);

/* Nothing is known any more but the identities: as before the first update. */
void reader_table_forget(struct reader_table *table);

/* Frees; may be called twice. */
void reader_table_deinit(struct reader_table *table);
