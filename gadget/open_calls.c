/*
 * A short list. See open_calls.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/open_calls.h"

static struct open_call *open_calls_by(struct open_calls *calls, uint32_t number)
{
	for (size_t i = 0; i < OPEN_CALLS_MAX; i++) {
		if (calls->list[i].number == number)
			return &calls->list[i];
	}
	return NULL;
}

struct open_call *open_calls_find(struct open_calls *calls, uint32_t number)
{
	return number != 0 ? open_calls_by(calls, number) : NULL;
}

struct open_call *open_calls_place(struct open_calls *calls)
{
	return open_calls_by(calls, 0);
}

void open_calls_end(struct open_call *call)
{
	*call = (struct open_call){ .number = 0 };
}
