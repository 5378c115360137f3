/*
 * Recording a trace. See record.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "control/record.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/payload.h"
#include "control/ask.h"
#include "control/json.h"
#include "control/request.h"
#include "control/server.h"
#include "trace/pcapng.h"
#include "trace/queue.h"

#define BLOCK_MIN 12               /* pcapng, 3.1 */
#define BLOCK_MAX TRACE_QUEUE_MAX  /* what never fitted into the daemon's queue doesn't come */
#define COUNTS_LOST 36             /* where they are in the block that ends a trace, see pcapng_counts() */

struct recorder {
	const struct control_recording *recording;
	int socket;
	int file;
	uint64_t packets;
	uint64_t lost;
	bool whole; /* the daemon has sent its last block */
};

/* For the handler of a signal: the first asks the daemon for the end, the second one ends us. */
static int socket_of_handler = -1;
static volatile sig_atomic_t end_is_wanted;

static void on_signal(int number)
{
	int saved = errno;

	end_is_wanted = true;
	(void)signal(number, SIG_DFL);
	(void)shutdown(socket_of_handler, SHUT_WR);
	errno = saved;
}

static void say(const struct recorder *recorder, const char *what, const char *why)
{
	(void)fprintf(stderr, "%s: %s: %s\n", recorder->recording->program, what, why);
}

/* The file's name, for what is said. */
static const char *file_name(const struct recorder *recorder)
{
	const char *file = recorder->recording->file;

	return strcmp(file, "-") == 0 ? "standard output" : file;
}

/* ---- asking ---- */

static bool ask(struct recorder *recorder)
{
	struct control_request request = { .verb = CONTROL_TRACE };
	const struct control_recording *recording = recorder->recording;
	char line[CONTROL_LINE_MAX + 1];

	if (recording->with_data)
		(void)snprintf(request.argument, sizeof request.argument, CONTROL_WITH_DATA);
	recorder->socket = control_ask_connect(recording->program, recording->path);
	if (recorder->socket < 0)
		return false;
	if (control_line_write(&request, line) == 0 &&
	    send(recorder->socket, line, strlen(line), MSG_NOSIGNAL) == (ssize_t)strlen(line))
		return true;
	say(recorder, recording->path, "the daemon gives no answer");
	return false;
}

/* The daemon would rather tell why not. */
static void say_refusal(const struct recorder *recorder, const uint8_t *begin, size_t size)
{
	char text[1024];
	ssize_t n = 1;
	json_t *answer;

	memcpy(text, begin, size);
	while (n > 0 && size < sizeof text) {
		n = recv(recorder->socket, text + size, sizeof text - size, 0);
		size += n > 0 ? (size_t)n : 0;
	}
	answer = json_loadb(text, size, JSON_DISABLE_EOF_CHECK, NULL);
	(void)fprintf(stderr, "%s: %s\n", recorder->recording->program,
		control_json_get(answer, "error", "the daemon gives no answer"));
	json_decref(answer);
}

/* ---- the file ---- */

static bool open_file(struct recorder *recorder)
{
	const char *path = recorder->recording->file;

	if (strcmp(path, "-") == 0) {
		recorder->file = STDOUT_FILENO;
		return true;
	}
	recorder->file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (recorder->file >= 0)
		return true;
	say(recorder, path, errno == EEXIST ? "is there already, and is left as it is; take another name"
					    : strerror(errno));
	return false;
}

/* A disk that is full may take a part of a block, which is taken back. */
static bool write_block(struct recorder *recorder, const uint8_t *block, size_t size)
{
	size_t done = 0;
	ssize_t n = 0;
	off_t begin;

	while (done < size && (n >= 0 || errno == EINTR)) {
		n = write(recorder->file, block + done, size - done);
		done += n > 0 ? (size_t)n : 0;
	}
	if (done == size)
		return true;
	say(recorder, file_name(recorder), strerror(errno));
	begin = lseek(recorder->file, 0, SEEK_CUR) - (off_t)done;
	if (done > 0 && begin >= 0 && ftruncate(recorder->file, begin) != 0)
		say(recorder, file_name(recorder), "its last packet is not whole");
	return false;
}

/* A file that could not even be begun is nothing to be left: it would be in the way of the next try. */
static bool close_file(const struct recorder *recorder)
{
	struct stat status;

	if (recorder->file == STDOUT_FILENO)
		return true;
	if (fstat(recorder->file, &status) == 0 && status.st_size == 0)
		(void)unlink(recorder->recording->file);
	if (close(recorder->file) == 0)
		return true;
	say(recorder, file_name(recorder), strerror(errno));
	return false;
}

/*
 * Waits for what comes next, for as long as that takes. False: there is nobody any more who reads what is
 * written into a pipe.
 */
static bool is_read(const struct recorder *recorder)
{
	struct pollfd ends[] = { { .fd = recorder->socket, .events = POLLIN }, { .fd = recorder->file } };

	/* Nor does it wait when a signal has asked for the end: that is what comes next. */
	(void)poll(ends, sizeof ends / sizeof ends[0], -1);
	if ((ends[1].revents & (POLLERR | POLLHUP)) == 0)
		return true;
	say(recorder, file_name(recorder), "nobody reads it any more");
	return false;
}

/* ---- blocks ---- */

/* All of size bytes. False: the connection has ended. */
static bool receive(const struct recorder *recorder, uint8_t *bytes, size_t size)
{
	size_t done = 0;
	ssize_t n = 1;

	while (done < size && (n > 0 || (n < 0 && errno == EINTR))) {
		n = recv(recorder->socket, bytes + done, size - done, 0);
		done += n > 0 ? (size_t)n : 0;
	}
	return done == size;
}

static uint32_t number_at(const uint8_t *bytes, size_t offset)
{
	struct cursor_in in = cursor_in(bytes + offset, 4);

	return in_le32(&in);
}

static void count(struct recorder *recorder, const uint8_t *block, size_t size)
{
	uint32_t type = number_at(block, 0);

	recorder->packets += type == PCAPNG_PACKET;
	if (type != PCAPNG_COUNTS || size != PCAPNG_COUNTS_SIZE)
		return;
	recorder->whole = true;
	recorder->lost = number_at(block, COUNTS_LOST);
}

/* The daemon sends no more. Returns the exit status: whether that was to be so. */
static int end_of_blocks(const struct recorder *recorder)
{
	if (recorder->whole && end_is_wanted)
		return EXIT_SUCCESS;
	if (recorder->whole)
		say(recorder, file_name(recorder), "the daemon has ended, and so does the trace");
	else
		say(recorder, file_name(recorder), "the daemon ends the trace without its last packets");
	return EXIT_FAILURE;
}

/* Blocks, the first of which has begun with these 8 bytes. Returns the exit status. */
static int copy_blocks(struct recorder *recorder, uint8_t *block)
{
	size_t size;

	do {
		size = number_at(block, 4);
		if (size < BLOCK_MIN || size > BLOCK_MAX || size % 4 != 0) {
			say(recorder, recorder->recording->path, "the daemon sends what is no trace");
			return EXIT_FAILURE;
		}
		if (!receive(recorder, block + 8, size - 8))
			break;
		if (!write_block(recorder, block, size))
			return EXIT_FAILURE;
		count(recorder, block, size);
		if (!is_read(recorder))
			return EXIT_FAILURE;
	} while (receive(recorder, block, 8));
	return end_of_blocks(recorder);
}

/* ---- all of it ---- */

static void catch_signals(const struct recorder *recorder)
{
	const struct sigaction action = { .sa_handler = on_signal };

	socket_of_handler = recorder->socket;
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
}

static void say_begin(const struct recorder *recorder)
{
	const struct control_recording *recording = recorder->recording;

	if (recording->with_data)
		(void)fprintf(stderr, "%s: with data: what is written has every byte that programs and cards "
			"say, PINs and keys too. Keep it to yourself, and remove it when it has served.\n",
			recording->program);
	else
		(void)fprintf(stderr, "%s: without the data of APDUs, so that others may see it\n",
			recording->program);
	(void)fprintf(stderr, "%s: tracing into %s; Ctrl-C ends it\n", recording->program,
		file_name(recorder));
}

static void say_end(const struct recorder *recorder)
{
	(void)fprintf(stderr, "%s: %" PRIu64 " packets", recorder->recording->program, recorder->packets);
	if (recorder->lost > 0)
		(void)fprintf(stderr, "; %" PRIu64 " more came too fast, and are missing", recorder->lost);
	(void)fputc('\n', stderr);
}

static int record(struct recorder *recorder, uint8_t *block)
{
	int status = EXIT_FAILURE;

	if (!receive(recorder, block, 8)) {
		say(recorder, recorder->recording->path, "the daemon gives no answer");
		return status;
	}
	if (number_at(block, 0) != PCAPNG_SECTION) {
		say_refusal(recorder, block, 8);
		return status;
	}
	if (!open_file(recorder))
		return status;
	catch_signals(recorder);
	say_begin(recorder);
	status = copy_blocks(recorder, block);
	say_end(recorder);
	return close_file(recorder) ? status : EXIT_FAILURE;
}

int control_record(const struct control_recording *recording)
{
	static uint8_t block[BLOCK_MAX];
	struct recorder recorder = { .recording = recording, .socket = -1, .file = -1 };
	int status = EXIT_FAILURE;

	if (recording->file == NULL) {
		(void)fprintf(stderr, "%s: which file? Type '%s trace FILE.pcapng', or - for standard output\n",
			recording->program, recording->program);
		return EX_USAGE;
	}
	if (strcmp(recording->file, "-") == 0 && isatty(STDOUT_FILENO) != 0) {
		(void)fprintf(stderr, "%s: a trace is nothing for a terminal; type '| wireshark -k -i -' behind it\n",
			recording->program);
		return EX_USAGE;
	}
	if (ask(&recorder))
		status = record(&recorder, block);
	payload_wipe(block, sizeof block);
	if (recorder.socket >= 0)
		(void)close(recorder.socket);
	return status;
}
