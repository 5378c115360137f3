/*
 * The world of the model check: guest daemons, a bridge with its core, readers and cards, and the
 * network between them that loses, repeats, delays, reorders and cuts by a seed. The halves of the
 * session are the real ones; everything else is played here, and says so when something happens
 * that must not.
 *
 * model_guest.c plays the daemons, model_bridge.c the bridge and the cards, test_model.c what
 * befalls them.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "link_memory.h"
#include "relay/session.h"

#define CALLS_MAX 8000
#define READERS 3
#define DAEMONS 2 /* of the same guest, at the same time */
#define WORK_MAX 64

/* What befalls a world, of 1000 actions each. */
struct profile {
	const char *name;
	struct memory_faults faults;
	uint64_t duration;    /* ms */
	uint64_t bound;       /* ms that a call may stay unanswered while no card works at it */
	unsigned cut;         /* the network goes away for up to 15 s */
	unsigned stall;       /* a daemon or the bridge sleeps for up to 15 s, and wakes up */
	unsigned wedge;       /* a daemon's link looks open and carries nothing any more */
	unsigned kill_bridge;
	unsigned kill_front;  /* the bridge gets a new link; its sessions live on */
	unsigned kill_guest;  /* without a word */
	unsigned bye;         /* in order, and started again */
	unsigned twin;        /* a second daemon of the same name comes, or goes */
	bool gentle;          /* no session may end, no call may be lost */
	bool steady;          /* a session that both ends have used ends with its daemon only */
	unsigned sessions_most; /* that one run may have; 0: any number */
};

/* What a call has come to. Its place in the list is what the card gets as its APDU. */
struct model_call {
	uint32_t label;    /* its number in the guest's half */
	uint32_t daemon;   /* serial of the daemon that has made it */
	uint32_t reader;
	uint8_t executed;  /* by the card: how often */
	bool ended;
	uint64_t idle_at;  /* since when nobody works at it, ms; SESSION_NEVER: somebody does */
};

struct model_daemon {
	struct guest_session *session; /* NULL: there is none */
	struct link *link;
	uint32_t serial;       /* from 1; never used again */
	bool leaving;          /* it has said goodbye */
	bool wedged;           /* its link is */
	bool used;             /* its session has brought readers */
	bool going_down;       /* unknown outcomes have come: the end of the session must follow */
	uint64_t stalled_until;
};

/* A call that the bridge's half has handed out. */
struct model_work {
	bool used;
	bool started;     /* the card has it */
	uint64_t until;   /* started: when it is done */
	uint64_t order;   /* they are started in this order, one at a time per reader */
	uint64_t session;
	uint32_t number;
	uint32_t call;
};

/* What happened, so that a reader can see that the faults bite. */
struct model_total {
	uint64_t steps;
	uint64_t answered;
	uint64_t unknown;
	uint64_t sessions;
	uint64_t sent;
	uint64_t lost;
};

struct model {
	const struct profile *profile;
	uint64_t seed;
	uint64_t now;
	struct model_total total;
	struct memory_net *net;
	struct payload buffer;
	bool faults_over;

	struct model_daemon daemons[DAEMONS];
	uint32_t daemon_count;  /* started ever */

	struct link *bridge_link;
	struct bridge_session *bridge;
	struct link_route route; /* of the session */
	struct link_route from;  /* of the frame that is handled */
	struct link_route newcomer; /* of the daemon that waits for a welcome */
	struct wire_readers readers;
	uint64_t stalled_until;
	uint64_t session;       /* that is open, as the bridge's events have it; 0 for none */
	uint32_t session_last;  /* its newest call */
	unsigned sessions;

	struct model_call calls[CALLS_MAX];
	uint32_t call_count;
	struct model_work work[WORK_MAX];
	uint64_t work_count;    /* handed out ever */
	struct {
		uint32_t daemon;
		uint32_t call;
	} card_last[READERS];   /* what each card executed last */

	uint64_t next_action;
	uint64_t cut_until;
};

#define REQUIRE(model, condition) \
	do { \
		if (!(condition)) \
			fail_msg("%s, seed %" PRIu64 ", at %" PRIu64 " ms: not true: %s", \
				(model)->profile->name, (model)->seed, (model)->now, #condition); \
	} while (0)

/* Random, not 0. */
uint64_t model_identity(struct model *model);

/* ---- model_guest.c ---- */

void model_start_daemon(struct model *model, struct model_daemon *daemon);

/* Its calls have nobody to end for; the card may still execute them, once. */
void model_stop_daemon(struct model *model, struct model_daemon *daemon);

/* Lets it receive, act and send. */
void model_run_daemon(struct model *model, struct model_daemon *daemon);

/* Makes a call to a random reader, unless there is no session, or no room. */
void model_make_call(struct model *model, struct model_daemon *daemon);

/* ---- model_bridge.c ---- */

void model_start_bridge(struct model *model);

/* What the cards execute goes on, and ends for nobody. */
void model_stop_bridge(struct model *model);

void model_run_bridge(struct model *model);

/* A card comes or goes, or a reader. */
void model_change_readers(struct model *model);

/* When a card is done next, or SESSION_NEVER. */
uint64_t model_cards_deadline(const struct model *model);

/* Lets the cards work, also while nobody waits for them. */
void model_run_cards(struct model *model);
