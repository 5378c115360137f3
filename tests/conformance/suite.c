/*
 * Runs cases. See suite.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "tests/conformance/suite.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

/* How long the reader has to be silent after a case, ms. */
#define SUITE_SILENCE 40

static const struct suite_case *const suite_chapters[] = {
	descriptor_cases,
	command_cases,
	power_cases,
	xfr_block_cases,
	chaining_cases,
	parameters_cases,
	time_cases,
	abort_cases,
	control_cases,
	notify_cases,
	error_cases,
	length_cases,
	usb_cases,
	hostile_cases,
};

#define SUITE_CHAPTERS (sizeof(suite_chapters) / sizeof(suite_chapters[0]))

static bool suite_matches(const struct suite_case *c, const char *pattern)
{
	char text[200];

	if (pattern == NULL)
		return true;
	(void)snprintf(text, sizeof(text), "%s %s", c->section, c->name);
	return strstr(text, pattern) != NULL || fnmatch(pattern, text, 0) == 0;
}

void suite_list(const char *pattern)
{
	for (size_t i = 0; i < SUITE_CHAPTERS; i++) {
		for (const struct suite_case *c = suite_chapters[i]; c->name != NULL; c++) {
			if (suite_matches(c, pattern))
				printf("%-10s %s\n", c->section, c->name);
		}
	}
}

/* ---- what there is ---- */

/* Why the case can't be run, or NULL. */
static const char *suite_lacks(const struct tester *t, const struct suite_case *c)
{
	bool extended = (t->descriptor.dwFeatures & FEATURE_EXTENDED_APDU) != 0;
	bool apdu = extended || (t->descriptor.dwFeatures & FEATURE_SHORT_APDU) != 0;
	const struct {
		unsigned int need;
		bool met;
		const char *why;
	} needs[] = {
		{ NEED_CARD, t->card, "needs a card" },
		{ NEED_NO_CARD, !t->card, "a card is in the reader" },
		{ NEED_SCRIPTED, t->scripted, "needs --card scripted" },
		{ NEED_INTERRUPT, t->transport.interrupt_in != 0, "no interrupt endpoint" },
		{ NEED_APDU, apdu, "the reader has no APDU level" },
		{ NEED_EXTENDED, extended, "the reader has no extended APDU level" },
		{ NEED_T0, t->protocols.t0, "the card has no T=0" },
		{ NEED_T1, t->protocols.t1, "the card has no T=1" },
		{ NEED_NO_T0, !t->protocols.t0, "the card has T=0" },
		{ NEED_NO_T1, !t->protocols.t1, "the card has T=1" },
		{ NEED_SETTABLE, (t->descriptor.dwFeatures & FEATURE_NEGOTIATES) == 0,
			"the reader negotiates by itself" },
	};

	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
		if ((c->needs & needs[i].need) != 0 && !needs[i].met)
			return needs[i].why;
	}
	return NULL;
}

static bool suite_probe(struct tester *t)
{
	tester_read_descriptor(t);
	tester_drain(t);
	if (!tester_status(t))
		return false;
	t->card = (t->answer.status & ICC_MASK) != ICC_ABSENT;
	if (!t->card)
		return true;
	if (!tester_power_on(t))
		return false;
	(void)atr_check(&t->atr, &t->protocols);
	return tester_power_off(t);
}

/* ---- one case ---- */

/* Brings the slot into the state in which the case starts. */
static bool suite_prepare(struct tester *t, enum suite_start start)
{
	switch (start) {
	case START_ANY:
		return tester_status(t);
	case START_INACTIVE:
		return tester_power_off(t) && tester_status_becomes(t, ICC_INACTIVE, 5000);
	case START_ACTIVE:
		return tester_status(t) && tester_power_off(t) && tester_power_on(t);
	}
	return false;
}

/* What a case may leave behind: nothing. */
static bool suite_is_over(struct tester *t)
{
	return tester_quiet(t, SUITE_SILENCE) && tester_status(t);
}

/* After a failure the next case shall have a reader that works, if there is any way. */
static void suite_recover(struct tester *t)
{
	t->message_max = 0;
	tester_drain(t);
	t->reason[0] = '\0';
	if (suite_is_over(t))
		return;
	(void)transport_reset(&t->transport);
	tester_drain(t);
	t->reason[0] = '\0';
	if (t->card)
		(void)tester_status_becomes(t, ICC_INACTIVE, 10000);
}

static void suite_run_case(struct tester *t, const struct suite_case *c, struct report *report)
{
	const char *lack = suite_lacks(t, c);
	uint64_t start = transport_now();
	char why[TESTER_REASON_MAX + 32] = "";
	const char *when = "";

	if (lack != NULL) {
		report_case(report, c->section, c->name, REPORT_SKIPPED, lack, 0);
		return;
	}
	t->reason[0] = '\0';
	t->running.type = 0;
	t->message_max = 0;
	t->argument = c->argument;
	if (!suite_prepare(t, c->start))
		when = "before it began: ";
	else if (c->run(t) && !suite_is_over(t))
		when = "afterwards: ";
	if (t->reason[0] == '\0') {
		report_case(report, c->section, c->name, REPORT_OK, "", transport_now() - start);
		return;
	}
	(void)snprintf(why, sizeof(why), "%s%s", when, t->reason);
	report_case(report, c->section, c->name, REPORT_FAILED, why, transport_now() - start);
	suite_recover(t);
}

bool suite_run(struct tester *t, const char *pattern, struct report *report)
{
	if (!suite_probe(t))
		return false;
	for (size_t i = 0; i < SUITE_CHAPTERS; i++) {
		for (const struct suite_case *c = suite_chapters[i]; c->name != NULL; c++) {
			if (suite_matches(c, pattern))
				suite_run_case(t, c, report);
		}
	}
	return true;
}
