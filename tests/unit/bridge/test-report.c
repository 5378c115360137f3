/*
 * The JSON that ccid-bridge answers, whole documents: for no reader, for one and for several, with guests
 * that came and others that never did. Members are always there, lists stay lists, and types don't change
 * with the number of readers.
 *
 * The guests that are reported of are a play: what the functions below say.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "host-bridge/report.h"
#include "tests/unit/control/asked.h"
#include "tests/unit/control/folder.h"

/* ---- the play ---- */

#define GUESTS_MAX 2
#define READERS_MAX 3

struct bridge_guest {
	const char *name;
	uint64_t session;
	struct front_route route;
	struct bridge_guest_look look;
	struct guest_reader readers[READERS_MAX];
	const char *sees; /* the only reader that it may see; NULL: all */
};

static struct {
	struct bridge_guest guests[GUESTS_MAX];
	struct bridge_guest *pointers[GUESTS_MAX];
	struct front_keeper fronts[2];
	struct reader_entry entries[READERS_MAX];
	struct host_readers readers;
	struct bridge_config config;
	char *endpoints[2];
	struct bridge_report report;
} play;

const char *bridge_guest_name(const struct bridge_guest *guest)
{
	return guest->name;
}

uint64_t bridge_guest_session(const struct bridge_guest *guest)
{
	return guest->session;
}

const struct front_route *bridge_guest_route(const struct bridge_guest *guest)
{
	return &guest->route;
}

struct bridge_guest_use bridge_guest_use(const struct bridge_guest *guest, const char *reader)
{
	struct bridge_guest_use use = {
		.allowed = guest->sees == NULL || strcmp(guest->sees, reader) == 0 };

	for (size_t i = 0; i < READERS_MAX; i++) {
		if (strcmp(guest->readers[i].name, reader) != 0)
			continue;
		use.open = guest->readers[i].open;
		use.used = guest->readers[i].used;
	}
	return use;
}

struct bridge_guest_look bridge_guest_look(const struct bridge_guest *guest)
{
	return guest->look;
}

static int set_up(void **state)
{
	(void)state;
	memset(&play, 0, sizeof play);
	play.endpoints[0] = folder_socket; /* any text */
	play.config = (struct bridge_config){ .control = folder_socket, .endpoints = play.endpoints };
	play.readers.table.entries = play.entries;
	play.readers.known = true;
	play.readers.table.service = true;
	play.report = (struct bridge_report){
		.config = &play.config,
		.self = { .program = "ccid-bridge", .config = "/etc/bridge.conf", .since = time(NULL) },
		.fronts = play.fronts,
		.guests = play.pointers,
		.readers = &play.readers,
		.traces = CALL_TRACES("test"),
	};
	return 0;
}

/* ---- its parts ---- */

static struct bridge_guest *add_guest(const char *name)
{
	struct bridge_guest *guest = &play.guests[play.config.guest_count];

	guest->name = name;
	play.pointers[play.config.guest_count++] = guest;
	return guest;
}

static struct front_keeper *add_front(const char *endpoint)
{
	struct front_keeper *front = &play.fronts[play.config.endpoint_count++];

	front->endpoint = endpoint;
	return front;
}

static struct reader_entry *add_reader(const char *name)
{
	struct reader_entry *entry = &play.entries[play.readers.table.count++];

	(void)snprintf(entry->reader.name, sizeof entry->reader.name, "%s", name);
	entry->plugged = true;
	return entry;
}

static void put_card(struct reader_entry *entry)
{
	static const uint8_t atr[] = { 0x3B, 0x00 };

	entry->reader.card = WIRE_CARD_PRESENT;
	memcpy(entry->reader.atr, atr, sizeof atr);
	entry->reader.atr_size = sizeof atr;
}

static void connect_guest(struct bridge_guest *guest, struct front_keeper *front)
{
	guest->session = 17;
	guest->route.front = front;
	guest->look.since = 86400;
	guest->look.sessions = 3;
	guest->look.refused_calls = 5;
}

/* It has used this reader; the list has the newest first. */
static struct guest_reader *use_reader(struct bridge_guest *guest, size_t i, const char *name)
{
	struct guest_reader *reader = &guest->readers[i];

	(void)snprintf(reader->name, sizeof reader->name, "%s", name);
	reader->next = i > 0 ? &guest->readers[i - 1] : NULL;
	guest->look.readers = reader;
	return reader;
}

static void work(struct guest_reader *reader)
{
	static const uint8_t bytes[20];
	const struct wire_reply good = { .data = { bytes, 20 } }, busy = { .outcome = WIRE_CARD_BUSY };

	reader->open = true;
	reader->used = true;
	call_stats_ended(&reader->stats, WIRE_TRANSMIT, 5, &good, 1000);
	call_stats_ended(&reader->stats, WIRE_TRANSMIT, 7, &good, 3000);
	call_stats_ended(&reader->stats, WIRE_CONNECT, 0, &busy, 0);
}

static void assert_answer(enum control_verb verb, const char *expected)
{
	uv_loop_t loop;
	json_t *document;

	assert_int_equal(uv_loop_init(&loop), 0);
	bridge_report_start(&play.report, &loop);
	document = asked(&loop, verb);
	bridge_report_stop(&play.report);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	asked_is(document, expected);
}

#define READERS_HEAD "'schema': 1, 'program': 'ccid-bridge', 'time': 'T', "
#define STATUS_HEAD "'schema': 1, 'program': 'ccid-bridge', 'version': '" CCID_RELAY_VERSION "', " \
	"'time': 'T', 'pid': 1, 'since': 'T', 'config': '/etc/bridge.conf', 'log_level': 'info', "
#define NO_CALLS "'calls': {'apdus': 0, 'bytes_sent': 0, 'bytes_received': 0, 'errors': 0, " \
	"'latency_us': {'min': 0, 'mean': 0, 'p99': 0, 'max': 0}}"

/* ---- none ---- */

static void test_none(void **state)
{
	(void)state;
	assert_answer(CONTROL_READERS, "{" READERS_HEAD "'pcscd': true, 'readers': []}");
	assert_answer(CONTROL_STATUS, "{" STATUS_HEAD "'pcscd': true, 'endpoints': [], 'guests': []}");
}

/* Nothing is known of the readers yet; or pcscd is away. */
static void test_no_pcscd(void **state)
{
	(void)state;
	play.readers.table.service = false;
	assert_answer(CONTROL_READERS, "{" READERS_HEAD "'pcscd': false, 'readers': []}");
	assert_answer(CONTROL_STATUS, "{" STATUS_HEAD "'pcscd': false, 'endpoints': [], 'guests': []}");
	play.readers.known = false;
	assert_answer(CONTROL_STATUS, "{" STATUS_HEAD "'pcscd': null, 'endpoints': [], 'guests': []}");
}

/* ---- one ---- */

#define NEVER_CAME "'connected': false, 'since': null, 'endpoint': null, 'sessions': 0, 'reconnects': 0, " \
	"'refused_calls': 0, 'readers': []"

static void test_one(void **state)
{
	(void)state;
	(void)add_reader("A");
	(void)add_guest("vm1");
	(void)add_front("ipc:///a");
	assert_answer(CONTROL_READERS, "{" READERS_HEAD "'pcscd': true, 'readers': [{'name': 'A', "
		"'card': 'absent', 'exclusive': false, 'atr': null, 'pin_pad': {'verify': false, "
		"'modify': false}, 'guests': [{'name': 'vm1', 'connected': false, 'open': false, "
		"'used': false}]}]}");
	assert_answer(CONTROL_STATUS, "{" STATUS_HEAD "'pcscd': true, 'endpoints': [{'endpoint': 'ipc:///a', "
		"'listening': false, 'restarts': 0}], 'guests': [{'name': 'vm1', " NEVER_CAME "}]}");
}

/* ---- several ---- */

/* By name, not as they came; and one that was unplugged is not among them. */
static void several_readers(void)
{
	struct reader_entry *entry = add_reader("C \xE4");

	put_card(entry);
	entry->exclusive = true;
	entry->reader.pin_support = WIRE_PIN_VERIFY | WIRE_PIN_MODIFY;
	entry = add_reader("B");
	entry->plugged = false;
	entry = add_reader("A");
	entry->reader.card = WIRE_CARD_UNRESPONSIVE;
	entry->reader.pin_support = WIRE_PIN_MODIFY;
}

static void several_guests(void)
{
	struct front_keeper *front = add_front("ipc:///a");
	struct bridge_guest *guest = add_guest("vm1");

	front->state = KEEPER_UP;
	front->starts = 3;
	add_front("tcp://[::1]:7816")->state = KEEPER_STARTING;
	connect_guest(guest, front);
	use_reader(guest, 0, "B")->used = true; /* when it was open */
	use_reader(guest, 1, "A")->open = true;
	work(use_reader(guest, 2, "C \xE4"));
	guest = add_guest("vm\xE4");
	guest->route.front = front; /* where it was heard last */
	guest->sees = "A";
	guest->look.since = 86401;
	guest->look.sessions = 1;
}

static void test_several(void **state)
{
	(void)state;
	several_readers();
	several_guests();
	assert_answer(CONTROL_READERS, "{" READERS_HEAD "'pcscd': true, 'readers': ["
		"{'name': 'A', 'card': 'mute', 'exclusive': false, 'atr': null, "
			"'pin_pad': {'verify': false, 'modify': true}, 'guests': ["
			"{'name': 'vm1', 'connected': true, 'open': true, 'used': false}, "
			"{'name': 'vm\\uFFFD', 'connected': false, 'open': false, 'used': false}]}, "
		"{'name': 'C \\uFFFD', 'card': 'present', 'exclusive': true, 'atr': '3B00', "
			"'pin_pad': {'verify': true, 'modify': true}, 'guests': ["
			"{'name': 'vm1', 'connected': true, 'open': true, 'used': true}]}]}");
	assert_answer(CONTROL_STATUS, "{" STATUS_HEAD "'pcscd': true, 'endpoints': ["
		"{'endpoint': 'ipc:///a', 'listening': true, 'restarts': 2}, "
		"{'endpoint': 'tcp://[::1]:7816', 'listening': false, 'restarts': 0}], 'guests': ["
		"{'name': 'vm1', 'connected': true, 'since': '1970-01-02T00:00:00Z', 'endpoint': 'ipc:///a', "
			"'sessions': 3, 'reconnects': 2, 'refused_calls': 5, 'readers': ["
			"{'name': 'C \\uFFFD', 'open': true, 'used': true, 'calls': {'apdus': 2, "
				"'bytes_sent': 12, 'bytes_received': 40, 'errors': 1, "
				"'latency_us': {'min': 1000, 'mean': 2000, 'p99': 3000, 'max': 3000}}}, "
			"{'name': 'A', 'open': true, 'used': false, " NO_CALLS "}, "
			"{'name': 'B', 'open': false, 'used': false, " NO_CALLS "}]}, "
		"{'name': 'vm\\uFFFD', 'connected': false, 'since': '1970-01-02T00:00:01Z', 'endpoint': null, "
			"'sessions': 1, 'reconnects': 0, 'refused_calls': 0, 'readers': []}]}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_none, set_up),
		cmocka_unit_test_setup(test_no_pcscd, set_up),
		cmocka_unit_test_setup(test_one, set_up),
		cmocka_unit_test_setup(test_several, set_up),
	};

	log_init("test", LOG_LEVEL_INFO);
	return cmocka_run_group_tests_name("bridge-report", tests, folder_set_up, folder_tear_down);
}
