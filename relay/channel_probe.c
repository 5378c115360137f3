/*
 * A handshake without a session. See channel_probe.h.
 *
 * The channel begins a handshake when there is something to send: that is one byte here, which it holds
 * until the bridge has answered, and which nobody fetches then.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "relay/channel_probe.h"

#include <poll.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/payload.h"
#include "relay/link.h"
#include "relay/secure.h"
#include "relay/wire.h"

#define ANSWER_LIMIT 5000 /* ms */
#define STEP 50           /* ms to wait for a frame before the time is looked at again */

/* Sends what is due of the handshake. */
static void probe_send(struct link *link, struct secure_guest *guest, uint64_t now)
{
	struct secure_fresh fresh;
	struct payload_view frame;

	if (now >= secure_guest_deadline(guest)) {
		randombytes_buf(&fresh, sizeof(fresh));
		secure_guest_tick(guest, now, &fresh);
		payload_wipe(&fresh, sizeof(fresh));
	}
	while (!secure_guest_is_open(guest) && secure_guest_pop_frame(guest, now, &frame))
		(void)link_send(link, NULL, frame);
}

static int probe_receive(struct link *link, struct secure_guest *guest, struct payload *frame,
	struct payload *plaintext)
{
	struct pollfd wait = { .fd = link_fd(link), .events = POLLIN };
	int r;

	(void)poll(&wait, 1, STEP);
	r = link_receive(link, NULL, frame);
	if (r == 0)
		(void)secure_guest_receive(guest, clock_ms(), payload_view(frame), plaintext);
	payload_clear(frame);
	payload_clear(plaintext);
	return r < 0 ? r : 0;
}

/* nanomsg connects in the background, and drops what comes too early: the handshake is repeated. */
static int probe(struct link *link, struct secure_guest *guest, struct payload *frame,
	struct payload *plaintext)
{
	static const uint8_t something[1];
	const struct payload_view view = { .bytes = something, .size = sizeof(something) };
	uint64_t start = clock_ms(), now = start;
	struct payload_view sealed;
	int r = secure_guest_seal(guest, start, view, &sealed);

	while (r >= 0 && !secure_guest_is_open(guest) && now - start < ANSWER_LIMIT) {
		probe_send(link, guest, now);
		r = probe_receive(link, guest, frame, plaintext);
		now = clock_ms();
	}
	if (r < 0)
		return r;
	return secure_guest_is_open(guest) ? 0 : CHANNEL_PROBE_SILENT;
}

int channel_probe(const char *endpoint, const struct key_pair *own, const struct public_key *bridge)
{
	const char *const endpoints[] = { endpoint };
	struct payload frame = PAYLOAD_NULL, plaintext = PAYLOAD_NULL;
	struct secure_guest *guest = NULL;
	struct link *link = NULL;
	char problem[256];
	int r = payload_init(&frame, WIRE_FRAME_MAX);

	if (r == 0)
		r = payload_init(&plaintext, SECURE_PLAINTEXT_MAX);
	if (r == 0)
		r = secure_guest_new(&guest, own, bridge);
	if (r == 0)
		r = link_open_nanomsg(&link, LINK_GUEST, endpoints, 1, problem, sizeof(problem));
	if (r == 0)
		r = probe(link, guest, &frame, &plaintext);
	link = link_close(link);
	guest = secure_guest_free(guest);
	payload_deinit(&plaintext);
	payload_deinit(&frame);
	return r;
}
