/*
 * The lives of the front. See front_keeper.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "host-bridge/front_keeper.h"

#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "host-bridge/frame_buffer.h"
#include "host-bridge/front_record.h"
#include "host-bridge/process.h"

#define WHY_MAX 1024

static void keeper_launch(struct front_keeper *keeper);

/* ---- between two lives ---- */

static void on_wait_over(uv_timer_t *timer)
{
	keeper_launch(timer->data);
}

/* Why the start failed, or NULL for a front that died without a word. */
static void keeper_start_failed(struct front_keeper *keeper, const char *why)
{
	if (!keeper->ever_up && !keeper->failed) {
		keeper->failed = true;
		keeper->owner.failed(keeper->owner.context, why);
	} else if (why != NULL) {
		log_error("front", "can't listen again: %s", why);
	}
}

static void keeper_wait(struct front_keeper *keeper)
{
	unsigned int next = keeper->back_off * 2;

	keeper->state = KEEPER_WAITING;
	if (uv_now(keeper->loop) - keeper->started >= KEEPER_LIFE_MIN)
		next = 0;
	else if (next == 0)
		next = KEEPER_BACK_OFF_FIRST;
	keeper->back_off = next < KEEPER_BACK_OFF_MAX ? next : KEEPER_BACK_OFF_MAX;
	(void)uv_timer_start(&keeper->timer, on_wait_over, keeper->back_off, 0);
}

/* ---- events of the child ---- */

static void keeper_tell(struct front_keeper *keeper, const struct front_record *record)
{
	static uint8_t bytes[FRAME_PREFIX + FRONT_RECORD_MAX];
	struct payload_view view = { .bytes = bytes };

	if (front_record_encode(record, bytes, &view.size) != 0)
		return;
	child_send_frame(keeper->child, view);
	payload_wipe(bytes, view.size);
}

static void on_ping(uv_timer_t *timer)
{
	const struct front_record ping = { .type = FRONT_PING };
	struct front_keeper *keeper = timer->data;

	if (keeper->unanswered == 2) {
		log_error("front", "the process for %s hangs; it is killed", keeper->endpoint);
		child_kill(keeper->child);
		return;
	}
	keeper->unanswered++;
	keeper_tell(keeper, &ping);
}

static void keeper_up(struct front_keeper *keeper)
{
	char why[WHY_MAX];

	if (endpoint_is_ipc(keeper->endpoint) &&
	    endpoint_publish(&keeper->claim, &keeper->maker, why, sizeof why) != 0) {
		child_kill(keeper->child);
		keeper_start_failed(keeper, why);
		return;
	}
	keeper->state = KEEPER_UP;
	keeper->unanswered = 0;
	(void)uv_timer_start(&keeper->timer, on_ping, KEEPER_PING, KEEPER_PING);
	if (keeper->ever_up) {
		log_info("front", "listening on %s again", keeper->endpoint);
		return;
	}
	keeper->ever_up = true;
	keeper->owner.up(keeper->owner.context);
}

static void keeper_problem(struct front_keeper *keeper, struct payload_view text)
{
	char why[FRONT_PROBLEM_MAX + 1];

	(void)snprintf(why, sizeof why, "%.*s", (int)text.size, (const char *)text.bytes);
	keeper_start_failed(keeper, why);
}

/* Anything but this order is not our front speaking. */
static bool on_frame(void *owner, struct payload_view bytes)
{
	struct front_keeper *keeper = owner;
	struct front_record record;
	struct front_route from = { .front = keeper };

	if (keeper->stopping || front_record_decode(bytes, &record) != 0)
		return keeper->stopping;
	switch (record.type) {
	case FRONT_FRAME:
		if (keeper->state != KEEPER_UP)
			return false;
		from.link = record.route;
		keeper->owner.frame(keeper->owner.context, &from, record.content);
		return true;
	case FRONT_READY:
		if (keeper->state != KEEPER_STARTING)
			return false;
		keeper_up(keeper);
		return true;
	case FRONT_PROBLEM:
		if (keeper->state != KEEPER_STARTING)
			return false;
		keeper_problem(keeper, record.content);
		return true;
	case FRONT_PING:
		/* Never more than were asked for. */
		if (keeper->state != KEEPER_UP || keeper->unanswered == 0)
			return false;
		keeper->unanswered--;
		return true;
	}
	return false;
}

static void on_ended(void *owner, bool clean)
{
	struct front_keeper *keeper = owner;
	bool was_up = keeper->state == KEEPER_UP;

	(void)clean;
	keeper->child = NULL;
	keeper->state = KEEPER_STOPPED;
	if (was_up)
		keeper->owner.lost(keeper->owner.context, keeper);
	if (!keeper->ever_up && !keeper->stopping)
		keeper_start_failed(keeper, NULL);
	if (keeper->stopping || !keeper->ever_up)
		return;
	log_warning("front", "the process for %s died; starting another one", keeper->endpoint);
	keeper_wait(keeper);
}

static void on_start_too_long(uv_timer_t *timer)
{
	struct front_keeper *keeper = timer->data;

	log_error("front", "does not start in time; it is killed");
	child_kill(keeper->child);
}

/* ---- a start ---- */

/* Returns 0 or CHILD_NOT_STARTED, which is logged. Fatal: -errno. */
static int keeper_spawn(struct front_keeper *keeper, int folder)
{
	static const struct child_functions functions = {
		.frame = on_frame,
		.ended = on_ended,
	};
	const struct child_role role = {
		.name = PROCESS_FRONT,
		.words = &keeper->endpoint,
		.word_count = 1,
		.folder = folder >= 0 ? &folder : NULL,
		.bare = true,
		.other_user = keeper->maker.other,
		.user = keeper->maker.user,
		.group = keeper->maker.group,
	};

	keeper->starts++;
	return child_start(&keeper->child, keeper->loop, &role, &functions, keeper);
}

static void keeper_launch(struct front_keeper *keeper)
{
	char why[WHY_MAX];
	const char *said = why;
	int folder = -1;
	int r = 0;

	keeper->started = uv_now(keeper->loop);
	if (endpoint_is_ipc(keeper->endpoint))
		r = endpoint_open_folder(&keeper->claim, &folder, why, sizeof why);
	if (r == 0) {
		said = NULL;
		r = keeper_spawn(keeper, folder);
	}
	if (folder >= 0)
		(void)close(folder);
	if (r == 0) {
		keeper->state = KEEPER_STARTING;
		(void)uv_timer_start(&keeper->timer, on_start_too_long, KEEPER_START_LIMIT, 0);
	} else if (r < 0) {
		keeper->owner.fail(keeper->owner.context, r);
	} else {
		keeper_start_failed(keeper, said);
		if (keeper->ever_up)
			keeper_wait(keeper);
	}
}

int front_keeper_start(struct front_keeper *keeper, char *why, size_t why_size)
{
	int r = 0;

	(void)uv_timer_init(keeper->loop, &keeper->timer);
	keeper->timer.data = keeper;
	keeper->begun = true;
	if (endpoint_is_ipc(keeper->endpoint))
		r = endpoint_claim(&keeper->claim, keeper->endpoint, &keeper->maker, why,
			why_size);
	if (r != 0)
		return r;
	keeper_launch(keeper);
	return 0;
}

void front_keeper_send(const struct front_route *to, struct payload_view frame)
{
	const struct front_record record = {
		.type = FRONT_FRAME,
		.route = to->link,
		.content = frame,
	};

	if (to->front != NULL && to->front->state == KEEPER_UP)
		keeper_tell(to->front, &record);
}

void front_keeper_stop(struct front_keeper *keeper)
{
	if (keeper->stopping)
		return;
	keeper->stopping = true;
	if (!keeper->begun)
		return;
	uv_close((uv_handle_t *)&keeper->timer, NULL);
	if (keeper->child != NULL)
		child_stop(keeper->child, KEEPER_STOP_GRACE);
}

void front_keeper_deinit(struct front_keeper *keeper)
{
	endpoint_release(&keeper->claim);
}

struct endpoint_maker front_keeper_maker(const struct bridge_config *config)
{
	return (struct endpoint_maker){
		.other = geteuid() == 0,
		.user = config->front_user,
		.group = config->front_group,
	};
}
