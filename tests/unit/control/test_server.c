/*
 * The control server on a real loop, asked over real sockets: who is answered, who is dropped, and
 * what is left in the file system.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/server.h"
#include "tests/unit/control/folder.h"

struct stand {
	uv_loop_t loop;
	struct control_socket socket;
	struct control_server *server;
	bool ready;   /* the owner has an answer */
	size_t asked; /* how often it was asked */
	size_t last;  /* of these, for the last time */
	size_t size;  /* of the answer; 0: an ordinary one */
	struct control_client *clients[CONTROL_STREAMS_MAX + 1]; /* that trace */
	size_t streams;  /* of these, in all */
	size_t refused;  /* that found too many others */
	size_t pieces;   /* that can be had of the stream */
	size_t given;
	size_t finished;
	size_t ended;
};

#define PIECE 100000 /* bytes */

static struct payload_view stream_next(void *owner)
{
	static const uint8_t piece[PIECE] = "piece";
	struct stand *stand = owner;

	if (stand->given == stand->pieces)
		return (struct payload_view){ .bytes = NULL };
	stand->given++;
	return (struct payload_view){ piece, sizeof piece };
}

static void stream_finish(void *owner)
{
	struct stand *stand = owner;

	stand->finished++;
	stand->pieces++;
}

static void stream_ended(void *owner)
{
	struct stand *stand = owner;

	stand->ended++;
}

static json_t *begin_stream(struct stand *stand, const struct control_question *question)
{
	const struct control_stream stream = { stream_next, stream_finish, stream_ended, stand };

	if (control_server_stream(question->client, &stream) != 0) {
		stand->refused++;
		return control_json_error("full");
	}
	stand->clients[stand->streams++] = question->client;
	return NULL;
}

static json_t *answer(void *owner, const struct control_question *question)
{
	struct stand *stand = owner;
	char *text;
	json_t *json;

	stand->asked++;
	stand->last += question->last;
	if (question->request.verb == CONTROL_TRACE)
		return begin_stream(stand, question);
	if (!stand->ready && !question->last)
		return NULL;
	if (stand->size == 0)
		return json_pack("{s:s, s:b, s:b}", "verb", control_verb_name(question->request.verb),
			"trusted", question->trusted, "last", question->last);
	text = malloc(stand->size + 1);
	memset(text, 'x', stand->size);
	text[stand->size] = '\0';
	json = json_pack("{s:s}", "text", text);
	free(text);
	return json;
}

static void stand_up(struct stand *stand)
{
	char why[CONTROL_WHY_MAX] = "";

	*stand = (struct stand){ .socket = CONTROL_SOCKET_NULL, .ready = true };
	assert_int_equal(uv_loop_init(&stand->loop), 0);
	assert_int_equal(control_socket_open(&stand->socket, folder_socket, why), 0);
	assert_int_equal(control_server_start(&stand->server, &stand->loop, &stand->socket, answer, stand),
		0);
	assert_int_equal(stand->socket.fd, -1);
}

static void take_down(struct stand *stand)
{
	stand->server = control_server_stop(stand->server);
	assert_null(stand->server);
	assert_int_equal(access(folder_socket, F_OK), -1);
	(void)uv_run(&stand->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&stand->loop), 0);
}

static int connect_now(void)
{
	int fd = control_socket_connect(folder_socket);

	assert_true(fd >= 0);
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

static void write_text(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Lets the loop run until fd has an end, or for so many ms. Returns what came; NULL: no end yet. */
static const char *read_all(struct stand *stand, int fd, int limit)
{
	static char text[2 * CONTROL_ANSWER_MAX];
	size_t size = 0;
	uint64_t begun = uv_hrtime();
	ssize_t n;

	while (uv_hrtime() - begun < (uint64_t)limit * 1000000) {
		(void)uv_run(&stand->loop, UV_RUN_NOWAIT);
		n = recv(fd, text + size, sizeof text - size - 1, 0);
		size += n > 0 ? (size_t)n : 0;
		text[size] = '\0';
		if (n == 0 || (n < 0 && errno == ECONNRESET))
			return text;
		if (n < 0)
			(void)poll(NULL, 0, 1);
	}
	return NULL;
}

static void test_answer(void **state)
{
	struct stand stand;
	struct stat status;
	int fd;

	(void)state;
	stand_up(&stand);
	assert_int_equal(lstat(folder_socket, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0660);
	fd = connect_now();
	write_text(fd, "stat");
	assert_null(read_all(&stand, fd, 20));
	write_text(fd, "us\n");
	assert_string_equal(read_all(&stand, fd, 1000),
		"{\"verb\":\"status\",\"trusted\":true,\"last\":false}\n");
	(void)close(fd);
	fd = connect_now();
	write_text(fd, "dance\n");
	assert_non_null(strstr(read_all(&stand, fd, 1000), "\"error\":"));
	(void)close(fd);
	assert_int_equal(stand.asked, 1);
	take_down(&stand);
}

/* What isn't a request is closed without a word, and asks nobody. */
static void test_nonsense(void **state)
{
	static const char *const lines[] = { "status\nstatus\n", "\x01\n", "GET / HTTP/1.0\r\n\r\n",
		"0123456789012345678901234567890123456789012345678901234567890123456789" };
	struct stand stand;

	(void)state;
	stand_up(&stand);
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		int fd = connect_now();

		write_text(fd, lines[i]);
		assert_string_equal(read_all(&stand, fd, 1000), "");
		(void)close(fd);
	}
	assert_int_equal(stand.asked, 0);
	take_down(&stand);
}

/* The owner has no answer yet: it is asked again when it says so, or when the time is over. */
static void test_wait(void **state)
{
	struct stand stand;
	int fd, other;

	(void)state;
	stand_up(&stand);
	stand.ready = false;
	fd = connect_now();
	write_text(fd, "readers\n");
	assert_null(read_all(&stand, fd, 50));
	assert_true(control_server_is_asked(stand.server, CONTROL_READERS));
	assert_false(control_server_is_asked(stand.server, CONTROL_STATUS));
	stand.ready = true;
	control_server_again(stand.server);
	assert_non_null(strstr(read_all(&stand, fd, 1000), "\"last\":false"));
	assert_false(control_server_is_asked(stand.server, CONTROL_READERS));
	(void)close(fd);

	stand.ready = false;
	other = connect_now();
	write_text(other, "readers\n");
	assert_non_null(strstr(read_all(&stand, other, 2 * CONTROL_WAIT_MAX), "\"last\":true"));
	assert_int_equal(stand.last, 1);
	(void)close(other);
	take_down(&stand);
}

/*
 * More silent ones than there are places: each is dropped in its time, and who has something to ask gets
 * his answer when it is his turn.
 */
static void test_silence(void **state)
{
	struct stand stand;
	int silent[CONTROL_CLIENTS_MAX + 2], fd;

	(void)state;
	stand_up(&stand);
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX + 2; i++)
		silent[i] = connect_now();
	fd = connect_now();
	write_text(fd, "status\n");
	assert_null(read_all(&stand, fd, CONTROL_READ_MAX / 2));
	assert_int_equal(stand.asked, 0);
	assert_non_null(strstr(read_all(&stand, fd, 2 * CONTROL_READ_MAX), "\"status\""));
	assert_string_equal(read_all(&stand, silent[0], 100), "");
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX + 2; i++)
		(void)close(silent[i]);
	(void)close(fd);
	take_down(&stand);
}

/* Who does not read is dropped; who reads slowly gets all; what is too much for the limit isn't sent. */
static void test_large(void **state)
{
	struct stand stand;
	int fd;

	(void)state;
	stand_up(&stand);
	stand.size = CONTROL_ANSWER_MAX - 100;
	fd = connect_now();
	write_text(fd, "status\n");
	assert_int_equal(strlen(read_all(&stand, fd, 2000)), stand.size + strlen("{\"text\":\"\"}\n"));
	(void)close(fd);

	fd = connect_now();
	write_text(fd, "status\n");
	for (int i = 0; i < CONTROL_WRITE_MAX / 10 + 50; i++) {
		(void)uv_run(&stand.loop, UV_RUN_NOWAIT);
		(void)poll(NULL, 0, 10);
	}
	assert_true(strlen(read_all(&stand, fd, 1000)) < stand.size);
	(void)close(fd);

	stand.size = CONTROL_ANSWER_MAX;
	fd = connect_now();
	write_text(fd, "status\n");
	assert_string_equal(read_all(&stand, fd, 1000), "");
	(void)close(fd);
	take_down(&stand);
}

/* Whoever asks may go at any moment; and the daemon may. */
static void test_leave(void **state)
{
	struct stand stand;
	int fd[3];

	(void)state;
	stand_up(&stand);
	stand.ready = false;
	for (size_t i = 0; i < 3; i++)
		fd[i] = connect_now();
	write_text(fd[0], "readers\n");
	write_text(fd[1], "rea");
	(void)uv_run(&stand.loop, UV_RUN_NOWAIT);
	(void)close(fd[0]);
	(void)close(fd[1]);
	assert_null(read_all(&stand, fd[2], 50));
	stand.ready = true;
	control_server_again(stand.server);
	assert_null(read_all(&stand, fd[2], 50));
	take_down(&stand);
	assert_string_equal(read_all(&stand, fd[2], 100), "");
	(void)close(fd[2]);
}

/* Another user, whom the modes let in, asks. Returns whether he got an answer, and is not trusted. */
static int ask_as_nobody(void)
{
	char text[256] = "";
	int fd;

	if (setgid(65534) != 0 || setuid(65534) != 0)
		return EXIT_FAILURE;
	fd = control_socket_connect(folder_socket);
	if (fd < 0 || send(fd, "status\n", 7, MSG_NOSIGNAL) != 7 || recv(fd, text, sizeof text - 1, 0) <= 0)
		return EXIT_FAILURE;
	return strstr(text, "\"trusted\":false") != NULL ? EXIT_SUCCESS : EXIT_FAILURE;
}

static void test_trust(void **state)
{
	struct stand stand;
	int status = -1;
	pid_t child;

	(void)state;
	if (geteuid() != 0)
		skip();
	stand_up(&stand);
	assert_int_equal(chmod(folder_path, 0755), 0);
	assert_int_equal(chmod(folder_socket, 0666), 0);
	child = fork();
	if (child == 0)
		_exit(ask_as_nobody());
	while (waitpid(child, &status, WNOHANG) == 0) {
		(void)uv_run(&stand.loop, UV_RUN_NOWAIT);
		(void)poll(NULL, 0, 1);
	}
	assert_int_equal(status, 0);
	assert_int_equal(chmod(folder_path, 0700), 0);
	take_down(&stand);
}

/* A socket of a daemon that lives is left alone, one of a dead one is replaced, nothing else is. */
static void test_stale(void **state)
{
	struct control_socket first = CONTROL_SOCKET_NULL, second = CONTROL_SOCKET_NULL;
	char why[CONTROL_WHY_MAX];
	pid_t child;
	int status;

	(void)state;
	assert_int_equal(control_socket_open(&first, folder_socket, why), 0);
	assert_int_equal(control_socket_open(&second, folder_socket, why), CONTROL_SOCKET_LIVES);
	assert_non_null(strstr(why, "another daemon"));
	assert_int_equal(second.fd, -1);
	assert_int_equal(access(folder_socket, F_OK), 0);
	control_socket_close(&first);
	control_socket_close(&first);
	assert_int_equal(access(folder_socket, F_OK), -1);

	child = fork();
	if (child == 0) {
		(void)control_socket_open(&first, folder_socket, why);
		(void)kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(access(folder_socket, F_OK), 0);
	assert_int_equal(control_socket_connect(folder_socket), -1);
	assert_int_equal(errno, ECONNREFUSED);
	assert_int_equal(control_socket_open(&second, folder_socket, why), 0);

	/* It was replaced by somebody: that one is not ours to remove. */
	(void)unlink(folder_socket);
	assert_int_equal(control_socket_open(&first, folder_socket, why), 0);
	control_socket_close(&second);
	assert_int_equal(access(folder_socket, F_OK), 0);
	control_socket_close(&first);

	(void)close(open(folder_socket, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(control_socket_open(&first, folder_socket, why), CONTROL_SOCKET_FAILED);
	assert_non_null(strstr(why, "no socket"));
	assert_int_equal(access(folder_socket, F_OK), 0);
	(void)unlink(folder_socket);
	assert_int_equal(control_socket_open(&first, "/tmp/no/folder/x.sock", why), CONTROL_SOCKET_FAILED);
	assert_int_equal(control_socket_connect("/tmp/no/folder/x.sock"), -1);
	assert_int_equal(errno, ENOENT);
}

/* Lets the loop run, and counts what comes; limit in ms. end: whether the connection ended. */
static size_t read_some(struct stand *stand, int fd, int limit, bool *end)
{
	static char bytes[PIECE];
	uint64_t begun = uv_hrtime();
	size_t size = 0;
	ssize_t n = -1;

	*end = false;
	while (!*end && uv_hrtime() - begun < (uint64_t)limit * 1000000) {
		(void)uv_run(&stand->loop, UV_RUN_NOWAIT);
		n = fd >= 0 ? recv(fd, bytes, sizeof bytes, 0) : -1;
		size += n > 0 ? (size_t)n : 0;
		*end = n == 0;
		if (n < 0)
			(void)poll(NULL, 0, 1);
	}
	return size;
}

static int begin_trace(struct stand *stand)
{
	size_t before = stand->streams + stand->refused;
	int fd = connect_now();

	write_text(fd, "trace\n");
	for (int i = 0; i < 1000 && stand->streams + stand->refused == before; i++) {
		(void)uv_run(&stand->loop, UV_RUN_NOWAIT);
		(void)poll(NULL, 0, 1);
	}
	return fd;
}

/* Pieces come as they come to be; who shuts down his side gets the last, and then the end. */
static void test_stream(void **state)
{
	struct stand stand;
	bool end;
	int fd;

	(void)state;
	stand_up(&stand);
	stand.pieces = 1;
	fd = begin_trace(&stand);
	assert_int_equal(read_some(&stand, fd, 50, &end), PIECE);
	assert_false(end);
	stand.pieces = 3;
	assert_int_equal(read_some(&stand, fd, 50, &end), 0);
	control_server_wake(stand.clients[0]);
	assert_int_equal(read_some(&stand, fd, 50, &end), 2 * PIECE);
	/* Longer than anybody else may stay. */
	assert_int_equal(read_some(&stand, fd, CONTROL_WAIT_MAX + 500, &end), 0);
	assert_false(end);
	(void)shutdown(fd, SHUT_WR);
	assert_int_equal(read_some(&stand, fd, 1000, &end), PIECE);
	assert_true(end);
	assert_int_equal(stand.finished, 1);
	(void)read_some(&stand, -1, 20, &end);
	assert_int_equal(stand.ended, 1);
	(void)close(fd);
	take_down(&stand);
	assert_int_equal(stand.ended, 1);
}

/* Whoever doesn't read is given what the socket takes, and has no end that others wait for. */
static void test_stream_unread(void **state)
{
	struct stand stand;
	size_t given;
	bool end;
	int fd;

	(void)state;
	stand_up(&stand);
	stand.pieces = 1000;
	fd = begin_trace(&stand);
	(void)read_some(&stand, -1, 50, &end);
	given = stand.given;
	assert_in_range(given, 1, 20);
	control_server_wake(stand.clients[0]);
	(void)read_some(&stand, -1, 50, &end);
	assert_int_equal(stand.given, given);
	/* It wants the end, and doesn't read that either. */
	(void)shutdown(fd, SHUT_WR);
	(void)read_some(&stand, -1, CONTROL_WRITE_MAX + 500, &end);
	assert_int_equal(stand.finished, 1);
	assert_int_equal(stand.ended, 1);
	(void)close(fd);
	take_down(&stand);
}

/* So many and no more; others still ask; whoever goes makes room; the server's end is theirs. */
static void test_streams(void **state)
{
	struct stand stand;
	int fds[CONTROL_STREAMS_MAX], fd;
	bool end;

	(void)state;
	stand_up(&stand);
	for (size_t i = 0; i < CONTROL_STREAMS_MAX; i++)
		fds[i] = begin_trace(&stand);
	assert_int_equal(stand.streams, CONTROL_STREAMS_MAX);
	fd = begin_trace(&stand);
	assert_non_null(strstr(read_all(&stand, fd, 1000), "full"));
	assert_int_equal(stand.refused, 1);
	(void)close(fd);
	fd = connect_now();
	write_text(fd, "status\n");
	assert_non_null(strstr(read_all(&stand, fd, 1000), "status"));
	(void)close(fd);
	(void)close(fds[0]);
	(void)read_some(&stand, -1, 50, &end);
	assert_int_equal(stand.ended, 1);
	fds[0] = begin_trace(&stand);
	assert_int_equal(stand.streams, CONTROL_STREAMS_MAX + 1);
	take_down(&stand);
	assert_int_equal(stand.ended, CONTROL_STREAMS_MAX + 1);
	for (size_t i = 0; i < CONTROL_STREAMS_MAX; i++)
		(void)close(fds[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_wait),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_leave),
		cmocka_unit_test(test_trust),
		cmocka_unit_test(test_stale),
		cmocka_unit_test(test_stream),
		cmocka_unit_test(test_stream_unread),
		cmocka_unit_test(test_streams),
	};

	return cmocka_run_group_tests(tests, folder_set_up, folder_tear_down);
}
