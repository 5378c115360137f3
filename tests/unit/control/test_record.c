/*
 * The command's end of a trace, as conversations with a played daemon: what is in the file, what the user
 * reads, and the exit status; and files that can't be written.
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
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/record.h"
#include "tests/unit/control/folder.h"
#include "tests/unit/control/played_daemon.h"
#include "tests/unit/trace/capture.h"

#define LIMIT 20000 /* ms for what should come at once, but for a disk that others keep busy */
#define WAIT_LIMIT 15 /* s that a command waits for a daemon */
#define KILLED 0x100 /* and the signal: in the place of an exit status */

static char file[64], out_file[64];

/* What commands say: a pipe, since a command of ours may have a limit for files, and the text. */
static int said_pipe[2];
static char said[4096];

/* ---- the command ---- */

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

/* Ends the conversation. Returns the exit status of the command. */
static int end(struct daemon *daemon)
{
	int status = -1;
	ssize_t n;

	daemon_hang_up(daemon);
	for (int i = 0; i < LIMIT && waitpid(daemon->child, &status, WNOHANG) == 0; i++)
		(void)poll(NULL, 0, 1);
	daemon_close(daemon);
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
	static uint8_t bytes[sizeof daemon_expected];
	FILE *stream = fopen(name, "r");

	assert_non_null(stream);
	assert_int_equal(fread(bytes, 1, sizeof bytes, stream), size);
	assert_memory_equal(bytes, daemon_expected, size);
	(void)fclose(stream);
}

/*
 * A whole conversation, in which the daemon says words, and after which the command has this exit status and
 * has said words_said, among others. Returns how much its file should have.
 */
static size_t converse(const struct manner *manner, const char *words, int status, const char *words_said)
{
	struct daemon daemon;

	daemon_listen(&daemon);
	start(&daemon, manner);
	assert_string_equal(daemon_accept(&daemon), manner->with_data ? "trace with-data\n" : "trace\n");
	daemon_talk(&daemon, words, manner->out != NULL ? manner->out : file);
	assert_int_equal(end(&daemon), status);
	assert_said(words_said);
	return daemon.expected;
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
	struct stat status;
	size_t size;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		print_message("%s\n", rows[i].what);
		size = converse(&manner, rows[i].words, rows[i].status, rows[i].words_said);
		assert_file(file, size);
		(void)capture_sum(daemon_expected, size);
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

	(void)state;
	for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
		print_message("%s\n", refusals[i].what);
		(void)converse(&manner, refusals[i].words, refusals[i].status, refusals[i].words_said);
		assert_int_equal(access(file, F_OK), -1);
	}
}

static void test_with_data(void **state)
{
	const struct manner manner = { .name = file, .with_data = true };

	(void)state;
	(void)converse(&manner, "bpic", EXIT_SUCCESS, "every byte that programs and cards say, PINs and keys too");
	assert_null(strstr(said, "without the data"));
	(void)unlink(file);
}

/* ---- files ---- */

/* What is there is left as it is. */
static void test_files_that_are_there(void **state)
{
	const struct manner manner = { .name = file };
	char other[80], link[80];
	ssize_t n;

	(void)state;
	(void)snprintf(other, sizeof other, "%s/other", folder_path);
	(void)close(open(file, O_CREAT | O_WRONLY, 0644));
	(void)converse(&manner, "bp|", EXIT_FAILURE, "is there already, and is left as it is; take another name");
	assert_int_equal(file_size(file), 0);
	(void)unlink(file);

	/* A link, which somebody else may have laid: not to what it names, be that there or not. */
	assert_int_equal(symlink(other, file), 0);
	(void)converse(&manner, "bp|", EXIT_FAILURE, "is there already");
	assert_int_equal(access(other, F_OK), -1);
	(void)close(open(other, O_CREAT | O_WRONLY, 0644));
	(void)converse(&manner, "bp|", EXIT_FAILURE, "is there already");
	assert_int_equal(file_size(other), 0);
	n = readlink(file, link, sizeof link);
	assert_int_equal(n, strlen(other));
	(void)unlink(other);
	(void)unlink(file);

	(void)converse(&(struct manner){ .name = folder_path }, "bp|", EXIT_FAILURE, "is there already");
	(void)converse(&(struct manner){ .name = "/nowhere/x.pcapng" }, "bp|", EXIT_FAILURE,
		"program: /nowhere/x.pcapng: No such file or directory\n");
}

static void test_folder_that_is_not_ours(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(chmod(folder_path, 0755), 0);
	(void)converse(&(struct manner){ .name = file, .nobody = true }, "bp|", EXIT_FAILURE, "Permission denied");
	assert_int_equal(access(file, F_OK), -1);
	assert_int_equal(chmod(folder_path, 0700), 0);
}

/* A disk that is full takes a part of a packet, which is taken back; or nothing at all. */
static void test_full(void **state)
{
	struct daemon daemon = { .fd = -1 };
	const char *full = "File too large\nprogram: 2 packets\n";

	(void)state;
	daemon_talk(&daemon, "bpp", file);
	(void)converse(&(struct manner){ .name = file, .file_limit = daemon.expected + 30 }, "bppp|",
		EXIT_FAILURE, full);
	assert_null(strstr(said, "not whole"));
	assert_file(file, daemon.expected);
	(void)unlink(file);
	(void)converse(&(struct manner){ .name = file, .file_limit = daemon.expected }, "bppp|",
		EXIT_FAILURE, full);
	assert_file(file, daemon.expected);
	(void)unlink(file);

	/* What could not be begun is not there for the next try to stumble over. */
	(void)converse(&(struct manner){ .name = file, .file_limit = 10 }, "bp|", EXIT_FAILURE, "0 packets\n");
	assert_int_equal(access(file, F_OK), -1);

	/* A file that the shell has made is cut, too, but stays. */
	(void)converse(&(struct manner){ .name = "-", .out = out_file, .file_limit = daemon.expected + 30 },
		"bppp|", EXIT_FAILURE, "standard output: File too large\n");
	assert_file(out_file, daemon.expected);
	(void)unlink(out_file);
	(void)converse(&(struct manner){ .name = "-", .out = out_file, .file_limit = 10 }, "bp|", EXIT_FAILURE,
		"0 packets\n");
	assert_int_equal(access(out_file, F_OK), 0);
	(void)unlink(out_file);
	(void)converse(&(struct manner){ .name = "-", .out = "/dev/full" }, "bp|", EXIT_FAILURE,
		"program: standard output: No space left on device\nprogram: 0 packets\n");
	assert_null(strstr(said, "not whole"));
}

static void test_standard_output(void **state)
{
	const struct manner manner = { .name = "-", .out = out_file };
	size_t size = converse(&manner, "bppic", EXIT_SUCCESS, "tracing into standard output; Ctrl-C ends it");

	(void)state;
	assert_file(out_file, size);
	assert_int_equal(access("-", F_OK), -1);
	(void)unlink(out_file);
}

/* ---- pipes ---- */

/* A conversation with a command that writes into a pipe. Returns the end to read. */
static int start_into_pipe(struct daemon *daemon, const char *words)
{
	char name[80];
	int reader;

	(void)snprintf(name, sizeof name, "%s/fifo", folder_path);
	assert_int_equal(mkfifo(name, 0600), 0);
	daemon_listen(daemon);
	reader = open(name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	start(daemon, &(struct manner){ .name = "-", .out = name });
	(void)daemon_accept(daemon);
	daemon_talk(daemon, words, name);
	(void)unlink(name);
	return reader;
}

/* Wireshark behind a pipe is closed while nothing happens, and while something does. */
static void test_pipe(void **state)
{
	static const char *const words[] = { "bp|", "bp|m" };
	static uint8_t bytes[4096];
	struct daemon daemon;
	int reader;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		reader = start_into_pipe(&daemon, words[i]);
		for (int k = 0; k < LIMIT && read(reader, bytes, sizeof bytes) <= 0; k++)
			(void)poll(NULL, 0, 1);
		(void)close(reader);
		/* It ends by itself: the daemon has not. */
		assert_true(daemon_sees_end(&daemon));
		assert_int_equal(end(&daemon), EXIT_FAILURE);
		assert_said(i == 0 ? "standard output: nobody reads it any more" : "standard output: Broken pipe");
	}
}

/* Whoever reads the pipe is slow, and the command waits for him when the signal comes: nothing is missing. */
static void test_signal_while_writing(void **state)
{
	static uint8_t bytes[sizeof daemon_expected];
	struct daemon daemon;
	struct pollfd written = { .fd = start_into_pipe(&daemon, "bm|"), .events = POLLIN };
	int reader = written.fd;
	size_t size = 0;
	ssize_t n = 1;

	(void)state;
	assert_int_equal(poll(&written, 1, LIMIT), 1);
	(void)poll(NULL, 0, 100);
	(void)kill(daemon.child, SIGINT);
	assert_true(daemon_sees_end(&daemon));
	/* The first has found a part of the packet written, this one finds nothing more. */
	(void)poll(NULL, 0, 50);
	(void)kill(daemon.child, SIGTERM);
	(void)poll(NULL, 0, 50);
	daemon_talk(&daemon, "pc", NULL);
	daemon_hang_up(&daemon);
	(void)fcntl(reader, F_SETFL, 0);
	for (; n > 0; size += n > 0 ? (size_t)n : 0)
		n = read(reader, bytes + size, sizeof bytes - size);
	assert_int_equal(end(&daemon), EXIT_SUCCESS);
	assert_int_equal(size, daemon.expected);
	assert_memory_equal(bytes, daemon_expected, size);
	(void)close(reader);
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
	daemon_listen(&daemon);
	start(&daemon, &(struct manner){ .name = file });
	(void)daemon_accept(&daemon);
	daemon_talk(&daemon, "b|", file);
	daemon_listen(&other);
	start(&other, &(struct manner){ .name = other_file });
	(void)daemon_accept(&other);
	(void)poll(NULL, 0, WAIT_LIMIT * 1000 + 500);
	assert_true(daemon_sees_end(&other));
	assert_int_equal(end(&other), EXIT_FAILURE);
	assert_said("the daemon gives no answer");
	assert_int_equal(access(other_file, F_OK), -1);
	daemon_talk(&daemon, "pic", file);
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
