/*
 * The table of commands, and below it the socket. See proxy-control.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "tests/faults/proxy-control.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NUMBER_MAX 60000

struct control_client {
	uv_pipe_t pipe;
	struct proxy_control *control;
	char line[PROXY_CONTROL_LINE_MAX];
	size_t used;
	uv_write_t request;
	char reply[PROXY_CONTROL_REPLY_MAX];
};

/* Each returns what is wrong with the argument, or NULL. */
static const char *control_pass(struct proxy *proxy, const char *argument)
{
	(void)argument;
	proxy->dribble = false;
	for (int i = 0; i < PROXY_DIRECTIONS; i++) {
		proxy->faults[i].rules = (struct faults_rules){ 0 };
		faults_release(&proxy->faults[i]);
	}
	proxy_set_state(proxy, PROXY_OPEN);
	proxy_go_on(proxy);
	return NULL;
}

static const char *control_cut(struct proxy *proxy, const char *argument)
{
	(void)argument;
	proxy_cut(proxy);
	return NULL;
}

static const char *control_shut(struct proxy *proxy, const char *argument)
{
	(void)argument;
	proxy_set_state(proxy, PROXY_SHUT);
	return NULL;
}

static const char *control_freeze(struct proxy *proxy, const char *argument)
{
	(void)argument;
	proxy_set_state(proxy, PROXY_FROZEN);
	return NULL;
}

static const char *control_dribble(struct proxy *proxy, const char *argument)
{
	(void)argument;
	proxy->dribble = true;
	return NULL;
}

static const char *control_release(struct proxy *proxy, const char *argument)
{
	(void)argument;
	for (int i = 0; i < PROXY_DIRECTIONS; i++)
		faults_release(&proxy->faults[i]);
	proxy_go_on(proxy);
	return NULL;
}

static const char *control_discard(struct proxy *proxy, const char *argument)
{
	(void)argument;
	for (int i = 0; i < PROXY_DIRECTIONS; i++) {
		if (proxy->faults[i].state == FAULTS_HOLDING)
			faults_discard(&proxy->faults[i]);
	}
	return control_release(proxy, argument);
}

static const char *control_hold(struct proxy *proxy, const char *argument)
{
	if (strcmp(argument, "up") == 0)
		faults_hold(&proxy->faults[PROXY_UP]);
	else if (strcmp(argument, "down") == 0)
		faults_hold(&proxy->faults[PROXY_DOWN]);
	else
		return "not one of up, down";
	return NULL;
}

static const char *control_rule(struct proxy *proxy, const char *argument, size_t offset)
{
	char *end;
	unsigned long value = strtoul(argument, &end, 10);

	if (argument[0] < '0' || argument[0] > '9' || *end != '\0' || value > NUMBER_MAX)
		return "not a number";
	for (int i = 0; i < PROXY_DIRECTIONS; i++)
		*(unsigned int *)((char *)&proxy->faults[i].rules + offset) = (unsigned int)value;
	return NULL;
}

static const char *control_delay(struct proxy *proxy, const char *argument)
{
	return control_rule(proxy, argument, offsetof(struct faults_rules, delay));
}

static const char *control_drop(struct proxy *proxy, const char *argument)
{
	return control_rule(proxy, argument, offsetof(struct faults_rules, drop));
}

static const char *control_duplicate(struct proxy *proxy, const char *argument)
{
	return control_rule(proxy, argument, offsetof(struct faults_rules, duplicate));
}

static const char *control_reorder(struct proxy *proxy, const char *argument)
{
	return control_rule(proxy, argument, offsetof(struct faults_rules, reorder));
}

static const char *control_state(struct proxy *proxy, const char *argument)
{
	(void)proxy, (void)argument;
	return NULL;
}

static const struct control_command {
	const char *name;
	const char *(*run)(struct proxy *proxy, const char *argument);
} control_commands[] = {
	{ "pass", control_pass },
	{ "cut", control_cut },
	{ "shut", control_shut },
	{ "freeze", control_freeze },
	{ "delay", control_delay },
	{ "dribble", control_dribble },
	{ "drop", control_drop },
	{ "duplicate", control_duplicate },
	{ "reorder", control_reorder },
	{ "hold", control_hold },
	{ "release", control_release },
	{ "discard", control_discard },
	{ "state", control_state },
};

static void control_ok(const struct proxy *proxy, char *reply, size_t size)
{
	static const char *const states[] = { "open", "frozen", "shut" };
	static const char *const faults[] = { "passing", "waiting", "holding" };
	const struct faults *up = &proxy->faults[PROXY_UP], *down = &proxy->faults[PROXY_DOWN];

	(void)snprintf(reply, size,
		"ok state=%s connected=%d accepted=%lu up=%s up-frames=%lu up-queued=%lu "
		"up-lost=%lu down=%s down-frames=%lu down-queued=%lu down-lost=%lu transmits=%lu "
		"answers=%lu\n", states[proxy->state], proxy->current != NULL, proxy->accepted,
		faults[up->state], up->frames, up->queued, up->lost, faults[down->state],
		down->frames, down->queued, down->lost, proxy->transmits, proxy->answers);
}

static void control_run(struct proxy_control *control, char *line, char *reply, size_t size)
{
	static const char blanks[] = " \t\r";
	char *rest = NULL;
	char *name = strtok_r(line, blanks, &rest);
	char *argument = strtok_r(NULL, blanks, &rest);
	const char *wrong = "no such command";

	if (name != NULL && strcmp(name, "quit") == 0) {
		(void)snprintf(reply, size, "ok\n");
		control->quit(control->context);
		return;
	}
	for (size_t i = 0; i < sizeof(control_commands) / sizeof(control_commands[0]); i++) {
		if (name != NULL && strcmp(name, control_commands[i].name) == 0)
			wrong = control_commands[i].run(control->proxy,
				argument == NULL ? "" : argument);
	}
	if (wrong != NULL)
		(void)snprintf(reply, size, "error: %s\n", wrong);
	else
		control_ok(control->proxy, reply, size);
}

/* ---- the socket ---- */

static void control_client_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void control_replied(uv_write_t *request, int status)
{
	(void)request;
	(void)status; /* a client that is gone needs no answer */
}

static void control_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct control_client *client = handle->data;

	(void)suggested;
	buffer->base = &client->line[client->used];
	buffer->len = sizeof(client->line) - client->used;
}

/* One command per client; a line that doesn't fit ends it. */
static void control_received(uv_stream_t *stream, ssize_t size, const uv_buf_t *unused)
{
	struct control_client *client = stream->data;
	uv_buf_t buffer;
	char *end;

	(void)unused;
	if (size < 0) {
		uv_close((uv_handle_t *)stream, control_client_closed);
		return;
	}
	client->used += (size_t)size;
	end = memchr(client->line, '\n', client->used);
	if (end == NULL)
		return;
	*end = '\0';
	client->used = 0;
	control_run(client->control, client->line, client->reply, sizeof(client->reply));
	buffer = uv_buf_init(client->reply, (unsigned int)strlen(client->reply));
	(void)uv_write(&client->request, stream, &buffer, 1, control_replied);
}

static void control_accept(uv_stream_t *listener, int status)
{
	struct control_client *client = calloc(1, sizeof(*client));

	if (client == NULL || uv_pipe_init(listener->loop, &client->pipe, 0) != 0)
		abort();
	client->control = listener->data;
	client->pipe.data = client;
	if (status != 0 || uv_accept(listener, (uv_stream_t *)&client->pipe) != 0 ||
	    uv_read_start((uv_stream_t *)&client->pipe, control_room, control_received) != 0)
		uv_close((uv_handle_t *)&client->pipe, control_client_closed);
}

int proxy_control_init(struct proxy_control *control, const char *path, struct proxy *proxy,
	void (*quit)(void *context), void *context)
{
	int r = uv_pipe_init(proxy->loop, &control->listener, 0);

	control->proxy = proxy;
	control->quit = quit;
	control->context = context;
	control->listener.data = control;
	(void)unlink(path);
	if (r == 0)
		r = uv_pipe_bind(&control->listener, path);
	if (r == 0)
		r = uv_listen((uv_stream_t *)&control->listener, 8, control_accept);
	return r;
}

void proxy_control_close(struct proxy_control *control)
{
	uv_close((uv_handle_t *)&control->listener, NULL);
}
