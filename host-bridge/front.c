/*
 * The front's start, and its loop. See front.h.
 *
 *     start    core's word comes in by the command line and an inherited folder; nobody can reach
 *              the socket yet, as its folder is ours alone until core has put it in its place
 *     loop     everything that could be given up is given up
 *     end      core has closed the pipe: what was sent last is given time to arrive
 *
 * Towards core it blocks, since core always reads. Towards the guests it never does: what nanomsg
 * doesn't take at once is dropped, as on any link.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "host-bridge/front.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "host-bridge/channel.h"
#include "host-bridge/front_record.h"
#include "host-bridge/process.h"
#include "host-bridge/sandbox.h"
#include "relay/endpoint.h"
#include "relay/link.h"

#define FRAMES_AT_ONCE 64    /* from the guests, before core is looked at again */
#define CHECK_INTERVAL 1000  /* ms between two looks at the descriptors that are left */
#define COUNTS_INTERVAL 1000 /* ms at least between two lines on what has passed */

/*
 * ms without a descriptor for another connection. nanomsg never closes one by itself, so a front that
 * is full stays so; but its end costs the guests that work a pause, and who fills it often goes soon.
 * Who sends descriptors over ipc:// is another matter: they stay when he has gone.
 */
#define FULL_PATIENCE 30000

#define ADDRESS_TRIES 11 /* an address may take so long to be ours */
#define ADDRESS_STEP 100 /* ms */

/*
 * ms for what was sent last to arrive. A receiver loses what it has not read when an ipc connection
 * is closed (poller_epoll.inc:200-216 of nanomsg 1.1.5), and the last words are goodbyes.
 */
#define LINGER 200

enum {
	FRONT_ENDED = 1,  /* core has closed the pipe */
	FRONT_BROKEN = 2, /* core sent what can't be understood */
	FRONT_FULL = 3,   /* nearly no descriptor is left */
};

/* Frames since the last line about them. */
struct front_counts {
	unsigned int in, out;
	uint64_t said_at; /* ms; 0: never */
};

struct front {
	struct channel channel;
	struct link *link;
	struct payload frame;
	bool full;           /* it can't have more connections, since then */
	uint64_t full_since; /* ms */
	uint64_t patience;   /* ms that it may be so */
	struct front_counts counts;
};

/* ---- records to core ---- */

/* Returns 0 or FRONT_ENDED. */
static int front_tell(struct front *front, const struct front_record *record)
{
	size_t size = 0;

	if (front_record_encode(record, front->channel.out, &size) != 0)
		return 0;
	return channel_flush(&front->channel, size) == 0 ? 0 : FRONT_ENDED;
}

static void front_tell_problem(struct front *front, const char *endpoint, const char *reason)
{
	char text[FRONT_PROBLEM_MAX + 1];
	const struct front_record record = {
		.type = FRONT_PROBLEM,
		.content = { .bytes = (const uint8_t *)text },
	};
	struct front_record told = record;

	(void)snprintf(text, sizeof text, "%s: %s", endpoint, reason);
	told.content.size = strlen(text);
	(void)front_tell(front, &told);
}

/* ---- the start ---- */

/*
 * The address of a bridge that was killed a moment ago is free a little later, and that of an
 * interface that comes up now is there then. Returns 0 or LINK_BAD_ADDRESS. Fatal: -errno.
 */
static int front_attach_tcp(struct front *front, const char *endpoint, const char **reason)
{
	int r = LINK_BAD_ADDRESS;

	for (int tries = ADDRESS_TRIES; r == LINK_BAD_ADDRESS && tries > 0; tries--) {
		if (tries < ADDRESS_TRIES)
			(void)poll(NULL, 0, ADDRESS_STEP);
		r = link_nanomsg_attach(front->link, endpoint, reason);
	}
	return r;
}

/* Returns 0 or LINK_BAD_ADDRESS. Fatal: -errno. */
static int front_attach(struct front *front, const char *endpoint, const char **reason)
{
	if (!endpoint_is_ipc(endpoint))
		return front_attach_tcp(front, endpoint, reason);
	if (fchdir(PROCESS_FOLDER) != 0)
		return error_from_errno();
	(void)close(PROCESS_FOLDER);
	return link_nanomsg_attach(front->link, "ipc://./" FRONT_SOCKET, reason);
}

/* Returns 0, or another number after core was told. */
static int front_listen(struct front *front, const char *endpoint)
{
	const char *reason = NULL;
	int r = link_open_nanomsg(&front->link, LINK_BRIDGE, NULL, 0, NULL, 0);

	if (r == 0)
		r = front_attach(front, endpoint, &reason);
	if (r != 0)
		front_tell_problem(front, endpoint, r > 0 ? reason : strerror(-r));
	return r;
}

static void front_confine(void)
{
	int r;

	if (chdir("/") != 0)
		log_warning("front", "can't leave its folder: %s", strerror(errno));
	r = sandbox_filter();
	if (r < 0)
		log_warning("front", "runs without a filter for system calls: %s", strerror(-r));
}

/* ---- the loop ---- */

/* Says at debug what passes, but not more than a line in a second: who floods an endpoint fills no log. */
static void front_count(struct front *front, unsigned int *frames)
{
	uint64_t now;

	(*frames)++;
	if (log_get_level() < LOG_LEVEL_DEBUG)
		return;
	now = clock_ms();
	if (now - front->counts.said_at < COUNTS_INTERVAL)
		return;
	log_debug("front", "%u frames from guests and %u to them", front->counts.in, front->counts.out);
	front->counts = (struct front_counts){ .said_at = now };
}

/* Frames from the guests to core. Returns 0 or FRONT_ENDED. Fatal: -errno. */
static int front_carry_in(struct front *front)
{
	struct front_record record = { .type = FRONT_FRAME };
	int r = 0;

	for (int i = 0; i < FRAMES_AT_ONCE && r == 0; i++) {
		r = link_receive(front->link, &record.route, &front->frame);
		if (r != 0)
			return r < 0 ? r : 0;
		record.content = payload_view(&front->frame);
		front_count(front, &front->counts.in);
		r = front_tell(front, &record);
		payload_clear(&front->frame);
	}
	return r;
}

/* What core says. Returns 0, FRONT_ENDED or FRONT_BROKEN. */
static int front_obey(struct front *front, struct payload_view bytes)
{
	struct front_record record;

	if (front_record_decode(bytes, &record) != 0)
		return FRONT_BROKEN;
	if (record.type == FRONT_PING)
		return front_tell(front, &record);
	if (record.type != FRONT_FRAME)
		return FRONT_BROKEN;
	front_count(front, &front->counts.out);
	(void)link_send(front->link, &record.route, record.content);
	return 0;
}

/* Frames from core to the guests. Returns 0, FRONT_ENDED or FRONT_BROKEN. */
static int front_carry_out(struct front *front)
{
	struct payload_view bytes;
	int r;

	if (channel_fill(&front->channel) != 0)
		return FRONT_ENDED;
	while ((r = frame_buffer_first(&front->channel.in, &bytes)) == 0) {
		r = front_obey(front, bytes);
		if (r != 0)
			return r;
		channel_drop(&front->channel);
	}
	return r == FRAME_INCOMPLETE ? 0 : FRONT_BROKEN;
}

/* Whether it has been full for so long that only a new front helps. */
static bool front_is_stuck(struct front *front)
{
	uint64_t now = clock_ms();

	if (!sandbox_is_full()) {
		front->full = false;
		return false;
	}
	if (!front->full) {
		front->full_since = now;
		log_warning("front", "there are as many connections as it can have; guests that "
			"have none must wait");
	}
	front->full = true;
	return now - front->full_since >= front->patience;
}

/* Returns FRONT_ENDED, FRONT_BROKEN or FRONT_FULL. Fatal: -errno. */
static int front_loop(struct front *front)
{
	struct pollfd fds[] = {
		{ .fd = front->channel.fd, .events = POLLIN },
		{ .fd = link_fd(front->link), .events = POLLIN },
	};
	int r = 0;

	while (r == 0) {
		if (poll(fds, 2, CHECK_INTERVAL) < 0 && errno != EINTR)
			return error_from_errno();
		if (fds[0].revents != 0)
			r = front_carry_out(front);
		if (r == 0 && fds[1].revents != 0)
			r = front_carry_in(front);
		if (r == 0 && front_is_stuck(front))
			r = FRONT_FULL;
	}
	return r;
}

static int front_serve(struct front *front)
{
	const struct front_record ready = { .type = FRONT_READY };
	int r = front_tell(front, &ready);

	if (r == 0)
		r = front_loop(front);
	if (r == FRONT_ENDED)
		(void)poll(NULL, 0, LINGER);
	else if (r == FRONT_BROKEN)
		log_error("front", "core sent what is no frame");
	else if (r == FRONT_FULL)
		log_error("front", "a peer has left it without descriptors");
	else
		log_error("front", "%s", strerror(-r));
	return r == FRONT_ENDED ? EXIT_SUCCESS : EXIT_FAILURE;
}

int front_run(int fd, const char *endpoint)
{
	/*
	 * The link ends with the process: nanomsg would unlink the path that it bound, which is not
	 * where the socket is now, and abort because it may not (bipc.c:177 of 1.1.5).
	 */
	static struct front front;
	int status = EXIT_FAILURE;

	process_die_with_parent();
	sandbox_limit(endpoint_is_ipc(endpoint) ? PROCESS_FOLDER + 1 : PROCESS_FOLDER);
	front.patience = endpoint_is_ipc(endpoint) ? 0 : FULL_PATIENCE;
	channel_init(&front.channel, fd);
	if (payload_init(&front.frame, WIRE_FRAME_MAX) == 0 &&
	    front_listen(&front, endpoint) == 0) {
		front_confine();
		status = front_serve(&front);
	}
	payload_deinit(&front.frame);
	channel_deinit(&front.channel);
	return status;
}
