/*
 * Watching the host's readers: one context, SCardGetStatusChange over all of them.
 *
 *     WATCH_NO_SERVICE   pcscd doesn't answer; the next step tries to establish a context
 *     WATCH_LIST         the readers have to be listed anew
 *     WATCH_WAIT         waiting for a change of any reader, or for a reader to come or go
 *
 * The list is read again after every wait, changed or not: libpcsclite before 2.3.0 loses a reader
 * that comes or goes between two waits. The waits are no longer than WATCH_SLICE, since an older
 * libpcsclite also loses SCardCancel.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "host-bridge/pcsc.h"
#include "relay/wire.h"

#define WATCH_SLICE 1000 /* ms */

/*
 * SCardGetStatusChange takes no more than 16 entries, the one for coming and going readers included.
 * pcscd up to 2.4 has no more readers than that, later ones may: then the slice is divided among
 * groups, and a change is seen that much later. A 16th, or 32nd, reader has its group filled: that
 * readers come and go is then seen by the list at the end of the slice.
 */
#define WATCH_GROUP PCSCLITE_MAX_READERS_CONTEXTS

/* Of wire_reader.id, between monitor and core: a program has the card exclusively. Else it is 0. */
#define WATCH_EXCLUSIVE 1

/*
 * Of wire_readers.service, between monitor and core: pcscd is of a version that this process's
 * libpcsclite can't talk to.
 */
#define WATCH_FOREIGN 2

/* Readers that are passed over. */
struct watch_filter {
	/* Whether that is one; asked of each reader that wasn't watched before. NULL: there are none. */
	bool (*hides)(void *context, const char *name);
	void *context;
};

enum watch_state {
	WATCH_NO_SERVICE,
	WATCH_LIST,
	WATCH_WAIT,
};

struct watch {
	const struct pcsc_functions *pcsc;
	struct watch_filter filter;
	enum watch_state state;
	SCARDCONTEXT context;
	char names[WIRE_READERS_MAX][WIRE_NAME_MAX];
	SCARD_READERSTATE entries[WIRE_READERS_MAX];
	size_t readers;              /* entries for readers; the one for plug and play may follow */
	size_t listed;               /* readers of the last list, hidden ones included */
	size_t left_out;             /* readers of the last list that are beyond WIRE_READERS_MAX */
	LONG problem;                /* of the last call; SCARD_S_SUCCESS after a good wait */
	struct wire_readers seen;    /* insertion is pcscd's event counter */
	bool known;                  /* seen has been filled in */
	bool changed;                /* and is not what it was; the caller clears it */
};

/* Nothing is called, and nothing known, yet. */
void watch_init(struct watch *watch, const struct pcsc_functions *pcsc,
	struct watch_filter filter);

/* Releases the context. May be called twice. */
void watch_deinit(struct watch *watch);

/*
 * Does what the state asks for; may block for WATCH_SLICE. Returns false when pcscd doesn't answer,
 * and the caller should let some time pass before the next step.
 */
bool watch_step(struct watch *watch);
