/*
 * A link in memory that loses, repeats, delays and reorders by a seed. See link_memory.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "link_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BRIDGE 1 /* the bridge's address; guests count on from there */
#define WEDGED UINT32_MAX /* in place of the address of a link that is */
#define FLYING_MAX 1024
#define LINKS_MAX 16

struct flying {
	uint64_t at;     /* when it arrives; UINT64_MAX for a free place */
	uint64_t number; /* frames that arrive together arrive as they were sent */
	bool late;
	uint32_t from;
	uint32_t to;
	struct payload frame;
};

struct memory_net {
	uint64_t random;
	uint64_t now;
	uint64_t sent;
	uint64_t lost;
	uint32_t last_address;
	bool cut;
	struct memory_faults faults;
	uint32_t open[LINKS_MAX]; /* addresses of the links that are open, 0 for a free place */
	struct flying flying[FLYING_MAX];
};

struct link_memory {
	struct link link;
	struct memory_net *net;
	uint32_t address;
	bool wedged;
};

struct memory_net *memory_net_new(uint64_t seed)
{
	struct memory_net *net = calloc(1, sizeof(*net));

	assert_non_null(net);
	net->random = seed;
	net->last_address = BRIDGE;
	for (size_t i = 0; i < FLYING_MAX; i++)
		net->flying[i].at = UINT64_MAX;
	return net;
}

static void land(struct flying *flying)
{
	flying->at = UINT64_MAX;
	payload_deinit(&flying->frame);
}

void memory_net_free(struct memory_net *net)
{
	for (size_t i = 0; i < FLYING_MAX; i++)
		land(&net->flying[i]);
	free(net);
}

void memory_net_set_faults(struct memory_net *net, const struct memory_faults *faults)
{
	net->faults = *faults;
}

void memory_net_cut(struct memory_net *net, bool cut)
{
	net->cut = cut;
}

void memory_net_set_time(struct memory_net *net, uint64_t now)
{
	assert_true(now >= net->now);
	net->now = now;
}

uint64_t memory_net_next(const struct memory_net *net)
{
	uint64_t next = UINT64_MAX;

	for (size_t i = 0; i < FLYING_MAX; i++) {
		if (net->flying[i].at < next)
			next = net->flying[i].at;
	}
	return next;
}

void memory_net_count(const struct memory_net *net, uint64_t *sent, uint64_t *lost)
{
	*sent = net->sent;
	*lost = net->lost;
}

/* SplitMix64: a full period and no weak seeds, in four lines. */
uint64_t memory_net_random(struct memory_net *net, uint64_t bound)
{
	uint64_t mixed = net->random += 0x9E3779B97F4A7C15;

	mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9;
	mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB;
	return bound > 0 ? (mixed ^ mixed >> 31) % bound : 0;
}

static bool chance(struct memory_net *net, unsigned of_1000)
{
	return memory_net_random(net, 1000) < of_1000;
}

/* Writes the address of a link that opens into a place that holds 0, or 0 over one that closes. */
static void replace_address(struct memory_net *net, uint32_t old, uint32_t new)
{
	for (size_t i = 0; i < LINKS_MAX; i++) {
		if (net->open[i] == old) {
			net->open[i] = new;
			return;
		}
	}
	fail_msg("there is no link %u, or too many links", old);
}

static bool is_open(const struct memory_net *net, uint32_t address)
{
	for (size_t i = 0; i < LINKS_MAX; i++) {
		if (net->open[i] == address)
			return true;
	}
	return false;
}

/* When the last frame arrives that is on this way already, and in order. */
static uint64_t last_arrival(const struct memory_net *net, uint32_t from, uint32_t to)
{
	uint64_t last = 0;

	for (size_t i = 0; i < FLYING_MAX; i++) {
		const struct flying *flying = &net->flying[i];

		if (flying->at != UINT64_MAX && !flying->late && flying->from == from &&
				flying->to == to && flying->at > last)
			last = flying->at;
	}
	return last;
}

static void fly(struct memory_net *net, uint32_t from, uint32_t to, struct payload_view frame)
{
	bool late = chance(net, net->faults.late);
	uint64_t at = net->now +
		memory_net_random(net, 1 + (late ? net->faults.late_most : net->faults.delay_most));
	uint64_t last = last_arrival(net, from, to);

	for (size_t i = 0; i < FLYING_MAX; i++) {
		struct flying *flying = &net->flying[i];

		if (flying->at != UINT64_MAX)
			continue;
		assert_int_equal(payload_init(&flying->frame, frame.size), 0);
		assert_int_equal(payload_set(&flying->frame, frame), 0);
		flying->at = late || at > last ? at : last;
		flying->late = late;
		flying->number = net->sent;
		flying->from = from;
		flying->to = to;
		return;
	}
	net->lost++;
}

static void put_address(struct link_route *route, uint32_t address)
{
	memcpy(route->bytes, &address, sizeof(address));
	route->size = sizeof(address);
}

static int memory_send(struct link *link, const struct link_route *to, struct payload_view frame)
{
	struct link_memory *sender = (struct link_memory *)link;
	struct memory_net *net = sender->net;
	uint32_t address = BRIDGE;

	net->sent++;
	if (sender->address == BRIDGE)
		memcpy(&address, to->bytes, sizeof(address));
	if (net->cut || sender->wedged || chance(net, net->faults.lose) || !is_open(net, address)) {
		net->lost++;
		return 0; /* as with nanomsg, nobody is told */
	}
	fly(net, sender->address, address, frame);
	if (chance(net, net->faults.repeat))
		fly(net, sender->address, address, frame);
	return 0;
}

static int memory_receive(struct link *link, struct link_route *from, struct payload *frame)
{
	struct link_memory *receiver = (struct link_memory *)link;
	struct memory_net *net = receiver->net;
	struct flying *first = NULL;

	for (size_t i = 0; i < FLYING_MAX; i++) {
		struct flying *flying = &net->flying[i];

		if (flying->at <= net->now && flying->to == receiver->address &&
				(first == NULL || flying->at < first->at ||
					(flying->at == first->at &&
						flying->number < first->number)))
			first = flying;
	}
	if (first == NULL)
		return LINK_NOTHING;
	if (from != NULL)
		put_address(from, first->from);
	assert_int_equal(payload_set(frame, payload_view(&first->frame)), 0);
	land(first);
	return 0;
}

static int memory_fd(const struct link *link)
{
	(void)link;
	return -1;
}

static void memory_close(struct link *link)
{
	struct link_memory *closing = (struct link_memory *)link;

	for (size_t i = 0; i < FLYING_MAX; i++) {
		if (closing->net->flying[i].to == closing->address)
			land(&closing->net->flying[i]);
	}
	replace_address(closing->net, closing->wedged ? WEDGED : closing->address, 0);
	free(closing);
}

void memory_link_wedge(struct link *link)
{
	struct link_memory *wedged = (struct link_memory *)link;

	/* Nobody has this address: what is sent to it is lost, and what it sends has nobody's. */
	wedged->wedged = true;
	for (size_t i = 0; i < LINKS_MAX; i++) {
		if (wedged->net->open[i] == wedged->address)
			wedged->net->open[i] = WEDGED;
	}
}

struct link *link_open_memory(struct memory_net *net, bool bridge)
{
	static const struct link_functions functions = {
		.send = memory_send,
		.receive = memory_receive,
		.fd = memory_fd,
		.close = memory_close,
	};
	struct link_memory *link = calloc(1, sizeof(*link));

	assert_non_null(link);
	link->link.functions = &functions;
	link->net = net;
	link->address = bridge ? BRIDGE : ++net->last_address;
	replace_address(net, 0, link->address);
	return &link->link;
}
