/*
 * Places: lists of the host, one after the other, and who stands where then.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gadget/places.h"

#define STEPS_MAX 8

/* A list of the host, its names parted by '|', and the places after it: "name.ordinal", "-" if free,
 * with a '!' in front if the place has lost the reader that it had. A '~' in front of the list: pcscd
 * was away before it. */
struct step {
	const char *hosts;
	const char *expected;
};

struct conversation {
	const char *what;
	const char *patterns; /* of the sections */
	struct step steps[STEPS_MAX];
};

static const struct conversation conversations[] = {
	{ "one section takes the first that matches, and keeps it", "A*",
		{ { "", "-" },
		  { "B 00 00|A1 01 00|A2 02 00", "A1 01 00.0" },
		  { "A0 00 00|A1 01 00", "A1 01 00.0" } } },
	{ "it is lost when the list lacks it; another may come at once", "A*",
		{ { "A1 00 00", "A1 00 00.0" },
		  { "B 00 00", "!-" },
		  { "B 00 00", "-" },
		  { "A1 00 00", "A1 00 00.0" },
		  { "A2 00 00", "!A2 00 00.0" } } },
	{ "no two sections have one reader", "A*|A1|*x",
		{ { "A1 00 00", "A1 00 00.0|-|-" },
		  { "A1 00 00|A1x 01 00|A1 02 00", "A1 00 00.0|A1 02 00.1|A1x 01 00.0" } } },
	{ "who comes first in the list means nothing: names have an order of their own", "R*|*",
		{ { "S 00 00|R 02 00|R 01 00|Q 03 00", "R 01 00.0|Q 03 00.0|R 02 00.1|S 00 00.0" } } },
	{ "a section that has nothing waits, and is served when its reader comes", "A|B",
		{ { "A 00 00", "A 00 00.0|-" },
		  { "A 00 00|C 01 00", "A 00 00.0|-" },
		  { "A 00 00|C 01 00|B 02 00", "A 00 00.0|B 02 00.0" } } },
	{ "numbered anew by pcscd: nothing is lost", "R|*",
		{ { "R 00 00|S 01 00", "R 00 00.0|S 01 00.0" },
		  { "S 00 00|R 01 00", "R 01 00.0|S 00 00.0" } } },
	{ "another slot is another reader", "R*",
		{ { "R 00 00", "R 00 00.0" },
		  { "R 00 01", "!R 00 01.0" } } },
	{ "all readers come and go", "*",
		{ { "", "" },
		  { "A 00 00", "A 00 00.0" },
		  { "A 00 00|B 01 00|C 02 00", "A 00 00.0|B 01 00.0|C 02 00.0" },
		  { "A 00 00|C 02 00", "A 00 00.0|!-|C 02 00.0" },
		  { "A 00 00|C 02 00|D 01 00", "A 00 00.0|-|C 02 00.0|D 01 00.0" },
		  { "", "!-|-|!-|!-" },
		  { "D 00 00|B 01 00", "-|B 01 00.0|-|D 00 00.0" } } },
	{ "who comes back finds the place that it had, whoever is first", "A*|A?|*",
		{ { "A1 00 00|A2 01 00|B 02 00|C 03 00", "A1 00 00.0|A2 01 00.0|B 02 00.0|C 03 00.0" },
		  { "", "!-|!-|!-|!-" },
		  { "C 00 00", "-|-|-|C 00 00.0" },
		  { "C 00 00|A2 01 00", "-|A2 01 00.0|-|C 00 00.0" },
		  { "C 00 00|A2 01 00|B 02 00|A1 03 00", "A1 03 00.0|A2 01 00.0|B 02 00.0|C 00 00.0" },
		  { "A3 00 00", "!A3 00 00.0|!-|!-|!-" } } },
	{ "a pattern with a number means that number", "R 01 00|R 02 00",
		{ { "R 01 00|R 02 00", "R 01 00.0|R 02 00.1" },
		  { "R 00 00|R 01 00", "R 01 00.0|!-" },
		  { "~R 02 00|R 03 00", "!-|R 02 00.1" } } },
	{ "the others come before all, wherever they stand in the file", "*|B*",
		{ { "A 00 00|B 01 00", "B 01 00.0|A 00 00.0" },
		  { "A 00 00|B 01 00|B 02 00", "B 01 00.0|A 00 00.0|B 02 00.1" } } },
	{ "twins: an ordinal stays with its place, and is given again when free", "*",
		{ { "R 00 00|R 01 00|R 02 00", "R 00 00.0|R 01 00.1|R 02 00.2" },
		  { "R 00 00|R 02 00", "R 00 00.0|!-|R 02 00.2" },
		  { "R 00 00|R 02 00|R 03 00", "R 00 00.0|R 03 00.1|R 02 00.2" } } },
	{ "twins: another pcscd numbers them anew, and their order tells who is who", "*",
		{ { "A 00 00|R 01 00|R 02 00", "A 00 00.0|R 01 00.0|R 02 00.1" },
		  { "~R 00 00|R 01 00|A 02 00", "A 02 00.0|R 00 00.0|R 01 00.1" },
		  { "~A 00 00|B 01 00|R 02 00|R 03 00", "A 00 00.0|R 02 00.0|R 03 00.1|B 01 00.0" } } },
	{ "twins: while pcscd runs, a number is a reader", "*",
		{ { "R 00 00|R 01 00", "R 00 00.0|R 01 00.1" },
		  { "R 01 00|R 02 00", "R 02 00.0|R 01 00.1" } } },
	{ "twins: one of them is alone, whatever its number: the other is gone", "*",
		{ { "R 00 00|R 01 00", "R 00 00.0|R 01 00.1" },
		  { "R 01 00", "!-|R 01 00.1" },
		  { "~R 00 00", "-|R 00 00.1" },
		  { "R 00 00|R 01 00", "R 01 00.0|R 00 00.1" } } },
};

/* Calls make for each part of text between bars. */
static void each_part(const char *text, void (*make)(void *, const char *, size_t), void *context)
{
	while (text[0] != '\0') {
		size_t length = strcspn(text, "|");

		make(context, text, length);
		text += length + (text[length] == '|' ? 1 : 0);
	}
}

static void add_section(void *context, const char *name, size_t length)
{
	struct config *config = context;
	struct config_reader *reader = &config->readers[config->readers_count++];

	(void)snprintf(reader->pattern, sizeof(reader->pattern), "%.*s", (int)length, name);
	reader->mirror = strcmp(reader->pattern, CONFIG_MIRROR) == 0;
}

static void add_host(void *context, const char *name, size_t length)
{
	struct wire_readers *hosts = context;
	struct wire_reader *reader = &hosts->readers[hosts->count++];

	(void)snprintf(reader->name, sizeof(reader->name), "%.*s", (int)length, name);
}

static void describe(const struct places *places, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < places->count; i++) {
		const struct place *place = &places->places[i];

		used += (size_t)snprintf(&text[used], size - used, "%s%s", i > 0 ? "|" : "",
			place->lost ? "!" : "");
		if (place->host == NULL)
			used += (size_t)snprintf(&text[used], size - used, "-");
		else
			used += (size_t)snprintf(&text[used], size - used, "%s.%u", place->name,
				place->ordinal);
		assert_true(used < size);
		assert_true(place->host == NULL || strcmp(place->host->name, place->name) == 0);
	}
}

static void play(const struct conversation *conversation)
{
	static struct config config;
	static struct places places;
	static struct wire_readers hosts;
	char text[512];
	bool anew;

	config = (struct config){ .readers_count = 0 };
	each_part(conversation->patterns, add_section, &config);
	places_init(&places, &config);
	for (size_t i = 0; i < STEPS_MAX && conversation->steps[i].hosts != NULL; i++) {
		hosts = (struct wire_readers){ .service = 1 };
		anew = conversation->steps[i].hosts[0] == '~';
		each_part(&conversation->steps[i].hosts[anew ? 1 : 0], add_host, &hosts);
		places_assign(&places, &hosts, anew);
		describe(&places, text, sizeof(text));
		if (strcmp(text, conversation->steps[i].expected) != 0)
			fail_msg("%s, step %zu: '%s', expected '%s'", conversation->what, i + 1,
				text, conversation->steps[i].expected);
		assert_false(places.full);
	}
}

static void test_conversations(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(conversations) / sizeof(conversations[0]); i++)
		play(&conversations[i]);
}

/* One section of its own, and one reader more than there is room for beside it. */
static void test_no_more_places_than_ports(void **state)
{
	static struct config config;
	static struct places places;
	static struct wire_readers hosts;

	(void)state;
	each_part("X|*", add_section, &config);
	places_init(&places, &config);
	hosts.service = 1;
	for (size_t i = 0; i < WIRE_READERS_MAX; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "R %02zX 00", i);
		add_host(&hosts, name, strlen(name));
	}
	places_assign(&places, &hosts, false);
	assert_int_equal(places.count, CONFIG_READERS_MAX);
	assert_true(places.full);
	hosts.count = 2;
	places_assign(&places, &hosts, false);
	assert_false(places.full);
	assert_int_equal(places_taken(&places), 2);
	/* Places are remembered, but not against a reader that is there. */
	(void)snprintf(hosts.readers[1].name, sizeof(hosts.readers[1].name), "New 00 00");
	places_assign(&places, &hosts, false);
	assert_false(places.full);
	assert_int_equal(places_taken(&places), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conversations),
		cmocka_unit_test(test_no_more_places_than_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
