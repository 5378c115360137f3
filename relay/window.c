/*
 * The calls that one end of a session has to remember. See window.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "relay/window.h"

/* A buffer of up to this size stays with its place: a short APDU of ISO 7816-4 and its response. */
#define WINDOW_BUFFER_KEPT 512

void window_deinit(struct window *window)
{
	for (size_t i = 0; i < SESSION_WINDOW; i++) {
		window->calls[i].state = WINDOW_FREE;
		payload_deinit(&window->calls[i].data);
	}
}

void window_clear(struct window *window)
{
	for (size_t i = 0; i < SESSION_WINDOW; i++)
		window_forget(&window->calls[i]);
}

struct window_call *window_place(struct window *window)
{
	for (size_t i = 0; i < SESSION_WINDOW; i++) {
		if (window->calls[i].state == WINDOW_FREE)
			return &window->calls[i];
	}
	return NULL;
}

struct window_call *window_find(struct window *window, uint32_t number)
{
	for (size_t i = 0; i < SESSION_WINDOW; i++) {
		struct window_call *call = &window->calls[i];

		if (call->state != WINDOW_FREE && call->call.number == number)
			return call;
	}
	return NULL;
}

static bool is_open(const struct window_call *call)
{
	return call->state == WINDOW_SENT || call->state == WINDOW_RUNNING;
}

struct window_call *window_find_open(struct window *window, uint32_t number)
{
	for (size_t i = 0; i < SESSION_WINDOW; i++) {
		struct window_call *call = &window->calls[i];

		if (is_open(call) && call->call.number == number)
			return call;
	}
	return NULL;
}

/* The older of two calls; either may be NULL. */
static struct window_call *older(struct window_call *a, struct window_call *b)
{
	return a == NULL || (b != NULL && b->call.number < a->call.number) ? b : a;
}

struct window_call *window_oldest_due(struct window *window)
{
	struct window_call *oldest = NULL;

	for (size_t i = 0; i < SESSION_WINDOW; i++) {
		if (window->calls[i].state != WINDOW_FREE && window->calls[i].due)
			oldest = older(oldest, &window->calls[i]);
	}
	return oldest;
}

struct window_call *window_oldest_open(struct window *window)
{
	struct window_call *oldest = NULL;

	for (size_t i = 0; i < SESSION_WINDOW; i++) {
		if (is_open(&window->calls[i]))
			oldest = older(oldest, &window->calls[i]);
	}
	return oldest;
}

int window_keep(struct window_call *call, struct payload_view data)
{
	if (data.size > call->data.capacity) {
		size_t capacity = data.size > WINDOW_BUFFER_KEPT ? data.size : WINDOW_BUFFER_KEPT;
		int result;

		payload_deinit(&call->data);
		result = payload_init(&call->data, capacity);
		if (result < 0)
			return result;
	}
	return payload_set(&call->data, data);
}

void window_forget(struct window_call *call)
{
	payload_clear(&call->data);
	if (call->data.capacity > WINDOW_BUFFER_KEPT)
		payload_deinit(&call->data);
	call->state = WINDOW_FREE;
	call->due = false;
}
