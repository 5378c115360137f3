/*
 * The device's life on the bus: USB 2.0, chapter 9. Each twenty times, idle and in mid-command. A
 * configuration makes a new reader of it: whatever was unanswered is forgotten, no card is powered.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/card/commands.h"
#include "tests/conformance/card.h"
#include "tests/conformance/suite.h"

#define TIMES 20

/* How long the card works on a command that something happens to, ms. */
#define MID_COMMAND 240

typedef int usb_action(struct tester *t);

static int set_interface(struct tester *t)
{
	return transport_set_interface(&t->transport);
}

static int set_configuration(struct tester *t)
{
	return transport_set_configuration(&t->transport, false);
}

static int through_unconfigured(struct tester *t)
{
	return transport_set_configuration(&t->transport, true);
}

static int reset_port(struct tester *t)
{
	return transport_reset(&t->transport);
}

static int clear_halts(struct tester *t)
{
	return transport_clear_halts(&t->transport);
}

struct action {
	usb_action *run;
	bool new_reader; /* the card is not powered afterwards */
};

static bool act(struct tester *t, const struct action *action)
{
	int r = action->run(t);

	return tester_check(t, r == 0, "%s", libusb_error_name(r));
}

/* The reader is there, its card as it should be, and usable. */
static bool is_well(struct tester *t, const struct action *action)
{
	if (!t->card)
		return tester_status_is(t, ICC_ABSENT);
	return tester_status_is(t, action->new_reader ? ICC_INACTIVE : ICC_ACTIVE) &&
		(!action->new_reader || tester_power_on(t)) && card_select_works(t);
}

static bool idle(struct tester *t)
{
	for (int i = 0; i < TIMES; i++) {
		if (!act(t, t->argument) || !is_well(t, t->argument))
			return false;
	}
	return true;
}

/* APDUs that the card has got, its own count's included. */
static bool counts(struct tester *t, uint32_t before, uint32_t apdus)
{
	uint32_t after;

	return card_count(t, &after) &&
		tester_check(t, after - before == apdus + 1, "%u APDUs at the card for %u",
			after - before - 1, apdus);
}

/*
 * In mid-command: its answer never comes, neither at once nor when the card is done. The card gets
 * each APDU once, the one that was given up and the good one behind it.
 */
static bool in_mid_command(struct tester *t)
{
	const struct action *action = t->argument;
	uint32_t before;

	if (!card_count(t, &before))
		return false;
	for (int i = 0; i < TIMES; i++) {
		if (!card_start_work(t, MID_COMMAND))
			return false;
		transport_pause(50 + (unsigned int)i % 4 * MID_COMMAND / 3);
		if (!act(t, action) || !tester_status(t) || !tester_quiet(t, MID_COMMAND + 200) ||
			!is_well(t, action))
			return false;
	}
	return counts(t, before, 2 * TIMES);
}

/* A halt that was none changes nothing: the command goes on, and is answered. */
static bool halts_in_mid_command(struct tester *t)
{
	uint32_t before;

	if (!card_count(t, &before))
		return false;
	for (int i = 0; i < TIMES; i++) {
		if (!card_start_work(t, 50) || !act(t, t->argument) || !card_worked(t) ||
			!is_well(t, t->argument))
			return false;
	}
	return counts(t, before, 2 * TIMES);
}

/* With an answer that nobody has read, of any size: the next answer is the next command's. */
static bool with_unread_answer(struct tester *t)
{
	static const size_t sizes[] = { 8, 600, 2000, 30000 };

	for (size_t i = 0; i < TIMES; i++) {
		size_t n = sizes[i % 4];
		size_t size = card_apdu(card_buffer, COMMAND_SOURCE, n, 0, n);

		if (!tester_send_part(t, LEVEL_WHOLE, card_buffer, size))
			return false;
		transport_pause(i % 2 == 0 ? 0 : 150);
		if (!act(t, t->argument) || !is_well(t, t->argument))
			return false;
	}
	return true;
}

/* With half a command on its way: the rest never comes. */
static bool with_half_a_command(struct tester *t)
{
	static const uint8_t data[2000];

	for (int i = 0; i < TIMES; i++) {
		(void)tester_encode(t, &(struct command){ .type = XFR_BLOCK, .data = data,
			.size = sizeof(data) });
		if (!tester_write(t, t->out, t->transport.packet_size) || !act(t, t->argument) ||
			!is_well(t, t->argument))
			return false;
	}
	return true;
}

/* With a chain under way. */
static bool with_half_a_chain(struct tester *t)
{
	return tester_ask_part(t, LEVEL_BEGINS, card_select, 5) &&
		tester_expect(t, ICC_ACTIVE, 0) &&
		act(t, t->argument) && is_well(t, t->argument) &&
		tester_ask_part(t, LEVEL_ENDS, card_select + 5, CARD_SELECT_SIZE - 5) &&
		tester_expect(t, FAILED | ICC_ACTIVE, WRONG_LEVEL);
}

/* Half an abort does not outlive it. */
static bool with_half_an_abort(struct tester *t)
{
	int r = transport_control_out(&t->transport, REQUEST_TYPE_OUT, REQUEST_ABORT,
		(uint16_t)((t->seq + 50) << 8));

	return tester_check(t, r == 0, "the request ABORT") && act(t, t->argument) &&
		is_well(t, t->argument);
}

/* ---- suspend and resume ---- */

static bool write_file(const char *folder, const char *name, const char *text)
{
	char path[300];
	bool written;
	int file;

	(void)snprintf(path, sizeof(path), "%s/power/%s", folder, name);
	file = open(path, O_WRONLY | O_CLOEXEC);
	written = file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text);
	if (file >= 0)
		(void)close(file);
	return written;
}

static bool is_suspended(const char *folder)
{
	char path[300], text[16] = "";
	ssize_t n = 0;
	int file;

	(void)snprintf(path, sizeof(path), "%s/power/runtime_status", folder);
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file >= 0)
		n = read(file, text, sizeof(text) - 1);
	if (file >= 0)
		(void)close(file);
	return n > 0 && strncmp(text, "suspended", 9) == 0;
}

/* Linux suspends a device that no program has open, if it may. */
static bool suspend(struct tester *t, const char *folder)
{
	bool suspended = false;

	(void)transport_release(&t->transport);
	for (int i = 0; i < 100 && !suspended; i++) {
		transport_pause(50);
		suspended = is_suspended(folder);
	}
	return tester_check(t, transport_reopen(&t->transport) == 0, "can't be opened again") &&
		tester_check(t, suspended, "not suspended within 5 s");
}

/* USB 2.0, 9.1.1.6: a device keeps its state while it is suspended. */
static bool suspended(struct tester *t)
{
	const struct action keeps = { .new_reader = false };
	char folder[200];
	bool ok = true;

	transport_sysfs(&t->transport, folder, sizeof(folder));
	if (!tester_check(t, write_file(folder, "autosuspend_delay_ms", "0") &&
			write_file(folder, "control", "auto"), "no power management in %s", folder))
		return false;
	for (int i = 0; i < TIMES && ok; i++)
		ok = suspend(t, folder) && is_well(t, &keeps);
	(void)write_file(folder, "control", "on");
	return ok;
}

/* ---- two programs, one after the other ---- */

/*
 * libccid announces neither its end nor its beginning; bSeq is 0 again. Where it looks at bSeq it
 * reads on when that is wrong, up to ten times, and it asks for the status twice when it opens a
 * reader. So the old program's answer may come until then; but once the card was powered on,
 * nothing of the past comes.
 */
static bool ask_as_libccid(struct tester *t, uint8_t type)
{
	int skipped = 0;

	if (!tester_send(t, &(struct command){ .type = type }))
		return false;
	while (tester_receive(t, TESTER_PATIENCE)) {
		if (t->answer.seq == t->last.seq)
			return tester_check(t, t->answer.type == tester_answer_type(type),
				"type %02X to command %02X", t->answer.type, type);
		if (!tester_check(t, skipped++ < 10, "bSeq %02X again and again", t->answer.seq))
			return false;
	}
	return false;
}

static bool begin_as_libccid(struct tester *t)
{
	t->seq = 0xFF;
	if (!ask_as_libccid(t, GET_SLOT_STATUS)) {
		t->reason[0] = '\0';
		if (!ask_as_libccid(t, GET_SLOT_STATUS))
			return false;
	}
	return ask_as_libccid(t, ICC_POWER_ON) && tester_expect(t, ICC_ACTIVE, 0) &&
		card_source(t, 25);
}

/* In mid-command, the program is gone. */
static bool next_program(struct tester *t)
{
	size_t size;

	for (int i = 0; i < TIMES; i++) {
		t->seq = 0xFF;
		size = card_apdu(card_buffer, COMMAND_WORK, 300, 4, 256);
		if (!tester_send_part(t, LEVEL_WHOLE, card_buffer, size))
			return false;
		transport_pause((unsigned int)i % 4 * 100);
		(void)transport_release(&t->transport);
		if (!tester_check(t, transport_reopen(&t->transport) == 0,
			"can't be opened again") ||
			!begin_as_libccid(t))
			return false;
	}
	return true;
}

static const struct action interface = { set_interface, true },
			   configuration = { set_configuration, true },
			   unconfigured = { through_unconfigured, true },
			   port = { reset_port, true },
			   halts = { clear_halts, false };

#define SCRIPTED (NEED_CARD | NEED_SCRIPTED)
#define CHAPTER(SECTION, NAME, ACTION)                                                             \
	{ SECTION, NAME ", twenty times", 0, START_ANY, idle_from_any, ACTION },                   \
	{ SECTION, NAME " in mid-command, twenty times", SCRIPTED, START_ACTIVE, in_mid_command, ACTION },       \
	{ SECTION, NAME " with an unread answer", SCRIPTED, START_ACTIVE, with_unread_answer,      \
		ACTION },                                                                          \
	{ SECTION, NAME " with half a command", NEED_CARD, START_ACTIVE, with_half_a_command,      \
		ACTION },                                                                          \
	{ SECTION, NAME " with half a chain", NEED_CARD | NEED_EXTENDED, START_ACTIVE,             \
		with_half_a_chain, ACTION },                                                       \
	{ SECTION, NAME " with half an Abort", NEED_CARD, START_ACTIVE, with_half_an_abort, ACTION }

/* With or without a card; one that can, counts what it gets. */
static bool idle_from_any(struct tester *t)
{
	uint32_t before;

	if (t->card && !tester_power_on(t))
		return false;
	if (!t->card || !t->scripted)
		return idle(t);
	return card_count(t, &before) && idle(t) && counts(t, before, TIMES);
}

const struct suite_case usb_cases[] = {
	CHAPTER("USB 9.4.10", "SET_INTERFACE", &interface),
	CHAPTER("USB 9.4.7", "SET_CONFIGURATION", &configuration),
	CHAPTER("USB 9.4.7", "SET_CONFIGURATION 0 and back", &unconfigured),
	CHAPTER("USB 7.1.7.5", "a port's reset", &port),
	{ "USB 9.4.1", "CLEAR_FEATURE of all halts, twenty times", 0, START_ANY, idle_from_any,
		&halts },
	{ "USB 9.4.1", "CLEAR_FEATURE of all halts in mid-command, twenty times", SCRIPTED,
		START_ACTIVE, halts_in_mid_command, &halts },
	{ "USB 9.1.1.6", "suspended and resumed, twenty times", NEED_CARD, START_ACTIVE, suspended,
		NULL },
	{ "drivers", "a program is gone in mid-command, and the next one begins", SCRIPTED,
		START_ACTIVE, next_program, NULL },
	{ .name = NULL },
};
