/*
 * The monitor's loop around watch.h. See monitor.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "host-bridge/monitor.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "host-bridge/channel.h"
#include "host-bridge/outcome.h"
#include "host-bridge/own_devices.h"
#include "host-bridge/process.h"
#include "host-bridge/watch.h"

/* How long to wait before pcscd is asked again, growing while it is away, in ms. */
#define BACK_OFF_FIRST 100
#define BACK_OFF_MAX 1000

struct monitor {
	struct channel channel;
	struct watch watch;
	unsigned int back_off;
	uint32_t version;
	LONG told; /* the problem that was logged last */
	bool told_left_out;
	bool told_full;
	char hidden[WIRE_READERS_MAX][WIRE_NAME_MAX]; /* readers of our own that were logged */
	size_t hidden_count;
};

/* Each is logged once. */
static void monitor_tell_hidden(struct monitor *monitor, const char *name)
{
	for (size_t i = 0; i < monitor->hidden_count; i++) {
		if (strcmp(monitor->hidden[i], name) == 0)
			return;
	}
	if (monitor->hidden_count == WIRE_READERS_MAX)
		return;
	(void)snprintf(monitor->hidden[monitor->hidden_count++], WIRE_NAME_MAX, "%s", name);
	log_info("readers", "%s: made by this machine's ccid-gadget, not shown to guests", name);
}

static bool monitor_hides(void *context, const char *name)
{
	bool own = own_device_has(OWN_DEVICES_FOLDER, name);

	if (own)
		monitor_tell_hidden(context, name);
	return own;
}

/* Core says that pcscd is away; what can't be guessed from that is said here, once. */
static void monitor_explain(struct monitor *monitor)
{
	LONG problem = monitor->watch.problem;
	char number[16];

	if (problem == monitor->told)
		return;
	monitor->told = problem;
	if (problem == SCARD_W_SECURITY_VIOLATION)
		log_error("monitor", "pcscd refuses this user: a polkit rule for "
			"org.debian.pcsc-lite.access_pcsc is missing, or it has no context left");
	else if (problem != SCARD_S_SUCCESS)
		log_debug("monitor", "pcscd: %s",
			outcome_code_name(problem, number, sizeof number));
}

/*
 * pcscd up to 2.4 has room for 16 readers, and whether there is one more, it doesn't tell. A later one
 * that has more is not full.
 */
static void monitor_count(struct monitor *monitor)
{
	size_t left_out = monitor->watch.left_out;
	bool full = monitor->watch.listed == PCSCLITE_MAX_READERS_CONTEXTS;

	if (full && !monitor->told_full)
		log_warning("monitor", "pcscd has %zu readers, as many as it can have (up to version 2.4): "
			"one more would not be seen", monitor->watch.listed);
	monitor->told_full = full;

	if (left_out > 0 && !monitor->told_left_out)
		log_warning("monitor", "pcscd has %zu readers; the last %zu are left out",
			monitor->watch.readers + left_out, left_out);
	monitor->told_left_out = left_out > 0;
}

/* Returns 0, CHANNEL_CLOSED or CHANNEL_BROKEN. */
static int monitor_report(struct monitor *monitor)
{
	struct wire_message message = { .type = WIRE_READERS, .session = 1 };

	if (!monitor->watch.changed)
		return 0;
	monitor->watch.changed = false;
	message.readers = monitor->watch.seen;
	message.readers.version = ++monitor->version;
	log_debug("monitor", "pcscd has changed: %u readers", message.readers.count);
	return channel_send(&monitor->channel, &message);
}

/* Returns whether the pipe still stands. */
static bool monitor_pause(struct monitor *monitor, bool answers)
{
	unsigned int pause = 0;

	if (answers) {
		monitor->back_off = BACK_OFF_FIRST;
	} else {
		pause = monitor->back_off;
		monitor->back_off = pause * 2 < BACK_OFF_MAX ? pause * 2 : BACK_OFF_MAX;
	}
	return channel_sleep(&monitor->channel, pause);
}

/*
 * Not after pcscd was replaced by another version: a new process has the new libpcsclite. (Its
 * SCARD_E_SERVICE_STOPPED means nothing else.)
 */
static bool monitor_is_of_use(const struct monitor *monitor)
{
	return monitor->watch.problem != SCARD_E_SERVICE_STOPPED;
}

int monitor_run(int fd)
{
	struct monitor *monitor = calloc(1, sizeof *monitor);
	bool answers;

	if (monitor == NULL)
		return EXIT_FAILURE;
	process_die_with_parent();
	channel_init(&monitor->channel, fd);
	watch_init(&monitor->watch, &pcsc_native,
		(struct watch_filter){ .hides = monitor_hides, .context = monitor });
	monitor->back_off = BACK_OFF_FIRST;
	do {
		answers = watch_step(&monitor->watch);
		monitor_explain(monitor);
		monitor_count(monitor);
	} while (monitor_report(monitor) == 0 && monitor_is_of_use(monitor) &&
		monitor_pause(monitor, answers));
	watch_deinit(&monitor->watch);
	channel_deinit(&monitor->channel);
	free(monitor);
	return EXIT_SUCCESS;
}
