/*
 * pcscd and its readers, as they look from here. See doctor_parts.h.
 *
 * pcscd doesn't tell who has a card exclusively. But whoever uses it has libpcsclite mapped, so the
 * programs that may be it can be named, as far as this user may look into them.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <glob.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host-bridge/doctor_parts.h"
#include "host-bridge/outcome.h"
#include "relay/pattern.h"
#include "relay/wire.h"

#define ANSWER_LIMIT 10 /* s that pcscd has for an answer */
#define NAMES_MAX 4096  /* bytes of the names of all readers */
#define LIST_MAX 512    /* bytes of a list in a line */
#define PROCESSES "/proc/[0-9]*"

struct readers {
	char names[NAMES_MAX]; /* each with its zero */
	SCARD_READERSTATE states[WIRE_READERS_MAX];
	size_t count;
};

/* A call into pcscd has no limit of its own. */
static void on_silence(int number)
{
	static const char line[] =
		"problem  pcscd: runs, but doesn't answer\n"
		"             type: systemctl restart pcscd\n1 problem found\n";

	(void)number;
	(void)!write(STDOUT_FILENO, line, sizeof(line) - 1);
	_exit(EXIT_FAILURE);
}

/* Appends text, with a comma before all but the first; not at all if there is no room. */
static void list_add(char *list, const char *text)
{
	size_t used = strlen(list), room = LIST_MAX - used;
	int n = snprintf(list + used, room, "%s%s", used > 0 ? ", " : "", text);

	if (n < 0 || (size_t)n >= room)
		list[used] = '\0';
}

static void explain(struct checkup *checkup, LONG problem)
{
	char number[16];

	switch (problem) {
	case SCARD_E_NO_SERVICE:
		checkup_problem(checkup, "pcscd", "systemctl start pcscd.socket",
			"doesn't run, or isn't installed (apt install pcscd libccid)");
		break;
	case SCARD_W_SECURITY_VIOLATION:
		checkup_problem(checkup, "pcscd", NULL, "refuses this user: polkit has no rule for "
			"org.debian.pcsc-lite.access_pcsc, or pcscd has no context left");
		break;
	default:
		checkup_problem(checkup, "pcscd", NULL, "%s",
			outcome_code_name(problem, number, sizeof(number)));
		break;
	}
}

/* ---- readers ---- */

static LONG read_readers(struct readers *readers, SCARDCONTEXT context,
	const struct pcsc_functions *pcsc)
{
	DWORD size = sizeof(readers->names) - 1;
	LONG r = pcsc->list_readers(context, NULL, readers->names, &size);

	if (r == SCARD_E_NO_READERS_AVAILABLE)
		return SCARD_S_SUCCESS;
	if (r != SCARD_S_SUCCESS)
		return r;
	for (const char *name = readers->names; *name != '\0' && readers->count < WIRE_READERS_MAX;
		name += strlen(name) + 1)
		readers->states[readers->count++].szReader = name;
	return pcsc->get_status_change(context, 1, readers->states, (DWORD)readers->count);
}

static const char *card_state(DWORD state)
{
	if ((state & SCARD_STATE_MUTE) != 0)
		return "a card that doesn't answer";
	if ((state & SCARD_STATE_EXCLUSIVE) != 0)
		return "a card, which a program has exclusively";
	if ((state & SCARD_STATE_INUSE) != 0)
		return "a card, in use";
	if ((state & SCARD_STATE_PRESENT) != 0)
		return "a card";
	return "no card";
}

/* The programs that have libpcsclite mapped, but for this one. */
static void list_users(char *list)
{
	char path[64], line[512], name[64], own[64];
	glob_t processes;

	list[0] = '\0';
	(void)snprintf(own, sizeof(own), "/proc/%ld", (long)getpid());
	if (glob(PROCESSES, GLOB_NOSORT, NULL, &processes) != 0)
		return;
	for (size_t i = 0; i < processes.gl_pathc; i++) {
		FILE *maps, *comm;
		bool uses = false;

		if (strcmp(processes.gl_pathv[i], own) == 0)
			continue;
		(void)snprintf(path, sizeof(path), "%s/maps", processes.gl_pathv[i]);
		maps = fopen(path, "re");
		while (maps != NULL && !uses && fgets(line, sizeof(line), maps) != NULL)
			uses = strstr(line, "/libpcsclite.so") != NULL;
		if (maps != NULL)
			(void)fclose(maps);
		(void)snprintf(path, sizeof(path), "%s/comm", processes.gl_pathv[i]);
		comm = uses ? fopen(path, "re") : NULL;
		if (comm != NULL && fgets(name, sizeof(name), comm) != NULL) {
			name[strcspn(name, "\n")] = '\0';
			(void)snprintf(line, sizeof(line), "%s (%s)", name,
				processes.gl_pathv[i] + strlen("/proc/"));
			list_add(list, line);
		}
		if (comm != NULL)
			(void)fclose(comm);
	}
	globfree(&processes);
}

static void check_reader(struct checkup *checkup, const SCARD_READERSTATE *reader)
{
	DWORD state = reader->dwEventState;
	char users[LIST_MAX];

	if ((state & SCARD_STATE_EXCLUSIVE) == 0) {
		checkup_ok(checkup, "reader", "\"%s\", with %s", reader->szReader, card_state(state));
		return;
	}
	list_users(users);
	checkup_problem(checkup, "reader", NULL, "\"%s\", with %s; guests have to wait. Programs that "
		"use cards now: %s", reader->szReader, card_state(state),
		users[0] != '\0' ? users : "none that this user may see");
}

/* ---- what guests would see ---- */

static bool any_matches(const struct readers *readers, const char *pattern)
{
	for (size_t i = 0; i < readers->count; i++) {
		if (pattern_matches(pattern, readers->states[i].szReader))
			return true;
	}
	return false;
}

static void check_guest(struct checkup *checkup, const struct bridge_guest_config *guest,
	const struct readers *readers)
{
	char what[96], names[LIST_MAX] = "", quoted[WIRE_NAME_MAX + 2];

	(void)snprintf(what, sizeof(what), "guest \"%.64s\"", guest->name);
	for (size_t i = 0; i < readers->count; i++) {
		(void)snprintf(quoted, sizeof(quoted), "\"%s\"", readers->states[i].szReader);
		list_add(names, quoted);
	}
	for (size_t i = 0; i < guest->pattern_count; i++) {
		if (any_matches(readers, guest->patterns[i]))
			checkup_ok(checkup, what, "a reader matches \"%s\"", guest->patterns[i]);
		else if (readers->count == 0)
			checkup_unknown(checkup, what, "no reader to match \"%s\"",
				guest->patterns[i]);
		else
			checkup_problem(checkup, what, NULL, "no reader matches \"%s\"; there are: %s",
				guest->patterns[i], names);
	}
}

void doctor_pcsc(struct checkup *checkup, const struct bridge_config *config,
	const struct pcsc_functions *pcsc)
{
	struct readers readers = { .count = 0 };
	SCARDCONTEXT context;
	LONG r;

	(void)fflush(checkup->out);
	(void)signal(SIGALRM, on_silence);
	(void)alarm(ANSWER_LIMIT);
	r = pcsc->establish_context(SCARD_SCOPE_SYSTEM, NULL, NULL, &context);
	if (r == SCARD_S_SUCCESS) {
		r = read_readers(&readers, context, pcsc);
		(void)pcsc->release_context(context);
	}
	(void)alarm(0);
	if (r != SCARD_S_SUCCESS) {
		explain(checkup, r);
		return;
	}
	checkup_ok(checkup, "pcscd", "answers, and has %zu reader%s", readers.count,
		readers.count == 1 ? "" : "s");
	doctor_service(checkup, pcsc);
	for (size_t i = 0; i < readers.count; i++)
		check_reader(checkup, &readers.states[i]);
	for (size_t i = 0; config != NULL && i < config->guest_count; i++)
		check_guest(checkup, &config->guests[i], &readers);
}
