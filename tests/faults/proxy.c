/*
 * Connections in pairs, and what is passed between them. See proxy.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "tests/faults/proxy.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "relay/wire.h"

/* One end of a connection: where frames of one direction come from and those of the other go. */
struct end {
	union {
		uv_stream_t stream;
		uv_tcp_t tcp;
		uv_pipe_t pipe;
	} handle;
	struct connection *connection;
	enum proxy_direction from; /* the direction of what is read here */
	struct frames frames;
	bool open;
	bool ready;                /* it can be read and written */
	struct frame *writing;
	size_t written;            /* bytes of it */
	uv_write_t request;
};

struct connection {
	struct connection *next;
	struct proxy *proxy;
	struct end guest;
	struct end bridge;
	uv_connect_t connect;
	struct frame *greeting;    /* of the guest, until the bridge's end is there */
	int handles;
	bool closing;
};

static void proxy_deliver(struct proxy *proxy, enum proxy_direction direction);

/* ---- the end of a connection ---- */

static void connection_closed(uv_handle_t *handle)
{
	struct end *end = handle->data;
	struct connection *connection = end->connection;

	free(end->writing);
	end->writing = NULL;
	if (--connection->handles > 0)
		return;
	free(connection->greeting);
	free(connection);
}

static void proxy_forget(struct proxy *proxy, struct connection *connection)
{
	struct connection **link = &proxy->connections;

	while (*link != connection)
		link = &(*link)->next;
	*link = connection->next;
	if (proxy->current != connection)
		return;
	proxy->current = NULL;
	for (int i = 0; i < PROXY_DIRECTIONS; i++) {
		if (proxy->faults[i].state != FAULTS_HOLDING)
			faults_discard(&proxy->faults[i]);
	}
}

static void connection_close(struct connection *connection)
{
	if (connection->closing)
		return;
	connection->closing = true;
	proxy_forget(connection->proxy, connection);
	uv_close((uv_handle_t *)&connection->guest.handle, connection_closed);
	if (connection->bridge.open)
		uv_close((uv_handle_t *)&connection->bridge.handle, connection_closed);
}

/* ---- out ---- */

static void end_write(struct end *end);

static void end_wrote(uv_write_t *request, int status)
{
	struct end *end = request->data;

	if (end->connection->closing)
		return;
	if (status < 0) {
		connection_close(end->connection);
		return;
	}
	if (end->written < end->writing->size) {
		end_write(end);
		return;
	}
	free(end->writing);
	end->writing = NULL;
	proxy_deliver(end->connection->proxy, end->from == PROXY_UP ? PROXY_DOWN : PROXY_UP);
}

static void end_write(struct end *end)
{
	struct frame *frame = end->writing;
	size_t size = end->connection->proxy->dribble ? 1 : frame->size - end->written;
	uv_buf_t buffer = uv_buf_init((char *)&frame->bytes[end->written], (unsigned int)size);

	end->written += size;
	end->request.data = end;
	if (uv_write(&end->request, &end->handle.stream, &buffer, 1, end_wrote) != 0)
		connection_close(end->connection);
}

static void end_start(struct end *end, struct frame *frame)
{
	end->writing = frame;
	end->written = 0;
	end_write(end);
}

static void proxy_due(uv_timer_t *timer)
{
	struct proxy *proxy = timer->data;

	proxy_deliver(proxy, timer == &proxy->timers[PROXY_UP] ? PROXY_UP : PROXY_DOWN);
}

/* Writes the next frame that is due, or sets the timer to it. */
static void proxy_deliver(struct proxy *proxy, enum proxy_direction direction)
{
	struct faults *faults = &proxy->faults[direction];
	struct connection *current = proxy->current;
	struct end *end;
	struct frame *frame;
	uint64_t now, due;

	if (current == NULL || proxy->state != PROXY_OPEN)
		return;
	end = direction == PROXY_UP ? &current->bridge : &current->guest;
	if (end->writing != NULL)
		return;
	uv_update_time(proxy->loop);
	now = uv_now(proxy->loop);
	frame = faults_next(faults, now);
	due = faults_deadline(faults);
	if (frame != NULL)
		end_start(end, frame);
	else if (due != FAULTS_NEVER)
		(void)uv_timer_start(&proxy->timers[direction], proxy_due, due - now, 0);
}

void proxy_go_on(struct proxy *proxy)
{
	proxy_deliver(proxy, PROXY_UP);
	proxy_deliver(proxy, PROXY_DOWN);
}

/* ---- in ---- */

/* What a hold waits for: a transmit that goes to the card, and the answer to the newest of them. */
static bool proxy_marks(struct proxy *proxy, enum proxy_direction direction,
	const struct frame *frame)
{
	static struct wire_message message;
	const uint8_t *body;
	size_t size;

	if (!frame_body(frame, &body, &size) || wire_decode(body, size, &message) != 0)
		return false;
	if (direction == PROXY_UP && message.type == WIRE_CALL &&
	    message.call.operation == WIRE_TRANSMIT) {
		proxy->session = message.session;
		proxy->number = message.call.number;
		proxy->transmits++;
		return true;
	}
	if (direction == PROXY_DOWN && message.type == WIRE_REPLY &&
	    message.session == proxy->session && message.reply.number == proxy->number) {
		proxy->answers++;
		return true;
	}
	return false;
}

static void connection_dial(struct connection *connection);

/* The first eight bytes of each end go to the other as they are, and first of all. */
static void end_greeting(struct end *end, struct frame *frame)
{
	struct connection *connection = end->connection;

	if (end == &connection->guest) {
		connection->greeting = frame;
		connection_dial(connection);
		return;
	}
	connection->proxy->current = connection;
	end_start(&connection->guest, frame);
}

/* Fatal for the connection: what is no frame, and no memory. */
static int end_frames(struct end *end)
{
	struct proxy *proxy = end->connection->proxy;
	struct frame *frame;
	int r = frames_next(&end->frames, &frame);

	while (r == 0 && !end->connection->closing) {
		if (frame->greeting) {
			end_greeting(end, frame);
		} else {
			frame->marked = proxy_marks(proxy, end->from, frame);
			r = faults_take(&proxy->faults[end->from], uv_now(proxy->loop), frame);
		}
		if (r == 0)
			r = frames_next(&end->frames, &frame);
	}
	proxy_deliver(proxy, end->from);
	return r;
}

static void end_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct end *end = handle->data;
	size_t size;

	(void)suggested;
	buffer->base = (char *)frames_room(&end->frames, &size);
	buffer->len = size;
}

static void end_received(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
	struct end *end = stream->data;

	(void)buffer;
	if (size < 0) {
		connection_close(end->connection);
		return;
	}
	frames_added(&end->frames, (size_t)size);
	if (end_frames(end) != FRAMES_MORE && !end->connection->closing) {
		log_warning("link", "what came is not nanomsg's framing");
		connection_close(end->connection);
	}
}

static void end_read(struct end *end)
{
	if (uv_read_start(&end->handle.stream, end_room, end_received) != 0)
		connection_close(end->connection);
}

/* ---- the beginning of a connection ---- */

static void end_init(struct end *end, struct connection *connection, enum proxy_direction from)
{
	end->connection = connection;
	end->from = from;
	end->open = true;
	end->handle.stream.data = end;
	connection->handles++;
	frames_init(&end->frames);
}

static void connection_dialled(uv_connect_t *request, int status)
{
	struct connection *connection = request->data;

	if (connection->closing)
		return;
	if (status < 0) {
		connection_close(connection);
		return;
	}
	connection->bridge.ready = true;
	end_start(&connection->bridge, connection->greeting);
	connection->greeting = NULL;
	if (connection->proxy->state == PROXY_OPEN)
		end_read(&connection->bridge);
}

static void connection_dial(struct connection *connection)
{
	struct proxy *proxy = connection->proxy;

	(void)uv_pipe_init(proxy->loop, &connection->bridge.handle.pipe, 0);
	end_init(&connection->bridge, connection, PROXY_DOWN);
	connection->connect.data = connection;
	uv_pipe_connect(&connection->connect, &connection->bridge.handle.pipe, proxy->target,
		connection_dialled);
}

static void proxy_accept(uv_stream_t *listener, int status)
{
	struct proxy *proxy = listener->data;
	struct connection *connection = calloc(1, sizeof(*connection));
	struct end *guest;

	if (connection == NULL)
		abort();
	guest = &connection->guest;
	if (listener->type == UV_TCP)
		(void)uv_tcp_init(proxy->loop, &guest->handle.tcp);
	else
		(void)uv_pipe_init(proxy->loop, &guest->handle.pipe, 0);
	connection->proxy = proxy;
	connection->next = proxy->connections;
	proxy->connections = connection;
	proxy->accepted++;
	end_init(guest, connection, PROXY_UP);
	if (status != 0 || uv_accept(listener, &guest->handle.stream) != 0 ||
	    proxy->state == PROXY_SHUT) {
		connection_close(connection);
		return;
	}
	if (listener->type == UV_TCP)
		(void)uv_tcp_nodelay(&guest->handle.tcp, 1);
	guest->ready = true;
	if (proxy->state == PROXY_OPEN)
		end_read(guest);
}

/* ---- what the control socket asks for ---- */

void proxy_cut(struct proxy *proxy)
{
	while (proxy->connections != NULL)
		connection_close(proxy->connections);
}

static void end_freeze(struct end *end)
{
	if (end->ready)
		(void)uv_read_stop(&end->handle.stream);
}

static void proxy_freeze(struct proxy *proxy)
{
	for (struct connection *c = proxy->connections; c != NULL; c = c->next) {
		end_freeze(&c->guest);
		end_freeze(&c->bridge);
	}
}

static void proxy_thaw(struct proxy *proxy)
{
	struct connection *next;

	for (struct connection *c = proxy->connections; c != NULL; c = next) {
		next = c->next;
		end_read(&c->guest);
		if (!c->closing && c->bridge.ready)
			end_read(&c->bridge);
	}
	proxy_go_on(proxy);
}

void proxy_set_state(struct proxy *proxy, enum proxy_state state)
{
	enum proxy_state before = proxy->state;

	proxy->state = state;
	switch (state) {
	case PROXY_OPEN:
		if (before == PROXY_FROZEN)
			proxy_thaw(proxy);
		break;
	case PROXY_FROZEN:
		proxy_freeze(proxy);
		break;
	case PROXY_SHUT:
		proxy_cut(proxy);
		break;
	}
}

/* ---- life ---- */

/* Whether listen is a port of TCP. */
static bool is_port(const char *listen, int *port)
{
	char *end;
	unsigned long value = strtoul(listen, &end, 10);

	*port = (int)value;
	return *end == '\0' && value > 0 && value <= 65535;
}

static int proxy_bind(struct proxy *proxy, const char *listen)
{
	struct sockaddr_in address;
	int port;
	int r;

	if (!is_port(listen, &port)) {
		(void)unlink(listen);
		r = uv_pipe_init(proxy->loop, &proxy->listener.pipe, 0);
		return r != 0 ? r : uv_pipe_bind(&proxy->listener.pipe, listen);
	}
	(void)uv_ip4_addr("127.0.0.1", port, &address);
	r = uv_tcp_init(proxy->loop, &proxy->listener.tcp);
	return r != 0 ? r : uv_tcp_bind(&proxy->listener.tcp, (const struct sockaddr *)&address, 0);
}

int proxy_init(struct proxy *proxy, uv_loop_t *loop, const char *listen, const char *target)
{
	int r;

	memset(proxy, 0, sizeof(*proxy));
	proxy->loop = loop;
	proxy->target = target;
	for (int i = 0; i < PROXY_DIRECTIONS; i++) {
		faults_init(&proxy->faults[i]);
		(void)uv_timer_init(loop, &proxy->timers[i]);
		proxy->timers[i].data = proxy;
	}
	r = proxy_bind(proxy, listen);
	proxy->listener.stream.data = proxy;
	return r != 0 ? r : uv_listen(&proxy->listener.stream, 16, proxy_accept);
}

void proxy_close(struct proxy *proxy)
{
	proxy_cut(proxy);
	uv_close((uv_handle_t *)&proxy->listener, NULL);
	for (int i = 0; i < PROXY_DIRECTIONS; i++)
		uv_close((uv_handle_t *)&proxy->timers[i], NULL);
}

void proxy_deinit(struct proxy *proxy)
{
	for (int i = 0; i < PROXY_DIRECTIONS; i++)
		faults_deinit(&proxy->faults[i]);
}
