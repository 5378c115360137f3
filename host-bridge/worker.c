/*
 * The worker: messages from the pipe to card.h and back. See worker.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "host-bridge/worker.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "host-bridge/card.h"
#include "host-bridge/channel.h"

struct worker {
	struct channel channel;
	struct card card;
	uint32_t number; /* of the call that is made */
};

/* Core sends one call at a time, so anything that comes in the meantime is the end of the pipe. */
static bool worker_wait(void *context, unsigned int milliseconds)
{
	const struct worker *worker = context;

	return channel_sleep(&worker->channel, milliseconds);
}

static uint64_t worker_now(void *context)
{
	(void)context;
	return clock_ms();
}

/* If core is gone, the next receive says so. */
static void worker_waiting(void *context)
{
	struct worker *worker = context;
	const struct wire_message message = {
		.type = WIRE_PROGRESS,
		.session = 1,
		.progress = { .number = worker->number },
	};

	(void)channel_send(&worker->channel, &message);
}

static struct worker *worker_new(int fd, const char *guest, const char *reader)
{
	struct worker *worker = calloc(1, sizeof *worker);

	if (worker == NULL) {
		log_error(guest, "%s: no memory", reader);
		return NULL;
	}
	/*
	 * libpcsclite 1.9.9, winscard_clnt.c:576: read once, when the first context is established.
	 */
	(void)setenv("PCSCLITE_NO_BLOCKING", "1", 1);
	channel_init(&worker->channel, fd);
	card_init(&worker->card, &pcsc_native,
		(struct card_patience){
			.wait = worker_wait,
			.now = worker_now,
			.waiting = worker_waiting,
			.context = worker,
		},
		guest, reader);
	return worker;
}

static void worker_free(struct worker *worker)
{
	card_deinit(&worker->card);
	channel_deinit(&worker->channel);
	free(worker);
}

/* Until something comes over the pipe, time passes for the card. */
static void worker_rest(struct worker *worker)
{
	uint64_t deadline = card_deadline(&worker->card);
	uint64_t now = worker_now(worker);
	bool idle = true;

	while (idle && deadline != HOLD_NEVER) {
		if (deadline > now)
			idle = channel_sleep(&worker->channel, (unsigned int)(deadline - now));
		if (idle)
			card_tick(&worker->card);
		deadline = card_deadline(&worker->card);
		now = worker_now(worker);
	}
}

enum {
	WORKER_UNCLEAN = 100, /* the guest's state may be left in the card */
	WORKER_OUTDATED,      /* a new process has the libpcsclite that belongs to pcscd */
};

static void worker_make(struct worker *worker, const struct wire_call *call, struct wire_reply *reply)
{
	uint64_t begun = clock_ms();

	worker->number = call->number;
	card_call(&worker->card, call, reply);
	log_debug(worker->card.tag, "%s: call %u took pcscd %llu ms", worker->card.reader,
		(unsigned int)call->number, (unsigned long long)(clock_ms() - begun));
}

/*
 * One call and its reply. Returns 0, CHANNEL_CLOSED, CHANNEL_BROKEN, WORKER_UNCLEAN or
 * WORKER_OUTDATED.
 */
static int worker_step(struct worker *worker)
{
	struct wire_message message, answer;
	int r;

	worker_rest(worker);
	r = channel_receive(&worker->channel, &message);

	if (r != 0)
		return r;
	if (message.type != WIRE_CALL)
		return CHANNEL_BROKEN;
	answer = (struct wire_message){ .type = WIRE_REPLY, .session = message.session };
	worker_make(worker, &message.call, &answer.reply);
	channel_drop(&worker->channel);
	/* Core learns from our death, and before the next call, that a cleaner is needed. */
	if (worker->card.unclean)
		return WORKER_UNCLEAN;
	r = channel_send(&worker->channel, &answer);
	payload_wipe(worker->card.response, answer.reply.data.size);
	return r == 0 && worker->card.outdated ? WORKER_OUTDATED : r;
}

/* Gives up the card, and frees. Returns the exit status. */
static int worker_end(struct worker *worker, int r)
{
	bool clean;

	card_deinit(&worker->card);
	clean = !worker->card.unclean && (r == CHANNEL_CLOSED || r == WORKER_OUTDATED);
	worker_free(worker);
	return clean ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* The words are core's: a wrong one is core's fault, and it has checked them. */
static int worker_share(struct worker *worker, const char *const *words)
{
	struct share share = {
		.hold = (unsigned int)strtoul(words[WORKER_HOLD], NULL, 10),
		.hold_max = (unsigned int)strtoul(words[WORKER_HOLD_MAX], NULL, 10),
	};

	if (share_by_name(words[WORKER_SHARE], &share.mode) != 0)
		return -1;
	card_set_share(&worker->card, share);
	return 0;
}

int worker_run(int fd, const char *const *words)
{
	const char *guest = words[WORKER_GUEST], *reader = words[WORKER_READER];
	struct worker *worker = worker_new(fd, guest, reader);
	int r = CHANNEL_BROKEN;

	if (worker == NULL)
		return EXIT_FAILURE;
	if (worker_share(worker, words) == 0)
		r = 0;
	while (r == 0)
		r = worker_step(worker);
	if (r == CHANNEL_BROKEN)
		log_error(guest, "%s: worker: core sent what is no call", reader);
	return worker_end(worker, r);
}

int worker_clean(int fd, const char *guest, const char *reader)
{
	struct worker *worker = worker_new(fd, guest, reader);
	bool clean;

	if (worker == NULL)
		return EXIT_FAILURE;
	clean = card_clean(&worker->card);
	worker_free(worker);
	return clean ? EXIT_SUCCESS : EXIT_FAILURE;
}
