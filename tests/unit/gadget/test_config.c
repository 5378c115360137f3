/*
 * gadget.conf: a file for each fault, and the one line that says where and what it is.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "gadget/config.h"

#define HEAD "bridge = \"ipc:///run/x.sock\"\nauth = none\n"
#define TCP "bridge = \"tcp://10.0.2.2:7816\"\n"
#define KEY "bridge-key = \"MeAwP9ZBjS+MDni5HyLoyu0Pvkhlbc9HZ+SDT3Abj2I=\"\n"
#define READER "reader \"*\" {}\n"

struct row {
	const char *text;
	const char *problem; /* behind the name of the file; NULL: the file is good */
};

static const struct row rows[] = {
	{ HEAD READER, NULL },
	{ HEAD "# a comment\n# and another\nname = vm1\nlog-level = debug\n" READER, NULL },
	{ HEAD "reader \"a*\" { vendor = 0x1d50 product = 0x6141 serial = A1 udc = \"dummy_udc.3\" "
	       "interrupt = no }\nreader 'b' {}\n", NULL },

	{ HEAD "user = root\n" READER, NULL },
	{ HEAD "user = \"no such user\"\n" READER, ":3: user: there is no user \"no such user\"" },

	{ HEAD "colour = red\n" READER, ":3: no such option 'colour'" },
	{ HEAD "# one\n# two\ncolour = red\n" READER, ":5: no such option 'colour'" },
	{ HEAD "reader \"a\" { speed = 1 }\n", ":3: no such option 'speed'" },
	{ "auth = none\n" READER, ":3: there is no bridge = \"ipc:///path\"" },
	{ "bridge = \"ipc:///run/x\"\n" READER,
		":3: there is no bridge-key = \"...\", the bridge's public key; for ipc:// there may be "
		"auth = none: who listens on the socket is trusted then" },
	{ HEAD, ":3: there is no reader \"pattern\" { ... }: none would be made" },
	{ TCP KEY READER, NULL },
	{ "bridge = \"ipc:///run/x.sock\"\n" KEY "key-file = \"/k\"\n" READER, NULL },
	{ TCP "auth = none\n" READER,
		":4: auth = none is for ipc:// only: everybody on the network could be the bridge, and "
		"read every PIN; name its key with bridge-key" },
	{ TCP READER,
		":3: there is no bridge-key = \"...\", the bridge's public key; for ipc:// there may be "
		"auth = none: who listens on the socket is trusted then" },
	{ HEAD KEY READER, ":5: there are bridge-key and auth = none: take one of them" },
	{ TCP "bridge-key = \"MeAw\"\n",
		":2: bridge-key: this is no public key; 'ccid-bridge pubkey' prints it on the host" },
	{ TCP KEY "key-file = \"gadget.key\"\n",
		":3: key-file: the path must be absolute, and shorter than 1024 bytes" },
	{ "bridge = \"tcp://host:7816\"\n",
		":1: bridge: \"tcp://host:7816\": a tcp:// address is a number, not a name, as in "
		"tcp://192.168.122.1:7816" },
	{ HEAD "auth = noise\n",
		":3: auth = noise: there is none only; leave it out, and name the bridge's key with "
		"bridge-key" },
	{ HEAD "log-level = loud\n", ":3: log-level = loud: use error, warning, info or debug" },
	{ HEAD "name = \"\"\n", ":3: name: it has 1 to 127 printable characters" },
	{ HEAD "reader \"\" {}\n", ":3: reader: a pattern has 1 to 127 printable characters" },
	{ HEAD READER READER, ":4: found duplicate title '*'" },
	{ HEAD "reader \"a\" { vendor = 0 }\n", ":3: vendor: must be between 0x0001 and 0xffff" },
	{ HEAD "reader \"a\" { product = 65536 }\n", ":3: product: must be between 0x0001 and 0xffff" },
	{ HEAD "reader \"a\" {\nvendor = 0x072f\n}\n",
		":4: vendor: 0x072f is claimed by another driver than libccid" },
	{ HEAD "reader \"a\" { udc = \"musb-hdrc.1\" }\n",
		":3: udc: 'musb-hdrc.1' is not a dummy controller; write dummy_udc.0 or a higher number" },
	{ HEAD "reader \"a\" { serial = \"A 1\" }\n",
		":3: serial: must be at most 126 printable ASCII characters without spaces" },
	{ HEAD "reader \"*\" {\nserial = \"A1\"\n}\n",
		":5: reader \"*\" stands for all readers, and only one can have this serial: "
		"give that one a section of its own" },
	{ HEAD "reader \"*\" { udc = \"dummy_udc.0\" }\n",
		":3: reader \"*\" stands for all readers, and only one can have this udc: "
		"give that one a section of its own" },
	{ HEAD "reader \"a\" {\n", ":3: this brace is never closed" },
};

static char path[] = "/tmp/test-gadget-config-XXXXXX";

static void write_file(const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void test_rows(void **state)
{
	static struct config config;
	char problem[CONFIG_PROBLEM_MAX], expected[CONFIG_PROBLEM_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int r;

		write_file(rows[i].text);
		r = config_read(path, &config, problem);
		(void)snprintf(expected, sizeof(expected), "%s%s",
			rows[i].problem != NULL ? path : "",
			rows[i].problem != NULL ? rows[i].problem : "");
		assert_string_equal(problem, expected);
		assert_int_equal(r, rows[i].problem == NULL ? 0 : CONFIG_INVALID);
	}
}

static void test_values(void **state)
{
	static struct config config;
	char problem[CONFIG_PROBLEM_MAX];

	(void)state;
	write_file(rows[2].text);
	assert_int_equal(config_read(path, &config, problem), 0);
	assert_string_equal(config.bridge, "ipc:///run/x.sock");
	assert_true(config.name[0] != '\0'); /* the host name */
	assert_int_equal(config.readers_count, 2);
	assert_string_equal(config.readers[0].pattern, "a*");
	assert_int_equal(config.readers[0].vendor, 0x1D50);
	assert_int_equal(config.readers[0].product, 0x6141);
	assert_string_equal(config.readers[0].serial, "A1");
	assert_string_equal(config.readers[0].udc, "dummy_udc.3");
	assert_int_equal(config.readers[0].reserved_udcs, 1 << 3);
	assert_int_equal(config.readers[1].reserved_udcs, 1 << 3);
	assert_false(config.readers[0].interrupt);
	assert_int_equal(config.readers[1].vendor, 0x0E0F);
	assert_int_equal(config.readers[1].product, 0x0004);
	assert_true(config.readers[1].interrupt);
	assert_false(config.readers[1].mirror);
	write_file(rows[0].text);
	assert_int_equal(config_read(path, &config, problem), 0);
	assert_true(config.readers[0].mirror);
}

static int make_path(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int remove_path(void **state)
{
	(void)state;
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_values),
	};

	return cmocka_run_group_tests(tests, make_path, remove_path);
}
