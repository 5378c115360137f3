/*
 * Joins the places, the readers that stand at them, and the connection. See daemon.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/daemon.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/notify.h"

#define TAG "readers"

/* Readers that pcscd can have up to version 2.4: PCSCLITE_MAX_READERS_CONTEXTS. */
#define PCSCD_READERS_MAX 16

struct daemon {
	const struct config *config;
	uv_loop_t *loop;
	struct usb_maker *maker;
	struct tracers *tracers;
	struct connection *connection;
	struct places places;
	struct reader *readers[CONFIG_READERS_MAX]; /* NULL where no place has been made yet */
	bool unmatched_said[CONFIG_READERS_MAX];    /* that no reader of the host matches */
	bool nothing_said;                          /* that the host has no reader for section "*" */
	bool full_said;                             /* that it has too many */
	bool many_said;                             /* that they are too many for pcscd */
	bool shown;                                 /* the bridge has said which readers there are */
	bool anew;                                  /* the bridge or the host's pcscd was away */
	bool service_said;                          /* that the host's pcscd is away */
	void (*stopped)(void *owner);
	void *owner;
};

static int daemon_call(void *owner, const struct wire_call *call, uint32_t *number)
{
	struct daemon *daemon = owner;

	return connection_call(daemon->connection, call, number);
}

static void daemon_reply(void *owner, const struct wire_reply *reply)
{
	struct daemon *daemon = owner;

	for (size_t i = 0; i < CONFIG_READERS_MAX; i++) {
		if (daemon->readers[i] != NULL && reader_reply(daemon->readers[i], reply))
			break;
	}
}

static void daemon_failed(void *owner)
{
	struct daemon *daemon = owner;

	daemon->stopped(daemon->owner);
}

/* ---- what there is to say of the places ---- */

/* "A", "B", ... as far as a log line goes */
static void list_names(const struct wire_readers *hosts, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < hosts->count && used < size; i++) {
		int n = snprintf(text + used, size - used, "%s\"%s\"", i > 0 ? ", " : "",
			hosts->readers[i].name);

		used += n > 0 ? (size_t)n : 0;
	}
}

/* Each of these is said once for each time that it becomes true. */
static bool say(bool *said, bool is_true)
{
	bool now = is_true && !*said;

	*said = is_true;
	return now;
}

static void say_unmatched(const struct place *place, const struct wire_readers *hosts)
{
	char names[LOG_LINE_MAX];

	list_names(hosts, names, sizeof(names));
	if (hosts->count == 0)
		log_warning(TAG, "the bridge shows this guest no reader yet; \"%s\" waits for one",
			place->config->pattern);
	else
		log_warning(TAG, "reader \"%s\" matches none that is free; waiting for one. There "
				 "are: %s", place->config->pattern, names);
}

static void say_places(struct daemon *daemon, const struct wire_readers *hosts)
{
	const struct places *places = &daemon->places;

	for (size_t i = 0; i < places->count; i++) {
		const struct place *place = &places->places[i];

		if (say(&daemon->unmatched_said[i], place->host == NULL && place->config != places->mirror))
			say_unmatched(place, hosts);
	}
	if (say(&daemon->nothing_said, places->mirror != NULL && hosts->count == 0))
		log_warning(TAG, "the bridge shows this guest no reader yet; waiting for them");
	if (say(&daemon->full_said, places->full))
		log_warning(TAG, "the host has more readers than the %d that this guest can have",
			CONFIG_READERS_MAX);
	if (say(&daemon->many_said, places_taken(places) > PCSCD_READERS_MAX))
		log_warning(TAG, "%zu readers are plugged in here, and pcscd up to version 2.4 can have "
				 "%d: its programs don't see the others", places_taken(places),
			PCSCD_READERS_MAX);
}

/* ---- what the bridge says ---- */

static void say_service(struct daemon *daemon, bool there)
{
	if (there == !daemon->service_said)
		return;
	daemon->service_said = !there;
	if (there)
		log_info(TAG, "the host's pcscd is back");
	else
		log_warning(TAG, "the host's pcscd does not answer; waiting for it");
}

/* In the words of a service manager. */
static void tell_status(const struct daemon *daemon, const struct wire_readers *hosts)
{
	size_t plugged = 0;

	for (size_t i = 0; i < CONFIG_READERS_MAX; i++) {
		if (daemon->readers[i] != NULL && reader_is_plugged(daemon->readers[i]))
			plugged++;
	}
	notify("STATUS=%s, %zu readers", hosts == NULL ? "waiting for the bridge"
		: hosts->service == 0 ? "waiting for the host's pcscd" : "connected", plugged);
}

/* Without a session, or without pcscd, readers keep their places with empty slots. */
static void empty_all(struct daemon *daemon)
{
	for (size_t i = 0; i < CONFIG_READERS_MAX; i++) {
		if (daemon->readers[i] != NULL)
			reader_empty(daemon->readers[i]);
	}
}

/* Makes the reader at place i do what the place says. */
static int follow_place(struct daemon *daemon, size_t i)
{
	const struct place *place = &daemon->places.places[i];
	int r = 0;

	if (daemon->readers[i] == NULL)
		r = reader_new(&daemon->readers[i], daemon->loop, daemon->maker, place->config,
			i, daemon->config->name, daemon->tracers, daemon_call, daemon);
	if (r != 0)
		return r;
	if (place->host != NULL && reader_is_plugged(daemon->readers[i]))
		reader_update(daemon->readers[i], place->host);
	else if (place->host != NULL)
		reader_plug(daemon->readers[i], place->host, place->ordinal,
			places_taken(&daemon->places));
	return 0;
}

static void daemon_readers(void *owner, const struct wire_readers *hosts)
{
	struct daemon *daemon = owner;
	int r = 0;

	if (hosts != NULL)
		say_service(daemon, hosts->service != 0);
	if (hosts == NULL || hosts->service == 0) {
		daemon->anew = true;
		empty_all(daemon);
		tell_status(daemon, hosts);
		return;
	}
	places_assign(&daemon->places, hosts, daemon->anew);
	daemon->anew = false;
	daemon->shown = true;
	say_places(daemon, hosts);
	/* Ports are given up first, so that they are there for those that come. */
	for (size_t i = 0; i < daemon->places.count; i++) {
		if (daemon->places.places[i].lost && daemon->readers[i] != NULL)
			reader_unplug(daemon->readers[i]);
	}
	for (size_t i = 0; i < daemon->places.count && r == 0; i++)
		r = follow_place(daemon, i);
	tell_status(daemon, hosts);
	if (r != 0) {
		log_error(TAG, "%s", strerror(-r));
		daemon->stopped(daemon->owner);
	}
}

static const struct connection_callbacks callbacks = {
	.readers = daemon_readers,
	.reply = daemon_reply,
	.failed = daemon_failed,
};

/* ---- for a display ---- */

const struct places *daemon_places(const struct daemon *daemon)
{
	return &daemon->places;
}

const struct connection *daemon_connection(const struct daemon *daemon)
{
	return daemon->connection;
}

const struct reader *daemon_reader(const struct daemon *daemon, size_t i)
{
	return daemon->readers[i];
}

void daemon_tell(const struct daemon *daemon, struct tracer *tracer)
{
	for (size_t i = 0; i < CONFIG_READERS_MAX; i++) {
		if (daemon->readers[i] != NULL)
			reader_tell(daemon->readers[i], tracer);
	}
}

/* ---- life ---- */

int daemon_start(struct daemon **daemonp, uv_loop_t *loop, struct usb_maker *maker,
	const struct config *config, struct tracers *tracers, void (*stopped)(void *owner), void *owner)
{
	struct daemon *daemon = calloc(1, sizeof(*daemon));
	int r = daemon != NULL ? 0 : -ENOMEM;

	*daemonp = NULL;
	if (r != 0)
		return r;
	daemon->config = config;
	daemon->loop = loop;
	daemon->maker = maker;
	daemon->tracers = tracers;
	daemon->stopped = stopped;
	daemon->owner = owner;
	if (config->readers_count > PCSCD_READERS_MAX)
		log_warning(TAG, "the configuration has %zu readers, and pcscd up to version 2.4 can have "
				 "%d",
			config->readers_count, PCSCD_READERS_MAX);
	places_init(&daemon->places, config);
	r = connection_open(&daemon->connection, loop, config, &callbacks, daemon);
	if (r == 0)
		*daemonp = daemon;
	else
		daemon_stop(daemon);
	return r;
}

bool daemon_is_well(const struct daemon *daemon)
{
	bool well = !connection_is_late(daemon->connection);

	for (size_t i = 0; i < CONFIG_READERS_MAX && well; i++)
		well = daemon->readers[i] == NULL || !reader_is_late(daemon->readers[i]);
	return well;
}

enum daemon_progress daemon_progress(const struct daemon *daemon)
{
	bool settled = true;

	if (!daemon->shown)
		return DAEMON_WAITS;
	for (size_t i = 0; i < CONFIG_READERS_MAX && settled; i++)
		settled = daemon->readers[i] == NULL || reader_has_settled(daemon->readers[i]);
	return settled ? DAEMON_SETTLED : DAEMON_PLUGS;
}

struct daemon *daemon_stop(struct daemon *daemon)
{
	if (daemon == NULL)
		return NULL;
	for (size_t i = 0; i < CONFIG_READERS_MAX; i++)
		daemon->readers[i] = reader_free(daemon->readers[i]);
	daemon->connection = connection_close(daemon->connection);
	free(daemon);
	return NULL;
}
