/*
 * The common part of a status. See status.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "control/status.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "control/text.h"

#define LEVEL_SAYING "from now on the log has what is as important as: %s"

/* ---- JSON ---- */

json_t *control_status_head(const struct control_daemon *daemon)
{
	return json_pack("{s:i, s:s, s:s, s:o, s:i, s:o, s:o, s:s}", "schema", CONTROL_SCHEMA,
		"program", daemon->program, "version", CCID_RELAY_VERSION,
		"time", control_json_time(time(NULL)), "pid", (int)getpid(),
		"since", control_json_time(daemon->since),
		"config", control_json_text(daemon->config),
		"log_level", log_level_name(log_get_level()));
}

/* JSON as jansson has it knows signed numbers only; no counter gets that far. */
static json_t *number(uint64_t value)
{
	return json_integer((json_int_t)value);
}

static json_t *errors(const struct call_stats *stats)
{
	json_t *object = json_object();

	for (uint8_t outcome = WIRE_OK + 1; outcome < CALL_STATS_OUTCOMES; outcome++)
		(void)json_object_set_new(object, wire_outcome_name(outcome),
			number(stats->outcomes[outcome]));
	return object;
}

json_t *control_status_calls(const struct call_stats *stats)
{
	const struct latency *latency = &stats->latency;

	return json_pack("{s:o, s:o, s:o, s:o, s:{s:o, s:o, s:o, s:o}}",
		"apdus", number(stats->apdus), "bytes_sent", number(stats->bytes_sent),
		"bytes_received", number(stats->bytes_received), "errors", errors(stats),
		"latency_us",
			"min", number(latency->min), "mean", number(latency_mean(latency)),
			"p99", number(latency_quantile(latency, 99)), "max", number(latency->max));
}

json_t *control_status_log_level(const struct control_question *question)
{
	const char *wanted = question->request.argument;
	enum log_level level;

	if (wanted[0] != '\0') {
		if (!question->trusted)
			return control_json_error("only root, or the daemon's own user, may change that");
		if (log_level_by_name(wanted, &level) != 0)
			return control_json_error("this is none of error, warning, info, debug");
		/* Whichever of the two prints it: the last line that there is says why. */
		if (level < LOG_LEVEL_WARNING)
			log_warning("main", LEVEL_SAYING, wanted);
		log_set_level(level);
		if (level >= LOG_LEVEL_WARNING)
			log_warning("main", LEVEL_SAYING, wanted);
	}
	return json_pack("{s:i, s:s}", "schema", CONTROL_SCHEMA,
		"log_level", log_level_name(log_get_level()));
}

/* ---- text ---- */

void control_status_show_text(const char *text, FILE *out)
{
	char *copy = strdup(text);

	if (copy != NULL) {
		control_text_disarm(copy);
		(void)fputs(copy, out);
	}
	free(copy);
}

void control_status_show_head(const json_t *answer, FILE *out)
{
	(void)fprintf(out, "%s %s, process %lld, since %s\n", control_json_get(answer, "program", "?"),
		control_json_get(answer, "version", "?"), control_json_number(answer, "pid"),
		control_json_get(answer, "since", "?"));
	(void)fputs("configuration ", out);
	control_status_show_text(control_json_get(answer, "config", "?"), out);
	(void)fprintf(out, ", log level %s\n", control_json_get(answer, "log_level", "?"));
}

static void show_errors(const json_t *kinds, const char *indent, FILE *out)
{
	const char *kind, *before = indent;
	json_t *count;

	/* jansson's loop writes to no object, but takes none that is const. */
	json_object_foreach((json_t *)(uintptr_t)kinds, kind, count) {
		if (json_integer_value(count) == 0)
			continue;
		(void)fprintf(out, "%s%lld of: %s", before, (long long)json_integer_value(count), kind);
		before = "; ";
	}
	if (before != indent)
		(void)fputc('\n', out);
}

void control_status_show_calls(const json_t *calls, const char *indent, FILE *out)
{
	const json_t *latency = json_object_get(calls, "latency_us");

	(void)fprintf(out, "%s%lld APDUs, %lld bytes sent, %lld received\n", indent,
		control_json_number(calls, "apdus"), control_json_number(calls, "bytes_sent"),
		control_json_number(calls, "bytes_received"));
	if (control_json_number(calls, "apdus") > 0)
		(void)fprintf(out, "%san APDU takes %.1f ms on average, %.1f at least, %.1f at most; 99 of "
			"100 take at most %.1f\n", indent,
			(double)control_json_number(latency, "mean") / 1e3,
			(double)control_json_number(latency, "min") / 1e3,
			(double)control_json_number(latency, "max") / 1e3,
			(double)control_json_number(latency, "p99") / 1e3);
	show_errors(json_object_get(calls, "errors"), indent, out);
}

void control_status_show_log_level(const json_t *answer, FILE *out)
{
	(void)fprintf(out, "%s\n", control_json_get(answer, "log_level", "?"));
}
