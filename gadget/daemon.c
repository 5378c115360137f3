/*
 * Which reader of the configuration stands for which reader of the host: the first whose name its
 * pattern matches and that no other reader stands for. A reader keeps its host's reader, by name, until
 * the host says that this is gone.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/daemon.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "gadget/connection.h"
#include "gadget/reader.h"
#include "relay/pattern.h"

#define TAG "readers"

struct daemon {
	const struct config *config;
	struct connection *connection;
	struct reader *readers[CONFIG_READERS_MAX];
	bool unmatched_said[CONFIG_READERS_MAX]; /* that no reader of the host matches */
	bool service_said;                       /* that the host's pcscd is away */
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

	for (size_t i = 0; i < daemon->config->readers_count; i++) {
		if (reader_reply(daemon->readers[i], reply))
			break;
	}
}

static void daemon_failed(void *owner)
{
	struct daemon *daemon = owner;

	daemon->stopped(daemon->owner);
}

/* ---- matching ---- */

static const struct wire_reader *find_by_name(const struct wire_readers *hosts, const char *name)
{
	for (size_t i = 0; i < hosts->count; i++) {
		if (strcmp(hosts->readers[i].name, name) == 0)
			return &hosts->readers[i];
	}
	return NULL;
}

static bool is_taken(const struct daemon *daemon, const char *name)
{
	for (size_t i = 0; i < daemon->config->readers_count; i++) {
		const char *host_name = reader_host_name(daemon->readers[i]);

		if (host_name != NULL && strcmp(host_name, name) == 0)
			return true;
	}
	return false;
}

static const struct wire_reader *find_match(const struct daemon *daemon,
	const struct wire_readers *hosts, const char *pattern)
{
	for (size_t i = 0; i < hosts->count; i++) {
		const struct wire_reader *host = &hosts->readers[i];

		if (pattern_matches(pattern, host->name) && !is_taken(daemon, host->name))
			return host;
	}
	return NULL;
}

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

/* Said once for each time that the pattern stops matching. */
static void say_unmatched(struct daemon *daemon, size_t i, const struct wire_readers *hosts)
{
	char names[LOG_LINE_MAX];

	if (daemon->unmatched_said[i])
		return;
	daemon->unmatched_said[i] = true;
	list_names(hosts, names, sizeof(names));
	if (hosts->count == 0)
		log_warning(TAG, "the bridge shows this guest no reader yet; \"%s\" waits for one",
			reader_pattern(daemon->readers[i]));
	else
		log_warning(TAG, "reader \"%s\" matches none that is free; waiting for one. There "
				 "are: %s", reader_pattern(daemon->readers[i]), names);
}

static void match_reader(struct daemon *daemon, size_t i, const struct wire_readers *hosts)
{
	struct reader *reader = daemon->readers[i];
	const struct wire_reader *host = find_match(daemon, hosts, reader_pattern(reader));

	if (host == NULL) {
		say_unmatched(daemon, i, hosts);
		return;
	}
	daemon->unmatched_said[i] = false;
	reader_plug(reader, host);
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

/* Without a session, or without pcscd, readers keep their places with empty slots. */
static void empty_all(struct daemon *daemon)
{
	for (size_t i = 0; i < daemon->config->readers_count; i++)
		reader_empty(daemon->readers[i]);
}

static void daemon_readers(void *owner, const struct wire_readers *hosts)
{
	struct daemon *daemon = owner;

	if (hosts != NULL)
		say_service(daemon, hosts->service != 0);
	if (hosts == NULL || hosts->service == 0) {
		empty_all(daemon);
		return;
	}
	for (size_t i = 0; i < daemon->config->readers_count; i++) {
		struct reader *reader = daemon->readers[i];
		const char *name = reader_host_name(reader);
		const struct wire_reader *host = name != NULL ? find_by_name(hosts, name) : NULL;

		if (host != NULL)
			reader_update(reader, host);
		else
			reader_unplug(reader);
	}
	for (size_t i = 0; i < daemon->config->readers_count; i++) {
		if (reader_host_name(daemon->readers[i]) == NULL)
			match_reader(daemon, i, hosts);
	}
}

static const struct connection_callbacks callbacks = {
	.readers = daemon_readers,
	.reply = daemon_reply,
	.failed = daemon_failed,
};

/* ---- life ---- */

int daemon_start(struct daemon **daemonp, uv_loop_t *loop, const struct config *config,
	void (*stopped)(void *owner), void *owner)
{
	struct daemon *daemon = calloc(1, sizeof(*daemon));
	int r = daemon != NULL ? 0 : -ENOMEM;

	*daemonp = NULL;
	if (r != 0)
		return r;
	daemon->config = config;
	daemon->stopped = stopped;
	daemon->owner = owner;
	for (size_t i = 0; r == 0 && i < config->readers_count; i++)
		r = reader_new(&daemon->readers[i], loop, &config->readers[i], i, config->name,
			daemon_call, daemon);
	if (r == 0)
		r = connection_open(&daemon->connection, loop, config->bridge, config->name,
			&callbacks, daemon);
	if (r == 0)
		*daemonp = daemon;
	else
		daemon_stop(daemon);
	return r;
}

struct daemon *daemon_stop(struct daemon *daemon)
{
	if (daemon == NULL)
		return NULL;
	for (size_t i = 0; i < daemon->config->readers_count; i++)
		daemon->readers[i] = reader_free(daemon->readers[i]);
	daemon->connection = connection_close(daemon->connection);
	free(daemon);
	return NULL;
}
