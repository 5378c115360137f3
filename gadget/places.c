/*
 * The places of readers. See places.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/places.h"

#include <stdio.h>
#include <string.h>

#include "relay/pattern.h"

static struct place *places_add(struct places *places, const struct config_reader *config)
{
	struct place *place = &places->places[places->count++];

	*place = (struct place){ .config = config };
	return place;
}

void places_init(struct places *places, const struct config *config)
{
	*places = (struct places){ .mirror = NULL };
	for (size_t i = 0; i < config->readers_count; i++) {
		if (config->readers[i].mirror)
			places->mirror = &config->readers[i];
		else
			(void)places_add(places, &config->readers[i]);
	}
}

size_t places_taken(const struct places *places)
{
	size_t taken = 0;

	for (size_t i = 0; i < places->count; i++)
		taken += places->places[i].host != NULL ? 1 : 0;
	return taken;
}

/* ---- the host's list, in the order of names ---- */

/* The readers of the list that no place has taken yet. */
struct hosts {
	const struct wire_reader *readers[WIRE_READERS_MAX];
	size_t count;
};

/* pcscd's number counts last: "R 09 00" comes before "S 00 00", and "R 09 00" before "R 00 01". */
static int compare_names(const char *one, const char *other)
{
	size_t length = pattern_base_length(one), other_length = pattern_base_length(other);
	int r = memcmp(one, other, length < other_length ? length : other_length);

	if (r == 0 && length != other_length)
		r = length < other_length ? -1 : 1;
	if (r == 0)
		r = strcmp(pattern_slot(one), pattern_slot(other));
	return r != 0 ? r : strcmp(one, other);
}

static void hosts_sort(struct hosts *hosts, const struct wire_readers *list)
{
	hosts->count = 0;
	for (size_t i = 0; i < list->count; i++) {
		const struct wire_reader *reader = &list->readers[i];
		size_t at = hosts->count++;

		for (; at > 0 && compare_names(hosts->readers[at - 1]->name, reader->name) > 0; at--)
			hosts->readers[at] = hosts->readers[at - 1];
		hosts->readers[at] = reader;
	}
}

/* ---- a place takes a reader ---- */

/* Whether another place with such a name has this ordinal. */
static bool ordinal_is_used(const struct places *places, const struct place *place,
	unsigned int ordinal)
{
	for (size_t i = 0; i < places->count; i++) {
		const struct place *other = &places->places[i];

		if (other != place && other->host != NULL && other->ordinal == ordinal &&
			pattern_names_alike(other->name, place->name))
			return true;
	}
	return false;
}

/* The ordinal that the place had for this reader is its own still, if nobody has got it meanwhile. */
static void place_number(const struct places *places, struct place *place, bool same)
{
	if (same && !ordinal_is_used(places, place, place->ordinal))
		return;
	place->ordinal = 0;
	while (ordinal_is_used(places, place, place->ordinal))
		place->ordinal++;
}

/* The place takes reader i of the list, which leaves it. */
static void places_take(const struct places *places, struct place *place, struct hosts *hosts, size_t i)
{
	const struct wire_reader *host = hosts->readers[i];
	bool same = pattern_names_alike(place->name, host->name);

	place->host = host;
	(void)snprintf(place->name, sizeof(place->name), "%s", host->name);
	place_number(places, place, same);
	hosts->count--;
	memmove(&hosts->readers[i], &hosts->readers[i + 1],
		(hosts->count - i) * sizeof(hosts->readers[0]));
}

/* ---- those that keep their reader, or get it back ---- */

/* Which places: those that had a reader when the last list was taken in, or the others. */
struct had {
	bool places[CONFIG_READERS_MAX];
};

/* Whether the place looks for the reader of its name. */
static bool looks(const struct places *places, const struct had *had, size_t i)
{
	return had->places[i] && places->places[i].host == NULL && places->places[i].name[0] != '\0';
}

static void keep_by_name(struct places *places, const struct had *had, struct hosts *hosts)
{
	for (size_t i = 0; i < places->count; i++) {
		struct place *place = &places->places[i];

		for (size_t k = 0; k < hosts->count && looks(places, had, i); k++) {
			if (strcmp(hosts->readers[k]->name, place->name) == 0)
				places_take(places, place, hosts, k);
		}
	}
}

/* Whether it is the place's reader under another number. A pattern may ask for a certain number. */
static bool is_renumbered(const struct place *place, const char *name)
{
	return pattern_names_alike(name, place->name) && pattern_matches(place->config->pattern, name);
}

/* What is left may have been renumbered. */
static void keep_renumbered(struct places *places, const struct had *had, struct hosts *hosts)
{
	for (size_t i = 0; i < places->count; i++) {
		struct place *place = &places->places[i];

		for (size_t k = 0; k < hosts->count && looks(places, had, i); k++) {
			if (is_renumbered(place, hosts->readers[k]->name))
				places_take(places, place, hosts, k);
		}
	}
}

/* The place that looks for such a name and has the lowest number; and how many look. */
static struct place *first_twin(struct places *places, const struct had *had, const char *name,
	size_t *count)
{
	struct place *first = NULL;

	*count = 0;
	for (size_t i = 0; i < places->count; i++) {
		struct place *place = &places->places[i];

		if (!looks(places, had, i) || !pattern_names_alike(place->name, name))
			continue;
		++*count;
		if (first == NULL || compare_names(place->name, first->name) < 0)
			first = place;
	}
	return first;
}

/* Where in the list such names begin; and how many there are. */
static size_t first_host(const struct hosts *hosts, const char *name, size_t *count)
{
	size_t first = 0;

	*count = 0;
	for (size_t k = hosts->count; k-- > 0;) {
		if (!pattern_names_alike(hosts->readers[k]->name, name))
			continue;
		++*count;
		first = k;
	}
	return first;
}

/* As many twins as before: the first is the first still. */
static void keep_in_order(struct places *places, const struct had *had, struct hosts *hosts)
{
	size_t looking, there;

	for (size_t i = 0; i < places->count; i++) {
		while (looks(places, had, i)) {
			const char *name = places->places[i].name;
			struct place *place = first_twin(places, had, name, &looking);
			size_t k = first_host(hosts, name, &there);

			if (looking != there || !is_renumbered(place, hosts->readers[k]->name))
				break;
			places_take(places, place, hosts, k);
		}
	}
}

/* ---- the steps of an assignment ---- */

static struct had places_let_go(struct places *places)
{
	struct had had = { .places = { false } };

	for (size_t i = 0; i < places->count; i++) {
		had.places[i] = places->places[i].host != NULL;
		places->places[i].host = NULL;
	}
	return had;
}

/* From here on the others are those that look; who had a reader and has none now has lost it. */
static void give_up(struct places *places, struct had *had)
{
	for (size_t i = 0; i < places->count; i++) {
		places->places[i].lost = had->places[i] && places->places[i].host == NULL;
		had->places[i] = !had->places[i];
	}
}

static void match_patterns(struct places *places, struct hosts *hosts)
{
	for (size_t i = 0; i < places->count; i++) {
		struct place *place = &places->places[i];

		for (size_t k = 0; k < hosts->count && place->host == NULL &&
			place->config != places->mirror; k++) {
			if (pattern_matches(place->config->pattern, hosts->readers[k]->name))
				places_take(places, place, hosts, k);
		}
	}
}

/* A new place of the section "*", or an old one that is free; NULL if there is none. */
static struct place *places_make(struct places *places)
{
	if (places->count < CONFIG_READERS_MAX)
		return places_add(places, places->mirror);
	for (size_t i = 0; i < places->count; i++) {
		struct place *place = &places->places[i];

		if (place->config == places->mirror && place->host == NULL)
			return place;
	}
	return NULL;
}

/* Whoever is left over is for the section "*". */
static void mirror_the_rest(struct places *places, struct hosts *hosts)
{
	while (hosts->count > 0 && !places->full) {
		struct place *place = places_make(places);

		if (place != NULL)
			places_take(places, place, hosts, 0);
		else
			places->full = true;
	}
}

void places_assign(struct places *places, const struct wire_readers *list, bool anew)
{
	struct had had = places_let_go(places);
	struct hosts hosts;

	hosts_sort(&hosts, list);
	places->full = false;
	if (anew)
		keep_in_order(places, &had, &hosts);
	keep_by_name(places, &had, &hosts);
	keep_renumbered(places, &had, &hosts);
	give_up(places, &had);
	keep_by_name(places, &had, &hosts);
	keep_renumbered(places, &had, &hosts);
	match_patterns(places, &hosts);
	if (places->mirror != NULL)
		mirror_the_rest(places, &hosts);
}
