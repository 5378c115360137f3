/*
 * One step after the other through the three states. See watch.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "host-bridge/watch.h"

#include <stdlib.h>
#include <string.h>

/* pcsc-lite's name for "a reader came or went". */
#define PLUG_AND_PLAY "\\\\?PnP?\\Notification"

/* The upper half of dwEventState counts insertions and removals. */
#define EVENT_COUNTER_SHIFT 16

/* Enough for as many names as pcscd can have, each with its zero, and the zero at the end. */
#define LIST_SIZE (2 * PCSCLITE_MAX_READERS_CONTEXTS * MAX_READERNAME + 1)

/* ---- what the readers look like to core ---- */

static uint8_t entry_card(const SCARD_READERSTATE *entry)
{
	if ((entry->dwEventState & SCARD_STATE_PRESENT) == 0)
		return WIRE_CARD_ABSENT;
	return (entry->dwEventState & SCARD_STATE_MUTE) != 0 ? WIRE_CARD_UNRESPONSIVE
		: WIRE_CARD_PRESENT;
}

static void describe(const SCARD_READERSTATE *entry, const char *name, struct wire_reader *reader)
{
	memcpy(reader->name, name, strlen(name) + 1);
	reader->insertion = (uint32_t)(entry->dwEventState >> EVENT_COUNTER_SHIFT) & 0xFFFF;
	reader->card = entry_card(entry);
	if (reader->card != WIRE_CARD_PRESENT || entry->cbAtr > WIRE_ATR_MAX)
		return;
	reader->atr_size = (uint8_t)entry->cbAtr;
	memcpy(reader->atr, entry->rgbAtr, entry->cbAtr);
}

/* Both lists are zeroed before they are filled, so that their bytes can be compared. */
static void watch_report(struct watch *watch, const struct wire_readers *now)
{
	if (watch->known && memcmp(&watch->seen, now, sizeof *now) == 0)
		return;
	watch->seen = *now;
	watch->known = true;
	watch->changed = true;
}

static void watch_report_readers(struct watch *watch)
{
	struct wire_readers now;

	memset(&now, 0, sizeof now);
	now.service = 1;
	for (size_t i = 0; i < watch->readers; i++)
		describe(&watch->entries[i], watch->names[i], &now.readers[now.count++]);
	watch_report(watch, &now);
}

/* ---- WATCH_NO_SERVICE ---- */

static void watch_lose(struct watch *watch, LONG rv)
{
	struct wire_readers none;

	if (watch->state != WATCH_NO_SERVICE)
		(void)watch->pcsc->release_context(watch->context);
	watch->state = WATCH_NO_SERVICE;
	watch->readers = 0;
	watch->problem = rv;
	memset(&none, 0, sizeof none);
	if (rv == SCARD_E_SERVICE_STOPPED)
		none.service = WATCH_FOREIGN;
	watch_report(watch, &none);
}

static bool watch_establish(struct watch *watch)
{
	LONG rv = watch->pcsc->establish_context(SCARD_SCOPE_SYSTEM, NULL, NULL, &watch->context);

	if (rv != SCARD_S_SUCCESS) {
		watch_lose(watch, rv);
		return false;
	}
	watch->state = WATCH_LIST;
	return true;
}

/* ---- WATCH_LIST ---- */

static const SCARD_READERSTATE *find_entry(const struct watch *watch, const char *name)
{
	for (size_t i = 0; i < watch->readers; i++) {
		if (strcmp(watch->names[i], name) == 0)
			return &watch->entries[i];
	}
	return NULL;
}

/*
 * Replaces the watched readers by those of a multi-string of size bytes. A reader that was watched
 * before keeps its state, so that only what has changed since ends the next wait.
 */
static void watch_take(struct watch *watch, const char *list, size_t size)
{
	const struct watch before = *watch;
	size_t count = 0;

	memset(watch->entries, 0, sizeof watch->entries);
	for (size_t at = 0; at < size && list[at] != '\0' && count < WATCH_ENTRIES_MAX;) {
		const char *name = &list[at];
		size_t length = strnlen(name, size - at);
		const SCARD_READERSTATE *known;

		at += length + 1;
		if (length >= WIRE_NAME_MAX || at > size)
			continue;
		memcpy(watch->names[count], name, length + 1);
		known = find_entry(&before, name);
		if (known != NULL)
			watch->entries[count] = *known;
		else
			watch->entries[count].dwCurrentState = SCARD_STATE_UNAWARE;
		watch->entries[count].szReader = watch->names[count];
		count++;
	}
	watch->readers = count;
	if (count < WATCH_ENTRIES_MAX)
		watch->entries[count].szReader = PLUG_AND_PLAY;
}

static bool watch_list(struct watch *watch)
{
	char *list = calloc(1, LIST_SIZE);
	DWORD size = LIST_SIZE;
	LONG rv = SCARD_E_NO_MEMORY;

	if (list != NULL)
		rv = watch->pcsc->list_readers(watch->context, NULL, list, &size);
	if (rv == SCARD_S_SUCCESS) {
		watch_take(watch, list, size < LIST_SIZE ? size : LIST_SIZE);
		watch->state = WATCH_WAIT;
	} else if (rv == SCARD_E_NO_READERS_AVAILABLE) {
		watch_take(watch, list, 0);
		watch->state = WATCH_WAIT;
	} else {
		watch_lose(watch, rv);
	}
	free(list);
	return watch->state == WATCH_WAIT;
}

/* ---- WATCH_WAIT ---- */

/* Every reader whose state is not known yet ends the wait at once. */
static bool watch_wait(struct watch *watch)
{
	size_t count = watch->readers < WATCH_ENTRIES_MAX ? watch->readers + 1 : watch->readers;
	LONG rv = watch->pcsc->get_status_change(watch->context, WATCH_SLICE, watch->entries,
		count);

	switch (rv) {
	case SCARD_S_SUCCESS:
		for (size_t i = 0; i < watch->readers; i++)
			watch->entries[i].dwCurrentState = watch->entries[i].dwEventState;
		break;
	case SCARD_E_TIMEOUT:
		break;
	case SCARD_E_UNKNOWN_READER:
	case SCARD_E_READER_UNAVAILABLE:
		/*
		 * A reader went between the list and the wait: the list that follows is without it.
		 */
		watch->state = WATCH_LIST;
		return true;
	default:
		watch_lose(watch, rv);
		return false;
	}
	watch->state = WATCH_LIST;
	watch->problem = SCARD_S_SUCCESS;
	watch_report_readers(watch);
	return true;
}

void watch_init(struct watch *watch, const struct pcsc_functions *pcsc)
{
	memset(watch, 0, sizeof *watch);
	watch->pcsc = pcsc;
	watch->state = WATCH_NO_SERVICE;
}

void watch_deinit(struct watch *watch)
{
	if (watch->state != WATCH_NO_SERVICE)
		(void)watch->pcsc->release_context(watch->context);
	watch->state = WATCH_NO_SERVICE;
}

bool watch_step(struct watch *watch)
{
	switch (watch->state) {
	case WATCH_NO_SERVICE:
		/* pcscd was away, or this is the first step. */
		return watch_establish(watch);
	case WATCH_LIST:
		/* A new context, or a wait has ended. */
		return watch_list(watch);
	case WATCH_WAIT:
		/* The list is fresh. */
		return watch_wait(watch);
	}
	return false;
}
