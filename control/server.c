/*
 * The control server over libuv. See server.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "control/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum client_state {
	CLIENT_FREE,
	CLIENT_READING,
	CLIENT_WAITING,
	CLIENT_WRITING,
	CLIENT_STREAMING,
	CLIENT_FINISHING,
	CLIENT_CLOSING,
};

struct control_client {
	struct control_server *server;
	enum client_state state;
	uv_pipe_t pipe;
	uv_timer_t timer;
	unsigned int handles; /* not closed yet */
	struct control_line line;
	struct control_question question;
	char *answer;         /* while it is written */
	struct control_stream stream; /* CLIENT_STREAMING, CLIENT_FINISHING */
	bool streams;         /* it was one of these, and ended() has not been called */
	bool sending;         /* some of its bytes are on their way */
	uv_write_t write;
	char room[CONTROL_LINE_MAX];
};

struct control_server {
	control_answer answer;
	void *owner;
	struct control_socket socket;
	uv_pipe_t pipe;
	bool listening;  /* the pipe is not closed yet */
	bool stopped;
	bool full;       /* a connection waits to be accepted */
	struct control_client clients[CONTROL_CLIENTS_MAX];
};

static void server_accept(struct control_server *server);

/* ---- the end of a connection, and of all ---- */

static void server_free_if_over(struct control_server *server)
{
	bool over = server->stopped && !server->listening;

	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
		over = over && server->clients[i].state == CLIENT_FREE;
	if (over)
		free(server);
}

static void on_client_closed(uv_handle_t *handle)
{
	struct control_client *client = handle->data;
	struct control_server *server = client->server;

	client->handles--;
	if (client->handles > 0)
		return;
	free(client->answer);
	client->answer = NULL;
	if (client->streams)
		client->stream.ended(client->stream.owner);
	client->streams = false;
	client->state = CLIENT_FREE;
	if (server->full && !server->stopped)
		server_accept(server);
	server_free_if_over(server);
}

static void client_close(struct control_client *client)
{
	if (client->state == CLIENT_FREE || client->state == CLIENT_CLOSING)
		return;
	client->state = CLIENT_CLOSING;
	uv_close((uv_handle_t *)&client->pipe, on_client_closed);
	uv_close((uv_handle_t *)&client->timer, on_client_closed);
}

/* ---- the answer ---- */

static void on_written(uv_write_t *write, int status)
{
	(void)status;
	client_close(write->data);
}

static void on_time_over(uv_timer_t *timer);

/* json may be NULL, and is freed. */
static void client_write(struct control_client *client, json_t *json)
{
	char *text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;
	size_t size = text != NULL ? strlen(text) : 0;
	uv_buf_t buffer;

	json_decref(json);
	if (text == NULL || size > CONTROL_ANSWER_MAX) {
		free(text);
		client_close(client);
		return;
	}
	/* jansson writes no line's end; whoever reads by lines wants one, in the place of its zero. */
	text[size] = '\n';
	client->answer = text;
	client->state = CLIENT_WRITING;
	client->write.data = client;
	buffer = uv_buf_init(text, (unsigned int)size + 1);
	(void)uv_timer_start(&client->timer, on_time_over, CONTROL_WRITE_MAX, 0);
	if (uv_write(&client->write, (uv_stream_t *)&client->pipe, &buffer, 1, on_written) != 0)
		client_close(client);
}

/* Asks the owner. */
static void client_ask(struct control_client *client)
{
	struct control_server *server = client->server;
	json_t *json = server->answer(server->owner, &client->question);

	if (client->state == CLIENT_WAITING && (json != NULL || client->question.last))
		client_write(client, json);
}

/* ---- streams ---- */

static void client_pump(struct control_client *client);

static void on_streamed(uv_write_t *write, int status)
{
	struct control_client *client = write->data;

	client->sending = false;
	if (status != 0) {
		client_close(client);
		return;
	}
	/* Whoever reads slowly has the time for each piece; there are two of them at most. */
	if (client->state == CLIENT_FINISHING)
		(void)uv_timer_start(&client->timer, on_time_over, CONTROL_WRITE_MAX, 0);
	client_pump(client);
}

/* One piece at a time is on its way. While the peer doesn't read, the others wait with the owner. */
static void client_pump(struct control_client *client)
{
	struct payload_view bytes;
	uv_buf_t buffer;

	if ((client->state != CLIENT_STREAMING && client->state != CLIENT_FINISHING) || client->sending)
		return;
	bytes = client->stream.next(client->stream.owner);
	if (bytes.size == 0) {
		if (client->state == CLIENT_FINISHING)
			client_close(client);
		return;
	}
	/* libuv only reads from it. */
	buffer = (uv_buf_t){ .base = (char *)(uintptr_t)bytes.bytes, .len = bytes.size };
	client->write.data = client;
	client->sending = true;
	if (uv_write(&client->write, (uv_stream_t *)&client->pipe, &buffer, 1, on_streamed) != 0) {
		client->sending = false;
		client_close(client);
	}
}

static size_t server_streams(const struct control_server *server)
{
	size_t count = 0;

	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
		count += server->clients[i].streams;
	return count;
}

int control_server_stream(struct control_client *client, const struct control_stream *stream)
{
	if (server_streams(client->server) >= CONTROL_STREAMS_MAX)
		return CONTROL_STREAMS_FULL;
	(void)uv_timer_stop(&client->timer);
	client->stream = *stream;
	client->streams = true;
	client->state = CLIENT_STREAMING;
	client_pump(client);
	return 0;
}

void control_server_wake(struct control_client *client)
{
	client_pump(client);
}

static void client_finish(struct control_client *client)
{
	client->state = CLIENT_FINISHING;
	client->stream.finish(client->stream.owner);
	(void)uv_timer_start(&client->timer, on_time_over, CONTROL_WRITE_MAX, 0);
	client_pump(client);
}

/*
 * As far as the peer has room, which one that reads has. libuv may have written a piece whose callback has
 * not come yet: what counts is what it still has to write.
 */
static void client_finish_at_once(struct control_client *client)
{
	uv_stream_t *stream = (uv_stream_t *)&client->pipe;
	struct payload_view bytes;
	uv_buf_t buffer;
	int written = 0;

	client_finish(client);
	while (written >= 0 && uv_stream_get_write_queue_size(stream) == 0) {
		bytes = client->stream.next(client->stream.owner);
		if (bytes.size == 0)
			return;
		buffer = (uv_buf_t){ .base = (char *)(uintptr_t)bytes.bytes, .len = bytes.size };
		written = uv_try_write(stream, &buffer, 1);
		if (written >= 0 && (size_t)written < bytes.size)
			return;
	}
}

static void on_time_over(uv_timer_t *timer)
{
	struct control_client *client = timer->data;

	switch (client->state) {
	case CLIENT_WAITING:
		/* There may be something to say even so. */
		client->question.last = true;
		client_ask(client);
		break;
	case CLIENT_READING:
	case CLIENT_WRITING:
	case CLIENT_FINISHING:
		/* It is silent, or doesn't read. */
		client_close(client);
		break;
	case CLIENT_FREE:
	case CLIENT_STREAMING:
	case CLIENT_CLOSING:
		/* Their timers are stopped. */
		break;
	}
}

/* ---- the request ---- */

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct control_client *client = handle->data;

	(void)suggested;
	*buffer = uv_buf_init(client->room, sizeof client->room);
}

static void client_asked(struct control_client *client)
{
	uv_os_fd_t fd;

	client->state = CLIENT_WAITING;
	client->question.trusted = uv_fileno((uv_handle_t *)&client->pipe, &fd) == 0 &&
		control_peer_is_trusted(fd);
	client->question.root = client->question.trusted && control_peer_is_root(fd);
	client->question.client = client;
	(void)uv_timer_start(&client->timer, on_time_over, CONTROL_WAIT_MAX, 0);
	client_ask(client);
}

static void client_read(struct control_client *client, const char *bytes, size_t size)
{
	switch (control_line_add(&client->line, bytes, size, &client->question.request)) {
	case 0:
		client_asked(client);
		break;
	case CONTROL_LINE_PART:
		break;
	case CONTROL_LINE_UNKNOWN:
		client_write(client, control_json_error("this daemon knows no such request: it is of "
			"another version than the command"));
		break;
	default:
		client_close(client);
		break;
	}
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
	struct control_client *client = stream->data;

	switch (client->state) {
	case CLIENT_READING:
		/* UV_EOF: it has left without a question. */
		if (size > 0)
			client_read(client, buffer->base, (size_t)size);
		else if (size < 0)
			client_close(client);
		break;
	case CLIENT_WAITING:
	case CLIENT_WRITING:
		/* It may have shut down its side, or gone; there is nothing more for it to say. */
		if (size == UV_EOF)
			(void)uv_read_stop(stream);
		else if (size != 0)
			client_close(client);
		break;
	case CLIENT_STREAMING:
		/* It has shut down its side, which asks for the end, or it has gone. */
		if (size == UV_EOF) {
			(void)uv_read_stop(stream);
			client_finish(client);
		} else if (size != 0) {
			client_close(client);
		}
		break;
	case CLIENT_FREE:
	case CLIENT_FINISHING:
	case CLIENT_CLOSING:
		/* Nothing is read any more. */
		break;
	}
}

/* ---- connections ---- */

static struct control_client *server_find_free(struct control_server *server)
{
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		if (server->clients[i].state == CLIENT_FREE)
			return &server->clients[i];
	}
	return NULL;
}

/* libuv holds a connection that isn't accepted, and looks at no other one until then. */
static void server_accept(struct control_server *server)
{
	struct control_client *client = server_find_free(server);

	server->full = client == NULL;
	if (client == NULL)
		return;
	*client = (struct control_client){ .server = server, .state = CLIENT_READING, .handles = 2 };
	(void)uv_pipe_init(server->pipe.loop, &client->pipe, 0);
	(void)uv_timer_init(server->pipe.loop, &client->timer);
	client->pipe.data = client;
	client->timer.data = client;
	(void)uv_timer_start(&client->timer, on_time_over, CONTROL_READ_MAX, 0);
	if (uv_accept((uv_stream_t *)&server->pipe, (uv_stream_t *)&client->pipe) != 0 ||
	    uv_read_start((uv_stream_t *)&client->pipe, on_room, on_read) != 0)
		client_close(client);
}

static void on_connection(uv_stream_t *stream, int status)
{
	if (status == 0)
		server_accept(stream->data);
}

/* ---- life ---- */

static void on_server_closed(uv_handle_t *handle)
{
	struct control_server *server = handle->data;

	server->listening = false;
	server_free_if_over(server);
}

int control_server_start(struct control_server **made, uv_loop_t *loop, struct control_socket *socket,
	control_answer answer, void *owner)
{
	struct control_server *server = calloc(1, sizeof *server);
	int r;

	if (server == NULL)
		return -ENOMEM;
	server->answer = answer;
	server->owner = owner;
	server->socket = CONTROL_SOCKET_NULL;
	server->listening = true;
	server->pipe.data = server;
	(void)uv_pipe_init(loop, &server->pipe, 0);
	r = uv_pipe_open(&server->pipe, socket->fd);
	if (r == 0) {
		server->socket = *socket;
		*socket = CONTROL_SOCKET_NULL;
		r = uv_listen((uv_stream_t *)&server->pipe, CONTROL_BACKLOG, on_connection);
	}
	if (r == 0)
		*made = server;
	else
		(void)control_server_stop(server);
	control_socket_close(socket);
	return r;
}

void control_server_again(struct control_server *server)
{
	for (size_t i = 0; server != NULL && i < CONTROL_CLIENTS_MAX; i++) {
		if (server->clients[i].state == CLIENT_WAITING)
			client_ask(&server->clients[i]);
	}
}

bool control_server_is_asked(const struct control_server *server, enum control_verb verb)
{
	for (size_t i = 0; server != NULL && i < CONTROL_CLIENTS_MAX; i++) {
		if (server->clients[i].state == CLIENT_WAITING &&
		    server->clients[i].question.request.verb == verb)
			return true;
	}
	return false;
}

struct control_server *control_server_stop(struct control_server *server)
{
	if (server == NULL || server->stopped)
		return NULL;
	server->stopped = true;
	/* The pipe closes the descriptor. */
	server->socket.fd = -1;
	control_socket_close(&server->socket);
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		if (server->clients[i].state == CLIENT_STREAMING)
			client_finish_at_once(&server->clients[i]);
		client_close(&server->clients[i]);
	}
	uv_close((uv_handle_t *)&server->pipe, on_server_closed);
	return NULL;
}
