/*
 * A child process over libuv. See child.h.
 *
 * Three handles make up a child, process, pipe and timer; memory is freed when the last is closed.
 *
 *     running     process runs, pipe is open
 *     stopping    pipe is closed by us, the timer runs
 *     ended       process is over and nothing more can come from the pipe: the owner is told
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "host-bridge/child.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "host-bridge/frame_buffer.h"
#include "host-bridge/process.h"

#define EXIT_GRACE 1000 /* ms that a process may take to exit after it has closed its pipe */

/*
 * Bytes that are read at once. libuv reads up to 32 times in a row before it looks at another
 * descriptor: this bounds what a child that floods us can do to the others.
 */
#define READ_MAX (16u * 1024)

#define WORDS_FIRST 6 /* where role->words begin on the command line */

struct child {
	uv_process_t process;
	uv_pipe_t pipe;
	uv_timer_t timer;
	unsigned int handles; /* not closed yet */
	bool exited;
	bool pipe_over;       /* at its end, or closed by us */
	bool clean;
	const struct child_functions *functions;
	void *owner;
	uint64_t read_at;     /* when it last read what we sent, ms of the loop's clock */
	struct frame_buffer in;
};

struct child_write {
	uv_write_t request;
	size_t size;
	uint8_t bytes[];
};

/* ---- the end ---- */

static void on_closed(uv_handle_t *handle)
{
	struct child *child = handle->data;

	child->handles--;
	if (child->handles > 0)
		return;
	frame_buffer_deinit(&child->in);
	free(child);
}

static void child_close(uv_handle_t *handle)
{
	if (!uv_is_closing(handle))
		uv_close(handle, on_closed);
}

/*
 * Tells the owner once both ends are known: the process may be gone before its last words are read.
 */
static void child_finish(struct child *child)
{
	if (!child->exited || !child->pipe_over)
		return;
	child_close((uv_handle_t *)&child->timer);
	child_close((uv_handle_t *)&child->process);
	child->functions->ended(child->owner, child->clean);
}

static void child_end_pipe(struct child *child)
{
	child->pipe_over = true;
	child_close((uv_handle_t *)&child->pipe);
}

static void on_exit_status(uv_process_t *process, int64_t status, int signal)
{
	struct child *child = process->data;

	child->exited = true;
	child->clean = status == 0 && signal == 0;
	child_finish(child);
}

static void on_grace_over(uv_timer_t *timer)
{
	child_kill(timer->data);
}

/* ---- reading ---- */

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct child *child = handle->data;
	uint8_t *room;
	size_t size;

	(void)suggested;
	frame_buffer_room(&child->in, &room, &size);
	*buffer = uv_buf_init((char *)room, size < READ_MAX ? (unsigned int)size : READ_MAX);
}

/* Hands out one frame. Returns false when the child talks nonsense. */
static bool child_hand_out(struct child *child, struct payload_view frame)
{
	struct wire_message message;

	if (child->functions->frame != NULL)
		return child->functions->frame(child->owner, frame);
	if (wire_decode(frame.bytes, frame.size, &message) != 0)
		return false;
	child->functions->message(child->owner, &message);
	return true;
}

/*
 * Hands out all whole frames, unless the owner stops the child on the way. Returns false when the
 * child talks nonsense.
 */
static bool child_deliver(struct child *child)
{
	struct payload_view frame;
	int r = 0;

	while (!child->pipe_over && r == 0) {
		r = frame_buffer_first(&child->in, &frame);
		if (r == FRAME_INCOMPLETE)
			return true;
		if (r != 0 || !child_hand_out(child, frame))
			return false;
		frame_buffer_drop(&child->in);
	}
	return true;
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
	struct child *child = stream->data;

	(void)buffer;
	if (size > 0) {
		frame_buffer_filled(&child->in, (size_t)size);
		if (child_deliver(child))
			return;
		log_error("bridge", "process %d sent what is no message", child->process.pid);
		child_kill(child);
	}
	/* Its last words are read; it should be on its way out, and is not wanted if it isn't. */
	if (size != 0)
		child_stop(child, EXIT_GRACE);
}

/* ---- writing ---- */

static void on_written(uv_write_t *request, int status)
{
	struct child_write *write = request->data;
	struct child *child = request->handle->data;

	if (status == 0)
		child->read_at = uv_now(child->pipe.loop);
	payload_wipe(write->bytes, write->size);
	free(write);
}

static void child_write(struct child *child, struct payload_view bytes)
{
	struct child_write *write = malloc(sizeof *write + bytes.size);
	uv_stream_t *stream = (uv_stream_t *)&child->pipe;
	uv_buf_t buffer;

	if (write == NULL) {
		child_kill(child);
		return;
	}
	write->size = bytes.size;
	memcpy(write->bytes, bytes.bytes, bytes.size);
	write->request.data = write;
	write->request.handle = stream;
	buffer = uv_buf_init((char *)write->bytes, (unsigned int)write->size);
	if (uv_write(&write->request, stream, &buffer, 1, on_written) != 0)
		on_written(&write->request, UV_EPIPE);
}

void child_send(struct child *child, const struct wire_message *message)
{
	static uint8_t bytes[FRAME_PREFIX + FRAME_MAX];
	struct payload_view view = { .bytes = bytes };

	if (child->pipe_over)
		return;
	if (frame_encode(message, bytes, &view.size) != 0) {
		child_kill(child);
		return;
	}
	child_write(child, view);
	payload_wipe(bytes, view.size);
}

void child_send_frame(struct child *child, struct payload_view bytes)
{
	size_t queued = uv_stream_get_write_queue_size((uv_stream_t *)&child->pipe);
	uint64_t now = uv_now(child->pipe.loop);

	if (child->pipe_over)
		return;
	if (queued == 0)
		child->read_at = now;
	if (queued + bytes.size <= CHILD_QUEUE_MAX) {
		child_write(child, bytes);
	} else if (now - child->read_at >= CHILD_QUEUE_PATIENCE) {
		log_error("bridge", "process %d does not read what it is sent", child->process.pid);
		child_kill(child);
		child->read_at = now;
	}
}

/* ---- start and stop ---- */

static void child_init(struct child *child, uv_loop_t *loop,
	const struct child_functions *functions, void *owner)
{
	child->functions = functions;
	child->owner = owner;
	(void)uv_pipe_init(loop, &child->pipe, 0);
	(void)uv_timer_init(loop, &child->timer);
	child->pipe.data = child;
	child->timer.data = child;
	child->process.data = child;
	child->handles = 3;
}

/* The log asks the environment whether it writes for the journal. */
static char **bare_environment(void)
{
	static char journal[64];
	static char *environment[2];
	const char *value = getenv("JOURNAL_STREAM");

	environment[0] = NULL;
	if (value != NULL) {
		(void)snprintf(journal, sizeof journal, "JOURNAL_STREAM=%s", value);
		environment[0] = journal;
	}
	return environment;
}

static void child_inherits(uv_stdio_container_t *place, int fd)
{
	place->flags = UV_INHERIT_FD;
	place->data.fd = fd;
}

static int child_spawn(struct child *child, uv_loop_t *loop, const struct child_role *role)
{
	char self[4096];
	/* libuv takes these as char *, and doesn't write to them */
	const char *arguments[WORDS_FIRST + CHILD_WORDS_MAX + 1] = {
		"ccid-bridge", "--" PROCESS_ROLE_OPTION, role->name, "--log-level",
		log_level_name(log_get_level()), "--",
	};
	uv_stdio_container_t stdio[PROCESS_LEVEL + 1] = {
		[STDIN_FILENO] = { .flags = UV_IGNORE },
		[STDOUT_FILENO] = { .flags = UV_IGNORE },
		[STDERR_FILENO] = { .flags = UV_INHERIT_FD, .data = { .fd = STDERR_FILENO } },
		[PROCESS_CHANNEL] = { .flags = UV_CREATE_PIPE | UV_READABLE_PIPE | UV_WRITABLE_PIPE,
			.data = { .stream = (uv_stream_t *)&child->pipe } },
		[PROCESS_FOLDER] = { .flags = UV_IGNORE },
		[PROCESS_LEVEL] = { .flags = UV_IGNORE },
	};
	uv_process_options_t options = {
		.exit_cb = on_exit_status,
		.file = process_self(self, sizeof self),
		.args = (char **)(uintptr_t)arguments,
		.env = role->bare ? bare_environment() : NULL,
		.stdio = stdio,
		.stdio_count = sizeof stdio / sizeof stdio[0],
		.flags = role->other_user ? UV_PROCESS_SETUID | UV_PROCESS_SETGID : 0,
		.uid = role->user,
		.gid = role->group,
	};

	assert(role->word_count <= CHILD_WORDS_MAX);
	for (size_t i = 0; i < role->word_count; i++)
		arguments[WORDS_FIRST + i] = role->words[i];
	if (role->folder != NULL)
		child_inherits(&stdio[PROCESS_FOLDER], *role->folder);
	if (log_shared() >= 0)
		child_inherits(&stdio[PROCESS_LEVEL], log_shared());
	return uv_spawn(loop, &child->process, &options);
}

int child_start(struct child **child_out, uv_loop_t *loop, const struct child_role *role,
	const struct child_functions *functions, void *owner)
{
	struct child *child = calloc(1, sizeof *child);
	int r;

	if (child == NULL)
		return -ENOMEM;
	child_init(child, loop, functions, owner);
	r = child_spawn(child, loop, role);
	if (r == 0)
		r = uv_read_start((uv_stream_t *)&child->pipe, on_room, on_read);
	if (r != 0) {
		log_error("bridge", "can't start a %s: %s", role->name, uv_strerror(r));
		/* uv_spawn() leaves a handle that must be closed, too (libuv's manual) */
		child_close((uv_handle_t *)&child->process);
		child_close((uv_handle_t *)&child->pipe);
		child_close((uv_handle_t *)&child->timer);
		return CHILD_NOT_STARTED;
	}
	*child_out = child;
	return 0;
}

void child_stop(struct child *child, unsigned int grace_milliseconds)
{
	child_end_pipe(child);
	if (!child->exited && grace_milliseconds != CHILD_NO_LIMIT)
		(void)uv_timer_start(&child->timer, on_grace_over, grace_milliseconds, 0);
	child_finish(child);
}

void child_kill(struct child *child)
{
	if (!child->exited)
		(void)uv_process_kill(&child->process, SIGKILL);
}
