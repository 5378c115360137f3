/*
 * The cases, by chapter, and the machine that runs them.
 *
 * A case is a requirement with the section that it comes from. Before it runs, the reader is
 * brought into the state in which the case starts; after it, the reader has to be silent and to
 * answer GetSlotStatus, so that what a case leaves behind is that case's failure and not the next
 * one's.
 *
 * Where the requirement is not in CCID 1.1, the section says whose it is: "USB 9.4.5" (USB 2.0),
 * "drivers" (what libccid, GnuPG's driver or OpenCT need beyond the specification).
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include "tests/conformance/report.h"
#include "tests/conformance/tester.h"

/* What there has to be; or the case is skipped. */
enum suite_need {
	NEED_CARD = 1 << 0,      /* a card that answers to reset */
	NEED_NO_CARD = 1 << 1,   /* an empty slot */
	NEED_SCRIPTED = 1 << 2,  /* the card of tests/card */
	NEED_INTERRUPT = 1 << 3, /* an interrupt endpoint */
	NEED_APDU = 1 << 4,      /* short or extended APDU level */
	NEED_EXTENDED = 1 << 5,  /* extended APDU level */
	NEED_T0 = 1 << 6,        /* a card that offers it */
	NEED_T1 = 1 << 7,
	NEED_NO_T0 = 1 << 8,     /* a card that doesn't */
	NEED_NO_T1 = 1 << 9,
	NEED_SETTABLE = 1 << 10, /* parameters that a driver may set: dwFeatures without 40 */
};

/* The slot when the case starts. */
enum suite_start {
	START_ANY,      /* as it is */
	START_INACTIVE, /* a card, not powered */
	START_ACTIVE,   /* a powered card */
};

struct suite_case {
	const char *section;
	const char *name;
	unsigned int needs; /* enum suite_need */
	enum suite_start start;
	bool (*run)(struct tester *t);
	const void *argument; /* for run: t->argument */
};

/* Cases end with one that has no name. */
extern const struct suite_case descriptor_cases[];
extern const struct suite_case command_cases[];
extern const struct suite_case power_cases[];
extern const struct suite_case xfr_block_cases[];
extern const struct suite_case chaining_cases[];
extern const struct suite_case parameters_cases[];
extern const struct suite_case time_cases[];
extern const struct suite_case abort_cases[];
extern const struct suite_case control_cases[];
extern const struct suite_case notify_cases[];
extern const struct suite_case error_cases[];
extern const struct suite_case length_cases[];
extern const struct suite_case usb_cases[];
extern const struct suite_case hostile_cases[];

/* Prints section and name of the cases that match. */
void suite_list(const char *pattern);

/*
 * Finds out what reader and card there are, and runs the cases that match. pattern is one of
 * fnmatch(3), or a part of "section name"; NULL: all. Returns false if the reader does not even
 * answer GetSlotStatus.
 */
bool suite_run(struct tester *t, const char *pattern, struct report *report);
