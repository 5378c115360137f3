/*
 * Connect, ask, disconnect. See prober.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "host-bridge/prober.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "host-bridge/channel.h"
#include "host-bridge/features.h"
#include "host-bridge/outcome.h"
#include "host-bridge/process.h"

#define BUSY_POLL 500 /* ms between two tries while another program has the card */

/* SCARD_SHARE_DIRECT needs no card, and leaves one that is there as it is. */
static LONG probe_once(SCARDCONTEXT context, struct wire_reader *reader)
{
	const struct pcsc_functions *pcsc = &pcsc_native;
	SCARDHANDLE handle;
	DWORD protocol;
	LONG rv = pcsc->connect(context, reader->name, SCARD_SHARE_DIRECT, 0, &handle, &protocol);

	if (rv != SCARD_S_SUCCESS)
		return rv;
	rv = features_describe(pcsc, handle, reader);
	(void)pcsc->disconnect(handle, SCARD_LEAVE_CARD);
	return rv;
}

static LONG probe(struct channel *channel, struct wire_reader *reader)
{
	SCARDCONTEXT context;
	LONG rv = pcsc_native.establish_context(SCARD_SCOPE_SYSTEM, NULL, NULL, &context);

	if (rv != SCARD_S_SUCCESS)
		return rv;
	do {
		rv = probe_once(context, reader);
	} while (rv == SCARD_E_SHARING_VIOLATION && channel_sleep(channel, BUSY_POLL));
	(void)pcsc_native.release_context(context);
	return rv;
}

int prober_run(int fd, const char *reader)
{
	struct channel *channel = calloc(1, sizeof *channel);
	struct wire_message message = {
		.type = WIRE_READERS,
		.session = 1,
		.readers = { .version = 1, .service = 1, .count = 1 },
	};
	char number[16];
	LONG rv;
	int r = CHANNEL_CLOSED;

	if (channel == NULL)
		return EXIT_FAILURE;
	process_die_with_parent();
	channel_init(channel, fd);
	(void)snprintf(message.readers.readers[0].name, WIRE_NAME_MAX, "%s", reader);
	rv = probe(channel, &message.readers.readers[0]);
	if (rv == SCARD_S_SUCCESS)
		r = channel_send(channel, &message);
	else
		log_debug("readers", "%s: its features are not known: %s", reader,
			outcome_code_name(rv, number, sizeof number));
	channel_deinit(channel);
	free(channel);
	return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
