/*
 * bridge.conf: a file for each fault, and the one line that says where and what it is.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host-bridge/config.h"

#define LISTEN "listen = { \"ipc:///run/x/a.sock\" }\n"
#define GUEST "guest \"vm1\" { auth = none readers = { \"*\" } }\n"

#define KEY_1 "MeAwP9ZBjS+MDni5HyLoyu0Pvkhlbc9HZ+SDT3Abj2I="
#define KEY_2 "a8OCKiqn9OaYHWU4aSs88t8+nfbqbtJp61nT2icnV7c="
#define KEYED(name, key) "guest \"" name "\" { key = \"" key "\" readers = { \"*\" } }\n"
#define BAD_KEY "guest \"vm1\": key: this is no public key; 'ccid-gadget pubkey' prints it in the guest"

/* 107 and 108 bytes of path */
#define TEN "123456789/"
#define PATH_107 "/" TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "123456"
#define PATH_108 PATH_107 "7"

/* 127 and 128 bytes of name */
#define NAME_127 TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "1234567"
#define NAME_128 NAME_127 "8"

/* eight endpoints */
#define EIGHT(name) "'ipc:///" name "1', 'ipc:///" name "2', 'ipc:///" name "3', 'ipc:///" name "4', " \
	"'ipc:///" name "5', 'ipc:///" name "6', 'ipc:///" name "7', 'ipc:///" name "8', "

struct row {
	const char *text;
	const char *problem; /* behind the name of the file; NULL: the file is good */
};

static const struct row rows[] = {
	/* good ones */
	{ LISTEN GUEST, NULL },
	{ "listen = \"ipc:///a\"\n" GUEST, NULL },
	{ "listen = { 'ipc://" PATH_107 "' }\n" GUEST, NULL },
	{ LISTEN "log-level = debug\n" GUEST "guest 'vm2' { auth = 'none' share = shared "
	  "readers = { 'a', 'b', }\n}\n", NULL },
	{ LISTEN "guest \"" NAME_127 "\" { auth = none readers = { \"" NAME_127 "\" } }\n", NULL },
	{ LISTEN GUEST "# the end", NULL },
	{ LISTEN "guest 'it is {not} # // /* a section' { auth = none readers = { \"a\\\"b\" } }",
	  NULL },

	{ "listen = { " EIGHT("a") EIGHT("b") EIGHT("c") EIGHT("d") "}\n" GUEST, NULL },
	{ LISTEN "front-user = nobody\n" GUEST, NULL },
	/* keys */
	{ "listen = { \"tcp://1.2.3.4:7816\", \"ipc:///a\", \"tcp://[::1]:1\" }\n" KEYED("vm1", KEY_1)
	  KEYED("vm2", KEY_2), NULL },
	{ LISTEN "key-file = \"/k\"\n" GUEST KEYED("vm2", KEY_1), NULL },
	{ "listen = { \"ipc:///a\", \"tcp://1.2.3.4:7816\" }\n" KEYED("vm2", KEY_1) GUEST,
	  ":4: guest \"vm1\" has auth = none, which is for ipc:// only, and there is "
	  "tcp://1.2.3.4:7816: everybody on the network could use the cards; give it a key" },
	{ LISTEN KEYED("vm1", KEY_1) KEYED("vm2", KEY_2) KEYED("vm3", KEY_1),
	  ":5: guest \"vm3\" has the key of guest \"vm1\": each needs its own" },
	{ LISTEN "guest \"vm1\" {\n key = \"" KEY_1 "\"\n auth = none\n readers = { \"*\" }\n}\n",
	  ":6: guest \"vm1\" has key and auth = none: take one of them" },
	{ LISTEN "guest \"vm1\" {\n key = \"x\"\n readers = { \"*\" }\n}\n", ":3: " BAD_KEY },
	{ LISTEN "guest \"vm1\" {\n key = \"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"\n }\n",
	  ":3: " BAD_KEY },
	{ LISTEN "key-file = bridge.key\n" GUEST, ":2: key-file: the path must be absolute" },

	/* what is not ours, or not there */
	{ "bogus = 1\n",
	  ":1: no such option 'bogus'" },
	{ LISTEN "guest \"vm1\" {\n auth = none\n colour = \"x\"\n readers = { \"*\" }\n}\n",
	  ":4: no such option 'colour'" },
	{ "",
	  ":1: there is no listen = { \"ipc:///path\" }: no guest could connect" },
	{ GUEST,
	  ":2: there is no listen = { \"ipc:///path\" }: no guest could connect" },
	{ LISTEN,
	  ":2: there is no guest \"name\" { ... }: nobody could use a reader" },
	{ "listen = {}\n" GUEST,
	  ":3: there is no listen = { \"ipc:///path\" }: no guest could connect" },

	{ "listen = { " EIGHT("a") EIGHT("b") EIGHT("c") EIGHT("d") " 'ipc:///e' }\n" GUEST,
	  ":3: listen has more than 32 endpoints" },

	/* the front's user */
	{ LISTEN "front-user = 'nobody here'\n" GUEST,
	  ":2: front-user: there is no user \"nobody here\"" },
	{ LISTEN "front-user = root\n" GUEST,
	  ":2: front-user: \"root\" may do anything; take a user that may do nothing" },

	/* endpoints */
	{ "listen = { \"tcp://1.2.3.4\" }\n" GUEST,
	  ":1: listen: \"tcp://1.2.3.4\": a tcp:// address needs a port from 1 to 65535, as in "
	  "tcp://192.168.122.1:7816" },
	{ "listen = { \"tcp://host:7816\" }\n" GUEST,
	  ":1: listen: \"tcp://host:7816\": a tcp:// address is a number, not a name, as in "
	  "tcp://192.168.122.1:7816" },
	{ "listen = { \"ipc:///a\",\n\"ws://x\" }\n" GUEST,
	  ":2: listen: \"ws://x\" is no endpoint; write ipc:// and a path, as in "
	  "ipc:///run/ccid-bridge/vm1.sock, or tcp://, an address and a port" },
	{ "listen = { \"/run/x\" }\n" GUEST,
	  ":1: listen: \"/run/x\" is no endpoint; write ipc:// and a path, as in "
	  "ipc:///run/ccid-bridge/vm1.sock, or tcp://, an address and a port" },
	{ "listen = { \"ipc://run/x\" }\n" GUEST,
	  ":1: listen: \"ipc://run/x\": the path must be absolute, as in "
	  "ipc:///run/ccid-bridge/vm1.sock" },
	{ "listen = { \"ipc://\" }\n" GUEST,
	  ":1: listen: \"ipc://\": the path must be absolute, as in "
	  "ipc:///run/ccid-bridge/vm1.sock" },
	{ "listen = { \"ipc:///run/\" }\n" GUEST,
	  ":1: listen: \"ipc:///run/\" names a folder, not a socket" },
	{ "listen = { \"ipc://" PATH_108 "\" }\n" GUEST,
	  ":1: listen: \"ipc://" PATH_108 "\": the path has 108 bytes, and a unix socket's may "
	  "have 107" },
	{ "listen = { \"ipc:///a\", \"ipc:///a\" }\n" GUEST,
	  ":1: listen: \"ipc:///a\" is there twice" },

	/* guests */
	{ LISTEN GUEST "\n" GUEST,
	  ":4: found duplicate title 'vm1'" },
	{ LISTEN "guest {\n}\n",
	  ":2: missing title for section 'guest'" },
	{ LISTEN "guest \"\" { auth = none readers = { \"*\" } }\n",
	  ":2: guest: a name has 1 to 127 printable characters" },
	{ LISTEN "guest \"" NAME_128 "\" { auth = none readers = { \"*\" } }\n",
	  ":2: guest: a name has 1 to 127 printable characters" },
	{ LISTEN "guest \"a\\nb\" { auth = none readers = { \"*\" } }\n",
	  ":2: guest: a name has 1 to 127 printable characters" },
	{ LISTEN "guest \"vm1\" {\n\treaders = { \"*\" }\n}\n",
	  ":4: guest \"vm1\" has no key = \"...\"; for ipc:// there may be auth = none: who reaches "
	  "the socket is trusted then" },
	{ LISTEN "guest \"vm1\" {\n\tauth = noise\n}\n",
	  ":3: guest \"vm1\": auth = noise: there is none only; leave it out, and give the guest's key" },
	{ LISTEN "guest \"vm1\" {\n\tauth = none\n}\n",
	  ":4: guest \"vm1\" has no readers = { \"pattern\", ... }: it would see none" },
	{ LISTEN "guest \"vm1\" {\n\tauth = none\n\treaders = {}\n}\n",
	  ":5: guest \"vm1\" has no readers = { \"pattern\", ... }: it would see none" },
	{ LISTEN "guest \"vm1\" {\n\tauth = none\n\treaders = { \"a\",\n\"\" }\n}\n",
	  ":5: guest \"vm1\": readers: a pattern has 1 to 127 printable characters" },
	{ LISTEN "guest \"vm1\" {\n\tauth = none\n\treaders = { \"" NAME_128 "\" }\n}\n",
	  ":4: guest \"vm1\": readers: a pattern has 1 to 127 printable characters" },
	{ LISTEN "guest \"vm1\" {\n\tpin-pad = perhaps\n}\n",
	  ":3: invalid boolean value for option 'pin-pad'" },
	{ LISTEN "guest \"vm1\" {\n\tescape = 2\n}\n",
	  ":3: invalid boolean value for option 'escape'" },
	{ LISTEN "guest \"vm1\" {\n\tshare = mine\n}\n",
	  ":3: guest \"vm1\": share = mine: use shared, transaction or exclusive" },
	{ LISTEN "guest \"vm1\" {\n\thold = 9\n}\n",
	  ":3: guest \"vm1\": hold = 9: it is milliseconds, from 10 to 600000" },
	{ LISTEN "guest \"vm1\" {\n\thold-max = 600001\n}\n",
	  ":3: guest \"vm1\": hold-max = 600001: it is milliseconds, from 10 to 600000" },
	{ LISTEN "guest \"vm1\" {\n\tauth = none\n\thold = 2000\n\thold-max = 1999\n}\n",
	  ":6: guest \"vm1\": hold-max is less than hold" },

	/* the PIN guard */
	{ LISTEN "guest 'vm1' { auth = none readers = { '*' } pin-guard = 14 }\n", NULL },
	{ LISTEN "guest 'vm1' { auth = none readers = { '*' } pin-guard = 0 escape = yes }\n", NULL },
	{ LISTEN "guest 'vm1' { auth = none readers = { '*' } pin-guard = 1 pin-guard-ask = no }\n", NULL },
	{ LISTEN "guest \"vm1\" {\n\tpin-guard = 15\n}\n",
	  ":3: guest \"vm1\": pin-guard = 15: it is the number of tries that stay with the card, up to 14; "
	  "0 is no guard" },
	{ LISTEN "guest \"vm1\" {\n\tpin-guard = -1\n}\n",
	  ":3: guest \"vm1\": pin-guard = -1: it is the number of tries that stay with the card, up to 14; "
	  "0 is no guard" },
	{ LISTEN "guest \"vm1\" {\n\tpin-guard = 4294967297\n}\n",
	  ":3: guest \"vm1\": pin-guard = 4294967297: it is the number of tries that stay with the card, "
	  "up to 14; 0 is no guard" },
	{ LISTEN "guest \"vm1\" {\n\tpin-guard = yes\n}\n",
	  ":3: invalid integer value for option 'pin-guard'" },
	{ LISTEN "guest \"vm1\" {\n\tpin-guard = \"\"\n}\n",
	  ":3: invalid integer value for option 'pin-guard'" },
	{ LISTEN "guest \"vm1\" {\n\tpin-guard = 1\n\tpin-guard-ask = perhaps\n}\n",
	  ":4: guest \"vm1\": pin-guard-ask = perhaps: use yes or no" },
	{ LISTEN "guest \"vm1\" {\n\tauth = none\n\treaders = { \"*\" }\n\tpin-guard-ask = yes\n}\n",
	  ":6: guest \"vm1\" has pin-guard-ask, but no pin-guard" },
	{ LISTEN "guest \"vm1\" {\n\tauth = none\n\treaders = { \"*\" }\n\tpin-guard = 0\n"
	  "\tpin-guard-ask = no\n}\n",
	  ":7: guest \"vm1\" has pin-guard-ask, but no pin-guard" },
	{ LISTEN "guest \"vm1\" {\n\tauth = none\n\treaders = { \"*\" }\n\tescape = yes\n"
	  "\tpin-guard = 1\n}\n",
	  ":7: guest \"vm1\" has escape = yes and pin-guard: an escape command can carry a PIN to the card, "
	  "and the guard can't see it; take one of them" },

	/* the rest */
	{ LISTEN "log-level = loud\n",
	  ":2: log-level = loud: use error, warning, info or debug" },
	{ LISTEN "guest \"vm1\" {\n\tauth = none\n",
	  ":2: this brace is never closed" },
	{ LISTEN "guest \"vm1 {\n\tauth = none\n}\n",
	  ":2: this quote is never closed" },

	/* comments of all kinds, and the line that follows them */
	{ "# one\n# two\n\n// three\n/* four\n five */\nbogus = 1\n",
	  ":7: no such option 'bogus'" },
	{ "listen = { # one\n# two\n\"ipc:///a\" } # three\nbogus = 1\n",
	  ":4: no such option 'bogus'" },
	{ LISTEN "guest 'a\nb#c' {\n#\nbogus = 1\n",
	  ":3: this brace is never closed" },
};

static char path[] = "/tmp/test-config-XXXXXX";

static void write_file(const char *text, size_t size)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static void test_rows(void **state)
{
	struct bridge_config config = BRIDGE_CONFIG_NULL;
	char problem[CONFIG_PROBLEM_MAX];
	char expected[CONFIG_PROBLEM_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int r;

		write_file(rows[i].text, strlen(rows[i].text));
		r = bridge_config_read(&config, path, problem);
		(void)snprintf(expected, sizeof expected, "%s%s", path,
			rows[i].problem != NULL ? rows[i].problem : "");
		if (rows[i].problem == NULL)
			assert_string_equal(problem, "");
		else
			assert_string_equal(problem, expected);
		assert_int_equal(r, rows[i].problem == NULL ? 0 : CONFIG_INVALID);
		assert_int_equal(config.guest_count > 0, r == 0);
		bridge_config_deinit(&config);
		bridge_config_deinit(&config);
	}
}

static void test_values(void **state)
{
	static const char text[] = "listen = { 'ipc:///a', 'ipc:///b' }\nlog-level = warning\n"
		"guest 'one' { auth = none readers = { 'Gem*', \"Yubi*\" } }\n"
		"guest 'two' { auth = none readers = { '${HOME}' } pin-pad = no escape = yes }\n"
		"guest 'three' { auth = none readers = { '*' } share = exclusive hold = 10 "
		"hold-max = 10 }\n";
	struct bridge_config config = BRIDGE_CONFIG_NULL;
	char problem[CONFIG_PROBLEM_MAX];

	(void)state;
	write_file(text, strlen(text));
	assert_int_equal(bridge_config_read(&config, path, problem), 0);
	assert_int_equal(config.endpoint_count, 2);
	assert_string_equal(config.endpoints[0], "ipc:///a");
	assert_string_equal(config.endpoints[1], "ipc:///b");
	assert_int_equal(config.log_level, LOG_LEVEL_WARNING);
	assert_int_equal(config.guest_count, 3);
	assert_string_equal(config.guests[0].name, "one");
	assert_int_equal(config.guests[0].pattern_count, 2);
	assert_string_equal(config.guests[0].patterns[0], "Gem*");
	assert_string_equal(config.guests[0].patterns[1], "Yubi*");
	assert_string_equal(config.guests[1].name, "two");
	assert_string_equal(config.guests[1].patterns[0], "${HOME}");
	/* PIN pads are passed on and escapes are not, unless it is said otherwise. */
	assert_true(config.guests[0].pin_pad);
	assert_false(config.guests[0].escape);
	assert_false(config.guests[1].pin_pad);
	assert_true(config.guests[1].escape);
	assert_int_equal(config.guests[0].share.mode, SHARE_TRANSACTION);
	assert_int_equal(config.guests[0].share.hold, 500);
	assert_int_equal(config.guests[0].share.hold_max, 10000);
	assert_int_equal(config.guests[2].share.mode, SHARE_EXCLUSIVE);
	assert_int_equal(config.guests[2].share.hold, 10);
	assert_int_equal(config.guests[2].share.hold_max, 10);
	bridge_config_deinit(&config);
}

/* No guard unless one is asked for, and then it asks the card. */
static void test_pin_guard(void **state)
{
	static const char text[] = LISTEN
		"guest 'without' { auth = none readers = { '*' } }\n"
		"guest 'asks' { auth = none readers = { '*' } pin-guard = 1 }\n"
		"guest 'keeps more' { auth = none readers = { '*' } pin-guard-ask = yes pin-guard = 14 }\n"
		"guest 'remembers' { auth = none readers = { '*' } pin-guard = 2 pin-guard-ask = no }\n";
	static const struct {
		unsigned int keep;
		bool ask;
	} expected[] = { { 0, true }, { 1, true }, { 14, true }, { 2, false } };
	struct bridge_config config = BRIDGE_CONFIG_NULL;
	char problem[CONFIG_PROBLEM_MAX];

	(void)state;
	write_file(text, strlen(text));
	assert_int_equal(bridge_config_read(&config, path, problem), 0);
	assert_int_equal(config.guest_count, 4);
	assert_true(config.guarded);
	for (size_t i = 0; i < config.guest_count; i++) {
		assert_int_equal(config.guests[i].pin_guard, expected[i].keep);
		assert_int_equal(config.guests[i].pin_guard_ask, expected[i].ask);
	}
	bridge_config_deinit(&config);
	write_file(LISTEN GUEST, strlen(LISTEN GUEST));
	assert_int_equal(bridge_config_read(&config, path, problem), 0);
	assert_false(config.guarded);
	bridge_config_deinit(&config);
}

static void expect_problem(const char *file, const char *expected)
{
	struct bridge_config config = BRIDGE_CONFIG_NULL;
	char problem[CONFIG_PROBLEM_MAX];

	assert_int_equal(bridge_config_read(&config, file, problem), CONFIG_INVALID);
	assert_string_equal(problem, expected);
}

/* What is no file, or no text. libconfuse itself ends the process over a folder. */
static void test_files(void **state)
{
	char expected[CONFIG_PROBLEM_MAX];
	char *large = calloc(1, 1024 * 1024 + 1);

	(void)state;
	expect_problem("/nowhere/bridge.conf", "/nowhere/bridge.conf: No such file or directory");
	expect_problem("/", "/: not a text file");
	expect_problem("/dev/null", "/dev/null: not a text file");
	(void)snprintf(expected, sizeof expected, "%s: not a text file", path);
	write_file("listen\0x", 8);
	expect_problem(path, expected);
	(void)snprintf(expected, sizeof expected, "%s: File too large", path);
	assert_non_null(large);
	memset(large, ' ', 1024 * 1024 + 1);
	write_file(large, 1024 * 1024 + 1);
	expect_problem(path, expected);
	free(large);
}

static int make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd >= 0 && close(fd) == 0 ? 0 : -1;
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_pin_guard),
		cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
