/*
 * What `ccid-gadget doctor` makes of the answers of a daemon that runs, or doesn't.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/socket.h"
#include "gadget/doctor_parts.h"
#include "tests/unit/control/folder.h"

#define LIMIT 10000 /* ms */
#define A20 "AAAAAAAAAAAAAAAAAAAA"
#define A100 A20 A20 A20 A20 A20

struct row {
	const char *what;
	const char *answer; /* NULL: there is no daemon */
	const char *said;
	unsigned int problems;
};

#define READERS(shown, readers) "{\"schema\":1,\"connected\":true,\"shown\":[" shown "],\"readers\":[" readers "]}"
#define WAITING "{\"pattern\":\"Y*\",\"state\":\"waiting\",\"host_reader\":null}"
#define OPEN "ok       session: open\n"

static const struct row rows[] = {
	{ "nobody", NULL, "unknown  session: no ccid-gadget runs that could tell\n", 0 },
	{ "nothing", "", "unknown  session: the ccid-gadget that runs doesn't tell: it gives no answer\n", 0 },
	{ "nonsense", "[]", "unknown  session: the ccid-gadget that runs doesn't tell: it gives no answer\n", 0 },
	{ "another version", "{\"schema\":1,\"error\":\"no such request\"}",
		"unknown  session: the ccid-gadget that runs doesn't tell: no such request\n", 0 },
	{ "refused", "{\"connected\":false}", "problem  session: the ccid-gadget that runs has none: the bridge "
		"refuses the name \"vm1\", or isn't a ccid-bridge, or the configuration was changed and ccid-gadget not "
		"restarted\n"
		"             type: journalctl -b -u ccid-gadget\n", 1 },
	{ "no place", READERS("", ""), OPEN, 0 },
	{ "all is well", READERS("\"Yubi\"",
		"{\"pattern\":\"Y*\",\"state\":\"plugged\",\"host_reader\":\"Yubi\"}"),
		OPEN "ok       reader: \"Y*\" is \"Yubi\"\n", 0 },
	{ "no port", READERS("\"Yubi\"",
		"{\"pattern\":\"Y*\",\"state\":\"no-port\",\"host_reader\":\"Yubi\"}"),
		OPEN "problem  reader: \"Y*\" is \"Yubi\", but has no virtual port\n"
		"             type: echo 'options dummy_hcd num=4' >/etc/modprobe.d/ccid-gadget.conf; "
		"rmmod dummy_hcd; modprobe dummy_hcd\n", 1 },
	{ "nothing is shown", READERS("", WAITING),
		OPEN "unknown  reader: the bridge shows this guest none yet, to match \"Y*\"\n", 0 },
	{ "nothing matches", READERS("\"A\",\"B\"", WAITING),
		OPEN "problem  reader: none that is free matches \"Y*\"; there are: \"A\", \"B\"\n", 1 },
	{ "two that wait", READERS("\"A\"", WAITING "," WAITING),
		OPEN "problem  reader: none that is free matches \"Y*\"; there are: \"A\"\n"
		"problem  reader: none that is free matches \"Y*\"; there are: \"A\"\n", 2 },
	{ "as many names as have room", READERS("\"" A100 A100 "\",\"" A100 A100 "\",\"" A100 A100 "\",\"B\"", WAITING),
		OPEN "problem  reader: none that is free matches \"Y*\"; there are: \"" A100 A100 "\", \"" A100 A100
		"\"\n", 1 },
	{ "a name that is too long", READERS("\"" A100 A100 A100 A100 A100 A20 "\"", WAITING),
		OPEN "problem  reader: none that is free matches \"Y*\"; there are: \n", 1 },
	{ "what is missing or of another type", READERS("7", "{},7,{\"state\":\"waiting\"}"),
		OPEN "ok       reader: \"?\" is \"?\"\nok       reader: \"?\" is \"?\"\n"
		"problem  reader: none that is free matches \"?\"; there are: \"?\"\n", 1 },
	{ "names that a terminal would obey", READERS("\"\\u001b[2J\"", WAITING),
		OPEN "problem  reader: none that is free matches \"Y*\"; there are: \"?[2J\"\n", 1 },
};

/* Answers one question. */
static void serve(const struct control_socket *socket, const char *answer)
{
	struct pollfd asks = { .fd = socket->fd, .events = POLLIN };
	char line[64];
	int fd;

	(void)poll(&asks, 1, LIMIT);
	fd = accept(socket->fd, NULL, NULL);
	asks.fd = fd;
	(void)poll(&asks, 1, LIMIT);
	if (recv(fd, line, sizeof line, 0) != 8 || memcmp(line, "readers\n", 8) != 0)
		_exit(EXIT_FAILURE);
	(void)send(fd, answer, strlen(answer), MSG_NOSIGNAL);
	_exit(EXIT_SUCCESS);
}

static void check_row(const struct row *row)
{
	static struct config config;
	static char said[4096];
	struct control_socket socket = CONTROL_SOCKET_NULL;
	char why[CONTROL_WHY_MAX];
	struct checkup checkup = { .out = fmemopen(said, sizeof said, "w") };
	pid_t child = 0;
	int status = 0;

	(void)strcpy(config.control, folder_socket);
	(void)strcpy(config.name, "vm1");
	if (row->answer != NULL) {
		assert_int_equal(control_socket_open(&socket, folder_socket, why), 0);
		(void)fflush(NULL);
		child = fork();
		if (child == 0)
			serve(&socket, row->answer);
	}
	doctor_daemon(&checkup, &config);
	(void)fclose(checkup.out);
	assert_string_equal(said, row->said);
	assert_int_equal(checkup.problems, row->problems);
	control_socket_close(&socket);
	if (child != 0)
		assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void test_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		print_message("%s\n", rows[i].what);
		check_row(&rows[i]);
	}
}

/* The configuration says that there is no socket; a socket of a dead daemon is there; a file is. */
static void test_sockets(void **state)
{
	static struct config config;
	char said[512] = "";
	struct checkup checkup = { .out = fmemopen(said, sizeof said, "w") };

	(void)state;
	(void)strcpy(config.name, "vm1");
	doctor_daemon(&checkup, &config);
	(void)strcpy(config.control, "/dev/null");
	doctor_daemon(&checkup, &config);
	(void)strcpy(config.control, "/dev/null/socket");
	doctor_daemon(&checkup, &config);
	(void)fclose(checkup.out);
	assert_string_equal(said, "unknown  session: no ccid-gadget runs that could tell\n"
		"unknown  session: no ccid-gadget runs that could tell\n"
		"unknown  session: the ccid-gadget that runs doesn't tell: Not a directory\n");
	assert_int_equal(checkup.problems, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_sockets),
	};

	return cmocka_run_group_tests(tests, folder_set_up, folder_tear_down);
}
