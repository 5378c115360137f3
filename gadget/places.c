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

static bool is_taken(const struct places *places, const struct wire_reader *host)
{
	for (size_t i = 0; i < places->count; i++) {
		if (places->places[i].host == host)
			return true;
	}
	return false;
}

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

static void place_take(struct place *place, const struct wire_reader *host)
{
	place->host = host;
	(void)snprintf(place->name, sizeof(place->name), "%s", host->name);
}

/* A free place takes a reader. */
static void places_take(const struct places *places, struct place *place,
	const struct wire_reader *host)
{
	place_take(place, host);
	place->ordinal = 0;
	while (ordinal_is_used(places, place, place->ordinal))
		place->ordinal++;
}

/* ---- the steps of an assignment ---- */

static void keep_by_name(struct places *places, const struct wire_readers *hosts)
{
	for (size_t i = 0; i < places->count; i++) {
		struct place *place = &places->places[i];

		place->host = NULL;
		for (size_t k = 0; k < hosts->count && place->name[0] != '\0'; k++) {
			if (strcmp(hosts->readers[k].name, place->name) == 0)
				place->host = &hosts->readers[k];
		}
	}
}

/* What is left may have been renumbered. */
static void keep_renumbered(struct places *places, const struct wire_readers *hosts)
{
	for (size_t i = 0; i < places->count; i++) {
		struct place *place = &places->places[i];

		for (size_t k = 0; k < hosts->count && place->host == NULL; k++) {
			const struct wire_reader *host = &hosts->readers[k];

			if (place->name[0] != '\0' && !is_taken(places, host) &&
				pattern_names_alike(host->name, place->name))
				place_take(place, host);
		}
	}
}

static void give_up(struct places *places)
{
	for (size_t i = 0; i < places->count; i++) {
		struct place *place = &places->places[i];

		place->lost = place->host == NULL && place->name[0] != '\0';
		if (place->lost)
			place->name[0] = '\0';
	}
}

static void match_patterns(struct places *places, const struct wire_readers *hosts)
{
	for (size_t i = 0; i < places->count; i++) {
		struct place *place = &places->places[i];

		for (size_t k = 0; k < hosts->count && place->host == NULL; k++) {
			const struct wire_reader *host = &hosts->readers[k];

			if (!is_taken(places, host) &&
				pattern_matches(place->config->pattern, host->name))
				places_take(places, place, host);
		}
	}
}

/* Whoever is left over gets a new place of the section "*". */
static void mirror_the_rest(struct places *places, const struct wire_readers *hosts)
{
	for (size_t k = 0; k < hosts->count; k++) {
		const struct wire_reader *host = &hosts->readers[k];

		if (is_taken(places, host))
			continue;
		if (places->count < CONFIG_READERS_MAX)
			places_take(places, places_add(places, places->mirror), host);
		else
			places->full = true;
	}
}

void places_assign(struct places *places, const struct wire_readers *hosts)
{
	places->full = false;
	keep_by_name(places, hosts);
	keep_renumbered(places, hosts);
	give_up(places);
	match_patterns(places, hosts);
	if (places->mirror != NULL)
		mirror_the_rest(places, hosts);
}
