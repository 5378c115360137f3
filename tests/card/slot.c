/*
 * See slot.h for the states. Each kind of event has one function with a switch over them: inserted,
 * removed, connected, timer, frame, end of connection.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "tests/card/slot.h"

#include <assert.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>


#define SLOT_RETRY_MS 50

struct slot_connection {
	uv_tcp_t tcp;
	uv_connect_t request;
	struct slot *slot; /* NULL once the slot has given the connection up */
};

struct slot_write {
	uv_write_t request;
	struct slot_connection *connection;
	bool last;
	size_t size;
	uint8_t bytes[VPCD_HEADER_SIZE + VPCD_FRAME_MAX];
};

static void slot_connect(struct slot *slot);
static void slot_frames(struct slot *slot);
static void slot_timer_ended(uv_timer_t *timer);

int slot_init(struct slot *slot, uv_loop_t *loop, struct cardlog *log, unsigned int index,
	      const struct slot_config *config)
{
	int r;

	memset(slot, 0, sizeof(*slot));
	slot->loop = loop;
	slot->log = log;
	slot->index = index;
	slot->address = config->address;
	r = applet_init(&slot->applet, config->pin, config->tries);
	if (r != 0)
		return r == APPLET_BAD_PIN ? SLOT_BAD_PIN : r;
	r = uv_timer_init(loop, &slot->timer);
	if (r != 0)
		return r;
	slot->timer.data = slot;
	return slot_set_atr(slot, config->atr);
}

void slot_close(struct slot *slot)
{
	slot_remove(slot);
	uv_close((uv_handle_t *)&slot->timer, NULL);
}

void slot_deinit(struct slot *slot)
{
	applet_deinit(&slot->applet);
	vpcd_init(&slot->vpcd);
}

const char *slot_state_name(const struct slot *slot)
{
	switch (slot->state) {
	case SLOT_OUT:
		return "out";
	case SLOT_AWAY:
		return "away";
	case SLOT_WAITING:
		return "waiting";
	case SLOT_CONNECTING:
		return "connecting";
	case SLOT_IDLE:
		return "idle";
	case SLOT_WORKING:
		return "working";
	case SLOT_STUCK:
		return "stuck";
	}
	return "?";
}

bool slot_inserted(const struct slot *slot)
{
	return slot->state != SLOT_OUT && slot->state != SLOT_AWAY;
}

static bool slot_has_apdu(const struct slot *slot)
{
	return slot->state == SLOT_WORKING || slot->state == SLOT_STUCK;
}

static void slot_start_timer(struct slot *slot, enum slot_state state, uint64_t ms)
{
	slot->state = state;
	(void)uv_timer_start(&slot->timer, slot_timer_ended, ms, 0);
}

static void slot_connection_closed(uv_handle_t *handle)
{
	free(handle->data);
}

/* Gives the connection up, with a FIN, or with a reset where libuv can still make one. */
static void slot_close_connection(struct slot *slot, bool reset)
{
	struct slot_connection *connection = slot->connection;

	slot->connection = NULL;
	connection->slot = NULL;
	if (!reset || uv_tcp_close_reset(&connection->tcp, slot_connection_closed) != 0)
		uv_close((uv_handle_t *)&connection->tcp, slot_connection_closed);
}

/*
 * The connection is over, whoever ended it: power is gone, and an APDU that ran has no answer. The
 * next state is the caller's business. The log comes first: nobody shall have seen the end of the
 * connection before it says so.
 */
static void slot_disconnected(struct slot *slot, const char *by, bool reset)
{
	bool was_connected = slot->state != SLOT_CONNECTING;

	(void)uv_timer_stop(&slot->timer);
	if (slot_has_apdu(slot))
		cardlog_event(slot->log, slot->index, "apdu-lost", "n=%llu us=%llu",
			      (unsigned long long)slot->apdu_number,
			      (unsigned long long)(uv_hrtime() - slot->apdu_start_ns) / 1000);
	if (was_connected) {
		cardlog_event(slot->log, slot->index, "disconnect", "by=%s verified=%d", by,
			      (int)slot->applet.verified);
		applet_power_off(&slot->applet);
	}
	slot_close_connection(slot, reset);
}

void slot_insert(struct slot *slot)
{
	if (slot_inserted(slot))
		return;
	(void)uv_timer_stop(&slot->timer);
	(void)atr_by_name(slot->atr_next, &slot->atr); /* slot_set_atr() has tried it */
	cardlog_event(slot->log, slot->index, "insert", "atr=%s", slot->atr_next);
	slot_connect(slot);
}

/* Takes the card out; a reset of the connection is how a power cut looks to vpcd. */
static void slot_leave(struct slot *slot, const char *by, bool reset)
{
	if (slot_inserted(slot))
		cardlog_event(slot->log, slot->index, "remove", "by=%s", by);
	switch (slot->state) {
	case SLOT_OUT: /* nothing to take out */
		return;
	case SLOT_AWAY: /* is out already, but must not come back by itself */
		(void)uv_timer_stop(&slot->timer);
		slot->state = SLOT_OUT;
		return;
	case SLOT_WAITING: /* vpcd has never seen it */
		(void)uv_timer_stop(&slot->timer);
		break;
	case SLOT_CONNECTING:
	case SLOT_IDLE:
	case SLOT_WORKING:
	case SLOT_STUCK: /* the end of the connection is the removal */
		slot_disconnected(slot, "card", reset);
		break;
	}
	slot->state = SLOT_OUT;
}

/* Leaves by itself, as COMMAND_DROP asked for. */
static void slot_drop(struct slot *slot)
{
	uint32_t away_ms = slot->answer.away_ms;

	slot_leave(slot, "card", slot->answer.action == APPLET_RST);
	if (away_ms > 0)
		slot_start_timer(slot, SLOT_AWAY, away_ms);
}

void slot_remove(struct slot *slot)
{
	slot_leave(slot, "hand", false);
}

void slot_swap(struct slot *slot, uint32_t away_ms)
{
	slot_leave(slot, "hand", false);
	slot_start_timer(slot, SLOT_AWAY, away_ms);
}

int slot_set_atr(struct slot *slot, const char *name)
{
	struct atr atr;

	if (strlen(name) >= sizeof(slot->atr_next) || atr_by_name(name, &atr) != 0)
		return SLOT_BAD_ATR;
	(void)snprintf(slot->atr_next, sizeof(slot->atr_next), "%s", name);
	return 0;
}

static void slot_written(uv_write_t *request, int status)
{
	struct slot_write *write = request->data;
	struct slot *slot = write->connection->slot;

	/* A failed write is followed by a failed read, which is where the connection ends. */
	if (status == 0 && write->last && slot != NULL)
		slot_drop(slot);
	payload_wipe(write->bytes, write->size);
	free(write);
}

/* Sends an answer, or its first sent bytes under a header that promises all of them. */
static void slot_send(struct slot *slot, struct payload_view answer, size_t sent, bool last)
{
	struct slot_write *write = malloc(sizeof(*write));
	uv_buf_t buffer;

	assert(sent <= answer.size && answer.size <= VPCD_FRAME_MAX);
	if (write == NULL)
		abort();
	vpcd_header(write->bytes, answer.size);
	if (sent > 0)
		memcpy(&write->bytes[VPCD_HEADER_SIZE], answer.bytes, sent);
	if (slot->corrupt && slot->state == SLOT_WORKING && sent > 2)
		write->bytes[VPCD_HEADER_SIZE + sent - 3] ^= 0x01;
	write->request.data = write;
	write->connection = slot->connection;
	write->last = last;
	write->size = VPCD_HEADER_SIZE + sent;
	buffer = uv_buf_init((char *)write->bytes, (unsigned int)write->size);
	if (uv_write(&write->request, (uv_stream_t *)&slot->connection->tcp, &buffer, 1,
		     slot_written) != 0)
		free(write);
}

static void slot_log_apdu_end(struct slot *slot, const char *how)
{
	cardlog_apdu_end(slot->log, slot->index, slot->apdu_number, how, slot->answer.response,
			 (uv_hrtime() - slot->apdu_start_ns) / 1000);
}

/* The time of an APDU is up: do what the applet has decided. */
static void slot_finish_apdu(struct slot *slot)
{
	const struct applet_answer *answer = &slot->answer;

	switch (answer->action) {
	case APPLET_ANSWER:
		slot_log_apdu_end(slot, "answer");
		slot_send(slot, answer->response, answer->response.size, false);
		slot->state = SLOT_IDLE;
		return;
	case APPLET_MUTE:
		slot->state = SLOT_STUCK;
		return;
	case APPLET_CUT: /* leaves when the half is written */
		slot_log_apdu_end(slot, "cut");
		slot_send(slot, answer->response, answer->response.size / 2, true);
		slot->state = SLOT_IDLE;
		return;
	case APPLET_FIN:
	case APPLET_RST: /* apdu-lost is the end in the log */
		slot_drop(slot);
		return;
	}
}

static void slot_begin_apdu(struct slot *slot, struct payload_view command)
{
	uint64_t delay;

	slot->apdu_number++;
	slot->apdu_start_ns = uv_hrtime();
	slot->state = SLOT_WORKING;
	cardlog_apdu_begin(slot->log, slot->index, slot->apdu_number, command);
	applet_execute(&slot->applet, command, &slot->answer);
	delay = (uint64_t)slot->answer.delay_ms + slot->delay_ms;
	if (slot->mute_apdu)
		slot->state = SLOT_STUCK;
	else if (delay > 0)
		slot_start_timer(slot, SLOT_WORKING, delay);
	else
		slot_finish_apdu(slot);
}

void slot_set_mute(struct slot *slot, bool mute_atr, bool mute_apdu)
{
	slot->mute_atr = mute_atr;
	slot->mute_apdu = mute_apdu;
	if (!mute_apdu && slot->state == SLOT_STUCK) {
		slot_finish_apdu(slot);
		slot_frames(slot);
	}
}

/* The ATR is asked for after a power-up or reset, and as a poll, which is never refused. */
static void slot_send_atr(struct slot *slot)
{
	const struct payload_view atr = { .bytes = slot->atr.bytes, .size = slot->atr.size };

	if (slot->refuse_atr) {
		cardlog_event(slot->log, slot->index, "mute-reset", "atr=%s", slot->atr_next);
		slot_disconnected(slot, "card", false);
		slot_connect(slot);
		return;
	}
	slot_send(slot, atr, atr.size, false);
}

static void slot_handle(struct slot *slot, const struct vpcd_message *message)
{
	int verified = slot->applet.verified;

	switch (message->kind) {
	case VPCD_POWER_OFF: /* also the first half of a cold reset */
		applet_power_off(&slot->applet);
		cardlog_event(slot->log, slot->index, "power-off", "verified=%d", verified);
		break;
	case VPCD_POWER_ON:
		applet_power_on(&slot->applet);
		slot->refuse_atr = slot->mute_atr;
		cardlog_event(slot->log, slot->index, "power-on", "verified=%d", verified);
		break;
	case VPCD_RESET:
		applet_reset(&slot->applet);
		slot->refuse_atr = slot->mute_atr;
		cardlog_event(slot->log, slot->index, "reset", "verified=%d", verified);
		break;
	case VPCD_ATR: /* not logged: it comes every 400 ms */
		slot_send_atr(slot);
		break;
	case VPCD_APDU:
		slot_begin_apdu(slot, message->apdu);
		break;
	case VPCD_UNKNOWN:
		cardlog_event(slot->log, slot->index, "unknown-message", "n=%llu",
			      (unsigned long long)slot->apdu_number);
		break;
	}
}

/* Handles what has been received, up to the first APDU that takes its time. */
static void slot_frames(struct slot *slot)
{
	struct vpcd_message message;

	while (slot->state == SLOT_IDLE && vpcd_next(&slot->vpcd, &message) == 0) {
		slot_handle(slot, &message);
		vpcd_pop(&slot->vpcd);
	}
}

/*
 * vpcd sends a header and a body, each in its own segment, and waits for the acknowledgement of the
 * first (Nagle): without this each APDU costs 44 ms. The kernel clears the flag by itself, so it is
 * set again after each receive.
 */
static void slot_quick(struct slot_connection *connection)
{
	uv_os_fd_t fd;
	const int on = 1;

	if (uv_fileno((uv_handle_t *)&connection->tcp, &fd) == 0)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
}

static void slot_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct slot_connection *connection = handle->data;
	size_t room = 0;

	(void)suggested;
	buffer->base = NULL;
	if (connection->slot != NULL)
		buffer->base = (char *)vpcd_room(&connection->slot->vpcd, &room);
	buffer->len = room;
}

static void slot_received(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
	struct slot_connection *connection = stream->data;
	struct slot *slot = connection->slot;

	(void)buffer;
	if (slot == NULL)
		return;
	if (size < 0) { /* EOF, ECONNRESET, or a frame too many while an APDU runs (ENOBUFS) */
		slot_disconnected(slot, "vpcd", false);
		slot_connect(slot);
		return;
	}
	slot_quick(connection);
	vpcd_received(&slot->vpcd, (size_t)size);
	slot_frames(slot);
}

static void slot_connected(uv_connect_t *request, int status)
{
	struct slot_connection *connection = request->data;
	struct slot *slot = connection->slot;

	if (slot == NULL)
		return; /* removed while it was connecting */
	if (status != 0) {
		slot_close_connection(slot, false);
		slot_start_timer(slot, SLOT_WAITING, SLOT_RETRY_MS);
		return;
	}
	slot->state = SLOT_IDLE;
	slot->refuse_atr = false;
	vpcd_init(&slot->vpcd);
	cardlog_event(slot->log, slot->index, "connect", "port=%u", ntohs(slot->address.sin_port));
	(void)uv_tcp_nodelay(&connection->tcp, 1);
	slot_quick(connection);
	(void)uv_read_start((uv_stream_t *)&connection->tcp, slot_room, slot_received);
}

static void slot_connect(struct slot *slot)
{
	struct slot_connection *connection = calloc(1, sizeof(*connection));

	if (connection == NULL || uv_tcp_init(slot->loop, &connection->tcp) != 0)
		abort();
	connection->tcp.data = connection;
	connection->request.data = connection;
	connection->slot = slot;
	slot->connection = connection;
	slot->state = SLOT_CONNECTING;
	if (uv_tcp_connect(&connection->request, &connection->tcp,
			   (const struct sockaddr *)&slot->address, slot_connected) == 0)
		return;
	slot_close_connection(slot, false);
	slot_start_timer(slot, SLOT_WAITING, SLOT_RETRY_MS);
}

static void slot_timer_ended(uv_timer_t *timer)
{
	struct slot *slot = timer->data;

	switch (slot->state) {
	case SLOT_AWAY:
		slot_insert(slot);
		break;
	case SLOT_WAITING:
		slot_connect(slot);
		break;
	case SLOT_WORKING:
		slot_finish_apdu(slot);
		slot_frames(slot);
		break;
	case SLOT_OUT:
	case SLOT_CONNECTING:
	case SLOT_IDLE:
	case SLOT_STUCK: /* the timer is stopped on the way into these */
		break;
	}
}
