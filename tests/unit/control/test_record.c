/*
 * The command's end of a trace, as conversations with a daemon that says what the table says: what is in
 * the file, what the user reads, and the exit status; and files that can't be written.
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
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/record.h"
#include "tests/unit/control/folder.h"
#include "tests/unit/trace/capture.h"
#include "trace/queue.h"

#define LIMIT 5000 /* ms for what should come at once */
#define WAIT_LIMIT 15 /* s that a command waits for a daemon */
#define HALF 30 /* bytes of a packet */
#define KILLED 0x100 /* and the signal: in the place of an exit status */

static char file[64], out_file[64];

/* What commands say: a pipe, since a command of ours may have a limit for files, and the text. */
static int said_pipe[2];
static char said[4096];

/* ---- the daemon, and what it says ---- */

/*
 * A daemon says, in this order: b the blocks that a trace begins with, p a packet, s one as long as the
 * counts, m the longest, c the counts, l the counts with 300 lost; h half a packet, and x and y two
 * halves of one; n a word that is no trace; j a refusal; 0 8 9 + blocks whose sizes can't be; | what has
 * been said arrives before the rest does; i SIGINT, t SIGTERM to the command once the file has
 * everything, and its end awaited; k SIGINT, awaited, and once more.
 */
static uint8_t text[2 * TRACE_QUEUE_MAX];
static uint8_t expected[2 * TRACE_QUEUE_MAX]; /* in the file */

struct daemon {
	int listens;
	int fd;
	pid_t child;
	size_t waiting;  /* bytes of text that have not been sent */
	size_t expected;
};

static void say_size(struct cursor_out *out, uint32_t size)
{
	out_le32(out, PCAPNG_PACKET);
	out_le32(out, size);
	out_zeros(out, 64);
}

static void say_counts(struct cursor_out *out, uint64_t lost)
{
	const struct pcapng_counts counts = { .time = 1, .received = 1000, .lost = lost };

	pcapng_counts(out, &counts);
}

static void say_packet(struct cursor_out *out, size_t size)
{
	static const uint8_t bytes[TRACE_QUEUE_MAX];
	const struct pcapng_packet packet = { .time = 1, .head = bytes, .bytes = bytes, .captured = size,
		.size = size };

	pcapng_packet(out, &packet);
}

/* What one letter says. Returns whether it is to be in the file. */
static bool say(struct cursor_out *out, char letter)
{
	switch (letter) {
	case 'b':
		pcapng_begin(out, "a program", "an interface");
		return true;
	case 'p':
		say_packet(out, 40);
		return true;
	case 's':
		say_packet(out, PCAPNG_COUNTS_SIZE - 32);
		return true;
	case 'm':
		say_packet(out, TRACE_QUEUE_MAX - 32);
		return true;
	case 'c':
		say_counts(out, 0);
		return true;
	case 'l':
		say_counts(out, 300);
		return true;
	case 'h':
		say_packet(out, 40);
		out->size -= 10;
		return false;
	case 'x':
		say_packet(out, 40);
		out->size = HALF;
		return false;
	case 'y':
		say_packet(out, 40);
		out->size -= HALF;
		memmove(out->start, out->start + HALF, out->size);
		return false;
	case 'n':
		out_bytes(out, "not a trace", 11);
		return false;
	case 'j':
		out_bytes(out, "{\"schema\":1,\"error\":\"no trace today\"}\n", 38);
		return false;
	case '0':
		say_size(out, 0);
		return false;
	case '8':
		say_size(out, 8);
		return false;
	case '9':
		say_size(out, 13);
		return false;
	case '+':
		say_size(out, TRACE_QUEUE_MAX + 4);
		return false;
	}
	fail_msg("no such letter: %c", letter);
	return false;
}

static void send_all(struct daemon *daemon)
{
	size_t done = 0;
	ssize_t n = 1;

	while (done < daemon->waiting && n > 0) {
		n = send(daemon->fd, text + done, daemon->waiting - done, MSG_NOSIGNAL);
		done += n > 0 ? (size_t)n : 0;
	}
	daemon->waiting = 0;
}

static size_t put_packet(uint8_t *where)
{
	struct cursor_out out = cursor_out(where, 200);

	say_packet(&out, 40);
	return out.size;
}

/* Waits for the file to have so much. */
static void await_size(const char *name, size_t size)
{
	for (int i = 0; i < LIMIT && file_size(name) < size; i++)
		(void)poll(NULL, 0, 1);
	assert_int_equal(file_size(name), size);
}

/* Whether the command has shut down its side, or gone. */
static bool wants_end(const struct daemon *daemon)
{
	struct pollfd end = { .fd = daemon->fd, .events = POLLIN };
	char byte;

	return poll(&end, 1, LIMIT) == 1 && recv(daemon->fd, &byte, 1, 0) <= 0;
}

static void talk(struct daemon *daemon, const char *words, const char *name)
{
	for (; *words != '\0'; words++) {
		struct cursor_out out = cursor_out(text + daemon->waiting, sizeof text - daemon->waiting);

		if (strchr("|itk", *words) != NULL)
			send_all(daemon);
		switch (*words) {
		case '|':
			(void)poll(NULL, 0, 20);
			break;
		case 'i':
		case 't':
			await_size(name, daemon->expected);
			(void)kill(daemon->child, *words == 'i' ? SIGINT : SIGTERM);
			assert_true(wants_end(daemon));
			break;
		case 'k':
			await_size(name, daemon->expected);
			(void)kill(daemon->child, SIGINT);
			assert_true(wants_end(daemon));
			(void)kill(daemon->child, SIGINT);
			break;
		default:
			if (say(&out, *words)) {
				memcpy(expected + daemon->expected, out.start, out.size);
				daemon->expected += out.size;
			}
			if (*words == 'y')
				daemon->expected += put_packet(expected + daemon->expected);
			assert_true(out_ok(&out));
			daemon->waiting += out.size;
			break;
		}
	}
	send_all(daemon);
}

/* ---- the command ---- */

static void listen_at_path(struct daemon *daemon)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	(void)snprintf(address.sun_path, sizeof address.sun_path, "%s", folder_socket);
	*daemon = (struct daemon){ .listens = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), .fd = -1 };
	(void)unlink(folder_socket);
	assert_int_equal(bind(daemon->listens, (const struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(daemon->listens, 4), 0);
}

/* What is special about a command. */
struct manner {
	const char *name;    /* of its file; NULL: it is given none */
	const char *out;     /* its standard output; NULL: as ours */
	bool with_data;
	bool nobody;         /* it is not root */
	rlim_t file_limit;   /* bytes of a file; 0: none */
};

static int run(const struct manner *manner)
{
	const struct control_recording recording = { .program = "program", .path = folder_socket,
		.file = manner->name, .with_data = manner->with_data };
	const struct rlimit limit = { manner->file_limit, manner->file_limit };

	(void)umask(0);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	if (dup2(said_pipe[1], STDERR_FILENO) < 0)
		return EX_OSERR;
	/* What is the test's: the other ends of its pipes. */
	for (int fd = STDERR_FILENO + 1; fd < 64; fd++)
		(void)close(fd);
	if (manner->out != NULL && dup2(open(manner->out, O_WRONLY | O_CREAT | O_NOCTTY, 0600), STDOUT_FILENO) < 0)
		return EX_OSERR;
	if (manner->nobody && (setgid(65534) != 0 || setuid(65534) != 0))
		return EX_OSERR;
	if (manner->file_limit > 0)
		(void)setrlimit(RLIMIT_FSIZE, &limit);
	return control_record(&recording);
}

static void start(struct daemon *daemon, const struct manner *manner)
{
	(void)fflush(NULL);
	daemon->child = fork();
	if (daemon->child == 0)
		_exit(run(manner));
}

/* The command asks; returns its line. */
static const char *accept_line(struct daemon *daemon)
{
	static char line[64];
	ssize_t n;

	daemon->fd = accept(daemon->listens, NULL, NULL);
	assert_true(daemon->fd >= 0);
	n = recv(daemon->fd, line, sizeof line - 1, 0);
	assert_true(n > 0);
	line[n] = '\0';
	return line;
}

/* Ends the conversation. Returns the exit status of the command. */
static int end(struct daemon *daemon)
{
	int status = -1;
	ssize_t n;

	if (daemon->fd >= 0)
		(void)close(daemon->fd);
	for (int i = 0; i < LIMIT && waitpid(daemon->child, &status, WNOHANG) == 0; i++)
		(void)poll(NULL, 0, 1);
	(void)close(daemon->listens);
	(void)unlink(folder_socket);
	if (status == -1)
		(void)kill(daemon->child, SIGKILL);
	assert_int_not_equal(status, -1);
	n = read(said_pipe[0], said, sizeof said - 1);
	said[n > 0 ? n : 0] = '\0';
	return WIFEXITED(status) ? WEXITSTATUS(status) : KILLED + WTERMSIG(status);
}

static void assert_said(const char *words)
{
	if (strstr(said, words) == NULL)
		fail_msg("\"%s\" isn't said, but: %s", words, said);
}

static void assert_file(const char *name, size_t size)
{
	static uint8_t bytes[sizeof expected];
	FILE *stream = fopen(name, "r");

	assert_non_null(stream);
	assert_int_equal(fread(bytes, 1, sizeof bytes, stream), size);
	assert_memory_equal(bytes, expected, size);
	(void)fclose(stream);
}

/* ---- conversations ---- */

struct row {
	const char *what;
	const char *words;  /* of the daemon */
	int status;
	const char *words_said;
};

static const struct row rows[] = {
	{ "until SIGINT", "bppic", EXIT_SUCCESS, "program: 2 packets\n" },
	{ "until SIGTERM", "bppptppc", EXIT_SUCCESS, "program: 5 packets\n" },
	{ "without a packet", "bic", EXIT_SUCCESS, "program: 0 packets\n" },
	{ "some were lost", "bpil", EXIT_SUCCESS, "program: 1 packets; 300 more came too fast, and are missing\n" },
	{ "the longest packet", "bmpic", EXIT_SUCCESS, "2 packets" },
	{ "in pieces", "b|p|pp|ic", EXIT_SUCCESS, "3 packets" },
	{ "in the middle of a packet", "bpx|iyc", EXIT_SUCCESS, "2 packets" },
	{ "a second signal", "bpk", KILLED + SIGINT, "without the data of APDUs" },
	{ "counts now and then", "bpcpil", EXIT_SUCCESS, "2 packets; 300 more" },
	{ "the daemon ends well", "bppc", EXIT_FAILURE, "the daemon has ended, and so does the trace\nprogram: 2 packets" },
	{ "it ends without a word", "bpp|", EXIT_FAILURE, "the daemon ends the trace without its last packets" },
	{ "a packet as long as the counts", "bps", EXIT_FAILURE, "without its last packets\nprogram: 2 packets" },
	{ "it ends in the middle of a packet", "bph", EXIT_FAILURE, "without its last packets\nprogram: 1 packets" },
	{ "when asked for the end, too", "bpip", EXIT_FAILURE, "without its last packets\nprogram: 2 packets" },
	{ "at the begin", "b", EXIT_FAILURE, "without its last packets\nprogram: 0 packets" },
	{ "a block of no size", "bp0", EXIT_FAILURE, "sends what is no trace\nprogram: 1 packets" },
	{ "a block of eight bytes", "bp8", EXIT_FAILURE, "sends what is no trace" },
	{ "a block of an odd size", "bp9", EXIT_FAILURE, "sends what is no trace" },
	{ "a block that is too long", "bp+", EXIT_FAILURE, "sends what is no trace" },
};

static void test_conversations(void **state)
{
	const struct manner manner = { .name = file };
	struct daemon daemon;
	struct stat status;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		print_message("%s\n", rows[i].what);
		listen_at_path(&daemon);
		start(&daemon, &manner);
		assert_string_equal(accept_line(&daemon), "trace\n");
		talk(&daemon, rows[i].words, file);
		assert_int_equal(end(&daemon), rows[i].status);
		assert_said(rows[i].words_said);
		assert_file(file, daemon.expected);
		(void)capture_sum(expected, daemon.expected);
		assert_int_equal(stat(file, &status), 0);
		assert_int_equal(status.st_mode & 07777, 0600);
		(void)unlink(file);
	}
}

/* No file is made of what is no trace. */
static void test_refusals(void **state)
{
	static const struct row refusals[] = {
		{ "a refusal", "j", EXIT_FAILURE, "program: no trace today\n" },
		{ "in pieces", "j|", EXIT_FAILURE, "program: no trace today\n" },
		{ "nonsense", "n", EXIT_FAILURE, "program: the daemon gives no answer\n" },
		{ "nothing", "", EXIT_FAILURE, "the daemon gives no answer\n" },
		{ "a packet without a file", "p", EXIT_FAILURE, "the daemon gives no answer\n" },
	};
	const struct manner manner = { .name = file };
	struct daemon daemon;

	(void)state;
	for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
		print_message("%s\n", refusals[i].what);
		listen_at_path(&daemon);
		start(&daemon, &manner);
		(void)accept_line(&daemon);
		talk(&daemon, refusals[i].words, file);
		assert_int_equal(end(&daemon), refusals[i].status);
		assert_said(refusals[i].words_said);
		assert_int_equal(access(file, F_OK), -1);
	}
}

static void test_with_data(void **state)
{
	const struct manner manner = { .name = file, .with_data = true };
	struct daemon daemon;

	(void)state;
	listen_at_path(&daemon);
	start(&daemon, &manner);
	assert_string_equal(accept_line(&daemon), "trace with-data\n");
	talk(&daemon, "bpic", file);
	assert_int_equal(end(&daemon), EXIT_SUCCESS);
	assert_said("every byte that programs and cards say, PINs and keys too");
	assert_null(strstr(said, "without the data"));
	(void)unlink(file);
}

/* ---- files ---- */

/* A conversation of which nothing is written where it should be. */
static void check_file(const struct manner *manner, const char *words, int status, const char *words_said)
{
	struct daemon daemon;

	listen_at_path(&daemon);
	assert_int_equal(chmod(folder_socket, 0666), 0);
	start(&daemon, manner);
	(void)accept_line(&daemon);
	talk(&daemon, words, file);
	assert_int_equal(end(&daemon), status);
	assert_said(words_said);
}

/* What is there is left as it is. */
static void test_files_that_are_there(void **state)
{
	const struct manner manner = { .name = file };
	char other[80], link[80];
	ssize_t n;

	(void)state;
	(void)snprintf(other, sizeof other, "%s/other", folder_path);
	(void)close(open(file, O_CREAT | O_WRONLY, 0644));
	check_file(&manner, "bp|", EXIT_FAILURE, "is there already, and is left as it is; take another name");
	assert_int_equal(file_size(file), 0);
	(void)unlink(file);

	/* A link, which somebody else may have laid: not to what it names, be that there or not. */
	assert_int_equal(symlink(other, file), 0);
	check_file(&manner, "bp|", EXIT_FAILURE, "is there already");
	assert_int_equal(access(other, F_OK), -1);
	(void)close(open(other, O_CREAT | O_WRONLY, 0644));
	check_file(&manner, "bp|", EXIT_FAILURE, "is there already");
	assert_int_equal(file_size(other), 0);
	n = readlink(file, link, sizeof link);
	assert_int_equal(n, strlen(other));
	(void)unlink(other);
	(void)unlink(file);

	check_file(&(struct manner){ .name = folder_path }, "bp|", EXIT_FAILURE, "is there already");
	check_file(&(struct manner){ .name = "/nowhere/x.pcapng" }, "bp|", EXIT_FAILURE,
		"program: /nowhere/x.pcapng: No such file or directory\n");
}

static void test_folder_that_is_not_ours(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(chmod(folder_path, 0755), 0);
	check_file(&(struct manner){ .name = file, .nobody = true }, "bp|", EXIT_FAILURE, "Permission denied");
	assert_int_equal(access(file, F_OK), -1);
	assert_int_equal(chmod(folder_path, 0700), 0);
}

/* A disk that is full takes a part of a packet, which is taken back; or nothing at all. */
static void test_full(void **state)
{
	struct daemon daemon = { .fd = -1 };
	const char *full = "File too large\nprogram: 2 packets\n";

	(void)state;
	talk(&daemon, "bpp", file);
	check_file(&(struct manner){ .name = file, .file_limit = daemon.expected + 30 }, "bppp|", EXIT_FAILURE, full);
	assert_null(strstr(said, "not whole"));
	assert_file(file, daemon.expected);
	(void)unlink(file);
	check_file(&(struct manner){ .name = file, .file_limit = daemon.expected }, "bppp|", EXIT_FAILURE, full);
	assert_file(file, daemon.expected);
	(void)unlink(file);

	/* What could not be begun is not there for the next try to stumble over. */
	check_file(&(struct manner){ .name = file, .file_limit = 10 }, "bp|", EXIT_FAILURE, "0 packets\n");
	assert_int_equal(access(file, F_OK), -1);

	/* A file that the shell has made is cut, too, but stays. */
	check_file(&(struct manner){ .name = "-", .out = out_file, .file_limit = daemon.expected + 30 }, "bppp|",
		EXIT_FAILURE, "standard output: File too large\n");
	assert_file(out_file, daemon.expected);
	(void)unlink(out_file);
	check_file(&(struct manner){ .name = "-", .out = out_file, .file_limit = 10 }, "bp|", EXIT_FAILURE,
		"0 packets\n");
	assert_int_equal(access(out_file, F_OK), 0);
	(void)unlink(out_file);
	check_file(&(struct manner){ .name = "-", .out = "/dev/full" }, "bp|", EXIT_FAILURE,
		"program: standard output: No space left on device\nprogram: 0 packets\n");
	assert_null(strstr(said, "not whole"));
}

static void test_standard_output(void **state)
{
	const struct manner manner = { .name = "-", .out = out_file };
	struct daemon daemon;

	(void)state;
	listen_at_path(&daemon);
	start(&daemon, &manner);
	(void)accept_line(&daemon);
	talk(&daemon, "bppic", out_file);
	assert_int_equal(end(&daemon), EXIT_SUCCESS);
	assert_said("tracing into standard output; Ctrl-C ends it");
	assert_file(out_file, daemon.expected);
	assert_int_equal(access("-", F_OK), -1);
	(void)unlink(out_file);
}

/* Wireshark behind a pipe is closed while nothing happens, and while something does. */
static void test_pipe(void **state)
{
	static const char *const words[] = { "bp|", "bp|m" };
	static uint8_t bytes[4096];
	char name[80];
	struct daemon daemon;
	int reader;

	(void)state;
	(void)snprintf(name, sizeof name, "%s/fifo", folder_path);
	assert_int_equal(mkfifo(name, 0600), 0);
	for (size_t i = 0; i < 2; i++) {
		listen_at_path(&daemon);
		reader = open(name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		start(&daemon, &(struct manner){ .name = "-", .out = name });
		(void)accept_line(&daemon);
		talk(&daemon, words[i], name);
		for (int k = 0; k < LIMIT && read(reader, bytes, sizeof bytes) <= 0; k++)
			(void)poll(NULL, 0, 1);
		(void)close(reader);
		/* It ends by itself: the daemon has not. */
		assert_true(wants_end(&daemon));
		assert_int_equal(end(&daemon), EXIT_FAILURE);
		assert_said(i == 0 ? "standard output: nobody reads it any more" : "standard output: Broken pipe");
	}
	(void)unlink(name);
}

/* Whoever reads the pipe is slow, and the command waits for him when the signal comes: nothing is missing. */
static void test_signal_while_writing(void **state)
{
	static uint8_t bytes[sizeof expected];
	char name[80];
	struct daemon daemon;
	struct pollfd written = { .events = POLLIN };
	size_t size = 0;
	ssize_t n = 1;
	int reader;

	(void)state;
	(void)snprintf(name, sizeof name, "%s/fifo", folder_path);
	assert_int_equal(mkfifo(name, 0600), 0);
	listen_at_path(&daemon);
	reader = open(name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	start(&daemon, &(struct manner){ .name = "-", .out = name });
	(void)accept_line(&daemon);
	talk(&daemon, "bm|", name);
	written.fd = reader;
	assert_int_equal(poll(&written, 1, LIMIT), 1);
	(void)poll(NULL, 0, 100);
	(void)kill(daemon.child, SIGINT);
	assert_true(wants_end(&daemon));
	/* The first has found a part of the packet written, this one finds nothing more. */
	(void)poll(NULL, 0, 50);
	(void)kill(daemon.child, SIGTERM);
	(void)poll(NULL, 0, 50);
	talk(&daemon, "pc", name);
	(void)close(daemon.fd);
	daemon.fd = -1;
	(void)fcntl(reader, F_SETFL, 0);
	for (; n > 0; size += n > 0 ? (size_t)n : 0)
		n = read(reader, bytes + size, sizeof bytes - size);
	assert_int_equal(end(&daemon), EXIT_SUCCESS);
	assert_int_equal(size, daemon.expected);
	assert_memory_equal(bytes, expected, size);
	(void)close(reader);
	(void)unlink(name);
}

/* ---- what needs no daemon, or has none ---- */

static void test_usage(void **state)
{
	struct daemon daemon = { .listens = -1, .fd = -1 };
	int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	(void)state;
	(void)unlink(folder_socket);
	start(&daemon, &(struct manner){ .name = NULL });
	assert_int_equal(end(&daemon), EX_USAGE);
	assert_said("which file? Type 'program trace FILE.pcapng'");
	assert_int_equal(grantpt(terminal), 0);
	assert_int_equal(unlockpt(terminal), 0);
	start(&daemon, &(struct manner){ .name = "-", .out = ptsname(terminal) });
	assert_int_equal(end(&daemon), EX_USAGE);
	assert_said("a trace is nothing for a terminal");
	(void)close(terminal);
	start(&daemon, &(struct manner){ .name = file });
	assert_int_equal(end(&daemon), EXIT_FAILURE);
	assert_said("no daemon answers at");
	assert_int_equal(access(file, F_OK), -1);
}

/* A daemon that is stopped gives no answer, and is not waited for; a trace may be silent for longer. */
static void test_silence(void **state)
{
	struct daemon daemon, other;
	char other_file[80];

	(void)state;
	(void)snprintf(other_file, sizeof other_file, "%s/other", folder_path);
	listen_at_path(&daemon);
	start(&daemon, &(struct manner){ .name = file });
	(void)accept_line(&daemon);
	talk(&daemon, "b|", file);
	listen_at_path(&other);
	start(&other, &(struct manner){ .name = other_file });
	(void)accept_line(&other);
	(void)poll(NULL, 0, WAIT_LIMIT * 1000 + 500);
	assert_true(wants_end(&other));
	assert_int_equal(end(&other), EXIT_FAILURE);
	assert_said("the daemon gives no answer");
	assert_int_equal(access(other_file, F_OK), -1);
	talk(&daemon, "pic", file);
	assert_int_equal(end(&daemon), EXIT_SUCCESS);
	assert_file(file, daemon.expected);
	(void)unlink(file);
}

static int set_up(void **state)
{
	if (folder_set_up(state) != 0 || pipe2(said_pipe, O_CLOEXEC | O_NONBLOCK) != 0)
		return -1;
	(void)snprintf(file, sizeof file, "%s/x.pcapng", folder_path);
	(void)snprintf(out_file, sizeof out_file, "%s/out", folder_path);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conversations),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_with_data),
		cmocka_unit_test(test_files_that_are_there),
		cmocka_unit_test(test_folder_that_is_not_ours),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_standard_output),
		cmocka_unit_test(test_pipe),
		cmocka_unit_test(test_signal_while_writing),
		cmocka_unit_test(test_usage),
		cmocka_unit_test(test_silence),
	};

	return cmocka_run_group_tests(tests, set_up, folder_tear_down);
}
