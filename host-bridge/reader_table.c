/*
 * The reader table. See reader_table.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "host-bridge/reader_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host-bridge/watch.h"
#include "relay/pattern.h"

struct reader_entry *reader_table_find(const struct reader_table *table, const char *name)
{
	for (size_t i = 0; i < table->count; i++) {
		if (strcmp(table->entries[i].reader.name, name) == 0)
			return &table->entries[i];
	}
	return NULL;
}

/* Adds a reader that nobody has seen before, unplugged and without a card. */
static int table_add(struct reader_table *table, const char *name, struct reader_entry **entry)
{
	struct reader_entry *entries;

	entries = realloc(table->entries, (table->count + 1) * sizeof *entries);
	if (entries == NULL)
		return -ENOMEM;
	table->entries = entries;
	*entry = &entries[table->count++];
	memset(*entry, 0, sizeof **entry);
	(*entry)->reader.id = (uint32_t)table->count;
	(*entry)->reader.card = WIRE_CARD_ABSENT;
	memcpy((*entry)->reader.name, name, strlen(name) + 1);
	return 0;
}

/*
 * Whether the slot may hold another card than before. The ATR is no evidence: after a warm reset
 * the same card may answer with another one.
 */
static bool card_moved(const struct reader_entry *entry, const struct wire_reader *now)
{
	bool was_in = entry->reader.card != WIRE_CARD_ABSENT;
	bool is_in = now->card != WIRE_CARD_ABSENT;

	return was_in != is_in || entry->counter != now->insertion;
}

static enum reader_change card_change(uint8_t before, uint8_t now, bool moved)
{
	if (now == WIRE_CARD_UNRESPONSIVE)
		return moved || before != now ? READER_CARD_MUTE : READER_SAME;
	if (now == WIRE_CARD_ABSENT)
		return before == now ? READER_SAME : READER_CARD_REMOVED;
	if (before == WIRE_CARD_ABSENT)
		return READER_CARD_INSERTED;
	if (moved)
		return READER_CARD_SWAPPED;
	return before == WIRE_CARD_UNRESPONSIVE ? READER_CARD_ANSWERS : READER_SAME;
}

/* The reader is there, in the state now. */
static void entry_see(struct reader_entry *entry, const struct wire_reader *now)
{
	bool moved = card_moved(entry, now);

	entry->change = card_change(entry->reader.card, now->card, moved);
	if (!entry->plugged) {
		entry->change = READER_PLUGGED;
		entry->waiting = true;
		entry->reader.pin_support = 0;
		entry->reader.lcd_lines = 0;
		entry->reader.lcd_characters = 0;
	}
	if (moved)
		entry->reader.insertion++;
	entry->reader.card = now->card;
	entry->reader.atr_size = now->atr_size;
	memcpy(entry->reader.atr, now->atr, sizeof entry->reader.atr);
	entry->counter = now->insertion;
	entry->plugged = true;
	entry->exclusive = now->id == WATCH_EXCLUSIVE;
}

/* The reader, or pcscd, is not there: its card isn't either. */
static void entry_miss(struct reader_entry *entry)
{
	if (entry->reader.card != WIRE_CARD_ABSENT)
		entry->reader.insertion++;
	entry->reader.card = WIRE_CARD_ABSENT;
	entry->exclusive = false;
	entry->reader.atr_size = 0;
	memset(entry->reader.atr, 0, sizeof entry->reader.atr);
}

static bool is_seen(const struct wire_readers *seen, const char *name)
{
	for (size_t i = 0; i < seen->count; i++) {
		if (strcmp(seen->readers[i].name, name) == 0)
			return true;
	}
	return false;
}

static void table_miss(struct reader_table *table, const struct wire_readers *seen)
{
	for (size_t i = 0; i < table->count; i++) {
		struct reader_entry *entry = &table->entries[i];

		entry->change = READER_SAME;
		if (seen->service && is_seen(seen, entry->reader.name))
			continue;
		entry_miss(entry);
		if (seen->service && entry->plugged) {
			entry->plugged = false;
			entry->change = READER_UNPLUGGED;
		}
	}
}

static bool table_waits(const struct reader_table *table)
{
	for (size_t i = 0; i < table->count; i++) {
		if (table->entries[i].plugged && table->entries[i].waiting)
			return true;
	}
	return false;
}

bool reader_table_is_settled(const struct reader_table *table)
{
	return table->settled || !table->service || !table_waits(table);
}

int reader_table_update(struct reader_table *table, const struct wire_readers *seen)
{
	int r = 0;

	if (table->service && !table_waits(table))
		table->settled = true;
	table_miss(table, seen);
	for (size_t i = 0; i < seen->count && seen->service && r == 0; i++) {
		struct reader_entry *entry = reader_table_find(table, seen->readers[i].name);

		if (entry == NULL)
			r = table_add(table, seen->readers[i].name, &entry);
		if (r == 0)
			entry_see(entry, &seen->readers[i]);
	}
	table->service = seen->service;
	if (!table->service)
		table->settled = false;
	return r;
}

bool reader_table_picks(const char *const *patterns, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (pattern_matches(patterns[i], name))
			return true;
	}
	return false;
}

void reader_table_pick(const struct reader_table *table, const char *const *patterns, size_t count,
	struct wire_readers *picked)
{
	memset(picked, 0, sizeof *picked);
	picked->service = table->service;
	for (size_t i = 0; i < table->count && picked->count < WIRE_READERS_MAX; i++) {
		const struct reader_entry *entry = &table->entries[i];

		if (entry->plugged && !entry->waiting &&
		    reader_table_picks(patterns, count, entry->reader.name))
			picked->readers[picked->count++] = entry->reader;
	}
}

void reader_table_forget(struct reader_table *table)
{
	for (size_t i = 0; i < table->count; i++) {
		entry_miss(&table->entries[i]);
		table->entries[i].plugged = false;
		table->entries[i].change = READER_SAME;
	}
	table->service = false;
	table->settled = false;
}

void reader_table_deinit(struct reader_table *table)
{
	free(table->entries);
	*table = READER_TABLE_NULL;
}
