/*
 * Core: one libuv loop around the fronts, the guests and the monitor. See core.h.
 *
 * The order of an end: the guests are told that their sessions are over, and nothing new begins;
 * workers and monitor have their pipes closed; when the last of them has given up its card, those
 * of the fronts are closed, too; sockets are removed.
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
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "base/log.h"
#include "base/notify.h"
#include "base/watchdog.h"
#include "host-bridge/front_keeper.h"
#include "host-bridge/gate.h"
#include "host-bridge/guest.h"
#include "host-bridge/host_readers.h"
#include "host-bridge/leftovers.h"
#include "host-bridge/pin_tries.h"
#include "host-bridge/refusal.h"
#include "host-bridge/report.h"
#include "host-bridge/run_file.h"
#include "host-bridge/used_cards.h"
#include "relay/link.h"
#include "relay/session.h"

#define PROBLEM_MAX 1024
#define USED_CARDS_SUFFIX ".used"
#define PIN_TRIES_SUFFIX ".tries"

static const int end_signals[] = { SIGTERM, SIGINT, SIGHUP };

#define END_SIGNALS (sizeof end_signals / sizeof end_signals[0])

struct core {
	const struct bridge_config *config;
	const char *path;             /* of that */
	uv_loop_t loop;
	uv_signal_t signals[END_SIGNALS];
	uv_prepare_t prepare;
	uv_timer_t timer;
	struct watchdog watchdog;
	struct front_keeper *fronts;  /* as many as endpoints in the configuration */
	size_t fronts_up;             /* that have listened once */
	struct gate gate;
	struct used_cards used_cards;
	struct pin_tries pin_tries;
	struct leftovers leftovers;
	struct bridge_guest_host host;
	struct bridge_guest **guests; /* as many as in the configuration */
	struct host_readers readers;
	struct bridge_report report;
	char refused[WIRE_NAME_MAX];  /* the guest that was refused last: it will come again */
	bool stopping;
	int result;                   /* 0, or the error that ended it, and was logged */
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

static void core_send(void *context, const struct front_route *to, struct payload_view frame)
{
	struct core *core = context;

	/* A frame that is dropped here is repeated by the session. */
	if (gate_out(&core->gate, uv_now(&core->loop), to->channel, frame, &frame) == 0)
		front_keeper_send(to, frame);
}

static void core_refuse(struct core *core, const struct front_route *to,
	const struct wire_message *message)
{
	struct payload_view view;
	uint8_t frame[1024];

	view.bytes = frame;
	if (wire_encode(message, frame, sizeof frame, &view.size) == 0)
		core_send(core, to, view);
}

/* The same one comes again and again: who is said in the log once, unless another one came between. */
static void core_tell_refused(struct core *core, const char *who, const struct wire_message *answer)
{
	if (strcmp(core->refused, who) != 0)
		log_warning("bridge", "a guest was refused: %s", answer->refused.text);
	(void)snprintf(core->refused, sizeof core->refused, "%s", who);
}

static void refuse_version(struct core *core, const struct front_route *from,
	const struct wire_hello *hello)
{
	struct wire_message answer = refusal_of_version(hello);

	core_refuse(core, from, &answer);
	core_tell_refused(core, "?", &answer);
}

static void refuse_guest(struct core *core, const struct front_route *from,
	const struct wire_hello *hello, bool keyed)
{
	struct wire_message answer = refusal_of_guest(hello, keyed);

	core_refuse(core, from, &answer);
	core_tell_refused(core, hello->guest, &answer);
}

/* Also the answer to a repeated goodbye: the guest waits for it. */
static void refuse_session(struct core *core, const struct front_route *from, uint64_t session)
{
	struct wire_message answer = refusal_of_session(session);

	core_refuse(core, from, &answer);
}

/* Among those who may say so: the guest of the key, or those without one. */
static struct bridge_guest *guest_by_session(const struct core *core, size_t who, uint64_t session)
{
	for (size_t i = 0; i < core->config->guest_count; i++) {
		if (who == GATE_ANYONE ? core->config->guests[i].keyed : i != who)
			continue;
		if (bridge_guest_knows(core->guests[i], session))
			return core->guests[i];
	}
	return NULL;
}

/* Returns 0. Fatal: -errno. */
static int core_hello(struct core *core, size_t who, const struct wire_message *message,
	const struct front_route *from)
{
	size_t i = 0;

	/* The key says who it is, and the name only where there is none. */
	if (who != GATE_ANYONE)
		return bridge_guest_receive(core->guests[who], message, from);
	while (i < core->config->guest_count &&
		strcmp(bridge_guest_name(core->guests[i]), message->hello.guest) != 0)
		i++;
	if (i < core->config->guest_count && !core->config->guests[i].keyed)
		return bridge_guest_receive(core->guests[i], message, from);
	refuse_guest(core, from, &message->hello, i < core->config->guest_count);
	return 0;
}

/* Returns 0. Fatal: -errno. */
static int core_message(struct core *core, size_t who, const struct wire_message *message,
	const struct front_route *from)
{
	struct bridge_guest *guest;

	switch (message->type) {
	case WIRE_HELLO:
		/* Somebody wants a session. */
		return core->stopping ? 0 : core_hello(core, who, message, from);
	case WIRE_CALL:
	case WIRE_QUERY:
	case WIRE_PING:
	case WIRE_BYE:
		/* The number of the session says which one it is. */
		guest = guest_by_session(core, who, message->session);
		if (guest != NULL && !core->stopping) {
			gate_hold(&core->gate, from->channel);
			return bridge_guest_receive(guest, message, from);
		}
		refuse_session(core, from, message->session);
		return 0;
	}
	/* What only a bridge says is no business of ours. */
	return 0;
}

/* A frame from behind the gate. Returns 0. Fatal: -errno. */
static int core_frame(struct core *core, size_t who, struct payload_view frame,
	const struct front_route *from)
{
	struct wire_message message;

	switch (wire_decode(frame.bytes, frame.size, &message)) {
	case 0:
		return core_message(core, who, &message, from);
	case WIRE_FOREIGN_VERSION:
		if (message.type == WIRE_HELLO)
			refuse_version(core, from, &message.hello);
		break;
	case WIRE_UNKNOWN_TYPE:
		break;
	default:
		log_debug("bridge", "a frame of %zu bytes is malformed, and dropped", frame.size);
		break;
	}
	return 0;
}

static void on_frame(void *context, const struct front_route *from, struct payload_view bytes)
{
	struct core *core = context;
	struct front_route route = *from;
	struct gate_frame frame;
	int r = 0;

	switch (gate_in(&core->gate, uv_now(&core->loop), endpoint_is_ipc(from->front->endpoint),
		link_route_connection(&from->link), bytes, &frame)) {
	case GATE_ANSWER:
		front_keeper_send(from, frame.view);
		break;
	case 0:
		route.channel = frame.channel;
		r = core_frame(core, frame.guest, frame.view, &route);
		break;
	}
	gate_done(&core->gate);
	if (r < 0)
		core_fail(core, r);
}

/* ---- the fronts ---- */

static void on_front_up(void *context)
{
	struct core *core = context;

	core->fronts_up++;
	if (core->fronts_up < core->config->endpoint_count)
		return;
	for (size_t i = 0; i < core->config->endpoint_count; i++)
		log_info("bridge", "listening on %s", core->config->endpoints[i]);
	notify("READY=1\nSTATUS=listening, %zu guests may come", core->config->guest_count);
	host_readers_start(&core->readers);
}

static void on_front_failed(void *context, const char *why)
{
	struct core *core = context;

	/* The first one that fails says it for all. */
	if (core->stopping)
		return;
	log_error("bridge", "can't listen: %s",
		why != NULL ? why : "the process for it can't be started");
	core->result = -EIO;
	core_stop(core);
}

static void on_front_lost(void *context, const struct front_keeper *front)
{
	struct core *core = context;

	for (size_t i = 0; i < core->config->guest_count; i++)
		bridge_guest_link_lost(core->guests[i], front);
}

/* ---- readers and time ---- */

static void on_readers(void *context)
{
	struct core *core = context;
	int r = 0;

	if (!reader_table_is_settled(&core->readers.table))
		return;
	for (size_t i = 0; i < core->config->guest_count && r == 0; i++)
		r = bridge_guest_set_readers(core->guests[i], &core->readers.table);
	if (r < 0)
		core_fail(core, r);
}

static void on_readers_forgotten(void *context)
{
	struct core *core = context;

	for (size_t i = 0; i < core->config->guest_count; i++)
		bridge_guest_forget_readers(core->guests[i]);
}

static bool any_session(const struct core *core)
{
	bool any = false;

	for (size_t i = 0; i < core->config->guest_count; i++)
		any = any || bridge_guest_session(core->guests[i]) != 0;
	return any;
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
	leftovers_tick(&core->leftovers, now);
	gate_tick(&core->gate, now);
	if (r < 0)
		core_fail(core, r);
}

static uint64_t core_deadline(const struct core *core)
{
	uint64_t deadline = leftovers_deadline(&core->leftovers);

	if (gate_deadline(&core->gate) < deadline)
		deadline = gate_deadline(&core->gate);
	for (size_t i = 0; i < core->config->guest_count; i++) {
		if (bridge_guest_deadline(core->guests[i]) < deadline)
			deadline = bridge_guest_deadline(core->guests[i]);
	}
	return deadline;
}

/* Whether what was due a while ago has been done. A front that hangs is its keeper's to kill. */
static bool core_is_well(void *owner)
{
	const struct core *core = owner;
	uint64_t now = uv_now(&core->loop);

	return now <= WATCHDOG_GRACE || now - WATCHDOG_GRACE <= core_deadline(core);
}

static void core_end_if_idle(struct core *core);

/* Before the loop sleeps: whatever has happened may have moved a deadline. */
static void on_prepare(uv_prepare_t *prepare)
{
	struct core *core = prepare->data;
	uint64_t now = uv_now(&core->loop);
	uint64_t deadline;

	if (core->stopping) {
		core_end_if_idle(core);
		return;
	}
	bridge_report_again(&core->report);
	host_readers_want(&core->readers, any_session(core) || bridge_report_wants_readers(&core->report));
	deadline = core_deadline(core);
	if (deadline == SESSION_NEVER)
		(void)uv_timer_stop(&core->timer);
	else
		(void)uv_timer_start(&core->timer, on_timer, deadline > now ? deadline - now : 0, 0);
}

/* ---- the end ---- */

/* The fronts are the last, for the guests to hear why. */
static void core_end_if_idle(struct core *core)
{
	for (size_t i = 0; i < core->config->guest_count; i++) {
		if (bridge_guest_is_busy(core->guests[i]))
			return;
	}
	if (leftovers_are_busy(&core->leftovers))
		return;
	uv_close((uv_handle_t *)&core->prepare, NULL);
	for (size_t i = 0; i < core->config->endpoint_count; i++)
		front_keeper_stop(&core->fronts[i]);
}

static void core_stop(struct core *core)
{
	if (core->stopping)
		return;
	core->stopping = true;
	notify("STOPPING=1");
	watchdog_stop(&core->watchdog);
	/* A second signal finds the default handler; the workers give up their cards even then. */
	for (size_t i = 0; i < END_SIGNALS; i++)
		uv_close((uv_handle_t *)&core->signals[i], NULL);
	uv_close((uv_handle_t *)&core->timer, NULL);
	host_readers_stop(&core->readers);
	bridge_report_stop(&core->report);
	leftovers_shut(&core->leftovers);
	for (size_t i = 0; i < core->config->guest_count; i++) {
		if (bridge_guest_session(core->guests[i]) != 0)
			refuse_session(core, bridge_guest_route(core->guests[i]),
				bridge_guest_session(core->guests[i]));
		bridge_guest_shut(core->guests[i]);
	}
}

static void on_signal(uv_signal_t *handle, int number)
{
	log_info("bridge", "%s: stopping", strsignal(number));
	core_stop(handle->data);
}

/* ---- the beginning ---- */

/* Returns as used_cards_open() does. */
static int core_reset_leftovers(struct core *core, char *why, size_t why_size)
{
	char path[RUN_FILE_MAX];
	int r;

	run_file_path(core->config, USED_CARDS_SUFFIX, path, sizeof path);
	r = used_cards_open(&core->used_cards, path, why, why_size);
	if (r == 0)
		r = leftovers_start(&core->leftovers, &core->loop, &core->used_cards);
	return r;
}

/* What is counted for nobody need not be kept. Returns as pin_tries_open() does. */
static int core_remember_tries(struct core *core, char *why, size_t why_size)
{
	char path[RUN_FILE_MAX];
	int r;

	run_file_path(core->config, PIN_TRIES_SUFFIX, path, sizeof path);
	if (core->config->guarded)
		r = pin_tries_open(&core->pin_tries, path, why, why_size);
	else
		r = pin_tries_forgetful(&core->pin_tries);
	core->host.pin_guard = core->pin_tries.guard;
	return r;
}

/* Whatever goes wrong here is logged, and ends the loop soon after it has begun. */
static void core_listen(struct core *core)
{
	char why[PROBLEM_MAX];
	int r = 0;

	for (size_t i = 0; i < core->config->endpoint_count && r == 0; i++)
		r = front_keeper_start(&core->fronts[i], why, sizeof why);
	if (r == 0)
		r = core_reset_leftovers(core, why, sizeof why);
	if (r == 0)
		r = core_remember_tries(core, why, sizeof why);
	if (r == 0)
		bridge_report_start(&core->report, &core->loop);
	if (r == 0 || core->stopping)
		return;
	log_error("bridge", "%s", r > 0 ? why : strerror(-r));
	core->result = -EIO;
	core_stop(core);
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

static int core_make_fronts(struct core *core)
{
	size_t count = core->config->endpoint_count;

	core->fronts = calloc(count, sizeof *core->fronts);
	for (size_t i = 0; core->fronts != NULL && i < count; i++) {
		core->fronts[i] = (struct front_keeper){
			.loop = &core->loop,
			.endpoint = core->config->endpoints[i],
			.maker = front_keeper_maker(core->config),
			.owner = {
				.up = on_front_up,
				.failed = on_front_failed,
				.frame = on_frame,
				.lost = on_front_lost,
				.fail = core_fail,
				.context = core,
			},
		};
	}
	return core->fronts != NULL ? 0 : -ENOMEM;
}

/* Everything that needs no system resource but memory. Fatal: -errno. */
static int core_init(struct core *core, struct key_pair *own)
{
	int r = gate_init(&core->gate, core->config, own);

	payload_wipe(own, sizeof *own);
	if (r < 0)
		return r;
	core->host = (struct bridge_guest_host){
		.loop = &core->loop,
		.used_cards = &core->used_cards,
		.leftovers = &core->leftovers,
		.traces = &core->report.traces,
		.send = core_send,
		.fail = core_fail,
		.context = core,
	};
	randombytes_buf(&core->host.boot, sizeof core->host.boot);
	core->readers = (struct host_readers){
		.loop = &core->loop,
		.changed = on_readers,
		.forgotten = on_readers_forgotten,
		.fail = core_fail,
		.context = core,
	};
	r = core_make_fronts(core);
	if (r == 0)
		r = core_make_guests(core);
	core->report = (struct bridge_report){
		.config = core->config,
		.self = { .program = "ccid-bridge", .config = core->path, .since = time(NULL) },
		.fronts = core->fronts,
		.guests = core->guests,
		.readers = &core->readers,
		.traces = CALL_TRACES(CCID_RELAY_VERSION),
	};
	return r;
}

static void core_deinit(struct core *core)
{
	leftovers_deinit(&core->leftovers);
	for (size_t i = 0; core->guests != NULL && i < core->config->guest_count; i++)
		core->guests[i] = bridge_guest_free(core->guests[i]);
	free(core->guests);
	core->guests = NULL;
	/* The files before the fronts, whose sockets keep other bridges from them. */
	used_cards_close(&core->used_cards);
	pin_tries_close(&core->pin_tries);
	for (size_t i = 0; core->fronts != NULL && i < core->config->endpoint_count; i++)
		front_keeper_deinit(&core->fronts[i]);
	free(core->fronts);
	gate_deinit(&core->gate);
	host_readers_deinit(&core->readers);
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
	watchdog_start(&core->watchdog, &core->loop, core_is_well, core);
	core_listen(core);
}

int core_run(const struct bridge_config *config, const char *path, struct key_pair *own)
{
	struct core core = {
		.config = config,
		.path = path,
		.used_cards = USED_CARDS_NULL,
		.pin_tries = PIN_TRIES_NULL,
		.gate = GATE_NULL,
	};
	int status = EXIT_FAILURE;
	int r = uv_loop_init(&core.loop);

	if (r < 0) {
		log_error("bridge", "can't start: %s", uv_strerror(r));
		return EXIT_FAILURE;
	}
	r = core_init(&core, own);
	if (r < 0) {
		log_error("bridge", "can't start: %s", strerror(-r));
	} else {
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
