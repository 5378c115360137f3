/*
 * The JSON that ccid-gadget answers, whole documents: for no place, for one and for several in every state.
 * Members are always there, lists stay lists, and types don't change with the number of readers.
 *
 * The daemon that is reported of is a play: what the functions below say.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "gadget/report.h"
#include "tests/unit/control/asked.h"
#include "tests/unit/control/folder.h"

/* ---- the play ---- */

#define READERS_MAX 4

struct reader {
	struct reader_look look;
	bool driver;
	struct call_stats calls;
	uint64_t time_extensions;
	uint64_t usb_resets;
};

static struct {
	struct places places;
	struct config_reader sections[READERS_MAX];
	struct reader readers[READERS_MAX];
	bool stands[READERS_MAX]; /* whether a reader has ever been there */
	struct wire_readers hosts;
	struct connection_look connection;
} play;

const struct places *daemon_places(const struct daemon *daemon)
{
	(void)daemon;
	return &play.places;
}

const struct connection *daemon_connection(const struct daemon *daemon)
{
	(void)daemon;
	return NULL;
}

const struct reader *daemon_reader(const struct daemon *daemon, size_t i)
{
	(void)daemon;
	return play.stands[i] ? &play.readers[i] : NULL;
}

void daemon_tell(const struct daemon *daemon, struct tracer *tracer)
{
	(void)daemon;
	(void)tracer;
}

const struct wire_readers *connection_readers(const struct connection *connection)
{
	(void)connection;
	return &play.hosts;
}

bool connection_is_up(const struct connection *connection)
{
	(void)connection;
	return play.connection.up;
}

struct connection_look connection_look(const struct connection *connection)
{
	(void)connection;
	return play.connection;
}

void reader_look(const struct reader *reader, struct reader_look *look)
{
	*look = reader->look;
}

bool reader_has_driver(const struct reader *reader)
{
	return reader->driver;
}

struct reader_counters reader_counters(const struct reader *reader)
{
	return (struct reader_counters){ .calls = &reader->calls,
		.time_extensions = reader->time_extensions, .usb_resets = reader->usb_resets };
}

static int set_up(void **state)
{
	(void)state;
	memset(&play, 0, sizeof play);
	play.connection.endpoint = "ipc:///run/bridge.sock";
	return 0;
}

/* ---- its parts ---- */

static struct reader *add_place(const char *pattern)
{
	size_t i = play.places.count++;

	(void)snprintf(play.sections[i].pattern, sizeof play.sections[i].pattern, "%s", pattern);
	play.places.places[i].config = &play.sections[i];
	return &play.readers[i];
}

static void connect_to_bridge(void)
{
	play.connection.up = true;
	play.connection.secure = true;
	play.connection.since = 86400;
	play.connection.sessions = 3;
}

static void show(const char *name)
{
	(void)snprintf(play.hosts.readers[play.hosts.count++].name, WIRE_NAME_MAX, "%s", name);
}

static void plug(struct reader *reader, const char *host, const char *udc)
{
	play.stands[reader - play.readers] = true;
	(void)snprintf(reader->look.host_name, sizeof reader->look.host_name, "%s", host);
	(void)snprintf(reader->look.gadget, sizeof reader->look.gadget, "ccid-gadget%zu",
		(size_t)(reader - play.readers));
	(void)snprintf(reader->look.udc, sizeof reader->look.udc, "%s", udc);
	reader->look.identity = (struct usb_identity){ .idVendor = 0x0E0F, .idProduct = 4,
		.serial = "1A8F", .interface = "Host's" };
}

static void power(struct reader *reader)
{
	static const uint8_t atr[] = { 0x3B, 0x00 };

	reader->look.card = WIRE_CARD_PRESENT;
	reader->look.powered = true;
	memcpy(reader->look.atr, atr, sizeof atr);
	reader->look.atr_size = sizeof atr;
	reader->driver = true;
}

static void work(struct reader *reader)
{
	static const uint8_t bytes[20];
	const struct wire_reply good = { .data = { bytes, 20 } }, busy = { .outcome = WIRE_CARD_BUSY };

	call_stats_ended(&reader->calls, WIRE_TRANSMIT, 5, &good, 1000);
	call_stats_ended(&reader->calls, WIRE_TRANSMIT, 7, &good, 3000);
	call_stats_ended(&reader->calls, WIRE_CONNECT, 0, &busy, 0);
	reader->time_extensions = 44;
	reader->usb_resets = 2;
}

static void assert_answer(enum control_verb verb, const char *expected)
{
	struct report report = { .tracers = REPORT_TRACES("test") };
	struct control_socket socket = CONTROL_SOCKET_NULL;
	char why[CONTROL_WHY_MAX];
	uv_loop_t loop;
	json_t *document;

	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(control_socket_open(&socket, folder_socket, why), 0);
	report_start(&report, &loop, &socket, "/etc/gadget.conf", NULL);
	document = asked(&loop, verb);
	report_stop(&report);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	asked_is(document, expected);
}

#define READERS_HEAD "'schema': 1, 'program': 'ccid-gadget', 'time': 'T', "
#define STATUS_HEAD "'schema': 1, 'program': 'ccid-gadget', 'version': '" CCID_RELAY_VERSION "', " \
	"'time': 'T', 'pid': 1, 'since': 'T', 'config': '/etc/gadget.conf', 'log_level': 'info', "
#define BRIDGE_AWAY "'bridge': {'endpoint': 'ipc:///run/bridge.sock', 'encrypted': false, " \
	"'connected': false, 'since': null, 'sessions': 0, 'reconnects': 0}, "
#define BRIDGE_THERE "'bridge': {'endpoint': 'ipc:///run/bridge.sock', 'encrypted': true, " \
	"'connected': true, 'since': '1970-01-02T00:00:00Z', 'sessions': 3, 'reconnects': 2}, "
#define NO_CALLS "'driver': false, 'usb_resets': 0, 'time_extensions': 0, 'calls': {'apdus': 0, " \
	"'bytes_sent': 0, 'bytes_received': 0, 'errors': 0, " \
	"'latency_us': {'min': 0, 'mean': 0, 'p99': 0, 'max': 0}}"

/* ---- none ---- */

static void test_none(void **state)
{
	(void)state;
	assert_answer(CONTROL_READERS, "{" READERS_HEAD "'connected': false, 'shown': [], 'readers': []}");
	assert_answer(CONTROL_STATUS, "{" STATUS_HEAD BRIDGE_AWAY "'readers': []}");
}

/* ---- one ---- */

#define WAITING "'host_reader': null, 'state': 'waiting', 'card': 'absent', 'powered': false, 'atr': null, " \
	"'usb': null"

static void test_one(void **state)
{
	(void)state;
	(void)add_place("Gemalto*");
	assert_answer(CONTROL_READERS, "{" READERS_HEAD "'connected': false, 'shown': [], "
		"'readers': [{'place': 0, 'pattern': 'Gemalto*', " WAITING "}]}");
	assert_answer(CONTROL_STATUS, "{" STATUS_HEAD BRIDGE_AWAY
		"'readers': [{'place': 0, 'pattern': 'Gemalto*', " WAITING ", " NO_CALLS "}]}");
}

/* ---- several ---- */

#define NO_PORT "'place': 1, 'pattern': 'B', 'host_reader': 'B', 'state': 'no-port', 'card': 'mute', " \
	"'powered': false, 'atr': null, 'usb': {'id': '0e0f:0004', 'name': 'Host\\u0027s', 'serial': '1A8F', " \
	"'udc': null, 'gadget': 'ccid-gadget1'}"
#define PLUGGED "'place': 2, 'pattern': '*', 'host_reader': 'C \\uFFFD', 'state': 'plugged', " \
	"'card': 'present', 'powered': true, 'atr': '3B00', 'usb': {'id': '0e0f:0004', " \
	"'name': 'Host\\u0027s', 'serial': '1A8F', 'udc': 'dummy_udc.0', 'gadget': 'ccid-gadget2'}"
#define EMPTY "'place': 3, 'pattern': '*', 'host_reader': null, 'state': 'waiting', 'card': 'absent', " \
	"'powered': false, 'atr': null, 'usb': null"

static void test_several(void **state)
{
	struct reader *reader;

	(void)state;
	connect_to_bridge();
	show("B");
	show("C \xE4");
	(void)add_place("A");
	reader = add_place("B");
	plug(reader, "B", "");
	reader->look.card = WIRE_CARD_UNRESPONSIVE;
	reader = add_place("*");
	plug(reader, "C \xE4", "dummy_udc.0");
	power(reader);
	work(reader);
	reader = add_place("*");
	play.stands[3] = true;
	reader->usb_resets = 1;
	assert_answer(CONTROL_READERS, "{" READERS_HEAD "'connected': true, 'shown': ['B', 'C \\uFFFD'], "
		"'readers': [{'place': 0, 'pattern': 'A', " WAITING "}, {" NO_PORT "}, {" PLUGGED "}, "
		"{" EMPTY "}]}");
	assert_answer(CONTROL_STATUS, "{" STATUS_HEAD BRIDGE_THERE
		"'readers': [{'place': 0, 'pattern': 'A', " WAITING ", " NO_CALLS "}, "
		"{" NO_PORT ", " NO_CALLS "}, "
		"{" PLUGGED ", 'driver': true, 'usb_resets': 2, 'time_extensions': 44, 'calls': {'apdus': 2, "
			"'bytes_sent': 12, 'bytes_received': 40, 'errors': 1, "
			"'latency_us': {'min': 1000, 'mean': 2000, 'p99': 3000, 'max': 3000}}}, "
		"{" EMPTY ", 'driver': false, 'usb_resets': 1, 'time_extensions': 0, 'calls': {'apdus': 0, "
			"'bytes_sent': 0, 'bytes_received': 0, 'errors': 0, "
			"'latency_us': {'min': 0, 'mean': 0, 'p99': 0, 'max': 0}}}]}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_none, set_up),
		cmocka_unit_test_setup(test_one, set_up),
		cmocka_unit_test_setup(test_several, set_up),
	};

	log_init("test", LOG_LEVEL_INFO);
	return cmocka_run_group_tests_name("gadget-report", tests, folder_set_up, folder_tear_down);
}
