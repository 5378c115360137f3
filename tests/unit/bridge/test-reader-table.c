/*
 * The reader table: what the monitor sees, step by step, and what core makes of it.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "host-bridge/reader_table.h"

struct sight {
	const char *name;
	uint8_t card;
	uint32_t counter;
	uint8_t atr_size;
};

struct step {
	uint8_t service;
	struct sight sights[3];
	/* "id change card/insertion" of all readers ever seen */
	const char *expected;
};

#define A "Reader A 00 00"
#define B "Reader B 01 00"

static const struct step steps[] = {
	/* nothing is known yet, and pcscd is away */
	{ 0, { { NULL, 0, 0, 0 } }, "" },
	/* a reader without a card, then with one */
	{ 1, { { A, WIRE_CARD_ABSENT, 0, 0 } }, "1 plugged absent/0" },
	{ 1, { { A, WIRE_CARD_PRESENT, 1, 10 } }, "1 inserted present/1" },
	/* the same again, and a second reader with a card in it */
	{ 1, { { A, WIRE_CARD_PRESENT, 1, 10 }, { B, WIRE_CARD_PRESENT, 7, 10 } },
	  "1 same present/1, 2 plugged present/1" },
	/* another ATR after a warm reset is the same card */
	{ 1, { { A, WIRE_CARD_PRESENT, 1, 12 }, { B, WIRE_CARD_PRESENT, 7, 10 } },
	  "1 same present/1, 2 same present/1" },
	/* out and in between two looks */
	{ 1, { { A, WIRE_CARD_PRESENT, 3, 12 }, { B, WIRE_CARD_PRESENT, 7, 10 } },
	  "1 swapped present/2, 2 same present/1" },
	{ 1, { { A, WIRE_CARD_ABSENT, 4, 0 }, { B, WIRE_CARD_PRESENT, 7, 10 } },
	  "1 removed absent/3, 2 same present/1" },
	/* in and out between two looks */
	{ 1, { { A, WIRE_CARD_ABSENT, 6, 0 }, { B, WIRE_CARD_PRESENT, 7, 10 } },
	  "1 same absent/4, 2 same present/1" },
	{ 1, { { A, WIRE_CARD_UNRESPONSIVE, 7, 0 }, { B, WIRE_CARD_PRESENT, 7, 10 } },
	  "1 mute mute/5, 2 same present/1" },
	/* a card that falls silent has not moved */
	{ 1, { { A, WIRE_CARD_UNRESPONSIVE, 7, 0 }, { B, WIRE_CARD_UNRESPONSIVE, 7, 0 } },
	  "1 same mute/5, 2 mute mute/1" },
	{ 1, { { A, WIRE_CARD_PRESENT, 7, 9 }, { B, WIRE_CARD_PRESENT, 7, 10 } },
	  "1 answers present/5, 2 answers present/1" },
	/* unplugged, with the card in it, and back with its identity */
	{ 1, { { B, WIRE_CARD_PRESENT, 7, 10 } }, "1 unplugged absent/6, 2 same present/1" },
	{ 1, { { B, WIRE_CARD_PRESENT, 7, 10 }, { A, WIRE_CARD_PRESENT, 1, 9 } },
	  "1 plugged present/7, 2 same present/1" },
	/* pcscd restarted: its counters begin again, and end where they were */
	{ 0, { { NULL, 0, 0, 0 } }, "1 same absent/8, 2 same absent/2" },
	{ 0, { { NULL, 0, 0, 0 } }, "1 same absent/8, 2 same absent/2" },
	{ 1, { { A, WIRE_CARD_PRESENT, 1, 9 }, { B, WIRE_CARD_ABSENT, 0, 0 } },
	  "1 inserted present/9, 2 same absent/3" },
	/* gone while pcscd was away */
	{ 0, { { NULL, 0, 0, 0 } }, "1 same absent/10, 2 same absent/3" },
	{ 1, { { B, WIRE_CARD_ABSENT, 0, 0 } }, "1 unplugged absent/10, 2 same absent/3" },
	{ 1, { { NULL, 0, 0, 0 } }, "1 same absent/10, 2 unplugged absent/3" },
};

static const char *const change_names[] = {
	[READER_SAME] = "same",
	[READER_PLUGGED] = "plugged",
	[READER_UNPLUGGED] = "unplugged",
	[READER_CARD_INSERTED] = "inserted",
	[READER_CARD_REMOVED] = "removed",
	[READER_CARD_SWAPPED] = "swapped",
	[READER_CARD_MUTE] = "mute",
	[READER_CARD_ANSWERS] = "answers",
};

static const char *const card_names[] = { "absent", "present", "mute" };

static void fill(struct wire_readers *seen, const struct step *step)
{
	memset(seen, 0, sizeof *seen);
	seen->service = step->service;
	for (size_t i = 0; i < 3 && step->sights[i].name != NULL; i++) {
		struct wire_reader *reader = &seen->readers[seen->count++];

		(void)snprintf(reader->name, sizeof reader->name, "%s", step->sights[i].name);
		reader->card = step->sights[i].card;
		reader->insertion = step->sights[i].counter;
		reader->atr_size = step->sights[i].atr_size;
		memset(reader->atr, 0x3B, reader->atr_size);
	}
}

static void describe(const struct reader_table *table, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < table->count; i++) {
		const struct reader_entry *entry = &table->entries[i];

		used += (size_t)snprintf(&text[used], size - used, "%s%u %s %s/%u",
			i > 0 ? ", " : "", entry->reader.id, change_names[entry->change],
			card_names[entry->reader.card], entry->reader.insertion);
	}
}

static void show_all(struct reader_table *table)
{
	for (size_t i = 0; i < table->count; i++)
		table->entries[i].waiting = false;
}

static void test_story(void **state)
{
	struct reader_table table = READER_TABLE_NULL;
	struct wire_readers seen;
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		fill(&seen, &steps[i]);
		assert_int_equal(reader_table_update(&table, &seen), 0);
		describe(&table, text, sizeof text);
		assert_string_equal(text, steps[i].expected);
		assert_int_equal(table.service, steps[i].service);
	}
	reader_table_deinit(&table);
	reader_table_deinit(&table);
}

static void test_pick(void **state)
{
	static const struct step step = { 1, {
		{ "Gemalto PC Twin Reader 00 00", WIRE_CARD_PRESENT, 1, 10 },
		{ "Yubico YubiKey OTP+FIDO+CCID 01 00", WIRE_CARD_ABSENT, 0, 0 },
		{ "Alcor AU9560 [CCID] 02 00", WIRE_CARD_ABSENT, 0, 0 },
	}, NULL };
	static const struct {
		const char *patterns[2];
		size_t count;
		const char *picked; /* identities */
	} rows[] = {
		{ { "*" }, 1, "123" },
		{ { "*0" }, 1, "123" },
		{ { "*C*" }, 1, "123" },
		{ { "Gemalto PC Twin Reader" }, 1, "1" },
		{ { "Gemalto PC Twin Reader 00 00" }, 1, "1" },
		{ { "Gemalto PC Twin Reader 02 00" }, 1, "" },
		/* a set of characters to fnmatch(3), a name to everybody else */
		{ { "Alcor AU9560 [CCID]" }, 1, "3" },
		{ { "Alcor AU9560 [CCID] 02 00" }, 1, "3" },
		{ { "Yubico*", "*" }, 2, "123" },
		{ { "*Twin*", "Yubico*" }, 2, "12" },
		{ { "Gemalto" }, 1, "" },
		{ { "gemalto*" }, 1, "" },
	};
	struct reader_table table = READER_TABLE_NULL;
	struct wire_readers seen, picked;

	(void)state;
	fill(&seen, &step);
	assert_int_equal(reader_table_update(&table, &seen), 0);
	show_all(&table);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char text[8] = "";

		reader_table_pick(&table, rows[i].patterns, rows[i].count, &picked);
		for (size_t j = 0; j < picked.count; j++)
			text[j] = (char)('0' + picked.readers[j].id);
		assert_string_equal(text, rows[i].picked);
		assert_int_equal(picked.service, 1);
	}
	reader_table_deinit(&table);
}

/* More readers than a guest can be shown: the first ones. */
static void test_many(void **state)
{
	static const char *const all[] = { "*" };
	struct reader_table table = READER_TABLE_NULL;
	struct wire_readers seen, picked;

	(void)state;
	for (unsigned int round = 0; round < 3; round++) {
		memset(&seen, 0, sizeof seen);
		seen.service = 1;
		for (unsigned int i = 0; i < WIRE_READERS_MAX; i++) {
			(void)snprintf(seen.readers[i].name, WIRE_NAME_MAX, "R%u", 10 * round + i);
			seen.count++;
		}
		assert_int_equal(reader_table_update(&table, &seen), 0);
		show_all(&table);
		reader_table_pick(&table, all, 1, &picked);
		assert_int_equal(picked.count, WIRE_READERS_MAX);
	}
	assert_int_equal(table.count, WIRE_READERS_MAX + 20);
	assert_int_equal(table.entries[WIRE_READERS_MAX + 19].reader.id, WIRE_READERS_MAX + 20);
	reader_table_deinit(&table);
}

/* What the caller has found out of a reader stays until it is unplugged, and then it waits again. */
static void test_pin_pad(void **state)
{
	static const char *const all[] = { "*" };
	static const struct step in = { 1, { { A, WIRE_CARD_PRESENT, 1, 10 } }, NULL };
	static const struct step out = { 1, { { NULL, 0, 0, 0 } }, NULL };
	static const struct step away = { 0, { { NULL, 0, 0, 0 } }, NULL };
	static const struct {
		const struct step *step;
		uint8_t pin_support; /* that is picked */
		uint8_t count;
	} rows[] = {
		{ &in, 3, 1 }, { &away, 3, 1 }, { &in, 3, 1 }, { &out, 0, 0 }, { &in, 0, 0 },
	};
	struct reader_table table = READER_TABLE_NULL;
	struct wire_readers seen, picked;
	struct reader_entry *entry;

	(void)state;
	fill(&seen, &in);
	assert_int_equal(reader_table_update(&table, &seen), 0);
	reader_table_pick(&table, all, 1, &picked);
	assert_int_equal(picked.count, 0);
	assert_null(reader_table_find(&table, B));
	entry = reader_table_find(&table, A);
	assert_non_null(entry);
	entry->waiting = false;
	entry->reader.pin_support = 3;
	entry->reader.lcd_lines = 2;
	entry->reader.lcd_characters = 16;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		fill(&seen, rows[i].step);
		assert_int_equal(reader_table_update(&table, &seen), 0);
		reader_table_pick(&table, all, 1, &picked);
		assert_int_equal(picked.count, rows[i].count);
		assert_int_equal(picked.readers[0].pin_support, rows[i].pin_support);
	}
	show_all(&table);
	reader_table_pick(&table, all, 1, &picked);
	assert_int_equal(picked.count, 1);
	assert_int_equal(picked.readers[0].pin_support, 0);
	assert_int_equal(picked.readers[0].lcd_lines, 0);
	assert_int_equal(picked.readers[0].lcd_characters, 0);
	reader_table_deinit(&table);
}

/* Guests are told nothing until the first list is whole; one that comes later keeps nobody waiting. */
static void test_settled(void **state)
{
	static const struct step away = { 0, { { NULL, 0, 0, 0 } }, NULL };
	static const struct step one = { 1, { { A, WIRE_CARD_PRESENT, 1, 10 } }, NULL };
	static const struct step two = { 1, { { A, WIRE_CARD_PRESENT, 1, 10 },
		{ B, WIRE_CARD_ABSENT, 0, 0 } }, NULL };
	static const struct step *const later[] = { &one, &two };
	struct reader_table table = READER_TABLE_NULL;
	struct wire_readers seen;

	(void)state;
	fill(&seen, &away);
	assert_int_equal(reader_table_update(&table, &seen), 0);
	assert_true(reader_table_is_settled(&table));
	for (int life = 0; life < 2; life++) {
		fill(&seen, &one);
		assert_int_equal(reader_table_update(&table, &seen), 0);
		assert_false(reader_table_is_settled(&table));
		assert_int_equal(reader_table_update(&table, &seen), 0);
		assert_false(reader_table_is_settled(&table));
		show_all(&table);
		for (size_t i = 0; i < sizeof later / sizeof later[0]; i++) {
			fill(&seen, later[i]);
			assert_int_equal(reader_table_update(&table, &seen), 0);
			assert_true(reader_table_is_settled(&table));
		}
		reader_table_forget(&table);
	}
	reader_table_deinit(&table);
}

/* Another pcscd has given its readers other names: the list waits until they can be shown. */
static void test_settled_anew(void **state)
{
	static const struct step away = { 0, { { NULL, 0, 0, 0 } }, NULL };
	static const struct step one = { 1, { { A, WIRE_CARD_PRESENT, 1, 10 } }, NULL };
	static const struct step other = { 1, { { B, WIRE_CARD_PRESENT, 1, 10 } }, NULL };
	static const struct step *const lists[] = { &one, &other, &one };
	struct reader_table table = READER_TABLE_NULL;
	struct wire_readers seen;

	(void)state;
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		fill(&seen, lists[i]);
		assert_int_equal(reader_table_update(&table, &seen), 0);
		assert_false(reader_table_is_settled(&table));
		show_all(&table);
		assert_true(reader_table_is_settled(&table));
		fill(&seen, &away);
		assert_int_equal(reader_table_update(&table, &seen), 0);
		assert_true(reader_table_is_settled(&table));
	}
	reader_table_deinit(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_story),
		cmocka_unit_test(test_pick),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_pin_pad),
		cmocka_unit_test(test_settled),
		cmocka_unit_test(test_settled_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
