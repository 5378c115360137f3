/*
 * The nanomsg link between real sockets: frames of every interesting size both ways, answers that
 * find their guest among several, a bridge that dies and comes back, and the addresses that are
 * refused before nanomsg gets to see them. Each test has a folder of its own under the temporary
 * one.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "relay/link.h"
#include "relay/wire.h"

/* How long a frame may take, and how often to try again where a link drops early frames. */
#define PATIENCE 5000 /* ms */
#define RETRY 20      /* ms */

struct fixture {
	char folder[64];
	char path[96];
	char endpoint[128];
	struct payload frame;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	snprintf(f->folder, sizeof(f->folder), "/tmp/relay-link.XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof(f->path), "%s/sock", f->folder);
	snprintf(f->endpoint, sizeof(f->endpoint), "ipc://%s", f->path);
	assert_int_equal(payload_init(&f->frame, WIRE_FRAME_MAX), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	(void)unlink(f->path);
	assert_int_equal(rmdir(f->folder), 0);
	payload_deinit(&f->frame);
	free(f);
	return 0;
}

static struct link *open_link(enum link_side side, const char *endpoint)
{
	char problem[256] = "";
	struct link *link = NULL;

	if (link_open_nanomsg(&link, side, &endpoint, 1, problem, sizeof(problem)) != 0)
		fail_msg("%s", problem);
	return link;
}

static struct payload_view text(const char *text)
{
	return (struct payload_view){ .bytes = (const uint8_t *)text, .size = strlen(text) };
}

/* Waits at most ms for a frame. */
static int receive_within(struct link *link, struct link_route *from, struct payload *frame, int ms)
{
	struct pollfd poller = { .fd = link_fd(link), .events = POLLIN };
	int result = link_receive(link, from, frame);

	/* Readable isn't a promise: it may be nothing again. */
	while (result == LINK_NOTHING && poll(&poller, 1, ms) > 0)
		result = link_receive(link, from, frame);
	return result;
}

static bool is_frame(const struct payload *frame, struct payload_view expected)
{
	return frame->size == expected.size &&
		memcmp(frame->bytes, expected.bytes, expected.size) == 0;
}

/*
 * Sends until it arrives: a link that isn't connected yet drops. On a slow machine what is sent
 * again may arrive twice, the second time when something else is waited for: hence the waiting for
 * this one.
 */
static void send_through(struct link *guest, struct payload_view sent, struct link *bridge,
	struct link_route *from, struct payload *frame)
{
	for (int waited = 0; waited < PATIENCE; waited += RETRY) {
		(void)link_send(guest, NULL, sent);
		while (receive_within(bridge, from, frame, RETRY) == 0) {
			if (is_frame(frame, sent))
				return;
		}
	}
	fail_msg("nothing arrived within %d ms", PATIENCE);
}

static void expect_frame(struct link *link, struct payload_view sent, struct payload *frame)
{
	assert_int_equal(receive_within(link, NULL, frame, PATIENCE), 0);
	assert_true(is_frame(frame, sent));
}

static void test_every_size_both_ways(void **state)
{
	static const size_t sizes[] = { 1, 2, 12, 255, 2047, 2048, 2049, 65535, 65536, WIRE_FRAME_MAX };
	static uint8_t bytes[WIRE_FRAME_MAX];
	struct fixture *f = *state;
	struct link *bridge = open_link(LINK_BRIDGE, f->endpoint);
	struct link *guest = open_link(LINK_GUEST, f->endpoint);
	struct link_route from;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7 + i / 256);
	send_through(guest, text("connected"), bridge, &from, &f->frame);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct payload_view sent = { .bytes = bytes, .size = sizes[i] };

		assert_int_equal(link_send(guest, NULL, sent), 0);
		do {
			assert_int_equal(receive_within(bridge, &from, &f->frame, PATIENCE), 0);
		} while (is_frame(&f->frame, text("connected")));
		assert_true(is_frame(&f->frame, sent));
		assert_int_equal(link_send(bridge, &from, sent), 0);
		expect_frame(guest, sent, &f->frame);
	}
	assert_int_equal(link_receive(guest, NULL, &f->frame), LINK_NOTHING);
	link_close(guest);
	link_close(bridge);
}

static void test_answers_find_their_guest(void **state)
{
	struct fixture *f = *state;
	struct link *bridge = open_link(LINK_BRIDGE, f->endpoint);
	struct link *one = open_link(LINK_GUEST, f->endpoint);
	struct link *two = open_link(LINK_GUEST, f->endpoint);
	struct link_route to_one;
	struct link_route to_two;

	send_through(one, text("I am one"), bridge, &to_one, &f->frame);
	send_through(two, text("I am two"), bridge, &to_two, &f->frame);
	/* Later question first, and a second frame that nobody has asked for. */
	assert_int_equal(link_send(bridge, &to_two, text("hello two")), 0);
	assert_int_equal(link_send(bridge, &to_one, text("hello one")), 0);
	assert_int_equal(link_send(bridge, &to_two, text("one more for two")), 0);
	expect_frame(one, text("hello one"), &f->frame);
	expect_frame(two, text("hello two"), &f->frame);
	expect_frame(two, text("one more for two"), &f->frame);
	assert_int_equal(link_receive(one, NULL, &f->frame), LINK_NOTHING);
	link_close(one);
	link_close(two);
	link_close(bridge);
}

/* Both after an orderly end and over the socket file that a killed bridge leaves behind. */
static void test_bridge_comes_back(void **state)
{
	struct fixture *f = *state;
	struct link *guest = open_link(LINK_GUEST, f->endpoint);
	struct link_route from;

	for (int round = 0; round < 3; round++) {
		struct link *bridge = open_link(LINK_BRIDGE, f->endpoint);

		send_through(guest, text("still here"), bridge, &from, &f->frame);
		assert_int_equal(link_send(bridge, &from, text("so am I")), 0);
		expect_frame(guest, text("so am I"), &f->frame);
		link_close(bridge);
	}
	link_close(guest);
}

static void test_stale_socket_is_replaced(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int left_behind = socket(AF_UNIX, SOCK_STREAM, 0);
	struct link *bridge;
	struct link *guest;
	struct link_route from;

	assert_true(strlen(f->path) < sizeof(address.sun_path));
	memcpy(address.sun_path, f->path, strlen(f->path));
	assert_int_equal(bind(left_behind, (struct sockaddr *)&address, sizeof(address)), 0);
	close(left_behind);
	bridge = open_link(LINK_BRIDGE, f->endpoint);
	guest = open_link(LINK_GUEST, f->endpoint);
	send_through(guest, text("through"), bridge, &from, &f->frame);
	link_close(guest);
	link_close(bridge);
}

static void test_socket_is_private(void **state)
{
	struct fixture *f = *state;
	mode_t before = umask(0);
	struct link *bridge = open_link(LINK_BRIDGE, f->endpoint);
	struct stat status;

	assert_int_equal(umask(before), 0);
	assert_int_equal(stat(f->path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	link_close(bridge);
}

static void test_regular_file_survives(void **state)
{
	struct fixture *f = *state;
	const char *endpoint = f->endpoint;
	char problem[256] = "";
	struct link *link = NULL;
	struct stat status;
	FILE *file = fopen(f->path, "w");

	assert_non_null(file);
	assert_true(fputs("precious", file) >= 0);
	fclose(file);
	assert_int_equal(link_open_nanomsg(&link, LINK_BRIDGE, &endpoint, 1, problem,
		sizeof(problem)), LINK_BAD_ADDRESS);
	assert_null(link);
	assert_non_null(strstr(problem, "not a socket"));
	assert_int_equal(stat(f->path, &status), 0);
	assert_true(S_ISREG(status.st_mode));
	assert_int_equal(status.st_size, 8);
}

static void test_address_in_use(void **state)
{
	struct fixture *f = *state;
	const char *endpoint = f->endpoint;
	struct link *bridge = open_link(LINK_BRIDGE, f->endpoint);
	struct link *second = NULL;
	char problem[256] = "";

	assert_int_equal(link_open_nanomsg(&second, LINK_BRIDGE, &endpoint, 1, problem,
		sizeof(problem)), LINK_BAD_ADDRESS);
	assert_null(second);
	assert_non_null(strstr(problem, f->endpoint));
	link_close(bridge);
}

/* The kernel picks a port that is free now; the next moment is ours, on a machine that is ours. */
static unsigned free_port(int family)
{
	struct sockaddr_storage address = { .ss_family = (sa_family_t)family };
	socklen_t size = sizeof(address);
	int probe = socket(family, SOCK_STREAM, 0);
	uint8_t port[2];

	assert_true(probe >= 0);
	assert_int_equal(bind(probe, (struct sockaddr *)&address, size), 0);
	assert_int_equal(getsockname(probe, (struct sockaddr *)&address, &size), 0);
	close(probe);
	memcpy(port, (const uint8_t *)&address + 2, sizeof(port));
	return (unsigned)(port[0] << 8 | port[1]);
}

static void try_tcp(struct fixture *f, int family, const char *format)
{
	char endpoint[64];
	struct link *bridge;
	struct link *guest;
	struct link_route from;

	snprintf(endpoint, sizeof(endpoint), "tcp://%s:%u", format, free_port(family));
	bridge = open_link(LINK_BRIDGE, endpoint);
	guest = open_link(LINK_GUEST, endpoint);
	send_through(guest, text("over tcp"), bridge, &from, &f->frame);
	assert_int_equal(link_send(bridge, &from, text("and back")), 0);
	expect_frame(guest, text("and back"), &f->frame);
	link_close(guest);
	link_close(bridge);
}

static void test_tcp(void **state)
{
	try_tcp(*state, AF_INET, "127.0.0.1");
}

static void test_tcp_ipv6(void **state)
{
	int probe = socket(AF_INET6, SOCK_STREAM, 0);
	struct sockaddr_storage loopback = { .ss_family = AF_INET6 };

	((uint8_t *)&loopback)[8 + 15] = 1; /* ::1 */
	if (probe < 0 || bind(probe, (struct sockaddr *)&loopback, sizeof(loopback)) != 0)
		skip();
	close(probe);
	try_tcp(*state, AF_INET6, "[::1]");
}

static void test_bad_addresses(void **state)
{
	static char too_long[6 + 108 + 1] = "ipc://";
	static const struct {
		const char *endpoint;
		const char *reason;
	} rows[] = {
		{ "", "only ipc:// and tcp://" },
		{ "ws://127.0.0.1:80", "only ipc:// and tcp://" },
		{ "inproc://a", "only ipc:// and tcp://" },
		{ "ipc://", "absolute path" },
		{ "ipc://relative", "absolute path" },
		{ "ipc://@abstract", "absolute path" },
		{ too_long, "longer than 107 bytes" },
		{ "tcp://127.0.0.1", "port" },
		{ "tcp://127.0.0.1:", "port" },
		{ "tcp://127.0.0.1:0", "port" },
		{ "tcp://127.0.0.1:65536", "port" },
		{ "tcp://127.0.0.1:99999999999999999999", "port" },
		{ "tcp://127.0.0.1:80x", "port" },
		{ "tcp://localhost:7816", "not a name" },
		{ "tcp://*:7816", "not a name" },
		{ "tcp://eth0;127.0.0.1:7816", "not a name" },
		{ "tcp://:7816", "not a name" },
		{ "tcp://::1:7816", "not a name" },
		{ "tcp://[::1:7816", "[address]:port" },
		{ "tcp://[]:7816", "not a name" },
		{ "tcp://[127.0.0.1]:7816", "not a name" },
		{ "tcp://1111111111111111111111111111111111111111111111111:1", "not a name" },
	};

	(void)state;
	memset(too_long + 6, '/', 108);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (int side = LINK_GUEST; side <= LINK_BRIDGE; side++) {
			char problem[256] = "";
			struct link *link = NULL;

			assert_int_equal(link_open_nanomsg(&link, (enum link_side)side,
				&rows[i].endpoint, 1, problem, sizeof(problem)), LINK_BAD_ADDRESS);
			assert_null(link);
			if (strstr(problem, rows[i].reason) == NULL)
				fail_msg("'%s': says '%s', not '%s'", rows[i].endpoint, problem,
					rows[i].reason);
		}
	}
}

/* A guest that sends more than a frame may hold loses its connection, and nothing else happens. */
static void test_oversize(void **state)
{
	static uint8_t bytes[WIRE_FRAME_MAX + 64];
	const struct payload_view sent = { .bytes = bytes, .size = sizeof(bytes) };
	struct fixture *f = *state;
	struct link *bridge = open_link(LINK_BRIDGE, f->endpoint);
	struct link *bad = open_link(LINK_GUEST, f->endpoint);
	struct link *good = open_link(LINK_GUEST, f->endpoint);
	struct link_route from, before;

	send_through(bad, text("I am bad"), bridge, &before, &f->frame);
	send_through(good, text("I am good"), bridge, &from, &f->frame);
	assert_int_equal(link_send(bad, NULL, sent), 0);
	send_through(good, text("still here"), bridge, &from, &f->frame);
	send_through(bad, text("here again"), bridge, &from, &f->frame);
	/* Over a new connection, which has another key. */
	assert_memory_not_equal(from.bytes, before.bytes, 4);
	assert_int_equal(link_send(bridge, &from, text("welcome back")), 0);
	expect_frame(bad, text("welcome back"), &f->frame);
	link_close(good);
	link_close(bad);
	link_close(bridge);
}

/* The bridge may listen in its working folder, and nowhere else without an absolute path. */
static void test_working_folder(void **state)
{
	struct fixture *f = *state;
	char before[4096];
	const char *reason = NULL;
	struct link *bridge = NULL;
	struct link *guest;
	struct link_route from;

	assert_non_null(getcwd(before, sizeof(before)));
	assert_int_equal(link_open_nanomsg(&bridge, LINK_BRIDGE, NULL, 0, NULL, 0), 0);
	assert_int_equal(chdir(f->folder), 0);
	assert_int_equal(link_nanomsg_attach(bridge, "ipc://sock", &reason), LINK_BAD_ADDRESS);
	assert_int_equal(link_nanomsg_attach(bridge, "ipc://../sock", &reason), LINK_BAD_ADDRESS);
	assert_int_equal(link_nanomsg_attach(bridge, "ipc://./sock", &reason), 0);
	assert_int_equal(chdir(before), 0);
	guest = open_link(LINK_GUEST, f->endpoint);
	assert_int_equal(link_nanomsg_attach(guest, "ipc://./sock", &reason), LINK_BAD_ADDRESS);
	assert_string_equal(reason, "an ipc:// address needs an absolute path");
	send_through(guest, text("through"), bridge, &from, &f->frame);
	link_close(guest);
	link_close(bridge);
}

/* A route is what the network sent: one of a wrong size must not reach nanomsg. */
static void test_bad_routes(void **state)
{
	struct fixture *f = *state;
	struct link *bridge = open_link(LINK_BRIDGE, f->endpoint);

	for (size_t size = 0; size <= LINK_ROUTE_MAX + 1; size++) {
		struct link_route route = { .size = size };

		if (size < 8 || size > LINK_ROUTE_MAX)
			assert_int_equal(link_send(bridge, &route, text("to nobody")), LINK_DROPPED);
	}
	link_close(bridge);
}

static void test_nothing_waits(void **state)
{
	struct fixture *f = *state;
	struct link *guest = open_link(LINK_GUEST, f->endpoint);

	assert_int_equal(link_receive(guest, NULL, &f->frame), LINK_NOTHING);
	assert_int_equal(link_send(guest, NULL, text("to nobody")), LINK_DROPPED);
	assert_null(link_close(guest));
	assert_null(link_close(NULL));
}

#define LINK_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LINK_TEST(test_every_size_both_ways),
		LINK_TEST(test_answers_find_their_guest),
		LINK_TEST(test_bridge_comes_back),
		LINK_TEST(test_stale_socket_is_replaced),
		LINK_TEST(test_socket_is_private),
		LINK_TEST(test_regular_file_survives),
		LINK_TEST(test_address_in_use),
		LINK_TEST(test_tcp),
		LINK_TEST(test_tcp_ipv6),
		LINK_TEST(test_bad_addresses),
		LINK_TEST(test_oversize),
		LINK_TEST(test_working_folder),
		LINK_TEST(test_bad_routes),
		LINK_TEST(test_nothing_waits),
	};

	return cmocka_run_group_tests_name("relay-link", tests, NULL, NULL);
}
