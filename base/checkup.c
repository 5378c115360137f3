/*
 * The lines of `doctor`. See checkup.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "base/checkup.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#define LINE_MAX_BYTES 1024

/* Names come from devices, guests and files: they may not move the cursor of a terminal. */
__attribute__((format(printf, 4, 0)))
static void print_line(struct checkup *checkup, const char *verdict, const char *what,
	const char *format, va_list arguments)
{
	char line[LINE_MAX_BYTES];

	(void)vsnprintf(line, sizeof(line), format, arguments);
	for (uint8_t *at = (uint8_t *)line; *at != '\0'; at++) {
		/* U+0080 to U+009F are C2 80 to C2 9F */
		bool c1 = at[0] == 0xC2 && at[1] >= 0x80 && at[1] <= 0x9F;

		if (c1)
			*at++ = '?';
		if (c1 || *at < ' ' || *at == 0x7F)
			*at = '?';
	}
	(void)fprintf(checkup->out, "%-8s %s: %s\n", verdict, what, line);
}

void checkup_ok(struct checkup *checkup, const char *what, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print_line(checkup, "ok", what, format, arguments);
	va_end(arguments);
}

void checkup_unknown(struct checkup *checkup, const char *what, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print_line(checkup, "unknown", what, format, arguments);
	va_end(arguments);
}

void checkup_problem(struct checkup *checkup, const char *what, const char *remedy,
	const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print_line(checkup, "problem", what, format, arguments);
	va_end(arguments);
	if (remedy != NULL)
		(void)fprintf(checkup->out, "             type: %s\n", remedy);
	checkup->problems++;
}

int checkup_end(struct checkup *checkup)
{
	if (checkup->problems == 0)
		(void)fputs("no problem found\n", checkup->out);
	else
		(void)fprintf(checkup->out, "%u problem%s found\n", checkup->problems,
			checkup->problems == 1 ? "" : "s");
	return checkup->problems == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
