/*
 * The calls of one slot that the host has not answered yet: which of the slot's each is, under which
 * number the session knows it, and what is counted once it has ended. Sans-I/O: the time is the
 * caller's.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stddef.h>
#include <stdint.h>

/* One runs, and what a new driver asks for waits behind it. */
#define OPEN_CALLS_MAX 8

struct open_call {
	uint32_t number;      /* of the session; 0: free */
	uint32_t slot_number;
	uint8_t operation;    /* enum wire_operation */
	size_t sent;          /* bytes */
	uint64_t made_at;     /* us */
};

struct open_calls {
	struct open_call list[OPEN_CALLS_MAX];
};

/* The call that the session knows by this number, or NULL. */
struct open_call *open_calls_find(struct open_calls *calls, uint32_t number);

/* A place for another one, or NULL if all are taken. It is taken once it has a number. */
struct open_call *open_calls_place(struct open_calls *calls);

/* The call has ended: its place is free. */
void open_calls_end(struct open_call *call);
