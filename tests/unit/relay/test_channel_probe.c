/*
 * What doctor asks of a bridge, over a real link: an answer when each side has the other's key, silence when
 * either is another's, and that the bridge gets a handshake and nothing after it. The bridge is a thread
 * that lists one guest.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "relay/channel_probe.h"
#include "relay/link.h"
#include "relay/secure.h"

struct fixture {
	char folder[64], path[96], endpoint[128];
	struct key_pair bridge, listed, other;
	pthread_t thread;
	atomic_bool over;
	atomic_uint answered; /* handshakes */
	atomic_uint others;   /* frames that are none, or that no channel is for */
	struct link *link;
	struct secure_bridge *secure;
};

static void make_key(struct key_pair *key)
{
	randombytes_buf(key->private.bytes, sizeof(key->private.bytes));
	key_public(&key->private, &key->public);
}

static void serve(struct fixture *f, struct payload *frame, struct payload *plaintext)
{
	struct secure_received received;
	struct secure_fresh fresh;
	struct link_route from;
	int r;

	if (link_receive(f->link, &from, frame) != 0)
		return;
	randombytes_buf(&fresh, sizeof(fresh));
	r = secure_bridge_receive(f->secure, 0, &fresh, payload_view(frame), plaintext, &received);
	if (r == SECURE_ANSWER) {
		atomic_fetch_add(&f->answered, 1);
		(void)link_send(f->link, &from, received.answer);
	} else if (r != SECURE_NOT_OURS && r != SECURE_UNKNOWN_KEY) {
		atomic_fetch_add(&f->others, 1);
	}
	payload_clear(plaintext);
}

static void *run_bridge(void *argument)
{
	struct fixture *f = argument;
	struct payload frame, plaintext;

	if (payload_init(&frame, WIRE_FRAME_MAX) != 0 || payload_init(&plaintext, WIRE_FRAME_MAX) != 0)
		abort();
	while (!atomic_load(&f->over)) {
		struct pollfd wait = { .fd = link_fd(f->link), .events = POLLIN };

		(void)poll(&wait, 1, 20);
		serve(f, &frame, &plaintext);
	}
	payload_deinit(&frame);
	payload_deinit(&plaintext);
	return NULL;
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const char *endpoint;
	char problem[256];

	assert_non_null(f);
	snprintf(f->folder, sizeof(f->folder), "/tmp/relay-probe.XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof(f->path), "%s/sock", f->folder);
	snprintf(f->endpoint, sizeof(f->endpoint), "ipc://%s", f->path);
	make_key(&f->bridge);
	make_key(&f->listed);
	make_key(&f->other);
	endpoint = f->endpoint;
	assert_int_equal(link_open_nanomsg(&f->link, LINK_BRIDGE, &endpoint, 1, problem, sizeof(problem)), 0);
	assert_int_equal(secure_bridge_new(&f->secure, &f->bridge, &f->listed.public, 1), 0);
	assert_int_equal(pthread_create(&f->thread, NULL, run_bridge, f), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	atomic_store(&f->over, true);
	assert_int_equal(pthread_join(f->thread, NULL), 0);
	f->link = link_close(f->link);
	f->secure = secure_bridge_free(f->secure);
	(void)unlink(f->path);
	assert_int_equal(rmdir(f->folder), 0);
	free(f);
	return 0;
}

/* One handshake, and no frame in a channel that it has opened. */
static void test_answered(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(channel_probe(f->endpoint, &f->listed, &f->bridge.public), 0);
	usleep(200 * 1000);
	assert_true(atomic_load(&f->answered) >= 1);
	assert_int_equal(atomic_load(&f->others), 0);
}

static void test_key_not_listed(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(channel_probe(f->endpoint, &f->other, &f->bridge.public), CHANNEL_PROBE_SILENT);
	assert_int_equal(atomic_load(&f->answered), 0);
}

static void test_another_bridge(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(channel_probe(f->endpoint, &f->listed, &f->other.public), CHANNEL_PROBE_SILENT);
	assert_int_equal(atomic_load(&f->answered), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_answered, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_key_not_listed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_another_bridge, set_up, tear_down),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
