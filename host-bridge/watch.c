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

/* Enough for more names than we can use, each with its zero, and the zero at the end. */
#define LIST_SIZE (4 * WIRE_READERS_MAX * MAX_READERNAME + 1)

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
	if ((entry->dwEventState & SCARD_STATE_EXCLUSIVE) != 0)
		reader->id = WATCH_EXCLUSIVE;
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

static bool watch_hides(const struct watch *watch, const struct watch *before, const char *name)
{
	return watch->filter.hides != NULL && find_entry(before, name) == NULL &&
		watch->filter.hides(watch->filter.context, name);
}

static void watch_take_name(struct watch *watch, const struct watch *before, size_t index,
	const char *name)
{
	const SCARD_READERSTATE *known = find_entry(before, name);

	memcpy(watch->names[index], name, strlen(name) + 1);
	if (known != NULL)
		watch->entries[index] = *known;
	else
		watch->entries[index].dwCurrentState = SCARD_STATE_UNAWARE;
	watch->entries[index].szReader = watch->names[index];
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
	watch->left_out = 0;
	watch->listed = 0;
	for (size_t at = 0; at < size && list[at] != '\0';) {
		const char *name = &list[at];
		size_t length = strnlen(name, size - at);

		at += length + 1;
		watch->listed++;
		if (length >= WIRE_NAME_MAX || at > size || watch_hides(watch, &before, name))
			continue;
		if (count < WIRE_READERS_MAX)
			watch_take_name(watch, &before, count++, name);
		else
			watch->left_out++;
	}
	watch->readers = count;
	if (count % WATCH_GROUP != 0 || count == 0)
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

/*
 * Waits for the entries of one group, and returns what SCardGetStatusChange does. Every reader whose
 * state is not known yet ends the wait at once.
 */
static LONG watch_wait_group(struct watch *watch, size_t first, size_t count, DWORD timeout)
{
	SCARD_READERSTATE *entries = &watch->entries[first];
	LONG rv = watch->pcsc->get_status_change(watch->context, timeout, entries, count);

	for (size_t i = 0; i < count && rv == SCARD_S_SUCCESS; i++)
		entries[i].dwCurrentState = entries[i].dwEventState;
	return rv;
}

/* The first group that has news ends the wait, but the others are asked for theirs. */
static LONG watch_wait_all(struct watch *watch)
{
	const size_t full = watch->readers % WATCH_GROUP == 0 && watch->readers > 0;
	const size_t count = full ? watch->readers : watch->readers + 1;
	const size_t groups = (count + WATCH_GROUP - 1) / WATCH_GROUP;
	DWORD timeout = (DWORD)(WATCH_SLICE / groups);
	LONG result = SCARD_E_TIMEOUT;

	for (size_t first = 0; first < count; first += WATCH_GROUP) {
		size_t rest = count - first;
		LONG rv = watch_wait_group(watch, first, rest < WATCH_GROUP ? rest : WATCH_GROUP,
			timeout);

		if (rv == SCARD_S_SUCCESS)
			timeout = 0;
		if (rv != SCARD_E_TIMEOUT)
			result = rv;
		if (rv != SCARD_E_TIMEOUT && rv != SCARD_S_SUCCESS)
			break;
	}
	return result;
}

static bool watch_wait(struct watch *watch)
{
	LONG rv = watch_wait_all(watch);

	switch (rv) {
	case SCARD_S_SUCCESS:
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

void watch_init(struct watch *watch, const struct pcsc_functions *pcsc, struct watch_filter filter)
{
	memset(watch, 0, sizeof *watch);
	watch->pcsc = pcsc;
	watch->filter = filter;
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
