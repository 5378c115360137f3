/*
 * ccid-conformance: is this CCID reader what the specification says, and what drivers need?
 *
 *     ccid-conformance [--device VID:PID] [--card scripted] [--case PATTERN] [--list] [--json]
 *
 * Drives the reader through libusb, so that no other program may have it. The exit status is 0 if
 * something ran and nothing failed, 1 if not, 2 if there is no reader to drive.
 *
 * With any card but the one of tests/card it sends harmless commands only: SELECT of an application
 * that no card has.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/conformance/suite.h"

static const struct option main_options[] = {
	{ "device", required_argument, NULL, 'd' },
	{ "card", required_argument, NULL, 'c' },
	{ "case", required_argument, NULL, 'p' },
	{ "seed", required_argument, NULL, 's' },
	{ "list", no_argument, NULL, 'l' },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static const char main_usage[] =
	"usage: ccid-conformance [OPTION...]\n"
	"  --device VID:PID   the reader (default: the first with an interface of class 0B)\n"
	"  --card scripted    the card is that of tests/card: run what needs its commands, too\n"
	"  --case PATTERN     only cases whose section and name contain or match PATTERN\n"
	"  --seed NUMBER      of the random messages (default 1)\n"
	"  --list             print the cases and end\n"
	"  --json             print one JSON object instead of the table\n";

struct main_arguments {
	struct transport_choice choice;
	const char *pattern;
	bool list;
	bool json;
};

static bool main_parse_device(const char *text, struct transport_choice *choice)
{
	unsigned int vendor, product;
	int used = 0;

	if (sscanf(text, "%4x:%4x%n", &vendor, &product, &used) != 2 || text[used] != '\0')
		return false;
	choice->idVendor = (uint16_t)vendor;
	choice->idProduct = (uint16_t)product;
	return true;
}

/* Returns -1 to go on, or the exit status. */
static int main_parse(int argc, char **argv, struct main_arguments *arguments, struct tester *t)
{
	int option;

	while ((option = getopt_long(argc, argv, "", main_options, NULL)) != -1) {
		bool good = option != '?';

		if (option == 'd')
			good = main_parse_device(optarg, &arguments->choice);
		else if (option == 'c')
			good = t->scripted = strcmp(optarg, "scripted") == 0;
		else if (option == 'p')
			arguments->pattern = optarg;
		else if (option == 's')
			t->seed = (uint32_t)strtoul(optarg, NULL, 10);
		else if (option == 'l')
			arguments->list = true;
		else if (option == 'j')
			arguments->json = true;
		if (!good || option == 'h') {
			(void)fputs(main_usage, good ? stdout : stderr);
			return good ? 0 : 2;
		}
	}
	return -1;
}

static int main_run(struct tester *t, const struct main_arguments *arguments)
{
	struct report report;
	char about[200], product[64];
	bool ran;

	if (!report_init(&report, arguments->json))
		return 2;
	transport_string(&t->transport, t->transport.device.iProduct, product, sizeof(product));
	(void)snprintf(about, sizeof(about), "%04x:%04x %s", t->transport.device.idVendor,
		t->transport.device.idProduct, product);
	ran = suite_run(t, arguments->pattern, &report);
	if (!ran)
		report_case(&report, "6.1", "the reader answers at all", REPORT_FAILED, t->reason,
			0);
	report_finish(&report, about);
	return report.counts[REPORT_FAILED] == 0 && report.counts[REPORT_OK] > 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct main_arguments arguments = { .pattern = NULL };
	struct tester *t = calloc(1, sizeof(*t));
	const char *why = "";
	int status;

	if (t == NULL)
		return 2;
	t->seed = 1;
	status = main_parse(argc, argv, &arguments, t);
	if (status == -1 && arguments.list) {
		suite_list(arguments.pattern);
		status = 0;
	} else if (status == -1 && transport_open(&t->transport, arguments.choice, &why) != 0) {
		(void)fprintf(stderr, "ccid-conformance: %s\n", why);
		status = 2;
	} else if (status == -1) {
		status = main_run(t, &arguments);
	}
	transport_close(&t->transport);
	free(t);
	return status;
}
