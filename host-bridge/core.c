/*
 * Core: one libuv loop around the link, the guests and the monitor. See core.h.
 *
 * The order of an end: the link is closed, so that nothing new comes; workers and monitor have
 * their pipes closed; the loop goes on until the last of them has given up its card; sockets are
 * removed.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "host-bridge/core.h"

#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/log.h"
#include "host-bridge/endpoint.h"
#include "host-bridge/guest.h"
#include "host-bridge/host_readers.h"
#include "relay/link.h"
#include "relay/session.h"

#define PROBLEM_MAX 512

/* Frames that are handled before the loop looks at anything else. */
#define FRAMES_AT_ONCE 64

static const int end_signals[] = { SIGTERM, SIGINT, SIGHUP };

#define END_SIGNALS (sizeof end_signals / sizeof end_signals[0])

struct core {
	const struct bridge_config *config;
	uv_loop_t loop;
	uv_signal_t signals[END_SIGNALS];
	uv_poll_t link_poll;
	uv_prepare_t prepare;
	uv_timer_t timer;
	size_t listening;             /* endpoints that are ours to remove */
	struct link *link;
	struct payload frame;         /* the one that is being handled */
	struct bridge_guest_host host;
	struct bridge_guest **guests; /* as many as in the configuration */
	struct host_readers readers;
	char refused[WIRE_NAME_MAX];  /* the guest that was refused last: it will come again */
	bool stopping;
	int result;                   /* 0, or the fatal error that ended it */
};

static void core_stop(struct core *core);

static void core_fail(void *context, int error)
{
	struct core *core = context;

	if (core->result == 0)
		log_error("bridge", "giving up: %s", strerror(-error));
	core->result = error;
	core_stop(core);
}

/* ---- frames ---- */

static void core_send(void *context, const struct link_route *to, struct payload_view frame)
{
	struct core *core = context;

	/* A frame that the link drops is repeated by the session. */
	if (core->link != NULL)
		(void)link_send(core->link, to, frame);
}

static void core_refuse(struct core *core, const struct link_route *to,
	const struct wire_message *message)
{
	struct payload_view view;
	uint8_t frame[1024];

	view.bytes = frame;
	if (wire_encode(message, frame, sizeof frame, &view.size) == 0)
		core_send(core, to, view);
}

static void refuse_version(struct core *core, const struct link_route *from, uint8_t major)
{
	struct wire_message answer = { .type = WIRE_REFUSED };
	struct wire_refused *refused = &answer.refused;

	refused->reason = WIRE_REFUSED_VERSION;
	refused->major = WIRE_MAJOR;
	refused->minor = WIRE_MINOR;
	(void)snprintf(refused->text, sizeof refused->text,
		"the bridge speaks version %d.%d of the relay's protocol, the guest version %u: "
		"update the older one", WIRE_MAJOR, WIRE_MINOR, (unsigned int)major);
	core_refuse(core, from, &answer);
	if (strcmp(core->refused, "?") != 0)
		log_warning("bridge", "a guest was refused: %s", refused->text);
	(void)snprintf(core->refused, sizeof core->refused, "?");
}

static void refuse_guest(struct core *core, const struct link_route *from,
	const struct wire_hello *hello)
{
	struct wire_message answer = { .type = WIRE_REFUSED };
	struct wire_refused *refused = &answer.refused;

	refused->reason = WIRE_REFUSED_GUEST;
	refused->major = WIRE_MAJOR;
	refused->minor = WIRE_MINOR;
	refused->incarnation = hello->incarnation;
	(void)snprintf(refused->text, sizeof refused->text,
		"no guest \"%.64s\" in the bridge's configuration", hello->guest);
	core_refuse(core, from, &answer);
	if (strcmp(core->refused, hello->guest) != 0)
		log_warning("bridge", "a guest was refused: %s", refused->text);
	(void)snprintf(core->refused, sizeof core->refused, "%s", hello->guest);
}

/* Also the answer to a repeated goodbye: the guest waits for it. */
static void refuse_session(struct core *core, const struct link_route *from, uint64_t session)
{
	struct wire_message answer = { .type = WIRE_REFUSED, .session = session };

	answer.refused.reason = WIRE_REFUSED_NO_SESSION;
	answer.refused.major = WIRE_MAJOR;
	answer.refused.minor = WIRE_MINOR;
	(void)snprintf(answer.refused.text, sizeof answer.refused.text,
		"the session is over, or the bridge was started anew");
	core_refuse(core, from, &answer);
}

static struct bridge_guest *guest_by_name(const struct core *core, const char *name)
{
	for (size_t i = 0; i < core->config->guest_count; i++) {
		if (strcmp(bridge_guest_name(core->guests[i]), name) == 0)
			return core->guests[i];
	}
	return NULL;
}

static struct bridge_guest *guest_by_session(const struct core *core, uint64_t session)
{
	for (size_t i = 0; i < core->config->guest_count && session != 0; i++) {
		if (bridge_guest_session(core->guests[i]) == session)
			return core->guests[i];
	}
	return NULL;
}

/* Returns 0. Fatal: -errno. */
static int core_message(struct core *core, const struct wire_message *message,
	const struct link_route *from)
{
	struct bridge_guest *guest;

	switch (message->type) {
	case WIRE_HELLO:
		/* The name says who it is; there are no keys yet. */
		guest = guest_by_name(core, message->hello.guest);
		if (guest != NULL)
			return bridge_guest_receive(guest, message, from);
		refuse_guest(core, from, &message->hello);
		return 0;
	case WIRE_CALL:
	case WIRE_QUERY:
	case WIRE_PING:
	case WIRE_BYE:
		/* The number of the session says who it is. */
		guest = guest_by_session(core, message->session);
		if (guest != NULL)
			return bridge_guest_receive(guest, message, from);
		refuse_session(core, from, message->session);
		return 0;
	}
	/* What only a bridge says is no business of ours. */
	return 0;
}

static int core_frame(struct core *core, const struct link_route *from)
{
	struct payload_view view = payload_view(&core->frame);
	struct wire_message message;

	switch (wire_decode(view.bytes, view.size, &message)) {
	case 0:
		return core_message(core, &message, from);
	case WIRE_FOREIGN_VERSION:
		if (message.type == WIRE_HELLO)
			refuse_version(core, from, message.hello.major);
		return 0;
	case WIRE_UNKNOWN_TYPE:
		return 0;
	default:
		log_debug("bridge", "a frame of %zu bytes is malformed, and dropped", view.size);
		return 0;
	}
}

static void on_link(uv_poll_t *poll, int status, int events)
{
	struct core *core = poll->data;
	struct link_route from;
	int r = 0;

	(void)status;
	(void)events;
	for (int i = 0; i < FRAMES_AT_ONCE && r == 0 && !core->stopping; i++) {
		r = link_receive(core->link, &from, &core->frame);
		if (r == 0)
			r = core_frame(core, &from);
		payload_clear(&core->frame);
	}
	if (r < 0)
		core_fail(core, r);
}

/* ---- readers and time ---- */

static void on_readers(void *context)
{
	struct core *core = context;
	int r = 0;

	for (size_t i = 0; i < core->config->guest_count && r == 0; i++)
		r = bridge_guest_set_readers(core->guests[i], &core->readers.table);
	if (r < 0)
		core_fail(core, r);
}

static void on_timer(uv_timer_t *timer)
{
	struct core *core = timer->data;
	uint64_t now = uv_now(&core->loop);
	int r = 0;

	for (size_t i = 0; i < core->config->guest_count && r == 0; i++) {
		if (now >= bridge_guest_deadline(core->guests[i]))
			r = bridge_guest_tick(core->guests[i], now);
	}
	if (r < 0)
		core_fail(core, r);
}

/* Before the loop sleeps: whatever has happened may have moved a deadline. */
static void on_prepare(uv_prepare_t *prepare)
{
	struct core *core = prepare->data;
	uint64_t deadline = SESSION_NEVER;
	uint64_t now = uv_now(&core->loop);

	for (size_t i = 0; i < core->config->guest_count; i++) {
		if (bridge_guest_deadline(core->guests[i]) < deadline)
			deadline = bridge_guest_deadline(core->guests[i]);
	}
	if (deadline == SESSION_NEVER)
		(void)uv_timer_stop(&core->timer);
	else
		(void)uv_timer_start(&core->timer, on_timer, deadline > now ? deadline - now : 0,
			0);
}

/* ---- the end ---- */

static void core_stop(struct core *core)
{
	if (core->stopping)
		return;
	core->stopping = true;
	/* A second signal finds the default handler; the workers give up their cards even then. */
	for (size_t i = 0; i < END_SIGNALS; i++)
		uv_close((uv_handle_t *)&core->signals[i], NULL);
	uv_close((uv_handle_t *)&core->prepare, NULL);
	uv_close((uv_handle_t *)&core->timer, NULL);
	uv_close((uv_handle_t *)&core->link_poll, NULL);
	core->link = link_close(core->link);
	host_readers_stop(&core->readers);
	for (size_t i = 0; i < core->config->guest_count; i++)
		bridge_guest_shut(core->guests[i]);
}

static void on_signal(uv_signal_t *handle, int number)
{
	log_info("bridge", "%s: stopping", strsignal(number));
	core_stop(handle->data);
}

/* ---- the beginning ---- */

/* Returns 0, or 1 after a line in the log. */
static int core_listen(struct core *core)
{
	char problem[PROBLEM_MAX];
	int r;

	for (size_t i = 0; i < core->config->endpoint_count; i++) {
		if (endpoint_prepare(core->config->endpoints[i], problem, sizeof problem) != 0) {
			log_error("bridge", "%s", problem);
			return 1;
		}
	}
	r = link_open_nanomsg(&core->link, LINK_BRIDGE,
		(const char *const *)core->config->endpoints, core->config->endpoint_count,
		problem, sizeof problem);
	if (r != 0) {
		log_error("bridge", "can't listen: %s", r > 0 ? problem : strerror(-r));
		return 1;
	}
	core->listening = core->config->endpoint_count;
	for (size_t i = 0; i < core->listening; i++)
		log_info("bridge", "listening on %s", core->config->endpoints[i]);
	return 0;
}

static int core_make_guests(struct core *core)
{
	int r = 0;

	core->guests = calloc(core->config->guest_count, sizeof *core->guests);
	if (core->guests == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < core->config->guest_count && r == 0; i++)
		r = bridge_guest_new(&core->guests[i], &core->config->guests[i], &core->host);
	return r;
}

/* Everything that needs no system resource but memory. Fatal: -errno. */
static int core_init(struct core *core, const char *log_level)
{
	int r;

	core->host = (struct bridge_guest_host){
		.loop = &core->loop,
		.log_level = log_level,
		.send = core_send,
		.fail = core_fail,
		.context = core,
	};
	randombytes_buf(&core->host.boot, sizeof core->host.boot);
	core->readers = (struct host_readers){
		.loop = &core->loop,
		.log_level = log_level,
		.changed = on_readers,
		.fail = core_fail,
		.context = core,
	};
	r = payload_init(&core->frame, WIRE_FRAME_MAX);
	return r < 0 ? r : core_make_guests(core);
}

static void core_deinit(struct core *core)
{
	core->link = link_close(core->link);
	for (size_t i = 0; i < core->listening; i++)
		endpoint_remove(core->config->endpoints[i]);
	for (size_t i = 0; core->guests != NULL && i < core->config->guest_count; i++)
		core->guests[i] = bridge_guest_free(core->guests[i]);
	free(core->guests);
	core->guests = NULL;
	host_readers_deinit(&core->readers);
	payload_deinit(&core->frame);
	(void)uv_loop_close(&core->loop);
}

static void core_start(struct core *core)
{
	for (size_t i = 0; i < END_SIGNALS; i++) {
		(void)uv_signal_init(&core->loop, &core->signals[i]);
		core->signals[i].data = core;
		(void)uv_signal_start(&core->signals[i], on_signal, end_signals[i]);
	}
	(void)uv_prepare_init(&core->loop, &core->prepare);
	core->prepare.data = core;
	(void)uv_prepare_start(&core->prepare, on_prepare);
	(void)uv_timer_init(&core->loop, &core->timer);
	core->timer.data = core;
	(void)uv_poll_init(&core->loop, &core->link_poll, link_fd(core->link));
	core->link_poll.data = core;
	(void)uv_poll_start(&core->link_poll, UV_READABLE, on_link);
	host_readers_start(&core->readers);
}

int core_run(const struct bridge_config *config, const char *log_level)
{
	struct core core = { .config = config };
	int status = EXIT_FAILURE;
	int r = uv_loop_init(&core.loop);

	if (r < 0) {
		log_error("bridge", "can't start: %s", uv_strerror(r));
		return EXIT_FAILURE;
	}
	r = core_init(&core, log_level);
	if (r < 0) {
		log_error("bridge", "can't start: %s", strerror(-r));
	} else if (core_listen(&core) == 0) {
		core_start(&core);
		(void)uv_run(&core.loop, UV_RUN_DEFAULT);
		if (core.result == 0)
			status = EXIT_SUCCESS;
	}
	core_deinit(&core);
	if (status == EXIT_SUCCESS)
		log_info("bridge", "stopped");
	return status;
}
