/*
 * Lines are built in one buffer and written with one write(2), so that a reader never sees half of
 * one and a killed card loses none.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "tests/card/cardlog.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "tests/card/apdu.h"
#include "tests/card/pattern.h"

#define CARDLOG_LINE_MAX 512

int cardlog_init(struct cardlog *log, const char *path)
{
	log->seq = 0;
	log->fd = path == NULL ? dup(STDOUT_FILENO)
			       : open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	return log->fd < 0 ? error_from_errno() : 0;
}

void cardlog_deinit(struct cardlog *log)
{
	if (log->fd >= 0)
		(void)close(log->fd);
	log->fd = -1;
}

static void cardlog_append(char *line, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

static void cardlog_append(char *line, const char *format, va_list args)
{
	size_t used = strlen(line);

	line[used] = ' ';
	(void)vsnprintf(&line[used + 1], CARDLOG_LINE_MAX - used - 1, format, args);
}

void cardlog_event(struct cardlog *log, unsigned int card, const char *event, const char *format,
		   ...)
{
	char line[CARDLOG_LINE_MAX + 1];
	struct timespec now, mono;
	va_list args;
	size_t used;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)clock_gettime(CLOCK_MONOTONIC, &mono);
	(void)snprintf(line, CARDLOG_LINE_MAX,
		       "seq=%llu t=%lld.%06ld mono=%lld.%06ld card=%u ev=%s",
		       (unsigned long long)++log->seq, (long long)now.tv_sec, now.tv_nsec / 1000,
		       (long long)mono.tv_sec, mono.tv_nsec / 1000, card, event);
	va_start(args, format);
	cardlog_append(line, format, args);
	va_end(args);
	used = strlen(line);
	line[used++] = '\n';
	if (write(log->fd, line, used) < 0)
		perror("card: log"); /* the test that reads it will fail, and say why */
}

void cardlog_apdu_begin(struct cardlog *log, unsigned int card, uint64_t number,
			struct payload_view command)
{
	struct apdu apdu;
	char le[8] = "-";
	const char *form;

	if (apdu_decode(command, &apdu) == APDU_MALFORMED)
		form = "malformed";
	else
		form = apdu.extended ? "extended" : "short";
	if (apdu.has_le)
		(void)snprintf(le, sizeof(le), "%u", apdu.ne);
	cardlog_event(
		log, card, "apdu-begin",
		"n=%llu cla=%02X ins=%02X p1=%02X p2=%02X lc=%zu le=%s form=%s len=%zu hash=%08x",
		(unsigned long long)number, apdu.cla, apdu.ins, apdu.p1, apdu.p2, apdu.data.size, le,
		form, command.size, pattern_hash(command.bytes, command.size));
}

void cardlog_apdu_end(struct cardlog *log, unsigned int card, uint64_t number, const char *how,
		      struct payload_view response, uint64_t us)
{
	char sw[5] = "-";

	if (response.size >= 2)
		(void)snprintf(sw, sizeof(sw), "%02X%02X", response.bytes[response.size - 2],
			       response.bytes[response.size - 1]);
	cardlog_event(log, card, "apdu-end", "n=%llu how=%s len=%zu sw=%s hash=%08x us=%llu",
		      (unsigned long long)number, how, response.size, sw,
		      pattern_hash(response.bytes, response.size), (unsigned long long)us);
}
