/*
 * watch: prints a line for each change of the list of readers and of a card's state; pcsc_scan for
 * programs. It runs on the host and in the guest, so that a test can tell who saw what when.
 *
 *     t=1732147200.123456 elapsed=0.401 service=up
 *     t=1732147200.123460 elapsed=0.401 event=added reader="Virtual PCD 00 00"
 *     t=1732147200.123470 elapsed=0.401 event=state reader="..." state=present count=1 atr=3B98...
 *     t=1732147201.523470 elapsed=1.801 event=removed reader="Virtual PCD 00 00"
 *
 * t is the time of day of this machine, in the form of the card's log; elapsed counts from the
 * start. count is pcscd's number of card events: it tells a card that was swapped from one that
 * stayed. Lines are flushed one by one, so that who reads them through a pipe can stamp their
 * arrival.
 *
 * pcscd may go and come back; a reader list that can't be had is no readers.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <winscard.h>

#include "base/log.h"
#include "tests/pcsc/names.h"
#include "tests/pcsc/session.h"
#include "tests/pcsc/timing.h"

#define EXIT_USAGE 2
#define READERS_MAX 15 /* SCardGetStatusChange() takes 16 in pcsc-lite 1.9.9, and one is the list */

/* Before pcsc-lite 2.3.0 a change of the list between two calls is lost: it is read this often. */
#define SLICE_MS 200

static const char usage_text[] =
	"usage: watch [OPTION...]\n"
	"  --reader PATTERN  only readers whose name matches (all)\n"
	"  --until STATE     end with status 0 when a reader is in this state: present, empty,\n"
	"                    mute, reader (there is one), no-reader (there is none)\n"
	"  --timeout S       end after S seconds, with status 1 if --until was not met, else 0\n"
	"  --help            print this and end\n";

struct watched {
	char name[MAX_READERNAME];
	DWORD state; /* what SCardGetStatusChange() said last; 0 at first */
	char words[64];
	char atr[2 * MAX_ATR_SIZE + 1];
	bool listed;
};

struct watch {
	const char *pattern;
	const char *until;
	uint64_t start_us;
	SCARDCONTEXT context;
	bool up;
	bool told; /* whether service=up or service=down was printed */
	struct watched readers[READERS_MAX];
	DWORD count;
};

/* Prints the beginning of a line. */
static void print_time(const struct watch *watch)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)printf("t=%lld.%06ld elapsed=%.3f ", (long long)now.tv_sec, now.tv_nsec / 1000,
		     (double)(timing_now_us() - watch->start_us) / 1e6);
}

static void print_service(struct watch *watch, bool up)
{
	if (watch->told && watch->up == up)
		return;
	watch->told = true;
	watch->up = up;
	print_time(watch);
	(void)printf("service=%s\n", up ? "up" : "down");
}

static void print_listed(const struct watch *watch, const char *event, const char *name)
{
	print_time(watch);
	(void)printf("event=%s reader=\"%s\"\n", event, name);
}

static struct watched *watch_find(struct watch *watch, const char *name)
{
	for (DWORD i = 0; i < watch->count; i++) {
		if (strcmp(watch->readers[i].name, name) == 0)
			return &watch->readers[i];
	}
	return NULL;
}

static void watch_add(struct watch *watch, const char *name)
{
	struct watched *reader;

	if (watch->count == READERS_MAX)
		return;
	reader = &watch->readers[watch->count++];
	memset(reader, 0, sizeof(*reader));
	(void)snprintf(reader->name, sizeof(reader->name), "%s", name);
	reader->listed = true;
	print_listed(watch, "added", name);
}

/* Drops the readers that are not in the list any more. */
static void watch_drop_unlisted(struct watch *watch)
{
	DWORD kept = 0;

	for (DWORD i = 0; i < watch->count; i++) {
		if (watch->readers[i].listed)
			watch->readers[kept++] = watch->readers[i];
		else
			print_listed(watch, "removed", watch->readers[i].name);
	}
	watch->count = kept;
}

/* Compares the list of readers with the one that is known. */
static void watch_list(struct watch *watch)
{
	char names[16 * MAX_READERNAME + 1] = "";
	DWORD size = sizeof(names);
	struct watched *reader;

	for (DWORD i = 0; i < watch->count; i++)
		watch->readers[i].listed = false;
	if (!watch->up || SCardListReaders(watch->context, NULL, names, &size) != SCARD_S_SUCCESS)
		names[0] = '\0';
	for (const char *name = names; name[0] != '\0'; name += strlen(name) + 1) {
		reader = watch_find(watch, name);
		if (reader != NULL)
			reader->listed = true;
		else if (reader_matches(watch->pattern, name))
			watch_add(watch, name);
	}
	watch_drop_unlisted(watch);
}

/* Prints a reader's state if anything but its users has changed. */
static void watch_compare(const struct watch *watch, struct watched *reader,
			  const SCARD_READERSTATE *state)
{
	char words[sizeof(reader->words)], atr[sizeof(reader->atr)];
	DWORD event = state->dwEventState & ~(DWORD)SCARD_STATE_CHANGED;
	bool same;

	state_words(event, words, sizeof(words));
	hex_words(state->rgbAtr, state->cbAtr, atr, sizeof(atr));
	same = strcmp(words, reader->words) == 0 && strcmp(atr, reader->atr) == 0 &&
	       event >> 16 == reader->state >> 16;
	reader->state = event;
	if (same)
		return;
	(void)snprintf(reader->words, sizeof(reader->words), "%s", words);
	(void)snprintf(reader->atr, sizeof(reader->atr), "%s", atr);
	print_time(watch);
	(void)printf("event=state reader=\"%s\" state=%s count=%u atr=%s\n", reader->name, words,
		     (unsigned int)(event >> 16 & 0xFFFF), atr);
}

/* Waits for a change, of the list or of a state, and prints what is new. */
static void watch_wait(struct watch *watch)
{
	SCARD_READERSTATE states[READERS_MAX + 1] = { { .szReader = NULL } };
	LONG result;

	for (DWORD i = 0; i < watch->count; i++) {
		states[i].szReader = watch->readers[i].name;
		states[i].dwCurrentState = watch->readers[i].state;
	}
	states[watch->count].szReader = "\\\\?PnP?\\Notification";
	result = SCardGetStatusChange(watch->context, SLICE_MS, states, watch->count + 1);
	if (result == SCARD_S_SUCCESS) {
		for (DWORD i = 0; i < watch->count; i++)
			watch_compare(watch, &watch->readers[i], &states[i]);
	} else if (result == SCARD_E_NO_SERVICE || result == SCARD_E_INVALID_HANDLE ||
		   result == SCARD_F_COMM_ERROR || result == SCARD_E_SERVICE_STOPPED) {
		(void)SCardReleaseContext(watch->context);
		print_service(watch, false);
	} else if (result != SCARD_E_TIMEOUT) {
		(void)usleep(SLICE_MS * 1000); /* a reader that vanished just now: list again */
	}
}

static void watch_round(struct watch *watch)
{
	if (!watch->up && SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &watch->context) ==
				  SCARD_S_SUCCESS)
		print_service(watch, true);
	if (!watch->up) {
		print_service(watch, false);
		watch_list(watch);
		(void)usleep(SLICE_MS * 1000);
		return;
	}
	watch_list(watch);
	watch_wait(watch);
}

static bool watch_met(const struct watch *watch)
{
	if (watch->until == NULL)
		return false;
	if (strcmp(watch->until, "reader") == 0)
		return watch->count > 0;
	if (strcmp(watch->until, "no-reader") == 0)
		return watch->count == 0;
	for (DWORD i = 0; i < watch->count; i++) {
		if (strstr(watch->readers[i].words, watch->until) != NULL)
			return true;
	}
	return false;
}

static _Noreturn void usage_error(const char *what, const char *value)
{
	log_error("usage", "%s: %s (see --help)", what, value);
	exit(EXIT_USAGE);
}

static const char *parse_until(const char *word)
{
	static const char *const known[] = { "present", "empty", "mute", "reader", "no-reader" };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(word, known[i]) == 0)
			return word;
	}
	usage_error("unknown state", word);
}

/* Returns the timeout in microseconds, UINT64_MAX without one. */
static uint64_t parse_options(struct watch *watch, int argc, char **argv)
{
	static const struct option table[] = {
		{ "reader", required_argument, NULL, 'r' },
		{ "until", required_argument, NULL, 'u' },
		{ "timeout", required_argument, NULL, 't' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	uint64_t timeout_us = UINT64_MAX;
	char *end;
	int c;

	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		switch (c) {
		case 'r':
			watch->pattern = optarg;
			break;
		case 'u':
			watch->until = parse_until(optarg);
			break;
		case 't':
			timeout_us = (uint64_t)(strtod(optarg, &end) * 1e6);
			if (end == optarg || *end != '\0')
				usage_error("not a number of seconds", optarg);
			break;
		case 'h':
			(void)fputs(usage_text, stdout);
			exit(EXIT_SUCCESS);
		default:
			exit(EXIT_USAGE);
		}
	}
	if (optind < argc)
		usage_error("not an option", argv[optind]);
	return timeout_us;
}

int main(int argc, char **argv)
{
	static struct watch watch = { .pattern = "*" };
	uint64_t timeout_us;

	log_init("watch", LOG_LEVEL_INFO);
	timeout_us = parse_options(&watch, argc, argv);
	watch.start_us = timing_now_us();
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	do {
		watch_round(&watch);
	} while (!watch_met(&watch) && timing_now_us() - watch.start_us < timeout_us);
	if (watch.up)
		(void)SCardReleaseContext(watch.context);
	return watch.until == NULL || watch_met(&watch) ? EXIT_SUCCESS : EXIT_FAILURE;
}
