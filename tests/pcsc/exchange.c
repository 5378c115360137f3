/*
 * exchange: an ordinary SCard program that uses the scripted card in every way that tests need.
 *
 * It runs unmodified on the host, where pcscd has the card itself, and in the guest, where it has
 * our reader. Options say how to connect; then come the steps, joined by "+". It connects before
 * the first step (unless that is "connect", "turns" or "wait") and stops after the first step that
 * did not go as expected.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "tests/pcsc/names.h"
#include "tests/pcsc/step.h"

#define EXIT_USAGE 2

static const char usage_text[] =
	"usage: exchange [OPTION...] STEP [ARGUMENT...] [expect OUTCOME] [+ STEP ...]\n"
	"\n"
	"  --reader R        its number in the list, or a pattern for its name (0)\n"
	"  --protocol P      t0, t1 or any (any)\n"
	"  --share S         shared, exclusive or direct (shared)\n"
	"  --disposition D   leave, reset, unpower or eject, to disconnect at the end (leave)\n"
	"  --wait S          wait up to S seconds for service, reader and card\n"
	"  --help            print this and end\n"
	"\n"
	"An OUTCOME is ok, a status word (63C2), the name of an error (SCARD_W_RESET_CARD),\n"
	"short (a success with fewer than two bytes), mismatch, or any. Without 'expect', ok and\n"
	"9000 are good.\n"
	"Exit status: 0 when all steps went as expected, 1 when one did not, 2 for a wrong usage.\n"
	"\n"
	"Steps:\n";

static const struct step *const step_tables[] = { steps_data, steps_card, steps_session,
	steps_control };

#define STEP_TABLES (sizeof(step_tables) / sizeof(step_tables[0]))

static void print_usage(FILE *stream)
{
	(void)fputs(usage_text, stream);
	for (size_t i = 0; i < STEP_TABLES; i++) {
		for (const struct step *step = step_tables[i]; step->name != NULL; step++)
			(void)fprintf(stream, "  %s %s\n", step->name, step->arguments);
	}
}

static _Noreturn void usage_error(const char *what, const char *value)
{
	log_error("usage", "%s: %s (see --help)", what, value);
	exit(EXIT_USAGE);
}

struct choice {
	const char *word;
	DWORD value;
};

static DWORD choose(const struct choice *choices, const char *word)
{
	for (; choices->word != NULL; choices++) {
		if (strcmp(choices->word, word) == 0)
			return choices->value;
	}
	usage_error("unknown value", word);
}

static const struct choice protocols[] = {
	{ "t0", SCARD_PROTOCOL_T0 },
	{ "t1", SCARD_PROTOCOL_T1 },
	{ "any", SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1 },
	{ NULL, 0 },
};

static const struct choice shares[] = {
	{ "shared", SCARD_SHARE_SHARED },
	{ "exclusive", SCARD_SHARE_EXCLUSIVE },
	{ "direct", SCARD_SHARE_DIRECT },
	{ NULL, 0 },
};

static const struct choice dispositions[] = {
	{ "leave", SCARD_LEAVE_CARD },
	{ "reset", SCARD_RESET_CARD },
	{ "unpower", SCARD_UNPOWER_CARD },
	{ "eject", SCARD_EJECT_CARD },
	{ NULL, 0 },
};

/* Returns the index of the first word behind the options. */
static int parse_options(struct session_options *options, int argc, char **argv)
{
	static const struct option table[] = {
		{ "reader", required_argument, NULL, 'r' },
		{ "protocol", required_argument, NULL, 'p' },
		{ "share", required_argument, NULL, 's' },
		{ "disposition", required_argument, NULL, 'd' },
		{ "wait", required_argument, NULL, 'w' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	unsigned long seconds;
	int c;

	while ((c = getopt_long(argc, argv, "+", table, NULL)) != -1) {
		switch (c) {
		case 'r':
			options->reader = optarg;
			break;
		case 'p':
			options->protocols = choose(protocols, optarg);
			break;
		case 's':
			options->share = choose(shares, optarg);
			break;
		case 'd':
			options->disposition = choose(dispositions, optarg);
			break;
		case 'w':
			if (step_number(optarg, 0, 86400, &seconds) != 0)
				usage_error("not a number of seconds", optarg);
			options->wait_ms = (unsigned int)seconds * 1000;
			break;
		case 'h':
			print_usage(stdout);
			exit(EXIT_SUCCESS);
		default:
			exit(EXIT_USAGE);
		}
	}
	return optind;
}

static const struct step *find_step(const char *name)
{
	for (size_t i = 0; i < STEP_TABLES; i++) {
		for (const struct step *step = step_tables[i]; step->name != NULL; step++) {
			if (strcmp(step->name, name) == 0)
				return step;
		}
	}
	usage_error("unknown step", name);
}

/* One step of the command line, its words counted and its expectation taken off. */
struct plan {
	const struct step *step;
	char **arguments;
	int count;
	const char *expected; /* NULL: ok or 9000 */
};

/* Takes the next step off *words, together with the "+" behind it. */
static struct plan parse_plan(int *count, char ***words)
{
	struct plan plan = { .step = find_step((*words)[0]), .arguments = *words + 1 };
	int length = 0;

	while (length < *count && strcmp((*words)[length], "+") != 0)
		length++;
	plan.count = length - 1;
	if (length > 2 && strcmp((*words)[length - 2], "expect") == 0) {
		plan.expected = (*words)[length - 1];
		plan.count -= 2;
	}
	if (plan.count < plan.step->min || plan.count > plan.step->max)
		usage_error("wrong number of arguments", plan.step->name);
	if (length == *count - 1)
		usage_error("nothing follows", "+");
	*words += length < *count ? length + 1 : length;
	*count -= length < *count ? length + 1 : length;
	return plan;
}

static bool as_expected(const struct plan *plan, int r, const char *outcome)
{
	if (plan->expected != NULL)
		return strcasecmp(plan->expected, "any") == 0 ||
		       strcasecmp(plan->expected, outcome) == 0;
	return r == 0 && (strcmp(outcome, "ok") == 0 || strcmp(outcome, "9000") == 0);
}

/* Runs one step and prints its line. Returns whether it went as expected. */
static bool run_plan(struct session *session, const struct plan *plan)
{
	struct step_run run = { .session = session };
	uint64_t start = timing_now_us();
	bool good;
	int r;

	timing_clear(&session->timing);
	r = plan->step->run(&run, plan->count, plan->arguments);
	if (r == STEP_USAGE)
		usage_error("wrong arguments", plan->step->name);
	good = as_expected(plan, r, run.outcome);
	(void)printf("%s: %s outcome=%s%s%s seconds=%.3f%s%s\n", plan->step->name,
		     good ? "ok" : "FAILED", run.outcome,
		     plan->expected != NULL ? " expected=" : "",
		     plan->expected != NULL ? plan->expected : "",
		     (double)(timing_now_us() - start) / 1e6, run.detail[0] != '\0' ? " " : "",
		     run.detail);
	(void)fflush(stdout);
	return good;
}

static bool report_failure(const char *what, LONG result)
{
	if (result == SCARD_S_SUCCESS)
		return false;
	(void)printf("%s: FAILED outcome=%s\n", what, scard_name(result));
	return true;
}

static bool needs_connection(const struct plan *first)
{
	static const char *const without[] = { "connect", "wait", "turns" };

	for (size_t i = 0; i < sizeof(without) / sizeof(without[0]); i++) {
		if (strcmp(first->step->name, without[i]) == 0)
			return false;
	}
	return true;
}

/* Returns the number of steps that went as expected. */
static int run_plans(struct session *session, const struct plan *plans, int count)
{
	int done = 0;

	if (report_failure("open", session_open(session)))
		return 0;
	if (needs_connection(&plans[0]) && report_failure("connect", session_connect(session)))
		return 0;
	while (done < count && run_plan(session, &plans[done]))
		done++;
	return done;
}

int main(int argc, char **argv)
{
	static struct session session;
	struct session_options options = {
		.reader = "0",
		.protocols = SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1,
		.share = SCARD_SHARE_SHARED,
		.disposition = SCARD_LEAVE_CARD,
	};
	struct plan plans[64];
	int first, left, done, count = 0;
	char **words;

	log_init("exchange", LOG_LEVEL_INFO);
	first = parse_options(&options, argc, argv);
	words = &argv[first];
	left = argc - first;
	while (left > 0 && count < 64)
		plans[count++] = parse_plan(&left, &words);
	if (count == 0 || left > 0)
		usage_error("between 1 and 64 steps are needed", "no more, no less");
	session_init(&session, &options);
	done = run_plans(&session, plans, count);
	(void)printf("exchange: %s, %d of %d steps\n", done == count ? "ok" : "FAILED", done,
		     count);
	session_deinit(&session);
	return done == count ? EXIT_SUCCESS : EXIT_FAILURE;
}
