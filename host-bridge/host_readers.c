/*
 * The monitor's messages, its log lines, and its lives. See host_readers.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "host-bridge/host_readers.h"

#include "base/log.h"
#include "host-bridge/process.h"
#include "host-bridge/watch.h"

#define BACK_OFF_FIRST 100     /* ms to the next start of a monitor that didn't live long */
#define BACK_OFF_MAX 5000
#define LIFE_MIN 10000         /* ms: one that lived so long is started again at once */
#define REST_AFTER 10000       /* ms without a guest: one that comes back soon finds all awake */
#define STOP_GRACE 2000        /* ms: a wait for readers takes one second at most */

static const char *change_text(enum reader_change change)
{
	switch (change) {
	case READER_SAME:
		break;
	case READER_PLUGGED:
		return "reader found";
	case READER_UNPLUGGED:
		return "reader gone";
	case READER_CARD_INSERTED:
		return "card inserted";
	case READER_CARD_REMOVED:
		return "card removed";
	case READER_CARD_SWAPPED:
		return "card removed and inserted";
	case READER_CARD_MUTE:
		return "the card does not answer";
	case READER_CARD_ANSWERS:
		return "the card answers again";
	}
	return NULL;
}

static const char *card_text(uint8_t card)
{
	switch (card) {
	case WIRE_CARD_ABSENT:
		return "no card";
	case WIRE_CARD_PRESENT:
		return "card present";
	}
	return "card present, but it does not answer";
}

static void log_service(const struct host_readers *readers, bool before)
{
	if (readers->known && before == readers->table.service)
		return;
	if (readers->table.service)
		log_info("readers", "pcscd answers");
	else
		log_warning("readers", "pcscd does not answer; waiting for it");
}

static void log_foreign(struct host_readers *readers, bool foreign)
{
	if (foreign && !readers->foreign)
		log_warning("readers", "pcscd is of a version that the installed libpcsclite can't "
			"talk to: update both, and restart pcscd");
	readers->foreign = foreign;
}

static void log_changes(const struct reader_table *table)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct reader_entry *entry = &table->entries[i];
		const char *text = change_text(entry->change);

		if (entry->change == READER_PLUGGED)
			log_info("readers", "%s: reader found, %s", entry->reader.name,
				card_text(entry->reader.card));
		else if (text != NULL)
			log_info("readers", "%s: %s", entry->reader.name, text);
	}
}

/* Takes over a list. Returns whether that went well. */
static bool readers_update(struct host_readers *readers, const struct wire_readers *seen)
{
	bool back = seen->service && !readers->table.service;
	int r = reader_table_update(&readers->table, seen);

	if (r < 0) {
		readers->fail(readers->context, r);
		return false;
	}
	reader_probes_start(&readers->probes, back);
	readers->changed(readers->context);
	return true;
}

static void readers_report(struct host_readers *readers, const struct wire_readers *seen)
{
	bool before = readers->table.service;

	if (!readers_update(readers, seen))
		return;
	log_service(readers, before);
	readers->known = true;
	log_changes(&readers->table);
}

static void readers_launch(struct host_readers *readers);

static void on_timer(uv_timer_t *timer)
{
	readers_launch(timer->data);
}

/* Starts the monitor later, and the later the more often it has failed. */
static void readers_relaunch(struct host_readers *readers)
{
	const struct wire_readers unknown = { .service = 0 };

	if (readers->stopping)
		return;
	if (uv_now(readers->loop) - readers->started >= LIFE_MIN) {
		readers->back_off = 0;
	} else if (readers->back_off == 0) {
		readers->back_off = BACK_OFF_FIRST;
	} else {
		/*
		 * The second time in a row: what we know is old. The next report counts as the
		 * first.
		 */
		log_warning("readers", "all cards count as removed until a monitor lives longer");
		(void)readers_update(readers, &unknown);
		readers->known = false;
		readers->back_off *= 2;
	}
	if (readers->back_off > BACK_OFF_MAX)
		readers->back_off = BACK_OFF_MAX;
	(void)uv_timer_start(&readers->timer, on_timer, readers->back_off, 0);
}

static void on_message(void *owner, const struct wire_message *message)
{
	struct host_readers *readers = owner;
	struct wire_readers seen;

	if (message->type != WIRE_READERS || readers->at_rest)
		return;
	seen = message->readers;
	log_foreign(readers, seen.service == WATCH_FOREIGN);
	if (seen.service == WATCH_FOREIGN)
		seen.service = 0;
	readers_report(readers, &seen);
}

static void readers_wake(struct host_readers *readers)
{
	readers->at_rest = false;
	readers->back_off = 0;
	readers_launch(readers);
}

static void on_ended(void *owner, bool clean)
{
	struct host_readers *readers = owner;

	readers->monitor = NULL;
	if (readers->stopping)
		return;
	if (readers->at_rest) {
		/* As it should; but by now it may be wanted again. */
		if (readers->wanted)
			readers_wake(readers);
		return;
	}
	if (clean) {
		/* It can't talk to this pcscd; another process may have another libpcsclite. */
		(void)uv_timer_start(&readers->timer, on_timer, BACK_OFF_MAX, 0);
		return;
	}
	log_warning("readers", "the monitor process died; starting another one");
	readers_relaunch(readers);
}

static void readers_launch(struct host_readers *readers)
{
	static const struct child_functions functions = {
		.message = on_message,
		.ended = on_ended,
	};
	const struct child_role role = {
		.name = PROCESS_MONITOR,
	};
	int r;

	readers->started = uv_now(readers->loop);
	r = child_start(&readers->monitor, readers->loop, &role, &functions, readers);
	if (r < 0)
		readers->fail(readers->context, r);
	else if (r != 0)
		readers_relaunch(readers);
}

void host_readers_start(struct host_readers *readers)
{
	readers->probes = (struct reader_probes){
		.loop = readers->loop,
		.table = &readers->table,
		.changed = readers->changed,
		.context = readers->context,
	};
	(void)uv_timer_init(readers->loop, &readers->timer);
	readers->timer.data = readers;
	(void)uv_timer_init(readers->loop, &readers->rest_timer);
	readers->rest_timer.data = readers;
	readers->at_rest = true;
	readers->begun = true;
}

static void readers_rest(struct host_readers *readers)
{
	log_debug("readers", "no guest is there: pcscd is left alone");
	readers->at_rest = true;
	readers->known = false;
	(void)uv_timer_stop(&readers->timer);
	reader_probes_stop(&readers->probes);
	if (readers->monitor != NULL)
		child_stop(readers->monitor, STOP_GRACE);
	reader_table_forget(&readers->table);
	readers->forgotten(readers->context);
}

/* Whether it is still unwanted, our owner has to say: a guest may have come at this moment. */
static void on_rest(uv_timer_t *timer)
{
	struct host_readers *readers = timer->data;

	readers->rest_due = true;
}

void host_readers_want(struct host_readers *readers, bool wanted)
{
	if (!readers->begun || readers->stopping)
		return;
	if (wanted) {
		(void)uv_timer_stop(&readers->rest_timer);
		readers->rest_due = false;
	} else if (readers->wanted) {
		(void)uv_timer_start(&readers->rest_timer, on_rest, REST_AFTER, 0);
	}
	readers->wanted = wanted;
	/* A monitor that is on its way out is waited for. */
	if (wanted && readers->at_rest && readers->monitor == NULL)
		readers_wake(readers);
	if (readers->rest_due)
		readers_rest(readers);
	readers->rest_due = false;
}

void host_readers_stop(struct host_readers *readers)
{
	if (readers->stopping)
		return;
	readers->stopping = true;
	if (!readers->begun)
		return;
	uv_close((uv_handle_t *)&readers->timer, NULL);
	uv_close((uv_handle_t *)&readers->rest_timer, NULL);
	reader_probes_stop(&readers->probes);
	if (readers->monitor != NULL)
		child_stop(readers->monitor, STOP_GRACE);
}

void host_readers_deinit(struct host_readers *readers)
{
	reader_table_deinit(&readers->table);
}
