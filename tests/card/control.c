/*
 * The table of commands, and below it the socket.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "tests/card/control.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONTROL_DELAY_MAX_MS 3600000

struct control_client {
	uv_pipe_t pipe;
	struct control *control;
	char line[CONTROL_LINE_MAX];
	size_t used;
};

struct control_reply {
	uv_write_t request;
	char text[CONTROL_REPLY_MAX + 1];
};

/* Returns whether text is a number of at most max. */
static bool control_number(const char *text, unsigned long max, uint32_t *number)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end != '\0' || value > max)
		return false;
	*number = (uint32_t)value;
	return true;
}

/* Each returns what is wrong with the argument, or NULL after it has written nothing or a reply. */
static const char *control_insert(struct slot *slot, const char *argument, char *reply)
{
	(void)argument, (void)reply;
	slot_insert(slot);
	return NULL;
}

static const char *control_remove(struct slot *slot, const char *argument, char *reply)
{
	(void)argument, (void)reply;
	slot_remove(slot);
	return NULL;
}

static const char *control_swap(struct slot *slot, const char *argument, char *reply)
{
	uint32_t ms;

	(void)reply;
	if (!control_number(argument[0] == '\0' ? "0" : argument, CONTROL_DELAY_MAX_MS, &ms))
		return "not a time in milliseconds";
	slot_swap(slot, ms);
	return NULL;
}

static const char *control_atr(struct slot *slot, const char *argument, char *reply)
{
	(void)reply;
	return slot_set_atr(slot, argument) == 0 ? NULL : "no such ATR";
}

static const char *control_mute(struct slot *slot, const char *argument, char *reply)
{
	bool all = strcmp(argument, "on") == 0, none = strcmp(argument, "off") == 0;
	bool atr = strcmp(argument, "atr") == 0, apdu = strcmp(argument, "apdu") == 0;

	(void)reply;
	if (!all && !none && !atr && !apdu)
		return "not one of on, off, atr, apdu";
	slot_set_mute(slot, all || atr, all || apdu);
	return NULL;
}

static const char *control_delay(struct slot *slot, const char *argument, char *reply)
{
	uint32_t ms;

	(void)reply;
	if (!control_number(argument, CONTROL_DELAY_MAX_MS, &ms))
		return "not a time in milliseconds";
	slot->delay_ms = ms;
	return NULL;
}

static const char *control_corrupt(struct slot *slot, const char *argument, char *reply)
{
	(void)reply;
	if (strcmp(argument, "on") != 0 && strcmp(argument, "off") != 0)
		return "not one of on, off";
	slot->corrupt = strcmp(argument, "on") == 0;
	return NULL;
}

static const char *control_restore_tries(struct slot *slot, const char *argument, char *reply)
{
	(void)argument, (void)reply;
	applet_restore_tries(&slot->applet);
	return NULL;
}

static const char *control_state(struct slot *slot, const char *argument, char *reply)
{
	(void)argument;
	(void)snprintf(reply, CONTROL_REPLY_MAX,
		       "ok card=%u state=%s inserted=%d powered=%d verified=%d tries=%u atr=%s "
		       "mute-atr=%d mute-apdu=%d delay=%u",
		       slot->index, slot_state_name(slot), slot_inserted(slot),
		       slot->applet.powered, slot->applet.verified, slot->applet.tries_left,
		       slot->atr_next, slot->mute_atr, slot->mute_apdu, slot->delay_ms);
	return NULL;
}

static const char *control_counters(struct slot *slot, const char *argument, char *reply)
{
	const struct applet_counters *counters = &slot->applet.counters;

	(void)argument;
	(void)snprintf(reply, CONTROL_REPLY_MAX,
		       "ok card=%u power-ups=%u power-offs=%u resets=%u apdus=%u verifies=%u "
		       "signatures=%u",
		       slot->index, counters->power_ups, counters->power_offs, counters->resets,
		       counters->apdus, counters->verifies, counters->signatures);
	return NULL;
}

static const struct control_command {
	const char *name;
	const char *(*run)(struct slot *slot, const char *argument, char *reply);
} control_commands[] = {
	{ "insert", control_insert },
	{ "remove", control_remove },
	{ "swap", control_swap },
	{ "atr", control_atr },
	{ "mute", control_mute },
	{ "delay", control_delay },
	{ "corrupt", control_corrupt },
	{ "restore-tries", control_restore_tries },
	{ "state", control_state },
	{ "counters", control_counters },
};

static void control_command(struct slot *slot, const char *name, const char *argument, char *reply)
{
	const char *wrong = "no such command";

	(void)snprintf(reply, CONTROL_REPLY_MAX, "ok");
	for (size_t i = 0; i < sizeof(control_commands) / sizeof(control_commands[0]); i++) {
		if (strcmp(name, control_commands[i].name) == 0)
			wrong = control_commands[i].run(slot, argument, reply);
	}
	if (wrong != NULL)
		(void)snprintf(reply, CONTROL_REPLY_MAX, "error: %s", wrong);
}

void control_run(struct control *control, char *line, char reply[CONTROL_REPLY_MAX])
{
	static const char blanks[] = " \t\r";
	char *rest = NULL, *argument;
	char *name = strtok_r(line, blanks, &rest);
	uint32_t index = 0;

	if (name != NULL && control_number(name, UINT32_MAX, &index))
		name = strtok_r(NULL, blanks, &rest);
	argument = strtok_r(NULL, blanks, &rest);
	if (name == NULL) {
		(void)snprintf(reply, CONTROL_REPLY_MAX, "error: no command");
	} else if (index >= control->slot_count) {
		(void)snprintf(reply, CONTROL_REPLY_MAX, "error: no card %u", index);
	} else if (strcmp(name, "quit") == 0) {
		(void)snprintf(reply, CONTROL_REPLY_MAX, "ok");
		control->quit(control->context);
	} else {
		control_command(&control->slots[index], name, argument == NULL ? "" : argument,
				reply);
	}
}

static void control_client_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void control_replied(uv_write_t *request, int status)
{
	(void)status; /* a client that is gone needs no answer */
	free(request->data);
}

static void control_line(struct control_client *client)
{
	struct control_reply *reply = calloc(1, sizeof(*reply));
	uv_buf_t buffer;

	if (reply == NULL)
		abort();
	reply->request.data = reply;
	control_run(client->control, client->line, reply->text);
	(void)strcat(reply->text, "\n"); /* text has one byte more than a reply */
	buffer = uv_buf_init(reply->text, (unsigned int)strlen(reply->text));
	if (uv_write(&reply->request, (uv_stream_t *)&client->pipe, &buffer, 1, control_replied) !=
	    0)
		free(reply);
}

/* Lines are cut off the front of the client's buffer; a line that doesn't fit ends the client. */
static void control_lines(struct control_client *client)
{
	char *end;
	size_t length;

	while ((end = memchr(client->line, '\n', client->used)) != NULL) {
		*end = '\0';
		length = (size_t)(end - client->line) + 1;
		control_line(client);
		client->used -= length;
		memmove(client->line, end + 1, client->used);
	}
}

static void control_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct control_client *client = handle->data;

	(void)suggested;
	buffer->base = &client->line[client->used];
	buffer->len = sizeof(client->line) - client->used;
}

static void control_received(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
	struct control_client *client = stream->data;

	(void)buffer;
	if (size < 0) {
		uv_close((uv_handle_t *)stream, control_client_closed);
		return;
	}
	client->used += (size_t)size;
	control_lines(client);
}

static void control_accept(uv_stream_t *listener, int status)
{
	struct control *control = listener->data;
	struct control_client *client = calloc(1, sizeof(*client));

	if (client == NULL || uv_pipe_init(listener->loop, &client->pipe, 0) != 0)
		abort();
	client->control = control;
	client->pipe.data = client;
	if (status != 0 || uv_accept(listener, (uv_stream_t *)&client->pipe) != 0 ||
	    uv_read_start((uv_stream_t *)&client->pipe, control_room, control_received) != 0)
		uv_close((uv_handle_t *)&client->pipe, control_client_closed);
}

int control_init(struct control *control, uv_loop_t *loop, const char *path, struct slot *slots,
		 size_t slot_count, void (*quit)(void *context), void *context)
{
	int r;

	control->slots = slots;
	control->slot_count = slot_count;
	control->quit = quit;
	control->context = context;
	r = uv_pipe_init(loop, &control->listener, 0);
	if (r != 0)
		return r;
	control->listener.data = control;
	(void)unlink(path);
	r = uv_pipe_bind(&control->listener, path);
	if (r == 0)
		r = uv_listen((uv_stream_t *)&control->listener, 8, control_accept);
	return r;
}

void control_close(struct control *control)
{
	uv_close((uv_handle_t *)&control->listener, NULL); /* libuv unlinks what it has bound */
}
