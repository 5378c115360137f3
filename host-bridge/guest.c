/*
 * A guest's session and readers. See guest.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "host-bridge/guest.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "host-bridge/audit.h"
#include "host-bridge/guest_reader.h"
#include "relay/session.h"

struct bridge_guest {
	const struct bridge_guest_config *config;
	const struct bridge_guest_host *host;
	struct bridge_session *session;
	struct front_route route;      /* of the session: where its daemon was heard last */
	struct front_route from;       /* of the message that is being handled */
	struct front_route newcomer;   /* of the daemon that waits for a welcome */
	const char *why;              /* the session would end, should it end now */
	struct guest_reader *readers; /* that were used once */
	struct wire_readers allowed;  /* as told to the session */
	time_t since;                 /* when a session was opened or closed last; 0: never */
	uint64_t sessions;            /* that were opened */
	uint64_t refused;             /* calls that the policy forbids */
	uint64_t executing;           /* number of the session whose calls the readers make */
	struct audit audit;
	struct call_trace trace;
};

static uint64_t guest_now(const struct bridge_guest *guest)
{
	uv_update_time(guest->host->loop);
	return uv_now(guest->host->loop);
}

/* ---- frames out ---- */

/*
 * A welcome and a refusal go to whoever sent what they answer, which need not be the daemon of the
 * session; a welcome perhaps a while later.
 */
static void guest_send(struct bridge_guest *guest, struct payload_view frame)
{
	const struct front_route *to = &guest->route;
	struct wire_message message;

	if (wire_decode(frame.bytes, frame.size, &message) != 0)
		return;
	if (message.type == WIRE_WELCOME)
		to = &guest->newcomer;
	else if (message.type == WIRE_REFUSED)
		to = &guest->from;
	guest->host->send(guest->host->context, to, frame);
}

/* ---- calls ---- */

static int guest_pump(struct bridge_guest *guest);

static int guest_complete(struct bridge_guest *guest, const struct wire_reply *reply)
{
	call_trace_end(&guest->trace, reply);
	return bridge_session_complete(guest->session, guest_now(guest), guest->executing, reply);
}

static void on_complete(void *context, const struct wire_reply *reply)
{
	struct bridge_guest *guest = context;
	int r = guest_complete(guest, reply);

	if (r == 0)
		r = guest_pump(guest);
	if (r < 0)
		guest->host->fail(guest->host->context, r);
}

/* The reader of this identity, if the guest may see it now. */
static struct wire_reader *guest_shown(struct bridge_guest *guest, uint32_t id)
{
	for (size_t i = 0; i < guest->allowed.count; i++) {
		if (guest->allowed.readers[i].id == id)
			return &guest->allowed.readers[i];
	}
	return NULL;
}

/* The reader that was allowed under this name, with its worker if it has one. */
static struct guest_reader *guest_reader_of(struct bridge_guest *guest,
	const struct wire_reader *allowed)
{
	const struct guest_reader_owner owner = { .complete = on_complete, .context = guest };
	struct guest_reader *reader = guest->readers;

	while (reader != NULL && reader->id != allowed->id)
		reader = reader->next;
	if (reader != NULL)
		return reader;
	reader = guest_reader_new(&owner, guest->host->loop, guest->config->name,
		guest->config->share, guest->host->used_cards, allowed);
	if (reader != NULL) {
		reader_guard_init(&reader->guard, guest->host->pin_guard, &guest->audit, reader->name,
			reader->id, guest->config->pin_guard, guest->config->pin_guard_ask);
		reader->next = guest->readers;
		guest->readers = reader;
	}
	return reader;
}

/* Whether this guest may make such a call at all. */
static bool guest_may(const struct bridge_guest *guest, uint8_t operation)
{
	switch (operation) {
	case WIRE_CONNECT:
	case WIRE_DISCONNECT:
	case WIRE_TRANSMIT:
	case WIRE_CANCEL:
		return true;
	case WIRE_SECURE:
		return guest->config->pin_pad;
	case WIRE_ESCAPE:
		return guest->config->escape;
	}
	return false;
}

static const char *operation_word(uint8_t operation)
{
	switch (operation) {
	case WIRE_CONNECT:
		return "connect";
	case WIRE_DISCONNECT:
		return "disconnect";
	case WIRE_TRANSMIT:
		return "transmit";
	case WIRE_CANCEL:
		return "cancel";
	case WIRE_SECURE:
		return "pin-pad";
	case WIRE_ESCAPE:
		return "escape";
	}
	return "unknown";
}

/* The policy's outcome: WIRE_OK if it allows the call. allowed is the reader, if it is the guest's. */
static uint8_t guest_police(struct bridge_guest *guest, const struct wire_call *call,
	const struct wire_reader *allowed)
{
	bool may = guest_may(guest, call->operation);

	if (may && allowed != NULL)
		return WIRE_OK;
	guest->refused++;
	audit_refused_call(&guest->audit, guest_now(guest), allowed != NULL ? allowed->name : "",
		operation_word(call->operation), may ? "no-such-reader" : "policy");
	return may ? WIRE_READER_GONE : WIRE_UNSUPPORTED;
}

static int guest_execute(struct bridge_guest *guest, const struct wire_call *call)
{
	struct wire_reply reply = { .number = call->number };
	const struct wire_reader *allowed = guest_shown(guest, call->reader);
	struct guest_reader *reader;

	call_trace_begin(&guest->trace, call, allowed != NULL ? allowed->name : NULL);
	reply.outcome = guest_police(guest, call, allowed);
	if (reply.outcome == WIRE_OK && allowed != NULL &&
	    leftovers_hold(guest->host->leftovers, allowed->name))
		reply.outcome = WIRE_CARD_BUSY;
	if (reply.outcome != WIRE_OK || allowed == NULL)
		return guest_complete(guest, &reply);
	reader = guest_reader_of(guest, allowed);
	if (reader == NULL)
		return -ENOMEM;
	/* As the monitor counts: a guest's comebacks are no insertions. */
	reader->guard.insertion = allowed->insertion - reader->comeback.count;
	guest_reader_call(reader, call);
	return 0;
}

/* ---- events of the session ---- */

static void guest_down(struct bridge_guest *guest)
{
	guest->since = time(NULL);
	log_info(guest->config->name, "session closed: %s", guest->why);
	call_trace_forget(&guest->trace);
	for (struct guest_reader *reader = guest->readers; reader != NULL; reader = reader->next)
		guest_reader_stop(reader);
}

static int guest_event(struct bridge_guest *guest, const struct bridge_event *event)
{
	switch (event->type) {
	case BRIDGE_SESSION_UP:
		guest->executing = event->session;
		guest->since = time(NULL);
		guest->sessions++;
		log_info(guest->config->name, "session open");
		audit_session_open(&guest->audit, guest_now(guest), guest->config);
		return 0;
	case BRIDGE_SESSION_DOWN:
		guest_down(guest);
		return 0;
	case BRIDGE_SESSION_CONTESTED:
		audit_session_contested(&guest->audit, guest_now(guest));
		return 0;
	case BRIDGE_SESSION_EXECUTE:
		return guest_execute(guest, &event->call);
	}
	return 0;
}

/* Does what the session wants done, until it wants nothing more. */
static int guest_pump(struct bridge_guest *guest)
{
	struct payload_view frame;
	struct bridge_event event;
	int r = 0;

	do {
		while (bridge_session_pop_frame(guest->session, &frame))
			guest_send(guest, frame);
		if (!bridge_session_pop_event(guest->session, &event))
			return 0;
		r = guest_event(guest, &event);
	} while (r == 0);
	return r;
}

/* ---- what core calls ---- */

int bridge_guest_new(struct bridge_guest **guest_out, const struct bridge_guest_config *config,
	const struct bridge_guest_host *host)
{
	struct bridge_guest *guest = calloc(1, sizeof *guest);
	int r;

	if (guest == NULL)
		return -ENOMEM;
	guest->config = config;
	guest->host = host;
	audit_init(&guest->audit, config->name);
	call_trace_init(&guest->trace, host->traces, config->name);
	r = bridge_session_new(&guest->session, host->boot);
	if (r < 0) {
		free(guest);
		return r;
	}
	*guest_out = guest;
	return 0;
}

struct bridge_guest *bridge_guest_free(struct bridge_guest *guest)
{
	struct guest_reader *next;

	if (guest == NULL)
		return NULL;
	for (struct guest_reader *reader = guest->readers; reader != NULL; reader = next) {
		next = reader->next;
		guest_reader_free(reader);
	}
	audit_flush(&guest->audit, guest_now(guest));
	(void)bridge_session_free(guest->session);
	free(guest);
	return NULL;
}

const char *bridge_guest_name(const struct bridge_guest *guest)
{
	return guest->config->name;
}

uint64_t bridge_guest_session(const struct bridge_guest *guest)
{
	return bridge_session_id(guest->session);
}

const struct front_route *bridge_guest_route(const struct bridge_guest *guest)
{
	return &guest->route;
}

void bridge_guest_link_lost(struct bridge_guest *guest, const struct front_keeper *front)
{
	if (guest->route.front == front)
		guest->route.front = NULL;
	if (guest->newcomer.front == front)
		guest->newcomer.front = NULL;
}

bool bridge_guest_knows(const struct bridge_guest *guest, uint64_t session)
{
	return bridge_session_knows(guest->session, session);
}

/* Never 0, which means that there is no session. */
static uint64_t random_identity(void)
{
	uint64_t identity = 0;

	while (identity == 0)
		randombytes_buf(&identity, sizeof identity);
	return identity;
}

int bridge_guest_receive(struct bridge_guest *guest, const struct wire_message *message,
	const struct front_route *from)
{
	int r;

	guest->from = *from;
	guest->why = message->type == WIRE_BYE ? "the guest said goodbye" : "a new one begins";
	r = bridge_session_receive(guest->session, guest_now(guest), message, random_identity());
	/* A frame of the session has its number, which only its daemon knows. */
	if (r == 0 && message->type != WIRE_HELLO)
		guest->route = *from;
	if (message->type == WIRE_HELLO &&
	    bridge_session_awaits(guest->session, message->hello.guest_boot))
		guest->newcomer = *from;
	return r < 0 ? r : guest_pump(guest);
}

/* Cards that were refused, and are free now, are removed and inserted. */
static void guest_bring_back(struct bridge_guest *guest, uint64_t now)
{
	for (struct guest_reader *r = guest->readers; r != NULL; r = r->next) {
		struct wire_reader *shown = guest_shown(guest, r->id);

		if (!comeback_check(&r->comeback, now, guest_reader_is_unoccupied(r)) || shown == NULL)
			continue;
		log_info(guest->config->name, "%s: the card may be free again", r->name);
		shown->insertion++;
		bridge_session_set_readers(guest->session, now, &guest->allowed);
	}
}

int bridge_guest_tick(struct bridge_guest *guest, uint64_t now)
{
	int r;

	guest->why = "the guest is silent";
	audit_tick(&guest->audit, now);
	for (struct guest_reader *reader = guest->readers; reader != NULL; reader = reader->next)
		guest_reader_tick(reader, now);
	guest_bring_back(guest, now);
	r = bridge_session_tick(guest->session, now);
	return r < 0 ? r : guest_pump(guest);
}

uint64_t bridge_guest_deadline(const struct bridge_guest *guest)
{
	uint64_t deadline = bridge_session_deadline(guest->session);

	if (audit_deadline(&guest->audit) < deadline)
		deadline = audit_deadline(&guest->audit);
	for (const struct guest_reader *r = guest->readers; r != NULL; r = r->next) {
		if (r->deadline < deadline)
			deadline = r->deadline;
		if (r->comeback.check_at < deadline)
			deadline = r->comeback.check_at;
	}
	return deadline;
}

static void guest_hide_pin_pad(struct wire_reader *reader)
{
	reader->pin_support = 0;
	reader->lcd_lines = 0;
	reader->lcd_characters = 0;
}

static void guest_count_comebacks(struct bridge_guest *guest, const struct reader_table *table)
{
	for (struct guest_reader *r = guest->readers; r != NULL; r = r->next) {
		const struct reader_entry *entry = reader_table_find(table, r->name);
		struct wire_reader *shown = guest_shown(guest, r->id);

		r->comeback.exclusive = entry != NULL && entry->exclusive;
		if (shown != NULL)
			shown->insertion += r->comeback.count;
	}
}

int bridge_guest_set_readers(struct bridge_guest *guest, const struct reader_table *table)
{
	reader_table_pick(table, (const char *const *)guest->config->patterns,
		guest->config->pattern_count, &guest->allowed);
	for (size_t i = 0; i < guest->allowed.count && !guest->config->pin_pad; i++)
		guest_hide_pin_pad(&guest->allowed.readers[i]);
	guest_count_comebacks(guest, table);
	bridge_session_set_readers(guest->session, guest_now(guest), &guest->allowed);
	return guest_pump(guest);
}

void bridge_guest_forget_readers(struct bridge_guest *guest)
{
	guest->allowed = (struct wire_readers){ .service = 0 };
	bridge_session_forget_readers(guest->session);
}

struct bridge_guest_use bridge_guest_use(const struct bridge_guest *guest, const char *name)
{
	struct bridge_guest_use use = {
		.allowed = reader_table_picks((const char *const *)guest->config->patterns,
			guest->config->pattern_count, name),
	};

	for (const struct guest_reader *r = guest->readers; r != NULL; r = r->next) {
		if (strcmp(r->name, name) != 0)
			continue;
		use.open = r->open;
		use.used = r->open && r->used;
	}
	return use;
}

struct bridge_guest_look bridge_guest_look(const struct bridge_guest *guest)
{
	return (struct bridge_guest_look){
		.since = guest->since,
		.sessions = guest->sessions,
		.refused_calls = guest->refused,
		.readers = guest->readers,
	};
}

bool bridge_guest_is_busy(const struct bridge_guest *guest)
{
	for (const struct guest_reader *r = guest->readers; r != NULL; r = r->next) {
		if (r->child != NULL)
			return true;
	}
	return false;
}

void bridge_guest_shut(struct bridge_guest *guest)
{
	for (struct guest_reader *reader = guest->readers; reader != NULL; reader = reader->next)
		guest_reader_shut(reader);
}
