/*
 * See gate.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "host-bridge/gate.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>

int gate_init(struct gate *gate, const struct bridge_config *config, const struct key_pair *own)
{
	struct public_key *keys;
	size_t count = 0;
	int r = -ENOMEM;

	if (!config->keyed)
		return 0;
	keys = calloc(config->guest_count, sizeof(*keys));
	gate->guests = calloc(config->guest_count, sizeof(*gate->guests));
	for (size_t i = 0; keys != NULL && gate->guests != NULL && i < config->guest_count; i++) {
		if (!config->guests[i].keyed)
			continue;
		keys[count] = config->guests[i].key;
		gate->guests[count++] = i;
	}
	if (keys != NULL && gate->guests != NULL)
		r = payload_init(&gate->plaintext, SECURE_PLAINTEXT_MAX);
	if (r == 0)
		r = secure_bridge_new(&gate->secure, own, keys, count);
	free(keys);
	return r;
}

void gate_deinit(struct gate *gate)
{
	gate->secure = secure_bridge_free(gate->secure);
	payload_deinit(&gate->plaintext);
	free(gate->guests);
	gate->guests = NULL;
}

/* Handshakes end by time, and to make room for others. */
static void count_unfinished(struct gate *gate, uint64_t now)
{
	uint64_t unfinished = secure_bridge_counts(gate->secure)->unfinished;

	for (; gate->unfinished < unfinished; gate->unfinished++)
		refusals_add(&gate->refusals, REFUSAL_UNFINISHED, now);
}

static unsigned int cost_of(int result)
{
	switch (result) {
	case SECURE_NOT_OURS:
		return HANDSHAKE_COST_NOT_OURS;
	case SECURE_UNKNOWN_KEY:
		return HANDSHAKE_COST_UNKNOWN_KEY;
	}
	return HANDSHAKE_COST_ANSWER;
}

static int shut(struct gate *gate, enum refusal refusal, uint64_t now)
{
	refusals_add(&gate->refusals, refusal, now);
	return GATE_SHUT;
}

static int take_plain(struct gate *gate, uint64_t now, bool over_ipc, struct payload_view bytes,
	struct gate_frame *frame)
{
	if (!over_ipc)
		return shut(gate, REFUSAL_PLAIN, now);
	*frame = (struct gate_frame){ .guest = GATE_ANYONE, .view = bytes };
	return 0;
}

static int take_secure(struct gate *gate, uint64_t now, const struct secure_received *received,
	int result, struct gate_frame *frame)
{
	switch (result) {
	case 0:
		/* An empty one only shows that the channel is in use. */
		if (gate->plaintext.size == 0)
			return GATE_SHUT;
		frame->guest = gate->guests[received->guest];
		frame->channel = received->channel;
		frame->view = payload_view(&gate->plaintext);
		return 0;
	case SECURE_ANSWER:
		frame->view = received->answer;
		return GATE_ANSWER;
	case SECURE_UNKNOWN_KEY:
		return shut(gate, REFUSAL_UNKNOWN_KEY, now);
	case SECURE_NOT_OURS:
		return shut(gate, REFUSAL_NOT_OURS, now);
	}
	return shut(gate, REFUSAL_DROPPED, now);
}

int gate_in(struct gate *gate, uint64_t now, bool over_ipc, uint32_t connection,
	struct payload_view bytes, struct gate_frame *frame)
{
	struct secure_received received;
	struct handshake_account *account = NULL;
	struct secure_fresh fresh;
	int r;

	*frame = (struct gate_frame){ .channel = 0 };
	if (gate->secure == NULL)
		return take_plain(gate, now, over_ipc, bytes, frame);
	if (secure_is_initiate(bytes)) {
		account = handshake_limit_ask(&gate->limit, connection, now);
		if (account == NULL)
			return shut(gate, REFUSAL_TOO_MANY, now);
	}
	randombytes_buf(&fresh, sizeof(fresh));
	r = secure_bridge_receive(gate->secure, now, &fresh, bytes, &gate->plaintext, &received);
	payload_wipe(&fresh, sizeof(fresh));
	count_unfinished(gate, now);
	if (account != NULL)
		handshake_limit_charge(&gate->limit, account, cost_of(r));
	if (r == SECURE_PLAIN)
		return take_plain(gate, now, over_ipc, bytes, frame);
	return take_secure(gate, now, &received, r, frame);
}

void gate_done(struct gate *gate)
{
	payload_clear(&gate->plaintext);
}

int gate_out(struct gate *gate, uint64_t now, uint64_t channel, struct payload_view frame,
	struct payload_view *out)
{
	*out = frame;
	if (channel == 0)
		return 0;
	if (gate->secure == NULL ||
		secure_bridge_seal(gate->secure, now, channel, frame, out) != 0)
		return GATE_SHUT;
	return 0;
}

void gate_hold(struct gate *gate, uint64_t channel)
{
	if (gate->secure != NULL && channel != 0)
		secure_bridge_hold(gate->secure, channel);
}

void gate_tick(struct gate *gate, uint64_t now)
{
	if (gate->secure == NULL || now < secure_bridge_deadline(gate->secure))
		return;
	secure_bridge_tick(gate->secure, now);
	count_unfinished(gate, now);
}

uint64_t gate_deadline(const struct gate *gate)
{
	return gate->secure != NULL ? secure_bridge_deadline(gate->secure) : SECURE_NEVER;
}
