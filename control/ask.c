/*
 * Asking a daemon. See ask.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "control/ask.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/server.h"
#include "control/socket.h"

static void say(const struct control_asking *asking, const char *what, const char *hint)
{
	(void)fprintf(stderr, "%s: %s: %s%s\n", asking->program, asking->path, what, hint);
}

static void say_connect(const char *program, const char *path, int error)
{
	if (error == ENOENT || error == ECONNREFUSED || error == ENOTDIR)
		(void)fprintf(stderr, "%s: no daemon answers at %s; start it (%s, or systemctl start %s), or "
			"name another socket with --socket\n", program, path, program, program);
	else if (error == EACCES || error == EPERM)
		(void)fprintf(stderr, "%s: %s: this user may not ask the daemon; try it as root, or see "
			"'control' in the sample of the configuration\n", program, path);
	else
		(void)fprintf(stderr, "%s: %s: %s\n", program, path, strerror(error));
}

static bool has_socket(const char *program, const char *path)
{
	if (path[0] == '\0')
		(void)fprintf(stderr, "%s: the configuration says control = \"\": the daemon has no socket "
			"to be asked on\n", program);
	return path[0] != '\0';
}

int control_ask_connect(const char *program, const char *path)
{
	int fd = has_socket(program, path) ? control_socket_connect(path) : -1;

	if (fd < 0 && path[0] != '\0')
		say_connect(program, path, errno);
	return fd;
}

/* Everything up to the end of the connection, which must be one JSON object. NULL: it isn't. */
static json_t *read_answer(int fd)
{
	size_t size = 0;
	char *text = malloc(CONTROL_ANSWER_MAX + 1);
	json_t *answer = NULL;
	ssize_t n = text != NULL ? 1 : 0;

	while (n > 0 && size <= CONTROL_ANSWER_MAX) {
		n = recv(fd, text + size, CONTROL_ANSWER_MAX + 1 - size, 0);
		size += n > 0 ? (size_t)n : 0;
	}
	if (text != NULL && n == 0)
		answer = json_loadb(text, size, 0, NULL);
	free(text);
	if (!json_is_object(answer)) {
		json_decref(answer);
		answer = NULL;
	}
	return answer;
}

int control_ask_answer(const char *path, const struct control_request *request, json_t **answer)
{
	char line[CONTROL_LINE_MAX + 1];
	int fd;

	*answer = NULL;
	if (control_line_write(request, line) != 0)
		return EMSGSIZE;
	fd = control_socket_connect(path);
	if (fd < 0)
		return errno;
	if (send(fd, line, strlen(line), MSG_NOSIGNAL) == (ssize_t)strlen(line))
		*answer = read_answer(fd);
	(void)close(fd);
	return *answer != NULL ? 0 : EPROTO;
}

/* One question and its answer; NULL after saying why there is none. */
static json_t *ask_once(const struct control_asking *asking)
{
	json_t *answer;
	int error = control_ask_answer(asking->path, &asking->request, &answer);

	if (error == EMSGSIZE)
		say(asking, "this is too long for a question", "");
	else if (error == EPROTO)
		say(asking, "the daemon gives no answer", "");
	else if (error != 0)
		say_connect(asking->program, asking->path, error);
	return answer;
}

/* Returns whether it could be done. */
static bool print_answer(const struct control_asking *asking, const json_t *answer)
{
	const char *error = control_json_get(answer, "error", NULL);

	if (error != NULL) {
		(void)fprintf(stderr, "%s: %s\n", asking->program, error);
		return false;
	}
	if (asking->json) {
		(void)json_dumpf(answer, stdout, asking->watch ? JSON_COMPACT : JSON_INDENT(2));
		(void)fputc('\n', stdout);
	} else {
		asking->show(answer, stdout);
	}
	return fflush(stdout) == 0;
}

/* A terminal is cleared for each answer; in a file they follow each other, apart by an empty line. */
static void begin_next(const struct control_asking *asking, bool first)
{
	if (asking->json)
		return;
	if (isatty(STDOUT_FILENO) != 0)
		(void)fputs("\033[H\033[J", stdout);
	else if (!first)
		(void)fputc('\n', stdout);
}

int control_ask(const struct control_asking *asking)
{
	bool done = true, ever = false;

	if (!has_socket(asking->program, asking->path))
		return EXIT_FAILURE;
	/* Once it was there, the daemon may be started anew in between. */
	do {
		json_t *answer = ask_once(asking);

		if (answer != NULL && asking->watch)
			begin_next(asking, !ever);
		done = answer != NULL && print_answer(asking, answer);
		ever = ever || done;
		json_decref(answer);
		if (asking->watch && ever)
			(void)sleep(1);
	} while (asking->watch && ever && ferror(stdout) == 0);
	return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
