/*
 * Probers over libuv. See reader_probe.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "host-bridge/reader_probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "host-bridge/process.h"

#define STOP_GRACE 100 /* ms: a prober has nothing to give up in order */

struct reader_probe {
	struct reader_probe *next;
	struct reader_probes *owner;
	struct child *child;
	uv_timer_t patience;
	char name[WIRE_NAME_MAX];
	bool stopped;
};

static void on_timer_closed(uv_handle_t *handle)
{
	free(handle->data);
}

/* Shows the reader, if it was kept back for this. */
static void probe_show(struct reader_probe *probe)
{
	struct reader_entry *entry = reader_table_find(probe->owner->table, probe->name);

	if (entry == NULL || !entry->waiting)
		return;
	entry->waiting = false;
	probe->owner->changed(probe->owner->context);
}

static void on_patience_over(uv_timer_t *timer)
{
	probe_show(timer->data);
}

static void log_pin_pad(const struct wire_reader *reader)
{
	static const char *const what[] = { "none", "verification", "modification",
		"verification and modification" };

	log_info("readers", "%s: PIN pad for %s, display %ux%u", reader->name,
		what[reader->pin_support & 3], (unsigned int)reader->lcd_lines,
		(unsigned int)reader->lcd_characters);
}

/* The prober's answer. */
static void probe_take(struct reader_probe *probe, const struct wire_reader *told)
{
	struct reader_entry *entry = reader_table_find(probe->owner->table, probe->name);

	if (probe->stopped || entry == NULL || strcmp(told->name, probe->name) != 0)
		return;
	if (told->pin_support != 0)
		log_pin_pad(told);
	entry->waiting = false;
	entry->reader.pin_support = told->pin_support;
	entry->reader.lcd_lines = told->lcd_lines;
	entry->reader.lcd_characters = told->lcd_characters;
	probe->owner->changed(probe->owner->context);
}

static void on_message(void *owner, const struct wire_message *message)
{
	if (message->type == WIRE_READERS && message->readers.count == 1)
		probe_take(owner, &message->readers.readers[0]);
}

static void probe_forget(struct reader_probe *probe)
{
	struct reader_probe **link = &probe->owner->first;

	while (*link != probe)
		link = &(*link)->next;
	*link = probe->next;
	uv_close((uv_handle_t *)&probe->patience, on_timer_closed);
}

static void on_ended(void *owner, bool clean)
{
	struct reader_probe *probe = owner;

	(void)clean;
	if (!probe->stopped)
		probe_show(probe);
	probe_forget(probe);
}

static struct reader_probe *probes_find(const struct reader_probes *probes, const char *name)
{
	struct reader_probe *probe = probes->first;

	while (probe != NULL && (probe->stopped || strcmp(probe->name, name) != 0))
		probe = probe->next;
	return probe;
}

static void probe_stop(struct reader_probe *probe)
{
	if (probe->stopped)
		return;
	probe->stopped = true;
	child_stop(probe->child, STOP_GRACE);
}

/* A reader without a prober is shown as it is known. */
static void probe_start(struct reader_probes *probes, struct reader_entry *entry)
{
	static const struct child_functions functions = {
		.message = on_message,
		.ended = on_ended,
	};
	const char *const words[] = { entry->reader.name };
	const struct child_role role = {
		.name = PROCESS_PROBER,
		.words = words,
		.word_count = 1,
	};
	struct reader_probe *probe = calloc(1, sizeof *probe);

	if (probe == NULL || child_start(&probe->child, probes->loop, &role, &functions, probe) != 0) {
		free(probe);
		entry->waiting = false;
		return;
	}
	probe->owner = probes;
	memcpy(probe->name, entry->reader.name, sizeof probe->name);
	(void)uv_timer_init(probes->loop, &probe->patience);
	probe->patience.data = probe;
	(void)uv_timer_start(&probe->patience, on_patience_over, PROBE_PATIENCE, 0);
	probe->next = probes->first;
	probes->first = probe;
}

void reader_probes_start(struct reader_probes *probes, bool again)
{
	for (size_t i = 0; i < probes->table->count; i++) {
		struct reader_entry *entry = &probes->table->entries[i];
		struct reader_probe *running = probes_find(probes, entry->reader.name);
		bool fresh = entry->change == READER_PLUGGED;

		/* What an earlier one finds out is about a reader, or a pcscd, that is gone. */
		if (running != NULL && (!entry->plugged || fresh || again))
			probe_stop(running);
		if (entry->plugged && (fresh || again))
			probe_start(probes, entry);
	}
}

void reader_probes_stop(struct reader_probes *probes)
{
	struct reader_probe *next;

	for (struct reader_probe *probe = probes->first; probe != NULL; probe = next) {
		next = probe->next;
		probe_stop(probe);
	}
}
