/*
 * Commands that ask a daemon: what they print and say, once and again and again, while the daemon comes and
 * goes.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/ask.h"
#include "control/server.h"
#include "tests/unit/control/folder.h"

#define LIMIT 10000 /* ms for what comes within a second */

/* ---- the daemon ---- */

/* Answers each connection with these bytes, whatever it asks, while there is something to wait for. */
struct daemon {
	struct control_socket socket;
	const char *answer;
	size_t asked;
};

static void daemon_start(struct daemon *daemon, const char *answer)
{
	char why[CONTROL_WHY_MAX];

	*daemon = (struct daemon){ .socket = CONTROL_SOCKET_NULL, .answer = answer };
	assert_int_equal(control_socket_open(&daemon->socket, folder_socket, why), 0);
}

static void daemon_look(struct daemon *daemon)
{
	int fd = accept(daemon->socket.fd, NULL, NULL);
	struct pollfd asks = { .fd = fd, .events = POLLIN };
	char line[CONTROL_LINE_MAX];

	if (fd < 0)
		return;
	(void)poll(&asks, 1, LIMIT);
	daemon->asked += recv(fd, line, sizeof line, 0) > 0;
	(void)send(fd, daemon->answer, strlen(daemon->answer), MSG_NOSIGNAL);
	(void)close(fd);
}

/* ---- the command ---- */

struct command {
	pid_t child;
	int out, said;      /* pipes */
	char printed[8192];
	char words[8192];   /* that it said */
	size_t sizes[2];
};

static void show(const json_t *answer, FILE *out)
{
	(void)fprintf(out, "pid %lld\n", control_json_number(answer, "pid"));
}

static void start(struct command *command, bool json, bool watch)
{
	const struct control_asking asking = { .program = "program", .path = folder_socket, .json = json,
		.watch = watch, .request = { .verb = CONTROL_STATUS }, .show = show };
	int out[2], said[2];

	*command = (struct command){ .child = 0 };
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(pipe2(said, O_CLOEXEC), 0);
	(void)fflush(NULL);
	command->child = fork();
	if (command->child == 0) {
		(void)close(out[0]);
		if (dup2(out[1], STDOUT_FILENO) < 0 || dup2(said[1], STDERR_FILENO) < 0)
			_exit(EXIT_FAILURE);
		_exit(control_ask(&asking));
	}
	(void)close(out[1]);
	(void)close(said[1]);
	(void)fcntl(out[0], F_SETFL, O_NONBLOCK);
	(void)fcntl(said[0], F_SETFL, O_NONBLOCK);
	command->out = out[0];
	command->said = said[0];
}

static void take(int fd, char *text, size_t max, size_t *size)
{
	ssize_t n = read(fd, text + *size, max - *size - 1);

	*size += n > 0 ? (size_t)n : 0;
	text[*size] = '\0';
}

static void command_look(struct command *command)
{
	take(command->out, command->printed, sizeof command->printed, &command->sizes[0]);
	take(command->said, command->words, sizeof command->words, &command->sizes[1]);
}

/* Lets both go on until text has these words. */
static void await(struct daemon *daemon, struct command *command, const char *text, const char *words)
{
	for (int i = 0; i < LIMIT && strstr(text, words) == NULL; i++) {
		daemon_look(daemon);
		command_look(command);
		(void)poll(NULL, 0, 1);
	}
	assert_non_null(strstr(text, words));
}

/* Until it ends by itself. Returns its exit status. */
static int await_end(struct daemon *daemon, struct command *command)
{
	int status = -1;

	for (int i = 0; i < LIMIT && waitpid(command->child, &status, WNOHANG) == 0; i++) {
		daemon_look(daemon);
		(void)poll(NULL, 0, 1);
	}
	command_look(command);
	(void)close(command->out);
	(void)close(command->said);
	if (status == -1)
		(void)kill(command->child, SIGKILL);
	assert_true(status != -1 && WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void kill_command(struct command *command)
{
	/* Not SIGINT, which who runs in the background of a script ignores. */
	(void)kill(command->child, SIGTERM);
	assert_int_equal(waitpid(command->child, NULL, 0), command->child);
	(void)close(command->out);
	(void)close(command->said);
}

/* ---- once ---- */

static void test_once(void **state)
{
	static const struct {
		const char *answer;
		bool json;
		int status;
		const char *printed;
		const char *said;
	} rows[] = {
		{ "{\"schema\":1,\"pid\":7}\n", false, 0, "pid 7\n", "" },
		{ "{\"schema\":1,\"pid\":7}\n", true, 0, "{\n  \"schema\": 1,\n  \"pid\": 7\n}\n", "" },
		{ "{\"schema\":1,\"error\":\"no\"}", false, 1, "", "program: no\n" },
		{ "{\"schema\":1,\"error\":\"no\"}", true, 1, "", "program: no\n" },
		{ "", false, 1, "", "the daemon gives no answer\n" },
		{ "[1]", false, 1, "", "the daemon gives no answer\n" },
		{ "{\"pid\":", true, 1, "", "the daemon gives no answer\n" },
		{ "{} {}", true, 1, "", "the daemon gives no answer\n" },
	};
	struct daemon daemon;
	struct command command;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		daemon_start(&daemon, rows[i].answer);
		start(&command, rows[i].json, false);
		assert_int_equal(await_end(&daemon, &command), rows[i].status);
		assert_string_equal(command.printed, rows[i].printed);
		assert_non_null(strstr(command.words, rows[i].said));
		assert_int_equal(daemon.asked, 1);
		control_socket_close(&daemon.socket);
	}
}

static void test_nobody(void **state)
{
	struct daemon nobody = { .socket = CONTROL_SOCKET_NULL };
	struct command command;

	(void)state;
	for (int watch = 0; watch < 2; watch++) {
		start(&command, false, watch == 1);
		assert_int_equal(await_end(&nobody, &command), EXIT_FAILURE);
		assert_non_null(strstr(command.words, "no daemon answers at"));
	}
}

/* ---- again and again ---- */

/* A daemon, and a command that watches it and has had an answer. */
static void start_watching(struct daemon *daemon, struct command *command, bool json)
{
	daemon_start(daemon, "{\"pid\":7}");
	start(command, json, true);
	await(daemon, command, command->printed, json ? "{\"pid\":7}\n" : "pid 7\n");
}

/* The daemon is started anew in between: the command says that it is away, and goes on with the new one. */
static void test_watch_over_a_restart(void **state)
{
	struct daemon daemon;
	struct command command;

	(void)state;
	for (int json = 0; json < 2; json++) {
		start_watching(&daemon, &command, json == 1);
		control_socket_close(&daemon.socket);
		await(&daemon, &command, command.words, "no daemon answers at");
		daemon_start(&daemon, "{\"pid\":8}");
		await(&daemon, &command, command.printed, json == 1 ? "{\"pid\":7}\n{\"pid\":8}\n" : "pid 7\n\npid 8\n");
		kill_command(&command);
		control_socket_close(&daemon.socket);
	}
}

/* It ends in the middle of its answer. */
static void test_watch_over_half_an_answer(void **state)
{
	struct daemon daemon;
	struct command command;

	(void)state;
	start_watching(&daemon, &command, true);
	daemon.answer = "{\"pid\":";
	await(&daemon, &command, command.words, "the daemon gives no answer");
	daemon.answer = "{\"pid\":9}";
	await(&daemon, &command, command.printed, "{\"pid\":9}\n");
	assert_string_equal(command.printed, "{\"pid\":7}\n{\"pid\":9}\n");
	kill_command(&command);
	control_socket_close(&daemon.socket);
}

/* Nobody looks at it any more: it ends. */
static void test_watch_unseen(void **state)
{
	struct daemon daemon;
	struct command command;

	(void)state;
	start_watching(&daemon, &command, true);
	(void)close(command.out);
	command.out = -1;
	assert_int_equal(await_end(&daemon, &command), EXIT_FAILURE);
	control_socket_close(&daemon.socket);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_once),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_watch_over_a_restart),
		cmocka_unit_test(test_watch_over_half_an_answer),
		cmocka_unit_test(test_watch_unseen),
	};

	return cmocka_run_group_tests(tests, folder_set_up, folder_tear_down);
}
